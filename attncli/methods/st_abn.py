"""ST-ABN: spatio-temporal attention for action recognition, corrected by people.

M. Mitsuhara, T. Hirakawa, T. Yamashita, H. Fujiyoshi, "ST-ABN: Visual Explanation Taking into
Account Spatio-temporal Information for Video Recognition", arXiv:2110.15574, 2021, and how human
knowledge enters it; on the slow pathway of C. Feichtenhofer, H. Fan, J. Malik, K. He, "SlowFast
Networks for Video Recognition" (ICCV 2019).

A 3D ResNet is cut in two. From the features of its first part an attention branch makes a map of
each frame (where to look), one number a frame (when to look) and class scores of its own. Both
kinds of attention weigh the features before the second part, the perception branch, classifies
them. As attention acts on the answer, people can correct it: they score the frames of misclassified
training clips, and attention and perception branch are tuned until temporal attention follows.

========  =======================================================  =============================
Equation  What                                                     Where
========  =======================================================  =============================
1, 2      f's = (1 + Ms) f and f't = Mt f                          `layers.attention.attend`
3         f' = concat[f's, f't]                                    `AttentionMechanism`
4         L = L_att + L_per                                        `losses.classification`:
                                                                   `AbnCriterion`
5         L = L_att + L_per + L_temp                               `StAbnCriterion`
6         L_temp: gamma_t times the mean squared error of Mt       `temporal_loss`, times gamma_t
          against M't                                              in `StAbnCriterion`
7         Ms_inverse = 1 - Ms                                      `layers.attention.acting_map`
========  =======================================================  =============================

Symbols: x_i a clip, `frames`; f `features`, by `Resnet3d.extract`; Ms `spatial_attention`;
Mt `temporal_attention`; M't `temporal_edits`; n `n_frames`; gamma_t `gamma_t`; the perception
branch is `AttentionMechanism`, then `Resnet3d.perceive`.

Beyond the paper, which leaves it to future work, people may edit where to look as well. Eq. 5 then
has one more term, gamma_s times the mean squared error of Ms against the edit M's on the map's
grid (`losses.masks.spatial_edit_loss`): the counterpart of eq. 6, with frames nobody edited as 0.
M's is 1 where people said attention belongs; gamma_s is 10, as gamma_t is, for want of a value.

Differs from the paper:

- The class head of the attention branch averages its maps over rows and columns alone and puts
  those of all frames through one linear layer, as the reference code does; the text says global
  average pooling. Here it averages before its 1x1x1 convolution, not after: both are linear.
- A 1x1x1 convolution with batch normalisation and rectification brings the 2C channels of eq. 3
  back to the C that the next stage takes. The reference code has it, the text does not.
- The first convolution towards temporal attention spans 3x3x3 cells, as in the reference code; the
  text says 1x1. Normalisations and rectifications are the reference code's too.
- The convolution after eq. 3 starts as the sum of f's and f't, the branch's copy of res5 from res5,
  its class scores as means of the class maps, both kinds of attention as rising functions of them.
  All start at random in the reference code; attention may then turn out low where the action is,
  and what follows has to learn anew what pretrained features are (seen on toy videos).
- The linear layers have weights for each frame: a network answers clips of as many frames as it
  was trained with, and its weights fit no other number.
- L_temp (eq. 6) is that of one clip. Over a batch it is the mean over all clips, to which those
  nobody edited contribute 0. Fine-tuning sees all of the training split; the text says neither.
- The loss weight 0.5 in the reference code's settings is never applied there; eq. 4 has none.
- Nesterov's momentum, the limit on gradients and the area crop are the reference code's; its jitter
  of colours, its mirroring without labels and its decay of biases and normalisation are left out.
  An area crop's ratio is drawn by its logarithm, there uniformly with sides exchanged by chance; if
  no window fits, it is the largest of a legal ratio, there the square at the centre.
- `uniform` cuts real-valued parts, there whole ones; see `data.clips.sampling`.
- Normalisation takes the statistics of all processes, there of the 8 clips of each GPU. Kinetics
  weights, which the paper does not use, get frames normalised by the statistics of ImageNet.
- Eq. 4 may be joined by Object-ABN's mask loss on Ms, where masks are given; the paper has none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from attncli.backbones import resnet3d
from attncli.backbones.weights import note_dropped
from attncli.batches import ClipBatch
from attncli.config.st_abn import Resnet3dConfig, StAbnConfig
from attncli.data.clips.guides import MASKS, SPATIAL_EDITS, SPATIALLY_EDITED, TEMPORAL_EDITS
from attncli.errors import AttncliError
from attncli.layers.attention import (
    ClassMapBranch,
    acting_map,
    attend,
    begin_rising,
    new_convolution,
    new_identity,
    new_sum,
    spatial_mean,
    stage_at_stride_1,
)
from attncli.layers.global_dropout import GlobalDropout
from attncli.layers.normalized_convolution import NormalizedConvolution
from attncli.losses.classification import AbnCriterion, ClipObjective, classification_criterion
from attncli.losses.masks import EmptyFrames, MaskResize, mask_loss, spatial_edit_loss
from attncli.reporting import Reporter
from attncli.training.objective import Learned
from attncli.types import AttentionEdit, BranchOutputs, Losses


@dataclass(frozen=True)
class Attention:
    """What the attention branch answers."""

    scores: Float[Tensor, "b k"]
    """Class scores (logits)."""
    spatial: Float[Tensor, "b t h w"]
    """Spatial attention Ms of each frame, in [0, 1]."""
    temporal: Float[Tensor, "b t"]
    """Temporal attention Mt, in [0, 1]."""


class TemporalAttention(nn.Module):
    """From class maps to one number a frame; after one map of each frame, frames are channels.

    Args:
        n_classes: Number of class maps.
        n_frames: Frames of a clip.
    """

    def __init__(self, n_classes: int, n_frames: int) -> None:
        super().__init__()
        self.to_map = NormalizedConvolution(new_convolution(n_classes, 1, size=3), relu=True)
        self.mix_frames = new_convolution(n_frames, n_frames)
        self.squeeze = new_identity(n_frames)
        self.excite = new_identity(n_frames)
        begin_rising(self.to_map.conv)
        nn.init.dirac_(self.mix_frames.weight)

    def forward(self, z: Float[Tensor, "b k t h w"]) -> Float[Tensor, "b t"]:
        """Return temporal attention Mt, in [0, 1]."""
        maps = functional.relu(self.mix_frames(self.to_map(z).transpose(1, 2)))
        hidden = functional.relu(self.squeeze(spatial_mean(maps).flatten(1)))
        return self.excite(hidden).float().sigmoid()


class StAttentionBranch(ClassMapBranch):
    """The ST attention branch: from features to both kinds of attention and class scores.

    Args:
        trunk: Layers that keep the grid of the features, such as those of `stage_at_stride_1`.
        channels: Channels that come out of `trunk`.
        n_classes: Number of classes.
        n_frames: Frames of a clip.
        dropout: Probability with which the class head drops a value.
    """

    def __init__(
        self, trunk: nn.Module, *, channels: int, n_classes: int, n_frames: int, dropout: float
    ) -> None:
        super().__init__(trunk, channels=channels, n_classes=n_classes)
        self.to_scores = new_convolution(n_classes, n_classes)
        self.dropout = GlobalDropout(dropout)
        self.classify = nn.Linear(n_classes * n_frames, n_classes)
        self.spatial = NormalizedConvolution(new_convolution(n_classes, 1), relu=False)
        self.temporal = TemporalAttention(n_classes, n_frames)
        nn.init.dirac_(self.to_scores.weight)
        means = torch.eye(n_classes).repeat_interleave(n_frames, dim=1) / n_frames
        self.classify.weight = nn.Parameter(means)
        nn.init.zeros_(self.classify.bias)
        begin_rising(self.spatial.conv)

    def forward(self, features: Float[Tensor, "b c t h w"]) -> Attention:
        """Return attention and class scores of features f."""
        z = self.class_maps(features)
        means = self.to_scores(spatial_mean(z)[..., None, None])
        return Attention(
            scores=self.classify(self.dropout(means.flatten(1))),
            spatial=self.spatial(z).float().sigmoid().squeeze(1),
            temporal=self.temporal(z),
        )


class AttentionMechanism(nn.Module):
    """The attention mechanism: features that both kinds of attention weigh, joined and reduced.

    Args:
        channels: Channels C of the features.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce = NormalizedConvolution(new_sum(channels), relu=True)

    def forward(
        self,
        features: Float[Tensor, "b c t h w"],
        spatial: Float[Tensor, "b t h w"],
        temporal: Float[Tensor, "b t"],
    ) -> Float[Tensor, "b c t h w"]:
        """Return the features that the perception branch classifies.

        Args:
            features: Features f.
            spatial: Spatial attention Ms, in [0, 1].
            temporal: Temporal attention Mt, in [0, 1].
        """
        return self.reduce(concat_attended(features, spatial, temporal))


class StAbnNetwork(nn.Module):
    """3D ResNet whose perception branch sees features weighed by spatio-temporal attention.

    Args:
        backbone: Feature extractor and perception branch.
        attention_branch: The branch between them.
        n_frames: Frames of a clip.
    """

    def __init__(
        self,
        backbone: resnet3d.Resnet3d,
        attention_branch: StAttentionBranch,
        *,
        n_frames: int,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.attention_branch = attention_branch
        self.mechanism = AttentionMechanism(backbone.next_stage.in_channels)
        self.n_frames = n_frames
        self.extractor_is_frozen = False

    def freeze_extractor(self) -> None:
        """Keep the feature extractor as it is, running statistics too, however long one trains."""
        self.extractor_is_frozen = True
        self.backbone.extractor.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> "StAbnNetwork":
        """Begin or end training; a frozen extractor stays in evaluation."""
        super().train(mode)
        if self.extractor_is_frozen:
            self.backbone.extractor.eval()
        return self

    def extract(self, frames: UInt8[Tensor, "b 3 t h w"]) -> Float[Tensor, "b c t hf wf"]:
        """Return the features f of clips of RGB values 0-255."""
        return self.backbone.extract(frames)

    def answer(
        self, features: Float[Tensor, "b c t hf wf"], edit: AttentionEdit | None = None
    ) -> BranchOutputs:
        """Return the class scores of both branches and the attention that acted on the features.

        Args:
            features: Features f, like those of `extract`.
            edit: What stands in the place of Ms and Mt (eq. 7).

        Raises:
            AttncliError: The clips have more or fewer frames than those of the training.
        """
        if features.shape[2] != self.n_frames:
            raise AttncliError(
                f"clips have {features.shape[2]} frames, the network is for {self.n_frames}",
                remedy=f"use --frames {self.n_frames}",
            )
        attention = self.attention_branch(features)
        spatial, temporal = acting_map(attention.spatial, edit), attention.temporal
        if edit is not None and edit.temporal is not None:
            temporal = edit.temporal.to(temporal)
        return BranchOutputs(
            scores=self.backbone.perceive(self.mechanism(features, spatial, temporal)),
            attention_scores=attention.scores,
            spatial_attention=spatial,
            temporal_attention=temporal,
        )

    def forward(
        self, frames: UInt8[Tensor, "b 3 t h w"], edit: AttentionEdit | None = None
    ) -> BranchOutputs:
        """Return what `answer` says of the features of clips of RGB values 0-255."""
        return self.answer(self.extract(frames), edit)

    def explain_mismatch(self, weights: Mapping[str, Tensor]) -> tuple[str, str] | None:
        """Return that weights are of clips of another length, where they are, and what to do."""
        bias = weights.get("attention_branch.temporal.squeeze.bias", torch.empty(self.n_frames))
        if len(bias) == self.n_frames:
            return None
        return (
            f"the weights are for clips of {len(bias)} frames, the network for {self.n_frames}",
            f"use weights of --frames {self.n_frames}, or train with --frames {len(bias)}",
        )


def concat_attended(
    features: Float[Tensor, "b c t h w"],
    spatial: Float[Tensor, "b t h w"],
    temporal: Float[Tensor, "b t"],
) -> Float[Tensor, "b c2 t h w"]:
    """Return f' = concat[(1 + Ms) f, Mt f] over channels (eq. 1-3)."""
    f_s = attend(features, spatial, mechanism="residual")
    f_t = attend(features, temporal[..., None, None], mechanism="product")
    return torch.cat([f_s, f_t], dim=1)


def temporal_loss(
    attention: Float[Tensor, "b t"], edits: Float[Tensor, "b t"]
) -> Float[Tensor, ""]:
    """Return the mean squared error of Mt against M't (eq. 6 without gamma_t).

    The mean is over the frames of a clip, then over all clips; one that is not edited counts as 0.

    Args:
        attention: Temporal attention Mt, in [0, 1].
        edits: Edited attention M't, in [0, 1]; NaN where there is no edit.
    """
    difference = torch.where(edits.isnan(), 0.0, edits - attention)
    return difference.square().mean(1).mean()


@dataclass(frozen=True)
class StAbnCriterion:
    """L = L_per + lambda_att L_att (eq. 4), and what edits (eq. 5) and masks add to it."""

    lambda_att: float
    """Weight of the attention branch's class loss; 1 in the paper."""
    gamma_t: float
    """Weight of the loss towards temporal edits."""
    gamma_s: float
    """Weight of the loss towards spatial edits; the paper has none."""
    lambda_mask: float
    """Weight of the mask loss."""
    mask_resize: MaskResize
    """How masks and spatial edits come to the map's grid."""
    empty_frames: EmptyFrames
    """What a frame without instances asks for."""

    def __call__(self, outputs: BranchOutputs, batch: ClipBatch) -> Losses:
        """Return the loss and its terms `per`, `att`, and `temp`, `spat`, `mask` as they apply."""
        abn = AbnCriterion(self.lambda_att)(outputs, batch)
        total, terms = abn.total, dict(abn.terms)
        spatial, guides = cast(Tensor, outputs.spatial_attention), batch.guides
        how, empty = self.mask_resize, self.empty_frames
        if TEMPORAL_EDITS in guides:
            attention = cast(Tensor, outputs.temporal_attention)
            terms["temp"] = temporal_loss(attention, guides[TEMPORAL_EDITS])
            total = total + self.gamma_t * terms["temp"]
        if SPATIAL_EDITS in guides:
            edits, is_edited = guides[SPATIAL_EDITS], guides[SPATIALLY_EDITED]
            terms["spat"] = spatial_edit_loss(spatial, edits, is_edited, mask_resize=how)
            total = total + self.gamma_s * terms["spat"]
        if MASKS in guides:
            terms["mask"] = mask_loss(spatial, guides[MASKS], mask_resize=how, empty_frames=empty)
            total = total + self.lambda_mask * terms["mask"]
        return Losses(total=total, terms=terms)


def build_resnet3d(
    config: Resnet3dConfig, n_classes: int, *, reporter: Reporter | None = None
) -> Learned[ClipBatch]:
    """Return the baseline without attention and its loss.

    Args:
        config: Depth, width, initial weights and dropout of the network.
        n_classes: Number of classes.
        reporter: Told which of the initial weights do not fit the number of classes.

    Raises:
        AttncliError: The initial weights cannot be had, or are not of this architecture.
    """
    model = resnet3d.build_resnet3d(
        config.depth,
        n_classes=n_classes,
        width_factor=config.width_factor,
        dropout=config.dropout,
        checkpoint_gradients=config.checkpoint_gradients,
    )
    note_dropped(resnet3d.load_weights(model, config.weights), config.weights, reporter)
    return Learned(model, ClipObjective(classification_criterion))


def build_st_abn(
    config: StAbnConfig, n_classes: int, *, reporter: Reporter | None = None
) -> Learned[ClipBatch]:
    """Return the Spatio-temporal Attention Branch Network and its loss; arguments as above.

    Where the settings name edits, the feature extractor is frozen.

    Raises:
        AttncliError: The initial weights cannot be had, or are not of this architecture.
    """
    backbone = cast(resnet3d.Resnet3d, build_resnet3d(config, n_classes, reporter=reporter).model)
    branch = StAttentionBranch(
        stage_at_stride_1(backbone.next_stage),
        channels=backbone.next_stage.channels,
        n_classes=n_classes,
        n_frames=config.frames,
        dropout=config.dropout,
    )
    model = StAbnNetwork(backbone, branch, n_frames=config.frames)
    if config.is_tuning:
        model.freeze_extractor()
    criterion = StAbnCriterion(
        lambda_att=config.lambda_att,
        gamma_t=config.gamma_t,
        gamma_s=config.gamma_s,
        lambda_mask=config.lambda_mask,
        mask_resize=config.mask_resize,
        empty_frames=config.empty_frames,
    )
    return Learned(model.to(memory_format=torch.channels_last_3d), ClipObjective(criterion))

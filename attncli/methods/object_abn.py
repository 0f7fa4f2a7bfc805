"""Object-ABN: sharp attention maps for action recognition from instance masks.

T. Nitta, T. Hirakawa, H. Fujiyoshi, T. Tamaki, "Action Recognition by Generating Sharp Attention
Maps with Instance Segmentation", IPSJ SIG Technical Report, 2022; on the Attention Branch Network
of H. Fukui, T. Hirakawa, T. Yamashita, H. Fujiyoshi (CVPR 2019), lifted to video.

A network is cut in two. From the features of its first part an attention branch makes a map of
each frame and class scores of its own; the map weighs the features before the second part, the
perception branch, classifies them. Such maps are often blurred or scattered. Object-ABN assumes
that what matters in a clip is where its objects and people are, and pulls the map towards the
union of the masks an instance segmentation finds: no person draws or corrects anything.

========  =======================================================  =============================
Equation  What                                                     Where
========  =======================================================  =============================
1         class loss of the attention branch                       `AbnCriterion`, term `att`
2, 3      attention mechanism: h2 = h1 M or h2 = h1 (1 + M)        `layers.attention.attend`
4         class loss of the perception branch                      `AbnCriterion`, term `per`
5         L = L_per + lambda L_att                                 `losses.classification`:
                                                                   `AbnCriterion`
6         M's: union of a frame's instance masks                   `files.masks`, before the clip's
                                                                   crop and flip
7         mask loss: mean squared error of M against M's           `losses.masks.mask_loss`
8         L = L_per + lambda L_att + lambda_mask L_mask            `ObjectAbnCriterion`
9 - 11    entropy of a map's histogram                             `metrics.entropy`
========  =======================================================  =============================

Symbols: x `frames`; E `X3D.extract`; A `AttentionBranch`; P `X3D.perceive`; h1 `features`;
M `spatial_attention`; y_m, y_p `attention_scores`, `scores` (before their softmax);
M's `masks`, after `resize_masks`; lambda `lambda_att`; L `n_classes`.

Differs from the paper:

- The paper only says that new convolution layers make the attention. The default is the branch
  of the published ABN code: a copy of the next stage at stride 1, batch normalisation, a 1x1x1
  convolution to L channels; then a 3x3x3 convolution to the map, although ABN's figure shows a
  1x1 one. `light` has one 3x3x3 convolution in place of the copy. The copy begins with the stage's
  weights, published ones too; the other new layers begin at random.
- How masks come to the map's grid is not said: the pixel nearest to each cell's centre by
  default, as M's is binary. Frames in which nothing is found ask for attention 0 by default.
- It validates on a clip drawn at random, as in training. The default is the clip at the centre,
  which is the same every time; `--val-start random` does as the paper.
- It does not give batch size, weight decay, course of the learning rate, normalisation of frames,
  or what becomes of videos shorter than 64 frames. Our choice: 16 clips, none, constant, the mean
  0.45 and deviation 0.225 of the published weights' training, and videos begin again. It mirrors
  clips with an unnamed probability, here half of them.
- The class scores of the attention branch are pooled before their 1x1x1 convolution, not after:
  both are linear, so the result is the same and the convolution costs nothing.
"""

from dataclasses import dataclass
from typing import Literal, cast

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from attncli.backbones import x3d
from attncli.backbones.weights import note_dropped
from attncli.batches import ClipBatch
from attncli.config.object_abn import AbnConfig, ObjectAbnConfig, X3DConfig
from attncli.data.clips.guides import MASKS
from attncli.errors import AttncliError
from attncli.layers.attention import (
    ClassMapBranch,
    Mechanism,
    acting_map,
    attend,
    new_convolution,
    refuse_temporal_edit,
    stage_at_stride_1,
)
from attncli.losses.classification import AbnCriterion, ClipObjective, classification_criterion
from attncli.losses.masks import EmptyFrames, MaskResize, mask_loss
from attncli.reporting import Reporter
from attncli.training.objective import Learned
from attncli.types import AttentionEdit, BranchOutputs, Losses


@dataclass(frozen=True)
class Attention:
    """What an attention branch answers."""

    scores: Float[Tensor, "b k"]
    """Class scores (logits), y_m before its softmax."""
    map: Float[Tensor, "b t h w"]
    """Attention map M of each frame, in [0, 1]."""


class AttentionBranch(ClassMapBranch):
    """The attention branch A: from features to a map of each frame and class scores.

    Args:
        trunk: Layers that keep the grid of the features, such as those of `stage_at_stride_1`.
        channels: Channels that come out of `trunk`.
        n_classes: Number of classes L.
    """

    def __init__(self, trunk: nn.Module, *, channels: int, n_classes: int) -> None:
        super().__init__(trunk, channels=channels, n_classes=n_classes)
        self.to_map = new_convolution(n_classes, 1, size=3)
        self.map_norm = nn.BatchNorm3d(1)
        self.to_scores = new_convolution(n_classes, n_classes)

    def forward(self, features: Float[Tensor, "b c t h w"]) -> Attention:
        """Return the map and the class scores of features h1."""
        z = self.class_maps(features)
        attention = self.map_norm(self.to_map(z)).float().sigmoid()
        scores = self.to_scores(functional.adaptive_avg_pool3d(z, 1))
        return Attention(scores=scores.flatten(1), map=attention.squeeze(1))


class AttentionBranchNetwork(nn.Module):
    """X3D whose perception branch sees features weighed by an attention branch.

    Args:
        backbone: Feature extractor E and perception branch P.
        attention_branch: The branch A between them.
        mechanism: How the map weighs the features, see `attend`.
    """

    def __init__(
        self, backbone: x3d.X3D, attention_branch: AttentionBranch, *, mechanism: Mechanism
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.attention_branch = attention_branch
        self.mechanism: Mechanism = mechanism

    def extract(self, frames: UInt8[Tensor, "b 3 t h w"]) -> Float[Tensor, "b c t hf wf"]:
        """Return the features h1 of clips of RGB values 0-255."""
        return self.backbone.extract(frames)

    def answer(
        self, features: Float[Tensor, "b c t hf wf"], edit: AttentionEdit | None = None
    ) -> BranchOutputs:
        """Return the class scores of both branches and the map that acted on the features.

        Args:
            features: Features h1, like those of `extract`.
            edit: What stands in the place of the map M.

        Raises:
            AttncliError: The edit is of temporal attention.
        """
        refuse_temporal_edit(edit, network="Object-ABN")
        attention = self.attention_branch(features)
        acting = acting_map(attention.map, edit)
        attended = attend(features, acting, mechanism=self.mechanism)
        return BranchOutputs(
            scores=self.backbone.perceive(attended),
            attention_scores=attention.scores,
            spatial_attention=acting,
        )

    def forward(
        self, frames: UInt8[Tensor, "b 3 t h w"], edit: AttentionEdit | None = None
    ) -> BranchOutputs:
        """Return what `answer` says of the features of clips of RGB values 0-255."""
        return self.answer(self.extract(frames), edit)


@dataclass(frozen=True)
class ObjectAbnCriterion:
    """L = L_per + lambda L_att + lambda_mask L_mask (eq. 8)."""

    lambda_att: float
    """Weight lambda of the attention branch's class loss."""
    lambda_mask: float
    """Weight of the mask loss."""
    mask_resize: MaskResize
    """How masks come to the map's grid."""
    empty_frames: EmptyFrames
    """What a frame without instances asks for."""

    def __call__(self, outputs: BranchOutputs, batch: ClipBatch) -> Losses:
        """Return the loss and its terms `per`, `att` and `mask`.

        Raises:
            AttncliError: The batch comes without masks.
        """
        if MASKS not in batch.guides:
            raise AttncliError("object-abn needs masks", remedy="pass --masks")
        abn = AbnCriterion(self.lambda_att)(outputs, batch)
        mask = mask_loss(
            cast(Tensor, outputs.spatial_attention),
            batch.guides[MASKS],
            mask_resize=self.mask_resize,
            empty_frames=self.empty_frames,
        )
        return Losses(total=abn.total + self.lambda_mask * mask, terms={**abn.terms, "mask": mask})


def build_x3d(
    config: X3DConfig, n_classes: int, *, reporter: Reporter | None = None
) -> Learned[ClipBatch]:
    """Return the baseline without attention and its loss.

    Args:
        config: Size, initial weights and dropout of the network.
        n_classes: Number of classes L.
        reporter: Told which of the initial weights do not fit the number of classes.

    Raises:
        AttncliError: The initial weights cannot be had, or are not of this architecture.
    """
    model = _build_backbone(config, n_classes, reporter)
    return Learned(model, ClipObjective(classification_criterion))


def build_abn(
    config: AbnConfig, n_classes: int, *, reporter: Reporter | None = None
) -> Learned[ClipBatch]:
    """Return an Attention Branch Network on X3D and its loss; arguments as in `build_x3d`.

    Raises:
        AttncliError: The initial weights cannot be had, or are not of this architecture.
    """
    model = _build_network(config, n_classes, reporter)
    return Learned(model, ClipObjective(AbnCriterion(config.lambda_att)))


def build_object_abn(
    config: ObjectAbnConfig, n_classes: int, *, reporter: Reporter | None = None
) -> Learned[ClipBatch]:
    """Return the network of `build_abn` with the loss that pulls its maps towards masks.

    Raises:
        AttncliError: The initial weights cannot be had, or are not of this architecture.
    """
    criterion = ObjectAbnCriterion(
        lambda_att=config.lambda_att,
        lambda_mask=config.lambda_mask,
        mask_resize=config.mask_resize,
        empty_frames=config.empty_frames,
    )
    return Learned(_build_network(config, n_classes, reporter), ClipObjective(criterion))


def _build_backbone(config: X3DConfig, n_classes: int, reporter: Reporter | None) -> x3d.X3D:
    model = x3d.build_x3d(
        config.size,
        n_classes=n_classes,
        width_factor=config.width_factor,
        depth_factor=config.depth_factor,
        dropout=config.dropout,
    )
    note_dropped(x3d.load_weights(model, config.weights), config.weights, reporter)
    return model


def _build_network(
    config: AbnConfig, n_classes: int, reporter: Reporter | None
) -> AttentionBranchNetwork:
    backbone = _build_backbone(config, n_classes, reporter)
    branch = _build_attention_branch(backbone, config.attention_branch, n_classes)
    model = AttentionBranchNetwork(backbone, branch, mechanism=config.mechanism)
    return model.to(memory_format=torch.channels_last_3d)


def _build_attention_branch(
    backbone: x3d.X3D, kind: Literal["abn", "light"], n_classes: int
) -> AttentionBranch:
    if kind == "abn":
        trunk = stage_at_stride_1(backbone.next_stage)
        return AttentionBranch(trunk, channels=backbone.next_stage.channels, n_classes=n_classes)
    channels = backbone.next_stage.in_channels
    convolution = new_convolution(channels, channels, size=3)
    trunk = nn.Sequential(convolution, nn.BatchNorm3d(channels), nn.ReLU())
    return AttentionBranch(trunk, channels=channels, n_classes=n_classes)

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
2, 3      attention mechanism: h2 = h1 M or h2 = h1 (1 + M)        `attend`
4         class loss of the perception branch                      `AbnCriterion`, term `per`
5         L = L_per + lambda L_att                                 `AbnCriterion`
6         M's: union of a frame's instance masks                   `attncli.files.masks`, before
                                                                   the clip's crop and flip
7         mask loss: mean squared error of M against M's           `mask_loss`
8         L = L_per + lambda L_att + lambda_mask L_mask            `ObjectAbnCriterion`
9 - 11    entropy of a map's histogram                             `attncli.metrics.entropy`
========  =======================================================  =============================

Symbols: x `frames`; E `X3D.extract`; A `AttentionBranch`; P `X3D.perceive`; h1 `features`;
M `spatial_attention`; y_m, y_p `attention_scores`, `scores` (before their softmax);
M's `masks`, after `resize_masks`; lambda `lambda_att`; L `n_classes`.

Differs from the paper:

- The paper only says that new convolution layers make the attention. The default is the branch
  of the published ABN code: a copy of the next stage at stride 1, batch normalisation, a 1x1x1
  convolution to L channels; then a 3x3x3 convolution to the map, although ABN's figure shows a
  1x1 one. `light` has one 3x3x3 convolution in place of the copy.
- How masks come to the map's grid is not said: the pixel nearest to each cell's centre by
  default, as M's is binary. Frames in which nothing is found ask for attention 0 by default.
- The class scores of the attention branch are pooled before their 1x1x1 convolution, not after:
  both are linear, so the result is the same and the convolution costs nothing.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Literal, cast

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from attncli.backbones import x3d
from attncli.config.object_abn import AbnConfig, ObjectAbnConfig, X3DConfig
from attncli.errors import AttncliError
from attncli.reporting import Reporter, Silent
from attncli.types import BranchOutputs, ClipBatch, Losses

Criterion = Callable[[BranchOutputs, ClipBatch], Losses]
Mechanism = Literal["residual", "product"]
MaskResize = Literal["nearest", "area", "max"]
EmptyFrames = Literal["zero", "ignore"]


@dataclass(frozen=True)
class Attention:
    """What an attention branch answers."""

    scores: Float[Tensor, "b k"]
    """Class scores (logits), y_m before its softmax."""
    map: Float[Tensor, "b t h w"]
    """Attention map M of each frame, in [0, 1]."""


class AttentionBranch(nn.Module):
    """The attention branch A: from features to a map of each frame and class scores.

    Args:
        trunk: Layers that keep the grid of the features, such as those of `stage_at_stride_1`.
        channels: Channels that come out of `trunk`.
        n_classes: Number of classes L.
    """

    def __init__(self, trunk: nn.Module, *, channels: int, n_classes: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.norm = nn.BatchNorm3d(channels)
        self.to_classes = nn.Conv3d(channels, n_classes, 1, bias=False)
        self.class_norm = nn.BatchNorm3d(n_classes)
        self.to_map = nn.Conv3d(n_classes, 1, 3, padding=1, bias=False)
        self.map_norm = nn.BatchNorm3d(1)
        self.to_scores = nn.Conv3d(n_classes, n_classes, 1, bias=False)
        for convolution in (self.to_classes, self.to_map, self.to_scores):
            _initialize(convolution)

    def forward(self, features: Float[Tensor, "b c t h w"]) -> Attention:
        """Return the map and the class scores of features h1."""
        z = functional.relu(self.class_norm(self.to_classes(self.norm(self.trunk(features)))))
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

    def forward(self, frames: UInt8[Tensor, "b 3 t h w"]) -> BranchOutputs:
        """Return the class scores of both branches and the map of each frame.

        Args:
            frames: RGB values 0-255.
        """
        features = self.backbone.extract(frames)
        attention = self.attention_branch(features)
        attended = attend(features, attention.map, mechanism=self.mechanism)
        return BranchOutputs(
            scores=self.backbone.perceive(attended),
            attention_scores=attention.scores,
            spatial_attention=attention.map,
        )


def attend(
    features: Float[Tensor, "b c t h w"],
    attention: Float[Tensor, "b t h w"],
    *,
    mechanism: Mechanism,
) -> Float[Tensor, "b c t h w"]:
    """Return features h2 that the map weighs: h1 M (eq. 2, product), h1 (1 + M) (eq. 3, residual).

    Args:
        features: Features h1.
        attention: Map M, in [0, 1].
        mechanism: Which of the two equations.
    """
    weight = attention if mechanism == "product" else 1 + attention
    return features * weight.unsqueeze(1).to(features.dtype)


def resize_masks(
    masks: Bool[Tensor, "b t h w"], *, size_hw: tuple[int, int], how: MaskResize
) -> Float[Tensor, "b t hf wf"]:
    """Return masks on the map's grid, in [0, 1].

    Args:
        masks: Which pixels of the clip's frames show an object.
        size_hw: Rows and columns of the map.
        how: `nearest` takes the pixel at each cell's centre, `area` the share of the cell that is
            covered, `max` 1 where any of its pixels is.
    """
    values = masks.float()
    if how == "area":
        return functional.adaptive_avg_pool2d(values, size_hw)
    if how == "max":
        return functional.adaptive_max_pool2d(values, size_hw)
    return functional.interpolate(values, size_hw, mode="nearest-exact")


def mask_loss(
    attention: Float[Tensor, "b t h w"],
    masks: Bool[Tensor, "b t hm wm"],
    *,
    mask_resize: MaskResize = "nearest",
    empty_frames: EmptyFrames = "zero",
) -> Float[Tensor, ""]:
    """Return the mean squared error of maps M against masks M's (eq. 7).

    The mean is over frames, rows and columns of a clip, then over clips.

    Args:
        attention: Maps, in [0, 1].
        masks: Union of each frame's instance masks, in the clip's own geometry.
        mask_resize: How masks come to the map's grid, see `resize_masks`.
        empty_frames: A frame without instances counts as mask 0 (`zero`) or not at all
            (`ignore`); a clip of such frames then has loss 0.
    """
    targets = resize_masks(masks, size_hw=(attention.shape[2], attention.shape[3]), how=mask_resize)
    of_frames = (attention.float() - targets).square().mean((2, 3))
    if empty_frames == "zero":
        return of_frames.mean()
    counts = masks.any(dim=3).any(dim=2).to(of_frames.dtype)
    return ((of_frames * counts).sum(1) / counts.sum(1).clamp(min=1)).mean()


def classification_criterion(outputs: BranchOutputs, batch: ClipBatch) -> Losses:
    """Return the cross entropy of a network without attention (eq. 4)."""
    per = functional.cross_entropy(outputs.scores.float(), batch.labels)
    return Losses(total=per, terms={"per": per})


@dataclass(frozen=True)
class AbnCriterion:
    """L = L_per + lambda L_att (eq. 5), cross entropies of both branches (eq. 4 and 1)."""

    lambda_att: float
    """Weight lambda of the attention branch's class loss."""

    def __call__(self, outputs: BranchOutputs, batch: ClipBatch) -> Losses:
        """Return the loss and its terms `per` and `att`."""
        per = functional.cross_entropy(outputs.scores.float(), batch.labels)
        attention_scores = cast(Tensor, outputs.attention_scores)
        att = functional.cross_entropy(attention_scores.float(), batch.labels)
        return Losses(total=per + self.lambda_att * att, terms={"per": per, "att": att})


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
        if batch.masks is None:
            raise AttncliError("object-abn needs masks", remedy="pass --masks")
        abn = AbnCriterion(self.lambda_att)(outputs, batch)
        mask = mask_loss(
            cast(Tensor, outputs.spatial_attention),
            batch.masks,
            mask_resize=self.mask_resize,
            empty_frames=self.empty_frames,
        )
        return Losses(total=abn.total + self.lambda_mask * mask, terms={**abn.terms, "mask": mask})


def build_x3d(
    config: X3DConfig, n_classes: int, *, reporter: Reporter | None = None
) -> tuple[x3d.X3D, Criterion]:
    """Return the baseline without attention and its loss.

    Args:
        config: Size, initial weights and dropout of the network.
        n_classes: Number of classes L.
        reporter: Told which of the initial weights do not fit the number of classes.

    Raises:
        AttncliError: The initial weights cannot be had, or are not of this architecture.
    """
    model = x3d.build_x3d(
        config.size,
        n_classes=n_classes,
        width_factor=config.width_factor,
        depth_factor=config.depth_factor,
        dropout=config.dropout,
    )
    dropped = x3d.load_weights(model, config.weights)
    if dropped:
        (reporter or Silent()).note(
            f"{', '.join(dropped)}: start at random, as {config.weights} has other classes"
        )
    return model, classification_criterion


def build_abn(
    config: AbnConfig, n_classes: int, *, reporter: Reporter | None = None
) -> tuple[AttentionBranchNetwork, Criterion]:
    """Return an Attention Branch Network on X3D and its loss; arguments as in `build_x3d`.

    Raises:
        AttncliError: The initial weights cannot be had, or are not of this architecture.
    """
    backbone, _ = build_x3d(config, n_classes, reporter=reporter)
    branch = _build_attention_branch(backbone, config.attention_branch, n_classes)
    model = AttentionBranchNetwork(backbone, branch, mechanism=config.mechanism)
    model = model.to(memory_format=torch.channels_last_3d)
    return model, AbnCriterion(config.lambda_att)


def build_object_abn(
    config: ObjectAbnConfig, n_classes: int, *, reporter: Reporter | None = None
) -> tuple[AttentionBranchNetwork, Criterion]:
    """Return the network of `build_abn` with the loss that pulls its maps towards masks.

    Raises:
        AttncliError: The initial weights cannot be had, or are not of this architecture.
    """
    model, _ = build_abn(config, n_classes, reporter=reporter)
    criterion = ObjectAbnCriterion(
        lambda_att=config.lambda_att,
        lambda_mask=config.lambda_mask,
        mask_resize=config.mask_resize,
        empty_frames=config.empty_frames,
    )
    return model, criterion


def stage_at_stride_1(stage: nn.Module) -> nn.Module:
    """Return a copy of a stage, weights and all, that keeps the grid of its input."""
    copy = deepcopy(stage)
    for module in copy.modules():
        if isinstance(module, nn.Conv3d):
            module.stride = (1, 1, 1)
    return copy


def _build_attention_branch(
    backbone: x3d.X3D, kind: Literal["abn", "light"], n_classes: int
) -> AttentionBranch:
    if kind == "abn":
        trunk = stage_at_stride_1(backbone.next_stage)
        return AttentionBranch(trunk, channels=backbone.next_stage.channels, n_classes=n_classes)
    channels = backbone.next_stage.in_channels
    convolution = nn.Conv3d(channels, channels, 3, padding=1, bias=False)
    _initialize(convolution)
    trunk = nn.Sequential(convolution, nn.BatchNorm3d(channels), nn.ReLU())
    return AttentionBranch(trunk, channels=channels, n_classes=n_classes)


def _initialize(convolution: nn.Conv3d) -> None:
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")

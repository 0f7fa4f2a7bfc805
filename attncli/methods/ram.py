"""RAM: a recurrent attention module for facial expressions in image sequences.

R. Miyoshi, N. Nagata, M. Hashimoto, "Internal Structure Analysis of Video-based Facial Expression
Recognition by Recurrent Attention Module"; on the convolutional LSTM of X. Shi et al. (NIPS 2015),
the Enhanced ConvLSTM of R. Miyoshi et al. (MIRU 2020), and the Attention Branch Network of
H. Fukui, T. Hirakawa, T. Yamashita, H. Fujiyoshi (CVPR 2019).

An expression is a small change that takes its time. A recurrent network follows the face through a
sequence; from its features an attention branch makes a map of each frame and class scores of its
own. The branch is recurrent too: its inner features are handed to the next frame, so that where to
look depends on what was seen before. The map weighs the features that a last layer classifies.

========  =======================================================  =============================
Equation  What                                                     Where
========  =======================================================  =============================
1         ConvLSTM: gates i, f, o, cell c, hidden state h          `layers.convlstm.ConvLstm`
2         Enhanced ConvLSTM: temporal gates s~, s on the hidden    `layers.convlstm`:
          state two steps back, skip connections, normalisation    `EnhancedConvLstm`
text, 2   RAM: a map and class scores from features that are       `RecurrentAttentionModule`
          handed on from frame to frame
text, 2   residual mechanism x' = (1 + M) x                        `layers.attention.attend`
text, 3   loss of RAM's and of the last layer's class scores       `losses.classification`:
                                                                   `AbnCriterion`
4.1       clips of 8 frames that overlap by 6, majority vote       `data.faces.sequences`,
                                                                   `metrics.voting`
========  =======================================================  =============================

Symbols: x_t `features` of frame t, the hidden states of the last recurrent layer; a_t `inner`, what
RAM hands on; z_t `class_maps`; M_t and y_t
`Attention.map` and `Attention.scores`.

Differs from the paper:

- It prints no equation of RAM, and no width, kernel, size of faces or optimiser. All below is ours.
- a_t = tanh(W_x * x_t + W_a * a_(t-1) + b) with a_0 = 0, the plain recurrent form, as many channels
  as the features; `--ram-state convlstm` makes it the hidden state of a ConvLSTM of equation 1,
  without peepholes. From a_t on, the branch is the published code's of ABN: normalisation, a 1x1
  convolution to a map a class, normalisation and rectification (z_t); a 3x3 convolution,
  normalisation and sigmoid (M_t); global average pooling and a 1x1 convolution (y_t), in this
  order, as both are linear. Normalisation is over all clips, frames and cells of a batch.
- Both class scores are those of a clip's last frame; `--scores-at mean` averages over its frames.
- The fully connected layer sees every cell of the features, after a dropout of 0.5; `--head mean`
  sees means, and then takes faces of any size where no peephole fixes it.
- The first convolution is normalised over the batch and rectified; the grid is halved before the
  second, third and fourth recurrent layer. Channels are 32, 32, 64, 64, 128; kernels 3x3, that of
  W_xr too; 8 groups in GroupNorm; how weights start is said in `layers.convlstm`.
- Faces are cut out as `data.faces.boxes` says, 96x96 in grey, and normalised with mean 0.5 and
  deviation 0.25 of the range of values, in colour too. Clips are counted back from the apex,
  so that an odd first frame is left out; a shorter sequence is filled up with its first frame. Ties
  of votes go to the larger sum of probabilities; people are dealt out to folds as in
  `data.faces.folds`.
- Adam at 1e-3 falling to zero by a cosine over 40 epochs, batches of 16 clips, mirrored half the
  time and cut at random from faces 8 pixels larger; gradients are cut at a norm of 5.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from attncli.backbones.convlstm import (
    Classifier,
    ConvLstmBackbone,
    RecurrentLayer,
    ScoresAt,
    framewise,
    grids,
    to_channels_last,
)
from attncli.batches import ClipBatch
from attncli.config.ram import N_LAYERS, ConvLstmConfig, EnhancedConvLstmConfig, RamConfig
from attncli.layers.attention import (
    ClassMapBranch,
    acting_map,
    attend,
    new_convolution,
    refuse_temporal_edit,
    spatial_mean,
)
from attncli.layers.convlstm import ConvLstm, ConvLstmState, EnhancedConvLstm
from attncli.layers.normalized_convolution import NormalizedConvolution
from attncli.losses.classification import AbnCriterion, ClipObjective, classification_criterion
from attncli.reporting import Reporter
from attncli.training.objective import Learned
from attncli.types import AttentionEdit, BranchOutputs


@dataclass(frozen=True)
class Attention:
    """What RAM answers to the frames of clips."""

    scores: Float[Tensor, "b t k"]
    """Class scores (logits) y_t of each frame."""
    map: Float[Tensor, "b t h w"]
    """Attention map M_t of each frame, in [0, 1]."""


class RecurrentConvolution(nn.Module):
    """A plain recurrent layer: a_t = tanh(W_x * x_t + W_a * a_(t-1) + b).

    Args:
        channels: Channels of x_t and of a_t.
        kernel_size: Rows and columns of both kernels, odd.
    """

    def __init__(self, channels: int, kernel_size: int) -> None:
        super().__init__()
        self.of_input = nn.Conv2d(channels, channels, kernel_size, padding=kernel_size // 2)
        self.of_state = nn.Conv2d(
            channels, channels, kernel_size, padding=kernel_size // 2, bias=False
        )

    def forward(
        self, x: Float[Tensor, "b t c h w"], state: Float[Tensor, "b c h w"] | None
    ) -> tuple[Float[Tensor, "b t c h w"], Float[Tensor, "b c h w"]]:
        """Return a_t of every frame, and the last of them as the state to go on with."""
        driven = self.of_input(x.flatten(0, 1)).unflatten(0, x.shape[:2])
        states = []
        for step in driven.unbind(1):
            state = (step if state is None else step + self.of_state(state)).tanh()
            states.append(state)
        return torch.stack(states, dim=1), states[-1]


RamState = Float[Tensor, "b c h w"] | ConvLstmState
"""What RAM hands from one frame to the next."""


class RecurrentAttentionModule(ClassMapBranch):
    """RAM: from features to a map of each frame and class scores, with a memory of frames before.

    Args:
        recurrence: Makes a_t from x_t and what it remembers: `RecurrentConvolution` or `ConvLstm`.
        channels: Channels of a_t.
        n_classes: Number of classes.
    """

    def __init__(
        self, recurrence: RecurrentConvolution | ConvLstm, *, channels: int, n_classes: int
    ) -> None:
        super().__init__(nn.Identity(), channels=channels, n_classes=n_classes)
        self.recurrence = recurrence
        self.to_map = NormalizedConvolution(framewise(n_classes, 1, 3), relu=False)
        self.to_scores = new_convolution(n_classes, n_classes)

    def forward(
        self, features: Float[Tensor, "b c t h w"], state: RamState | None = None
    ) -> tuple[Attention, RamState]:
        """Return map and class scores of each frame, and what to hand on.

        Args:
            features: Features x_t.
            state: What an earlier call handed on; None begins anew.
        """
        inner, state = self.recurrence(features.transpose(1, 2), state)
        z = self.class_maps(inner.transpose(1, 2))
        means = self.to_scores(spatial_mean(z)[..., None, None])
        maps = self.to_map(z).float().sigmoid().squeeze(1)
        return Attention(means.flatten(2).transpose(1, 2), maps), state


class RamNetwork(nn.Module):
    """A recurrent network whose classifier sees features weighed by RAM.

    Args:
        backbone: Feature extractor and classifier.
        attention_module: RAM between them.
        scores_at: Which frames RAM's class scores are of: the last, or the mean over all.
    """

    def __init__(
        self,
        backbone: ConvLstmBackbone,
        attention_module: RecurrentAttentionModule,
        *,
        scores_at: ScoresAt,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.attention_module = attention_module
        self.scores_at: ScoresAt = scores_at

    def extract(self, frames: UInt8[Tensor, "b 3 t h w"]) -> Float[Tensor, "b c t hf wf"]:
        """Return the features x_t of clips of RGB values 0-255."""
        return self.backbone.extract(frames)

    def answer(
        self, features: Float[Tensor, "b c t hf wf"], edit: AttentionEdit | None = None
    ) -> BranchOutputs:
        """Return the class scores of both branches and the maps that acted on the features.

        Args:
            features: Features x_t, like those of `extract`.
            edit: What stands in the place of the maps M_t.

        Raises:
            AttncliError: The edit is of temporal attention.
        """
        refuse_temporal_edit(edit, network="RAM")
        attention, _ = self.attention_module(features)
        acting = acting_map(attention.map, edit)
        scores = attention.scores
        return BranchOutputs(
            scores=self.backbone.perceive(attend(features, acting, mechanism="residual")),
            attention_scores=scores[:, -1] if self.scores_at == "last" else scores.mean(1),
            spatial_attention=acting,
        )

    def forward(
        self, frames: UInt8[Tensor, "b 3 t h w"], edit: AttentionEdit | None = None
    ) -> BranchOutputs:
        """Return what `answer` says of the features of clips of RGB values 0-255."""
        return self.answer(self.extract(frames), edit)


def build_convlstm(
    config: ConvLstmConfig,
    n_classes: int,
    *,
    reporter: Reporter | None = None,  # noqa: ARG001 - as of all builders
) -> Learned[ClipBatch]:
    """Return a network of ConvLSTM, or of Enhanced ConvLSTM, without attention, and its loss.

    Args:
        config: Widths, kernels, peepholes and classifier of the network, and the size of faces;
            the type says which of the two recurrent layers it has.
        n_classes: Number of classes.
        reporter: Nothing is told.
    """
    model = _backbone(config, n_classes)
    to_channels_last(model)
    return Learned(model, ClipObjective(classification_criterion))


def build_convlstm_ram(
    config: RamConfig,
    n_classes: int,
    *,
    reporter: Reporter | None = None,  # noqa: ARG001 - as of all builders
) -> Learned[ClipBatch]:
    """Return a network of `build_convlstm` with RAM, and its loss; arguments as there."""
    channels = config.widths[-1]
    recurrence = (
        RecurrentConvolution(channels, config.kernel_size)
        if config.ram_state == "plain"
        else ConvLstm(channels, channels, kernel_size=config.kernel_size, peephole="none")
    )
    module = RecurrentAttentionModule(recurrence, channels=channels, n_classes=n_classes)
    model = RamNetwork(_backbone(config, n_classes), module, scores_at=config.scores_at)
    to_channels_last(model)
    return Learned(model, ClipObjective(AbnCriterion(config.lambda_att)))


def _backbone(config: ConvLstmConfig, n_classes: int) -> ConvLstmBackbone:
    width, *hidden = config.widths
    sizes = grids(config.face_px, N_LAYERS)
    inputs = (width, *hidden[:-1])
    return ConvLstmBackbone(
        1 if config.color == "grey" else 3,
        width,
        kernel_size=config.kernel_size,
        layers=[_layer(config, *place) for place in zip(inputs, hidden, sizes, strict=True)],
        classifier=Classifier(
            hidden[-1],
            sizes[-1] if config.head == "flatten" else None,
            n_classes=n_classes,
            dropout=config.dropout,
            scores_at=config.scores_at,
        ),
    )


def _layer(
    config: ConvLstmConfig, in_channels: int, hidden_channels: int, grid_hw: tuple[int, int]
) -> RecurrentLayer:
    kind: Callable[..., RecurrentLayer] = (
        partial(EnhancedConvLstm, groups=config.groups)
        if isinstance(config, EnhancedConvLstmConfig)
        else ConvLstm
    )
    return kind(
        in_channels,
        hidden_channels,
        kernel_size=config.kernel_size,
        peephole=config.peephole,
        grid_hw=grid_hw,
    )

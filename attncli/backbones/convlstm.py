"""ConvLSTM networks over image sequences, cut before their last layer for an attention branch.

A convolution, then four recurrent layers of two kinds with max pooling between them: features of an
eighth of the frame's height and width, and a fully connected layer that classifies them
(R. Miyoshi, N. Nagata, M. Hashimoto, figure 2 of the paper on RAM). That order is the natural one;
the paper gives the numbers of layers alone.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from attncli.errors import AttncliError
from attncli.layers.attention import spatial_mean
from attncli.layers.convlstm import ConvLstm, ConvLstmState, EnhancedConvLstm
from attncli.layers.frames import NormalizeFrames
from attncli.layers.framewise import FramewiseConv3d, max_pool
from attncli.layers.global_dropout import GlobalDropout
from attncli.layers.normalized_convolution import NormalizedConvolution
from attncli.types import BranchOutputs

RecurrentLayer = ConvLstm | EnhancedConvLstm
ScoresAt = Literal["last", "mean"]


class Classifier(nn.Module):
    """One fully connected layer from the features of a frame to class scores.

    Args:
        channels: Channels of the features.
        grid_hw: Rows and columns of the features, whose every cell has weights of its own; None
            classifies the mean over cells, whatever their number.
        n_classes: Number of classes.
        dropout: Probability with which a feature is dropped.
        scores_at: Which frames count: the last, or the mean of the scores of all.
    """

    def __init__(
        self,
        channels: int,
        grid_hw: tuple[int, int] | None,
        *,
        n_classes: int,
        dropout: float,
        scores_at: ScoresAt,
    ) -> None:
        super().__init__()
        self.grid_hw = grid_hw
        self.scores_at: ScoresAt = scores_at
        self.dropout = GlobalDropout(dropout)
        cells = 1 if grid_hw is None else grid_hw[0] * grid_hw[1]
        self.linear = nn.Linear(channels * cells, n_classes)

    def forward(self, features: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b k"]:
        """Return the class scores (logits) of clips.

        Raises:
            AttncliError: The features are on another grid than the weights.
        """
        if self.scores_at == "last":
            features = features[:, :, -1:]
        return self.linear(self.dropout(self._values(features))).mean(1)

    def _values(self, features: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b t n"]:
        frames = features.transpose(1, 2)
        if self.grid_hw is None:
            return spatial_mean(frames)
        if features.shape[-2:] != self.grid_hw:
            rows, columns = features.shape[-2:]
            raise AttncliError(
                f"features have {rows}x{columns} cells, not {self.grid_hw[0]}x{self.grid_hw[1]}",
                remedy="use faces of the size it was trained with, or train with --head mean",
            )
        return frames.flatten(2)


class ConvLstmBackbone(nn.Module):
    """A convolution, four recurrent layers with pooling between them, and a classifier.

    Args:
        in_channels: 3 for colour; 1 for grey frames, which come with three equal channels.
        width: Channels of the first convolution.
        kernel_size: Rows and columns of its kernel, odd.
        layers: The recurrent layers, from first to last.
        classifier: From features to class scores.
    """

    def __init__(
        self,
        in_channels: Literal[1, 3],
        width: int,
        *,
        kernel_size: int,
        layers: Sequence[RecurrentLayer],
        classifier: Classifier,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.normalize = NormalizeFrames(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
        self.stem = NormalizedConvolution(framewise(in_channels, width, kernel_size), relu=True)
        self.layers = nn.ModuleList(layers)
        self.classifier = classifier

    def extract(self, frames: UInt8[Tensor, "b 3 t h w"]) -> Float[Tensor, "b c t hf wf"]:
        """Return the hidden states of the last layer, an eighth of the frames' size.

        Args:
            frames: RGB values 0-255.
        """
        return self.stream(frames, None)[0]

    def stream(
        self, frames: UInt8[Tensor, "b 3 t h w"], states: Sequence[ConvLstmState] | None
    ) -> tuple[Float[Tensor, "b c t hf wf"], list[ConvLstmState]]:
        """Return what `extract` does of frames that go on where earlier ones stopped.

        Args:
            frames: RGB values 0-255.
            states: What an earlier call returned besides its features; None begins anew.
        """
        values = self.normalize(frames)[:, : self.in_channels]
        features, after = self.stem(values), []
        for number, layer in enumerate(self.layers):
            if number:
                features = max_pool(features, 2, stride=2, padding=0)
            state = None if states is None else states[number]
            hidden, state = layer(features.transpose(1, 2), state)
            features = hidden.transpose(1, 2)
            after.append(state)
        return features, after

    def perceive(self, features: Float[Tensor, "b c t hf wf"]) -> Float[Tensor, "b k"]:
        """Return the class scores (logits) of features like those of `extract`."""
        return self.classifier(features)

    def forward(self, frames: UInt8[Tensor, "b 3 t h w"]) -> BranchOutputs:
        """Return the class scores of clips of RGB values 0-255."""
        return BranchOutputs(scores=self.perceive(self.extract(frames)))


def framewise(in_channels: int, out_channels: int, size: int) -> nn.Conv3d:
    """Return a convolution of each frame by itself that keeps the grid; it has no bias.

    Args:
        in_channels: Channels that come in.
        out_channels: Channels that go out.
        size: Rows and columns of the kernel, odd.
    """
    convolution = FramewiseConv3d(
        in_channels, out_channels, (1, size, size), padding=(0, size // 2, size // 2), bias=False
    )
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return convolution


def grids(side_px: int, layers: int) -> list[tuple[int, int]]:
    """Return rows and columns that each recurrent layer works on.

    >>> grids(96, 4)
    [(96, 96), (48, 48), (24, 24), (12, 12)]
    """
    return [(side_px >> halved, side_px >> halved) for halved in range(layers)]


def to_channels_last(model: nn.Module) -> None:
    """Lay out the weights of all convolutions, of two axes and of three, channels-last."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    for weight in model.parameters():
        if weight.ndim in formats:
            weight.data = weight.data.contiguous(memory_format=formats[weight.ndim])

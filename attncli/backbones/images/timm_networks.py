"""Any network of timm that gives features by stage.

timm: Wightman, PyTorch Image Models, 2019, github.com/huggingface/pytorch-image-models.
"""

from difflib import get_close_matches
from types import ModuleType
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from attncli.backbones.images.backbone import (
    PUBLISHED_STRIDES,
    ImageBackbone,
    OutputStride,
    strides,
)
from attncli.backbones.images.normalization import Normalization
from attncli.errors import AttncliError, MissingDependencyError, UsageError, reason

OPTION = "--backbone"


class TimmBackbone(ImageBackbone):
    """A network of timm that gives the features of its stages.

    Args:
        network: What `create_model(..., features_only=True)` returns, for four stages.
        normalization: What its weights were trained with.
        output_stride: Pixels a cell of the coarsest grid stands for.
    """

    def __init__(
        self, network: Any, normalization: Normalization, *, output_stride: OutputStride
    ) -> None:
        channels = network.feature_info.channels()
        super().__init__(normalization, channels=channels, output_stride=output_stride)
        self.network = network

    def stage_outputs(self, x: Float[Tensor, "b 3 h w"]) -> list[Float[Tensor, "b _ _ _"]]:
        """Return what comes out of each stage for normalised images, in the order of `ROLES`."""
        return list(self.network(x))


def import_timm(backbone: str) -> ModuleType:
    """Return timm.

    Raises:
        MissingDependencyError: It is not installed.
    """
    try:
        import timm
    except ImportError as error:
        raise MissingDependencyError(
            f"timm cannot be imported ({error})",
            where=f"{OPTION} {backbone}",
            remedy='pip install "attncli[timm]"',
        ) from error
    return timm


def blank_timm_network(name: str) -> nn.Module:
    """Return a network of timm, whole, with random weights.

    Raises:
        MissingDependencyError: timm is not installed.
        UsageError: It has no such network.
    """
    timm = import_timm(f"timm:{name}")
    if not timm.is_model(name):
        near = get_close_matches(name, timm.list_models(), n=3, cutoff=0.5)
        remedy = f"did you mean {' or '.join(near)}?" if near else "see timm.list_models()"
        raise UsageError(f"no such network of timm: {name!r}", where=OPTION, remedy=remedy)
    return timm.create_model(name, pretrained=False)


def timm_backbone(
    name: str,
    blank: nn.Module,
    *,
    output_stride: OutputStride,
    state: dict[str, Tensor] | None,
    published: bool,
    normalization: Normalization | None,
) -> TimmBackbone:
    """Return the backbone of a network of timm.

    Args:
        name: What timm calls it, with or without the tag of its weights.
        blank: The whole network, which tells how it was trained to see.
        output_stride: Pixels a cell of the coarsest grid is to stand for.
        state: State-dict of the whole network; None for random or published weights.
        published: Whether to fetch the weights timm names, where there is no `state`.
        normalization: What its weights were trained with; None for what timm says.

    Raises:
        UsageError: The network gives no features of the four roles, or not at that stride.
        AttncliError: The weights cannot be fetched.
    """
    config: Any = blank.pretrained_cfg
    options = _stages_of(name, config, output_stride)
    if state is not None:
        options |= {"pretrained": True, "pretrained_cfg_overlay": {"state_dict": state}}
    elif published:
        options["pretrained"] = True
    try:
        network = import_timm(f"timm:{name}").create_model(name, **options)
    except Exception as error:  # of the hub, of its client, and of files that arrive damaged
        raise AttncliError(
            f"weights of timm cannot be fetched ({reason(error)})",
            where=f"{OPTION} timm:{name}",
            remedy="fetch them elsewhere and pass --weights FILE",
        ) from error
    normalization = normalization or Normalization(tuple(config["mean"]), tuple(config["std"]))
    return TimmBackbone(network, normalization, output_stride=output_stride)


def _stages_of(name: str, config: Any, output_stride: OutputStride) -> dict[str, Any]:
    """Return what `create_model` is to be asked, so that it gives the features of the roles."""
    if config.get("fixed_input_size"):
        what = f"timm's {name} takes images of one size only"
        raise UsageError(what, where=OPTION, remedy="use a convolutional network")
    options: dict[str, Any] = {"features_only": True}
    found = _strides_of(name, options)
    if not set(PUBLISHED_STRIDES) <= set(found):
        what = f"timm's {name} has no features at strides 4, 8, 16 and 32"
        raise UsageError(what, where=OPTION, remedy="use a convolutional network")
    # The last of several of one stride is the stage's own end.
    last = {stride: index for index, stride in enumerate(found)}
    options["out_indices"] = tuple(last[stride] for stride in PUBLISHED_STRIDES)
    if output_stride != 32:
        options["output_stride"] = output_stride
    if _strides_of(name, options) != strides(output_stride):
        what = f"timm's {name} cannot be dilated to a stride of {output_stride}"
        raise UsageError(what, where="--output-stride", remedy="use 32, or another backbone")
    return options


def _strides_of(name: str, options: dict[str, Any]) -> tuple[int, ...]:
    """Return the strides of the features a network gives; none where it cannot be built so."""
    try:
        network = import_timm(f"timm:{name}").create_model(name, pretrained=False, **options)
    except (RuntimeError, TypeError, ValueError, AssertionError, KeyError, IndexError):
        return ()
    gives_channels_first = str(getattr(network, "output_fmt", "NCHW")).endswith("NCHW")
    return tuple(network.feature_info.reduction()) if gives_channels_first else ()

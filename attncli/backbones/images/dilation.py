"""Finer grids from the same weights: stride becomes dilation (Yu and Koltun, ICLR 2016)."""

from torch import nn


def dilate_stage(stage: nn.Module, before: int) -> int:
    """Let a stage keep its grid, and see there what it saw on the grid of half the size.

    The convolutions that halved the grid step by 1, dilated as the stage before; all others of the
    stage are dilated twice as much. At every second row and column of its former input the stage
    answers what it did, up to and including borders.

    Args:
        stage: Stage whose convolutions of odd size keep the grid or halve it, the halving ones
            before all others that see more than a cell. It is changed.
        before: Dilation of the stage before, 1 where there is none.

    Returns:
        The dilation of the stage.
    """
    after = 2 * before
    for module in stage.modules():
        if isinstance(module, nn.Conv2d):
            dilation = before if module.stride == (2, 2) else after
            rows, columns = module.kernel_size
            module.stride = (1, 1)
            module.dilation = (dilation, dilation)
            module.padding = (rows // 2 * dilation, columns // 2 * dilation)
    return after

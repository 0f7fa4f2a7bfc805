"""`attncli svd-fc`: features of images from networks trained on other datasets."""

from attncli.commands.console import finish, terminal
from attncli.config.shown import Shown
from attncli.config.svd_fc import SvdFcCall, SvdFcConfig


def command(
    call: SvdFcCall,
    config: SvdFcConfig,
    *,
    shown: Shown,
    dry_run: bool,
    overwrite: bool,
    resume: bool,
) -> None:
    """Extract transfer features of images, alone and fused: SVD-FC, SVD-CAM, MPN-CBP.

    Example: attncli svd-fc CUB/ --weights I=imagenet --weights P=places365.pth -o feats/cub
    """
    from attncli.workflows.svd_fc.extraction import extract

    ways = {"dry_run": dry_run, "overwrite": overwrite, "resume": resume}
    finish(extract(config, call, **ways, reporter=terminal()), shown)

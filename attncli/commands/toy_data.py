"""`attncli toy-data`: small made-up datasets in the layouts of real ones."""

from attncli.commands.console import finish, terminal
from attncli.config.shown import Shown
from attncli.config.toy_data import ToyDataConfig


def command(config: ToyDataConfig, *, shown: Shown, dry_run: bool, overwrite: bool) -> None:
    """Write a small dataset; most have known masks.

    Classes of ucf101 and ssv2 differ only in how something moves; in ssv2 it does so for a part of
    the video, which `active.csv` tells, and others move too. In ckplus people's faces go from
    neutral to one of seven expressions, with 68 landmarks. In voc2012 images show blobs that a
    faint texture tells apart, and whose colours mislead (--coincidence). In image-folder an object
    lies before a scene; which of them tells classes apart is to be chosen (--scene-set). In
    market1501 people who share clothes, but not all of them, walk past several cameras.

    Example: attncli toy-data ssv2 toy/ssv2
    """
    from attncli.workflows.toy_data import write_toy_data

    outcome = write_toy_data(config, dry_run=dry_run, overwrite=overwrite, reporter=terminal())
    finish(outcome, shown)

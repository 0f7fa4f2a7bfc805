"""`attncli refine-seeds`: from class activation maps to seeds that segmentation is learnt from."""

from collections.abc import Callable

from attncli.commands import lazy
from attncli.commands.console import finish, terminal
from attncli.config.import_seeds import ImportCall
from attncli.config.refine_seeds import (
    CrfSeedsCall,
    CrfSeedsConfig,
    PsaSeedsCall,
    PsaSeedsConfig,
    SsddSeedsCall,
    SsddSeedsConfig,
)
from attncli.config.shown import Shown


def command() -> lazy.Group:
    """Return the group `refine-seeds`."""
    return lazy.family("refine-seeds", _refine_seeds, SUBCOMMANDS)


def _refine_seeds() -> None:
    """Refine seeds: of each image which class every pixel is likely to be of.

    Example: attncli refine-seeds crf --seeds seeds/psa --data VOC2012/ -o seeds/psa_crf
    """


def psa(
    config: PsaSeedsConfig,
    call: PsaSeedsCall,
    *,
    shown: Shown,
    dry_run: bool,
    overwrite: bool,
    resume: bool,
) -> None:
    """Spread class activation maps by a random walk along learnt affinities (PSA).

    Example: attncli refine-seeds psa runs/psa --data VOC2012/ --cams runs/cam -o seeds/psa
    """
    from attncli.workflows.refine_seeds.psa import refine_by_psa

    ways = {"dry_run": dry_run, "overwrite": overwrite, "resume": resume}
    finish(refine_by_psa(config, call, **ways, reporter=terminal()), shown)


def crf(
    config: CrfSeedsConfig,
    call: CrfSeedsCall,
    *,
    shown: Shown,
    dry_run: bool,
    overwrite: bool,
    resume: bool,
) -> None:
    """Let the borders of seeds follow those of the image (dense CRF over the classes present).

    Example: attncli refine-seeds crf --seeds seeds/psa --data VOC2012/ -o seeds/psa_crf
    """
    from attncli.workflows.refine_seeds.crf import refine_by_crf

    ways = {"dry_run": dry_run, "overwrite": overwrite, "resume": resume}
    finish(refine_by_crf(config, call, **ways, reporter=terminal()), shown)


def ssdd(
    config: SsddSeedsConfig,
    call: SsddSeedsCall,
    *,
    shown: Shown,
    dry_run: bool,
    overwrite: bool,
    resume: bool,
) -> None:
    """Take the better of two seeds where they differ, by learnt differences (static SSDD).

    Example: attncli refine-seeds ssdd runs/ssdd --data VOC2012/ --knowledge seeds/psa
    --advice seeds/psa_crf -o seeds/ssdd
    """
    from attncli.workflows.refine_seeds.ssdd import refine_by_ssdd

    ways = {"dry_run": dry_run, "overwrite": overwrite, "resume": resume}
    finish(refine_by_ssdd(config, call, **ways, reporter=terminal()), shown)


def import_(
    call: ImportCall, *, shown: Shown, dry_run: bool, overwrite: bool, resume: bool
) -> None:
    """Bring in seeds that the code of PSA or IRN wrote, or label maps.

    Example: attncli refine-seeds import out_aff/ --kind walk --data VOC2012/ --allow-pickle
    """
    from attncli.workflows.refine_seeds.importing import import_seeds

    ways = {"dry_run": dry_run, "overwrite": overwrite, "resume": resume}
    finish(import_seeds(call, **ways, reporter=terminal()), shown)


SUBCOMMANDS: dict[str, tuple[str, Callable[..., None]]] = {
    "psa": ("Spread class activation maps along learnt affinities.", psa),
    "crf": ("Let the borders of seeds follow those of the image.", crf),
    "ssdd": ("Take the better of two seeds where they differ.", ssdd),
    "import": ("Bring in seeds of PSA's or IRN's code, or label maps.", import_),
}
"""Each subcommand's line in the list of them, and what it calls."""

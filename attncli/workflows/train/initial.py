"""The network a training begins with."""

from typing import Any

from attncli import catalog
from attncli.files.checkpoints import load_weights, read_weights
from attncli.files.runs import Run
from attncli.reporting import Reporter, Silent
from attncli.training.objective import Learned
from attncli.training.seeds import seed_everything

PUBLISHED = ("imagenet", "kinetics400")
"""Initial weights that may have to be fetched."""


def initial_network(run: Run, *, begun: bool, reporter: Reporter) -> Learned[Any]:
    """Return the network of a run with its initial weights, on the CPU.

    Args:
        run: What is to be trained.
        begun: Whether weights of its own are to come, so that none are needed.
        reporter: Told what of the weights is not used.

    Raises:
        UsageError: There is no such network, or it and the weights do not belong together.
        AttncliError: The weights cannot be had, or are of another architecture.
    """
    config = run.config
    seed_everything(config.seed)
    settings = config.without_published_weights() if begun or config.init else config
    build = catalog.load(catalog.method(run.method).build)
    learned: Learned[Any] = build(settings, len(run.classes), reporter=reporter)
    if config.init is not None and not begun:
        load_weights(learned.model, read_weights(config.init), where=config.init)
    return learned


def require_initial_weights(run: Run, *, begun: bool) -> None:
    """Refuse initial weights that cannot be had or do not fit; published ones are not fetched.

    Args:
        run: What is to be trained.
        begun: Whether weights of its own are to come, so that none are needed.

    Raises:
        UsageError: Network and weights do not belong together.
        AttncliError: The weights cannot be had, or are of another architecture.
    """
    weights = getattr(run.config, "weights", "none")
    if not begun and (run.config.init is not None or weights not in ("none", *PUBLISHED)):
        initial_network(run, begun=False, reporter=Silent())

"""What a training tells while it runs: `log.csv`, a row an epoch; TensorBoard, a point a step."""

import csv
import io
from collections.abc import Mapping, Sequence

from torch.utils.tensorboard import SummaryWriter

from attncli.config.training import Logger
from attncli.files.atomic import write_text
from attncli.files.runs import RunDirectory
from attncli.training.epoch_line import LogRow
from attncli.training.wandb_log import WandbWriter


class Log:
    """The log files of a run.

    Args:
        directory: Run they belong to.
        rows: Epochs already in the log; `log.csv` will hold these and no others.
        step: Steps already taken; points of TensorBoard from here on will be taken anew.
        logger: Who is given the points.

    Raises:
        MissingDependencyError: The logger's package is not installed.
        AttncliError: It cannot begin.
    """

    def __init__(
        self,
        directory: RunDirectory,
        rows: Sequence[LogRow],
        step: int,
        logger: Logger = "tensorboard",
    ) -> None:
        self.path = directory.log_path
        self.writer = (
            WandbWriter(directory)
            if logger == "wandb"
            else SummaryWriter(str(directory.tensorboard_path), purge_step=step)
        )
        self.write_rows(rows)

    def add_step(self, step: int, values: Mapping[str, float]) -> None:
        """Add the values of one step."""
        self._add("step", values, step)

    def add_epoch(self, rows: Sequence[LogRow], step: int) -> None:
        """Add the last of `rows`, the epoch that ended with the step before `step`."""
        self.write_rows(rows)
        values = {key: value for key, value in rows[-1].items() if value is not None}
        self._add("epoch", values, step - 1)
        self.writer.flush()

    def write_rows(self, rows: Sequence[LogRow]) -> None:
        """Write `log.csv` anew; an empty cell stands for an epoch that was not validated."""
        text = io.StringIO()
        if rows:
            writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        write_text(self.path, text.getvalue())

    def close(self) -> None:
        """Write what is still held back."""
        self.writer.close()

    def _add(self, group: str, values: Mapping[str, int | float], step: int) -> None:
        for name, value in values.items():
            self.writer.add_scalar(f"{group}/{name}", value, step)

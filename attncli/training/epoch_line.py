"""An epoch as one line of text: what its row of the log says, for whoever watches."""

import math
from collections.abc import Sequence

LogRow = dict[str, int | float | None]
"""An epoch in the log; None stands for an epoch that was not validated."""
FIGURES = {
    "top1": "top-1",
    "top5": "top-5",
    "map": "mAP",
    "f1": "F1",
    "miou": "mIoU",
    "rank1": "rank-1",
}
"""How figures are called."""
UNNAMED = "top1"
"""The figure that needs no name in a line, as most networks are judged by it."""
LOSS_DIGITS, PART_DIGITS = 3, 2
"""Digits of a loss, and of the parts that it is the sum of."""
SMALL = 1e-3
"""Numbers up to it have an exponent."""
MINUTE = 60
"""Seconds in a minute, and minutes in an hour."""


def epoch_line(rows: Sequence[LogRow], *, epochs: int, best: str | None, left_sec: float) -> str:
    """Return what the last row of a log says, in one line.

    Args:
        rows: The log, one row an epoch; `log.csv` has all digits.
        epochs: Epochs of the whole training.
        best: Name of the figure that chooses the best epoch; None where none does.
        left_sec: Seconds until the training will be done; not said after the last epoch.

    >>> first = {"epoch": 1, "lr": 1e-4, "loss": 0.9, "train_top1": 70.0, "val_top1": 85.2}
    >>> times = {"clips_per_sec": 64.0, "wait_percent": 3.1, "seconds": 12.34}
    >>> losses = {"loss": 0.4118, "loss_per": 0.31, "loss_att": 0.1, "loss_mask": 0.021}
    >>> figures = {"train_top1": 88.12, "val_top1": 84.66, "val_top5": 99.0}
    >>> row = {"epoch": 2, "lr": 1e-4, **losses, **figures, **times}
    >>> print(epoch_line([{**first, **times}, row], epochs=50, best="top1", left_sec=480.0))
    ... # doctest: +NORMALIZE_WHITESPACE
    epoch 2/50  loss 0.412 (per 0.31 att 0.10 mask 0.021)  train 88.1
    val 84.7 (best 85.2, epoch 1)  lr 1e-4  12.3 s  reading 3 %  left 8 min
    """
    row = rows[-1]
    left = f"left {duration(round(left_sec), decimals=0)}" if number(row, "epoch") < epochs else ""
    said = [
        f"epoch {row['epoch']}/{epochs}",
        _losses(row),
        *_trained(row),
        _validated(rows, best),
        f"lr {short(number(row, 'lr'), 3, zeros=False)}",
        duration(number(row, "seconds")),
        f"reading {number(row, 'wait_percent'):.0f} %",
        left,
    ]
    return "  ".join(filter(None, said))


def live_line(sums: dict[str, float]) -> str:
    """Return what the sums of an unfinished epoch say; nothing before its first step.

    >>> live_line({"loss": 2.0, "samples": 4.0, "hits_top1": 3.0, "loss_per": 1.0})
    'loss 0.500  top1 75.0'
    """
    n = sums.get("samples")
    if not n:
        return ""
    hits = {name.removeprefix("hits_"): v for name, v in sums.items() if name.startswith("hits_")}
    shares = [f"{name} {100 * count / n:.1f}" for name, count in hits.items()]
    return "  ".join([f"loss {short(sums['loss'] / n, LOSS_DIGITS)}", *shares])


def figure_name(name: str) -> str:
    """Return what a figure is called, by its name in the log without `train_` or `val_`.

    >>> figure_name("miou"), figure_name("pairs_right")
    ('mIoU', 'pairs right')
    """
    return FIGURES.get(name, name.replace("_", " "))


def duration(seconds: int | float, *, decimals: int = 1) -> str:
    """Return a time as one reads it.

    Args:
        seconds: The time.
        decimals: Digits after the point, where it is below a minute.

    >>> duration(12.34), duration(59.97), duration(200), duration(3599), duration(7500)
    ('12.3 s', '1 min', '3 min 20 s', '1 h', '2 h 5 min')
    >>> duration(480)
    '8 min'
    """
    if round(seconds, 1) < MINUTE:
        return f"{seconds:.{decimals}f} s"
    if round(seconds) < 10 * MINUTE:
        return _in_two(round(seconds), "min", "s")
    minutes = round(seconds / MINUTE)
    return f"{minutes} min" if minutes < MINUTE else _in_two(minutes, "h", "min")


def short(value: int | float, digits: int, *, zeros: bool = True) -> str:
    """Return a number with so many digits that count.

    Args:
        value: The number.
        digits: How many digits, where it is no large whole number.
        zeros: Whether zeros stay at its end.

    >>> [short(value, 3) for value in (0.41184, 12.3456, 1234.5, 0.0001, 0.0, float("nan"))]
    ['0.412', '12.3', '1234', '1.00e-4', '0', 'nan']
    >>> short(1e-4, 3, zeros=False), short(0.05, 3, zeros=False), short(10.0, 3, zeros=False)
    ('1e-4', '0.05', '10')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    if abs(value) <= SMALL:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{_trimmed(mantissa, zeros)}e{int(exponent)}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return _trimmed(f"{value:.{decimals}f}", zeros)


def number(row: LogRow, name: str) -> float:
    """Return a value of a row that every row has."""
    value = row[name]
    assert value is not None  # noqa: S101 - narrows the type: figures of validations alone may lack
    return float(value)


def _in_two(parts: int, whole: str, part: str) -> str:
    """Return sixtieths as wholes and what is left of them."""
    wholes, rest = divmod(parts, MINUTE)
    return f"{wholes} {whole} {rest} {part}" if rest else f"{wholes} {whole}"


def _trimmed(digits: str, zeros: bool) -> str:
    return digits if zeros or "." not in digits else digits.rstrip("0").rstrip(".")


def _losses(row: LogRow) -> str:
    """Return the loss, and its parts unless it has one alone that is the same."""
    loss = number(row, "loss")
    parts = {key.removeprefix("loss_"): v for key, v in row.items() if key.startswith("loss_")}
    told = [f"{name} {short(v, PART_DIGITS)}" for name, v in parts.items() if v is not None]
    is_same = len(parts) == 1 and math.isclose(loss, next(iter(parts.values())) or 0, rel_tol=1e-6)
    named = f" ({' '.join(told)})" if told and not is_same else ""
    return f"loss {short(loss, LOSS_DIGITS)}{named}"


def _trained(row: LogRow) -> list[str]:
    figures = {k.removeprefix("train_"): v for k, v in row.items() if k.startswith("train_")}
    return [_figure("train", name, value) for name, value in figures.items() if value is not None]


def _validated(rows: Sequence[LogRow], best: str | None) -> str:
    """Return the figure of a validation, the one that chooses if any; nothing without one."""
    names = [key for key in rows[-1] if key.startswith("val_")]
    name = names[0] if best is None and names else f"val_{best}"
    value = rows[-1].get(name)
    if value is None:
        return ""
    said = _figure("val", name.removeprefix("val_"), value)
    return said if best is None else f"{said} ({_best(rows, name)})"


def _best(rows: Sequence[LogRow], name: str) -> str:
    """Return which epoch is the best one so far: the first of those with the highest figure."""
    known = {row["epoch"]: value for row in rows if (value := row.get(name)) is not None}
    epoch = max(known, key=lambda one: known[one])
    return "best" if epoch == rows[-1]["epoch"] else f"best {known[epoch]:.1f}, epoch {epoch}"


def _figure(kind: str, name: str, value: int | float) -> str:
    called = "" if name == UNNAMED else f" {figure_name(name)}"
    return f"{kind}{called} {value:.1f}"

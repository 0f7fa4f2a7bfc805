"""Ways in which files come to harm, each drawn from a seeded generator."""

import csv
import io
import json
from collections.abc import Callable
from random import Random
from typing import Any

HUGE = ("9" * 30, "1e400", "-1", "nan", "inf", "0", "18446744073709551616", "9" * 5000, "0.5")
NASTY = (
    b"\x00",
    b"\xff\xfe",
    b"\xc3\x28",
    b"\x1b[31m",
    b"\r",
    b"\n\n",
    b'"',
    b",",
    b"\xe2\x80\xa8",
    b"[" * 100_000,
    b"../../x",
    b"/etc/passwd",
    b"\xef\xbb\xbf",
    "\u202e\u0661".encode(),
    b"x" * 5000,
)
VALUES: tuple[Any, ...] = (
    None,
    10**30,
    -1,
    0,
    1e308,
    float("nan"),
    [],
    {},
    "",
    "\u0000",
    True,
    [[1]] * 50,
    "\ud800",
)
SETTINGS = ("-1", "0", '""', "[]", "nan", "inf", "9" * 25, "true", '"\\u0000"', "1e300", "{}", "3")
HEADER_BYTES = 256

Mutate = Callable[[bytes, bytes, Random], bytes]


def flip_bits(data: bytes, other: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 8, 64))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def change_header(data: bytes, other: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 2, 4))):
        changed[random.randrange(min(HEADER_BYTES, len(changed)))] = random.choice(
            (0, 1, 127, 128, 255, random.randrange(256))
        )
    return bytes(changed)


def truncate(data: bytes, other: bytes, random: Random) -> bytes:
    return data[: random.choice((0, 1, random.randrange(len(data)), len(data) - 1))]


def truncate_late(data: bytes, other: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) // 2, len(data))]


def zero_range(data: bytes, other: bytes, random: Random) -> bytes:
    start, stop = _range(data, random)
    return data[:start] + bytes(stop - start) + data[stop:]


def zero_end(data: bytes, other: bytes, random: Random) -> bytes:
    """As after a crash of a file system that keeps a file's length and not its blocks."""
    start = random.randrange(len(data))
    return data[:start] + bytes(len(data) - start)


def insert_range(data: bytes, other: bytes, random: Random) -> bytes:
    start = random.randrange(len(data) + 1)
    return data[:start] + random.randbytes(random.choice((1, 4, 64, 1000))) + data[start:]


def delete_range(data: bytes, other: bytes, random: Random) -> bytes:
    start, stop = _range(data, random)
    return data[:start] + data[stop:]


def duplicate_range(data: bytes, other: bytes, random: Random) -> bytes:
    start, stop = _range(data, random)
    return data[:stop] + data[start:stop] + data[stop:]


def splice(data: bytes, other: bytes, random: Random) -> bytes:
    at = random.randrange(len(data))
    return data[:at] + other[min(at, len(other)) :]


def append_other(data: bytes, other: bytes, random: Random) -> bytes:
    return data + other


def huge_number(data: bytes, other: bytes, random: Random) -> bytes:
    """Replace a run of digits."""
    starts = [n for n in range(len(data)) if data[n : n + 1].isdigit()]
    if not starts:
        return flip_bits(data, other, random)
    start = stop = random.choice(starts)
    while stop < len(data) and data[stop : stop + 1].isdigit():
        stop += 1
    return data[:start] + random.choice(HUGE).encode() + data[stop:]


def nasty_text(data: bytes, other: bytes, random: Random) -> bytes:
    """Replace a few bytes by what text files should not hold, or tools trip over."""
    start = random.randrange(len(data) + 1)
    stop = min(len(data), start + random.choice((0, 0, 1, 8)))
    return data[:start] + random.choice(NASTY) + data[stop:]


def change_lines(data: bytes, other: bytes, random: Random) -> bytes:
    """Drop, double, swap or empty lines."""
    lines = data.splitlines(keepends=True)
    if len(lines) < 2:
        return truncate(data, other, random)
    one, two = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(4):
        case 0:
            del lines[one]
        case 1:
            lines.insert(two, lines[one])
        case 2:
            lines[one], lines[two] = lines[two], lines[one]
        case 3:
            lines[one] = b"\n"
    return b"".join(lines)


def change_cells(data: bytes, other: bytes, random: Random) -> bytes:
    """Swap columns of one line or all, add or drop cells, or put something into one."""
    rows = list(csv.reader(io.StringIO(data.decode())))
    row = random.choice(rows)
    column = random.randrange(len(row))
    match random.randrange(6):
        case 0:
            row.insert(column, random.choice(("", "x", "0")))
        case 1:
            del row[column]
        case 2:
            random.shuffle(row)
        case 3:
            order = random.sample(range(len(rows[0])), len(rows[0]))
            rows = [[r[n] for n in order] for r in rows if len(r) == len(order)]
        case 4:
            row[column] = random.choice(("", *HUGE, "\u0000", "\ud7ff", "a\nb", '"', "  ", "True"))
        case 5:
            rows = rows[:1]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def change_json(data: bytes, other: bytes, random: Random) -> bytes:
    """Put another value in the place of one that is somewhere in it, or drop it."""
    value = json.loads(data)
    places = list(_places(value))
    if not places:
        return json.dumps(random.choice(VALUES)).encode()
    holder, key = random.choice(places)
    if random.random() < 0.2:
        del holder[key]
    else:
        holder[key] = random.choice(VALUES)
    return json.dumps(value).encode()


def change_json_line(data: bytes, other: bytes, random: Random) -> bytes:
    lines = data.splitlines()
    number = random.randrange(len(lines))
    lines[number] = change_json(lines[number], other, random)
    return b"\n".join(lines) + b"\n"


def change_toml(data: bytes, other: bytes, random: Random) -> bytes:
    """Give a setting another value, drop it, or add one that there is not."""
    lines = data.decode().splitlines()
    settings = [n for n, line in enumerate(lines) if " = " in line]
    number = random.choice(settings)
    name = lines[number].split(" = ")[0]
    match random.randrange(4):
        case 0:
            del lines[number]
        case 1:
            lines.append('unknown = "x"')
        case _:
            lines[number] = f"{name} = {random.choice(SETTINGS)}"
    return ("\n".join(lines) + "\n").encode()


def _range(data: bytes, random: Random) -> tuple[int, int]:
    start = random.randrange(len(data))
    length = random.choice((1, 16, 512, max(1, len(data) // 4)))
    return start, min(len(data), start + length)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every place in a JSON value, as what holds it and the key or position there."""
    if isinstance(value, dict):
        keys: list[Any] = list(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))
    else:
        return []
    return [(value, key) for key in keys] + [p for key in keys for p in _places(value[key])]


ANY: tuple[Mutate, ...] = (
    flip_bits,
    truncate,
    truncate_late,
    zero_range,
    zero_end,
    insert_range,
    delete_range,
    duplicate_range,
    splice,
    append_other,
)
TEXT: tuple[Mutate, ...] = (huge_number, nasty_text, nasty_text, change_lines)
BY_KIND: dict[str, tuple[Mutate, ...]] = {
    "binary": (*ANY, change_header, change_header),
    "text": (*ANY, *TEXT, *TEXT),
    "csv": (*ANY, *TEXT, *[change_cells] * 6),
    "json": (*ANY, *TEXT, *[change_json] * 6),
    "jsonl": (*ANY, *TEXT, *[change_json_line] * 6),
    "toml": (*ANY, *TEXT, *[change_toml] * 6),
}
"""What may happen to a file of each kind; what is there more often happens more often."""


def mutate(data: bytes, other: bytes, kind: str, random: Random) -> tuple[str, bytes]:
    """Return the name of a mutation and what it makes of `data`.

    Args:
        data: A valid file.
        other: Another valid file of the same format.
        kind: Key of `BY_KIND`.
        random: Where every choice comes from.
    """
    if not data:
        return "insert_range", random.randbytes(16)
    chosen = random.choice(BY_KIND[kind])
    return chosen.__name__, chosen(data, other, random)

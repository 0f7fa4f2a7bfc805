"""Draw people who were looked for, and the images that were nearest to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from attncli.config.visualize import VisualizeConfig
from attncli.data.images.reading import read_rgb
from attncli.data.samples import ImageSample
from attncli.errors import AttncliError, Failure
from attncli.evaluation.rankings import RANKINGS
from attncli.files.failures import write_failures
from attncli.reporting import Outcome, Reporter, Row
from attncli.visualization.ranked_lists import Found, RankedList, draw_ranked_lists
from attncli.visualization.selection import known_name
from attncli.workflows.visualize.cmc_curves import names_of
from attncli.workflows.visualize.feature_images import images_of, samples_of
from attncli.workflows.visualize.picture import Picture, figure_of, wish_of
from attncli.workflows.visualize.rankings import Identified, Key, open_identified

NEAREST = 10
"""Images shown of each list."""
COLUMNS = ("run", "layer", "source", "query", "rank", "id", "identity", "camera", "right")
"""What the table beside the picture says of each image found."""


@dataclass(frozen=True)
class _Ranking:
    """The lists of one feature."""

    of: Identified
    key: Key
    name: str
    """What it is called; empty where it is the only one."""
    lines: Mapping[str, pd.DataFrame]
    """The nearest images of each query, nearest first."""


def draw(
    config: VisualizeConfig,
    runs: Sequence[Path],
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Draw ranked lists: below each other those of all features for a query, then the next query.

    Args:
        config: Which queries and layers are drawn, and where; clips are queries, and their class
            is who they show.
        runs: Runs or feature directories of the same people, with an evaluation on the split.
        overwrite: An earlier picture may go.
        dry_run: Say what would be drawn, and touch nothing.
        reporter: Shows progress.

    Returns:
        One row an image found, and the queries of whose lists an image could not be read.

    Raises:
        UsageError: A wish cannot be met, or no figure has such a suffix.
        AttncliError: There are no rankings, or their images are not there.
    """
    picture = figure_of(config, overwrite=overwrite)
    rankings = _open(open_identified(runs, config), config.layers)
    samples = samples_of(images_of(runs[0], config.data), rankings[0].lines)
    queries = _choose(list(rankings[0].lines), samples, config)
    _require_common(rankings, queries)
    rows = [row for query in queries for one in rankings for row in _rows(one, query)]
    if dry_run:
        return picture.planned(rows)
    picture.claim()
    lists: list[RankedList] = []
    failures: list[Failure] = []
    for query in reporter.track(queries, label="read images", unit="queries"):
        try:
            lists += [_read(one, query, samples) for one in rankings]
        except AttncliError as error:
            failures.append(Failure(id=query, path=str(samples[query].path), error=str(error)))
    write_failures(picture.failures, failures)
    drawn = {shown.query for shown in lists}
    rows = [row for row in rows if row["query"] in drawn]
    if lists:
        _write(config, picture, lists, rows, reporter)
    return Outcome(rows=rows, failures=failures)


def _write(
    config: VisualizeConfig,
    picture: Picture,
    lists: Sequence[RankedList],
    rows: Sequence[Row],
    reporter: Reporter,
) -> None:
    figure = draw_ranked_lists(lists, width_in=config.layout_in, dpi=config.dpi)
    texts = [text.words for shown in lists for text in shown.label]
    cameras = [found.camera for shown in lists for found in shown.found]
    picture.save(figure, pd.DataFrame(rows, columns=COLUMNS), [*texts, *cameras], reporter)


def _open(opened: Sequence[Identified], layers: Sequence[str]) -> list[_Ranking]:
    keys = [(one, key) for one in opened for key in one.chosen(layers, [one.best])]
    names = [names_of(keys, one, key) if len(keys) > 1 else "" for one, key in keys]
    return [
        _Ranking(one, key, name, _by_query(one.ranking(key)))
        for (one, key), name in zip(keys, names, strict=True)
    ]


def _by_query(lines: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the nearest images of each query, in the order of the table."""
    by_query = dict(iter(lines.groupby("query", sort=False)))
    return {str(query): own.head(NEAREST) for query, own in by_query.items()}


def _choose(
    queries: Sequence[str], samples: Mapping[str, ImageSample], config: VisualizeConfig
) -> list[str]:
    """Return the queries wished for, in the order in which they are shown.

    Raises:
        UsageError: There is no such query, or none of such a person.
    """
    wish = wish_of(config)
    if wish.ids:
        return [known_name(id_, queries, "--id") for id_ in dict.fromkeys(wish.ids)]
    people = sorted({samples[query].subject or "" for query in queries} - {""})
    wanted = {known_name(label, people, "--class") for label in wish.labels}
    kept = [query for query in queries if not wanted or samples[query].subject in wanted]
    if wish.order == "random":
        kept = [kept[i] for i in np.random.default_rng(wish.seed).permutation(len(kept))]
    return kept[: wish.clips]


def _require_common(rankings: Sequence[_Ranking], queries: Sequence[str]) -> None:
    """Make sure that all features were asked for the same people.

    Raises:
        AttncliError: One has no list of a query.
    """
    for one in rankings:
        for query in queries:
            if query not in one.lines:
                remedy = "draw runs of the same people, or name queries of all with --id"
                where = one.of.directory / RANKINGS
                raise AttncliError(f"has no list of query {query}", where=where, remedy=remedy)


def _read(one: _Ranking, query: str, samples: Mapping[str, ImageSample]) -> RankedList:
    """Return a list with its pictures.

    Raises:
        AttncliError: A picture is not there, or cannot be read.
    """
    sample, lines = samples[query], one.lines[query]
    missing = next((id_ for id_ in lines["id"] if id_ not in samples), None)
    if missing is not None:
        remedy = "give the dataset the features were made of with --data"
        raise AttncliError(f"no such image: {missing!r}", where=one.of.path, remedy=remedy)
    found = tuple(
        Found(read_rgb(samples[id_].path), camera, is_right)
        for id_, camera, is_right in zip(lines["id"], lines["camera"], lines["right"], strict=True)
    )
    who, camera = sample.subject or "unknown", sample.camera or ""
    return RankedList(one.name, query, who, camera, read_rgb(sample.path), found)


def _rows(one: _Ranking, query: str) -> list[Row]:
    layer, source = one.key
    about: Row = {"run": str(one.of.path), "layer": layer, "source": source, "query": query}
    return [
        {
            **about,
            "rank": int(line["rank"]),
            **{name: str(line[name]) for name in ("id", "identity", "camera")},
            "right": bool(line["right"]),
        }
        for line in one.lines[query].to_dict("records")
    ]

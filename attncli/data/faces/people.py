"""The people of a dataset, divided into folds, and where their faces are."""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from attncli.config.ram import SequenceConfig
from attncli.data.choice import choose
from attncli.data.faces.boxes import Faces, find_faces, read_faces, write_faces
from attncli.data.faces.folds import Folds, assign_folds, fold_part, read_folds, write_folds
from attncli.data.faces.sequences import SequenceStore, sequence_clips
from attncli.data.layouts import open_dataset
from attncli.data.samples import UNKNOWN_LABEL, Split, VideoDataset
from attncli.errors import AttncliError, UsageError
from attncli.reporting import Reporter

FOLDS, FACES = "folds.csv", "faces.csv"


@dataclass(frozen=True)
class People:
    """Image sequences of people, in folds."""

    dataset: VideoDataset
    """All sequences with a label."""
    folds: Folds
    """Who is in which fold."""
    faces: Faces
    """Where the face of each sequence is."""
    store: SequenceStore = field(repr=False)
    """Holds the sequences that were read, for all folds."""

    @property
    def subjects(self) -> int:
        """How many people there are."""
        return len({sample.subject for sample in self.dataset.samples})

    def part(self, fold: int | None, split: Split) -> VideoDataset:
        """Return the sequences of a fold (`val`), of all others (`train`), or of everybody.

        Args:
            fold: Number of the fold, from 1; None gives everybody's.
            split: Which of the two.

        Raises:
            UsageError: It is another split.
        """
        if fold is None or split == "all":
            return self.dataset
        if split == "test":
            raise UsageError("no such split: folds have train and val only", where="--split test")
        return fold_part(self.dataset, self.folds, fold, split)


def divide_people(config: SequenceConfig, reporter: Reporter) -> People:
    """Read a dataset anew: deal its people out to folds, or take those of a file; find faces.

    Raises:
        UsageError: A file of folds has another number of them than was asked for.
        AttncliError: The dataset, the file or a face cannot be had, there are too few people, or a
            sequence is shorter than a clip may be.
    """
    _read_people.cache_clear()  # whoever writes these people may write over others
    dataset = _open(config)
    if config.folds_file is None:
        folds = assign_folds(dataset, folds=config.folds, seed=config.folds_seed)
    else:
        folds = read_folds(config.folds_file, dataset)
        _require_number(folds, config, config.folds_file)
    sequence_clips(dataset, config)  # raises where a sequence is too short
    faces = find_faces(dataset, config.face_crop, reporter=reporter)
    for note in (*dataset.notes, *faces.notes()):
        reporter.note(note)
    return People(dataset, folds, faces, SequenceStore(config, faces))


def read_people(config: SequenceConfig, fold: Path) -> People:
    """Return the people that a fold was, or is to be, trained on and tested with.

    Args:
        config: Its settings.
        fold: Its directory. It has its own tables once its training has begun; until then, and for
            as long as they are the same, those of the run that it is in are read.

    Raises:
        AttncliError: Folds or faces are missing, of another dataset, or no longer those that the
            fold was trained with.
    """
    has_own, run = (fold / FOLDS).is_file(), fold.parent
    if not (run / FOLDS).is_file():
        run = fold
    for name in (FOLDS, FACES):
        if not (run / name).is_file():
            raise AttncliError(
                f"has no {name}, so its folds or faces are unknown",
                where=run,
                remedy="copy it from a run on the same people, or train anew",
            )
        if has_own and (fold / name).read_bytes() != (run / name).read_bytes():
            raise AttncliError(
                f"was trained with another {name} than its run now has",
                where=fold,
                remedy=f"copy the one here to {run}, or train anew",
            )
    return _read_people(replace(config, fold=None), run)


@lru_cache(maxsize=1)  # the folds of a run are gone through in turn, over the same pictures
def _read_people(config: SequenceConfig, directory: Path) -> People:
    dataset = _open(config)
    folds = read_folds(directory / FOLDS, dataset)
    _require_number(folds, config, directory / FOLDS)
    faces = read_faces(directory / FACES, dataset)
    return People(dataset, folds, faces, SequenceStore(config, faces))


def write_people(people: People, directory: Path) -> None:
    """Write who is in which fold (`folds.csv`), and where faces are (`faces.csv`)."""
    write_faces(directory / FACES, people.faces)
    write_folds(directory / FOLDS, people.dataset, people.folds)


def _open(config: SequenceConfig) -> VideoDataset:
    """Return the sequences that have a label, or as many of them as the settings want.

    Its `notes` count those of a manifest that have none.
    """
    dataset = open_dataset(config.data, layout=config.layout, split="all")
    labelled = tuple(sample for sample in dataset.samples if sample.label != UNKNOWN_LABEL)
    if not labelled:
        raise AttncliError("has no sequence with a label", where=config.data, remedy="label some")
    left = len(dataset.samples) - len(labelled)
    notes = (
        (f"{left} of {len(dataset.samples)} sequences without a label left out",) if left else ()
    )
    everybody = replace(dataset, samples=labelled, notes=(*dataset.notes, *notes))
    return choose(everybody, config, "people")


def _require_number(folds: Folds, config: SequenceConfig, file: Path) -> None:
    if folds.n_folds != config.folds:
        raise UsageError(
            f"{file} has {folds.n_folds} folds, not {config.folds}",
            where="--folds",
            remedy=f"pass --folds {folds.n_folds}",
        )

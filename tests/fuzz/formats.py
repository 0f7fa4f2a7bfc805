"""What is mutated: every file format, where a specimen is, and which commands read it."""

from collections.abc import Mapping
from dataclasses import dataclass

from specimens import CONTAINERS, IMAGES, TINY, TINY_ABN, TINY_IMAGES, TINY_RAM, TINY_SSDD

Words = tuple[str, ...]
Row = tuple[str, str, tuple[Words, ...]]
"""Kind, target and commands of a format."""
DONE, FAILED, USAGE, PARTIAL, MISSING = range(5)
ANY_CODE = frozenset({DONE, FAILED, USAGE, PARTIAL, MISSING})


@dataclass(frozen=True)
class Format:
    """One kind of file that may come damaged."""

    name: str
    kind: str
    """How it is mutated: a key of `mutations.BY_KIND`."""
    tree: str
    """Directory of specimens that a case gets a copy of."""
    target: str
    """Pattern of the files of which one is mutated."""
    commands: tuple[Words, ...]
    """Command lines that read it, of which a case runs one, in the copy.

    `{specimens}` in a word stands for the directory of all trees, none of which a command changes.
    """
    codes: frozenset[int] = ANY_CODE
    """Exit codes that are right, whatever the mutation."""
    is_video: bool = False
    """Whether it is one video of several, the others of which must not suffer."""


SEGMENT = ("segment", "manifest.csv", "--backend", "motion", "-o", "masks", "--workers", "1")
TRAIN_DRY = ("train", "abn", *TINY_ABN, "--epochs", "1", "-o", "out", "--dry-run")
RUN_DATA = ("--data", "data/manifest.csv")
VISUALIZE = ("visualize", "run", "--clips", "1", "--frames", "2", "--dpi", "50", "-o", "out.png")
BY_CLASS = ("visualize", "run", "--by-class", "--dpi", "50", "-o", "out.png")
EVAL = ("eval", "run", "--workers", "0")
ENTROPY = ("entropy", "run")
INVERT = ("invert-spatial", "run", "--workers", "0")
WHOLE_DATA = ("--data", "{specimens}/runs/data/manifest.csv")
RESUME = ("train", "st-abn", *WHOLE_DATA, *TINY, "-o", "run", "--resume")
LONGER = (*RESUME, "--epochs", "2")
SELECT = ("edit-temporal", "select", "run", "--below-percent", "100", "-j", "0", "-o", "out")
SELECT_SPATIAL = ("edit-spatial", *SELECT[1:], "--masks", "masks")
TRAIN_MASKS = ("train", "object-abn", *RUN_DATA, *TINY_ABN, "--epochs", "1", "--masks", "masks")
TRAIN_FOLD = ("train", "convlstm-ram", "--data", "data", *TINY_RAM, "--fold", "1")
EVAL_FOLDS = ("eval", "run")
TUNE = ("train", "st-abn", *WHOLE_DATA, *TINY, "--lr", "1e-3", "-o", "out")
INIT = ("--init", "{specimens}/runs/run", "--dry-run")


def _videos() -> list[Format]:
    one_fails = frozenset({DONE, PARTIAL})
    files = [
        Format(kind, "binary", kind, f"middle{suffix}", (SEGMENT,), one_fails, is_video=True)
        for kind, (suffix, *_) in CONTAINERS.items()
    ]
    folders = [
        Format(kind, "binary", kind, f"middle/*{suffix}", (SEGMENT,), one_fails, is_video=True)
        for kind, suffix in IMAGES.items()
    ]
    return files + folders


def _datasets() -> list[Format]:
    reads: dict[str, tuple[str, str]] = {
        "manifest-csv": ("csv", "manifest.csv"),
        "manifest-jsonl": ("jsonl", "manifest.jsonl"),
        "manifest-txt": ("text", "*.txt"),
        "ucf101": ("text", "ucfTrainTestlist/*.txt"),
        "ssv2-json": ("json", "*.json"),
        "ssv2-text": ("text", "*.txt"),
    }
    segment = ("segment", ".", "--backend", "motion", "-o", "../masks", "--dry-run")
    whole = ("segment", ".", "--backend", "motion", "-o", "../masks")
    commands = (segment, whole, (*TRAIN_DRY, "--data", "."))
    return [Format(name, kind, name, target, commands) for name, (kind, target) in reads.items()]


def _runs() -> list[Format]:
    readers = (EVAL, ENTROPY, INVERT, VISUALIZE, RESUME, LONGER)
    maps = (ENTROPY, VISUALIZE, BY_CLASS)
    best = (*EVAL, "--checkpoint", "best")
    evaluation = "run/eval/val"
    rows: dict[str, Row] = {
        "run-config": ("toml", "run/config.toml", readers),
        "classes": ("text", "run/classes.txt", readers),
        "weights": ("binary", "run/model.safetensors", (EVAL, INVERT, RESUME)),
        "last-checkpoint": ("binary", "run/checkpoints/last.pt", (LONGER,)),
        "best-checkpoint": ("binary", "run/checkpoints/best.pt", (best, LONGER)),
        "log": ("csv", "run/log.csv", (LONGER,)),
        "environment": ("json", "run/environment.json", (LONGER, EVAL)),
        "metrics": ("json", f"{evaluation}/metrics.json", (ENTROPY, RESUME, SELECT)),
        "predictions": ("csv", "run/eval/*/predictions.csv", (ENTROPY, SELECT, VISUALIZE, INVERT)),
        "spatial-maps": ("binary", f"{evaluation}/attention/spatial.npy", maps),
        "temporal-maps": ("binary", f"{evaluation}/attention/temporal.npy", maps),
        "attention-clips": ("csv", "run/eval/*/attention/clips.csv", (*maps, SELECT)),
        "failures": ("jsonl", "run/failures.jsonl", (RESUME,)),
        "masks": (
            "jsonl",
            "masks/v*.jsonl",
            (
                (*TRAIN_MASKS, "-o", "out"),
                (*ENTROPY, "--masks", "masks"),
                (*VISUALIZE, "--masks", "masks"),
                SELECT_SPATIAL,
            ),
        ),
        "mask-config": (
            "toml",
            "masks/config.toml",
            (
                ("segment", "data", "--backend", "motion", "-o", "masks", "--resume"),
                (*TRAIN_MASKS, "-o", "out"),
            ),
        ),
        "run-data": (
            "binary",
            "data/v[67].avi",
            ((*EVAL, *RUN_DATA), (*INVERT, *RUN_DATA), (*VISUALIZE, *RUN_DATA)),
        ),
    }
    return _formats("runs", rows)


def _faces() -> list[Format]:
    fold = (*TRAIN_FOLD, "-o", "out")
    whole = ("--data", "{specimens}/ckplus/data")
    resume = ("train", "convlstm-ram", *whole, *TINY_RAM, "-o", "run", "--resume")
    draw = ("visualize", "run", "--dpi", "50", "-o", "out.png")
    given = (*fold, "--folds-file", "run/folds.csv")
    rows: dict[str, Row] = {
        "folds": ("csv", "run/folds.csv", (EVAL_FOLDS, resume, draw, given)),
        "faces": ("csv", "run/faces.csv", (EVAL_FOLDS, resume, draw)),
        "emotions": ("text", "data/Emotion/*/*/*.txt", ((*fold, "--dry-run"), fold)),
        "landmarks": ("text", "data/Landmarks/S00?/001/*_00000001_landmarks.txt", (fold,)),
        "face-images": ("binary", "data/cohn-kanade-images/*/*/*.png", (fold,)),
        "fold-metrics": ("json", "run/fold01/eval/val/metrics.json", (EVAL_FOLDS, resume)),
    }
    return _formats("ckplus", rows)


def _edits() -> list[Format]:
    check = ("edit-temporal", "check", "dir")
    merge = ("edit-temporal", "merge", "dir", "--overwrite")
    load = ("edit-temporal", "import-npy", "dir", "--vectors", "vectors", "--overwrite")
    tune = (*TUNE, "--temporal-edits", "dir/edits.csv", *INIT)
    temporal: dict[str, Row] = {
        "temporal-edits": ("csv", "dir/edits.csv", (check, load, merge, tune)),
        "annotators": ("csv", "dir/annotators/*.csv", (merge, check)),
        "edit-clips": ("csv", "dir/clips.csv", (check, merge, load)),
        "edit-config": ("toml", "dir/config.toml", (check, merge)),
        "vectors": ("binary", "vectors/*.npy", (load,)),
    }
    own, masks = ("edit-spatial", "check", "dir"), ("edit-spatial", "from-masks", "dir")
    both = (own, (*masks, "--overwrite"), (*TUNE, "--spatial-edits", "dir", *INIT))
    spatial: dict[str, Row] = {
        "spatial-edits": ("jsonl", "dir/edits/*.jsonl", both),
        "candidates": ("jsonl", "dir/candidates/*.jsonl", both),
        "spatial-attention": ("binary", "dir/attention/*.npz", both),
        "spatial-clips": ("csv", "dir/clips.csv", both),
        "spatial-config": ("toml", "dir/config.toml", both),
    }
    return [*_formats("edits", temporal), *_formats("spatial", spatial)]


def _seeds() -> list[Format]:
    data, out = ("--data", "voc", "--device", "cpu"), ("-o", "out")
    crf = ("refine-seeds", "crf", *data, "--seeds", "crf", "-j", "1", *out)
    of_maps = ("refine-seeds", "crf", *data, "--seeds", "true", "-j", "1", *out)
    psa = ("refine-seeds", "psa", "psa", *data, "--cams", "crf", *out)
    pair = ("--knowledge", "true", "--advice", "crf")
    ssdd = ("refine-seeds", "ssdd", "ssdd", *data, *pair)
    whole = "{specimens}/seeds"
    of_whole = ("--knowledge", f"{whole}/true", "--advice", f"{whole}/crf")
    again = ("refine-seeds", "ssdd", f"{whole}/ssdd", *data, *of_whole)
    resume = (*again, "-o", "refined", "--resume")
    train = ("train", "ssdd", *data[:2], *TINY_IMAGES, *TINY_SSDD, *pair, *out)
    score = ("eval", "true", "crf", *data[:2], "--split", "train")
    readers = (crf, psa, (*ssdd, *out), train, score)
    rows: dict[str, Row] = {
        "seed-description": ("toml", "crf/seeds.toml", readers),
        "seed-settings": ("toml", "refined/config.toml", (resume,)),
        "seed-scores": ("binary", "crf/*.npz", readers),
        "seed-label-maps": ("binary", "true/*.png", (of_maps, (*ssdd, *out), train, score)),
        "differences": ("binary", "refined/*.difference.npz", (resume,)),
        "refined-scores": ("binary", "refined/2*[0-9].npz", (resume,)),
        "voc-images": ("binary", "voc/JPEGImages/*", (crf, psa, (*ssdd, *out))),
        "voc-lists": ("text", "voc/ImageSets/Segmentation/train.txt", (crf, psa, resume)),
        "voc-annotations": ("text", "voc/Annotations/*.xml", (crf, (*ssdd, *out))),
        "affinity-settings": ("toml", "psa/config.toml", (psa,)),
        "affinity-weights": ("binary", "psa/model.safetensors", (psa,)),
    }
    return _formats("seeds", rows)


def _formats(tree: str, rows: Mapping[str, Row]) -> list[Format]:
    return [
        Format(name, kind, tree, target, commands)
        for name, (kind, target, commands) in rows.items()
    ]


FORMATS = {
    entry.name: entry
    for entry in (*_videos(), *_datasets(), *_runs(), *_faces(), *_edits(), *_seeds())
}
"""Every format by its name."""

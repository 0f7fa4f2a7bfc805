"""Valid inputs of every kind, as small as they can be; made once, and then only copied."""

import json
import random
import shutil
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import forks
import numpy as np
from av.video.stream import VideoStream
from PIL import Image

FRAMES, HEIGHT, WIDTH = 16, 48, 64
NAMES = ("first", "middle", "last")
"""Videos of each tree of videos; the one in the middle is what is damaged."""
CLASSES = ("Grow", "Move")
TINY = (
    *("--weights", "none", "--depth", "18", "--width-factor", "0.125", "--frames", "4"),
    *("--crop-px", "32", "--short-side-val-px", "32", "--schedule", "constant"),
    *("--batch-size", "4", "--workers", "0", "--device", "cpu", "--epochs", "1"),
)
"""Settings of an ST-ABN that trains in a second."""
TINY_ABN = (
    *("--weights", "none", "--width-factor", "0.5", "--depth-factor", "0.3", "--frames", "4"),
    *("--frame-stride", "2", "--crop-px", "32", "--short-side-val-px", "32"),
    *("--short-side-min-px", "32", "--short-side-max-px", "40", "--device", "cpu"),
    *("--batch-size", "4", "--workers", "0", "--lr", "1e-3"),
)
TINY_RAM = (
    *("--folds", "2", "--face-px", "16", "--margin-px", "2", "--widths", "4,4,4,4,8"),
    *("--epochs", "1", "--batch-size", "8", "--device", "cpu"),
)
TINY_IMAGES = (
    *("--backbone", "shufflenet_v2_x0_5", "--weights", "none", "--crop-px", "32"),
    *("--epochs", "1", "--batch-size", "4", "--workers", "0", "--device", "cpu"),
)
TINY_SSDD = (
    *("--width", "8", "--dilation", "1", "--difference-width", "8", "--exclude", "none"),
    *("--eval-scales", "1", "--no-eval-crf"),
)
CONTAINERS: dict[str, tuple[str, str, dict[str, str]]] = {
    "avi": (".avi", "mpeg4", {}),
    "mp4": (".mp4", "libx264", {}),
    "mp4-faststart": (".mp4", "libx264", {"movflags": "faststart"}),
    "mp4-fragmented": (".mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}),
    "webm": (".webm", "libvpx-vp9", {}),
}
"""Suffix, encoder and options of each kind of video file."""
IMAGES = {"jpeg": ".jpg", "png": ".png", "png16": ".png"}


def make_specimens(root: Path) -> None:
    """Write every tree of specimens below `root`."""
    for kind in CONTAINERS:
        _videos(root / kind, kind)
    for kind, suffix in IMAGES.items():
        _folders(root / kind, kind, suffix)
    for tree in (*CONTAINERS, *IMAGES):
        _call(root / tree, "segment", "manifest.csv", "--backend", "motion", "-o", "reference")
    _lists(root)
    _runs(root / "runs")
    _faces(root / "ckplus" / "data")
    words = ("train", "convlstm-ram", "--data", "data", *TINY_RAM, "-o", "run")
    _call(root / "ckplus", *words)
    _edits(root)
    _seeds(root / "seeds")


def pictures(seed: int) -> Iterator[np.ndarray]:
    """Yield the frames of a video: a bright square that moves, or grows, over noise."""
    generator = np.random.default_rng(seed)
    ground = generator.integers(40, 90, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    for t in range(FRAMES):
        picture = ground.copy()
        size, x = (8 + t, 20) if seed % 2 == 0 else (12, 3 * t)
        picture[10 : 10 + size, x : x + size] = 220
        yield picture


def write_video(path: Path, kind: str, seed: int) -> None:
    """Write a video file with a key frame in the middle, and sound where it is for the web."""
    _, codec, options = CONTAINERS[kind]
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options=options) as container:
        fast = {"libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"}}
        encoder = container.add_stream(codec, Fraction(25), options=fast.get(codec, {}))
        stream = cast(VideoStream, encoder)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.gop_size = FRAMES // 2
        sound = container.add_stream("aac", 44100) if kind == "mp4-faststart" else None
        for number, picture in enumerate(pictures(seed)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            if sound is not None:
                container.mux(sound.encode(_noise(number)))
        container.mux(stream.encode(None))
        if sound is not None:
            container.mux(sound.encode(None))


def _noise(number: int) -> av.AudioFrame:
    samples = np.random.default_rng(number).normal(0, 0.2, (1, 1764)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
    frame.sample_rate, frame.pts = 44100, 1764 * number
    return frame


def _videos(tree: Path, kind: str) -> None:
    suffix = CONTAINERS[kind][0]
    for seed, name in enumerate(NAMES):
        write_video(tree / f"{name}{suffix}", kind, seed)
    _manifest(tree, [f"{name}{suffix}" for name in NAMES])


def _folders(tree: Path, kind: str, suffix: str) -> None:
    for seed, name in enumerate(NAMES):
        (tree / name).mkdir(parents=True)
        for number, picture in enumerate(pictures(seed), start=1):
            image = Image.fromarray(picture)
            if kind == "png16":
                image = Image.fromarray(picture[..., 0].astype(np.uint16) * 257)
            image.save(tree / name / f"{number:06}{suffix}")
    _manifest(tree, NAMES)


def _manifest(tree: Path, paths: Sequence[str]) -> None:
    videos = zip(NAMES, paths, strict=True)
    lines = [f"{name},{path},{CLASSES[n % 2]},train" for n, (name, path) in enumerate(videos)]
    (tree / "manifest.csv").write_text("id,path,label,split\n" + "\n".join(lines) + "\n")


def _lists(root: Path) -> None:
    """Write every way of listing videos, each over the same few files."""
    rows = [(f"v{n}", f"v{n}.avi", CLASSES[n % 2], ("train", "val")[n // 4]) for n in range(6)]
    _listed(root / "manifest-csv", [row[1] for row in rows], root / "avi" / "first.avi")
    header = "id,path,label,split,subject\n"
    lines = [",".join((*row, f"s{row[0]}")) for row in rows]
    (root / "manifest-csv" / "manifest.csv").write_text(header + "\n".join(lines) + "\n")
    shutil.copytree(root / "manifest-csv", root / "manifest-jsonl")
    (root / "manifest-jsonl" / "manifest.csv").unlink()
    records = [dict(zip(("id", "path", "label", "split"), row, strict=True)) for row in rows]
    text = "".join(json.dumps(record) + "\n" for record in records)
    (root / "manifest-jsonl" / "manifest.jsonl").write_text(text)
    shutil.copytree(root / "manifest-csv", root / "manifest-txt")
    (root / "manifest-txt" / "manifest.csv").unlink()
    for split in ("train", "val"):
        text = "".join(f"{row[1]} {row[2]}\n" for row in rows if row[3] == split)
        (root / "manifest-txt" / f"{split}.txt").write_text(text)
    _ucf101(root / "ucf101", root / "avi" / "first.avi")
    _ssv2(root, root / "avi" / "first.avi")


def _listed(tree: Path, paths: list[str], video: Path) -> None:
    for path in paths:
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(video, tree / path)


def _ucf101(tree: Path, video: Path) -> None:
    clips = [f"{name}/v_{name}_g0{group}_c01.avi" for name in CLASSES for group in (1, 2, 3)]
    _listed(tree / "UCF-101", clips, video)
    lists = tree / "ucfTrainTestlist"
    lists.mkdir()
    (lists / "classInd.txt").write_text("".join(f"{n + 1} {c}\n" for n, c in enumerate(CLASSES)))
    labels = {clip: CLASSES.index(clip.split("/")[0]) + 1 for clip in clips}
    train = "".join(f"{clip} {label}\n" for clip, label in labels.items() if "g03" not in clip)
    (lists / "trainlist01.txt").write_text(train)
    (lists / "testlist01.txt").write_text("".join(f"{c}\n" for c in clips if "g03" in c))


def _ssv2(root: Path, video: Path) -> None:
    numbers = {str(100 + n): n % 2 for n in range(6)}
    tree = root / "ssv2-json"
    _listed(tree / "20bn-something-something-v2", [f"{n}.avi" for n in numbers], video)
    shutil.copytree(tree, root / "ssv2-text")
    templates = ("Growing [something]", "Moving [something]")
    classes = {t.replace("[", "").replace("]", ""): str(n) for n, t in enumerate(templates)}
    (tree / "something-something-v2-labels.json").write_text(json.dumps(classes))
    (root / "ssv2-text" / "category.txt").write_text("".join(f"{name}\n" for name in classes))
    for split, short, part in (("train", "train", (0, 4)), ("validation", "val", (4, 6))):
        chosen = list(numbers.items())[slice(*part)]
        entries = [{"id": i, "template": templates[n], "placeholders": ["it"]} for i, n in chosen]
        (tree / f"something-something-v2-{split}.json").write_text(json.dumps(entries))
        text = "".join(f"{i} {FRAMES} {n}\n" for i, n in chosen)
        (root / "ssv2-text" / f"{short}_videofolder.txt").write_text(text)


def _runs(tree: Path) -> None:
    """Train on a manifest of which one video is no video, so that there is a `failures.jsonl`."""
    rows = ["id,path,label,split"]
    for n in range(8):
        write_video(tree / "data" / f"v{n}.avi", "avi", n)
        rows.append(f"v{n},v{n}.avi,{CLASSES[n % 2]},{'train' if n < 5 else 'val'}")
    (tree / "data" / "bad.avi").write_bytes(b"no video")
    rows.append("bad,bad.avi,Move,val")
    (tree / "data" / "manifest.csv").write_text("\n".join(rows) + "\n")
    data = ("--data", "data/manifest.csv")
    _call(tree, "segment", "data", "--backend", "motion", "-o", "masks", expected=3)
    _call(tree, "train", "st-abn", *data, *TINY, "-o", "run", expected=3)
    _call(tree, "eval", "run", "--split", "train")


def _faces(root: Path) -> None:
    """Write CK+ of six people with two emotions each, and landmarks of every frame."""
    for person in range(1, 7):
        for number, code in enumerate((1, 5), start=1):
            name = f"S{person:03d}_{number:03d}"
            place = name.replace("_", "/")
            folders = {n: root / n / place for n in ("cohn-kanade-images", "Emotion", "Landmarks")}
            for folder in folders.values():
                folder.mkdir(parents=True)
            for frame in range(1, 5):
                picture = np.full((32, 40), 90, np.uint8)
                picture[4 * number : 4 * number + 8, 8:16] += np.uint8(30 * frame)
                stem = f"{name}_{frame:08d}"
                Image.fromarray(picture).save(folders["cohn-kanade-images"] / f"{stem}.png")
                points = random.Random(frame)
                pairs = ((points.uniform(8, 30), points.uniform(4, 28)) for _ in range(68))
                lines = "".join(f"{x:.7e} {y:.7e}\n" for x, y in pairs)
                (folders["Landmarks"] / f"{stem}_landmarks.txt").write_text(lines)
            label = folders["Emotion"] / f"{name}_00000004_emotion.txt"
            label.write_text(f"   {code:.7e}\n")


def _edits(root: Path) -> None:
    """Select clips for both kinds of edits, and edit some of them."""
    runs = root / "runs"
    every = ("--below-percent", "100", "--workers", "0")
    _call(runs, "edit-temporal", "select", "run", *every, "-o", root / "edits" / "dir")
    words = ("edit-spatial", "select", "run", "--masks", "masks", *every)
    _call(runs, *words, "-o", root / "spatial" / "dir")
    _call(root / "spatial", "edit-spatial", "from-masks", "dir")
    edits = root / "edits" / "dir" / "edits.csv"
    ids = sorted({line.split(",")[0] for line in edits.read_text().splitlines()[1:]})
    vectors = root / "edits" / "vectors"
    vectors.mkdir()
    for number, id_ in enumerate(ids):
        scores = np.linspace(0, 1, FRAMES, dtype=np.float32)
        np.save(vectors / f"{id_}.npy", scores[:: -1 if number % 2 else 1])
    people = edits.parent / "annotators"
    people.mkdir(exist_ok=True)
    for name in ("anna", "ben"):
        lines = [f"{id_},{n},{(n // 4) % 3 / 2}\n" for id_ in ids for n in range(FRAMES)]
        (people / f"{name}.csv").write_text("id,frame,score\n" + "".join(lines))
    _call(edits.parent, "edit-temporal", "merge", ".")


def _seeds(tree: Path) -> None:
    """Write images with seeds, and train what tells affinities and differences of them."""
    data, pair = ("--data", "voc"), ("--knowledge", "true", "--advice", "crf")
    _call(tree, "toy-data", "voc2012", "voc", "--size", "5")
    words = ("refine-seeds", "import", "voc/SegmentationClass", "--kind", "label-maps", *data)
    _call(tree, *words, "-o", "true")
    _call(tree, "refine-seeds", "crf", *data, "--seeds", "true", "-o", "crf", "-j", "1")
    _call(tree, "train", "cam", *data, *TINY_IMAGES, "-o", "cam")
    _call(tree, "eval", "cam", "--split", "train")
    _call(tree, "train", "psa", *data, *TINY_IMAGES, "--cams", "cam", "-o", "psa")
    _call(tree, "train", "ssdd", *data, *TINY_IMAGES, *TINY_SSDD, *pair, "-o", "ssdd")
    _call(tree, "refine-seeds", "ssdd", "ssdd", *data, *pair, "-o", "refined")


def _call(folder: Path, *words: object, expected: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    answer = forks.run_and_learn(words, folder)
    if answer.code != expected:
        raise RuntimeError(f"{' '.join(map(str, words))}: {answer.code}\n{answer.stderr}")

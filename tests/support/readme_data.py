"""Small datasets, videos and weights under the names that the documentation gives them."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from PIL import Image
from torchvision.models import get_model, get_model_weights

from attncli.data.video.reading import iterate_frames, write_video

VIDEOS = ("--frames", "16", "--frame-hw", "64,80")
"""Options that make toy videos small."""


class Place(Protocol):
    """A directory to fill."""

    @property
    def root(self) -> Path:
        """Where it is."""

    @property
    def run_cli(self) -> Callable[..., Any]:
        """Runs `attncli`."""


def toy(place: Place, layout: str, name: str, *options: str) -> Path:
    """Make a toy dataset, and return where it is."""
    answer = place.run_cli("toy-data", layout, place.root / name, *options)
    assert answer.exit_code == 0, answer.stderr
    return place.root / name


def ucf101(place: Place) -> None:
    videos = toy(place, "ucf101", "UCF101", "--size", "3", *VIDEOS)
    put_video(videos, place.root / "clips" / "new.mp4")


def ssv2(place: Place) -> None:
    """Make toy videos, and masks of people in the place of a detector's."""
    toy(place, "ssv2", "ssv2", "--size", "3", *VIDEOS)
    for file in (place.root / "ssv2" / "masks").glob("*.jsonl"):
        put(place.root / "masks" / "ssv2" / file.name, file.read_text().replace("object", "person"))


def ckplus(place: Place) -> None:
    toy(place, "ckplus", "CK+", "--size", "14", "--frames", "6", "--frame-hw", "64,80")


def voc2012(place: Place) -> None:
    toy(place, "voc2012", "VOC2012", "--size", "12", "--frame-hw", "32,32")


def cub(place: Place) -> None:
    """Make toy images, list them as CUB-200-2011 does, and put weights where both commands look."""
    files = sorted(toy(place, "image-folder", "toy", "--size", "3").rglob("*.jpg"))
    classes = [f"{number:03}.{name}" for number, name in enumerate(names_of(files), start=1)]
    names = [f"{classes[names_of(files).index(f.parent.name)]}/{f.name}" for f in files]
    lists = {
        "images": names,
        "image_class_labels": [int(name[:3]) for name in names],
        "train_test_split": [int(file.parent.parent.name == "train") for file in files],
        "classes": classes,
    }
    for list_name, lines in lists.items():
        numbered = [f"{number} {line}\n" for number, line in enumerate(lines, start=1)]
        put(place.root / "CUB" / f"{list_name}.txt", "".join(numbered))
    for file, name in zip(files, names, strict=True):
        put_copy(file, place.root / "CUB" / "images" / name)
    put_weights(place.root)


def names_of(files: Sequence[Path]) -> list[str]:
    """Return the classes of images, each in a directory of its name."""
    return sorted({file.parent.name for file in files})


def put_weights(root: Path) -> None:
    """Put random weights where those of ImageNet are kept, and a file as that of Places365 is."""
    published = next(iter(get_model_weights("resnet50"))).url.rsplit("/", 1)[-1]
    kept = root / "torch" / "hub" / "checkpoints" / published
    kept.parent.mkdir(parents=True)
    torch.save(get_model("resnet50").state_dict(), kept)
    state = get_model("resnet50", num_classes=365).state_dict()
    parallel = {f"module.{k}": v for k, v in state.items() if not k.endswith("_tracked")}
    whole = {"epoch": 90, "arch": "resnet50", "state_dict": parallel, "best_prec1": 54.7}
    torch.save(whole, root / "resnet50_places365.pth.tar")


def market1501(place: Place) -> None:
    """Make toy people, and others that are kept and listed as those of MSMT17 are."""
    look = ("--size", "6", "--cameras", "2", "--frame-hw", "64,32")
    toy(place, "market1501", "market1501", *look)
    others = toy(place, "market1501", "toy", *look, "--seed", "1")
    for source, name, folder, start in (
        ("bounding_box_train", "train", "train", 0),
        ("query", "query", "test", 0),
        ("bounding_box_test", "gallery", "test", 500),
    ):
        files = [file for file in sorted((others / source).glob("*.jpg")) if shows_somebody(file)]
        people = sorted({file.name[:4] for file in files})
        lines = []
        for number, file in enumerate(files, start=start):
            person, camera = file.name[:4], int(file.name.split("_")[1][1])
            image = f"{person}/{person}_{number:03}_{camera:02}_0303morning_0008_0.jpg"
            put_copy(file, place.root / "MSMT17" / folder / image)
            lines.append(f"{image} {people.index(person)}\n")
        put(place.root / "MSMT17" / f"list_{name}.txt", "".join(lines))


def shows_somebody(file: Path) -> bool:
    """Return whether an image of Market-1501 shows a person who is looked for."""
    return int(file.name.split("_")[0]) > 0


def own_videos(place: Place) -> None:
    """Make a manifest of videos, one of them a directory of frames, and a video beside it."""
    rows = [
        "id,path,label,split,subject",
        "a1,clips/a1.mp4,jump,train,anna",
        "b7,clips/b7/,walk,val,ben",
        "c1,clips/c1.mp4,walk,train,",
        "d1,clips/d1.mp4,jump,val,",
    ]
    put(place.root / "mine.csv", "\n".join(rows) + "\n")
    toys = toy(place, "ucf101", "toy", "--size", "3", *VIDEOS)
    put_frames(toys, place.root / "clips" / "b7")
    for name in ("a1", "c1", "d1", "new"):
        put_video(toys, place.root / "clips" / f"{name}.mp4")


PREPARATIONS: Mapping[str, Callable[[Place], None]] = {
    "object-abn": ucf101,
    "st-abn": ssv2,
    "ram": ckplus,
    "ssdd": voc2012,
    "svd-fc": cub,
    "re-id": market1501,
    "own-data": own_videos,
    "small-machine": ucf101,
}
"""What has to be there before a recipe, as the text above it says."""


def frames_of(videos: Path) -> Iterator[Any]:
    return iterate_frames(min(videos.rglob("*.avi")))


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def put_copy(source: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, path)


def put_video(videos: Path, path: Path) -> None:
    """Write one of some videos in the format that a name says."""
    write_video(path, frames_of(videos), fps=25)


def put_frames(videos: Path, folder: Path) -> None:
    """Write one of some videos as a directory of numbered frames."""
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames_of(videos), start=1):
        Image.fromarray(frame).save(folder / f"{number:06}.png")

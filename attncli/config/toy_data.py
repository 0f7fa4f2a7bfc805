"""Settings of `attncli toy-data`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from attncli.config.fields import ARGUMENT, Checked, Option
from attncli.config.training import LARGEST_SEED
from attncli.toy_catalog import TOY_DATA

SceneSet = Literal["objects", "scenes", "target"]
"""What tells the classes of image-folder apart: the object, the scene, or both."""


@dataclass(frozen=True, kw_only=True)
class ToyDataConfig(Checked):
    """What a toy dataset is like; what is unset depends on its layout."""

    is_typed_alone: ClassVar[bool] = True

    name: Annotated[str, Option(is_argument=True, choices=tuple(row.name for row in TOY_DATA))]
    """Dataset whose layout to write."""
    directory: Annotated[Path, ARGUMENT]
    """Directory to write."""
    size: Annotated[int | None, Option(least=3)] = None
    """Videos of each class, of which a quarter (ucf101) or a third (ssv2) are for validation; for
    ckplus, people; for voc2012, images, of which a fifth are for validation; for image-folder,
    images of each class, of which a third go to test; for market1501, people, of whom half are for
    training.  [default: 24, 40 for ckplus, 160 for voc2012, 90 for image-folder, 80 for
    market1501]"""
    frames: Annotated[int | None, Option(least=1)] = None
    """Frames of each video; those of ssv2 and ckplus vary about it.  [default: 72 for ucf101, 48
    for ssv2, 14 for ckplus]"""
    frame_hw: tuple[int, int] | None = None
    """Rows and columns of each frame or image, in pixels.  [default: 120,160 for ucf101, 96,112 for
    ssv2, 144,160 for ckplus, 64,64 for voc2012, 64,64 for image-folder, 128,64 for market1501]"""
    others: Annotated[int | None, Option(least=0, most=5)] = None
    """ssv2: most bodies that act beside the one that counts; 0 makes videos in which nothing
    misleads.  [default: 2]"""
    coincidence: Annotated[float | None, Option(least=0, most=1)] = None
    """voc2012: probability that colour misleads about an object: background beside it has its
    colour, or a part of it the background's; at 0 colour alone tells every border.
    [default: 0.9]"""
    more_val: Annotated[int | None, Option(least=0)] = None
    """voc2012: images for validation alone, beside those of --size.  [default: 0]"""
    scene_set: SceneSet | None = None
    """image-folder: what tells its classes apart: the object before any scene, the scene behind any
    object, or both, in other and harder pictures.  [default: objects]"""
    cameras: Annotated[int | None, Option(least=2)] = None
    """market1501: cameras that people walk past, each with colours and a view of its own.
    [default: 4]"""
    seed: Annotated[int, Option(least=0, most=LARGEST_SEED)] = 0
    """Seed of every random draw."""

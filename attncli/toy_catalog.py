"""Toy datasets that attncli makes, one row each; imports nothing heavy."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ToyData:
    """A small made-up dataset in the layout of a real one, and what it is like by default."""

    name: str
    """Name on the command line, of the layout."""
    make: str
    """`module:function` that writes it."""
    count: str
    """`module:function` that counts what would be written."""
    parts: str
    """What it consists of, in words."""
    size: int
    """Videos or images of each class, people, or images of all."""
    frames: int | None
    """Frames of a video of usual length; None of still images."""
    frame_hw: tuple[int, int]
    """Rows and columns of a frame, in pixels."""
    fewest_frames: str | None = None
    """`module:CONSTANT`, the fewest frames that `frames` can be; None where it is 1."""
    options: tuple[str, ...] = ()
    """Settings that this dataset alone has, or this and a few."""
    counted: tuple[str, ...] = ()
    """Those of `options` on which it depends how much there is."""


TOY_DATA = (
    ToyData(
        name="ucf101",
        make="attncli.data.toy.ucf101:make_ucf101",
        count="attncli.data.toy.ucf101:count_ucf101",
        parts="videos, split files and masks",
        size=24,
        frames=72,
        frame_hw=(120, 160),
    ),
    ToyData(
        name="ssv2",
        make="attncli.data.toy.ssv2:make_ssv2",
        count="attncli.data.toy.ssv2:count_ssv2",
        parts="videos, split files and masks",
        size=24,
        frames=48,
        frame_hw=(96, 112),
        fewest_frames="attncli.data.toy.ssv2:FEWEST_FRAMES",
        options=("others",),
    ),
    ToyData(
        name="ckplus",
        make="attncli.data.toy.ckplus:make_ckplus",
        count="attncli.data.toy.ckplus:count_ckplus",
        parts="image sequences, emotions, landmarks and masks",
        size=40,
        frames=14,
        frame_hw=(144, 160),
        fewest_frames="attncli.data.toy.ckplus:FEWEST_FRAMES",
    ),
    ToyData(
        name="voc2012",
        make="attncli.data.toy.voc2012:make_voc2012",
        count="attncli.data.toy.voc2012:count_voc2012",
        parts="images, lists, annotations and label maps",
        size=160,
        frames=None,
        frame_hw=(64, 64),
        options=("coincidence", "more_val"),
        counted=("more_val",),
    ),
    ToyData(
        name="image-folder",
        make="attncli.data.toy.image_folder:make_image_folder",
        count="attncli.data.toy.image_folder:count_image_folder",
        parts="images by class",
        size=90,
        frames=None,
        frame_hw=(64, 64),
        options=("scene_set",),
        counted=("scene_set",),
    ),
    ToyData(
        name="market1501",
        make="attncli.data.toy.market1501:make_market1501",
        count="attncli.data.toy.market1501:count_market1501",
        parts="images of people for training, queries and gallery",
        size=80,
        frames=None,
        frame_hw=(128, 64),
        options=("cameras",),
        counted=("cameras",),
    ),
)


def toy_data(name: str) -> ToyData:
    """Return the toy dataset called `name`.

    Raises:
        KeyError: No toy dataset has that name.
    """
    return {row.name: row for row in TOY_DATA}[name]

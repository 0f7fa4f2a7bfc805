"""Directories laid out like UCF101; the videos are empty files, since layouts never open them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

CLASSES = ("ApplyEyeMakeup", "HandstandPushups", "YoYo")
VIDEOS = (
    "ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01",
    "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01",
    "HandstandPushups/v_HandStandPushups_g01_c01",
    "HandstandPushups/v_HandStandPushups_g08_c01",
    "YoYo/v_YoYo_g01_c01",
    "YoYo/v_YoYo_g08_c01",
)
LISTS = {
    "classInd.txt": "1 ApplyEyeMakeup\r\n2 HandstandPushups\r\n3 YoYo\r\n",
    "trainlist01.txt": "".join(
        f"{video}.avi {CLASSES.index(video.split('/')[0]) + 1}\n" for video in VIDEOS[1::2]
    ),
    "testlist01.txt": "".join(f"{video}.avi\n" for video in VIDEOS[::2]),
    "trainlist02.txt": f"{VIDEOS[0]}.avi 1\n",
    "testlist02.txt": f"{VIDEOS[4]}.avi\n",
}


@pytest.fixture
def make_ucf101(tmp_path: Path) -> Callable[..., Path]:
    """Writes the layout; `lists` replaces list files, None removes one."""

    def make(
        videos: str = "UCF-101",
        lists_at: str = "ucfTrainTestlist",
        lists: Mapping[str, str | None] | None = None,
    ) -> Path:
        root = tmp_path / "data"
        for video in VIDEOS:
            file = root / videos / f"{video}.avi"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        directory = root / lists_at
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in (LISTS | dict(lists or {})).items():
            if text is not None:
                (directory / name).write_text(text, newline="")
        return root

    return make

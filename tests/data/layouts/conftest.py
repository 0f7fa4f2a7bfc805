"""Directories laid out like known datasets; videos are empty files, since layouts open none."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

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
def make_tree(tmp_path: Path) -> Callable[..., Path]:
    """Makes empty files, and directories where a name ends in a slash, below `root`."""

    def make(*names: str) -> Path:
        root = tmp_path / "tree"
        root.mkdir(exist_ok=True)
        for name in names:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).mkdir() if name.endswith("/") else (root / name).touch()
        return root

    return make


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


TEMPLATES = {"Turning [something] left": 1, "Holding [something] in front of [something]": 0}
SSV2 = {
    "labels": {"Turning something left": "1", "Holding something in front of something": "0"},
    "train": [
        {"id": id_, "label": "a", "template": list(TEMPLATES)[number % 2], "placeholders": ["b"]}
        for number, id_ in enumerate(("78687", "9", "100", "20"))
    ],
    "validation": [{"id": "41775", "template": list(TEMPLATES)[1]}],
    "test": [{"id": "1420"}],
}


@pytest.fixture
def make_ssv2(tmp_path: Path) -> Callable[..., Path]:
    """Writes the layout; `files` replaces what JSON files hold, by name; None leaves one out."""

    def make(
        videos: str = "20bn-something-something-v2",
        lists: str = "something-something-v2-{}.json",
        suffix: str = ".webm",
        files: Mapping[str, Any] | None = None,
    ) -> Path:
        root = tmp_path / "ssv2"
        for id_ in ("78687", "9", "100", "20", "41775", "1420"):
            video = root / videos / f"{id_}{suffix}"
            video.parent.mkdir(parents=True, exist_ok=True)
            video.touch() if suffix else video.mkdir()
        for name, content in (SSV2 | dict(files or {})).items():
            file = root / lists.format(name)
            file.parent.mkdir(parents=True, exist_ok=True)
            if content is not None:
                text = content if isinstance(content, str) else json.dumps(content, indent=1)
                file.write_text(text)
        return root

    return make

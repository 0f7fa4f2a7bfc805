from pathlib import Path

from attncli.workflows.predict.own_files import own_ids


def test_ids_stay_below_a_directory_and_differ() -> None:
    files = [Path("/data/a.mp4"), Path("../a.mp4"), Path("a.mp4"), Path("b/../a.mp4")]
    assert own_ids(files) == ["data/a.mp4", "a.mp4", "a.mp4~2", "b/a.mp4"]

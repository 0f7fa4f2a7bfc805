"""PCB from images of a manifest to its evaluation, by the command."""

import csv
import json

from tests.support.people import make_people_images

TINY = [
    *("--backbone", "shufflenet_v2_x0_5", "--weights", "none", "--size-hw", "64,32"),
    *("--stripes", "2", "--width", "8", "--epochs", "1", "--batch-size", "4", "-j", "0"),
    *("--schedule", "constant", "--milestones", "", "--device", "cpu"),
]


def test_people_are_learnt_and_others_found_again(tmp_path, run_cli):
    data = make_people_images(tmp_path / "d", ("ann", "bob"))
    run = tmp_path / "r"
    answer = run_cli("train", "pcb", "--data", data, "-o", run, *TINY, "--json")
    assert answer.exit_code == 0, answer.stderr
    (row,) = json.loads(answer.stdout)
    assert (row["method"], row["images"], row["queries"]) == ("pcb", 4, 2)
    with (run / "log.csv").open() as file:
        (epoch,) = csv.DictReader(file)
    assert {"val_rank1", "val_map", "train_top1"} <= set(epoch)
    other = make_people_images(tmp_path / "e", ("cyd", "dan", "eve"))
    answer = run_cli("eval", run, "--data", other, "-j", "0", "--device", "cpu", "--json")
    assert answer.exit_code == 0, answer.stderr
    (row,) = json.loads(answer.stdout)
    assert (row["queries"], row["data"]) == (3, str(other))

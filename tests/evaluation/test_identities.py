from pathlib import Path

import pytest
import torch

from attncli.data.samples import ImageSample
from attncli.errors import AttncliError, Failure
from attncli.evaluation.asked import Asked
from attncli.evaluation.identities import Identities
from attncli.training.validation import Evaluation
from tests.support.batches import image_batch


class Red:
    """A network whose feature of an image is an angle: its red value in degrees."""

    def test_feature(self, images):
        angles = torch.deg2rad(images[:, 0].float().mean((1, 2)))
        return torch.stack([angles.cos(), angles.sin()], dim=1)


SEEN = [  # subject, camera, role and red
    ("7", "1", "query", 10),
    ("8", "1", "query", 50),
    ("7", "2", "gallery", 12),
    (None, "2", "gallery", 45),
    ("8", "2", "gallery", 60),
    ("7", "1", "gallery", 10),
]


def asked(weights=None, seen=SEEN, **ways):
    samples = [
        ImageSample(f"i{n}", Path(f"{n}.jpg"), None, subject=subject, camera=camera, role=role)
        for n, (subject, camera, role, _) in enumerate(seen)
    ]
    return Asked(samples, ("1",), weights=weights, **ways)


def put(evaluation, rows, seen=SEEN):
    images = torch.zeros(len(rows), 3, 4, 4, dtype=torch.uint8)
    images[:, 0] = torch.tensor([seen[row][3] for row in rows], dtype=torch.uint8)[:, None, None]
    batch = image_batch(images=images)
    batch.rows[:] = torch.tensor(rows)
    evaluation.add(batch, evaluation.ask(Red(), batch))
    return evaluation


def test_people_are_ranked_by_the_angle_between_features_of_all_processes(tmp_path):
    first, second = put(Identities(asked()), [5, 0, 2]), put(Identities(asked()), [4, 1, 3])
    assert isinstance(first, Evaluation)
    shares = [second.share(), first.share()]
    assert first.figures(shares) == {"rank1": 50, "map": 75}
    row = first.write(shares, [Failure("x", "x", "broken")], tmp_path)
    counts = [row[name] for name in ("images", "failed", "queries", "queries_without_match")]
    assert (counts, row["rank1"]) == ([6, 1, 2, 0], 50)
    lines = (tmp_path / "rankings" / "network" / "stripes.csv").read_text().splitlines()
    assert lines[1:3] == ["i0,1,i2,7,2,1", "i0,2,i3,,2,0"]
    assert "i1,1,i3,,2,0" in lines
    assert (tmp_path / "cmc.csv").is_file()


def test_no_figures_where_nobody_can_be_found_again(tmp_path):
    evaluation = put(Identities(asked()), [0, 3])
    assert evaluation.figures([evaluation.share()]) == {}
    with pytest.raises(AttncliError, match="no query has its person in the gallery"):
        evaluation.write([evaluation.share()], [], tmp_path)
    nothing = Identities(asked())
    assert nothing.figures([nothing.share()]) == {}


def test_features_that_are_not_finite_are_refused_of_weights():
    broken = torch.full((1, 2), torch.nan)
    batch = image_batch(1)
    Identities(asked()).add(batch, broken)
    with pytest.raises(AttncliError, match=r"w\.pt: these weights give features .* not finite"):
        Identities(asked(Path("w.pt"))).add(batch, broken)


def test_queries_without_a_match_may_count_for_0():
    seen = [*SEEN, ("9", "1", "query", 80)]
    whole = [
        put(Identities(asked(seen=seen, unmatched=way)), range(7), seen) for way in ("skip", "zero")
    ]
    skip, zero = (one.figures([one.share()])["rank1"] for one in whole)
    assert (skip, zero) == (50, pytest.approx(100 / 3))


def test_several_images_may_be_one_query(tmp_path):
    seen = [*SEEN, ("8", "1", "multi-query", 54), ("8", "1", "multi-query", 58)]
    seen.append(("7", "1", "multi-query", 10))
    single = put(Identities(asked(seen=seen)), range(9), seen)
    several = put(Identities(asked(seen=seen, multi_query=True)), range(9), seen)
    assert single.figures([single.share()])["rank1"] == 50
    assert several.figures([several.share()])["rank1"] == 100  # (54 + 58) / 2 is near 60, 50 is not
    row = several.write([several.share()], [], tmp_path)
    assert (row["queries"], row["images"]) == (2, 9)
    lines = (tmp_path / "rankings" / "network" / "stripes.csv").read_text().splitlines()
    assert "i1,1,i4,8,2,1" in lines

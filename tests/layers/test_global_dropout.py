import pytest
import torch

from attncli.layers.global_dropout import GlobalDropout

PROCESSES = 2
CLIPS = 5


def dropped(rank: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(7)
    dropout = GlobalDropout(0.5)
    share = torch.ones(CLIPS, 3, 4)[rank::PROCESSES]
    return {turn: dropout(share) for turn in ("first", "second")}


@pytest.mark.slow
def test_processes_drop_together_what_one_would(together):
    answers = together(dropped)
    torch.manual_seed(7)
    dropout = GlobalDropout(0.5)
    for turn in ("first", "second"):
        expected = dropout(torch.ones(CLIPS, 3, 4))
        for rank, answer in enumerate(answers):
            torch.testing.assert_close(answer[turn], expected[rank::PROCESSES])


def test_dropout_keeps_the_mean_and_drops_the_share_asked_for():
    torch.manual_seed(0)
    y = GlobalDropout(0.25)(torch.ones(200, 500))
    torch.testing.assert_close(y.unique(), torch.tensor([0, 1 / 0.75]))
    assert y.mean() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("layer", [GlobalDropout(0.5).eval(), GlobalDropout(0.0)])
def test_dropout_does_nothing_in_evaluation_or_at_probability_zero(layer):
    x = torch.randn(2, 3)
    assert layer(x) is x

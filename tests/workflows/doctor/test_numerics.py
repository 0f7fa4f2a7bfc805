import torch
from torch import nn

from attncli.workflows.doctor.numerics import TOLERANCES, convolution_errors


def test_this_machine_convolves_within_the_tolerances():
    errors = convolution_errors(torch.device("cpu"))
    assert errors.keys() == TOLERANCES.keys()
    assert all(0 < error <= TOLERANCES[name] for name, error in errors.items())
    assert errors["bf16"] > errors["fp32"]


def test_a_device_whose_convolutions_are_off_by_a_tenth_is_off_by_more_than_that(monkeypatch):
    plain = nn.Conv3d.forward

    def wrong(self, x):
        return plain(self, x) * (1.1 if x.dtype == torch.float32 else 1.0)

    monkeypatch.setattr(nn.Conv3d, "forward", wrong)
    error = convolution_errors(torch.device("cpu"))["fp32"]
    assert error > TOLERANCES["fp32"]
    # Three convolutions in a row, of which the biases take a part: at most 1.1^3 - 1.
    assert 0.1 < error < 1.1**3 - 1 + TOLERANCES["fp32"]


def test_random_numbers_of_others_go_on_as_if_nothing_had_been_drawn():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    convolution_errors(torch.device("cpu"))
    assert torch.equal(torch.get_rng_state(), before)

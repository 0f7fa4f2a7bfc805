import pytest
import torch

from attncli.layers.gates import gated, tanh_


def test_a_gate_lets_its_share_of_the_content_through():
    gate = torch.tensor([0.0, torch.log(torch.tensor(3.0))])  # sigma: 1/2 and 3/4
    value = torch.atanh(torch.tensor([0.8, -0.4]))
    torch.testing.assert_close(gated(gate, value), torch.tensor([0.4, -0.3]))


def test_the_gradient_is_that_of_the_plain_formula():
    generator = torch.Generator().manual_seed(0)
    gate, value = (torch.randn(3, 4, generator=generator).double().requires_grad_() for _ in "gv")
    assert torch.autograd.gradcheck(gated, (gate, value))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_answers_have_at_least_32_bits_and_gradients_the_bits_of_their_factors(dtype):
    gate, value = (torch.full((2,), 0.5, dtype=dtype, requires_grad=True) for _ in "gv")
    answer = gated(gate, value)
    assert answer.dtype == torch.promote_types(dtype, torch.float32)
    answer.sum().backward()
    assert gate.grad.dtype == value.grad.dtype == dtype


def test_what_is_gated_stays_as_it_was():
    gate, value = torch.tensor([1.0]), torch.tensor([2.0])
    gated(gate, value)
    assert (gate.item(), value.item()) == (1.0, 2.0)


def test_the_hyperbolic_tangent_is_taken_in_place():
    x = torch.linspace(-9, 9, 181)
    expected = torch.tanh(x.double()).float()
    answer = tanh_(x)
    assert answer.data_ptr() == x.data_ptr()
    torch.testing.assert_close(answer, expected, rtol=0, atol=2**-22)

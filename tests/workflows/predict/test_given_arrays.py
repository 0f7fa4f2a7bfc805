import numpy as np
import pytest
import torch

from attncli.errors import UsageError
from attncli.workflows.predict.given_arrays import as_bytes, several


def test_arrays_and_tensors_are_taken_alike() -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)[::-1]
    assert torch.equal(as_bytes(array), as_bytes(torch.from_numpy(array.copy())))


def test_other_values_than_bytes_are_refused() -> None:
    for given in (np.zeros((2, 4, 3)), torch.zeros(2, 4, 3)):
        with pytest.raises(UsageError, match="must be uint8, not float"):
            as_bytes(given)


def test_a_single_one_becomes_the_first_of_several() -> None:
    image = torch.zeros(2, 4, 3, dtype=torch.uint8)
    assert several(image, axes=4, shape="H, W").shape == (1, 2, 4, 3)
    assert several(image[None], axes=4, shape="H, W").shape == (1, 2, 4, 3)
    for other in (image[0], image[:0], image[..., :2]):
        with pytest.raises(UsageError, match=r"\(H, W, 3\) or \(N, H, W, 3\)"):
            several(other, axes=4, shape="H, W")

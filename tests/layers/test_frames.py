import torch

from attncli.layers.frames import NormalizeFrames

LAYER = NormalizeFrames(mean=(0.45, 0.4, 0.5), std=(0.225, 0.2, 0.25))


def test_bytes_become_values_of_zero_mean_and_unit_spread():
    frames = torch.zeros(1, 3, 1, 1, 2, dtype=torch.uint8)
    frames[..., 1] = 255
    # (0 - 0.45) / 0.225 = -2 for a black pixel, (1 - 0.45) / 0.225 = 2.444... for a white one.
    expected = torch.tensor([[-2.0, 22 / 9], [-2.0, 3.0], [-2.0, 2.0]])
    torch.testing.assert_close(LAYER(frames)[0, :, 0, 0], expected)


def test_memory_comes_out_channels_last_whatever_went_in():
    frames = torch.randint(0, 256, (2, 3, 4, 5, 6), dtype=torch.uint8)
    assert LAYER(frames).is_contiguous(memory_format=torch.channels_last_3d)


def test_there_is_nothing_to_save():
    assert not LAYER.state_dict()

import torch

from attncli.backbones.images.normalization import NORMALIZATIONS, Normalization, NormalizeImages


def test_colours_are_scaled_and_shifted_by_channel():
    layer = NormalizeImages(Normalization(mean=(0.5, 0.0, 1.0), std=(0.5, 1.0, 0.25)))
    images = torch.tensor([0, 255, 51], dtype=torch.uint8).view(1, 3, 1, 1)
    torch.testing.assert_close(
        layer(images).flatten(), torch.tensor([-0.5 / 0.5, 1.0, -0.8 / 0.25])
    )


def test_half_is_what_tensorflow_does():
    images = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).repeat(1, 3, 1, 1)
    got = NormalizeImages(NORMALIZATIONS["half"])(images)
    torch.testing.assert_close(got, images / 127.5 - 1)


def test_weights_bring_their_normalisation_along():
    trained, other = (NormalizeImages(NORMALIZATIONS[name]) for name in ("half", "imagenet"))
    other.load_state_dict(trained.state_dict())
    images = torch.full((1, 3, 2, 2), 200, dtype=torch.uint8)
    assert torch.equal(other(images), trained(images))

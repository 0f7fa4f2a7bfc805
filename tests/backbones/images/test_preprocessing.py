from attncli.backbones.images.normalization import NORMALIZATIONS
from attncli.backbones.images.preprocessing import Preprocessing


def test_two_that_see_images_alike_are_equal():
    def preprocessing(crop_px: int) -> Preprocessing:
        return Preprocessing(256, crop_px, "bilinear", NORMALIZATIONS["imagenet"])

    assert preprocessing(224) == preprocessing(224) != preprocessing(240)

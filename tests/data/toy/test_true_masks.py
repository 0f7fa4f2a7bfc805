import numpy as np
import pytest

from attncli.data.toy.true_masks import write_masks
from attncli.files.masks import MaskDirectory

# pycocotools 2.0.11 hands numpy an array type of its own in numpy 1's manner.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_what_a_video_was_painted_with_is_read_back(tmp_path):
    masks = np.zeros((3, 4, 5), dtype=np.bool_)
    masks[0, 1, 2:4] = True
    masks[2, :, 0] = True
    write_masks(tmp_path, "Push/v_1", masks)
    written = MaskDirectory(tmp_path)
    assert written.finished("Push/v_1")
    np.testing.assert_array_equal(written.read("Push/v_1", np.arange(3)), masks)


def test_a_frame_without_the_body_has_a_line_and_no_instance(tmp_path):
    masks = np.zeros((2, 4, 5), dtype=np.bool_)
    masks[1, 0, 0] = True
    write_masks(tmp_path, "v", masks)
    first, second = MaskDirectory(tmp_path).frames("v")
    assert (first.frame, first.instances) == (0, ())
    assert [(found.category, found.score) for found in second.instances] == [("object", 1.0)]

from pathlib import Path

import pytest

from attncli.data.samples import (
    ImageDataset,
    ImageSample,
    Sample,
    Samples,
    VideoDataset,
    VideoSample,
    require_listed_frames,
)
from attncli.errors import AttncliError

VIDEO = VideoSample("a/1", Path("a/1.avi"), 0)
IMAGE = ImageSample("b", Path("b.jpg"), frozenset({3}))


def test_videos_and_images_are_samples_of_datasets():
    datasets = (
        VideoDataset("ucf101", Path(), ("Archery",), (VIDEO,)),
        ImageDataset("voc2012", Path(), ("cat",), (IMAGE,), labels_from="annotations"),
    )
    for dataset in datasets:
        assert isinstance(dataset, Samples)
        assert isinstance(dataset.samples[0], Sample)
    assert [dataset.unit for dataset in datasets] == ["clips", "images"]
    assert [dataset.origin_unit for dataset in datasets] == ["videos", "images"]


def test_a_picture_of_background_is_labelled_and_one_of_unknown_content_is_not():
    assert ImageSample("b", Path("b.jpg"), frozenset()).is_labelled
    assert not ImageSample("b", Path("b.jpg"), None).is_labelled
    assert VIDEO.is_labelled
    assert not VideoSample("a/1", Path("a/1.avi"), -1).is_labelled


def test_samples_of_one_id_or_of_one_file_have_an_origin_in_common():
    same_id = VideoSample("a/1", Path("elsewhere/1.avi"), 0)
    same_file = VideoSample("a/1#2", Path("a/1.avi"), 0)
    other = VideoSample("a/2", Path("a/2.avi"), 0)
    assert VIDEO.origins & same_id.origins
    assert VIDEO.origins & same_file.origins
    assert not VIDEO.origins & other.origins
    assert IMAGE.origins & ImageSample("c", Path("b.jpg"), None).origins


def test_sequences_that_share_a_folder_but_no_frame_have_nothing_in_common():
    folder = Path("frames")
    one, other = (VideoSample(name, folder, 0, files=(folder / f"{name}.png",)) for name in "ab")
    assert not one.origins & other.origins


@pytest.mark.parametrize("listed", [None, 12])
def test_a_folder_with_as_many_frames_as_its_list_says_is_fine(listed):
    require_listed_frames(VideoSample("a", Path("a"), 0, listed_frames=listed), 12)


@pytest.mark.parametrize("found", [11, 13])
def test_a_folder_with_more_or_fewer_frames_is_refused(found):
    sample = VideoSample("a", Path("frames/a"), 0, listed_frames=12)
    with pytest.raises(AttncliError) as error:
        require_listed_frames(sample, found)
    assert str(error.value) == (
        f"frames/a: holds {found} frames, its list says 12;"
        " extract the frames again, or correct the list"
    )


def test_camera_and_role_are_not_known_unless_said():
    assert (IMAGE.camera, IMAGE.role) == (None, None)
    found = ImageSample("b", Path("b.jpg"), None, subject="7", camera="2", role="query")
    assert found.origins == IMAGE.origins

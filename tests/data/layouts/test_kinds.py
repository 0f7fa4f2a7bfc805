import pytest

from attncli.data.layouts import kinds
from attncli.data.layouts.kinds import (
    IMAGE_LAYOUTS,
    VIDEO_LAYOUTS,
    fitting,
    require_no_images,
    require_no_videos,
)
from attncli.errors import AttncliError

CUB = (
    "images.txt",
    "train_test_split.txt",
    "images/001.Black_footed_Albatross/Black_Footed_Albatross_0001_796111.jpg",
    "images/001.Black_footed_Albatross/Black_Footed_Albatross_0002_55.jpg",
    "images/002.Laysan_Albatross/Laysan_Albatross_0001_545.jpg",
    "attributes/certainties.txt",
)
INDOOR67 = (
    "Images/airport_inside/airport_inside_0001.jpg",
    "Images/airport_inside/airport_inside_0002.jpg",
    "Images/bakery/Panaderia_02_11.jpg",
    "TrainImages.txt",
)
STANFORD40 = (
    "JPEGImages/applauding_001.jpg",
    "JPEGImages/applauding_002.jpg",
    "ImageSplits/applauding_train.txt",
    "XMLAnnotations/applauding_001.xml",
)
VOC = (
    "JPEGImages/2007_000027.jpg",
    "JPEGImages/2007_000032.jpg",
    "SegmentationClass/2007_000032.png",
    "ImageSets/Segmentation/train.txt",
)
IMAGE_FOLDER = (
    *("train/bedroom/image_0001.jpg", "train/bedroom/image_0002.jpg", "train/coast/image_1.jpg"),
    *("val/coast/image_2.jpg", "test/coast/image_0003.jpg"),
)


MARKET = (
    "bounding_box_train/0002_c1s1_000451_03.jpg",
    "bounding_box_test/0001_c2s1_000301_00.jpg",
    "query/0001_c1s1_001051_00.jpg",
)
VIPER = ("cam_a/000_45.bmp", "cam_a/001_90.bmp", "cam_b/000_0.bmp", "cam_b/001_0.bmp")


def below(folder, files):
    return tuple(f"{folder}/{file}" for file in files)


@pytest.mark.parametrize(
    ("files", "named"),
    [
        (CUB, "such as {root}/" + CUB[2]),
        (below("CUB_200_2011", CUB), "such as {root}/CUB_200_2011/" + CUB[2]),
        (CUB[2:5], "such as {root}/" + CUB[2]),
        ((*CUB, "image_class_labels.txt"), "layout cub200"),
        (INDOOR67, "layout indoor67"),
        (INDOOR67[:3], "such as {root}/" + INDOOR67[0]),
        (STANFORD40, "layout stanford40"),
        (STANFORD40[:2], "such as {root}/" + STANFORD40[0]),
        (VOC, "layout voc2012"),
        (below("VOC2012", VOC), "layout voc2012"),
        (below("VOCdevkit/VOC2012", VOC), "layout voc2012"),
        (below("data/VOCdevkit/VOC2012", VOC), "such as {root}/data/VOCdevkit/VOC2012/" + VOC[0]),
        (IMAGE_FOLDER, "layout image-folder"),
        (below("scene", IMAGE_FOLDER), "such as {root}/scene/test/coast/image_0003.jpg"),
        (MARKET, "layout market1501"),
        (VIPER, "layout two-views"),
        (("b.png", "a.jpg"), "such as {root}/a.jpg"),
    ],
)
def test_collections_of_images_are_no_videos(make_tree, files, named):
    root = make_tree(*files)
    assert fitting(VIDEO_LAYOUTS, root) is None
    with pytest.raises(AttncliError) as error:
        require_no_images(root)
    assert str(error.value) == (
        f"{root}: holds images ({named.format(root=root)}), no videos; use a method for images;"
        " where they are frames of videos, put them into CLASS/VIDEO/ or list the directories of"
        " frames in a manifest"
    )


@pytest.mark.parametrize(
    "files",
    [
        (),
        ("notes.txt", "a/b/notes.txt"),
        (".cache/a.jpg", "a/.thumbnail.png"),
        ("a/a.jpg", "videos/deep/a.MP4"),
        ("run/v/1.jpg", "run/v/2.jpg"),
        ("1/2/3/4/5/a.jpg",),
    ],
)
def test_what_is_no_collection_of_images_passes(make_tree, files):
    require_no_images(make_tree(*files))


def test_a_list_is_no_collection_of_images(make_tree):
    require_no_images(make_tree("list.csv") / "list.csv")


@pytest.mark.parametrize(
    ("files", "named"),
    [
        (("run/a.avi", "run/b.avi"), "layout class-folders"),
        (("run/v/1.jpg", "run/v/2.jpg"), "layout class-folders"),
        (("happy/S010_004_00000017.png",), "layout ckplus"),
        (("UCF-101/YoYo/a.avi", "ucfTrainTestlist/classInd.txt"), "layout ucf101"),
        (("b.avi", "a.mkv"), "such as {root}/a.mkv"),
    ],
)
def test_videos_are_no_single_images(make_tree, files, named):
    root = make_tree(*files)
    with pytest.raises(AttncliError) as error:
        require_no_videos(root)
    assert str(error.value) == (
        f"{root}: holds videos ({named.format(root=root)}), no single images; use a method for"
        " videos; single images belong in train/CLASS/ and val/CLASS/, or into a manifest"
    )


@pytest.mark.parametrize(
    "files",
    [(), ("notes.txt",), IMAGE_FOLDER, (*IMAGE_FOLDER, "train/a.mp4"), ("a.jpg", "a.mp4"), CUB],
)
def test_what_is_no_tree_of_videos_passes(make_tree, files):
    require_no_videos(make_tree(*files))


def test_the_first_layout_that_fits_is_the_one(make_tree):
    root = make_tree(*VOC, *IMAGE_FOLDER)
    assert fitting(IMAGE_LAYOUTS, root) == "voc2012"
    assert fitting({"image-folder": IMAGE_LAYOUTS["image-folder"]}, root) == "image-folder"
    assert fitting({}, root) is None


def test_no_more_names_are_gone_through_than_are_enough(make_tree, monkeypatch):
    root = make_tree("a.jpg", "b.jpg", "c.mp4")
    require_no_images(root)
    monkeypatch.setattr(kinds, "_MOST_ENTRIES", 2)
    with pytest.raises(AttncliError, match=r"holds images \(such as .*a\.jpg\), no videos"):
        require_no_images(root)


def test_a_directory_that_leads_back_to_itself_is_left_in_the_end(make_tree):
    root = make_tree("a/notes.txt")
    (root / "a" / "again").symlink_to(root)
    require_no_images(root)
    (root / "a" / "b.jpg").touch()
    with pytest.raises(AttncliError, match=r"such as .*tree/a/b\.jpg\)"):
        require_no_images(root)


def test_directories_that_are_linked_are_looked_into(make_tree, tmp_path):
    root = make_tree("notes.txt")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "b.jpg").touch()
    (root / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AttncliError, match=r"such as .*tree/a/b\.jpg\)"):
        require_no_images(root)

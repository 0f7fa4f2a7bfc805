import pytest

from attncli.errors import AttncliError
from attncli.files.faces import FaceBox, read_face_boxes, write_face_boxes

FACES = {
    "S005/001": FaceBox("landmarks", 200, 80, 500, 380),
    "S010/004": FaceBox("none", 0, 0, 48, 48),
}


def test_faces_survive_the_way_to_the_file_and_back(tmp_path):
    path = tmp_path / "faces.csv"
    write_face_boxes(path, FACES)
    assert path.read_text() == (
        "id,source,left,top,right,bottom\n"
        "S005/001,landmarks,200,80,500,380\n"
        "S010/004,none,0,0,48,48\n"
    )
    assert read_face_boxes(path) == read_face_boxes(path, known=[*FACES, "more"]) == FACES
    with pytest.raises(AttncliError, match="line 3: the dataset has no sequence 'S010/004'; take"):
        read_face_boxes(path, known=["S005/001"])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,eyes,0,0,4,4", "'a': no such source: 'eyes'; use one of landmarks, detector, centre"),
        ("a,centre,0,0,4,5", "'a': box of 4x5 pixels is not square; write"),
        ("a,centre,4,4,4,4", "'a': box of 0x0 pixels is not square"),
        ("a,centre,5,5,4,4", "'a': box of -1x-1 pixels is not square"),
        ("a,centre,-1,0,4,5", "'a': left '-1' is not a whole pixel"),
        ("a,centre,0,0,4,4.5", "'a': bottom '4.5' is not a whole pixel"),
        (",centre,0,0,4,4", "has no id"),
        ("b,centre,0,0,4,4", "'b' is listed twice"),
    ],
)
def test_boxes_that_cannot_be_are_refused_in_a_line(tmp_path, row, message):
    path = tmp_path / "faces.csv"
    path.write_text(f"id,source,left,top,right,bottom\nb,none,0,0,8,8\n{row}\n")
    with pytest.raises(AttncliError, match=f"line 3: .*{message}") as error:
        read_face_boxes(path)
    assert "\n" not in str(error.value)

from attncli.data.video.containers.damage import CUT_SHORT, SECOND_FILE, damaged_at


def test_each_kind_of_damage_is_said_in_words_of_its_own():
    assert damaged_at(4096) == "damaged at byte 4096"
    assert len({CUT_SHORT, SECOND_FILE, damaged_at(0), damaged_at(1)}) == 4

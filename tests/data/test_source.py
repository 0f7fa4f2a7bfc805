import pytest

from attncli.data.source import Guidance, NoGuidance, Reader, SeededReader, batch_loader, in_turn


class NumberReader(SeededReader):
    """Reads for each row a random number."""

    def __getitem__(self, row):
        return row, float(self.generator(row, 0).random())

    def batches(self, rows, size):
        return in_turn(rows, size)

    def collate(self, items):
        return [number for _, number in items]

    def nothing(self):
        return []


def test_labels_alone_say_nothing():
    guidance = NoGuidance()
    assert isinstance(guidance, Guidance)
    assert (guidance.notes(), guidance.facts()) == ([], {})


def test_a_choice_follows_from_seed_epoch_row_and_purpose():
    reader = NumberReader(training=True, seed=3)
    assert isinstance(reader, Reader)
    drawn = set()
    for epoch in (0, 1):
        reader.set_epoch(epoch)
        for row in (0, 1):
            for purpose in (0, 1):
                number = reader.generator(row, purpose).random()
                assert number == reader.generator(row, purpose).random()
                drawn.add(number)
    assert len(drawn) == 8
    assert NumberReader(training=True, seed=4)[0] != NumberReader(training=True, seed=3)[0]


def test_validation_samples_are_those_of_the_first_epoch_in_every_epoch():
    reader, training = (NumberReader(training=way, seed=3) for way in (False, True))
    before = reader[5]
    reader.set_epoch(7)
    assert reader[5] == before == training[5]
    training.set_epoch(7)
    assert training[5] != before


@pytest.mark.parametrize(
    ("n", "size", "expected"), [(4, 2, [[0, 1], [2, 3]]), (3, 4, [[0, 1, 2]]), (0, 4, [])]
)
def test_rows_are_taken_in_turn(n, size, expected):
    assert in_turn(range(n), size) == expected


def test_a_loader_goes_through_its_batches_anew_in_each_epoch():
    reader = NumberReader(training=True, seed=0)
    loader = batch_loader(reader, batches=[[2, 0], [1]], workers=0)
    passes = []
    for epoch in (0, 1, 0):
        reader.set_epoch(epoch)
        passes.append(list(loader))
        assert passes[-1] == [[reader[2][1], reader[0][1]], [reader[1][1]]]
    assert passes[0] == passes[2] != passes[1]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # Python 3.12
def test_processes_that_live_on_learn_of_the_next_epoch():
    reader = NumberReader(training=True, seed=0)
    loader = batch_loader(reader, batches=[[2, 0], [1]], workers=1)
    for epoch in (0, 1):
        reader.set_epoch(epoch)
        assert list(loader) == [[reader[2][1], reader[0][1]], [reader[1][1]]]

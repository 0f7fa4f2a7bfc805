import os
import string
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attncli.config.object_abn import AbnConfig, ObjectAbnConfig, X3DConfig
from attncli.config.toml import dump, read, resolve
from attncli.errors import UsageError

texts = st.text(string.printable, min_size=1, max_size=8)


@pytest.fixture
def file(tmp_path):
    """Return a function that writes a settings file."""

    def write(text: str) -> Path:
        path = tmp_path / "c.toml"
        path.write_text(text)
        return path

    return write


@given(
    data=texts.map(Path),
    layout=texts,
    lr=st.floats(1e-12, 1e3),
    epochs=st.integers(1, 10**6),
    milestones=st.lists(st.integers(0, 99), min_size=1).map(tuple),
    clip_grad_norm=st.none() | st.floats(1e-6, 1e6),
    compile=st.booleans(),
    mechanism=st.sampled_from(["residual", "product"]),
)
def test_settings_come_back_from_toml_as_they_were(tmp_path_factory, **values):
    config = ObjectAbnConfig(masks=Path("m"), schedule="step", **values)
    path = tmp_path_factory.mktemp("toml") / "c.toml"
    path.write_text(dump(config, method="object-abn"), encoding="utf-8")
    assert resolve(ObjectAbnConfig, path, method="object-abn") == config


def test_options_go_before_the_file_and_the_file_before_defaults(file):
    path = file('data = "d"\nepochs = 3\nlr = 1')
    config = resolve(X3DConfig, path, {"epochs": 5})
    assert (config.epochs, config.lr, config.batch_size) == (5, 1.0, 16)
    assert resolve(X3DConfig, path).epochs == 3


def test_defaults_that_follow_from_what_is_given_go_before_the_others(file):
    uniform = resolve(X3DConfig, None, {"data": "d", "sampling": "uniform"})
    assert (uniform.sampling, uniform.frame_stride) == ("uniform", 1)
    assert resolve(X3DConfig, file('data = "d"\nsampling = "uniform"')) == uniform
    assert resolve(X3DConfig, None, {"data": "d"}).frame_stride == 4
    with pytest.raises(UsageError, match="--frame-stride"):
        resolve(X3DConfig, None, {"data": "d", "sampling": "uniform", "frame_stride": 2})


def test_a_file_carries_its_format_version_and_method(file):
    written = tomllib.loads(dump(X3DConfig(data=Path("d")), method="x3d"))
    assert (written["format_version"], written["method"]) == (1, "x3d")
    assert "clip_grad_norm" not in written
    assert "method" not in dump(X3DConfig(data=Path("d")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('data = "d"\nepoch = 3', "{file}: unknown key 'epoch'; did you mean 'epochs'?"),
        (
            'data = "d"\nxyzzy = 3',
            "{file}: unknown key 'xyzzy'; see --print-config for the keys",
        ),
        ('data = "d"\nepochs = "3"', "{file}: epochs must be an integer, not '3'"),
        ('data = "d"\noptimizer = "lion"', "optimizer must be adam or adamw or sgd, not 'lion'"),
        ('data = "d"\nepochs = 0', "--epochs: must be at least 1"),
        ("epochs = 3", "--data: is required"),
        ("epochs = 3\nlr = x", "{file}: is not valid TOML (at line 2, column 6); correct it"),
        ('method = "abn"\ndata = "d"', "{file}: holds the settings of abn, not of x3d"),
        ("format_version = 2", "{file}: has format version 2; this attncli reads 1"),
    ],
)
def test_a_wrong_file_is_refused_with_what_is_wrong(file, text, message):
    path = file(text)
    with pytest.raises(UsageError) as refusal:
        resolve(X3DConfig, path, method="x3d")
    assert message.format(file=path) in str(refusal.value)


def test_a_missing_file_and_one_that_is_no_text_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"gone\.toml: no such file or directory"):
        read(tmp_path / "gone.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"binary\.toml: is not valid TOML \(it is not UTF-8\)"):
        read(tmp_path / "binary.toml")


def test_a_wrong_option_is_named_as_on_the_command_line():
    with pytest.raises(UsageError, match="--batch-size: must be an integer, not 'x'"):
        resolve(AbnConfig, None, {"data": "d", "batch_size": "x"})


@pytest.mark.parametrize("text", ["epochs = " + "1" * 5000, "x = " + "[" * 100_000, "é = 1"])
def test_text_that_no_parser_takes_is_no_toml(tmp_path, text):
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=r"config\.toml: is not valid TOML"):
        read(path)


def test_a_path_that_is_no_utf8_is_refused_before_it_is_written_down(tmp_path):
    data = tmp_path / os.fsdecode(b"Z\xfcrich")
    with pytest.raises(UsageError, match=r"Z\\udcfcrich: its name is not UTF-8 .*; rename it"):
        dump(X3DConfig(data=data))


def test_later_files_go_before_earlier_ones(tmp_path):
    first, second = tmp_path / "a.toml", tmp_path / "b.toml"
    first.write_text('data = "d"\nepochs = 3\nlr = 1')
    second.write_text("epochs = 4\n")
    config = resolve(X3DConfig, [first, second], {"batch_size": 2})
    assert (config.epochs, config.lr, config.batch_size) == (4, 1.0, 2)
    assert resolve(X3DConfig, [second, first]).epochs == 3


def test_what_follows_from_a_later_place_goes_before_what_an_earlier_one_says(tmp_path):
    dense, uniform = tmp_path / "dense.toml", tmp_path / "uniform.toml"
    dense.write_text('data = "d"\nsampling = "dense"\nframe_stride = 3')
    uniform.write_text('sampling = "uniform"')
    assert resolve(X3DConfig, [dense, uniform]).frame_stride == 1
    # And back again: nothing is left of what followed from the file in between.
    assert resolve(X3DConfig, [uniform], {"data": "d", "sampling": "dense"}).frame_stride == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch = 3", "{file}: unknown key 'epoch'; did you mean 'epochs'?"),
        ("epochs = 0", "{file}: --epochs: must be at least 1"),
        ('epochs = "x"', "{file}: epochs must be an integer, not 'x'"),
    ],
)
def test_of_several_files_the_one_is_named_that_is_wrong(tmp_path, text, message):
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text('data = "d"\nlr = 1')
    bad.write_text(text)
    for files in ([good, bad], [bad, good]):
        with pytest.raises(UsageError) as refusal:
            resolve(X3DConfig, files)
        assert str(refusal.value) == message.format(file=bad)


def test_variables_go_before_files_and_options_before_both(file):
    path = file('data = "d"\nepochs = 3\nlr = 1\nbatch_size = 4')
    variables = {"ATTNCLI_EPOCHS": "5", "ATTNCLI_LR": "2"}
    config = resolve(X3DConfig, path, {"lr": 3.0}, variables=variables)
    assert (config.epochs, config.lr, config.batch_size) == (5, 3.0, 4)
    assert resolve(X3DConfig, None, variables={"ATTNCLI_DATA": "d"}).data == Path("d")


def test_a_variable_out_of_range_is_named_and_an_option_over_it_is_not(file):
    path = file('data = "d"')
    with pytest.raises(UsageError, match=r"^ATTNCLI_EPOCHS: --epochs: must be at least 1$"):
        resolve(X3DConfig, path, variables={"ATTNCLI_EPOCHS": "0"})
    with pytest.raises(UsageError, match=r"^--epochs: must be at least 1$"):
        resolve(X3DConfig, path, {"epochs": -1}, variables={"ATTNCLI_EPOCHS": "2"})


def test_the_settings_of_several_runs_are_read_as_those_of_one(tmp_path):
    config = X3DConfig(data=Path("d"), seed=3)
    path = tmp_path / "config.toml"
    path.write_text(dump(config, method="x3d", several=2))
    assert read(path)["training_seeds"] == 2
    assert resolve(X3DConfig, path, method="x3d") == config

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
        ("epochs = 3", "missing option --data"),
        ("epochs = 3\nlr = x", "{file}: is no TOML: Invalid value (at line 2, column 6)"),
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
    with pytest.raises(UsageError, match=r"binary\.toml: is no TOML"):
        read(tmp_path / "binary.toml")


def test_a_wrong_option_is_named_as_on_the_command_line():
    with pytest.raises(UsageError, match="--batch-size: must be an integer, not 'x'"):
        resolve(AbnConfig, None, {"data": "d", "batch_size": "x"})


@pytest.mark.parametrize("text", ["epochs = " + "1" * 5000, "x = " + "[" * 100_000, "é = 1"])
def test_text_that_no_parser_takes_is_no_toml(tmp_path, text):
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=r"config\.toml: is no TOML"):
        read(path)


def test_a_path_that_is_no_utf8_is_refused_before_it_is_written_down(tmp_path):
    data = tmp_path / os.fsdecode(b"Z\xfcrich")
    with pytest.raises(UsageError, match=r"Z\\udcfcrich: its name is not UTF-8 .*; rename it"):
        dump(X3DConfig(data=data))

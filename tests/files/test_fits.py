import numpy as np
import pytest

from attncli.errors import AttncliError
from attncli.files.fits import Fit, join_fits, open_fits, write_fit, write_fit_table

ORIGIN = {"method": "linear-svm", "features_sha256": "00"}
FITS = [
    Fit(0, "fc", "I", 4, 3, {"c": 1.0, "cv_accuracy": None}),
    Fit(0, "fc", "I+P", 4, 6, {"c": 10.0, "cv_accuracy": 50.0}),
]


def written(tmp_path):
    paths = [tmp_path / f"{number}.safetensors" for number in range(len(FITS))]
    for number, (path, fit) in enumerate(zip(paths, FITS, strict=True)):
        write_fit(path, fit, {"weight": np.full((2, 3), float(number))}, ORIGIN)
    return paths


def test_fits_put_together_are_what_they_were_alone(tmp_path):
    joined = join_fits(tmp_path / "model.safetensors", written(tmp_path))
    opened = open_fits(tmp_path / "model.safetensors")
    assert list(joined) == list(opened.fits) == FITS
    assert opened.origin == ORIGIN
    assert [opened.state(fit)["weight"][0, 0] for fit in FITS] == [0, 1]
    assert opened.state(FITS[0]).keys() == {"weight"}


def test_the_same_fits_give_the_same_bytes(tmp_path):
    paths = written(tmp_path)
    join_fits(tmp_path / "a.safetensors", paths)
    join_fits(tmp_path / "b.safetensors", paths)
    first, second = (tmp_path / f"{name}.safetensors" for name in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_the_table_says_what_there_is_to_tell(tmp_path):
    write_fit_table(tmp_path / "fits.csv", FITS)
    assert (tmp_path / "fits.csv").read_text().splitlines() == [
        "split,layer,source,n_train,n_dims,c,cv_accuracy",
        "0,fc,I,4,3,1.0,",
        "0,fc,I+P,4,6,10.0,50.0",
    ]


def test_files_that_are_no_fits_are_refused(tmp_path):
    with pytest.raises(AttncliError, match="no such fits; train the run to its end"):
        open_fits(tmp_path / "gone.safetensors")
    (tmp_path / "x.safetensors").write_bytes(b"nothing")
    with pytest.raises(AttncliError, match="cannot be read"):
        open_fits(tmp_path / "x.safetensors")
    from safetensors.numpy import save_file

    save_file({"weight": np.zeros(2)}, tmp_path / "y.safetensors")
    with pytest.raises(AttncliError, match="holds no fits of features"):
        open_fits(tmp_path / "y.safetensors")

from pathlib import Path

import pytest

from attncli.config.refine_seeds import (
    CrfSeedsCall,
    CrfSeedsConfig,
    ImagesCall,
    PsaSeedsConfig,
    SsddSeedsConfig,
)
from attncli.config.toml import dump, resolve
from attncli.errors import UsageError

A = Path("a")


def psa(**changes: object) -> PsaSeedsConfig:
    return PsaSeedsConfig(run=A, cams=A, **changes)  # type: ignore[arg-type]


def ssdd(**changes: object) -> SsddSeedsConfig:
    return SsddSeedsConfig(run=A, knowledge=A, advice=A, **changes)  # type: ignore[arg-type]


def test_defaults_are_the_papers() -> None:
    assert (psa().affinity_power, psa().log2_steps, psa().power) == (8, 8, 16)
    found = CrfSeedsConfig(seeds=A)
    assert (found.crf_iterations, found.bilateral_px, found.bilateral_color) == (10, 80, 13)
    biases = (ssdd().advice_bias, ssdd().background_bias, ssdd().class_bias)
    assert (*biases, ssdd().shrink_below, ssdd().flip) == (0.1, 0.1, 1.0, 0.5, True)
    assert ImagesCall(data=A).split == "train"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"affinity_power": -1.0}, "--affinity-power: must be at least 0"),
        ({"log2_steps": 21}, r"--log2-steps: must be in \[0, 20\]"),
        ({"background_power": 2.0, "background_score": 0.2}, "exclude each other"),
        ({"background_score": 1.5}, r"--background-score: must be in \[0, 1\]"),
    ],
)
def test_walks_that_cannot_be_are_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        psa(**changes)


@pytest.mark.parametrize("name", ["advice_bias", "background_bias", "class_bias"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_biases_are_finite(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')}: must be finite"):
        ssdd(**{name: value})


def test_no_class_can_shrink_to_less_than_nothing() -> None:
    with pytest.raises(UsageError, match="--shrink-below: must be at least 0"):
        ssdd(shrink_below=-0.1)


def test_there_is_no_work_without_workers() -> None:
    with pytest.raises(UsageError, match="--workers: must be at least 1"):
        CrfSeedsCall(data=A, workers=0)


def test_what_is_kept_beside_seeds_is_read_back(tmp_path: Path) -> None:
    for config in (psa(background_score=0.2), CrfSeedsConfig(seeds=A), ssdd(flip=False)):
        (tmp_path / "config.toml").write_text(dump(config))
        assert resolve(type(config), tmp_path / "config.toml") == config

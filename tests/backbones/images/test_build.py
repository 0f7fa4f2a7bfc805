import pytest
import torch
import torchvision
from torch.nn.modules.batchnorm import _BatchNorm

from attncli.backbones.images import build, wide_resnet38
from attncli.backbones.images.backbone import ROLES
from attncli.backbones.images.build import build_backbone
from attncli.errors import AttncliError, UsageError
from attncli.layers.fusion import fuse_for_inference

NAME = "shufflenet_v2_x0_5"


def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(256, (2, 3, 64, 64), dtype=torch.uint8, generator=generator)


def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(5)
    return torchvision.models.get_model(NAME, weights=None).state_dict()


def test_random_weights_follow_the_seed():
    torch.manual_seed(0)
    first = build_backbone(NAME, weights="none").state_dict()
    torch.manual_seed(0)
    second = build_backbone(NAME, weights="none").state_dict()
    assert all(torch.equal(value, second[key]) for key, value in first.items())


def test_published_weights_are_fetched_once_and_put_in(monkeypatch, tmp_path):
    asked = []

    def fetched(url):
        asked.append(url)
        torch.save(state(), tmp_path / "a.pth")
        return tmp_path / "a.pth"

    monkeypatch.setattr(build, "published_file", fetched)
    backbone = build_backbone(NAME)
    assert asked == ["https://download.pytorch.org/models/shufflenetv2_x0.5-f707e7126e.pth"]
    expected = state()["stage4.3.branch2.5.weight"]
    torch.testing.assert_close(backbone.state_dict()["stages.conv5.3.branch2.5.weight"], expected)
    torch.testing.assert_close(backbone.normalize.mean, torch.tensor([0.485, 0.456, 0.406]))


def test_a_file_without_a_head_and_of_other_normalisation_is_enough(tmp_path):
    kept = {
        key: value for key, value in state().items() if key.split(".")[0] not in ("conv5", "fc")
    }
    torch.save(kept, tmp_path / "a.pt")
    backbone = build_backbone(NAME, weights=str(tmp_path / "a.pt"), normalization="none").eval()
    whole = torchvision.models.get_model(NAME, weights=None).eval()
    whole.load_state_dict(state())
    with torch.no_grad():
        x = whole.maxpool(whole.conv1(images() / 255))
        expected = whole.stage4(whole.stage3(whole.stage2(x)))
        torch.testing.assert_close(backbone.features(images())["conv5"], expected)


def test_a_file_that_lacks_a_stage_is_refused_unless_that_is_allowed(tmp_path):
    path = tmp_path / "a.pt"
    torch.save({key: value for key, value in state().items() if "stage4" not in key}, path)
    with pytest.raises(AttncliError, match=r"missing: stage4"):
        build_backbone(NAME, weights=str(path))
    backbone = build_backbone(NAME, weights=str(path), allow_missing=True)
    own = backbone.state_dict()["stages.conv4.0.branch1.0.weight"]
    torch.testing.assert_close(own, state()["stage3.0.branch1.0.weight"])


@pytest.mark.parametrize("freeze_norms", [True, False])
def test_norms_are_frozen_where_asked(freeze_norms):
    backbone = build_backbone(NAME, weights="none", freeze_norms=freeze_norms).train()
    norms = [module for module in backbone.modules() if isinstance(module, _BatchNorm)]
    assert all(norm.training != freeze_norms for norm in norms)
    assert all(norm.weight.requires_grad != freeze_norms for norm in norms)
    assert backbone.stages["conv2"][0][0].weight.requires_grad


@pytest.mark.parametrize("name", ["resnet18", NAME, "efficientnet-lite0", wide_resnet38.NAME])
@pytest.mark.parametrize("n", [1, 3])
def test_the_first_stages_of_every_network_can_be_frozen(monkeypatch, name, n):
    monkeypatch.setattr(wide_resnet38, "WideResNet38", narrow)
    if name == "efficientnet-lite0":
        pytest.importorskip("timm")
    backbone = build_backbone(name, weights="none", output_stride=8, freeze_stages=n)
    learning = {name for name, weight in backbone.named_parameters() if weight.requires_grad}
    features = backbone.features(images())
    still = [features[role].requires_grad for role in ROLES]
    assert still == [False] * n + [True] * (4 - n)
    features["conv5"].sum().backward()
    assert {n for n, w in backbone.named_parameters() if w.grad is not None} == learning


def narrow() -> wide_resnet38.WideResNet38:
    """Return a Wide-ResNet-38 of few channels."""
    network = WIDE(2)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5)
    return network


WIDE = wide_resnet38.WideResNet38


def psa_weights(seed: int = 7, **changes) -> dict[str, torch.Tensor]:
    """Return weights as PSA publishes them, of few channels and without counters of batches."""
    torch.manual_seed(seed)
    state = {k: v for k, v in narrow().state_dict().items() if not k.endswith("batches_tracked")}
    found = state | {"fc8.weight": torch.zeros(20, 128, 1, 1)}
    found |= {key.replace("__", "."): value for key, value in changes.items()}
    return {key: value for key, value in found.items() if value is not None}


class Notes:
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def warn(self, text: str) -> None:
        self.notes.append(text)

    def track(self, items, *, label, total=None, unit="it"):
        return items


@pytest.mark.parametrize("prefix", ["", "module.", "module.encoder."])
@pytest.mark.parametrize(
    ("head", "shape"),
    [("fc8", (20, 128, 1, 1)), ("f8_3", (4, 16, 1, 1)), ("f9", (28, 28, 1, 1))],
)
def test_weights_of_psa_are_taken_and_its_heads_named(monkeypatch, tmp_path, prefix, head, shape):
    monkeypatch.setattr(wide_resnet38, "WideResNet38", narrow)
    weights = psa_weights(fc8__weight=None) | {f"{head}.weight": torch.zeros(shape)}
    torch.save({prefix + key: value for key, value in weights.items()}, tmp_path / "a.pth")
    notes = Notes()
    path = str(tmp_path / "a.pth")
    backbone = build_backbone("wide-resnet38", output_stride=8, weights=path, reporter=notes)
    own = backbone.network.state_dict()
    assert all(torch.equal(own[key], weights[key]) for key in own if "tracked" not in key)
    assert notes.notes == [f"{path}: {head} not used, as the backbone ends before"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"b4_5__conv_branch2a__weight": None}, r"missing: b4_5\.conv_branch2a\.weight"),
        ({"b8__conv_branch2a__weight": torch.ones(1)}, r"unexpected: b8\.conv_branch2a\.weight"),
        ({"bn7__bias": torch.ones(4096)}, r"of another shape: bn7\.bias"),
    ],
)
def test_weights_of_another_wide_resnet_are_refused(monkeypatch, tmp_path, changes, problem):
    monkeypatch.setattr(wide_resnet38, "WideResNet38", narrow)
    torch.save(psa_weights(**changes), tmp_path / "a.pth")
    with pytest.raises(AttncliError, match=problem):
        build_backbone("wide-resnet38", output_stride=8, weights=str(tmp_path / "a.pth"))


def test_a_backbone_answers_the_same_fused():
    backbone = build_backbone(NAME, weights="none", output_stride=8)
    backbone.features(images())
    expected, got = (
        net.features(images()) for net in (backbone.eval(), fuse_for_inference(backbone))
    )
    for role, value in expected.items():
        torch.testing.assert_close(got[role], value)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"name": "resnet81"}, "no such backbone: 'resnet81'; did you mean .*resnet18"),
        ({"name": "wide-resnet83"}, "no such backbone: .*; did you mean .*wide-resnet38"),
        ({"name": "wide-resnet38"}, "--output-stride: .* of 8, not of 32"),
        ({"name": "wide-resnet38", "output_stride": 8, "weights": "imagenet"}, "PSA"),
        ({"name": "wide-resnet38", "weights": "efficientnet-lite0"}, "only, not for wide-resnet38"),
        ({"freeze_stages": 5}, "--freeze-stages: there are 0 to 4"),
        ({"name": "zzz"}, "no such backbone: 'zzz'; use resnet18, .*wide-resnet38, .*timm:NAME"),
        ({"normalization": "z"}, "no such normalisation: 'z'; use imagenet, half, none"),
        ({"weights": "efficientnet-lite0"}, "only, not for resnet18; use --backbone efficientnet"),
    ],
)
def test_what_there_is_not_is_refused(options, problem):
    with pytest.raises(UsageError, match=problem):
        build_backbone(**{"name": "resnet18", "weights": "none"} | options)

import pytest
import torch
import torchvision
from torch.nn.modules.batchnorm import _BatchNorm

from attncli.backbones.images import build
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
        ({"name": "resnet81"}, "no backbone 'resnet81'; did you mean .*resnet18"),
        ({"name": "zzz"}, "no backbone 'zzz'; use resnet18, .*timm:NAME"),
        ({"normalization": "z"}, "no normalisation 'z'; use imagenet, half, none"),
        ({"weights": "efficientnet-lite0"}, "alone, not of resnet18; use --backbone efficientnet"),
    ],
)
def test_what_there_is_not_is_refused(options, problem):
    with pytest.raises(UsageError, match=problem):
        build_backbone(**{"name": "resnet18", "weights": "none"} | options)

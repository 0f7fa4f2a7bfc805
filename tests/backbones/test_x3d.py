import pytest
import torch
from torch import nn

from attncli.backbones.x3d import PUBLISHED, build_x3d, load_weights
from attncli.backbones.x3d_blocks import round_width
from attncli.layers.fusion import fuse_for_inference

SMALL = {"width_factor": 0.5, "depth_factor": 0.5}


def stock(**options) -> nn.Module:
    from pytorchvideo.models.x3d import create_x3d

    return create_x3d(head_activation=None, input_clip_length=4, input_crop_size=64, **options)


def unsettle(model: nn.Module) -> None:
    """Give batch normalisations statistics that a mistake would show in."""
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)


def frames(clips: int = 2, length: int = 4, size: int = 64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (clips, 3, length, size, size)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize(
    ("size", "depth_factor"), [("xs", 2.2), ("s", 2.2), ("m", 2.2), ("l", 5.0)]
)
def test_each_size_has_the_keys_and_shapes_of_the_published_weights(size, depth_factor):
    with torch.device("meta"):
        ours = build_x3d(size, n_classes=400).state_dict()
        theirs = stock(depth_factor=depth_factor).state_dict()
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}


def test_m_has_3_794_million_parameters():
    with torch.device("meta"):
        model = build_x3d("m", n_classes=400)
    assert round(sum(p.numel() for p in model.parameters()) / 1e6, 3) == 3.794


@pytest.mark.parametrize("factors", [(2.0, 1.0), (1.0, 0.5), (0.5, 2.2)])
def test_answers_are_those_of_pytorchvideo_with_the_same_weights(factors):
    width, depth = factors
    theirs = stock(width_factor=width, depth_factor=depth, model_num_class=11).eval()
    unsettle(theirs)
    ours = build_x3d("m", n_classes=11, width_factor=width, depth_factor=depth).eval()
    ours.load_state_dict(theirs.state_dict())
    with torch.no_grad():
        expected = theirs((frames() / 255 - 0.45) / 0.225)
        torch.testing.assert_close(ours(frames()).scores, expected, rtol=1e-4, atol=1e-4)


def test_gradients_are_those_of_pytorchvideo_with_the_same_weights():
    options = {"model_num_class": 3, "dropout_rate": 0.0, "inner_act": nn.SiLU}
    theirs = stock(width_factor=0.5, depth_factor=1.0, **options).double()
    ours = build_x3d("m", n_classes=3, width_factor=0.5, depth_factor=1.0, dropout=0.0).double()
    ours.load_state_dict(theirs.state_dict())
    ours(frames()).scores.square().sum().backward()
    theirs(ours.normalize(frames()).contiguous()).square().sum().backward()
    gradients = {name: parameter.grad for name, parameter in ours.named_parameters()}
    for name, parameter in theirs.named_parameters():
        torch.testing.assert_close(gradients[name], parameter.grad, rtol=1e-4, atol=1e-6)


def test_the_cut_is_after_res4_at_a_sixteenth_of_the_frame():
    model = build_x3d("m", n_classes=5).eval()
    with torch.no_grad():
        features = model.extract(frames(1, 16, 224))
    assert features.shape == (1, 96, 16, 14, 14)
    assert model.next_stage.in_channels == 96
    assert model.next_stage.channels == 192


@pytest.mark.parametrize(("length", "size"), [(1, 32), (3, 40), (5, 112)])
def test_clips_of_any_length_and_size_pass(length, size):
    model = build_x3d("m", n_classes=5, **SMALL).eval()
    assert model(frames(2, length, size)).scores.shape == (2, 5)


def test_a_fused_network_answers_the_same_and_leaves_the_first_as_it_was():
    model = build_x3d("m", n_classes=5, width_factor=1.0, depth_factor=1.0).eval()
    unsettle(model)
    keys = list(model.state_dict())
    with torch.no_grad():
        expected = model(frames()).scores
        got = fuse_for_inference(model)(frames()).scores
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)
    assert list(model.state_dict()) == keys


def test_published_weights_load_by_name_but_for_a_classifier_of_other_classes(
    tmp_path, monkeypatch
):
    theirs = stock()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    published = tmp_path / "hub" / "checkpoints" / PUBLISHED.format(size="M").rsplit("/")[-1]
    torch.save({"model_state": theirs.state_dict()}, published)
    model = build_x3d("m", n_classes=101)
    assert load_weights(model, "kinetics400") == ("blocks.5.proj.bias", "blocks.5.proj.weight")
    assert load_weights(build_x3d("m", n_classes=400), "kinetics400") == ()
    torch.testing.assert_close(
        model.blocks[0].norm.weight, theirs.state_dict()["blocks.0.norm.weight"]
    )


def test_weights_of_a_file_load(tmp_path):
    model = build_x3d("m", n_classes=5, **SMALL)
    torch.save(model.state_dict(), tmp_path / "x3d.pt")
    other = build_x3d("m", n_classes=5, **SMALL)
    assert load_weights(other, str(tmp_path / "x3d.pt")) == ()
    torch.testing.assert_close(other.head.proj.weight, model.head.proj.weight)


def test_no_weights_leave_the_network_as_it_is():
    model = build_x3d("m", n_classes=5, **SMALL)
    before = model.head.proj.weight.clone()
    assert load_weights(model, "none") == ()
    assert torch.equal(model.head.proj.weight, before)


def test_the_seed_decides_the_weights():
    torch.manual_seed(3)
    first = build_x3d("m", n_classes=5, **SMALL).state_dict()
    torch.manual_seed(3)
    second = build_x3d("m", n_classes=5, **SMALL).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize(
    ("channels", "rounded"), [(3.0, 8), (12.0, 16), (24.0, 24), (27.0, 32), (13.5, 16)]
)
def test_widths_are_multiples_of_8(channels, rounded):
    assert round_width(channels) == rounded

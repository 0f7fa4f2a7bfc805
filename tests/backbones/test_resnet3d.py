from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from attncli.backbones.resnet3d import CLASSIFIER, build_resnet3d, inflate, load_weights
from attncli.errors import AttncliError, UsageError
from attncli.layers.fusion import fuse_for_inference

SMALL = {"width_factor": 0.125}


def stock(depth: int = 50, *, width: int = 64, pool: tuple[int, int, int] = (4, 1, 1), **options):
    from pytorchvideo.models.resnet import create_resnet

    return create_resnet(
        model_depth=depth,
        stem_dim_out=width,
        stem_conv_kernel_size=(1, 7, 7),
        head_pool_kernel_size=pool,
        **options,
    )


def flat(depth: str, **options) -> nn.Module:
    return getattr(torchvision.models, f"resnet{depth}")(weights=None, **options)


def unsettle(model: nn.Module) -> None:
    """Give batch normalisations statistics that a mistake would show in."""
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)


def frames(clips: int = 2, length: int = 4, size: int = 32) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (clips, 3, length, size, size)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def count(*modules: nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


@pytest.mark.parametrize("depth", ["50", "101"])
def test_keys_and_shapes_are_those_of_the_published_weights(depth):
    with torch.device("meta"):
        ours = build_resnet3d(depth, n_classes=400).state_dict()
        theirs = stock(int(depth)).state_dict()
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}


# Two more frames of weights than the 2-D network has: channels that go into and out of the first
# convolution of each block in res4 and res5, and for basic blocks its 9 taps.
BEYOND_2D = {
    "18": (9 * 2 * (128 * 256 + 256 * 256), 9 * 2 * (256 * 512 + 512 * 512)),
    "50": (2 * (512 * 256 + 5 * 1024 * 256), 2 * (1024 * 512 + 2 * 2048 * 512)),
    "101": (2 * (512 * 256 + 22 * 1024 * 256), 2 * (1024 * 512 + 2 * 2048 * 512)),
}


@pytest.mark.parametrize("depth", BEYOND_2D)
def test_parameters_are_those_of_the_2d_network_and_of_its_temporal_taps(depth):
    with torch.device("meta"):
        ours, theirs = build_resnet3d(depth, n_classes=174), flat(depth)
    stem = (theirs.conv1, theirs.bn1)
    in_res4, in_res5 = BEYOND_2D[depth]
    extractor = count(*stem, theirs.layer1, theirs.layer2, theirs.layer3) + in_res4
    assert count(ours.extractor) == extractor
    assert count(ours.next_stage) == count(theirs.layer4) + in_res5
    assert count(ours.head) == 174 * (theirs.fc.in_features + 1)
    assert count(ours) == count(ours.extractor, ours.next_stage, ours.head)


def test_depth_50_with_400_classes_has_32_454_096_parameters():
    with torch.device("meta"):
        assert count(build_resnet3d("50", n_classes=400)) == 32_454_096


@pytest.mark.parametrize(("depth", "channels"), [("18", 256), ("50", 1024), ("101", 1024)])
def test_the_cut_is_after_res4_at_a_sixteenth_of_the_frame(depth, channels):
    with torch.device("meta"):
        model = build_resnet3d(depth, n_classes=174)
        features = model.extract(torch.empty((1, 3, 32, 224, 224), dtype=torch.uint8))
        assert features.shape == (1, channels, 32, 14, 14)
        assert model.next_stage(features).shape == (1, 2 * channels, 32, 7, 7)
        assert model.perceive(features).shape == (1, 174)
    assert model.next_stage.in_channels == channels
    assert model.next_stage.channels == 2 * channels


def test_answers_are_those_of_pytorchvideo_with_the_same_weights():
    theirs = stock(width=8, model_num_class=11).eval()
    unsettle(theirs)
    ours = build_resnet3d("50", n_classes=11, **SMALL).eval()
    ours.load_state_dict(theirs.state_dict())
    with torch.no_grad():
        expected = theirs(ours.normalize(frames()).contiguous())
        torch.testing.assert_close(ours(frames()).scores, expected, rtol=1e-4, atol=1e-5)


def test_gradients_are_those_of_pytorchvideo_with_the_same_weights():
    theirs = stock(width=8, model_num_class=3, dropout_rate=0.0).double()
    ours = build_resnet3d("50", n_classes=3, dropout=0.0, **SMALL).double()
    ours.load_state_dict(theirs.state_dict())
    ours(frames()).scores.square().sum().backward()
    theirs(ours.normalize(frames()).contiguous()).square().sum().backward()
    gradients = {name: parameter.grad for name, parameter in ours.named_parameters()}
    for name, parameter in theirs.named_parameters():
        torch.testing.assert_close(gradients[name], parameter.grad, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("depth", ["18", "50"])
@pytest.mark.parametrize(("length", "size"), [(1, 32), (3, 40), (5, 33)])
def test_clips_of_any_length_and_size_pass(depth, length, size):
    model = build_resnet3d(depth, n_classes=5, **SMALL).eval()
    assert model(frames(2, length, size)).scores.shape == (2, 5)


def test_normalised_frames_have_the_mean_and_spread_of_imagenet():
    model = build_resnet3d("18", n_classes=5, **SMALL)
    clip = torch.tensor([255, 128, 0], dtype=torch.uint8).view(1, 3, 1, 1, 1)
    expected = [(1 - 0.485) / 0.229, (128 / 255 - 0.456) / 0.224, -0.406 / 0.225]
    torch.testing.assert_close(model.normalize(clip).flatten(), torch.tensor(expected))


# Temporal convolutions up to and including res4 and res5; each reaches one frame further.
@pytest.mark.parametrize(("depth", "in_res4", "in_res5"), [("18", 2, 4), ("50", 6, 9)])
def test_inflated_weights_see_in_the_middle_of_a_still_clip_what_the_2d_network_sees_in_it(
    depth, in_res4, in_res5
):
    theirs, ours = flat(depth, num_classes=7).eval(), build_resnet3d(depth, n_classes=7).eval()
    unsettle(theirs)
    ours.load_state_dict(inflate(theirs.state_dict(), ours))
    clip = frames(1, 1, 33).expand(-1, -1, 2 * in_res5 + 1, -1, -1)
    with torch.no_grad():
        image = ours.normalize(clip)[:, :, 0]
        x = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(image))))
        res4 = theirs.layer3(theirs.layer2(theirs.layer1(x)))
        features = ours.extract(clip)
        for t in range(in_res4, clip.shape[2] - in_res4):
            torch.testing.assert_close(features[:, :, t], res4, rtol=1e-3, atol=1e-4)
        res5 = ours.next_stage(features)[:, :, in_res5]
        torch.testing.assert_close(res5, theirs.layer4(res4), rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(
            ours.head(res5.unsqueeze(2)), theirs(image), rtol=1e-3, atol=1e-4
        )
    assert not torch.allclose(features[:, :, in_res4 - 1], res4, rtol=1e-3, atol=1e-4)


def test_inflation_leaves_the_weights_it_is_given_as_they_are():
    state = flat("18", num_classes=7).state_dict()
    before = {key: value.clone() for key, value in state.items()}
    inflate(state, build_resnet3d("18", n_classes=7))
    assert state.keys() == before.keys()
    assert all(torch.equal(state[key], before[key]) for key in before)


@pytest.mark.parametrize("depth", ["18", "50"])
def test_a_fused_network_answers_the_same(depth):
    model = build_resnet3d(depth, n_classes=5, **SMALL).eval()
    unsettle(model)
    with torch.no_grad():
        expected = model(frames()).scores
        got = fuse_for_inference(model)(frames()).scores
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


def train_twice(model: nn.Module) -> list[torch.Tensor]:
    torch.manual_seed(2)  # of dropout
    for _ in range(2):
        scores = model(frames()).scores
        scores.square().sum().backward()
    return [scores, *(parameter.grad for parameter in model.parameters())]


@pytest.mark.parametrize("depth", ["18", "50"])
def test_checkpointed_gradients_train_the_same_bit_for_bit(depth):
    kept = build_resnet3d(depth, n_classes=5, **SMALL)
    twice = build_resnet3d(depth, n_classes=5, checkpoint_gradients=True, **SMALL)
    twice.load_state_dict(kept.state_dict())
    for got, expected in zip(train_twice(twice), train_twice(kept), strict=True):
        assert torch.equal(got, expected)
    for key, value in kept.state_dict().items():
        assert torch.equal(twice.state_dict()[key], value), key


@pytest.mark.parametrize("checkpoint_gradients", [False, True])
def test_checkpointed_gradients_keep_what_goes_into_stem_and_blocks_alone(checkpoint_gradients):
    model = build_resnet3d(
        "50", n_classes=5, checkpoint_gradients=checkpoint_gradients, **SMALL
    ).train()
    kept: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: kept.append(t.numel()) or t, lambda t: t
    ):
        model(frames(1, 4, 64))
    # Values a frame: the clip, the results of the stem and of res2 to res4, two results of res5.
    blocks = 3 * 32 * 256 + 4 * 64 * 64 + 6 * 128 * 16 + 2 * 256 * 4
    inputs = 4 * (3 * 64**2 + 8 * 16**2 + blocks)
    head = 256 + 5 * 256
    assert (sum(kept) <= inputs + 2 * head) == checkpoint_gradients


def test_autocast_computes_in_16_bits_and_keeps_gradients_in_32():
    model = build_resnet3d("50", n_classes=5, checkpoint_gradients=True, **SMALL)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = model(frames()).scores
    scores.float().square().sum().backward()
    assert scores.dtype == torch.bfloat16
    assert all(parameter.grad.dtype == torch.float32 for parameter in model.parameters())


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where downloaded weights are kept."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    directory = tmp_path / "hub" / "checkpoints"
    directory.mkdir(parents=True)
    return directory


def test_imagenet_weights_are_those_of_the_same_depth_without_counters(published):
    theirs = flat("18")
    unsettle(theirs)
    state = {k: v for k, v in theirs.state_dict().items() if "num_batches_tracked" not in k}
    torch.save(state, published / "resnet18-f37072fd.pth")
    model = build_resnet3d("18", n_classes=5)
    assert load_weights(model, "imagenet") == (f"{CLASSIFIER}.bias", f"{CLASSIFIER}.weight")
    ours = model.state_dict()
    assert torch.equal(ours["blocks.0.norm.running_var"], theirs.bn1.running_var)
    first, second = ours["blocks.3.res_blocks.0.branch2.conv_a.weight"].unbind(2)[::2]
    assert torch.equal(first, second)
    torch.testing.assert_close(3 * first, theirs.layer3[0].conv1.weight)


def test_kinetics_weights_load_but_for_a_classifier_of_other_classes(published):
    theirs = stock()
    torch.save({"model_state": theirs.state_dict()}, published / "SLOW_8x8_R50.pyth")
    model = build_resnet3d("50", n_classes=5)
    left = load_weights(model, "kinetics400")
    assert left == (f"{CLASSIFIER}.bias", f"{CLASSIFIER}.weight")
    expected = theirs.state_dict()
    for key, value in model.state_dict().items():
        assert key in left or torch.equal(value, expected[key])


@pytest.mark.parametrize(
    ("depth", "width_factor", "weights", "message"),
    [
        ("50", 0.5, "imagenet", "imagenet is published for --width-factor 1 only"),
        ("50", 0.5, "kinetics400", "kinetics400 is published for --depth 50 and --width-factor 1"),
        ("18", 1.0, "kinetics400", "kinetics400 is published for --depth 50 and --width-factor 1"),
    ],
)
def test_weights_published_for_other_networks_are_wrong_usage(
    depth, width_factor, weights, message
):
    with torch.device("meta"):
        model = build_resnet3d(depth, n_classes=5, width_factor=width_factor)
    with pytest.raises(UsageError, match=f"--weights: {message}"):
        load_weights(model, weights)


def test_without_a_network_the_error_names_the_address_and_what_to_do(published, monkeypatch):
    def offline(*arguments, **options):
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with torch.device("meta"):
        model = build_resnet3d("101", n_classes=5)
    message = r"https://\S+/resnet101-\w+\.pth: cannot be downloaded .*pass --weights FILE"
    with pytest.raises(AttncliError, match=message):
        load_weights(model, "imagenet")


def test_a_2d_file_is_inflated(tmp_path):
    torch.save(flat("18").state_dict(), tmp_path / "2d.pth")
    assert load_weights(build_resnet3d("18", n_classes=1000), str(tmp_path / "2d.pth")) == ()


def test_a_2d_file_of_another_depth_is_told_by_its_keys(tmp_path):
    torch.save(flat("34").state_dict(), tmp_path / "2d.pth")
    message = r"2d\.pth: .*unexpected: blocks\.1\.res_blocks\.2\.branch2\.conv_a\.weight"
    with pytest.raises(AttncliError, match=message):
        load_weights(build_resnet3d("18", n_classes=5), str(tmp_path / "2d.pth"))


def test_the_weights_of_a_run_with_other_classes_load_but_for_the_classifier(tmp_path):
    trained = build_resnet3d("18", n_classes=7, **SMALL)
    save_file(
        {k: v.contiguous() for k, v in trained.state_dict().items()}, tmp_path / "m.safetensors"
    )
    model = build_resnet3d("18", n_classes=5, **SMALL)
    left = load_weights(model, str(tmp_path / "m.safetensors"))
    assert left == (f"{CLASSIFIER}.bias", f"{CLASSIFIER}.weight")
    assert torch.equal(model.blocks[0].conv.weight, trained.blocks[0].conv.weight)


def test_weights_of_another_width_are_told_by_their_keys(tmp_path):
    torch.save(build_resnet3d("18", n_classes=5, **SMALL).state_dict(), tmp_path / "narrow.pt")
    with pytest.raises(AttncliError, match=r"narrow\.pt: .*of another shape: blocks\.0\.conv"):
        load_weights(build_resnet3d("18", n_classes=5), str(tmp_path / "narrow.pt"))


def test_no_weights_leave_the_network_as_it_is():
    model = build_resnet3d("18", n_classes=5, **SMALL)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    assert load_weights(model, "none") == ()
    assert all(torch.equal(model.state_dict()[key], before[key]) for key in before)


def test_the_seed_decides_the_weights():
    first, second = (
        torch.manual_seed(3) and build_resnet3d("18", n_classes=5, **SMALL).state_dict()
        for _ in range(2)
    )
    assert all(torch.equal(first[key], second[key]) for key in first)

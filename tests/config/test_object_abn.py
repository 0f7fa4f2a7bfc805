from pathlib import Path

from attncli.config.object_abn import ObjectAbnConfig

CONFIG = ObjectAbnConfig(data=Path(), masks=Path())


def test_the_network_and_its_losses_are_the_papers_by_default() -> None:
    assert (CONFIG.size, CONFIG.weights) == ("m", "kinetics400")
    assert (CONFIG.attention_branch, CONFIG.mechanism) == ("abn", "residual")
    assert (CONFIG.lambda_att, CONFIG.lambda_mask) == (1, 10)
    assert (CONFIG.mask_resize, CONFIG.empty_frames) == ("nearest", "zero")


def test_the_optimisation_is_the_papers_by_default() -> None:
    assert (CONFIG.optimizer, CONFIG.lr, CONFIG.schedule) == ("adam", 1e-4, "constant")
    assert (CONFIG.epochs, CONFIG.warmup_epochs, CONFIG.weight_decay) == (50, 0, 0)
    assert CONFIG.clip_grad_norm is None


def test_clips_are_the_papers_by_default() -> None:
    assert (CONFIG.split_number, CONFIG.frames, CONFIG.frame_stride) == (1, 16, 4)
    assert (CONFIG.short_side_min_px, CONFIG.short_side_max_px) == (256, 320)
    assert (CONFIG.short_side_val_px, CONFIG.crop_px, CONFIG.flip) == (256, 224, 0.5)
    assert CONFIG.val_start == "centre"  # the paper's is random; a centred one can be repeated

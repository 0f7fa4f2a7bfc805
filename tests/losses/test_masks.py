"""Expected values are computed by hand or by loops written from Object-ABN's paper."""

import pytest
import torch
from torch import Tensor

from attncli.losses.masks import mask_loss, resize_masks, spatial_edit_loss


def test_eq7_is_a_mean_of_squares_over_frames_rows_and_columns_then_clips():
    torch.manual_seed(0)
    attention = torch.rand(2, 3, 4, 4, dtype=torch.float64)
    masks = torch.rand(2, 3, 8, 8) < 0.4
    targets = resize_masks(masks, size_hw=(4, 4), how="nearest")
    of_clips = []
    for b in range(2):
        squares = [
            (attention[b, t, i, j].item() - targets[b, t, i, j].item()) ** 2
            for t in range(3)
            for i in range(4)
            for j in range(4)
        ]
        of_clips.append(sum(squares) / len(squares))
    assert mask_loss(attention, masks).item() == pytest.approx(sum(of_clips) / 2, rel=1e-5)


def test_eq7_of_a_map_of_one_half_is_a_quarter_whatever_the_mask():
    masks = torch.rand(2, 3, 8, 8) < 0.4
    assert mask_loss(torch.full((2, 3, 4, 4), 0.5), masks).item() == pytest.approx(0.25)


def cells(masks: Tensor, size: int) -> dict[str, Tensor]:
    """The three ways down to a grid whose cells are whole blocks of pixels."""
    n, length, rows, _ = masks.shape
    side = rows // size
    answer = {how: torch.zeros(n, length, size, size) for how in ("nearest", "area", "max")}
    for b in range(n):
        for t in range(length):
            for i in range(size):
                for j in range(size):
                    top, left = i * side, j * side
                    block = masks[b, t, top : top + side, left : left + side]
                    centre = masks[b, t, top + side // 2, left + side // 2]
                    answer["nearest"][b, t, i, j] = float(centre)
                    answer["area"][b, t, i, j] = block.float().mean()
                    answer["max"][b, t, i, j] = float(block.any())
    return answer


@pytest.mark.parametrize("how", ["nearest", "area", "max"])
def test_masks_come_to_the_grid_cell_by_cell(how):
    masks = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)) < 0.1
    torch.testing.assert_close(resize_masks(masks, size_hw=(4, 4), how=how), cells(masks, 4)[how])


@pytest.mark.parametrize("how", ["nearest", "area", "max"])
def test_masks_of_no_whole_number_of_cells_stay_in_0_to_1(how):
    masks = torch.rand(1, 2, 15, 17) < 0.5
    resized = resize_masks(masks, size_hw=(4, 4), how=how)
    assert resized.shape == (1, 2, 4, 4)
    assert 0 <= resized.min() <= resized.max() <= 1
    assert resize_masks(torch.ones_like(masks), size_hw=(4, 4), how=how).eq(1).all()


def test_empty_frames_ask_for_zero_or_for_nothing():
    attention = torch.full((2, 2, 4, 4), 0.5)
    attention[0, 1] = 0.25
    masks = torch.zeros(2, 2, 8, 8, dtype=torch.bool)
    masks[0, 0] = True
    # Frame errors: clip 0 has (1/2)^2 and (1/4)^2, clip 1 twice (1/2)^2; only the first has a mask.
    zero = ((1 / 4 + 1 / 16) / 2 + 1 / 4) / 2
    assert mask_loss(attention, masks, empty_frames="zero").item() == pytest.approx(zero)
    assert mask_loss(attention, masks, empty_frames="ignore").item() == pytest.approx(1 / 8)


def test_a_batch_without_any_object_has_no_gradient_when_empty_frames_are_ignored():
    attention = torch.rand(2, 2, 4, 4, requires_grad=True)
    masks = torch.zeros(2, 2, 8, 8, dtype=torch.bool)
    mask_loss(attention, masks, empty_frames="ignore").backward()
    assert not attention.grad.any()


def test_gradient_of_the_mask_loss_agrees_with_finite_differences():
    attention = torch.rand(2, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    masks = torch.rand(2, 2, 9, 9) < 0.3
    for empty in ("zero", "ignore"):
        assert torch.autograd.gradcheck(
            lambda a, empty=empty: mask_loss(a.double(), masks, empty_frames=empty).double(),
            attention,
            eps=1e-3,
            atol=1e-3,
        )


# Two clips of two frames of 1x2 cells. Of the first clip frame 0 is edited, of the second none.
MAPS = torch.tensor([[[[0.5, 0.25]], [[0.9, 0.1]]], [[[0.3, 0.2]], [[0.7, 0.6]]]])
EDITS = torch.tensor([[[[True, False]], [[False, False]]], [[[True, True]], [[False, False]]]])
IS_EDITED = torch.tensor([[True, False], [False, False]])


def test_the_loss_of_spatial_edits_is_a_mean_in_which_frames_nobody_edited_are_zero():
    # Frame 0: (0.5 - 1)^2 = 0.25 and 0.25^2 = 0.0625, in the mean 0.15625; one frame of four.
    loss = spatial_edit_loss(MAPS, EDITS, IS_EDITED)
    assert loss.item() == pytest.approx(0.15625 / 4)
    assert spatial_edit_loss(MAPS, EDITS, torch.zeros(2, 2, dtype=torch.bool)).item() == 0


def test_where_every_frame_is_edited_spatial_edits_are_masks():
    everything = torch.ones(2, 2, dtype=torch.bool)
    loss = spatial_edit_loss(MAPS, EDITS, everything)
    assert loss.item() == pytest.approx(mask_loss(MAPS, EDITS).item())


def test_an_edited_frame_without_a_mask_asks_for_no_attention_anywhere():
    empty = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    loss = spatial_edit_loss(torch.full((1, 1, 2, 2), 0.5), empty, torch.ones(1, 1).bool())
    assert loss.item() == pytest.approx(0.25)


def test_spatial_edits_have_gradients_only_in_edited_frames():
    maps = MAPS.clone().requires_grad_()
    spatial_edit_loss(maps, EDITS, IS_EDITED).backward()
    # Of (m - e)^2 over 2 cells, 2 frames and 2 clips.
    torch.testing.assert_close(maps.grad[0, 0], (MAPS[0, 0] - EDITS[0, 0].float()) / 4)
    assert not maps.grad[0, 1].any() and not maps.grad[1].any()


def test_an_edited_frame_weighs_the_same_in_any_batch():
    alone = spatial_edit_loss(MAPS[:1], EDITS[:1], IS_EDITED[:1]).item()
    assert spatial_edit_loss(MAPS, EDITS, IS_EDITED).item() * 2 == pytest.approx(alone)


@pytest.mark.parametrize("how", ["nearest", "area", "max"])
def test_spatial_edits_come_to_the_grid_as_masks_do(how):
    edits = torch.rand(1, 2, 16, 16, generator=torch.Generator().manual_seed(0)) < 0.1
    maps = torch.rand(1, 2, 4, 4)
    expected = (maps - cells(edits, 4)[how]).square().mean()
    loss = spatial_edit_loss(maps, edits, torch.ones(1, 2).bool(), mask_resize=how)
    assert loss.item() == pytest.approx(expected.item())

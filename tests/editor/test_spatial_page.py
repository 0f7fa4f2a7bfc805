"""The page for spatial attention in a real browser: Debian's Chromium, driven by Playwright."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from attncli.files.masks import FrameMasks, Instance, MaskWriter
from tests.support.pages import HARD_TO_READ, press

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

# pycocotools 2.0.11 hands numpy an array type of its own in numpy 1's manner.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture
def page(tab: Any, spatial_editor: Any, problems: list[str]) -> Any:
    tab.set_viewport_size({"width": 1280, "height": 800})
    tab.goto(spatial_editor.server.access.address)
    tab.locator("#candidates li").nth(1).wait_for()
    yield tab
    tab.unroute_all()
    tab.goto("about:blank")


def rectangle(top: int, left: int, bottom: int, right: int) -> np.ndarray:
    mask = np.zeros((48, 64), dtype=np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def saved(page: Any, editor: Any, clip: str = "one") -> dict[int, np.ndarray]:
    """Return the masks on disk, once the page says that they are there."""
    page.locator("#saving[data-state=saved]").wait_for()
    return editor.painted(clip)


def drag(page: Any, *places: tuple[float, float]) -> None:
    """Drag from place to place, in pixels of the video."""
    box = page.locator("#picture").bounding_box()
    scale = box["width"] / 64
    at = [(box["x"] + x * scale, box["y"] + y * scale) for x, y in places]
    page.mouse.move(*at[0])
    page.mouse.down()
    for place in at[1:]:
        page.mouse.move(*place, steps=3)
    page.mouse.up()


def test_what_mouse_and_keyboard_paint_is_found_again(page: Any, spatial_editor: Any) -> None:
    drag(page, (10, 24), (50, 24))
    line = saved(page, spatial_editor)[0]
    assert line[24, 12:48].all() and not line[:18].any() and not line[30:].any()
    press(page, "ArrowRight", "d", "Shift+ArrowRight", "Shift+ArrowRight", "d", "]")
    dabs = saved(page, spatial_editor)[1]
    # The brush goes on from where the mouse left it.
    assert dabs[24, 49:51].all() and dabs[24, 54] and not dabs[:, :47].any()
    expect(page.locator("#progress-text")).to_have_text("1 of 2 clips edited")
    page.reload()
    page.locator("#candidates li").nth(1).wait_for()
    expect(page.locator("#standing")).to_have_text("Frame 0 of 0\u20133 edited")
    assert page.locator("#strip .edited").count() == 2
    press(page, "e")
    drag(page, (0, 24), (63, 24))
    erased = saved(page, spatial_editor)
    assert not erased[0].any()
    np.testing.assert_array_equal(erased[1], dabs)


def test_the_brush_paints_while_its_key_is_held(page: Any, spatial_editor: Any) -> None:
    page.keyboard.down("d")
    for _ in range(6):
        press(page, "Shift+ArrowDown")
    page.keyboard.up("d")
    column = saved(page, spatial_editor)[0][:, 32]
    assert column[24:36].all() and not column[:20].any()
    press(page, "u")
    assert saved(page, spatial_editor) == {}


def test_candidates_fill_by_number_by_click_and_all_at_once(page: Any, spatial_editor: Any) -> None:
    press(page, "1")
    assert saved(page, spatial_editor)[0].sum() == 80
    press(page, "2")
    assert saved(page, spatial_editor)[0].sum() == 600
    press(page, "1")  # all of it is covered, so it is taken away again
    assert saved(page, spatial_editor)[0].sum() == 520
    press(page, "x", "k")
    drag(page, (5, 5))
    assert saved(page, spatial_editor)[0].sum() == 80
    drag(page, (60, 40))
    expect(page.locator("#message")).to_have_text("There is no candidate here.")
    press(page, "ArrowRight")
    expect(page.locator("#standing")).to_have_text("Frame 1 of 0\u20133 not edited")
    page.locator("#candidates li").nth(1).wait_for()
    press(page, "a")
    assert saved(page, spatial_editor)[1].sum() == 600
    page.get_by_role("button", name="2 box").click()
    assert not saved(page, spatial_editor)[1].any()


def test_edits_are_copied_emptied_taken_away_and_undone(page: Any, spatial_editor: Any) -> None:
    press(page, "c")
    expect(page.locator("#message")).to_have_text("This frame has no edit to copy.")
    press(page, "1", "c")
    expect(page.locator("#standing")).to_have_text("Frame 1 of 0\u20133 edited")
    press(page, "End", "0")
    expect(page.locator("#standing")).to_have_text("Frame 3 of 0\u20133 edited: nowhere")
    press(page, "Home", "ArrowRight", "Shift+C")
    expect(page.locator("#message")).to_have_text("Copied to frame 2, following hand.")
    sums = {frame: int(mask.sum()) for frame, mask in saved(page, spatial_editor).items()}
    assert sums == {0: 80, 1: 80, 2: 80, 3: 0}
    press(page, "x", "u", "u", "u")
    assert set(saved(page, spatial_editor)) == {0, 1}
    expect(page.locator("#standing")).to_have_text("Frame 3 of 0\u20133 not edited")
    press(page, "Shift+U", "Control+y")
    assert set(saved(page, spatial_editor)) == {0, 1, 2, 3}


def test_the_models_attention_is_switched_off_and_on(page: Any) -> None:
    def pixels() -> list[int]:
        picture = Image.open(io.BytesIO(page.locator("#picture").screenshot()))
        return list(picture.convert("RGB").getpixel((picture.width // 2, picture.height // 3)))

    shown = pixels()
    press(page, "o")
    expect(page.get_by_role("button", name="Model")).to_have_attribute("aria-pressed", "false")
    hidden = pixels()
    assert hidden != shown
    assert hidden == pytest.approx([0, 80, 120], abs=8)  # the frame itself
    press(page, "o")
    assert pixels() == shown


def test_clips_follow_one_another(page: Any, spatial_editor: Any) -> None:
    press(page, "1", "Shift+N")
    expect(page.locator("#label")).to_have_text("Closing")
    expect(page.locator("#no-candidates")).to_be_visible()
    press(page, "End", "0", "p")
    expect(page.locator("#progress-text")).to_have_text("2 of 2 clips edited")
    expect(page.locator("#label")).to_have_text("Opening")
    assert set(saved(page, spatial_editor, "a/two, more")) == {2}


def test_a_failure_to_save_is_loud_and_mended(
    page: Any, spatial_editor: Any, problems: list[str]
) -> None:
    page.route("**/api/clips/**", lambda route: route.abort())
    press(page, "1")
    expect(page.get_by_role("alert")).to_contain_text("Not saved: The editor does not answer.")
    assert spatial_editor.painted("one") == {}
    page.unroute("**/api/clips/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_be_hidden()
    assert saved(page, spatial_editor)[0].sum() == 80
    assert all("ERR_FAILED" in problem for problem in problems)
    problems.clear()


def test_every_key_of_the_help_is_there(page: Any) -> None:
    press(page, "?")
    expect(page.get_by_role("dialog")).to_contain_text("Pick: click on an instance")
    press(page, "Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [700, 900, 1280, 1920])
def test_nothing_is_out_of_view_in_any_window(page: Any, scheme: str, width: int) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator("#picture")).to_be_in_viewport()
    page.emulate_media(color_scheme="light")


def look(page: Any, place: tuple[float, float]) -> list[int]:
    """Return the colour at a place of the page's canvas, in shares of it."""
    picture = Image.open(io.BytesIO(page.locator("#picture").screenshot())).convert("RGB")
    at = (int(place[0] * (picture.width - 1)), int(place[1] * (picture.height - 1)))
    return list(picture.getpixel(at))


def test_candidates_are_outlined_numbered_and_switched_off(page: Any) -> None:
    edge = (29.5 / 64, 10 / 48)  # the right end of the box
    assert look(page, edge) == [255, 255, 255]
    press(page, "v")
    expect(page.get_by_role("button", name="Candidates")).to_have_attribute("aria-pressed", "false")
    assert look(page, edge) != [255, 255, 255]
    press(page, "v")
    assert look(page, edge) == [255, 255, 255]
    number = (5 / 64, 0.008)  # above the digit, within its box
    assert max(look(page, number)) < 80


def test_what_is_pointed_at_is_highlighted_and_what_is_in_is_pressed(page: Any) -> None:
    rows = page.locator("#candidates li")
    press(page, "k")
    box = page.locator("#picture").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 5 / 64, box["y"] + box["height"] * 5 / 48)
    expect(rows.nth(0)).to_have_class("highlighted")
    assert look(page, (9.5 / 64, 4 / 48)) == [255, 225, 0]
    page.mouse.move(box["x"] + box["width"] * 20 / 64, box["y"] + box["height"] * 15 / 48)
    expect(rows.nth(1)).to_have_class("highlighted")
    expect(rows.nth(0)).not_to_have_class("highlighted")
    page.mouse.move(box["x"] + box["width"] * 60 / 64, box["y"] + box["height"] * 40 / 48)
    expect(page.locator("#candidates .highlighted")).to_have_count(0)
    rows.nth(0).get_by_role("button").focus()
    expect(rows.nth(0)).to_have_class("highlighted")
    press(page, "Enter")
    expect(rows.nth(0).get_by_role("button")).to_have_attribute("aria-pressed", "true")
    expect(rows.nth(0).get_by_role("button")).to_be_focused()
    expect(rows.nth(1).get_by_role("button")).to_have_attribute("aria-pressed", "false")
    press(page, "u")
    expect(rows.nth(0).get_by_role("button")).to_have_attribute("aria-pressed", "false")


def test_the_clip_is_played_over_and_over(page: Any, spatial_editor: Any) -> None:
    press(page, " ")
    for frame in (2, 3, 0):
        page.locator("#standing", has_text=f"Frame {frame} of").wait_for()
    press(page, "s", " ")
    expect(page.locator("[data-part=play]")).to_contain_text("Play")
    expect(page.locator("[data-part=speed]")).to_contain_text("\u00bd")
    press(page, "Home", "1")  # candidates are there as soon as it stands still
    expect(page.locator("#candidates [aria-pressed=true]")).to_have_count(1)
    assert saved(page, spatial_editor)[0].sum() == 80


def test_one_paints_where_one_sees_whatever_part_is_in_view(page: Any, spatial_editor: Any) -> None:
    def dab_in_the_middle() -> tuple[float, float]:
        page.locator("#picture").click()
        mask = saved(page, spatial_editor)[0]
        press(page, "x")
        rows, columns = np.nonzero(mask)
        return float(columns.mean()), float(rows.mean())

    page.mouse.move(1, 1)  # enlarged about the middle, and not about the pointer
    press(page, "+", "+", "+", "+")
    expect(page.locator("#message")).to_have_text("Shown 5.1 times as large as the whole picture.")
    before = dab_in_the_middle()
    assert before == pytest.approx((31.5, 23.5), abs=1.1)
    press(page, "Control+ArrowRight", "Control+ArrowRight", "Control+ArrowDown")
    right, down = dab_in_the_middle()
    assert right > before[0] + 1 and down > before[1] + 0.5
    press(page, "h")
    box = page.locator("#picture").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 100, box["y"] + 100, steps=4)
    page.mouse.up()
    assert saved(page, spatial_editor) == {}
    press(page, "b")
    assert dab_in_the_middle()[0] > right + 0.5
    press(page, "w")
    assert dab_in_the_middle() == pytest.approx((31.5, 23.5), abs=1.1)


def test_painting_and_attention_are_made_fainter_and_stronger(page: Any) -> None:
    press(page, "2", "v")
    place = (20 / 64, 10 / 48)
    seen = [look(page, place)]
    for key, said in ((".", "75 %"), (".", "100 %"), (",", "75 %")):
        press(page, key)
        expect(page.locator("#opacity")).to_have_text(said)
        seen.append(look(page, place))
    assert seen[2] == pytest.approx([255, 43, 214], abs=2)
    assert seen[0][0] < seen[1][0] < seen[2][0] and seen[3] == seen[1]


def test_copies_follow_the_instances_of_the_mask_file(page: Any, spatial_editor: Any) -> None:
    hands = {0: rectangle(0, 0, 8, 10), 1: rectangle(4, 6, 12, 16), 2: None}
    with MaskWriter(spatial_editor.directory.candidates.root, "a/two, more") as writer:
        for frame, hand in hands.items():
            found = () if hand is None else (Instance.of(hand, category="hand", score=0.9),)
            writer.write(FrameMasks(frame, (48, 64), found))
    press(page, "n")
    page.locator("#candidates li").nth(0).wait_for()
    expect(page.locator("#label")).to_have_text("Closing")
    press(page, "1")
    drag(page, (40, 40), (50, 40))
    dab = saved(page, spatial_editor, "a/two, more")[0] & ~hands[0]
    assert dab.any()
    press(page, "c")
    expect(page.locator("#message")).to_have_text("Copied to frame 1, following hand.")
    masks = saved(page, spatial_editor, "a/two, more")
    np.testing.assert_array_equal(masks[1], hands[1] | dab)
    press(page, "c")
    expect(page.locator("#message")).to_have_text("Copied to frame 2, as it is.")
    np.testing.assert_array_equal(saved(page, spatial_editor, "a/two, more")[2], masks[1])
    press(page, "u")
    expect(page.locator("#message")).to_have_text("Undone: copy, frame 2.")
    assert set(saved(page, spatial_editor, "a/two, more")) == {0, 1}


def test_frames_are_gone_to_by_number(page: Any) -> None:
    press(page, "j", "2", "Enter")
    expect(page.locator("#standing")).to_have_text("Frame 2 of 0\u20133 not edited")
    press(page, "PageUp")
    expect(page.locator("#standing")).to_have_text("Frame 0 of 0\u20133 not edited")
    press(page, "PageDown")
    expect(page.locator("#standing")).to_have_text("Frame 3 of 0\u20133 not edited")
    expect(page.locator("#strip [aria-selected=true]")).to_have_attribute(
        "aria-label", "Frame 3: not edited"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_large_and_dark_enough_to_read(page: Any, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 900, "height": 800})
    press(page, "1")
    expect(page.locator("#candidates [aria-pressed=true]")).to_have_count(1)
    assert page.evaluate(HARD_TO_READ.replace(".number, ", ".number, #strip span, ")) == []
    page.emulate_media(color_scheme="light")

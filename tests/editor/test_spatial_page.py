"""The page for spatial attention in a real browser: Debian's Chromium, driven by Playwright."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

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


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


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
    expect(page.locator("#standing")).to_have_text("Frame 1 of 4 edited")
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
    expect(page.locator("#standing")).to_have_text("Frame 2 of 4 not edited")
    page.locator("#candidates li").nth(1).wait_for()
    press(page, "a")
    assert saved(page, spatial_editor)[1].sum() == 600
    page.get_by_role("button", name="box").click()
    assert not saved(page, spatial_editor)[1].any()


def test_edits_are_copied_emptied_taken_away_and_undone(page: Any, spatial_editor: Any) -> None:
    press(page, "c")
    expect(page.locator("#message")).to_have_text("This frame has no edit to copy.")
    press(page, "1", "c")
    expect(page.locator("#standing")).to_have_text("Frame 2 of 4 edited")
    press(page, "End", "0")
    expect(page.locator("#standing")).to_have_text("Frame 4 of 4 edited: nowhere")
    press(page, "Home", "ArrowRight", "Shift+C")
    expect(page.locator("#message")).to_have_text("Copied to 1 frames.")
    sums = {frame: int(mask.sum()) for frame, mask in saved(page, spatial_editor).items()}
    assert sums == {0: 80, 1: 80, 2: 80, 3: 0}
    press(page, "x", "u", "u", "u")
    assert set(saved(page, spatial_editor)) == {0, 1}
    expect(page.locator("#standing")).to_have_text("Frame 4 of 4 not edited")
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
@pytest.mark.parametrize("width", [700, 1280, 1920])
def test_nothing_is_out_of_view_in_any_window(page: Any, scheme: str, width: int) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator("#picture")).to_be_in_viewport()
    page.emulate_media(color_scheme="light")

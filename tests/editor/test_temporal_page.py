"""How clips are gone through on the page for temporal attention, in a real browser."""

from typing import Any

import pytest

from tests.support.pages import HARD_TO_READ, UNSET, OpenPage, current, press, shown

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect


def notes(editor: Any) -> list[str]:
    return (editor.directory.path / "notes.csv").read_text().splitlines()[1:]


def test_painting_ends_at_the_last_frame_while_the_key_is_held(page: Any) -> None:
    press(page, "End", "ArrowLeft", "ArrowLeft")
    page.keyboard.down("3")
    press(page, " ")
    expect(page.locator("#message")).to_have_text("Painting ends at the last frame.")
    expect(page.get_by_role("button", name="Play", exact=False).first).to_contain_text("Play")
    press(page, " ")  # nor does it start over when it is played again
    expect(page.locator("[data-part=play]")).to_contain_text("Play")
    page.keyboard.up("3")
    assert shown(page) == [UNSET, UNSET, UNSET, "1", "1", "1"]
    assert current(page).startswith("Frame 5")


def test_a_clip_is_done_when_the_annotator_says_so(page: Any, editor: Any) -> None:
    press(page, "1", "c")
    expect(page.locator("#message")).to_contain_text("5 frames not set")
    expect(page.locator("#progress-text")).to_have_text("0 of 3 clips done")
    press(page, "Shift+F", "c")
    expect(page.locator("#standing")).to_have_text("Confirmed")
    expect(page.locator("[data-state=confirmed]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#progress-text")).to_have_text("1 of 3 clips done")
    shown(page)
    assert notes(editor) == ["one,confirmed,"]
    press(page, "x")  # what has no score is not confirmed
    expect(page.locator("#standing")).to_have_text("1 of 6 frames not set")
    press(page, "k")
    expect(page.locator("#message")).to_contain_text("Its 5 scores stay in the file")
    press(page, "q", "t")
    page.keyboard.type("which hand, c?")
    press(page, "Enter")
    shown(page)
    assert notes(editor) == ['one,unsure,"which hand, c?"']
    assert editor.directory.edits_path.read_text().startswith("id,frame,score\n")
    page.reload()
    expect(page.locator("#label")).to_have_text("Opening")
    expect(page.locator("#standing")).to_have_text("Unsure")
    expect(page.locator("#note input")).to_have_value("which hand, c?")
    press(page, "q")
    expect(page.locator("#progress-text")).to_have_text("0 of 3 clips done")


def test_open_clips_are_those_of_which_nothing_is_said(page: Any) -> None:
    label = page.locator("#label")
    press(page, "k", "n")
    expect(label).to_have_text("Closing")
    press(page, "k", "p")
    expect(label).to_have_text("Opening")
    press(page, "Shift+N")
    expect(label).to_have_text("Lifting")
    expect(page.locator("#progress-text")).to_have_text("2 of 3 clips done")


def test_a_comment_is_given_up_with_escape(page: Any) -> None:
    press(page, "t", "a", "b", "Escape")
    expect(page.locator("#note input")).to_have_value("")
    expect(page.locator("#strip [aria-current]")).to_be_focused()


def test_the_large_view_has_the_videos_resolution_and_is_zoomed(page: Any) -> None:
    press(page, "l")
    about = page.locator("#large p")
    expect(about).to_have_text("1\u00d7 \u00b7 128 \u00d7 96 pixels")
    expect(page.locator("#strip")).to_be_hidden()
    press(page, "+", "+")
    expect(about).to_contain_text("2.3\u00d7")
    press(page, "Control+ArrowRight", "-")
    expect(about).to_contain_text("1.5\u00d7")
    page.locator("#large canvas").hover()
    page.mouse.wheel(0, -100)
    expect(about).to_contain_text("2.3\u00d7")
    press(page, "w")
    expect(about).to_contain_text("1\u00d7")
    press(page, "3", "ArrowRight", "2", "Escape")
    expect(page.locator("#strip")).to_be_visible()
    assert shown(page)[:3] == ["1", "0.5", UNSET]
    press(page, "n")
    expect(page.locator("#label")).to_have_text("Closing")
    press(page, "+")
    expect(about).to_contain_text("small picture (32 \u00d7 24 pixels): two.mp4: no such video")


def test_the_window_on_a_picture_keeps_its_place_and_stays_within(page: Any) -> None:
    result = page.evaluate("""async () => {
      const { Zoom } = await import("/zoom.js");
      const zoom = new Zoom();
      zoom.setSize({ width: 100, height: 50 });
      zoom.setRoom(200, 200);
      const found = [[zoom.scale, zoom.extent, zoom.corner]];
      zoom.by(2, [25, 25]);
      found.push([zoom.scale, zoom.extent, zoom.corner]);
      zoom.move(1000, 0);
      found.push([zoom.scale, zoom.extent, zoom.corner]);
      zoom.pan(-0.5, 0);
      found.push([zoom.scale, zoom.extent, zoom.corner]);
      zoom.by(0.01);
      found.push([zoom.scale, zoom.extent, zoom.corner]);
      return found;
    }""")
    assert result == [
        [2, [200, 100], [0, 0]],
        [4, [200, 200], [12.5, 0]],
        [4, [200, 200], [50, 0]],
        [4, [200, 200], [25, 0]],
        [2, [200, 100], [0, 0]],
    ]


def test_messages_follow_undo(page: Any) -> None:
    message = page.locator("#message")
    press(page, "1", "ArrowRight", "ArrowRight", "ArrowRight", "3", "f")
    expect(message).to_have_text("Filled 2 frames.")
    press(page, "u")
    expect(message).to_have_text("Undone: fill, frames 1 to 2.")
    press(page, "u")
    expect(message).to_have_text("Undone: score 1, frame 3.")
    press(page, "Shift+U")
    expect(message).to_have_text("Done again: score 1, frame 3.")
    press(page, "Shift+F")
    expect(message).to_have_text("Filled 4 frames.")
    press(page, "u")
    expect(message).to_have_text("Undone: fill, 4 frames.")
    expect(page.locator("#standing")).to_have_text("4 of 6 frames not set")


def test_frames_are_gone_to_by_number_and_by_ten(open_page: OpenPage) -> None:
    page = open_page(clip="long")
    press(page, "j")
    page.keyboard.type("41")
    press(page, "Enter")
    assert current(page).startswith("Frame 41:")
    press(page, "PageDown", "PageDown", "PageUp")
    assert current(page).startswith("Frame 51:")
    expect(page.locator("#to-frame input")).to_have_value("51")
    expect(page.locator("#strip [aria-current] .number")).to_have_text("51")
    press(page, "Shift+PageUp")
    assert page.locator("#strip [aria-selected=true]").count() == 11
    press(page, "j")
    page.keyboard.type("90")
    press(page, "Enter")
    expect(page.locator("#message")).to_have_text("There are frames 0 to 89.")
    assert current(page).startswith("Frame 41:")
    press(page, *["PageDown"] * 6)
    assert current(page).startswith("Frame 89:")


def test_every_so_many_frames_are_shown_and_moved_by(open_page: OpenPage) -> None:
    page = open_page(clip="long")
    visible = page.locator("#strip [role=option]:not([hidden])")
    press(page, "e", "e")
    expect(page.locator("#every")).to_have_text("Every 5th")
    expect(visible).to_have_count(18)
    press(page, "ArrowRight")
    assert current(page).startswith("Frame 5:")
    page.keyboard.down("2")
    press(page, "ArrowRight")
    page.keyboard.up("2")
    assert shown(page)[4:12] == [UNSET, *["0.5"] * 6, UNSET]
    press(page, "j")
    page.keyboard.type("13")
    press(page, "Enter")
    expect(visible).to_have_count(19)  # it is there while it is the current one
    press(page, "ArrowLeft")
    assert current(page).startswith("Frame 10:")
    press(page, "e", "e")
    expect(visible).to_have_count(90)


def test_rows_say_what_they_show(page: Any) -> None:
    labels = page.locator(".row-label")
    text = labels.first.inner_text().split()
    assert text[:2] == ["You", "Model"]
    first, last = text[2].split("\u2013")
    assert (first, int(last) < 6) == ("0", True)
    assert labels.last.inner_text().split()[-1].endswith("5")


def test_frames_are_counted_from_0_everywhere(page: Any, editor: Any) -> None:
    press(page, "ArrowRight", "3")
    shown(page)
    assert "one,1,1\n" in editor.directory.edits_path.read_text()
    assert current(page).startswith("Frame 1: 1")
    expect(page.locator("#to-frame")).to_contain_text("of 0\u20135")
    press(page, "u")
    expect(page.locator("#message")).to_have_text("Undone: score 1, frame 1.")
    press(page, "?")
    expect(page.get_by_role("dialog")).to_contain_text("Frames are counted from 0")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_is_in_reach_and_readable_in_a_small_window(open_page: OpenPage, scheme: str) -> None:
    page = open_page(clip="long", width=900, scheme=scheme)
    press(page, "1", "q", "l")
    page.locator(".verdict:not(:empty)").wait_for()
    expect(page.locator("#large p")).to_contain_text("128")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for name in ("Confirm", "Skip", "Unsure", "Whole", "Fill", "Large"):
        expect(page.get_by_role("button", name=name).first).to_be_in_viewport()
    assert page.evaluate(HARD_TO_READ) == []

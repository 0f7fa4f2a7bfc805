"""The page in a real browser: Debian's Chromium, driven by Playwright."""

import re
from typing import Any

import pytest

from tests.support.pages import HARD_TO_READ, UNSET, OpenPage, current, drag, press, shown

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect


def test_a_clip_is_edited_with_keys_alone_and_found_again(page: Any, editor: Any) -> None:
    press(page, "1", "ArrowRight", "2", "ArrowRight", "3", "End", "1", "ArrowLeft", "3")
    assert shown(page) == ["0", "0.5", "1", UNSET, "1", "0"]
    assert editor.on_disk("one") == [0, 0.5, 1, None, 1, 0]
    page.reload()
    expect(page.locator("#label")).to_have_text("Opening")
    assert shown(page) == ["0", "0.5", "1", UNSET, "1", "0"]
    assert current(page).startswith("Frame 3: not set")
    press(page, "2")
    expect(page.locator("#standing")).to_have_text("Every frame is scored, not confirmed yet")
    expect(page.locator("#progress-text")).to_have_text("0 of 3 clips done")
    assert shown(page)[3] == "0.5"
    assert editor.on_disk("one")[3] == 0.5


def test_steps_are_undone_and_done_again(page: Any, editor: Any) -> None:
    press(page, "1", "ArrowRight", "3", "x", "u")
    assert shown(page)[:2] == ["0", "1"]
    press(page, "Control+z", "u")
    assert shown(page)[:2] == [UNSET, UNSET]
    press(page, "u")
    expect(page.locator("#message")).to_have_text("There is nothing to undo.")
    press(page, "Control+y", "Shift+U", "Control+Shift+Z")
    assert shown(page)[:2] == ["0", UNSET]
    assert editor.on_disk("one")[:2] == [0, None]


def test_frames_are_painted_by_holding_a_key(page: Any) -> None:
    page.keyboard.down("2")
    press(page, "ArrowRight", "ArrowRight")
    page.keyboard.up("2")
    press(page, "ArrowRight")
    assert shown(page) == ["0.5", "0.5", "0.5", UNSET, UNSET, UNSET]
    press(page, "u")
    assert shown(page) == [UNSET] * 6


def test_selected_frames_are_scored_together(page: Any) -> None:
    press(page, "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "3")
    assert shown(page) == [UNSET, "1", "1", "1", UNSET, UNSET]
    assert page.locator("#strip [aria-selected=true]").count() == 3
    press(page, "Escape", "1", "Control+a", "x")
    assert shown(page) == [UNSET] * 6


def test_shift_turns_no_digit_into_another_key(page: Any) -> None:
    page.keyboard.down("Shift")
    press(page, "ArrowRight", "Digit2")
    page.keyboard.up("Shift")
    assert shown(page)[:3] == ["0.5", "0.5", UNSET]


def test_gaps_are_filled(page: Any, editor: Any) -> None:
    press(page, "f")
    expect(page.locator("#message")).to_contain_text("No gap")
    press(page, "ArrowRight", "2", "ArrowRight", "ArrowRight", "ArrowRight", "3", "f")
    assert shown(page) == [UNSET, "0.5", "0.5", "1", "1", UNSET]
    expect(page.locator("#message")).to_have_text("Filled 2 frames.")
    press(page, "Shift+F")
    assert shown(page) == ["0.5", "0.5", "0.5", "1", "1", "1"]
    assert editor.on_disk("one") == [0.5, 0.5, 0.5, 1, 1, 1]


def test_the_models_attention_is_a_start_rounded_to_the_levels(page: Any, editor: Any) -> None:
    own = editor.directory.read_attention()["one"]
    press(page, "3", "m")
    rounded = [round(float(value) * 2) / 2 for value in own]
    shown(page)
    assert editor.on_disk("one") == [1, *rounded[1:]]
    press(page, "Shift+ArrowRight", "m")
    shown(page)
    assert editor.on_disk("one") == rounded


def test_the_mouse_paints_over_bars_and_selects_over_pictures(page: Any, editor: Any) -> None:
    press(page, "End", "2")
    drag(page, ".edited", 0, 2)
    assert shown(page) == ["0.5", "0.5", "0.5", UNSET, UNSET, "0.5"]
    drag(page, ".picture", 3, 4)
    assert page.locator("#strip [aria-selected=true]").count() == 2
    page.get_by_role("button", name="1 decisive").click()
    assert shown(page) == ["0.5", "0.5", "0.5", "1", "1", "0.5"]
    press(page, "u", "u")
    assert shown(page) == [UNSET, UNSET, UNSET, UNSET, UNSET, "0.5"]


def test_clips_follow_one_another(page: Any) -> None:
    press(page, "n")
    expect(page.locator("#label")).to_have_text("Closing")
    assert "Opening" in page.locator(".names p").inner_text()
    press(page, "Control+a", "1", "c", "p")
    expect(page.locator("#label")).to_have_text("Opening")
    press(page, "Shift+N")
    expect(page.locator("#label")).to_have_text("Lifting")
    press(page, "n")
    expect(page.locator("#message")).to_have_text("There is no clip after this one.")
    press(page, "g", "2", "Enter")
    expect(page.locator("#label")).to_have_text("Closing")
    expect(page.locator("#progress-text")).to_have_text("1 of 3 clips done")
    assert shown(page) == ["0"] * 4
    assert page.url.endswith("/#a%2Ftwo%2C%20more")
    press(page, "u")
    assert shown(page) == [UNSET] * 4


def test_the_answer_with_the_edit_is_live(page: Any) -> None:
    verdict = page.locator(".verdict")
    expect(verdict).to_have_text("wrong with its own attention")
    press(page, "3")
    expect(verdict).to_have_text("wrong before, right with your scores")
    first = page.locator("#answer li").first
    expect(first).to_contain_text("Opening")
    assert float(first.locator("strong").inner_text().split()[0]) > 50
    assert page.locator("#strip .seen").count() == 3
    press(page, "1")
    expect(verdict).to_have_text("Still wrong with your scores")


def test_the_clip_is_played_at_its_own_pace(page: Any) -> None:
    press(page, " ")
    for frame in (2, 5, 0):
        page.locator(f"#strip [aria-current][aria-label^='Frame {frame}:']").wait_for()
    press(page, " ")
    stopped = current(page)
    page.wait_for_timeout(250)
    assert current(page) == stopped


def test_what_is_painted_while_the_clip_plays_has_no_holes(open_page: OpenPage) -> None:
    page = open_page(clip="long")
    press(page, " ")
    page.keyboard.down("3")
    page.wait_for_timeout(600)
    page.keyboard.up("3")
    press(page, " ")
    painted = "".join("x" if score == "1" else " " for score in shown(page)).strip()
    assert 3 <= len(painted) == painted.count("x")


def test_the_current_frame_of_a_long_clip_stays_in_view(open_page: OpenPage) -> None:
    page = open_page(clip="long", width=900)
    cell = page.locator("#strip [aria-current]")
    for keys in (["End"], ["Home"], ["ArrowDown"] * 12):
        press(page, *keys)
        expect(cell).to_be_in_viewport(ratio=0.99)
        expect(cell).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_failure_to_save_is_loud_and_mended(page: Any, editor: Any, problems: list[str]) -> None:
    page.route("**/api/clips/**", lambda route: route.abort())
    press(page, "3")
    expect(page.get_by_role("alert")).to_contain_text("Not saved: The editor does not answer.")
    expect(page.locator("#saving")).to_have_text("Not saved")
    press(page, "ArrowRight", "2")
    assert editor.on_disk("one") == [None] * 6
    page.unroute("**/api/clips/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_be_hidden()
    assert shown(page)[:2] == ["1", "0.5"]
    assert editor.on_disk("one")[:2] == [1, 0.5]
    assert all("ERR_FAILED" in problem for problem in problems)
    problems.clear()


def test_it_is_saved_only_when_the_server_has_said_so(page: Any, editor: Any) -> None:
    held: list[Any] = []
    page.route("**/api/clips/**", lambda route: route.continue_() if held else held.append(route))
    press(page, "3")
    expect(page.locator("#saving")).to_have_text("Saving…")
    press(page, "2")
    page.wait_for_timeout(100)
    expect(page.locator("#saving")).to_have_text("Saving…")
    assert editor.on_disk("one")[0] is None  # one at a time
    held[0].continue_()
    assert shown(page)[0] == "0.5"
    assert editor.on_disk("one")[0] == 0.5


def test_what_another_page_changed_shows_when_this_one_is_looked_at_again(
    page: Any, editor: Any
) -> None:
    press(page, "3")
    shown(page)
    editor.ask("PATCH", "/api/clips/one", {"changes": [[3, 0.5]]})
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#strip .edited").nth(3)).to_have_text("0.5")
    press(page, "u")  # what was done here may no longer be what is there
    expect(page.locator("#message")).to_have_text("There is nothing to undo.")
    press(page, "ArrowRight", "1")
    shown(page)
    assert editor.on_disk("one")[:4] == [1, 0, None, 0.5]


def test_the_help_opens_and_closes_with_keys_and_holds_them_back(page: Any) -> None:
    press(page, "?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    press(page, "3", "n")
    press(page, "Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#label")).to_have_text("Opening")
    assert shown(page) == [UNSET] * 6
    expect(page.locator("#strip [aria-current]")).to_be_focused()


def test_buttons_are_reached_and_pressed_with_the_keyboard(page: Any) -> None:
    assert page.locator("#strip [tabindex='0']").count() == 1
    page.get_by_role("button", name="0.5 needed").focus()
    press(page, " ")
    assert shown(page)[0] == "0.5"
    expect(page.get_by_role("button", name="0.5 needed")).to_be_focused()
    names = page.get_by_role("option").evaluate_all("all => all.map(cell => cell.ariaLabel)")
    assert re.fullmatch(r"Frame 0: 0\.5, the model 0\.\d\d", names[0])
    assert names[1].startswith("Frame 1: not set, the model 0.")


def test_all_comes_from_this_machine_and_the_token_leaves_the_address(
    tab: Any, editor: Any, open_page: OpenPage
) -> None:
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    page = open_page()
    page.locator(".verdict:not(:empty)").wait_for()
    origin = f"http://127.0.0.1:{editor.port}/"
    assert len(asked) > 10
    assert all(url.startswith(origin) for url in asked)
    assert page.url == f"{origin}#one"
    assert page.evaluate("document.cookie") == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_large_and_dark_enough_to_read(open_page: OpenPage, scheme: str) -> None:
    page = open_page(scheme=scheme)
    press(page, "1", "ArrowRight", "2", "ArrowRight", "3", "?")
    page.locator(".verdict:not(:empty)").wait_for()
    assert page.evaluate(HARD_TO_READ) == []


def test_scores_are_filled_copied_and_taken_back_by_rule(page: Any) -> None:
    result = page.evaluate("""async () => {
      const s = await import("/scores.js");
      const { History } = await import("/history.js");
      const h = new History();
      const gesture = new History();
      const n = null;
      gesture.begin("g");
      gesture.note([n, n], [[0, 0.5]]);
      gesture.note([0.5, n], [[0, 1], [1, 1]]);
      gesture.end();
      return {
        between: s.fillBetween([n, 1, n, n, 1, n, n, n, 0.5, n]),
        nearest: s.fillFromNearest([n, 1, n, n, n, 0, n]),
        none: s.fillFromNearest([n, n]),
        copied: s.copyRounded([0.1, 0.24, 0.26, n, 0.75, 1], 1, 5),
        text: [0, 0.5, 1, 0.25, n].map(s.scoreText),
        noted: [h.note([0, 1], [[0, 0], [1, 0]], "x"), h.canUndo, h.undo(), h.canRedo, h.redo()],
        gesture: [gesture.undo(), gesture.undo(), gesture.redo()],
      };
    }""")
    assert result == {
        "between": [[2, 1], [3, 1], [5, 1], [6, 1], [7, 0.5]],
        "nearest": [[0, 1], [2, 1], [3, 1], [4, 0], [6, 0]],
        "none": [],
        "copied": [[1, 0], [2, 0.5], [4, 1], [5, 1]],
        "text": ["0", "0.5", "1", ".25", UNSET],
        "noted": [
            [[1, 0]],
            True,
            {"what": "x", "changes": [[1, 1]]},
            True,
            {"what": "x", "changes": [[1, 0]]},
        ],
        "gesture": [
            {"what": "g", "changes": [[0, None], [1, None]]},
            {"what": "", "changes": []},
            {"what": "g", "changes": [[0, 1], [1, 1]]},
        ],
    }

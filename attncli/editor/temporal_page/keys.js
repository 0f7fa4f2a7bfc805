// Which key does what: the one table behind the keyboard and the help.

import { CLIP_KEYS, isElsewhere, keyOf, panOf, VIEW_KEYS } from "./keyboard.js";

const DIGITS = { Digit1: 0, Digit2: 0.5, Digit3: 1, Numpad1: 0, Numpad2: 0.5, Numpad3: 1 };

/** Rows of the help: keys, what they do. */
export const HELP = [
  ["Score", [
    [["1", "2", "3"], "Score 0, 0.5 or 1 for the current or the selected frames"],
    [["X", "Delete"], "Take the score away"],
    [["1–3 held", "← →"], "Paint: every frame passed gets the score, during playback too, until "
      + "the last frame"],
    [["F"], "Fill between frames with a score: each frame gets that of the nearest one"],
    [["Shift F"], "The same, and before the first and after the last frame with a score"],
    [["M"], "Copy the model's attention, rounded to the three scores, to unset or selected frames"],
    [["U", "Ctrl Z"], "Undo"],
    [["Shift U", "Ctrl Y"], "Redo"],
  ]],
  ["Done with the clip", [
    [["C"], "Confirm it: every frame has the score it should have"],
    [["K"], "Skip it"],
    [["Q"], "Unsure about it"],
    [["T"], "Write a comment"],
  ]],
  ["Move", [
    [["←", "→", "↑", "↓"], "Other frame"],
    [["Page Up", "Page Down"], "10 frames back or forth"],
    [["Home", "End"], "First or last frame"],
    [["J"], "Go to a frame by its number"],
    [["E"], "Show every frame, or every 2nd, 5th or 10th only"],
    [["Shift + move"], "Select frames"],
    [["Ctrl A"], "Select all frames"],
    [["Esc"], "Select the current frame only; close the large view"],
  ]],
  ["View", [[["L"], "Large view of the current frame, at the video's resolution"],
    ...VIEW_KEYS.help]],
  CLIP_KEYS.help,
];

const MOVES = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  PageUp: "back10",
  PageDown: "forth10",
  Home: "home",
  End: "end",
};

const LETTERS = {
  x: "clear",
  f: "fillBetween",
  F: "fillAll",
  m: "copyModel",
  u: "undo",
  U: "redo",
  c: "confirm",
  k: "skip",
  q: "unsure",
  t: "comment",
  j: "goToFrame",
  e: "every",
  l: "large",
  ...VIEW_KEYS.letters,
  ...CLIP_KEYS.letters,
  Delete: "clear",
  Backspace: "clear",
  Escape: "unselect",
};

const WITH_CTRL = { z: "undo", Z: "redo", y: "redo", a: "selectAll" };

/**
 * Call `actions` for what is typed: `score(level)`, `release()` when the key is let go,
 * `move(direction, extend)`, `pan(right, down)`, and those of the tables above.
 */
export function listen(actions) {
  let held = null;
  const release = () => {
    if (held !== null) actions.release();
    held = null;
  };
  addEventListener("keydown", (event) => {
    const call = isElsewhere(event) ? null : meaning(event, actions);
    if (!call) return;
    event.preventDefault();
    if (event.repeat && !repeats(event)) return;
    if (event.code in DIGITS) held = event.code;
    call();
  });
  addEventListener("keyup", (event) => {
    if (event.code === held) release();
  });
  addEventListener("blur", release);
}

function repeats(event) {
  return event.key in MOVES || VIEW_KEYS.repeating.includes(LETTERS[keyOf(event)]);
}

function meaning(event, actions) {
  const key = keyOf(event);
  const pan = panOf(event, actions.pan);
  if (pan) return pan;
  if (event.ctrlKey || event.metaKey) return actions[WITH_CTRL[key]];
  if (event.code in DIGITS) return () => actions.score(DIGITS[event.code]);
  if (event.key in MOVES) return () => actions.move(MOVES[event.key], event.shiftKey);
  return actions[LETTERS[key]];
}

// Which key does what: the one table behind the keyboard and the help.

import { CLIP_KEYS, isElsewhere, keyOf } from "./keyboard.js";

const DIGITS = { Digit1: 0, Digit2: 0.5, Digit3: 1, Numpad1: 0, Numpad2: 0.5, Numpad3: 1 };

/** Rows of the help: keys, what they do. */
export const HELP = [
  ["Score", [
    [["1", "2", "3"], "Score 0, 0.5 or 1 for the current or the selected frames"],
    [["X", "Delete"], "Take the score away"],
    [["1–3 held", "← →"], "Paint: every frame passed gets the score, during playback too"],
    [["F"], "Fill gaps between frames with equal scores"],
    [["Shift F"], "Give every unset frame the score of the nearest set one"],
    [["M"], "Copy the model's attention, rounded to the three scores, to unset or selected frames"],
    [["U", "Ctrl Z"], "Undo"],
    [["Shift U", "Ctrl Y"], "Redo"],
  ]],
  ["Move", [
    [["←", "→", "↑", "↓"], "Other frame"],
    [["Home", "End"], "First or last frame"],
    [["Shift + move"], "Select frames"],
    [["Ctrl A"], "Select all frames"],
    [["Esc"], "Select the current frame only"],
    [["Space"], "Play or pause"],
    [["S"], "Playback speed"],
  ]],
  CLIP_KEYS.help,
];

const MOVES = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  Home: "home",
  End: "end",
};

const LETTERS = {
  x: "clear",
  f: "fillEqual",
  F: "fillNearest",
  m: "copyModel",
  u: "undo",
  U: "redo",
  s: "speed",
  ...CLIP_KEYS.letters,
  " ": "play",
  Delete: "clear",
  Backspace: "clear",
  Escape: "unselect",
};

const WITH_CTRL = { z: "undo", Z: "redo", y: "redo", a: "selectAll" };

/**
 * Call `actions` for what is typed: `score(level)`, `release()` when the key is let go,
 * `move(direction, extend)`, and those of the tables above.
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
    if (event.repeat && !(event.key in MOVES)) return;
    if (event.code in DIGITS) held = event.code;
    call();
  });
  addEventListener("keyup", (event) => {
    if (event.code === held) release();
  });
  addEventListener("blur", release);
}

function meaning(event, actions) {
  const key = keyOf(event);
  if (event.ctrlKey || event.metaKey) return actions[WITH_CTRL[key]];
  if (event.code in DIGITS) return () => actions.score(DIGITS[event.code]);
  if (event.key in MOVES) return () => actions.move(MOVES[event.key], event.shiftKey);
  return actions[LETTERS[key]];
}

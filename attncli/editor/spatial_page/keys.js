// Which key does what: the one table behind the keyboard and the help.

import { CLIP_KEYS, isElsewhere, keyOf, panOf, VIEW_KEYS } from "./keyboard.js";

/** Rows of the help: keys, what they do. */
export const HELP = [
  ["Paint", [
    [["B", "E"], "Brush or eraser; drag over the frame"],
    [["[", "]"], "Smaller or larger"],
    [["Shift ← → ↑ ↓"], "Move brush or eraser without a mouse"],
    [["D"], "Dab with it; held while it moves, it paints"],
    [["0"], "Edit this frame: attention belongs nowhere"],
    [["X", "Delete"], "Take the frame's edit away"],
    [["U", "Ctrl Z"], "Undo"],
    [["Shift U", "Ctrl Y"], "Redo"],
  ]],
  ["Candidates", [
    [["1", "…", "9"], "Add an instance, or take it away again"],
    [["A"], "Add all"],
    [["K"], "Pick: click on an instance to add it or take it away"],
    [["V"], "Show or hide outlines and numbers"],
  ]],
  ["Frames", [
    [["←", "→"], "Other frame"],
    [["Page Up", "Page Down"], "10 frames back or forth"],
    [["Home", "End"], "First or last frame"],
    [["J"], "Go to a frame by its number"],
    [["C"], "Copy the edit to the next frame, and go there; instances in it are followed"],
    [["Shift C"], "Copy it so to all frames from here to the next one that is edited"],
  ]],
  ["View", [
    ...VIEW_KEYS.help,
    [["H"], "Move over the enlarged picture with the mouse; so does its wheel, pressed"],
    [[",", "."], "Painting and attention fainter or stronger"],
    [["O"], "Show or hide the model's attention"],
  ]],
  CLIP_KEYS.help,
];

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const KEYS = {
  ...CLIP_KEYS.letters,
  ...VIEW_KEYS.letters,
  b: "brush",
  e: "eraser",
  k: "pick",
  h: "hand",
  v: "outlines",
  ",": "fainter",
  ".": "stronger",
  j: "goToFrame",
  "[": "smaller",
  "]": "larger",
  d: "dab",
  0: "nowhere",
  x: "clear",
  Delete: "clear",
  Backspace: "clear",
  u: "undo",
  U: "redo",
  a: "addAll",
  c: "copyNext",
  C: "copyAll",
  o: "overlay",
  ArrowLeft: "back",
  ArrowRight: "forth",
  PageUp: "back10",
  PageDown: "forth10",
  Home: "first",
  End: "last",
};

const WITH_CTRL = { z: "undo", Z: "redo", y: "redo" };
const REPEATING = new Set([
  ...["back", "forth", "back10", "forth10", "smaller", "larger"],
  ...VIEW_KEYS.repeating,
]);

/**
 * Call `actions` for what is typed: those of the tables above, `candidate(number)` from 0,
 * `moveBrush(right, down)` and `pan(right, down)` in steps, and `release()` when the key of `dab` is let go.
 */
export function listen(actions) {
  addEventListener("keydown", (event) => {
    if (isElsewhere(event)) return;
    const [call, repeats] = meaning(event, actions);
    if (!call) return;
    event.preventDefault();
    if (!event.repeat || repeats) call();
  });
  addEventListener("keyup", (event) => {
    if (KEYS[keyOf(event).toLowerCase()] === "dab") actions.release();
  });
  addEventListener("blur", () => actions.release());
}

function meaning(event, actions) {
  const key = keyOf(event);
  const pan = panOf(event, actions.pan);
  if (pan) return [pan, true];
  if (event.ctrlKey || event.metaKey) return [actions[WITH_CTRL[key]], false];
  if (event.shiftKey && key in MOVES) return [() => actions.moveBrush(...MOVES[key]), true];
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
  if (digit) return [() => actions.candidate(Number(digit[1]) - 1), false];
  return [actions[KEYS[key]], REPEATING.has(KEYS[key])];
}

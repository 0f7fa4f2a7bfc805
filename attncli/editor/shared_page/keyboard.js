// What the keyboards of all pages have in common.

/** Keys that lead from clip to clip: their row of the help, and the actions of letters. */
export const CLIP_KEYS = {
  help: ["Clips", [
    [["N", "P"], "Next or previous clip"],
    [["Shift N", "Shift P"], "Next or previous open clip: one that is not done"],
    [["G"], "Go to a clip by its number"],
    [["?"], "This help"],
  ]],
  letters: {
    n: "next",
    p: "previous",
    N: "nextOpen",
    P: "previousOpen",
    g: "goTo",
    "?": "help",
  },
};

/** Keys of playback and of the enlarged picture: rows of the help, and actions. */
export const VIEW_KEYS = {
  help: [
    [["Space"], "Play or pause"],
    [["S"], "Playback speed"],
    [["+", "−"], "Enlarge or reduce the picture; so does the wheel of the mouse"],
    [["Ctrl ← → ↑ ↓"], "Move over the enlarged picture"],
    [["W"], "Show the whole picture"],
  ],
  letters: {
    " ": "play",
    s: "speed",
    "+": "enlarge",
    "=": "enlarge",
    "-": "reduce",
    w: "whole",
  },
  repeating: ["enlarge", "reduce"],
};

const PANS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Return a call of `pan(right, down)` for an arrow that is pressed with Ctrl; else undefined. */
export function panOf(event, pan) {
  const isMeant = (event.ctrlKey || event.metaKey) && event.key in PANS;
  return isMeant ? () => pan(...PANS[event.key]) : undefined;
}

/** Return whether what is typed is meant for a field, a button or the help. */
export function isElsewhere(event) {
  if (event.altKey || event.target.closest("input, dialog")) return true;
  return event.key === " " && event.target.closest("button, summary") !== null;
}

/** Return the key, a letter in the case that Shift gives it: Caps Lock turns none into another. */
export function keyOf(event) {
  if (!/^[a-z]$/i.test(event.key)) return event.key;
  return event.shiftKey ? event.key.toUpperCase() : event.key.toLowerCase();
}

// The page: holds the clip that is open, and lets the parts of the page know of every change.

import { Answers } from "./answers.js";
import { request } from "./client.js";
import { History } from "./history.js";
import { HELP, listen } from "./keys.js";
import { Player } from "./player.js";
import { Saver } from "./saver.js";
import {
  copyRounded,
  countScored,
  fillBetweenEqual,
  fillFromNearest,
  setFrames,
} from "./scores.js";
import { byId, Shell } from "./shell.js";
import { Strip } from "./strip.js";

const ABOUT = `Give every frame a score: 0 where it is not needed to recognise the action, 0.5 where
  the action moves, 1 where it is decided. A clip counts as done once all its frames are scored.
  With the mouse, drag over the bars to paint and over the pictures to select.`;
const histories = new Map(); // by clip id; what was done lasts as long as the page

let clip = null; // the one that is open; its `scored` is kept up to date
let scores = [];
let attention = [];
let current = 0;
let anchor = null; // other end of the selection; null where only the current frame is selected
let brush = 1; // score that the mouse paints
let holding = null; // score whose key is held down

const shell = new Shell({
  title: "Temporal attention",
  about: ABOUT,
  help: HELP,
  done: "done",
  isDone,
  show,
  refresh,
  pause: () => player.pause(),
  focus: () => strip.focus(),
  mended: () => answers.ask(clip, scores),
});
const saver = new Saver((state, reason) => shell.showSaving(state, reason));
const answers = new Answers(byId("answer"), (frames) => strip.markSeen(frames));
const player = new Player(byId("stage"), (frame) => go(frame));
const strip = new Strip(byId("strip"), {
  point(frame, extend) {
    player.pause();
    go(frame, extend);
    strip.focus();
  },
  beginPaint: () => history().begin(),
  paint: (first, last) => change(setFrames(first, last, brush)),
  endPaint() {
    history().end();
    showTools();
  },
});

function history() {
  if (!histories.has(clip.id)) histories.set(clip.id, new History());
  return histories.get(clip.id);
}

function selection() {
  const other = anchor ?? current;
  return [Math.min(other, current), Math.max(other, current)];
}

// ---- scores

/** Change scores, and leave a step to be undone. */
function change(changes) {
  const real = history().note(scores, changes);
  apply(real);
  return real.length;
}

/** Change scores, save them, show them. */
function apply(changes) {
  if (changes.length === 0) return;
  scores = [...scores];
  for (const [frame, score] of changes) {
    scores[frame] = score;
    strip.score(frame, score);
  }
  saver.save(clip.id, changes);
  showScores();
  answers.ask(clip, scores);
}

function showScores() {
  const wasDone = isDone(clip);
  clip.scored = countScored(scores);
  player.draw(scores, attention);
  player.go(current, scores[current], attention[current]);
  const unset = clip.frames - clip.scored;
  byId("standing").textContent =
    unset === 0 ? "Done: every frame is scored" : `${unset} of ${clip.frames} frames not set`;
  byId("standing").classList.toggle("done", unset === 0);
  if (unset === 0 && !wasDone) shell.say("This clip is done. N opens the next one.");
  showTools();
  shell.showProgress();
}

function showTools() {
  byId("undo").disabled = !history().canUndo;
  byId("redo").disabled = !history().canRedo;
}

function isDone({ scored, frames }) {
  return scored === frames;
}

// ---- frames

/** Make a frame the current one; the selection grows to it, or shrinks to it alone. */
function go(frame, extend = false) {
  anchor = extend ? (anchor ?? current) : null;
  current = frame;
  strip.select(current, ...selection());
  player.go(current, scores[current], attention[current]);
  if (holding !== null) change(setFrames(...selection(), holding));
}

function move(direction, extend) {
  player.pause();
  const steps = { left: -1, right: 1, up: -strip.columns, down: strip.columns };
  const last = clip.frames - 1;
  const target = { home: 0, end: last }[direction] ?? current + steps[direction];
  if (target >= 0 && target <= last) go(target, extend);
  strip.focus();
}

// ---- clips

function show(wanted, found) {
  if (clip) history().end();
  clip = wanted;
  scores = saver.applied(clip.id, found.scores);
  attention = found.attention;
  anchor = holding = null;
  current = 0;
  strip.show(clip, attention);
  scores.forEach((score, frame) => strip.score(frame, score));
  player.show(clip, strip.images);
  clip.scored = countScored(scores);
  showScores();
  go(Math.max(0, scores.indexOf(null)));
  answers.ask(clip, scores);
}

/** Show what another page may have changed in the meantime. */
async function refresh() {
  if (!saver.isSaved) return;
  const shown = clip;
  const found = await request("GET", ["clips", clip.id]).catch(() => null);
  if (!found || shown !== clip || !saver.isSaved) return;
  if (found.scores.some((score, frame) => score !== scores[frame])) {
    histories.delete(clip.id);
    const place = current;
    shell.show(clip, found);
    go(place);
  }
}

// ---- actions, by key or button

const actions = {
  ...shell.actions,
  score(level) {
    brush = level;
    showBrush();
    shell.say("");
    history().begin();
    holding = level;
    change(setFrames(...selection(), level));
  },
  release() {
    holding = null;
    history().end();
    showTools();
  },
  clear: () => change(setFrames(...selection(), null)),
  fillEqual() {
    const filled = change(fillBetweenEqual(scores));
    shell.say(filled ? `Filled ${filled} frames.` : "No gap has equal scores on both sides.");
  },
  fillNearest() {
    const filled = change(fillFromNearest(scores));
    shell.say(filled ? `Filled ${filled} frames.` : "No frame is unset, or none is set.");
  },
  copyModel() {
    const isAll = anchor === null;
    const copied = copyRounded(attention, ...(isAll ? [0, clip.frames - 1] : selection()));
    const changed = change(copied.filter(([frame]) => !isAll || scores[frame] === null));
    shell.say(changed ? `Copied ${changed} frames.` : "No frame is unset: select those to replace.");
  },
  undo: () => takeBack(history().undo(), "undo"),
  redo: () => takeBack(history().redo(), "redo"),
  move,
  selectAll() {
    go(0);
    go(clip.frames - 1, true);
  },
  unselect: () => go(current),
  play: () => player.toggle(),
  speed: () => player.changeSpeed(),
};

function takeBack(changes, what) {
  apply(changes);
  if (changes.length === 0) shell.say(`There is nothing to ${what}.`);
  else if (changes.length < clip.frames) go(changes[0][0]);
}

function showBrush() {
  for (const button of document.querySelectorAll("[data-level]")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.level) === brush));
  }
}

for (const button of document.querySelectorAll("[data-level]")) {
  button.addEventListener("click", () => {
    actions.score(Number(button.dataset.level));
    actions.release();
  });
}
byId("retry").addEventListener("click", () => saver.retry());
showBrush();
shell.start(actions, listen);

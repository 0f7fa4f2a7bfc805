// The page: holds the clip that is open, and lets the parts of the page know of every change.

import { Answers } from "./answers.js";
import { request } from "./client.js";
import { FrameField } from "./frame_field.js";
import { countFrames, History, tellStep } from "./history.js";
import { HELP, listen } from "./keys.js";
import { LargeView } from "./large.js";
import { NoteView } from "./note.js";
import { Player } from "./player.js";
import { NOTE, Saver } from "./saver.js";
import {
  copyRounded,
  countScored,
  fillBetween,
  fillFromNearest,
  setFrames,
} from "./scores.js";
import { byId, Shell } from "./shell.js";
import { Strip } from "./strip.js";

const ABOUT = `Give every frame a score: 0 where it is not needed to recognise the action, 0.5 where
  the action moves, 1 where it is decided. Frames are counted from 0, as in edits.csv and in all
  messages. A clip is done when you say so: confirmed, skipped or unsure. With the mouse, drag over
  the bars to paint and over the pictures to select.`;
const EVERY = [1, 2, 5, 10]; // how many-th frames may be shown
const EVERY_TEXT = { 1: "Every frame", 2: "Every 2nd", 5: "Every 5th", 10: "Every 10th" };
const STANDING = { confirmed: "Confirmed", skipped: "Skipped", unsure: "Unsure" };
const histories = new Map(); // by clip id; what was done lasts as long as the page

let clip = null; // the one that is open; its `scored` and `note` are kept up to date
let scores = [];
let attention = [];
let current = 0;
let anchor = null; // other end of the selection; null where only the current frame is selected
let brush = 1; // score that the mouse paints
let holding = null; // score whose key is held down
let every = 1; // every how many-th frame is shown, and moved by

const shell = new Shell({
  title: "Temporal attention",
  about: ABOUT,
  help: HELP,
  done: "done",
  isDone,
  show,
  refresh,
  pause: () => player.pause(),
  focus,
  mended: () => answers.ask(clip, scores),
});
const saver = new Saver((state, reason) => shell.showSaving(state, reason));
const answers = new Answers(byId("answer"), (frames) => strip.markSeen(frames));
const player = new Player(byId("stage"), {
  move: (frame) => go(frame),
  ends() {
    if (holding !== null) shell.say("Painting ends at the last frame.");
    return holding !== null;
  },
});
const large = new LargeView(byId("large"));
const noteView = new NoteView(byId("note"), { note, focus });
const frameField = new FrameField(byId("to-frame"), {
  go(frame) {
    player.pause();
    go(frame);
  },
  focus,
  say: (...said) => shell.say(...said),
});
const strip = new Strip(byId("strip"), {
  point(frame, extend) {
    player.pause();
    go(frame, extend);
    strip.focus();
  },
  beginPaint: () => history().begin(`score ${brush}`),
  paint: (first, last) => change(setFrames(first, last, brush), `score ${brush}`),
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

/** Change scores, and leave a step to be undone; `what` says what is done. */
function change(changes, what) {
  const real = history().note(scores, changes, what);
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
  const wasWhole = isWhole();
  clip.scored = countScored(scores);
  player.draw(scores, attention);
  player.go(current, scores[current], attention[current]);
  if (isWhole() && !wasWhole) shell.say("Every frame is scored. C confirms this clip.");
  if (!isWhole() && clip.note.state === "confirmed") note({ ...clip.note, state: "" });
  showTools();
  showStanding();
}

function showStanding() {
  const { scored, frames, note: { state } } = clip;
  const open = isWhole()
    ? "Every frame is scored, not confirmed yet"
    : `${frames - scored} of ${countFrames(frames)} not set`;
  byId("standing").textContent = STANDING[state] ?? open;
  byId("standing").classList.toggle("done", isDone(clip));
  noteView.show(clip.note);
  shell.showProgress();
}

function isWhole() {
  return clip.scored === clip.frames;
}

function showTools() {
  byId("undo").disabled = !history().canUndo;
  byId("redo").disabled = !history().canRedo;
}

// ---- what is said of the clip

function isDone(some) {
  return some.note.state !== "";
}

/** Say something else of the clip. */
function note(said) {
  clip.note = said;
  saver.save(clip.id, [[NOTE, said]]);
  showStanding();
}

/** Say that the clip is in a state, or take that back. */
function declare(state) {
  const wanted = clip.note.state === state ? "" : state;
  const unset = clip.frames - clip.scored;
  if (wanted === "confirmed" && unset > 0) {
    shell.say(`${countFrames(unset)} not set: Shift F fills them, K skips the clip.`, true);
    return;
  }
  note({ ...clip.note, state: wanted });
  const scored = `Its ${clip.scored} scores stay in the file; Ctrl A and X take them away.`;
  const told = {
    confirmed: "Confirmed. N opens the next clip.",
    skipped: clip.scored > 0 ? `Skipped. ${scored}` : "Skipped. N opens the next clip.",
    unsure: "Unsure. T adds a comment.",
    "": "This clip is open again.",
  };
  shell.say(told[wanted]);
}

// ---- frames

/** Make a frame the current one; the selection grows to it, or shrinks to it alone. */
function go(frame, extend = false) {
  const passed = [Math.min(current, frame), Math.max(current, frame)];
  anchor = extend ? (anchor ?? current) : null;
  current = frame;
  showCurrent();
  player.go(current, scores[current], attention[current]);
  if (holding !== null) change(setFrames(...passed, holding), `score ${holding}`);
}

function showCurrent() {
  strip.select(current, ...selection(), player.isPlaying);
  large.show(clip.id, current, strip.image(current));
  frameField.show(current);
}

function move(direction, extend) {
  player.pause();
  const last = clip.frames - 1;
  const within = (frame) => Math.min(last, Math.max(0, frame));
  const target = {
    home: 0,
    end: last,
    // A frame between those that are shown leads to the next of them.
    left: (Math.ceil(current / every) - 1) * every,
    right: (Math.floor(current / every) + 1) * every,
    up: current - strip.columns * every,
    down: current + strip.columns * every,
    back10: within(current - 10),
    forth10: within(current + 10),
  }[direction];
  if (target >= 0 && target <= last) go(target, extend);
  focus();
}

/** Put the keyboard's focus on the current frame. */
function focus() {
  if (large.isOpen) byId("large").focus({ preventScroll: true });
  else strip.focus();
}

// ---- clips

function show(wanted, found) {
  if (clip) history().end();
  clip = wanted;
  scores = saver.applied(clip.id, found.scores);
  attention = found.attention;
  clip.note = saver.appliedNote(clip.id, found.note);
  anchor = holding = null;
  current = 0;
  frameField.begin(clip);
  strip.show(clip, attention);
  scores.forEach((score, frame) => strip.score(frame, score));
  player.show(clip, strip.images);
  clip.scored = countScored(scores);
  showScores();
  showEvery();
  go(Math.max(0, scores.indexOf(null)));
  answers.ask(clip, scores);
}

/** Show what another page may have changed in the meantime. */
async function refresh() {
  if (!saver.isSaved) return;
  const shown = clip;
  const found = await request("GET", ["clips", clip.id]).catch(() => null);
  if (!found || shown !== clip || !saver.isSaved) return;
  const isOther = ["state", "comment"].some((name) => found.note[name] !== clip.note[name]);
  if (isOther || found.scores.some((score, frame) => score !== scores[frame])) {
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
    history().begin(`score ${level}`);
    holding = level;
    change(setFrames(...selection(), level), `score ${level}`);
  },
  release() {
    holding = null;
    history().end();
    showTools();
  },
  clear() {
    const cleared = change(setFrames(...selection(), null), "clear");
    shell.say(cleared ? `Cleared ${countFrames(cleared)}.` : "No score is set here.");
  },
  fillBetween() {
    const filled = change(fillBetween(scores), "fill");
    const none = "No gap lies between two frames with a score.";
    shell.say(filled ? `Filled ${countFrames(filled)}.` : none);
  },
  fillAll() {
    const filled = change(fillFromNearest(scores), "fill");
    const none = "No frame is unset, or none is set.";
    shell.say(filled ? `Filled ${countFrames(filled)}.` : none);
  },
  copyModel() {
    const isAll = anchor === null;
    const copied = copyRounded(attention, ...(isAll ? [0, clip.frames - 1] : selection()));
    const wanted = copied.filter(([frame]) => !isAll || scores[frame] === null);
    const changed = change(wanted, "copy of the model");
    const none = "No frame is unset: select those to replace.";
    shell.say(changed ? `Copied ${countFrames(changed)}.` : none);
  },
  undo: () => takeBack(history().undo(), "undo"),
  redo: () => takeBack(history().redo(), "redo"),
  confirm: () => declare("confirmed"),
  skip: () => declare("skipped"),
  unsure: () => declare("unsure"),
  comment: () => noteView.write(),
  move,
  goToFrame: () => frameField.select(),
  every() {
    every = EVERY[(EVERY.indexOf(every) + 1) % EVERY.length];
    showEvery();
  },
  selectAll() {
    go(0);
    go(clip.frames - 1, true);
  },
  unselect() {
    if (large.isOpen) actions.large();
    else go(current);
  },
  play() {
    player.toggle();
    showCurrent();
  },
  speed: () => player.changeSpeed(),
  large() {
    large.toggle();
    byId("frames").hidden = large.isOpen;
    byId("open-large").setAttribute("aria-pressed", String(large.isOpen));
    showCurrent();
    focus();
  },
  enlarge: () => viewed(() => large.enlarge(true)),
  reduce: () => viewed(() => large.enlarge(false)),
  whole: () => viewed(() => large.whole()),
  pan: (right, down) => viewed(() => large.pan(right, down)),
};

/** Do something with the large view, which is opened first. */
function viewed(act) {
  if (!large.isOpen) actions.large();
  act();
}

function takeBack(step, verb) {
  holding = null;
  apply(step.changes);
  shell.say(tellStep(verb, step));
  const { length } = step.changes;
  if (0 < length && length < clip.frames) go(step.changes[0][0]);
}

function showEvery() {
  byId("every").textContent = EVERY_TEXT[every];
  strip.every = every;
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

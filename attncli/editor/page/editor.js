// The page: holds the clip that is open, and lets the parts of the page know of every change.

import { Answers } from "./answers.js";
import { request, thumbnailPath } from "./client.js";
import { HELP, listen } from "./keys.js";
import { Player } from "./player.js";
import { Saver } from "./saver.js";
import {
  copyRounded,
  countScored,
  fillBetweenEqual,
  fillFromNearest,
  History,
  setFrames,
} from "./scores.js";
import { Strip } from "./strip.js";

const byId = (id) => document.getElementById(id);
const count = new Intl.NumberFormat("en");
const histories = new Map(); // by clip id; what was done lasts as long as the page

let clips = []; // as the server lists them; `scored` is kept up to date
let clip = null; // the one that is open
let scores = [];
let attention = [];
let current = 0;
let anchor = null; // other end of the selection; null where only the current frame is selected
let brush = 1; // score that the mouse paints
let holding = null; // score whose key is held down
let lastWanted = null; // clip that was asked for last

const saver = new Saver(showSaving);
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
  if (unset === 0 && !wasDone) say("This clip is done. N opens the next one.");
  showTools();
  showProgress();
}

function showTools() {
  byId("undo").disabled = !history().canUndo;
  byId("redo").disabled = !history().canRedo;
}

function isDone({ scored, frames }) {
  return scored === frames;
}

function showProgress() {
  const done = clips.filter(isDone).length;
  byId("progress").max = clips.length;
  byId("progress").value = done;
  byId("progress-text").textContent =
    `${count.format(done)} of ${count.format(clips.length)} clips done`;
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

async function open(wanted) {
  lastWanted = wanted;
  player.pause();
  const found = await request("GET", ["clips", wanted.id]);
  if (wanted === lastWanted) show(wanted, found);
}

function tryToOpen(wanted) {
  if (wanted) open(wanted).catch((error) => say(error.message, true));
}

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
  showHeading();
  clip.scored = countScored(scores);
  showScores();
  go(Math.max(0, scores.indexOf(null)));
  if (!document.activeElement.closest("button, input")) strip.focus();
  say(`Clip ${clips.indexOf(clip) + 1} of ${clips.length}: ${clip.label}`);
  answers.ask(clip, scores);
  globalThis.history.replaceState(null, "", `/#${encodeURIComponent(clip.id)}`);
  preload(clips[clips.indexOf(clip) + 1]);
}

function showHeading() {
  byId("label").textContent = clip.label || "(no class)";
  byId("predicted").textContent = clip.predicted;
  byId("details").textContent =
    `${clip.id} · ${clip.frames} frames, ${Number(clip.fps.toFixed(2))} a second`;
  byId("number").value = clips.indexOf(clip) + 1;
  byId("previous").disabled = clip === clips[0];
  byId("next").disabled = clip === clips.at(-1);
  document.title = `${clip.label} – temporal attention`;
}

function preload(next) {
  for (let frame = 0; frame < (next?.frames ?? 0); frame++) {
    new Image().src = thumbnailPath(next.id, frame);
  }
}

/** Open the clip `step` further on, or the first from there on that is not done. */
function turn(step, onlyOpen) {
  const here = clips.indexOf(clip);
  const ahead = step > 0 ? clips.slice(here + 1) : clips.slice(0, here).reverse();
  const wanted = onlyOpen ? ahead.find((other) => !isDone(other)) : ahead[0];
  if (wanted) tryToOpen(wanted);
  else if (clips.every(isDone)) say("All clips are done. You may end the editor now.");
  else say(`There is no ${onlyOpen ? "open " : ""}clip ${step > 0 ? "after" : "before"} this one.`);
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
    show(clip, found);
    go(place);
  }
}

// ---- what is said

function say(text, isProblem = false) {
  byId("message").textContent = text;
  byId("message").classList.toggle("problem", isProblem);
}

function showSaving(state, reason) {
  const isMended = state === "saved" && !byId("alert").hidden;
  byId("saving").dataset.state = state;
  byId("saving").textContent = { saved: "Saved", saving: "Saving…", failed: "Not saved" }[state];
  if (state === "saving") return; // a failure stays in sight until it is mended
  byId("alert").hidden = state === "saved";
  byId("alert-text").textContent = state === "failed" ? `Not saved: ${reason}` : "";
  if (isMended) answers.ask(clip, scores);
}

// ---- actions, by key or button

const actions = {
  score(level) {
    brush = level;
    showBrush();
    say("");
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
    say(filled ? `Filled ${filled} frames.` : "No gap has equal scores on both sides.");
  },
  fillNearest() {
    const filled = change(fillFromNearest(scores));
    say(filled ? `Filled ${filled} frames.` : "No frame is unset, or none is set.");
  },
  copyModel() {
    const isAll = anchor === null;
    const copied = copyRounded(attention, ...(isAll ? [0, clip.frames - 1] : selection()));
    const changed = change(copied.filter(([frame]) => !isAll || scores[frame] === null));
    say(changed ? `Copied ${changed} frames.` : "No frame is unset: select those to replace.");
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
  next: () => turn(1, false),
  previous: () => turn(-1, false),
  nextOpen: () => turn(1, true),
  previousOpen: () => turn(-1, true),
  goTo: () => byId("number").select(),
  help: () => byId("help").showModal(),
};

function takeBack(changes, what) {
  apply(changes);
  if (changes.length === 0) say(`There is nothing to ${what}.`);
  else if (changes.length < clip.frames) go(changes[0][0]);
}

function showBrush() {
  for (const button of document.querySelectorAll("[data-level]")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.level) === brush));
  }
}

// ---- the page's own controls

function wire() {
  for (const button of document.querySelectorAll("[data-action]")) {
    button.addEventListener("click", () => actions[button.dataset.action]());
  }
  for (const button of document.querySelectorAll("[data-level]")) {
    button.addEventListener("click", () => {
      actions.score(Number(button.dataset.level));
      actions.release();
    });
  }
  // Whoever clicks goes on with the keyboard at the frames; whoever pressed Enter stays there.
  document.addEventListener("click", (event) => {
    if (event.detail > 0 && event.target.closest("main button")) strip.focus();
  });
  byId("retry").addEventListener("click", () => saver.retry());
  byId("close-help").addEventListener("click", () => byId("help").close());
  byId("jump").addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = clips[Number(byId("number").value) - 1];
    if (!wanted) say(`There are clips 1 to ${clips.length}.`);
    strip.focus();
    tryToOpen(wanted);
  });
  byId("number").addEventListener("keydown", ({ key }) => key === "Escape" && strip.focus());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) player.pause();
    else refresh();
  });
  addEventListener("hashchange", () => tryToOpen(named(location.hash)));
  listen(actions);
}

function fillHelp() {
  for (const [title, rows] of HELP) {
    const table = document.createElement("table");
    table.createCaption().textContent = title;
    for (const [keys, text] of rows) {
      const line = table.insertRow();
      const cell = line.insertCell();
      for (const key of keys) {
        cell.append(Object.assign(document.createElement("kbd"), { textContent: key }), " ");
      }
      line.insertCell().textContent = text;
    }
    byId("help-tables").append(table);
  }
}

function named(hash) {
  return clips.find(({ id }) => `#${encodeURIComponent(id)}` === hash);
}

async function start() {
  // The token has done its work: a cookie stands for it now.
  globalThis.history.replaceState(null, "", `/${location.hash}`);
  try {
    const session = await request("GET", ["session"]);
    clips = session.clips;
    byId("place").textContent = session.annotator ?? session.directory;
    byId("place").title = `Scores go to ${session.file}`;
    byId("number").max = clips.length;
    byId("total").textContent = `of ${count.format(clips.length)}`;
    fillHelp();
    showBrush();
    document.body.classList.remove("loading"); // frames are measured when they are shown
    await open(named(location.hash) ?? clips.find((each) => !isDone(each)) ?? clips[0]);
    wire();
  } catch (error) {
    byId("alert").hidden = false;
    byId("retry").hidden = true;
    byId("alert-text").textContent = error.message;
  }
}

start();

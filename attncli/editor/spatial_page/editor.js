// The page: holds the clip that is open, and lets the parts of the page know of every change.

import { Candidates, isCovered } from "./candidates.js";
import { request } from "./client.js";
import { Dial } from "./dial.js";
import { follow } from "./follow.js";
import { FrameField } from "./frame_field.js";
import { FullPictures } from "./full_pictures.js";
import { countFrames, History, tellStep } from "./history.js";
import { HELP, listen } from "./keys.js";
import { paint, pixelsOf, runsOf } from "./masks.js";
import { Picture } from "./picture.js";
import { Playback } from "./playback.js";
import { Saver } from "./saver.js";
import { byId, Shell } from "./shell.js";
import { Strip } from "./strip.js";

const ABOUT = `Paint where attention belongs: on what shows that it is this action. Frames that you
  leave without an edit ask for nothing; paint as many as you like. Frames are counted from 0, as in
  all files and messages. A clip counts as edited once one of its frames is.`;
const SIZES = [0.005, 0.01, 0.02, 0.03, 0.045, 0.065, 0.09, 0.125, 0.17]; // of the short side
const OPACITIES = [0, 0.1, 0.25, 0.5, 0.75, 1];
const histories = new Map(); // by clip id; what was done lasts as long as the page

let clip = null; // the one that is open; its `edited` is kept up to date
let masks = []; // runs of each frame's mask, null where it is not edited
let attention = null; // the model's own: cells of all frames
let current = 0;
let canvas = null; // pixels of the current frame, while they are painted
let tool = "brush";
let cursor = null; // where the brush is, in pixels of the video
let isDabbing = false; // its key is held down
let copying = Promise.resolve(); // copies are made one after the other

const shell = new Shell({
  title: "Spatial attention",
  about: ABOUT,
  help: HELP,
  done: "edited",
  isDone: ({ edited }) => edited > 0,
  show,
  refresh,
  pause() {
    endStroke();
    playback.pause();
  },
  focus,
  mended() {},
});
const saver = new Saver((state, reason) => shell.showSaving(state, reason));
const size = new Dial(byId("size"), SIZES, 4, (_, at) => `${at + 1} of ${SIZES.length}`);
const opacity = new Dial(byId("opacity"), OPACITIES, 3, (value) => `${Math.round(100 * value)} %`);
const playback = new Playback(byId("transport"), () => go((current + 1) % clip.frames));
const frameField = new FrameField(byId("to-frame"), {
  go: (frame) => actions.to(frame),
  focus,
  say: (...said) => shell.say(...said),
});
const strip = new Strip(byId("strip"), (frame) => actions.to(frame));
const candidates = new Candidates(byId("candidates"), { toggle: (one) => toggle([one]), highlight });
const full = new FullPictures((id, frame, found) => {
  if (id !== clip.id || frame !== current) return;
  picture.setFull(found);
  showResolution();
  picture.draw();
});
const picture = new Picture(byId("stage"), byId("picture"), {
  begin(place) {
    stopPlaying();
    if (tool === "pick") pick(place);
    else stroke(place, place);
  },
  stroke(from, to) {
    if (tool !== "pick") stroke(from, to);
  },
  end: endStroke,
  hover,
});

function history() {
  if (!histories.has(clip.id)) histories.set(clip.id, new History());
  return histories.get(clip.id);
}

function focus() {
  byId("stage").focus({ preventScroll: true });
}

// ---- masks

/** Change masks, and leave a step to be undone; `what` says what is done. */
function change(changes, what) {
  const real = history().note(masks, changes, what);
  apply(real);
  return real.length;
}

/** Change masks, save them, show them. */
function apply(changes) {
  if (changes.length === 0) return;
  masks = [...masks];
  for (const [frame, mask] of changes) {
    masks[frame] = mask;
    strip.mark(frame, mask !== null);
  }
  saver.save(clip.id, changes);
  clip.edited = masks.filter((mask) => mask !== null).length;
  shell.showProgress();
  showMask();
}

function showMask() {
  const mask = masks[current];
  canvas = { width: clip.width, height: clip.height, isChanged: false };
  canvas.pixels = pixelsOf(mask, clip.width * clip.height);
  picture.setMask(canvas.pixels);
  picture.draw();
  candidates.press(current, mask && canvas.pixels);
  const what = mask === null ? "not edited" : mask.length > 1 ? "edited" : "edited: nowhere";
  byId("standing").textContent = `Frame ${current} of 0–${clip.frames - 1} ${what}`;
  byId("standing").classList.toggle("edited", mask !== null);
  byId("undo").disabled = !history().canUndo;
  byId("redo").disabled = !history().canRedo;
}

// ---- painting

function radius() {
  return Math.max(0.5, size.value * Math.min(clip.width, clip.height));
}

function stroke(from, to) {
  paint(canvas, from, to, radius(), tool === "eraser" ? 0 : 1);
  canvas.isChanged = true;
  picture.setMask(canvas.pixels);
  showBrush(to);
}

function endStroke() {
  if (canvas?.isChanged) change([[current, runsOf(canvas.pixels)]], tool);
}

function hover(place) {
  showBrush(place);
  if (tool === "pick") highlight(place && candidates.under(current, place));
}

function showBrush(place) {
  cursor = place ?? cursor;
  picture.radius = tool === "brush" || tool === "eraser" ? radius() : null;
  picture.setCursor(place);
  picture.draw();
}

function takeTool(wanted) {
  endStroke();
  tool = wanted;
  for (const button of document.querySelectorAll("[data-tool]")) {
    button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
  }
  byId("picture").dataset.tool = tool;
  picture.isMoved = tool === "hand";
  highlight(null);
  showBrush(null);
}

// ---- candidates

async function askForCandidates() {
  const [asked, frame] = [clip, current];
  showCandidates();
  if (playback.isPlaying) return;
  try {
    await candidates.ask(frame);
  } catch (error) {
    shell.say(error.message, true);
    return;
  }
  if (asked === clip && frame === current) showCandidates();
}

function showCandidates() {
  candidates.list(current);
  candidates.press(current, masks[current] && canvas.pixels);
  picture.setCandidates(candidates.at(current));
  picture.draw();
}

/** Point at a candidate on the picture and in the list; at none where null. */
function highlight(number) {
  picture.highlight(number);
  candidates.mark(number);
}

/** Cover what some candidates cover; where all of it is covered, uncover it. */
function toggle(chosen, mayTakeAway = true) {
  const pixels = canvas.pixels.slice();
  const isThere = masks[current] !== null && chosen.every((one) => isCovered(one, pixels));
  if (isThere && !mayTakeAway) return;
  for (const { places } of chosen) for (const at of places) pixels[at] = isThere ? 0 : 1;
  edit(runsOf(pixels), chosen.length === 1 ? chosen[0].category : "all candidates");
}

/** Take the smallest candidate at a place. */
function pick(place) {
  const number = candidates.under(current, place);
  if (number === null) shell.say("There is no candidate here.");
  else toggle([candidates.at(current)[number]]);
}

// ---- frames

function go(frame) {
  if (frame < 0 || frame >= clip.frames) return;
  endStroke();
  current = frame;
  strip.select(current);
  frameField.show(current);
  const { rows, columns, crop, cells } = attention;
  const own = cells.subarray(frame * rows * columns, (frame + 1) * rows * columns);
  picture.show(strip.image(current), { cells: own, rows, columns, crop });
  picture.setFull(full.at(clip.id, current));
  if (!playback.isPlaying) full.want(clip.id, current);
  showResolution();
  showMask();
  askForCandidates();
}

function showResolution() {
  const reason = full.reason(clip.id);
  byId("resolution").textContent = reason ? `small pictures: ${reason}` : "";
}

function stopPlaying() {
  if (!playback.isPlaying) return;
  playback.pause();
  go(current);
}

/** Copy the current mask to the frames before `end`, one by one, with the instances in it. */
async function copyUntil(end) {
  const [asked, from, first] = [clip, current, masks[current]];
  let pixels = pixelsOf(first, clip.width * clip.height);
  let here = await candidates.ask(from);
  const changes = [];
  const followed = new Set();
  for (let frame = from + 1; frame < end; frame++) {
    const next = await candidates.ask(frame);
    const found = follow(pixels, here, next, asked.width);
    found.followed.forEach((category) => followed.add(category));
    [pixels, here] = [found.pixels, next];
    changes.push([frame, runsOf(pixels)]);
  }
  if (asked !== clip || masks[from] !== first) return; // it is no longer what was to be copied
  change(changes, "copy");
  if (end === from + 2 && current === from) go(end - 1);
  const where = end === from + 2 ? `frame ${from + 1}` : countFrames(changes.length);
  const how = followed.size > 0 ? `, following ${[...followed].join(", ")}` : ", as it is";
  shell.say(`Copied to ${where}${how}.`);
}

function copy(endOf) {
  stopPlaying();
  endStroke();
  copying = copying
    .then(() => {
      if (masks[current] === null) shell.say("This frame has no edit to copy.");
      else if (current === clip.frames - 1) shell.say("This is the last frame.");
      else return copyUntil(endOf());
    })
    .catch((error) => shell.say(error.message, true));
}

function show(wanted, found) {
  clip = wanted;
  masks = saver.applied(clip.id, found.masks);
  const cells = Uint8Array.from(atob(found.attention.cells), (c) => c.charCodeAt(0));
  attention = { ...found.attention, cells };
  canvas = null;
  cursor = [clip.width / 2, clip.height / 2];
  candidates.begin(clip);
  playback.show(clip);
  frameField.begin(clip);
  picture.begin(clip);
  strip.show(clip);
  masks.forEach((mask, frame) => strip.mark(frame, mask !== null));
  clip.edited = masks.filter((mask) => mask !== null).length;
  go(0);
}

/** Show what another page may have changed in the meantime. */
async function refresh() {
  if (!saver.isSaved) return;
  const shown = clip;
  const found = await request("GET", ["clips", clip.id]).catch(() => null);
  if (!found || shown !== clip || !saver.isSaved || canvas.isChanged) return;
  if (JSON.stringify(found.masks) !== JSON.stringify(masks)) {
    histories.delete(clip.id);
    const place = current;
    shell.show(clip, found);
    go(place);
  }
}

// ---- actions, by key or button

const actions = {
  ...shell.actions,
  brush: () => takeTool("brush"),
  eraser: () => takeTool("eraser"),
  pick: () => takeTool("pick"),
  hand: () => takeTool("hand"),
  smaller: () => resize(-1),
  larger: () => resize(1),
  moveBrush(right, down) {
    const step = Math.max(1, radius());
    const [x, y] = cursor;
    const place = [
      Math.min(clip.width, Math.max(0, x + right * step)),
      Math.min(clip.height, Math.max(0, y + down * step)),
    ];
    picture.reveal(place);
    if (isDabbing) stroke(cursor, place);
    else hover(place);
  },
  dab() {
    stopPlaying();
    if (tool === "pick") pick(cursor);
    if (tool === "pick" || tool === "hand") return;
    isDabbing = true;
    stroke(cursor, cursor);
  },
  release() {
    if (isDabbing) endStroke();
    isDabbing = false;
  },
  nowhere: () => edit([clip.width * clip.height], "nowhere"),
  clear: () => edit(null, "no edit"),
  candidate(number) {
    const chosen = candidates.at(current)[number];
    if (chosen) toggle([chosen]);
    else shell.say(`There is no candidate ${number + 1}.`);
  },
  addAll() {
    const all = candidates.at(current);
    if (all.length > 0) toggle(all, false);
    else shell.say("There is no candidate in this frame.");
  },
  copyNext: () => copy(() => current + 2),
  copyAll() {
    copy(() => {
      const next = masks.findIndex((mask, frame) => frame > current && mask !== null);
      return next < 0 ? clip.frames : next;
    });
  },
  undo: () => takeBack("undo"),
  redo: () => takeBack("redo"),
  overlay() {
    picture.showsAttention = !picture.showsAttention;
    byId("overlay").setAttribute("aria-pressed", String(picture.showsAttention));
    picture.draw();
  },
  outlines() {
    picture.showsCandidates = !picture.showsCandidates;
    byId("outlines").setAttribute("aria-pressed", String(picture.showsCandidates));
    picture.draw();
  },
  fainter: () => fade(-1),
  stronger: () => fade(1),
  play() {
    endStroke();
    playback.toggle();
    if (!playback.isPlaying) go(current);
  },
  speed: () => playback.changeSpeed(),
  enlarge: () => viewed(() => picture.enlarge(true)),
  reduce: () => viewed(() => picture.enlarge(false)),
  whole: () => viewed(() => picture.whole()),
  pan: (right, down) => picture.pan(right, down),
  to(frame) {
    playback.pause();
    go(Math.min(clip.frames - 1, Math.max(0, frame)));
  },
  back: () => actions.to(current - 1),
  forth: () => actions.to(current + 1),
  back10: () => actions.to(current - 10),
  forth10: () => actions.to(current + 10),
  first: () => actions.to(0),
  last: () => actions.to(clip.frames - 1),
  goToFrame: () => frameField.select(),
};

/** Give the current frame another mask; `what` says how. */
function edit(mask, what) {
  stopPlaying();
  endStroke();
  change([[current, mask]], what);
}

function resize(step) {
  size.turn(step);
  showBrush(cursor);
}

function fade(step) {
  opacity.turn(step);
  picture.opacity = opacity.value;
  picture.draw();
}

function viewed(act) {
  act();
  shell.say(`Shown ${Number(picture.level.toFixed(1))} times as large as the whole picture.`);
}

function takeBack(verb) {
  stopPlaying();
  endStroke();
  const step = history()[verb]();
  apply(step.changes);
  shell.say(tellStep(verb, step));
  const frames = step.changes.map(([frame]) => frame);
  if (frames.length > 0 && !frames.includes(current)) go(frames[0]);
}

for (const button of document.querySelectorAll("[data-tool]")) {
  button.addEventListener("click", () => takeTool(button.dataset.tool));
}
byId("retry").addEventListener("click", () => saver.retry());
shell.start(actions, listen).then(() => clip && takeTool("brush"));

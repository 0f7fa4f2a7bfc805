// The page: holds the clip that is open, and lets the parts of the page know of every change.

import { request } from "./client.js";
import { History } from "./history.js";
import { HELP, listen } from "./keys.js";
import { outlineOf, paint, pixelsOf, runsOf } from "./masks.js";
import { Picture } from "./picture.js";
import { Saver } from "./saver.js";
import { byId, Shell } from "./shell.js";
import { Strip } from "./strip.js";

const ABOUT = `Paint where attention belongs: on what shows that it is this action. Frames that you
  leave without an edit ask for nothing; paint as many as you like. A clip counts as edited once
  one of its frames is.`;
const SIZES = [0.005, 0.01, 0.02, 0.03, 0.045, 0.065, 0.09, 0.125, 0.17]; // of the short side
const histories = new Map(); // by clip id; what was done lasts as long as the page

let clip = null; // the one that is open; its `edited` is kept up to date
let masks = []; // runs of each frame's mask, null where it is not edited
let attention = null; // the model's own: cells of all frames
let candidates = new Map(); // by frame, as they are asked for: pixels, category, score
let current = 0;
let canvas = null; // pixels of the current frame, while they are painted
let tool = "brush";
let size = 4;
let cursor = null; // where the brush is, in pixels of the video
let isDabbing = false; // its key is held down

const shell = new Shell({
  title: "Spatial attention",
  about: ABOUT,
  help: HELP,
  done: "edited",
  isDone: ({ edited }) => edited > 0,
  show,
  refresh,
  pause: endStroke,
  focus: () => byId("stage").focus({ preventScroll: true }),
  mended() {},
});
const saver = new Saver((state, reason) => shell.showSaving(state, reason));
const strip = new Strip(byId("strip"), (frame) => go(frame));
const picture = new Picture(byId("stage"), byId("picture"), {
  begin(place) {
    if (tool === "pick") pick(place);
    else stroke(place, place);
  },
  stroke(from, to) {
    if (tool !== "pick") stroke(from, to);
  },
  end: endStroke,
  hover: showBrush,
});

function history() {
  if (!histories.has(clip.id)) histories.set(clip.id, new History());
  return histories.get(clip.id);
}

// ---- masks

/** Change masks, and leave a step to be undone. */
function change(changes) {
  const real = history().note(masks, changes);
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
  const what = mask === null ? "not edited" : mask.length > 1 ? "edited" : "edited: nowhere";
  byId("standing").textContent = `Frame ${current + 1} of ${clip.frames} ${what}`;
  byId("standing").classList.toggle("edited", mask !== null);
  byId("undo").disabled = !history().canUndo;
  byId("redo").disabled = !history().canRedo;
}

// ---- painting

function radius() {
  return Math.max(0.5, SIZES[size] * Math.min(clip.width, clip.height));
}

function stroke(from, to) {
  paint(canvas, from, to, radius(), tool === "eraser" ? 0 : 1);
  canvas.isChanged = true;
  picture.setMask(canvas.pixels);
  showBrush(to);
}

function endStroke() {
  if (canvas?.isChanged) change([[current, runsOf(canvas.pixels)]]);
}

function showBrush(place) {
  cursor = place ?? cursor;
  picture.radius = tool === "pick" ? null : radius();
  picture.setCursor(place);
  picture.draw();
}

function takeTool(wanted) {
  endStroke();
  tool = wanted;
  for (const button of document.querySelectorAll("[data-tool]")) {
    button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
  }
  byId("picture").classList.toggle("picks", tool === "pick");
  showOutlines();
}

function resize(step) {
  size = Math.min(SIZES.length - 1, Math.max(0, size + step));
  byId("size").textContent = `${size + 1} of ${SIZES.length}`;
  if (clip) showBrush(cursor);
}

// ---- candidates

async function askForCandidates() {
  const [asked, frame, kept] = [clip, current, candidates];
  showCandidates();
  if (kept.has(frame)) return;
  let found;
  try {
    found = await request("GET", ["candidates", asked.id, frame]);
  } catch (error) {
    shell.say(error.message, true);
    return;
  }
  const count = asked.width * asked.height;
  kept.set(frame, found.map(({ runs, ...rest }) => ({ ...rest, pixels: pixelsOf(runs, count) })));
  if (asked === clip && frame === current) showCandidates();
}

function showCandidates() {
  const found = candidates.get(current) ?? [];
  byId("no-candidates").hidden = found.length > 0 || !candidates.has(current);
  byId("candidates").querySelector("ol").replaceChildren(...found.map(candidateRow));
  showOutlines();
}

function showOutlines() {
  const found = tool === "pick" ? (candidates.get(current) ?? []) : [];
  picture.setOutlines(found.map(({ pixels }) => outlineOf(pixels, clip.width)));
  if (clip) showBrush(null);
}

function candidateRow({ category, score }, number) {
  const button = document.createElement("button");
  button.type = "button";
  const key = document.createElement("kbd");
  key.textContent = String(number + 1);
  const sure = document.createElement("small");
  sure.textContent = `${Math.round(100 * score)} %`;
  button.append(...(number < 9 ? [key, " "] : []), category, sure);
  button.addEventListener("click", () => toggle([candidates.get(current)[number]]));
  const row = document.createElement("li");
  row.append(button);
  return row;
}

/** Cover what some candidates cover; where all of it is covered, uncover it. */
function toggle(chosen, mayTakeAway = true) {
  const pixels = canvas.pixels.slice();
  const covered = (at) => chosen.some((each) => each.pixels[at]);
  const places = [...pixels.keys()].filter(covered);
  const isThere = masks[current] !== null && places.every((at) => pixels[at]);
  if (isThere && !mayTakeAway) return;
  for (const at of places) pixels[at] = isThere ? 0 : 1;
  edit(runsOf(pixels));
}

/** Take the smallest candidate at a place. */
function pick([x, y]) {
  const at = Math.floor(y) * clip.width + Math.floor(x);
  const there = (candidates.get(current) ?? []).filter(({ pixels }) => pixels[at]);
  const area = ({ pixels }) => pixels.reduce((sum, value) => sum + value, 0);
  if (there.length === 0) shell.say("There is no candidate here.");
  else toggle([there.reduce((a, b) => (area(b) < area(a) ? b : a))]);
}

// ---- frames

function go(frame) {
  if (frame < 0 || frame >= clip.frames) return;
  endStroke();
  current = frame;
  strip.select(current);
  const { rows, columns, crop, cells } = attention;
  const own = cells.subarray(frame * rows * columns, (frame + 1) * rows * columns);
  picture.show(strip.image(current), { cells: own, rows, columns, crop });
  showMask();
  askForCandidates();
}

function show(wanted, found) {
  clip = wanted;
  masks = saver.applied(clip.id, found.masks);
  const cells = Uint8Array.from(atob(found.attention.cells), (c) => c.charCodeAt(0));
  attention = { ...found.attention, cells };
  candidates = new Map();
  canvas = null;
  cursor = [clip.width / 2, clip.height / 2];
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
  smaller: () => resize(-1),
  larger: () => resize(1),
  moveBrush(right, down) {
    const step = Math.max(1, radius());
    const clamp = (value, most) => Math.min(most, Math.max(0, value));
    const [x, y] = cursor;
    const place = [clamp(x + right * step, clip.width), clamp(y + down * step, clip.height)];
    if (isDabbing) stroke(cursor, place);
    else showBrush(place);
  },
  dab() {
    if (tool === "pick") {
      pick(cursor);
      return;
    }
    isDabbing = true;
    stroke(cursor, cursor);
  },
  release() {
    if (isDabbing) endStroke();
    isDabbing = false;
  },
  nowhere: () => edit([clip.width * clip.height]),
  clear: () => edit(null),
  candidate(number) {
    const chosen = candidates.get(current)?.[number];
    if (chosen) toggle([chosen]);
    else shell.say(`There is no candidate ${number + 1}.`);
  },
  addAll() {
    const all = candidates.get(current) ?? [];
    if (all.length > 0) toggle(all, false);
    else shell.say("There is no candidate in this frame.");
  },
  copyNext() {
    if (masks[current] === null) shell.say("This frame has no edit to copy.");
    else if (current === clip.frames - 1) shell.say("This is the last frame.");
    else {
      change([[current + 1, masks[current]]]);
      go(current + 1);
    }
  },
  copyAll() {
    const next = masks.findIndex((mask, frame) => frame > current && mask !== null);
    const end = next < 0 ? clip.frames : next;
    const frames = Array.from({ length: end - current - 1 }, (_, i) => current + 1 + i);
    if (masks[current] === null) shell.say("This frame has no edit to copy.");
    else {
      change(frames.map((frame) => [frame, masks[current]]));
      shell.say(`Copied to ${frames.length} frames.`);
    }
  },
  undo: () => takeBack("undo"),
  redo: () => takeBack("redo"),
  overlay() {
    picture.showsAttention = !picture.showsAttention;
    byId("overlay").setAttribute("aria-pressed", String(picture.showsAttention));
    picture.draw();
  },
  back: () => go(current - 1),
  forth: () => go(current + 1),
  first: () => go(0),
  last: () => go(clip.frames - 1),
};

/** Give the current frame another mask. */
function edit(mask) {
  endStroke();
  change([[current, mask]]);
}

function takeBack(what) {
  endStroke();
  const changes = history()[what]();
  apply(changes);
  if (changes.length === 0) shell.say(`There is nothing to ${what}.`);
  else if (!changes.some(([frame]) => frame === current)) go(changes[0][0]);
}

for (const button of document.querySelectorAll("[data-tool]")) {
  button.addEventListener("click", () => takeTool(button.dataset.tool));
}
byId("retry").addEventListener("click", () => saver.retry());
resize(0);
shell.start(actions, listen).then(() => clip && takeTool("brush"));

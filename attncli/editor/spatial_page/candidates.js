// The instances found in each frame: asked for when they are needed, and listed beside the frame.

import { request } from "./client.js";
import { pixelsOf } from "./masks.js";

/** Return whether pixels cover all that a candidate covers. */
export function isCovered({ places }, pixels) {
  return places.length > 0 && places.every((at) => pixels[at]);
}

/** The candidates of the open clip. */
export class Candidates {
  #root;
  #actions;
  #clip = null;
  #kept = new Map(); // by frame
  #rows = [];

  /** `actions.toggle(candidate)` when one is clicked, `actions.highlight(number)` when pointed at. */
  constructor(root, actions) {
    this.#root = root;
    this.#actions = actions;
  }

  /** Take over another clip. */
  begin(clip) {
    this.#clip = clip;
    this.#kept = new Map();
    this.list(0);
  }

  /** Return the candidates of a frame; none as long as they are not known. */
  at(frame) {
    return this.#kept.get(frame) ?? [];
  }

  /** Return the candidates of a frame once they are known. */
  async ask(frame) {
    const [clip, kept] = [this.#clip, this.#kept];
    if (!kept.has(frame)) {
      const found = await request("GET", ["candidates", clip.id, frame]);
      kept.set(frame, found.map((each) => read(each, clip.width * clip.height)));
    }
    return kept.get(frame);
  }

  /** List the candidates of a frame. */
  list(frame) {
    const found = this.at(frame);
    this.#root.querySelector("#no-candidates").hidden =
      found.length > 0 || !this.#kept.has(frame);
    this.#rows = found.map((candidate, number) => this.#row(candidate, number));
    this.#root.querySelector("ol").replaceChildren(...this.#rows);
  }

  /** Show which of those listed are covered by pixels; by none where these are null. */
  press(frame, pixels) {
    this.at(frame).forEach((candidate, number) => {
      const isIn = pixels !== null && isCovered(candidate, pixels);
      this.#rows[number]?.firstChild.setAttribute("aria-pressed", String(isIn));
    });
  }

  /** Mark the row of a candidate, counted from 0; of none where null. */
  mark(number) {
    this.#rows.forEach((row, at) => row.classList.toggle("highlighted", at === number));
  }

  /** Return the number of the smallest candidate at a place of a frame; null where there is none. */
  under(frame, [x, y]) {
    const at = Math.floor(y) * this.#clip.width + Math.floor(x);
    const found = this.at(frame);
    const there = [...found.keys()].filter((number) => found[number].pixels[at]);
    const area = (number) => found[number].places.length;
    return there.length === 0 ? null : there.reduce((a, b) => (area(b) < area(a) ? b : a));
  }

  #row(candidate, number) {
    const button = document.createElement("button");
    button.type = "button";
    const key = document.createElement("kbd");
    key.textContent = String(number + 1);
    const sure = document.createElement("small");
    sure.textContent = `${Math.round(100 * candidate.score)} %`;
    button.append(key, " ", candidate.category, sure);
    button.addEventListener("click", () => this.#actions.toggle(candidate));
    for (const name of ["pointerenter", "focus"]) {
      button.addEventListener(name, () => this.#actions.highlight(number));
    }
    for (const name of ["pointerleave", "blur"]) {
      button.addEventListener(name, () => this.#actions.highlight(null));
    }
    const row = document.createElement("li");
    row.append(button);
    return row;
  }
}

function read({ runs, ...rest }, count) {
  const pixels = pixelsOf(runs, count);
  const places = [];
  for (let at = 0; at < count; at++) if (pixels[at]) places.push(at);
  return { ...rest, pixels, places };
}

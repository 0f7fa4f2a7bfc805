// The clip's frames side by side, each below the bars of its scores.

import { heatColor, inkOn } from "./color.js";
import { thumbnailPath } from "./client.js";
import { scoreText } from "./scores.js";

const WIDTHS_PX = { least: 92, most: 240 };
const BARS_PX = 52; // of a cell's height; the rest is the picture

/** A list box of frames. Keys are handled elsewhere; the mouse is handled here. */
export class Strip {
  #root;
  #cells = [];
  #current = 0;
  #ratio = 0;

  /**
   * `actions.point(frame, extend)` moves to a frame, `actions.paint(first, last)` scores frames,
   * between `actions.beginPaint()` and `actions.endPaint()`.
   */
  constructor(root, actions) {
    this.#root = root;
    new ResizeObserver(() => this.#fit()).observe(root.parentElement);
    root.addEventListener("pointerdown", (event) => this.#press(event, actions));
  }

  /** The pictures, in order. */
  get images() {
    return this.#cells.map((cell) => cell.querySelector("img"));
  }

  /** How many frames stand in a row. */
  get columns() {
    return getComputedStyle(this.#root).gridTemplateColumns.split(" ").length;
  }

  /** Show another clip. */
  show(clip, attention) {
    this.#cells = Array.from({ length: clip.frames }, (_, frame) =>
      makeCell(clip.id, frame, attention[frame]),
    );
    this.#current = 0;
    this.#root.replaceChildren(...this.#cells);
    this.#root.scrollTop = 0;
    for (const image of this.images) image.addEventListener("load", () => this.#fit());
    this.#fit();
  }

  /** Show the score of a frame. */
  score(frame, score) {
    const cell = this.#cells[frame];
    paintBar(cell.querySelector(".edited"), score);
    const own = cell.dataset.own ? `, the model ${cell.dataset.own}` : "";
    const said = score === null ? "not set" : scoreText(score);
    cell.setAttribute("aria-label", `Frame ${frame + 1}: ${said}${own}`);
  }

  /** Mark the current frame and those selected, and bring the current one into view. */
  select(current, first, last) {
    this.#cells[this.#current]?.removeAttribute("aria-current");
    this.#cells[this.#current]?.setAttribute("tabindex", "-1");
    this.#current = current;
    this.#cells.forEach((cell, frame) => {
      cell.setAttribute("aria-selected", String(first <= frame && frame <= last));
    });
    this.#root.classList.toggle("ranged", first !== last);
    this.#cells[current].setAttribute("aria-current", "true");
    this.#cells[current].setAttribute("tabindex", "0");
    this.#show();
  }

  /** Put the keyboard's focus on the current frame. */
  focus() {
    this.#cells[this.#current]?.focus({ preventScroll: true });
  }

  /** Mark the frames that the model looks at, where it does not look at all of them. */
  markSeen(frames) {
    const seen = new Set(frames.length < this.#cells.length ? frames : []);
    this.#cells.forEach((cell, frame) => cell.classList.toggle("seen", seen.has(frame)));
  }

  #press(event, actions) {
    const pressed = this.#frameOf(event.target);
    if (event.button !== 0 || pressed === null) return;
    event.preventDefault();
    const paints = event.target.closest(".bars") !== null;
    if (paints) actions.beginPaint();
    let last = pressed;
    const reach = (frame, extend) => {
      actions.point(frame, extend && !paints);
      // A quick pointer skips frames; across rows, those it skips were not meant.
      const rows = [frame, last].map((each) => Math.floor(each / this.columns));
      const from = rows[0] === rows[1] ? last : frame;
      if (paints) actions.paint(Math.min(from, frame), Math.max(from, frame));
      last = frame;
    };
    reach(pressed, event.shiftKey);
    const move = ({ clientX, clientY }) => {
      const frame = this.#frameOf(document.elementFromPoint(clientX, clientY));
      if (frame !== null && frame !== last) reach(frame, true);
    };
    const listening = new AbortController();
    const end = () => {
      listening.abort();
      if (paints) actions.endPaint();
    };
    addEventListener("pointermove", move, { signal: listening.signal });
    for (const name of ["pointerup", "pointercancel", "blur"]) {
      addEventListener(name, end, { signal: listening.signal });
    }
  }

  #frameOf(element) {
    const cell = element?.closest("[role=option]");
    return cell ? this.#cells.indexOf(cell) : null;
  }

  /** Make the frames as large as they can be without any out of view, within limits. */
  #fit() {
    const image = this.images.find(({ naturalWidth }) => naturalWidth > 0);
    const ratio = image ? image.naturalHeight / image.naturalWidth : 0.75;
    const { clientWidth, clientHeight } = this.#root;
    const most = Math.max(1, Math.floor(clientWidth / WIDTHS_PX.least));
    let columns = Math.max(1, Math.ceil(clientWidth / WIDTHS_PX.most));
    const height = () =>
      Math.ceil(this.#cells.length / columns) * ((clientWidth / columns) * ratio + BARS_PX);
    while (columns < most && height() > clientHeight) columns++;
    const { style } = this.#root;
    if (style.getPropertyValue("--columns") === String(columns) && this.#ratio === ratio) return;
    this.#ratio = ratio;
    style.setProperty("--columns", columns);
    style.setProperty("--ratio", 1 / ratio);
    this.#show();
  }

  #show() {
    this.#cells[this.#current]?.scrollIntoView({ block: "nearest" });
  }
}

function makeCell(clipId, frame, own) {
  const cell = document.createElement("div");
  cell.setAttribute("role", "option");
  cell.setAttribute("tabindex", "-1");
  if (own !== null) cell.dataset.own = own.toFixed(2);
  const image = document.createElement("img");
  image.src = thumbnailPath(clipId, frame);
  image.alt = "";
  image.draggable = false;
  const bars = part("bars", part("edited"), part("own"));
  paintBar(bars.lastChild, own);
  cell.append(bars, part("picture", image, part("number", String(frame + 1)), part("dot")));
  return cell;
}

function paintBar(bar, score) {
  bar.classList.toggle("unset", score === null);
  bar.textContent = scoreText(score);
  bar.style.backgroundColor = score === null ? "" : heatColor(score);
  bar.style.color = score === null ? "" : inkOn(score);
}

function part(name, ...children) {
  const element = document.createElement("div");
  element.className = name;
  element.append(...children);
  return element;
}

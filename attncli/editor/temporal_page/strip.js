// The clip's frames side by side, each below the bars of its scores.

import { heatColor, inkOn } from "./color.js";
import { thumbnailPath } from "./client.js";
import { pressFrames } from "./pressing.js";
import { scoreText } from "./scores.js";

const WIDTHS_PX = { least: 92, most: 240 };
const LABELS_PX = 58; // room for the names of the rows
const BARS_PX = 52; // of a cell's height; the rest is the picture

/** A list box of frames. Keys are handled elsewhere; the mouse is handled here. */
export class Strip {
  #root;
  #cells = [];
  #current = 0;
  #columns = 8;
  #ratio = 0;
  #every = 1;

  /**
   * `actions.point(frame, extend)` moves to a frame, `actions.paint(first, last)` scores frames,
   * between `actions.beginPaint()` and `actions.endPaint()`.
   */
  constructor(root, actions) {
    this.#root = root;
    new ResizeObserver(() => this.#fit()).observe(root.parentElement);
    pressFrames(root, actions, {
      frameOf: (element) => {
        const cell = element?.closest("[role=option]");
        return cell ? this.#cells.indexOf(cell) : null;
      },
      rowOf: (frame) => Math.floor(this.#shown().indexOf(frame) / this.#columns),
    });
  }

  /** The pictures, in order. */
  get images() {
    return this.#cells.map((cell) => cell.querySelector("img"));
  }

  /** Return the picture of a frame. */
  image(frame) {
    return this.#cells[frame].querySelector("img");
  }

  /** How many frames stand in a row. */
  get columns() {
    return this.#columns;
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
    this.#thin();
  }

  /** Show every how many-th frame only, and the current one. */
  set every(every) {
    this.#every = every;
    this.#thin();
  }

  /** Show the score of a frame. */
  score(frame, score) {
    const cell = this.#cells[frame];
    paintBar(cell.querySelector(".edited"), score);
    const own = cell.dataset.own ? `, the model ${cell.dataset.own}` : "";
    const said = score === null ? "not set" : scoreText(score);
    cell.setAttribute("aria-label", `Frame ${frame}: ${said}${own}`);
  }

  /**
   * Mark the current frame and those selected, and bring the current one into view; one that is
   * left out is shown nevertheless unless `isPassing`.
   */
  select(current, first, last, isPassing = false) {
    this.#cells[this.#current]?.removeAttribute("aria-current");
    this.#cells[this.#current]?.setAttribute("tabindex", "-1");
    this.#current = current;
    this.#cells.forEach((cell, frame) => {
      cell.setAttribute("aria-selected", String(first <= frame && frame <= last));
    });
    this.#root.classList.toggle("ranged", first !== last);
    this.#cells[current].setAttribute("aria-current", "true");
    this.#cells[current].setAttribute("tabindex", "0");
    if (this.#every > 1 && !isPassing) this.#thin();
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

  /** Return the frames that are shown. */
  #shown() {
    return [...this.#cells.keys()].filter((frame) => !this.#cells[frame].hidden);
  }

  /** Hide all but every how many-th frame. */
  #thin() {
    let isOther = false;
    this.#cells.forEach((cell, frame) => {
      const hidden = frame % this.#every !== 0 && frame !== this.#current;
      isOther ||= hidden !== cell.hidden;
      cell.hidden = hidden;
    });
    if (isOther || this.#root.querySelector(".row-label") === null) this.#fit(true);
  }

  /** Make the frames as large as they can be without any out of view, within limits. */
  #fit(isOther = false) {
    if (this.#root.clientWidth === 0) return; // the large view is in its place
    const image = this.images.find(({ naturalWidth }) => naturalWidth > 0);
    const ratio = image ? image.naturalHeight / image.naturalWidth : 0.75;
    const { clientHeight } = this.#root;
    const room = this.#root.clientWidth - LABELS_PX;
    const count = this.#shown().length;
    const most = Math.max(1, Math.floor(room / WIDTHS_PX.least));
    let columns = Math.max(1, Math.ceil(room / WIDTHS_PX.most));
    const height = () => Math.ceil(count / columns) * ((room / columns) * ratio + BARS_PX);
    while (columns < most && height() > clientHeight) columns++;
    if (!isOther && this.#columns === columns && this.#ratio === ratio) return;
    [this.#columns, this.#ratio] = [columns, ratio];
    this.#root.style.setProperty("--columns", columns);
    this.#root.style.setProperty("--ratio", 1 / ratio);
    this.#labelRows();
    this.#show();
  }

  /** Begin each row with what its bars are, and which frames it shows. */
  #labelRows() {
    for (const label of this.#root.querySelectorAll(".row-label")) label.remove();
    const shown = this.#shown();
    for (let at = 0; at < shown.length; at += this.#columns) {
      const last = shown[Math.min(at + this.#columns, shown.length) - 1];
      this.#cells[shown[at]].before(makeLabel(shown[at], last));
    }
  }

  #show() {
    this.#cells[this.#current]?.scrollIntoView({ block: "nearest" });
  }
}

function makeLabel(first, last) {
  const label = document.createElement("span");
  label.className = "row-label";
  label.ariaHidden = "true"; // each frame says it of itself
  const frames = first === last ? `${first}` : `${first}–${last}`;
  label.append(part("row-edited", "You"), part("row-own", "Model"), part("row-range", frames));
  return label;
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
  cell.append(bars, part("picture", image, part("number", String(frame)), part("dot")));
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

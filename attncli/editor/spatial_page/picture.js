// The frame enlarged, with the model's attention, the painting and the brush over it.

import { heat } from "./color.js";
import { fillLayer, makeLayer } from "./layers.js";
import { Outlines } from "./outlines.js";
import { STEP, Zoom } from "./zoom.js";

const PAINT = [255, 43, 214];

/** A canvas on which one frame is shown; places are in pixels of the video. */
export class Picture {
  #stage;
  #canvas;
  #size = { width: 1, height: 1 };
  #zoom = new Zoom();
  #image = null;
  #full = null;
  #attention = null;
  #crop = [0, 0, 0, 0];
  #mask = makeLayer(1, 1);
  #outlines = new Outlines();
  #cursor = null;

  /** Whether the model's attention is shown. */
  showsAttention = true;
  /** Whether outlines and numbers of the candidates are shown. */
  showsCandidates = true;
  /** How much painting and attention hide of the frame, in [0, 1]. */
  opacity = 0.5;
  /** Radius of the brush; null where there is none. */
  radius = null;
  /** Whether the pointer moves the picture. */
  isMoved = false;

  /**
   * `actions.begin(place)`, `actions.stroke(from, to)` and `actions.end()` follow a pointer that is
   * pressed; `actions.hover(place)` one that is not, with null when it leaves.
   */
  constructor(stage, canvas, actions) {
    this.#stage = stage;
    this.#canvas = canvas;
    new ResizeObserver(() => this.draw()).observe(stage);
    canvas.addEventListener("pointerdown", (event) => this.#press(event, actions));
    canvas.addEventListener("pointermove", (event) => actions.hover(this.#place(event)));
    canvas.addEventListener("pointerleave", () => actions.hover(null));
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  /** Show frames of another clip. */
  begin({ width, height }) {
    this.#size = { width, height };
    this.#zoom.setSize(this.#size);
    this.#zoom.whole();
    this.#mask = makeLayer(width, height);
  }

  /** Show another frame: its image, and the attention of rows x columns cells, 255 for 1. */
  show(image, { cells, rows, columns, crop }) {
    this.#image = image;
    this.#full = null;
    this.#attention = makeLayer(columns, rows);
    const colors = new ImageData(columns, rows);
    cells.forEach((cell, i) => colors.data.set([...heat(cell / 255), 255], 4 * i));
    this.#attention.getContext("2d").putImageData(colors, 0, 0);
    this.#crop = crop;
    if (!image.complete) image.addEventListener("load", () => image === this.#image && this.draw());
  }

  /** Take over the frame at the video's resolution; null where there is none. */
  setFull(picture) {
    this.#full = picture;
  }

  /** Take over the pixels that are covered. */
  setMask(pixels) {
    fillLayer(this.#mask, pixels, PAINT);
  }

  /** Take over the candidates of the frame. */
  setCandidates(candidates) {
    this.#outlines.set(candidates, this.#size);
  }

  /** Point at a candidate, counted from 0; at none where null. */
  highlight(number) {
    if (this.#outlines.highlighted === number) return;
    this.#outlines.highlighted = number;
    this.draw();
  }

  /** Show the brush at a place; nowhere where null. */
  setCursor(place) {
    this.#cursor = place;
  }

  /** Show the picture larger, or smaller. */
  enlarge(isLarger) {
    this.#zoom.by(isLarger ? STEP : 1 / STEP, this.#cursor);
    this.draw();
  }

  /** Move over the picture, by steps. */
  pan(right, down) {
    this.#zoom.pan(right / 8, down / 8);
    this.draw();
  }

  /** Show all of the picture. */
  whole() {
    this.#zoom.whole();
    this.draw();
  }

  /** Move over the picture until a place is in view. */
  reveal(place) {
    const [corner, extent] = [this.#zoom.corner, this.#zoom.extent];
    const by = place.map((at, axis) => {
      const seen = extent[axis] / this.#zoom.scale;
      return Math.min(0, at - corner[axis]) + Math.max(0, at - corner[axis] - seen);
    });
    if (by.some((step) => step !== 0)) this.#zoom.move(...by);
  }

  /** Times as large as when all of it is in view. */
  get level() {
    return this.#zoom.level;
  }

  /** Draw everything anew. */
  draw() {
    this.#fit();
    const context = this.#canvas.getContext("2d");
    const { width, height } = this.#size;
    const scale = this.#zoom.scale * devicePixelRatio;
    const [left, top] = this.#zoom.corner;
    const turn = () => context.setTransform(scale, 0, 0, scale, -left * scale, -top * scale);
    turn();
    context.clearRect(0, 0, width, height);
    const image = this.#full ?? (this.#image?.naturalWidth > 0 ? this.#image : null);
    if (image && (this.#full || image.complete)) context.drawImage(image, 0, 0, width, height);
    if (this.showsAttention && this.#attention) {
      const [l, t, r, b] = this.#crop;
      context.globalAlpha = 0.9 * this.opacity;
      context.drawImage(this.#attention, l, t, r - l, b - t);
    }
    context.globalAlpha = this.opacity;
    context.drawImage(this.#mask, 0, 0);
    context.globalAlpha = 1;
    if (this.showsCandidates) this.#drawCandidates(context, turn, scale, [left, top]);
    this.#drawCursor(context);
  }

  #drawCandidates(context, turn, scale, [left, top]) {
    const drawLayer = (layer, opacity) => {
      turn();
      context.imageSmoothingEnabled = false;
      context.globalAlpha = opacity;
      context.drawImage(layer, 0, 0);
      context.globalAlpha = 1;
      context.imageSmoothingEnabled = true;
      context.setTransform(1, 0, 0, 1, 0, 0);
    };
    const toPage = ([x, y]) => [(x - left) * scale, (y - top) * scale];
    context.setTransform(1, 0, 0, 1, 0, 0);
    this.#outlines.draw(context, drawLayer, toPage, devicePixelRatio);
    turn();
  }

  #drawCursor(context) {
    if (!this.#cursor || this.radius === null) return;
    for (const [color, px] of [["#000", 3], ["#fff", 1]]) {
      context.strokeStyle = color;
      context.lineWidth = px / this.#zoom.scale;
      context.beginPath();
      context.arc(...this.#cursor, this.radius, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  #fit() {
    this.#zoom.setRoom(this.#stage.clientWidth, this.#stage.clientHeight);
    const [wide, high] = this.#zoom.extent;
    this.#canvas.style.width = `${wide}px`;
    this.#canvas.style.height = `${high}px`;
    const [columns, rows] = [wide, high].map((px) => Math.max(1, Math.round(px * devicePixelRatio)));
    if (this.#canvas.width !== columns) this.#canvas.width = columns;
    if (this.#canvas.height !== rows) this.#canvas.height = rows;
  }

  #place({ clientX, clientY }) {
    const box = this.#canvas.getBoundingClientRect();
    const [left, top] = this.#zoom.corner;
    const { scale } = this.#zoom;
    return [left + (clientX - box.left) / scale, top + (clientY - box.top) / scale];
  }

  #wheel(event) {
    event.preventDefault();
    this.#zoom.by(event.deltaY < 0 ? STEP : 1 / STEP, this.#place(event));
    this.draw();
  }

  #press(event, actions) {
    if (event.button > 1) return;
    event.preventDefault();
    this.#stage.focus({ preventScroll: true });
    // The wheel, pressed, moves the picture whatever the tool.
    if (this.isMoved || event.button === 1) {
      follow((moved) => {
        this.#zoom.move(-moved.movementX / this.#zoom.scale, -moved.movementY / this.#zoom.scale);
        this.draw();
      });
      return;
    }
    let last = this.#place(event);
    actions.begin(last);
    follow((moved) => {
      const place = this.#place(moved);
      actions.stroke(last, place);
      last = place;
    }, actions.end);
  }
}

/** Call `move(event)` until the pointer is let go, and `end()` then. */
function follow(move, end = () => {}) {
  const listening = new AbortController();
  const stop = () => {
    listening.abort();
    end();
  };
  addEventListener("pointermove", move, { signal: listening.signal });
  for (const name of ["pointerup", "pointercancel", "blur"]) {
    addEventListener(name, stop, { signal: listening.signal });
  }
}

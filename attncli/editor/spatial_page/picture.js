// The frame enlarged, with the model's attention, the painting and the brush over it.

import { heat } from "./color.js";

const PAINT = [255, 43, 214];
const OUTLINE = [255, 255, 255];
const OPACITY = { attention: 0.45, mask: 0.5 };

/** A canvas on which one frame is shown; places are in pixels of the video. */
export class Picture {
  #stage;
  #canvas;
  #size = { width: 1, height: 1 };
  #image = null;
  #attention = null;
  #crop = [0, 0, 0, 0];
  #mask = makeLayer(1, 1);
  #outlines = [];
  #cursor = null;
  #scale = 1;

  /** Whether the model's attention is shown. */
  showsAttention = true;
  /** Radius of the brush; null where there is none. */
  radius = null;

  /**
   * `actions.begin(place)`, `actions.stroke(from, to)` and `actions.end()` follow a pointer that is
   * pressed; `actions.hover(place)` one that is not, with null when it leaves.
   */
  constructor(stage, canvas, actions) {
    this.#stage = stage;
    this.#canvas = canvas;
    new ResizeObserver(() => this.#fit()).observe(stage);
    canvas.addEventListener("pointerdown", (event) => this.#press(event, actions));
    canvas.addEventListener("pointermove", (event) => actions.hover(this.#place(event)));
    canvas.addEventListener("pointerleave", () => actions.hover(null));
  }

  /** Show frames of another clip. */
  begin({ width, height }) {
    this.#size = { width, height };
    this.#mask = makeLayer(width, height);
    this.#fit();
  }

  /** Show another frame: its image, and the attention of rows x columns cells, 255 for 1. */
  show(image, { cells, rows, columns, crop }) {
    this.#image = image;
    this.#attention = makeLayer(columns, rows);
    const colors = new ImageData(columns, rows);
    cells.forEach((cell, i) => colors.data.set([...heat(cell / 255), 255], 4 * i));
    this.#attention.getContext("2d").putImageData(colors, 0, 0);
    this.#crop = crop;
    if (!image.complete) image.addEventListener("load", () => image === this.#image && this.draw());
  }

  /** Take over the pixels that are covered. */
  setMask(pixels) {
    fillLayer(this.#mask, pixels, PAINT);
  }

  /** Show where masks end. */
  setOutlines(masks) {
    this.#outlines = masks.map((pixels) => {
      const layer = makeLayer(this.#size.width, this.#size.height);
      fillLayer(layer, pixels, OUTLINE);
      return layer;
    });
  }

  /** Show the brush at a place; nowhere where null. */
  setCursor(place) {
    this.#cursor = place;
  }

  /** Draw everything anew. */
  draw() {
    const context = this.#canvas.getContext("2d");
    const { width, height } = this.#size;
    context.setTransform(this.#scale, 0, 0, this.#scale, 0, 0);
    context.clearRect(0, 0, width, height);
    if (this.#image?.complete && this.#image.naturalWidth > 0) {
      context.drawImage(this.#image, 0, 0, width, height);
    }
    if (this.showsAttention && this.#attention) {
      const [left, top, right, bottom] = this.#crop;
      context.globalAlpha = OPACITY.attention;
      context.drawImage(this.#attention, left, top, right - left, bottom - top);
    }
    context.globalAlpha = OPACITY.mask;
    context.drawImage(this.#mask, 0, 0);
    context.globalAlpha = 1;
    for (const layer of this.#outlines) context.drawImage(layer, 0, 0);
    this.#drawCursor(context);
  }

  #drawCursor(context) {
    if (!this.#cursor || this.radius === null) return;
    for (const [color, px] of [["#000", 3], ["#fff", 1]]) {
      context.strokeStyle = color;
      context.lineWidth = px / this.#scale;
      context.beginPath();
      context.arc(...this.#cursor, this.radius, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  #fit() {
    const { clientWidth, clientHeight } = this.#stage;
    const { width, height } = this.#size;
    const shown = Math.min(clientWidth / width, clientHeight / height);
    this.#canvas.style.width = `${width * shown}px`;
    this.#canvas.style.height = `${height * shown}px`;
    this.#scale = shown * devicePixelRatio;
    this.#canvas.width = Math.max(1, Math.round(width * this.#scale));
    this.#canvas.height = Math.max(1, Math.round(height * this.#scale));
    this.draw();
  }

  #place({ clientX, clientY }) {
    const box = this.#canvas.getBoundingClientRect();
    const { width, height } = this.#size;
    return [
      ((clientX - box.left) / box.width) * width,
      ((clientY - box.top) / box.height) * height,
    ];
  }

  #press(event, actions) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.#stage.focus({ preventScroll: true });
    let last = this.#place(event);
    actions.begin(last);
    const listening = new AbortController();
    const move = (moved) => {
      const place = this.#place(moved);
      actions.stroke(last, place);
      last = place;
    };
    const end = () => {
      listening.abort();
      actions.end();
    };
    addEventListener("pointermove", move, { signal: listening.signal });
    for (const name of ["pointerup", "pointercancel", "blur"]) {
      addEventListener(name, end, { signal: listening.signal });
    }
  }
}

function makeLayer(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

function fillLayer(layer, pixels, color) {
  const image = new ImageData(layer.width, layer.height);
  // One 32-bit write a pixel; bytes are red, green, blue, opacity from the lowest on.
  const words = new Uint32Array(image.data.buffer);
  const word = (255 << 24) | (color[2] << 16) | (color[1] << 8) | color[0];
  for (let at = 0; at < pixels.length; at++) if (pixels[at]) words[at] = word;
  layer.getContext("2d").putImageData(image, 0, 0);
}

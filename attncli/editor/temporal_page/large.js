// The current frame in the place of all frames: at the video's resolution, and to be enlarged.

import { FullPictures } from "./full_pictures.js";
import { STEP, Zoom } from "./zoom.js";

/** A canvas in the place of the strip of frames; hidden at first. */
export class LargeView {
  #root;
  #canvas;
  #about;
  #zoom = new Zoom();
  #full = new FullPictures((clipId, frame) => {
    if (clipId === this.#clipId && frame === this.#frame) this.#draw();
  });
  #clipId = null;
  #frame = 0;
  #small = null;

  constructor(root) {
    this.#root = root;
    this.#canvas = root.querySelector("canvas");
    this.#about = root.querySelector("p");
    new ResizeObserver(() => this.#draw()).observe(this.#canvas.parentElement);
    this.#canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.#canvas.addEventListener("pointerdown", (event) => this.#drag(event));
  }

  get isOpen() {
    return !this.#root.hidden;
  }

  /** Show it, or hide it. */
  toggle() {
    this.#root.hidden = !this.#root.hidden;
    this.#draw();
  }

  /** Show a frame; until its large picture is there, the small one. */
  show(clipId, frame, small) {
    if (clipId !== this.#clipId) this.#zoom.whole();
    [this.#clipId, this.#frame, this.#small] = [clipId, frame, small];
    if (!small.complete) small.addEventListener("load", () => this.#draw(), { once: true });
    this.#draw();
  }

  /** Show the picture larger, or smaller. */
  enlarge(isLarger) {
    this.#zoom.by(isLarger ? STEP : 1 / STEP);
    this.#draw();
  }

  /** Move over the picture, by steps. */
  pan(right, down) {
    this.#zoom.pan(right / 8, down / 8);
    this.#draw();
  }

  /** Show all of the picture. */
  whole() {
    this.#zoom.whole();
    this.#draw();
  }

  #draw() {
    if (!this.isOpen || this.#clipId === null) return;
    this.#full.want(this.#clipId, this.#frame);
    const full = this.#full.at(this.#clipId, this.#frame);
    const [width, height] = full
      ? [full.width, full.height]
      : [this.#small.naturalWidth, this.#small.naturalHeight];
    this.#describe(full, width, height);
    if (width === 0) return;
    const zoom = this.#zoom;
    const { clientWidth, clientHeight } = this.#canvas.parentElement;
    zoom.setSize({ width, height });
    zoom.setRoom(clientWidth, clientHeight);
    const [wide, high] = zoom.extent;
    this.#canvas.style.width = `${wide}px`;
    this.#canvas.style.height = `${high}px`;
    this.#canvas.width = Math.max(1, Math.round(wide * devicePixelRatio));
    this.#canvas.height = Math.max(1, Math.round(high * devicePixelRatio));
    const [left, top] = zoom.corner;
    const seen = [wide / zoom.scale, high / zoom.scale];
    const context = this.#canvas.getContext("2d");
    context.imageSmoothingEnabled = zoom.scale < 4;
    const to = [0, 0, this.#canvas.width, this.#canvas.height];
    context.drawImage(full ?? this.#small, left, top, ...seen, ...to);
  }

  #describe(full, width, height) {
    const reason = this.#full.reason(this.#clipId);
    const times = `${Number(this.#zoom.level.toFixed(1))}×`;
    const size = `${width} × ${height} pixels`;
    this.#about.textContent = reason
      ? `${times} · small picture (${size}): ${reason}`
      : `${times} · ${size}${full ? "" : ", larger one on its way"}`;
  }

  #wheel(event) {
    event.preventDefault();
    const [left, top] = this.#zoom.corner;
    const place = [left + event.offsetX / this.#zoom.scale, top + event.offsetY / this.#zoom.scale];
    this.#zoom.by(event.deltaY < 0 ? STEP : 1 / STEP, place);
    this.#draw();
  }

  #drag(event) {
    event.preventDefault();
    const listening = new AbortController();
    const move = ({ movementX, movementY }) => {
      this.#zoom.move(-movementX / this.#zoom.scale, -movementY / this.#zoom.scale);
      this.#draw();
    };
    addEventListener("pointermove", move, { signal: listening.signal });
    for (const name of ["pointerup", "pointercancel", "blur"]) {
      addEventListener(name, () => listening.abort(), { signal: listening.signal });
    }
  }
}

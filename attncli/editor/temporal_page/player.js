// The current frame, the clip's scores along a time line, and playback.

import { heatColor } from "./color.js";
import { Playback } from "./playback.js";
import { scoreText } from "./scores.js";

/** Shows one frame at a time. */
export class Player {
  #parts;
  #actions;
  #playback;
  #clip = null;
  #images = [];
  #frame = 0;

  /**
   * `actions.move(frame)` is called for every frame that playback comes to; at the last one it
   * starts over, unless `actions.ends()` is true.
   */
  constructor(root, actions) {
    const names = ["picture", "timeline", "playhead", "position", "edited", "own"];
    this.#parts = Object.fromEntries(names.map((n) => [n, root.querySelector(`[data-part=${n}]`)]));
    this.#actions = actions;
    this.#playback = new Playback(root, () => this.#step());
    this.#parts.timeline.addEventListener("pointerdown", (event) => this.#scrub(event));
  }

  get isPlaying() {
    return this.#playback.isPlaying;
  }

  /** Show another clip, whose pictures are these. */
  show(clip, images) {
    this.#playback.show(clip);
    this.#clip = clip;
    this.#images = images;
    for (const image of images) {
      image.addEventListener("load", () => image === this.#images[this.#frame] && this.#draw());
    }
  }

  /** Show a frame and its two scores. */
  go(frame, score, own) {
    this.#frame = frame;
    const { frames, fps } = this.#clip;
    this.#parts.position.textContent = `${(frame / fps).toFixed(2)} s`;
    this.#parts.playhead.style.setProperty("--at", frame / frames);
    this.#parts.playhead.style.setProperty("--wide", 1 / frames);
    readOut(this.#parts.edited, score);
    readOut(this.#parts.own, own);
    this.#draw();
  }

  /** Show all scores along the time line. */
  draw(scores, attention) {
    this.#parts.timeline.style.setProperty("--edited", segments(scores));
    this.#parts.timeline.style.setProperty("--own", segments(attention));
  }

  /** Play the clip over and over, or stop. */
  toggle() {
    this.#playback.toggle();
  }

  /** Stop playing. */
  pause() {
    this.#playback.pause();
  }

  /** Take the next of the speeds. */
  changeSpeed() {
    this.#playback.changeSpeed();
  }

  #step() {
    const isLast = this.#frame === this.#clip.frames - 1;
    if (isLast && this.#actions.ends()) this.pause();
    else this.#actions.move(isLast ? 0 : this.#frame + 1);
  }

  #draw() {
    const image = this.#images[this.#frame];
    if (!image?.complete || image.naturalWidth === 0) return;
    const canvas = this.#parts.picture;
    if (canvas.width !== image.naturalWidth) canvas.width = image.naturalWidth;
    if (canvas.height !== image.naturalHeight) canvas.height = image.naturalHeight;
    canvas.getContext("2d").drawImage(image, 0, 0);
  }

  #scrub(event) {
    const go = ({ clientX }) => {
      const { left, width } = this.#parts.timeline.getBoundingClientRect();
      const last = this.#clip.frames - 1;
      const frame = Math.floor(((clientX - left) / width) * this.#clip.frames);
      this.#actions.move(Math.min(last, Math.max(0, frame)));
    };
    event.preventDefault();
    this.pause();
    go(event);
    const listening = new AbortController();
    addEventListener("pointermove", go, { signal: listening.signal });
    for (const name of ["pointerup", "pointercancel", "blur"]) {
      addEventListener(name, () => listening.abort(), { signal: listening.signal });
    }
  }
}

function readOut(element, score) {
  element.querySelector("b").textContent = scoreText(score);
  element.style.setProperty("--color", score === null ? "transparent" : heatColor(score));
}

/** Return a gradient with one even stretch a frame, transparent where there is no score. */
function segments(scores) {
  const stops = scores.map((score, i) => {
    const color = score === null ? "transparent" : heatColor(score);
    return `${color} ${(100 * i) / scores.length}% ${(100 * (i + 1)) / scores.length}%`;
  });
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

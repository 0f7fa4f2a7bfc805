// The current frame enlarged, the clip's scores along a time line, and playback.

import { heatColor } from "./color.js";
import { scoreText } from "./scores.js";

export const SPEEDS = [1, 0.5, 0.25];

/** Shows one frame at a time; `move(frame)` is called for every frame that playback comes to. */
export class Player {
  #parts;
  #move;
  #clip = null;
  #images = [];
  #frame = 0;
  #timer = 0;
  #speed = 0;

  constructor(root, move) {
    const names = ["picture", "timeline", "playhead", "position", "edited", "own", "play", "speed"];
    this.#parts = Object.fromEntries(names.map((n) => [n, root.querySelector(`[data-part=${n}]`)]));
    this.#move = move;
    this.#parts.timeline.addEventListener("pointerdown", (event) => this.#scrub(event));
  }

  get isPlaying() {
    return this.#timer !== 0;
  }

  /** Show another clip, whose pictures are these. */
  show(clip, images) {
    this.pause();
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
    this.#parts.position.textContent = `${frame + 1} of ${frames} · ${(frame / fps).toFixed(2)} s`;
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
    if (this.isPlaying) this.pause();
    else this.#play();
  }

  /** Stop playing. */
  pause() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#label();
  }

  /** Take the next of the speeds. */
  changeSpeed() {
    this.#speed = (this.#speed + 1) % SPEEDS.length;
    this.#parts.speed.querySelector("span").textContent = `${["1", "½", "¼"][this.#speed]}×`;
    if (this.isPlaying) this.#play();
    return SPEEDS[this.#speed];
  }

  #play() {
    clearInterval(this.#timer);
    const { frames, fps } = this.#clip;
    const stepMs = 1000 / (fps * SPEEDS[this.#speed]);
    let due = performance.now() + stepMs;
    // A timer that fires late catches up, one frame after the other: all of them are painted.
    this.#timer = setInterval(() => {
      for (; due <= performance.now() && this.isPlaying; due += stepMs) {
        this.#move((this.#frame + 1) % frames);
      }
    }, Math.min(stepMs, 10));
    this.#label();
  }

  #label() {
    this.#parts.play.querySelector("span").textContent = this.isPlaying ? "Pause" : "Play";
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
      this.#move(Math.min(last, Math.max(0, frame)));
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

// Plays a clip, frame after frame, at its own pace or slower.

export const SPEEDS = [1, 0.5, 0.25];

/** Calls `step()` for every frame that is due while it plays. */
export class Playback {
  #buttons;
  #step;
  #timer = 0;
  #speed = 0;
  #fps = 1;

  /** `root` holds the buttons `play` and `speed` as its parts. */
  constructor(root, step) {
    const part = (name) => root.querySelector(`[data-part=${name}] span`);
    this.#buttons = { play: part("play"), speed: part("speed") };
    this.#step = step;
  }

  get isPlaying() {
    return this.#timer !== 0;
  }

  /** Take over another clip, which does not play yet. */
  show({ fps }) {
    this.pause();
    this.#fps = fps;
  }

  /** Play, or stop. */
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
    this.#buttons.speed.textContent = `${["1", "½", "¼"][this.#speed]}×`;
    if (this.isPlaying) this.#play();
  }

  #play() {
    clearInterval(this.#timer);
    const stepMs = 1000 / (this.#fps * SPEEDS[this.#speed]);
    let due = performance.now() + stepMs;
    // A timer that fires late catches up, one frame after the other: none is left out.
    this.#timer = setInterval(() => {
      for (; due <= performance.now() && this.isPlaying; due += stepMs) this.#step();
    }, Math.min(stepMs, 10));
    this.#label();
  }

  #label() {
    this.#buttons.play.textContent = this.isPlaying ? "Pause" : "Play";
  }
}

// Which part of a picture is in view. Places are in pixels of the video, room in pixels of the page.

export const STEP = 1.5;
const MOST = 24;

const clamp = (value, least, most) => Math.min(Math.max(value, least), Math.max(least, most));

/** A window on a picture: all of it, or a part that can be moved. */
export class Zoom {
  #size = [1, 1];
  #room = [1, 1];
  #level = 1;
  #centre = [0.5, 0.5]; // in shares of the picture

  /** Times as large as when all of it is in view. */
  get level() {
    return this.#level;
  }

  /** Take over a picture of `width` times `height` pixels; the window stays where it is on it. */
  setSize({ width, height }) {
    this.#size = [width, height];
  }

  /** Take over how much room there is. */
  setRoom(width, height) {
    this.#room = [Math.max(1, width), Math.max(1, height)];
  }

  /** Pixels of the page that a pixel of the picture takes. */
  get scale() {
    const [width, height] = this.#size;
    return this.#level * Math.min(this.#room[0] / width, this.#room[1] / height);
  }

  /** Width and height of the window on the page. */
  get extent() {
    return this.#size.map((length, axis) => Math.min(this.#room[axis], length * this.scale));
  }

  /** Place of the window's upper left corner in the picture. */
  get corner() {
    return this.#size.map((length, axis) => {
      const seen = this.extent[axis] / this.scale;
      return clamp(this.#centre[axis] * length - seen / 2, 0, length - seen);
    });
  }

  /** Show the picture `factor` times as large; a place, its middle if none is given, stays put. */
  by(factor, place = null) {
    const [before, from] = [this.scale, this.corner];
    const middle = this.extent.map((length, axis) => from[axis] + length / 2 / before);
    const held = place ?? middle;
    this.#level = clamp(this.#level * factor, 1, MOST);
    // The window may grow, but its middle stays where it is on the page.
    const share = before / this.scale;
    const corner = held.map((at, axis) => {
      const seen = this.extent[axis] / this.scale;
      return at - (at - middle[axis]) * share - seen / 2;
    });
    this.#settle(corner);
  }

  /** Move the window by some pixels of the picture. */
  move(right, down) {
    const [x, y] = this.corner;
    this.#settle([x + right, y + down]);
  }

  /** Move the window by shares of what is in view. */
  pan(right, down) {
    const [width, height] = this.extent;
    this.move((right * width) / this.scale, (down * height) / this.scale);
  }

  /** Show all of the picture. */
  whole() {
    this.#level = 1;
    this.#centre = [0.5, 0.5];
  }

  #settle(corner) {
    this.#centre = corner.map((at, axis) => {
      const [length, seen] = [this.#size[axis], this.extent[axis] / this.scale];
      return (clamp(at, 0, length - seen) + seen / 2) / length;
    });
  }
}

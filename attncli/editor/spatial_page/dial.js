// A value that is chosen from a few in their order.

/** Shows which of `values` is chosen, as `text(value, position)` puts it. */
export class Dial {
  #output;
  #values;
  #text;
  #at;

  constructor(output, values, at, text) {
    [this.#output, this.#values, this.#at, this.#text] = [output, values, at, text];
    this.turn(0);
  }

  get value() {
    return this.#values[this.#at];
  }

  /** Take the value some steps further on; the first and the last are the ends. */
  turn(step) {
    this.#at = Math.min(this.#values.length - 1, Math.max(0, this.#at + step));
    this.#output.textContent = this.#text(this.value, this.#at);
  }
}

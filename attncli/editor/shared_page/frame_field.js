// The field that says which frame is the current one, and takes the number of another.

/** A field for a frame's number, counted from 0 as in all files. */
export class FrameField {
  #input;
  #total;
  #frames = 1;
  #shown = 0;

  /** `actions.go(frame)` goes there, `actions.focus()` gives the keyboard back, `say` tells. */
  constructor(form, { go, focus, say }) {
    this.#input = form.querySelector("input");
    this.#total = form.querySelector("span");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const frame = this.#wanted();
      if (frame === null) say(`There are frames 0 to ${this.#frames - 1}.`, true);
      else go(frame);
      focus();
    });
    this.#input.addEventListener("keydown", ({ key }) => key === "Escape" && focus());
    this.#input.addEventListener("blur", () => this.show(this.#shown));
  }

  /** Take over another clip. */
  begin({ frames }) {
    this.#frames = frames;
    this.#total.textContent = `of 0–${frames - 1}`;
  }

  /** Show which frame is the current one, unless somebody writes another. */
  show(frame) {
    this.#shown = frame;
    if (document.activeElement !== this.#input) this.#input.value = String(frame);
  }

  /** Let a number be written. */
  select() {
    this.#input.select();
  }

  #wanted() {
    const text = this.#input.value.trim();
    const frame = Number(text);
    return /^\d{1,9}$/.test(text) && frame < this.#frames ? frame : null;
  }
}

// What the annotator says of the open clip: confirmed, skipped or unsure, and a remark.

/** States by the name of the key's action. */
export const STATES = { confirm: "confirmed", skip: "skipped", unsure: "unsure" };

/** Shows the note of the open clip, and tells of another one. */
export class NoteView {
  #buttons;
  #comment;
  #note = { state: "", comment: "" };

  /** `actions.note(note)` is told of another remark; `actions.focus()` gives the keyboard back. */
  constructor(root, actions) {
    this.#buttons = root.querySelectorAll("[data-state]");
    this.#comment = root.querySelector("input");
    this.#comment.addEventListener("change", () => {
      actions.note({ ...this.#note, comment: this.#comment.value.trim() });
    });
    this.#comment.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#comment.value = this.#note.comment;
      if (event.key === "Enter" || event.key === "Escape") actions.focus();
    });
  }

  /** Show a note. */
  show(note) {
    this.#note = note;
    for (const button of this.#buttons) {
      button.setAttribute("aria-pressed", String(button.dataset.state === note.state));
    }
    if (document.activeElement !== this.#comment) this.#comment.value = note.comment;
  }

  /** Let a remark be written. */
  write() {
    this.#comment.select();
  }
}

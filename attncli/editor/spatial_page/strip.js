// The clip's frames side by side, marked where they are edited.

import { thumbnailPath } from "./client.js";

/** A list box of frames; `point(frame)` is called for one that is clicked. */
export class Strip {
  #root;
  #cells = [];

  constructor(root, point) {
    this.#root = root;
    root.addEventListener("click", ({ target }) => {
      const cell = target.closest("[role=option]");
      if (cell) point(this.#cells.indexOf(cell));
    });
  }

  /** Return the picture of a frame. */
  image(frame) {
    return this.#cells[frame].querySelector("img");
  }

  /** Show another clip. */
  show(clip) {
    this.#cells = Array.from({ length: clip.frames }, (_, frame) => makeCell(clip.id, frame));
    this.#root.replaceChildren(...this.#cells);
  }

  /** Show whether a frame is edited. */
  mark(frame, isEdited) {
    const cell = this.#cells[frame];
    cell.classList.toggle("edited", isEdited);
    cell.setAttribute("aria-label", `Frame ${frame}: ${isEdited ? "edited" : "not edited"}`);
  }

  /** Mark the current frame, and bring it into view. */
  select(current) {
    this.#cells.forEach((cell, frame) => {
      cell.setAttribute("aria-selected", String(frame === current));
    });
    this.#cells[current].scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

function makeCell(clipId, frame) {
  const cell = document.createElement("div");
  cell.setAttribute("role", "option");
  const image = document.createElement("img");
  image.src = thumbnailPath(clipId, frame);
  image.alt = "";
  image.draggable = false;
  const number = document.createElement("span");
  number.textContent = String(frame);
  cell.append(image, number);
  return cell;
}

// What was done to a clip's frames, one step a gesture. A change is a pair [frame, new value].

/** The steps of one clip, to be taken back. */
export class History {
  #done = [];
  #undone = [];
  #open = false;

  /** Take all changes until `end` as one step; `what` says what is done. */
  begin(what) {
    this.end();
    this.#open = true;
    this.#done.push({ what, frames: new Map() });
  }

  /** End the step that `begin` began. */
  end() {
    if (this.#open && this.#done.at(-1).frames.size === 0) this.#done.pop();
    this.#open = false;
  }

  /** Note changes to what frames hold; return those that change anything. */
  note(held, changes, what) {
    const real = changes.filter(([frame, value]) => held[frame] !== value);
    if (real.length === 0) return real;
    if (!this.#open) this.#done.push({ what, frames: new Map() });
    const { frames } = this.#done.at(-1);
    for (const [frame, value] of real) {
      const before = frames.has(frame) ? frames.get(frame).before : held[frame];
      frames.set(frame, { before, after: value });
    }
    this.#undone = [];
    return real;
  }

  /** Return the changes that take the last step back, none where there is none, and its `what`. */
  undo() {
    this.end();
    return this.#step(this.#done, this.#undone, "before");
  }

  /** Return the changes that do again what was taken back last, and its `what`. */
  redo() {
    this.end();
    return this.#step(this.#undone, this.#done, "after");
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  #step(from, to, which) {
    const step = from.pop();
    if (!step) return { what: "", changes: [] };
    to.push(step);
    const changes = [...step.frames].map(([frame, values]) => [frame, values[which]]);
    return { what: step.what, changes };
  }
}

/** Return what is said when a step is taken back, or done again: `verb` is "undo" or "redo". */
export function tellStep(verb, { what, changes }) {
  if (changes.length === 0) return `There is nothing to ${verb}.`;
  const frames = changes.map(([frame]) => frame).sort((a, b) => a - b);
  const isRun = frames.at(-1) - frames[0] === frames.length - 1;
  let which = `${frames.length} frames`;
  if (frames.length === 1) which = `frame ${frames[0]}`;
  else if (isRun) which = `frames ${frames[0]} to ${frames.at(-1)}`;
  return `${verb === "undo" ? "Undone" : "Done again"}: ${what}, ${which}.`;
}

/** Return "1 frame" or "5 frames". */
export function countFrames(count) {
  return `${count} ${count === 1 ? "frame" : "frames"}`;
}

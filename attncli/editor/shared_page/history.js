// What was done to a clip's frames, one step a gesture. A change is a pair [frame, new value].

/** The steps of one clip, to be taken back. */
export class History {
  #done = [];
  #undone = [];
  #open = false;

  /** Take all changes until `end` as one step. */
  begin() {
    this.end();
    this.#open = true;
    this.#done.push(new Map());
  }

  /** End the step that `begin` began. */
  end() {
    if (this.#open && this.#done.at(-1).size === 0) this.#done.pop();
    this.#open = false;
  }

  /** Note changes to what frames hold; return those that change anything. */
  note(held, changes) {
    const real = changes.filter(([frame, value]) => held[frame] !== value);
    if (real.length === 0) return real;
    if (!this.#open) this.#done.push(new Map());
    const step = this.#done.at(-1);
    for (const [frame, value] of real) {
      const before = step.has(frame) ? step.get(frame).before : held[frame];
      step.set(frame, { before, after: value });
    }
    this.#undone = [];
    return real;
  }

  /** Return the changes that take the last step back; none where there is none. */
  undo() {
    this.end();
    return this.#step(this.#done, this.#undone, "before");
  }

  /** Return the changes that do again what was taken back last. */
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
    if (!step) return [];
    to.push(step);
    return [...step].map(([frame, values]) => [frame, values[which]]);
  }
}

// Brings changes to disk, in order, and never says they are there before they are.

import { request } from "./client.js";

const RETRY_MS = [1000, 2000, 4000, 8000];

/** Stands in the place of a frame where a change is of what is said of the whole clip. */
export const NOTE = "note";

/** Sends changes, pairs of frame and new value; whatever fails stays, and is sent again. */
export class Saver {
  #waiting = new Map(); // clip id -> Map of frame -> value, not on disk yet
  #sending = false;
  #failures = 0;
  #timer = 0;
  #show;

  /** `show` is called with "saved", "saving" or "failed", and with the reason of a failure. */
  constructor(show) {
    this.#show = show;
    addEventListener("online", () => this.retry());
    addEventListener("beforeunload", (event) => {
      if (!this.isSaved) event.preventDefault();
    });
  }

  get isSaved() {
    return this.#waiting.size === 0;
  }

  /** Return what a clip's frames hold as it will be once all is saved. */
  applied(clipId, values) {
    const result = [...values];
    for (const [frame, value] of this.#waiting.get(clipId) ?? []) {
      if (Number.isInteger(frame)) result[frame] = value;
    }
    return result;
  }

  /** Return what a clip's note is once all is saved; `found` where nothing of it waits. */
  appliedNote(clipId, found) {
    return this.#waiting.get(clipId)?.get(NOTE) ?? found;
  }

  /** Save changes to a clip, as soon as those before them are saved. */
  save(clipId, changes) {
    const frames = this.#waiting.get(clipId) ?? new Map();
    for (const [frame, value] of changes) frames.set(frame, value);
    this.#waiting.set(clipId, frames);
    if (this.#failures === 0) this.#send();
  }

  /** Try again at once what has failed. */
  retry() {
    clearTimeout(this.#timer);
    this.#send();
  }

  async #send() {
    if (this.#sending || this.isSaved) return;
    this.#sending = true;
    this.#show("saving");
    try {
      while (!this.isSaved) await this.#sendFirst();
      this.#failures = 0;
      this.#show("saved");
    } catch (error) {
      this.#show("failed", error.message);
      const wait = RETRY_MS[Math.min(this.#failures++, RETRY_MS.length - 1)];
      if (error.isTransient) this.#timer = setTimeout(() => this.retry(), wait);
    } finally {
      this.#sending = false;
    }
  }

  async #sendFirst() {
    const [clipId, frames] = this.#waiting.entries().next().value;
    const sent = [...frames];
    await request("PATCH", ["clips", clipId], { changes: sent });
    // A frame that has changed since then still waits.
    for (const [frame, value] of sent) if (frames.get(frame) === value) frames.delete(frame);
    if (frames.size === 0) this.#waiting.delete(clipId);
  }
}

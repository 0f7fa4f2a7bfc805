// Frames at the video's own resolution, asked for one at a time.

const KEPT = 48;

/** Asks for large pictures; `arrived(clipId, frame, picture, reason)` is told of each. */
export class FullPictures {
  #arrived;
  #kept = new Map(); // by address, the latest last
  #unavailable = new Map(); // clip id -> why there are none
  #wanted = null;
  #asking = false;

  constructor(arrived) {
    this.#arrived = arrived;
  }

  /** Return the large picture of a frame that is here already; null where it is not. */
  at(clipId, frame) {
    return this.#kept.get(addressOf(clipId, frame)) ?? null;
  }

  /** Return why a clip has no large pictures; an empty text where nothing is known of that. */
  reason(clipId) {
    return this.#unavailable.get(clipId) ?? "";
  }

  /** Ask for a picture; whatever was wanted before it and not asked for yet is let go. */
  want(clipId, frame) {
    if (this.at(clipId, frame) || this.#unavailable.has(clipId)) return;
    this.#wanted = [clipId, frame];
    if (!this.#asking) this.#askAll();
  }

  async #askAll() {
    this.#asking = true;
    while (this.#wanted) {
      const [clipId, frame] = this.#wanted;
      this.#wanted = null;
      await this.#ask(clipId, frame);
    }
    this.#asking = false;
  }

  async #ask(clipId, frame) {
    const address = addressOf(clipId, frame);
    let picture = null;
    let reason = "";
    try {
      const response = await fetch(address);
      const isPicture = response.headers.get("Content-Type") === "image/jpeg";
      if (isPicture) picture = await createImageBitmap(await response.blob());
      else reason = (await response.json()).unavailable;
    } catch {
      return; // the editor may be back when the next frame is asked for
    }
    if (picture) this.#keep(address, picture);
    else this.#unavailable.set(clipId, reason);
    this.#arrived(clipId, frame, picture, reason);
  }

  #keep(address, picture) {
    this.#kept.set(address, picture);
    if (this.#kept.size <= KEPT) return;
    const [oldest, gone] = this.#kept.entries().next().value;
    this.#kept.delete(oldest);
    gone.close();
  }
}

function addressOf(clipId, frame) {
  return `/full/${encodeURIComponent(clipId)}/${frame}`;
}

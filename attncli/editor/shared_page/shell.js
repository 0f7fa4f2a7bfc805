// The page around a clip: how one gets to it, what is said, whether all is saved, the help.

import { request, thumbnailPath } from "./client.js";

export const byId = (id) => document.getElementById(id);
const count = new Intl.NumberFormat("en");

/** Holds the list of clips, and opens one after the other. */
export class Shell {
  clips = []; // as the server lists them
  clip = null; // the one that is open
  #page;
  #lastWanted = null;

  /**
   * `page` is what is particular: `title`, `about` and `help` for the help, `done`, what a clip is
   * called of which `isDone(clip)` holds, `show(clip, found)`, which shows a clip that the server
   * told of, `pause()` before that, `refresh()` when the page is looked at again, `focus()`, and
   * `mended()` when all is saved again after a failure.
   */
  constructor(page) {
    this.#page = page;
  }

  /** Ask the server for the clips, open the first one that is to be edited; `actions` by name. */
  async start(actions, listen) {
    // The token has done its work: a cookie stands for it now.
    globalThis.history.replaceState(null, "", `/${location.hash}`);
    byId("title").textContent = this.#page.title;
    try {
      const session = await request("GET", ["session"]);
      this.clips = session.clips;
      byId("place").textContent = session.annotator ?? session.directory;
      byId("place").title = `Edits go to ${session.file}`;
      byId("number").max = this.clips.length;
      byId("total").textContent = `of ${count.format(this.clips.length)}`;
      this.#fillHelp();
      document.body.classList.remove("loading"); // frames are measured when they are shown
      const open = this.clips.find((each) => !this.#page.isDone(each));
      await this.open(this.#named(location.hash) ?? open ?? this.clips[0]);
      this.#wire(actions);
      listen(actions);
    } catch (error) {
      byId("alert").hidden = false;
      byId("retry").hidden = true;
      byId("alert-text").textContent = error.message;
    }
  }

  /** What is done by key or button whatever is edited. */
  get actions() {
    return {
      next: () => this.#turn(1, false),
      previous: () => this.#turn(-1, false),
      nextOpen: () => this.#turn(1, true),
      previousOpen: () => this.#turn(-1, true),
      goTo: () => byId("number").select(),
      help: () => byId("help").showModal(),
    };
  }

  /** Open a clip. */
  async open(wanted) {
    this.#lastWanted = wanted;
    this.#page.pause();
    const found = await request("GET", ["clips", wanted.id]);
    if (wanted === this.#lastWanted) this.show(wanted, found);
  }

  /** Show a clip that the server told of. */
  show(clip, found) {
    this.clip = clip;
    this.#showHeading();
    this.#page.show(clip, found);
    this.showProgress();
    if (!document.activeElement.closest("button, input")) this.#page.focus();
    const place = this.clips.indexOf(clip);
    this.say(`Clip ${place + 1} of ${this.clips.length}: ${clip.label}`);
    globalThis.history.replaceState(null, "", `/#${encodeURIComponent(clip.id)}`);
    preload(this.clips[place + 1]);
  }

  /** Show how many clips are done. */
  showProgress() {
    const done = this.clips.filter(this.#page.isDone).length;
    byId("progress").max = this.clips.length;
    byId("progress").value = done;
    byId("progress-text").textContent =
      `${count.format(done)} of ${count.format(this.clips.length)} clips ${this.#page.done}`;
  }

  /** Tell of something below the frames. */
  say(text, isProblem = false) {
    byId("message").textContent = text;
    byId("message").classList.toggle("problem", isProblem);
  }

  /** Show whether all is saved: "saved", "saving" or "failed", and why it failed. */
  showSaving(state, reason) {
    const isMended = state === "saved" && !byId("alert").hidden;
    byId("saving").dataset.state = state;
    byId("saving").textContent = { saved: "Saved", saving: "Saving…", failed: "Not saved" }[state];
    if (state === "saving") return; // a failure stays in sight until it is mended
    byId("alert").hidden = state === "saved";
    byId("alert-text").textContent = state === "failed" ? `Not saved: ${reason}` : "";
    if (isMended) this.#page.mended();
  }

  #tryToOpen(wanted) {
    if (wanted) this.open(wanted).catch((error) => this.say(error.message, true));
  }

  /** Open the clip `step` further on, or the first from there on that is not done. */
  #turn(step, onlyOpen) {
    const { isDone, done } = this.#page;
    const here = this.clips.indexOf(this.clip);
    const ahead = step > 0 ? this.clips.slice(here + 1) : this.clips.slice(0, here).reverse();
    const wanted = onlyOpen ? ahead.find((other) => !isDone(other)) : ahead[0];
    const which = `${onlyOpen ? "open " : ""}clip ${step > 0 ? "after" : "before"}`;
    if (wanted) this.#tryToOpen(wanted);
    else if (this.clips.every(isDone)) {
      this.say(`All clips are ${done}. You may end the editor now.`);
    } else this.say(`There is no ${which} this one.`);
  }

  #showHeading() {
    const { clips, clip } = this;
    byId("label").textContent = clip.label || "(no class)";
    byId("predicted").textContent = clip.predicted;
    byId("details").textContent =
      `${clip.id} · ${clip.frames} frames, ${Number(clip.fps.toFixed(2))} a second`;
    byId("number").value = clips.indexOf(clip) + 1;
    byId("previous").disabled = clip === clips[0];
    byId("next").disabled = clip === clips.at(-1);
    document.title = `${clip.label} – ${this.#page.title.toLowerCase()}`;
  }

  #wire(actions) {
    for (const button of document.querySelectorAll("[data-action]")) {
      button.addEventListener("click", () => actions[button.dataset.action]());
    }
    // Whoever clicks goes on with the keyboard at the frames; whoever pressed Enter stays there.
    document.addEventListener("click", (event) => {
      if (event.detail > 0 && event.target.closest("main button")) this.#page.focus();
    });
    byId("close-help").addEventListener("click", () => byId("help").close());
    byId("jump").addEventListener("submit", (event) => {
      event.preventDefault();
      const wanted = this.clips[Number(byId("number").value) - 1];
      if (!wanted) this.say(`There are clips 1 to ${this.clips.length}.`);
      this.#page.focus();
      this.#tryToOpen(wanted);
    });
    byId("number").addEventListener("keydown", ({ key }) => key === "Escape" && this.#page.focus());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#page.pause();
      else this.#page.refresh();
    });
    addEventListener("hashchange", () => this.#tryToOpen(this.#named(location.hash)));
  }

  #fillHelp() {
    byId("help-about").textContent = this.#page.about;
    for (const [title, rows] of this.#page.help) {
      const table = document.createElement("table");
      table.createCaption().textContent = title;
      for (const [keys, text] of rows) {
        const line = table.insertRow();
        const cell = line.insertCell();
        for (const key of keys) {
          cell.append(Object.assign(document.createElement("kbd"), { textContent: key }), " ");
        }
        line.insertCell().textContent = text;
      }
      byId("help-tables").append(table);
    }
  }

  #named(hash) {
    return this.clips.find(({ id }) => `#${encodeURIComponent(id)}` === hash);
  }
}

function preload(next) {
  for (let frame = 0; frame < (next?.frames ?? 0); frame++) {
    new Image().src = thumbnailPath(next.id, frame);
  }
}

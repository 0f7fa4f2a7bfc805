// What the model answers with the scores in the place of its own attention.

import { request } from "./client.js";
import { countScored } from "./scores.js";

const PAUSE_MS = 200;

/** Asks again after every change, one question at a time, and shows the last answer. */
export class Answers {
  #parts;
  #seen;
  #clip = null;
  #scores = null;
  #timer = 0;
  #asking = false;

  /** `seen(frames)` is told which frames the model looks at. */
  constructor(root, seen) {
    const names = ["state", "verdict", "classes"];
    this.#parts = Object.fromEntries(names.map((n) => [n, root.querySelector(`[data-part=${n}]`)]));
    this.#seen = seen;
  }

  /** Ask about a clip with these scores. */
  ask(clip, scores) {
    if (this.#clip?.id !== clip.id) {
      this.#parts.classes.replaceChildren();
      this.#parts.verdict.textContent = "";
    }
    this.#clip = clip;
    this.#scores = scores;
    this.#say("Asking the model…");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), PAUSE_MS);
  }

  async #ask() {
    if (this.#asking) return; // it asks again when the answer is there
    this.#asking = true;
    const clip = this.#clip;
    const scores = this.#scores;
    let answer;
    try {
      answer = await request("POST", ["answers", clip.id], { scores });
    } catch (error) {
      answer = { unavailable: error.message };
    }
    this.#asking = false;
    if (clip === this.#clip && scores === this.#scores) this.#show(clip, scores, answer);
    else this.#ask();
  }

  #show(clip, scores, answer) {
    if (answer.unavailable) {
      this.#parts.classes.replaceChildren();
      this.#parts.verdict.textContent = "";
      this.#say(`No live answer: ${answer.unavailable}`, true);
      return;
    }
    this.#seen(answer.frames);
    const { classes } = answer;
    const best = (which) => classes.reduce((a, b) => (b[which] > a[which] ? b : a)).name;
    const [before, after] = ["own", "edited"].map((which) =>
      best(which) === clip.label ? "right" : "wrong",
    );
    this.#parts.verdict.textContent = verdict(before, after, countScored(scores) > 0);
    this.#parts.verdict.dataset.is = after;
    this.#parts.classes.replaceChildren(...classes.map((row) => classRow(row, clip)));
    const isWhole = countScored(scores) === clip.frames;
    this.#say(isWhole ? "" : "Frames that are not set keep the model's own attention.");
  }

  #say(text, isProblem = false) {
    this.#parts.state.textContent = text;
    this.#parts.state.classList.toggle("problem", isProblem);
  }
}

function verdict(before, after, isEdited) {
  if (!isEdited) return `${before} with its own attention`;
  if (before === after) return `Still ${after} with your scores`;
  return `${before} before, ${after} with your scores`;
}

function classRow({ name, own, edited }, clip) {
  const row = document.createElement("li");
  row.classList.toggle("true", name === clip.label);
  const title = document.createElement("span");
  title.className = "name";
  title.textContent = name;
  const figures = document.createElement("span");
  figures.className = "figures";
  figures.append(`${percent(own)} → `, strong(`${percent(edited)} %`));
  const bars = document.createElement("span");
  bars.className = "probabilities";
  bars.ariaHidden = "true";
  for (const [kind, share] of [["own", own], ["edited", edited]]) {
    const bar = document.createElement("span");
    bar.className = kind;
    bar.style.setProperty("--share", share);
    bars.append(bar);
  }
  row.append(title, bars, figures);
  return row;
}

function percent(share) {
  return (100 * share).toFixed(1);
}

function strong(text) {
  const element = document.createElement("strong");
  element.textContent = text;
  return element;
}

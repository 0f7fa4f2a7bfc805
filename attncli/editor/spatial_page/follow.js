// How a mask goes on to the next frame: what is an instance there goes where the instance went.

import { isCovered } from "./candidates.js";

/**
 * Return the mask of the next frame, and the categories of the instances that it follows.
 *
 * Instances that `pixels` cover wholly are replaced by those of the same category in the next frame
 * that overlap them most, or else lie nearest, within their own size. All else stays where it is.
 */
export function follow(pixels, here, next, width) {
  const chosen = here.filter((candidate) => isCovered(candidate, pixels));
  const matches = match(chosen, next, width);
  const result = pixels.slice();
  for (const [from] of matches) for (const at of from.places) result[at] = 0;
  const lost = chosen.filter((candidate) => !matches.some(([from]) => from === candidate));
  for (const candidate of lost) for (const at of candidate.places) result[at] = 1;
  for (const [, to] of matches) for (const at of to.places) result[at] = 1;
  return { pixels: result, followed: matches.map(([{ category }]) => category) };
}

/** Return pairs of an instance and where it went; the likest are taken first, each but once. */
function match(chosen, next, width) {
  const pairs = chosen.flatMap((from) =>
    next
      .filter(({ category, places }) => category === from.category && places.length > 0)
      .map((to) => ({ from, to, likeness: likeness(from, to, width) })),
  );
  const found = [];
  for (const { from, to, likeness: value } of pairs.sort((a, b) => b.likeness - a.likeness)) {
    const isTaken = found.some(([a, b]) => a === from || b === to);
    if (value > 0 && !isTaken) found.push([from, to]);
  }
  return found;
}

/** Return 1 + overlap over union where two instances overlap, less where they are but near. */
function likeness(from, to, width) {
  const common = from.places.filter((at) => to.pixels[at]).length;
  if (common > 0) return 1 + common / (from.places.length + to.places.length - common);
  const [a, b] = [from, to].map(({ places }) => boxOf(places, width));
  const distance = Math.hypot(a.x - b.x, a.y - b.y);
  return 1 - distance / Math.hypot(a.wide, a.high);
}

function boxOf(places, width) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const at of places) {
    const [column, row] = [at % width, Math.floor(at / width)];
    [left, right] = [Math.min(left, column), Math.max(right, column)];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
  }
  const [wide, high] = [right - left + 1, bottom - top + 1];
  return { x: left + wide / 2, y: top + high / 2, wide, high };
}

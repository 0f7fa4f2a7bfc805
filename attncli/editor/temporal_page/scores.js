// What can be done to the scores of a clip. Scores are numbers in [0, 1], null where a frame has
// none yet; a change is a pair [frame, new score].

/** The scores people choose from (ST-ABN, section 3.2.1). */
export const LEVELS = [0, 0.5, 1];

/** Return a score as people read it: 0, 0.5, 1, or two decimals. */
export function scoreText(score) {
  if (score === null) return "–";
  return LEVELS.includes(score) ? String(score) : score.toFixed(2).replace(/^0/, "");
}

/** Return how many frames have a score. */
export function countScored(scores) {
  return scores.filter((score) => score !== null).length;
}

/** Give each frame from first to last one score. */
export function setFrames(first, last, score) {
  return Array.from({ length: last - first + 1 }, (_, i) => [first + i, score]);
}

/** Fill each gap between two frames with a score as `fillFromNearest` does; leave both ends. */
export function fillBetween(scores) {
  const isSet = (frame) => (scores[frame] ?? null) !== null;
  const inside = gaps(scores).filter(([first, last]) => isSet(first - 1) && isSet(last + 1));
  const frames = new Set(inside.flatMap(([first, last]) => setFrames(first, last).map(([f]) => f)));
  return fillFromNearest(scores).filter(([frame]) => frames.has(frame));
}

/** Give every frame without a score that of the nearest frame with one, the earlier of two. */
export function fillFromNearest(scores) {
  return gaps(scores).flatMap(([first, last]) => {
    const before = scores[first - 1] ?? null;
    const after = scores[last + 1] ?? null;
    if (before === null && after === null) return [];
    const middle = before === null ? first - 1 : after === null ? last : (first + last) >> 1;
    return [...setFrames(first, middle, before), ...setFrames(middle + 1, last, after)];
  });
}

/** Give frames from first to last the level nearest to the network's own attention. */
export function copyRounded(attention, first, last) {
  return setFrames(first, last, null)
    .filter(([frame]) => attention[frame] !== null)
    .map(([frame]) => [frame, Math.round(attention[frame] * 2) / 2]);
}

/** Return first and last frame of each run of frames without a score. */
export function gaps(scores) {
  const found = [];
  scores.forEach((score, frame) => {
    if (score !== null) return;
    const open = found.at(-1);
    if (open && open[1] === frame - 1) open[1] = frame;
    else found.push([frame, frame]);
  });
  return found;
}

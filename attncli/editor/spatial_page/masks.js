// Masks of a frame: pixels row by row, 1 where covered, and as runs: pixels not covered, pixels
// covered, and so on in turn, as the server has them.

/** Return the pixels of a mask; null is a mask that covers nothing. */
export function pixelsOf(runs, count) {
  const pixels = new Uint8Array(count);
  let start = 0;
  (runs ?? []).forEach((length, turn) => {
    if (turn % 2) pixels.fill(1, start, start + length);
    start += length;
  });
  return pixels;
}

/** Return the runs of a mask. */
export function runsOf(pixels) {
  const runs = [];
  let start = 0;
  for (let at = 0, value = 0; at <= pixels.length; at++) {
    if (at < pixels.length && pixels[at] === value) continue;
    runs.push(at - start);
    start = at;
    value = 1 - value;
  }
  return runs;
}

/** Cover, or uncover, what a disc passes on its way between two points; return its bounding box. */
export function paint({ pixels, width, height }, [x0, y0], [x1, y1], radius, value) {
  const steps = Math.max(1, Math.ceil(Math.hypot(x1 - x0, y1 - y0) / Math.max(1, radius / 3)));
  for (let step = 0; step <= steps; step++) {
    const share = step / steps;
    const x = x0 + (x1 - x0) * share;
    const y = y0 + (y1 - y0) * share;
    const bottom = Math.min(height - 1, Math.floor(y + radius));
    for (let row = Math.max(0, Math.floor(y - radius)); row <= bottom; row++) {
      // Pixels whose centre is in the disc; the one below its centre always is.
      const half = Math.sqrt(radius * radius - (row + 0.5 - y) ** 2);
      const first = Math.max(0, Math.ceil(x - half - 0.5));
      const last = Math.min(width - 1, Math.floor(x + half - 0.5));
      if (first <= last) pixels.fill(value, row * width + first, row * width + last + 1);
    }
  }
  const [column, row] = [Math.floor(x1), Math.floor(y1)];
  if (0 <= column && column < width && 0 <= row && row < height) {
    pixels[row * width + column] = value;
  }
}

/** Return the pixels of a mask that have a neighbour outside it. */
export function outlineOf(pixels, width) {
  const count = pixels.length;
  return pixels.map((value, at) => {
    const column = at % width;
    const inside =
      column > 0 && column < width - 1 && at >= width && at < count - width &&
      pixels[at - 1] && pixels[at + 1] && pixels[at - width] && pixels[at + width];
    return value && !inside ? 1 : 0;
  });
}

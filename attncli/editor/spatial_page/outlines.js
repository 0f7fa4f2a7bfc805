// Outlines and numbers of the candidates, over the frame.

import { fillLayer, makeLayer } from "./layers.js";
import { outlineOf } from "./masks.js";

const COLOR = [255, 255, 255];
const HIGHLIGHT = [255, 225, 0];
const NUMBER_PX = 13;

/** Where candidates end, which number they have, and which of them is pointed at. */
export class Outlines {
  #found = []; // of each candidate: its layers, and where its number stands

  /** The candidate that is pointed at, counted from 0; null where none is. */
  highlighted = null;

  /** Take over the candidates of a frame. */
  set(candidates, { width, height }) {
    this.highlighted = null;
    this.#found = candidates.map(({ pixels, places }) => {
      const outline = outlineOf(pixels, width);
      const layer = (covered, color) => fillLayer(makeLayer(width, height), covered, color);
      return {
        outline: layer(outline, COLOR),
        bright: layer(outline, HIGHLIGHT),
        inside: layer(pixels, HIGHLIGHT),
        place: topOf(places, width),
      };
    });
  }

  /** Draw them; `toPage(place)` is where a place of the video is on the canvas, in its pixels. */
  draw(context, drawLayer, toPage, pixelRatio) {
    this.#found.forEach(({ outline, bright, inside }, number) => {
      const isMeant = number === this.highlighted;
      if (isMeant) drawLayer(inside, 0.35);
      drawLayer(isMeant ? bright : outline, 1);
    });
    context.font = `bold ${NUMBER_PX * pixelRatio}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    this.#found.forEach(({ place }, number) => {
      if (place) drawNumber(context, toPage(place), number, this.highlighted, pixelRatio);
    });
  }
}

function drawNumber(context, [x, y], number, highlighted, pixelRatio) {
  const text = String(number + 1);
  const high = (NUMBER_PX + 5) * pixelRatio;
  const wide = Math.max(high, context.measureText(text).width + 8 * pixelRatio);
  const [left, top] = [Math.max(0, x - wide / 2), Math.max(0, y)];
  context.fillStyle = number === highlighted ? `rgb(${HIGHLIGHT})` : "#000c";
  context.fillRect(left, top, wide, high);
  context.fillStyle = number === highlighted ? "#000" : "#fff";
  context.fillText(text, left + wide / 2, top + high / 2);
}

/** Return the middle of the first row that is covered; null where nothing is. */
function topOf(places, width) {
  if (places.length === 0) return null;
  const row = Math.floor(places[0] / width);
  const inRow = places.filter((at) => Math.floor(at / width) === row);
  return [((inRow[0] % width) + (inRow.at(-1) % width) + 1) / 2, row];
}

// Colours of attention: the heat map of the paper's figures, from 0 (blue) over green to 1 (red).

const clamp = (value) => Math.min(1, Math.max(0, value));

/** Return red, green and blue (0-255) of attention in [0, 1]. */
export function heat(attention) {
  return [3, 2, 1].map((peak) => Math.round(255 * clamp(1.5 - Math.abs(4 * attention - peak))));
}

/** Return the colour of attention as CSS has it. */
export function heatColor(attention) {
  return `rgb(${heat(attention).join(" ")})`;
}

/** Return the colour of text that is best read on the colour of attention. */
export function inkOn(attention) {
  const [red, green, blue] = heat(attention).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  // Black and white contrast alike at a relative luminance of 0.18 (WCAG 2.2).
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#000" : "#fff";
}

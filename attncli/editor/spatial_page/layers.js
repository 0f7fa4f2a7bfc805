// Canvases of a video's size that are never shown themselves, but drawn over a frame.

/** Return a canvas of that many pixels. */
export function makeLayer(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

/** Give the covered pixels of a layer a colour, and the others none. */
export function fillLayer(layer, pixels, color) {
  const image = new ImageData(layer.width, layer.height);
  // One 32-bit write a pixel; bytes are red, green, blue, opacity from the lowest on.
  const words = new Uint32Array(image.data.buffer);
  const word = (255 << 24) | (color[2] << 16) | (color[1] << 8) | color[0];
  for (let at = 0; at < pixels.length; at++) if (pixels[at]) words[at] = word;
  layer.getContext("2d").putImageData(image, 0, 0);
  return layer;
}

// What the mouse does over the frames: paints over the bars, selects over the pictures.

/**
 * Follow the mouse over `root`. `frameOf(element)` is the frame there or null, `rowOf(frame)` the
 * row it stands in; `actions` are those of the strip.
 */
export function pressFrames(root, actions, { frameOf, rowOf }) {
  root.addEventListener("pointerdown", (event) => {
    const pressed = frameOf(event.target);
    if (event.button !== 0 || pressed === null) return;
    event.preventDefault();
    const paints = event.target.closest(".bars") !== null;
    if (paints) actions.beginPaint();
    let last = pressed;
    const reach = (frame, extend) => {
      actions.point(frame, extend && !paints);
      // A quick pointer skips frames; across rows, those it skips were not meant.
      const from = rowOf(frame) === rowOf(last) ? last : frame;
      if (paints) actions.paint(Math.min(from, frame), Math.max(from, frame));
      last = frame;
    };
    reach(pressed, event.shiftKey);
    follow(
      ({ clientX, clientY }) => {
        const frame = frameOf(document.elementFromPoint(clientX, clientY));
        if (frame !== null && frame !== last) reach(frame, true);
      },
      () => paints && actions.endPaint(),
    );
  });
}

/** Call `move(event)` until the pointer is let go, and `end()` then. */
function follow(move, end) {
  const listening = new AbortController();
  const stop = () => {
    listening.abort();
    end();
  };
  addEventListener("pointermove", move, { signal: listening.signal });
  for (const name of ["pointerup", "pointercancel", "blur"]) {
    addEventListener(name, stop, { signal: listening.signal });
  }
}

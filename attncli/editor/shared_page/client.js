// Requests to the editor's own server.

/** A request that came to nothing. */
export class RequestError extends Error {
  /** Whether the same request may succeed later on. */
  constructor(message, isTransient) {
    super(message);
    this.isTransient = isTransient;
  }
}

/** Return what the server answers; `path` is made of parts that are encoded here. */
export async function request(method, parts, content, options = {}) {
  const path = `/api/${parts.map(encodeURIComponent).join("/")}`;
  const sent =
    content === undefined
      ? {}
      : { body: JSON.stringify(content), headers: { "Content-Type": "application/json" } };
  let response, answer;
  try {
    response = await fetch(path, { method, ...sent, ...options });
    answer = await response.json();
  } catch {
    const what = "The editor does not answer. Is it still running in its terminal?";
    throw new RequestError(what, true);
  }
  if (!response.ok) throw new RequestError(answer.error, response.status >= 500);
  return answer;
}

/** Return the address of a frame's thumbnail. */
export function thumbnailPath(clipId, frame) {
  return `/frames/${encodeURIComponent(clipId)}/${frame}`;
}

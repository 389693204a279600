// Owns: reading what a platform sends: UTF-8, JSON with the place of a mistake, JSON pointers.
// Does not own: what it means (`text-channel.js`).

/** A body as text. `lossy`: bytes that are no UTF-8 were replaced by U+FFFD. */
export function utf8(bytes) {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), lossy: false };
  } catch {
    return { text: new TextDecoder().decode(bytes), lossy: true };
  }
}

/** A text without halves of surrogate pairs, which no component can hand over. */
export function wellFormed(text) {
  return text.toWellFormed();
}

/** A document, or the contract's `malformed` with the place. */
export function json(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed(text, String(error.message));
  }
}

/** The engine counts lines and columns in characters, the contract in bytes. */
function malformed(text, reason) {
  const [, line = 1, column = 1] = /line (\d+) column (\d+)/.exec(reason) ?? [];
  const lines = text.split("\n");
  const before = [...lines.slice(0, line - 1), lines[line - 1]?.slice(0, column - 1) ?? ""].join("\n");
  return { tag: "malformed", val: { offset: BigInt(new TextEncoder().encode(before).length), reason } };
}

/** What stands at a JSON pointer (RFC 6901), or undefined. */
export function pointer(document, place) {
  const tokens = place.split("/").slice(1).map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
  return tokens.reduce((at, token) => (at && typeof at === "object" && Object.hasOwn(at, token) ? at[token] : undefined), document);
}

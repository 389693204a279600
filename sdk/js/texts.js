// Owns: what stands in the way of a message of texts: parts, lengths, the window; cutting a long text between words.
// Does not own: how a text is sent (`text-channel.js`).

/** How long a text is in a unit of the contract's. */
const LENGTH = {
  bytes: (text) => new TextEncoder().encode(text).length,
  characters: (text) => [...text].length,
  "utf16-units": (text) => text.length,
};

const lengthIn = (bound) => LENGTH[bound.unit] ?? LENGTH.characters;

/**
 * The messages that a text takes: one, or several where it may be split and is too long. A word is never torn, so a piece
 * may still be too long.
 */
export function pieces({ text, split }, bound) {
  if (!bound || !split || lengthIn(bound)(text) <= bound.max) return [text];
  const measure = lengthIn(bound);
  const found = [];
  let [piece, length] = ["", 0];
  for (const [whole, word] of text.matchAll(/(\S+)\s*/g)) {
    if (piece !== "" && length + measure(word) > bound.max) {
      found.push(piece.trimEnd());
      [piece, length] = ["", 0];
    }
    piece += whole;
    length += measure(whole);
  }
  return [...found, piece.trimEnd()];
}

/** `validation`: everything that is wrong, at once. `bound` is the limit of `message_text`, if there is one. */
export function findings(message, context, bound) {
  const violations = [];
  const degradations = [];
  const add = (severity, code, path, words, more) =>
    violations.push({ severity, code, path, message: words, accepted: [], ...more });
  const error = (...rest) => add("error", ...rest);
  // Lost on every surface: sent without it where a fallback is allowed, refused elsewhere.
  const lost = (feature, code, path, words) => {
    if (message.fallback !== "allow") return error(code, path, `${words} Allow a fallback to send it all the same.`);
    add("warning", code, path, words);
    degradations.push({ feature, path, message: words, surfaces: [] });
  };

  if (message.parts.length === 0) error("empty_message", "parts", "There is nothing to send. Write something.");
  message.parts.forEach((part, index) => {
    if (part.tag === "text") return text(part.val, `parts[${index}].text`, { error, lost, bound });
    const words = "This channel sends texts only. Write what you want to send as a text.";
    error("unsupported_feature", `parts[${index}]`, words, { accepted: ["text"] });
  });
  if (message.quickReplies.length > 0) {
    lost("quick_replies", "unsupported_feature", "quick_replies", "This channel shows no quick replies.");
  }
  if (message.replyTo) lost("reply_to", "unsupported_feature", "reply_to", "This channel does not quote messages.");
  if (message.privateReplyTo !== undefined) {
    error("unsupported_feature", "private_reply_to", "This channel cannot answer comments.");
  }
  if (message.native !== undefined) {
    error("unsupported_feature", "native", "This channel takes no JSON of the platform's own.");
  }
  if (context.contact === undefined) {
    error("missing_field", "context.contact", "The platform has named nobody to send this to.");
  }
  window(message, context, add);
  return { violations, degradations };
}

function text(part, path, { error, lost, bound }) {
  if (part.text.trim() === "") return error("text_empty", `${path}.text`, "The text is empty. Write something.");
  if (part.format !== "plain" && /[*_`#[~>|<&]/.test(part.text)) {
    lost("formatting", "markup_shown_as_typed", `${path}.format`, "The customer sees the markup as it was typed.");
  }
  if (!bound) return;
  const measure = lengthIn(bound);
  if (pieces(part, bound).every((piece) => measure(piece) <= bound.max)) return;
  const first = pieces({ ...part, split: true }, bound)[0];
  const fits = measure(first) <= bound.max;
  const advice = fits && !part.split ? "Shorten it, or let it be split into several messages." : "Shorten it.";
  error("text_too_long", `${path}.text`, `The text is longer than ${bound.max} ${bound.unit}. ${advice}`, {
    limit: bound,
    actual: measure(part.text),
    splitAt: fits ? LENGTH.bytes(first) : undefined,
  });
}

const CLOSED = {
  closed: ["window_closed", "The time for an answer is over. Wait until the customer writes again."],
  "never-opened": ["window_never_opened", "The customer has never written, and must write first."],
  "human-only": ["window_needs_human", "Only a person may answer now. Let an agent write."],
};

function window(message, { window: { state } }, add) {
  const path = "context.window";
  if (state === "unknown") {
    return add("warning", "window_uncertain", path, "Only the platform knows whether it still takes an answer.");
  }
  if (!(state in CLOSED) || (state === "human-only" && message.sender.kind === "human")) return;
  const [code, words] = CLOSED[state];
  add(message.tryAnyway ? "warning" : "error", code, path, words);
}

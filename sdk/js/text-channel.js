// Owns: a channel that only sends and receives texts: `messaging-channel` out of a description and one function.
// Does not own: what an item of the platform's webhook means, which that function says; the rules of texts (`texts.js`).

import { json, pointer, utf8, wellFormed } from "./json.js";
import { findings, pieces } from "./texts.js";

const NATIVE_BYTES = 8192;

/**
 * The description of a text-only channel. Names and values are those of the contract (`wit/`), in camelCase.
 *
 * @typedef {object} Description
 * @property {object} capabilities `channel-capabilities`. Only `identity.field` is required; what is left out is empty,
 *     and `features` is then `text` in both directions.
 * @property {string} items a JSON pointer to the webhook's list of items; `""` where the body is one item
 * @property {Send} send how a text is sent
 *
 * @typedef {object} Send
 * @property {string} url with `{to}`, `{account}` or `{thread}` where the platform wants them
 * @property {object | ((values: Values) => object)} body the JSON body: a template, in which a text that is exactly
 *     `{to}`, `{text}`, `{ref}`, `{account}` or `{thread}` is replaced, or a function
 * @property {string} [slot] the credential slot that goes out as `authorization: Bearer …`
 * @property {object[]} [fills] credentials that go elsewhere: `http-request.fills`
 * @property {string} [id] a JSON pointer to the new message's id in the answer
 * @property {string} [code] a JSON pointer to the error's code in the answer
 * @property {Record<string, string>} [categories] the `failure-category` of a code; the rest is told by the status
 * @property {boolean} [repeatable] the platform recognises `{ref}`: sending the same again does no harm
 * @property {boolean} [echoed] the platform reports our own messages by webhook, with `{ref}`
 *
 * @typedef {object} Values
 * @property {string} to
 * @property {string} text
 * @property {string} ref unlike that of every other message
 * @property {string} account
 * @property {string | undefined} thread
 * @property {object} message the whole `outbound-message`
 * @property {object} context the whole `conversation-context`
 *
 * @typedef {object} Said What one item says.
 * @property {string} id the platform's id of the message
 * @property {string} contact the platform's id of the customer
 * @property {string} [text]
 * @property {number | string} [at] when: milliseconds since 1970, or a text as in ISO 8601
 * @property {string} [name] the customer's
 * @property {string} [username] the customer's
 * @property {string} [account] the platform's id of the account; needed where all accounts share an address and a secret
 * @property {{ id: string, kind?: string, title?: string, parent?: string }} [thread]
 * @property {boolean} [ours] the business wrote it
 * @property {string} [ref] what `{ref}` was, of one that we sent
 * @property {object} [body] another `event-body` than a message, such as `{ tag: "deleted", val: { target: "m-1" } }`
 */

/**
 * The five functions of `messaging-channel`.
 *
 * @param {Description} description
 * @param {(item: any, body: any, delivery: object) => Said | Said[] | null | undefined} read what one item says. Nothing,
 *     or an exception, makes the item an event with the body `unknown`; an empty list leaves it out.
 */
export function textChannel(description, read) {
  const { items, send } = description;
  const capabilities = complete(description.capabilities);
  const bound = capabilities.textLimits.find((limit) => limit.field === "message_text")?.limit;
  const errors = (found) => found.violations.filter((violation) => violation.severity === "error");
  return {
    capabilities: () => capabilities,

    parseWebhook(delivery) {
      const { text, lossy } = utf8(delivery.body);
      const body = json(text);
      const list = pointer(body, items);
      if (list === undefined) throw { tag: "not-this-channel", val: `there is nothing at \`${items}\`` };
      return [list].flat().flatMap((item) => events(item, body, delivery, read, lossy));
    },

    validateOutbound: (message, context) => findings(message, context, bound),

    buildSendRequest(message, context) {
      const refused = errors(findings(message, context, bound));
      if (refused.length > 0) throw refused;
      const parts = message.parts.flatMap(({ val }, index) => pieces(val, bound).map((text, piece) => ({ index, piece, text })));
      try {
        return parts.map((part) => step(send, capabilities, part, message, context));
      } catch (error) {
        // What is thrown as it is ends in a trap, of which nobody can read the reason.
        throw [{ severity: "error", code: "other", path: "parts", message: `The channel failed: ${error.message}`, accepted: [] }];
      }
    },

    parseSendResponse: (sent, response) => outcome(send, sent, response),
  };
}

/** The capabilities with what was left out. */
function complete(given) {
  const features = ["inbound", "outbound"].map((direction) => ({ feature: "text", direction }));
  const lists = { textLimits: [], countLimits: [], mediaRules: [], stickers: [], rates: [], options: [] };
  const whole = { revision: 1, features, ...lists, reactions: { tag: "none" }, ...given };
  return {
    ...whole,
    features: whole.features.map((line) => ({ level: "full", notShownOn: [], ...line })),
    rates: whole.rates.map((rate) => ({ class: "message", scope: "account", ...rate })),
    options: whole.options.map((option) => ({ oneOf: [], ...option })),
    window: { customerFirst: false, rules: [], alwaysAllowed: [], ...given.window },
    identity: { startWith: [], ...given.identity },
  };
}

// ---------------------------------------------------------------------------------------------------- what comes in

/** The events of one item: what the channel's function says of it, or that it cannot be read. */
function events(item, body, delivery, read, lossy) {
  try {
    const said = read(item, body, delivery);
    if (said == null) return [unknown(item, delivery, "the channel does not read items of this kind")];
    return [said].flat().map((one) => event(one, delivery, lossy));
  } catch (error) {
    return [unknown(item, delivery, String(error?.message ?? error))];
  }
}

function event(said, delivery, lossy) {
  const anomalies = new Set();
  const text = (value) => {
    const clean = wellFormed(String(value));
    if (clean !== value && typeof value === "string" || lossy && clean.includes("\ufffd")) anomalies.add("text_replaced");
    return clean;
  };
  const optional = (value) => (value == null ? undefined : text(value));
  const required = (name) => {
    if (said[name] == null || said[name] === "") throw new Error(`the item has no \`${name}\``);
    return text(said[name]);
  };
  const id = required("id");
  const at = typeof said.at === "string" ? Date.parse(said.at) : said.at;
  const timed = Number.isFinite(at) && at >= 0;
  if ("at" in said && !timed) anomalies.add("missing_time");
  const contact = { id: required("contact"), name: optional(said.name), username: optional(said.username) };
  const message = { id, text: said.body ? undefined : required("text"), attachments: [], toSelf: false, automatic: false };
  const what = said.body ?? { tag: "message", val: message };
  return {
    ...bare(delivery),
    ...(said.account == null ? {} : { account: text(said.account) }),
    id: `${what.tag}:${id}`,
    contact: { ...contact, addresses: [], details: [] },
    thread: said.thread && { kind: "group", ...said.thread },
    author: said.ours ? { tag: "business", val: { correlation: optional(said.ref) } } : { tag: "contact" },
    at: timed ? BigInt(Math.trunc(at)) : undefined,
    opens: said.ours || what.tag !== "message" ? undefined : "message",
    body: what,
    anomalies: [...anomalies],
  };
}

/** An item that cannot be read. It has no id of its own, so its words make one: a repeated delivery gives the same. */
function unknown(item, delivery, reason) {
  const raw = wellFormed(JSON.stringify(item));
  const { bytes, hash } = fingerprint(raw);
  const fits = bytes <= NATIVE_BYTES;
  return {
    ...bare(delivery),
    id: `unknown:${hash}`,
    author: { tag: "unknown" },
    body: { tag: "unknown", val: { reason: wellFormed(reason) } },
    anomalies: fits ? [] : ["native_omitted"],
    native: fits ? raw : undefined,
  };
}

/** What every event has. */
function bare(delivery) {
  const origin = delivery.source.tag === "history" ? "history" : "live";
  return { account: delivery.account?.id ?? "", origin, details: [], anomalies: [] };
}

/** FNV-1a in 64 bits over UTF-8, and how many bytes those are. */
function fingerprint(text) {
  const bytes = new TextEncoder().encode(text);
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return { bytes: bytes.length, hash: hash.toString(16) };
}

// ---------------------------------------------------------------------------------------------------- what goes out

function step(send, capabilities, { index, piece, text }, message, context) {
  const ref = piece === 0 ? `${message.id}/${index}` : `${message.id}/${index}.${piece}`;
  const values = { to: context.contact, text, ref, account: context.account.id, thread: context.thread?.id };
  const { body } = send;
  const document = typeof body === "function" ? body({ ...values, message, context }) : filled(body, values);
  const url = send.url.replace(/\{(to|account|thread)\}/g, (_, name) => encodeURIComponent(values[name] ?? ""));
  const bearer = { source: { tag: "slot", val: send.slot }, place: { tag: "authorization", val: "Bearer" } };
  return {
    parts: [index],
    kind: "message",
    rateClass: capabilities.rates[0]?.class ?? "message",
    request: {
      method: "post",
      url,
      headers: [{ name: "content-type", value: "application/json" }],
      body: { tag: "bytes", val: new TextEncoder().encode(JSON.stringify(document)) },
      fills: send.fills ?? (send.slot ? [bearer] : []),
      captures: [],
    },
    repeatable: send.repeatable ?? false,
    echoed: send.echoed ?? false,
    correlation: send.echoed ? ref : undefined,
    text,
    degradations: [],
  };
}

/** A template with its values. What a value holds is never a template itself. */
function filled(template, values) {
  if (Array.isArray(template)) return template.map((one) => filled(one, values));
  if (template && typeof template === "object") {
    return Object.fromEntries(Object.entries(template).map(([key, one]) => [key, filled(one, values)]));
  }
  const name = typeof template === "string" && /^\{(to|text|ref|account|thread)\}$/.exec(template)?.[1];
  return name ? values[name] : template;
}

/** The status decides what became of a message; a code only says more about the failure. */
function outcome(send, sent, { status, headers, body }) {
  let answer;
  try {
    answer = JSON.parse(new TextDecoder().decode(body));
  } catch {
    // A page of a proxy, or nothing: there is no id and no code in it.
  }
  const at = (place) => (place === undefined ? undefined : pointer(answer, place));
  const told = (value) => (typeof value === "string" || typeof value === "number" ? wellFormed(String(value)) : undefined);
  if (status >= 200 && status < 300) {
    const id = told(at(send.id));
    // A `list<u32>` arrives as an array of numbers alone, whose `map` makes nothing else.
    const messages = id === undefined ? [] : Array.from(sent.parts, (part) => ({ part, message: { id } }));
    return { verdict: { tag: "sent", val: { messages } } };
  }
  const code = told(at(send.code));
  const [tag, usual, words] = kind(status, sent.repeatable);
  const category = (tag === "rejected" && send.categories?.[code]) || usual;
  const after = retryAfter(headers);
  const message = `The platform ${words} (status ${status}${code === undefined ? "" : `, code ${code}`}).`;
  const pause = tag === "rate-limited" && after !== undefined ? { scope: "account", duration: after } : undefined;
  return { verdict: { tag, val: { category, code, message, retryAfter: after } }, pause };
}

/** What a status means: the case of `send-result`, the category, and words for an agent. */
function kind(status, repeatable) {
  switch (status) {
    case 401:
      return ["unauthorized", "auth-expired", "refused the account's credentials"];
    case 403:
      return ["rejected", "permission-missing", "does not permit this"];
    case 404:
    case 410:
      return ["rejected", "not-found", "does not know this conversation"];
    case 429:
      return ["rate-limited", "rate-limited", "wants fewer messages at a time"];
  }
  if (status >= 400 && status < 500 && status !== 408) return ["rejected", "content-invalid", "refused the message"];
  if (status >= 300 && status < 400) return ["rejected", "other", "answered with a redirect, which is not followed"];
  if (repeatable) return ["transient", "platform-transient", "failed for the moment"];
  return ["ambiguous", "ambiguous", "failed, and may have delivered the message all the same"];
}

/** `retry-after` in milliseconds: seconds, or a date, which the answer's own `date` makes a duration. */
function retryAfter(headers) {
  const value = (name) => headers.find((header) => header.name === name)?.value.trim();
  const after = value("retry-after");
  if (after === undefined) return undefined;
  if (/^\d{1,7}$/.test(after)) return BigInt(after) * 1000n;
  const duration = Date.parse(after) - Date.parse(value("date"));
  return duration >= 0 ? BigInt(duration) : undefined;
}

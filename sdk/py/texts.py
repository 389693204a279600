# Owns: what stands in the way of a message of texts: parts, lengths, the window; cutting a long text between words.
# Does not own: how a text is sent (`text_channel.py`).

import re

from contract import case

WORD = re.compile(r"(\S+)\s*")
MARKUP = re.compile(r"[*_`#\[~>|<&]")
LENGTH = {
    "bytes": lambda text: len(text.encode()),
    "characters": len,
    "utf16_units": lambda text: len(text) + sum(letter > "\uffff" for letter in text),
}


def pieces(text, split, bound):
    """
    The messages that a text takes: one, or several where it may be split and is too long. A word is never torn, so a
    piece may still be too long.
    """
    measure = LENGTH[bound["unit"]] if bound else None
    if not bound or not split or measure(text) <= bound["max"]:
        return [text]
    found, piece, length = [], "", 0
    for match in WORD.finditer(text):
        if piece and length + measure(match[1]) > bound["max"]:
            found.append(piece.rstrip())
            piece, length = "", 0
        piece += match[0]
        length += measure(match[0])
    return [*found, piece.rstrip()]


def findings(message, context, bound):
    """`validation`, in the JSON form: everything that is wrong, at once."""
    violations, degradations = [], []

    def add(severity, code, path, words, **more):
        violations.append({"severity": severity, "code": code, "path": path, "message": words, **more})

    def error(*rest, **more):
        add("error", *rest, **more)

    def lost(feature, code, path, words):
        # Lost on every surface: sent without it where a fallback is allowed, refused elsewhere.
        if message.fallback.name != "ALLOW":
            return error(code, path, f"{words} Allow a fallback to send it all the same.")
        add("warning", code, path, words)
        degradations.append({"feature": feature, "path": path, "message": words})

    if not message.parts:
        error("empty_message", "parts", "There is nothing to send. Write something.")
    for index, part in enumerate(message.parts):
        if case(part) == "text":
            _text(part.value, f"parts[{index}].text", error, lost, bound)
        else:
            words = "This channel sends texts only. Write what you want to send as a text."
            error("unsupported_feature", f"parts[{index}]", words, accepted=["text"])
    if message.quick_replies:
        lost("quick_replies", "unsupported_feature", "quick_replies", "This channel shows no quick replies.")
    if message.reply_to is not None:
        lost("reply_to", "unsupported_feature", "reply_to", "This channel does not quote messages.")
    if message.private_reply_to is not None:
        error("unsupported_feature", "private_reply_to", "This channel cannot answer comments.")
    if message.native is not None:
        error("unsupported_feature", "native", "This channel takes no JSON of the platform's own.")
    if context.contact is None:
        error("missing_field", "context.contact", "The platform has named nobody to send this to.")
    _window(message, context.window.state.name, add)
    return {"violations": violations, "degradations": degradations}


def _text(part, path, error, lost, bound):
    if not part.text.strip():
        return error("text_empty", f"{path}.text", "The text is empty. Write something.")
    if part.format.name != "PLAIN" and MARKUP.search(part.text):
        words = "The customer sees the markup as it was typed."
        lost("formatting", "markup_shown_as_typed", f"{path}.format", words)
    if not bound:
        return
    measure, most = LENGTH[bound["unit"]], bound["max"]
    if all(measure(piece) <= most for piece in pieces(part.text, part.split, bound)):
        return
    first = pieces(part.text, True, bound)[0]
    fits = measure(first) <= most
    can_split = fits and not part.split
    advice = "Shorten it, or let it be split into several messages." if can_split else "Shorten it."
    unit = bound["unit"].replace("_", "-")
    more = {"limit": bound, "actual": measure(part.text), "split_at": len(first.encode()) if fits else None}
    error("text_too_long", f"{path}.text", f"The text is longer than {most} {unit}. {advice}", **more)


CLOSED = {
    "CLOSED": ("window_closed", "The time for an answer is over. Wait until the customer writes again."),
    "NEVER_OPENED": ("window_never_opened", "The customer has never written, and must write first."),
    "HUMAN_ONLY": ("window_needs_human", "Only a person may answer now. Let an agent write."),
}


def _window(message, state, add):
    path = "context.window"
    if state == "UNKNOWN":
        add("warning", "window_uncertain", path, "Only the platform knows whether it still takes an answer.")
    elif state in CLOSED and not (state == "HUMAN_ONLY" and message.sender.kind.name == "HUMAN"):
        add("warning" if message.try_anyway else "error", CLOSED[state][0], path, CLOSED[state][1])

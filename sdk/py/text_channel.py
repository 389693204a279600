# Owns: a channel that only sends and receives texts: `messaging-channel` out of a description and one function.
# Does not own: what an item of the platform's webhook means, which that function says; the rules of texts (`texts.py`).

import datetime
import email.utils
import json
import math
import re
import urllib.parse

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import capabilities, events, messages, requests

from contract import case, maker, typed
from texts import findings, pieces

NATIVE_BYTES = 8192

# What is made here lies ready in the component's memory; what a call makes, every call makes again.
HALVES = re.compile("[\ud800-\udfff]")
IN_URL = re.compile(r"\{(to|account|thread)\}")
PLACEHOLDER = re.compile(r"\{(to|text|ref|account|thread)\}")
SECONDS = re.compile(r"[0-9]{1,7}")
for kind in (events.Event, messages.Validation, messages.Violation, requests.SendStep, requests.SendOutcome):
    maker(kind)


def text_channel(description, read):
    """
    The class `MessagingChannel` that componentize-py looks for.

    `description` has the keys of `sdk/js/text-channel.js`, `capabilities` in the contract's JSON form. `read(item, body,
    delivery)` says what one item is: a dict, a list of dicts, or None for an item that the channel does not read.
    """
    document = _complete(description["capabilities"])
    whole = typed(capabilities.ChannelCapabilities, document)
    send, items = description["send"], description["items"]
    limits = document.get("text_limits", [])
    bound = next((one["limit"] for one in limits if one["field"] == "message_text"), None)
    rate_class = document["rates"][0]["class"] if document.get("rates") else "message"

    class MessagingChannel(exports.MessagingChannel):
        def capabilities(self, account):
            return whole

        def parse_webhook(self, input):
            body, lossy = _document(input.body)
            found = _pointer(body, items)
            if found is None:
                raise Err(events.ParseError_NotThisChannel(f"there is nothing at `{items}`"))
            listed = found if isinstance(found, list) else [found]
            all = [one for item in listed for one in _events(item, body, input, read, lossy)]
            return [typed(events.Event, one) for one in all]

        def validate_outbound(self, message, context):
            return typed(messages.Validation, findings(message, context, bound))

        def build_send_request(self, message, context):
            refused = [one for one in findings(message, context, bound)["violations"] if one["severity"] == "error"]
            if refused:
                raise Err([typed(messages.Violation, one) for one in refused])
            steps = []
            for index, part in enumerate(message.parts):
                for piece, text in enumerate(pieces(part.value.text, part.value.split, bound)):
                    ref = f"{message.id}/{index}.{piece}" if piece else f"{message.id}/{index}"
                    steps.append(_step(send, rate_class, index, ref, text, message, context))
            return [typed(requests.SendStep, step) for step in steps]

        def parse_send_response(self, step, response):
            return typed(requests.SendOutcome, _outcome(send, step, response))

    return MessagingChannel


def _complete(given):
    """The capabilities with what was left out and has no empty value."""
    features = [{"feature": "text", "direction": direction} for direction in ("inbound", "outbound")]
    whole = {"revision": 1, "features": features, "reactions": "none", "window": {}, **given}
    whole["features"] = [{"level": "full", **line} for line in whole["features"]]
    return whole


# ------------------------------------------------------------------------------------------------------ what comes in


def _document(body):
    """The body's JSON, and whether bytes that are no UTF-8 were replaced."""
    # No other codec than UTF-8: Python imports the rest when it first needs them, and there is no file system then.
    bare = body.removeprefix(b"\xef\xbb\xbf")
    try:
        text, lossy = bare.decode(), False
    except UnicodeDecodeError:
        text, lossy = bare.decode(errors="replace"), True
    try:
        return json.loads(text), lossy
    except json.JSONDecodeError as error:
        malformed = events.Malformed(offset=len(text[: error.pos].encode()), reason=error.msg)
        raise Err(events.ParseError_Malformed(malformed)) from None


def _pointer(document, place):
    """What stands at a JSON pointer (RFC 6901), or None."""
    for token in place.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list) and token.isdecimal() and int(token) < len(document):
            document = document[int(token)]
        elif isinstance(document, dict):
            document = document.get(token)
        else:
            return None
    return document


def _well_formed(text):
    """A text without halves of surrogate pairs, which no component can hand over."""
    return HALVES.sub("\ufffd", text)


def _events(item, body, delivery, read, lossy):
    """The events of one item: what the channel's function says of it, or that it cannot be read."""
    try:
        said = read(item, body, delivery)
        if said is None:
            return [_unknown(item, delivery, "the channel does not read items of this kind")]
        return [_event(one, delivery, lossy) for one in (said if isinstance(said, list) else [said])]
    except Exception as error:
        return [_unknown(item, delivery, f"{type(error).__name__}: {error}")]


def _event(said, delivery, lossy):
    anomalies = set()

    def text(value):
        clean = _well_formed(str(value))
        if clean != str(value) or lossy and "\ufffd" in clean:
            anomalies.add("text_replaced")
        return clean

    def optional(name):
        return None if said.get(name) is None else text(said[name])

    def required(name):
        if said.get(name) in (None, ""):
            raise ValueError(f"the item has no `{name}`")
        return text(said[name])

    id = required("id")
    at = _millis(said.get("at"))
    timed = isinstance(at, (int, float)) and math.isfinite(at) and at >= 0
    if "at" in said and not timed:
        anomalies.add("missing_time")
    contact = {"id": required("contact"), "name": optional("name"), "username": optional("username")}
    what = said.get("body") or {"message": {"id": id, "text": required("text")}}
    kind = next(iter(what))
    ours = said.get("ours", False)
    return {
        **_bare(delivery),
        **({} if said.get("account") is None else {"account": text(said["account"])}),
        "id": f"{kind}:{id}",
        "contact": contact,
        "thread": said.get("thread") and {"kind": "group", **said["thread"]},
        "author": {"business": {"correlation": optional("ref")}} if ours else "contact",
        "at": int(at) if timed else None,
        "opens": None if ours or kind != "message" else "message",
        "body": what,
        "anomalies": sorted(anomalies),
    }


def _millis(at):
    """A time as milliseconds: as they are, or a text as in ISO 8601, in UTC where it names no zone."""
    if not isinstance(at, str):
        return at
    try:
        time = datetime.datetime.fromisoformat(at)
    except ValueError:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=datetime.UTC)).timestamp() * 1000


def _unknown(item, delivery, reason):
    """An item that cannot be read. It has no id of its own, so its words make one: a repeated delivery gives the same."""
    raw = _well_formed(json.dumps(item, ensure_ascii=False, separators=(",", ":"))).encode()
    hash = 0xCBF29CE484222325
    for byte in raw:
        hash = ((hash ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    fits = len(raw) <= NATIVE_BYTES
    return {
        **_bare(delivery),
        "id": f"unknown:{hash:x}",
        "author": "unknown",
        "body": {"unknown": {"reason": _well_formed(reason)}},
        "anomalies": [] if fits else ["native_omitted"],
        "native": raw.decode() if fits else None,
    }


def _bare(delivery):
    """What every event has."""
    origin = "history" if case(delivery.source) == "history" else "live"
    return {"account": delivery.account.id if delivery.account else "", "origin": origin}


# ------------------------------------------------------------------------------------------------------ what goes out


def _step(send, rate_class, index, ref, text, message, context):
    thread = context.thread.id if context.thread else None
    values = {"to": context.contact, "text": text, "ref": ref, "account": context.account.id, "thread": thread}
    body = send["body"](values | {"message": message, "context": context}) if callable(send["body"]) else None
    body = _filled(send["body"], values) if body is None else body
    quoted = lambda match: urllib.parse.quote(values[match[1]] or "", safe="!'()*")
    bearer = {"source": {"slot": send.get("slot")}, "place": {"authorization": "Bearer"}}
    return {
        "parts": [index],
        "kind": "message",
        "rate_class": rate_class,
        "request": {
            "method": "post",
            "url": IN_URL.sub(quoted, send["url"]),
            "headers": [{"name": "content-type", "value": "application/json"}],
            "body": {"bytes": json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()},
            "fills": send.get("fills", [bearer] if "slot" in send else []),
        },
        "repeatable": send.get("repeatable", False),
        "echoed": send.get("echoed", False),
        "correlation": ref if send.get("echoed") else None,
        "text": text,
    }


def _filled(template, values):
    """A template with its values. What a value holds is never a template itself."""
    if isinstance(template, list):
        return [_filled(one, values) for one in template]
    if isinstance(template, dict):
        return {key: _filled(one, values) for key, one in template.items()}
    name = isinstance(template, str) and PLACEHOLDER.fullmatch(template)
    return values[name[1]] if name else template


def _outcome(send, sent, response):
    """The status decides what became of a message; a code only says more about the failure."""
    try:
        answer = json.loads(response.body)
    except ValueError:
        answer = None  # A page of a proxy, or nothing: there is no id and no code in it.

    def told(place):
        found = _pointer(answer, place) if place is not None else None
        return _well_formed(str(found)) if isinstance(found, (str, int, float)) and not isinstance(found, bool) else None

    status = response.status
    if 200 <= status < 300:
        id = told(send.get("id"))
        sent_messages = [] if id is None else [{"part": part, "message": {"id": id}} for part in sent.parts]
        return {"verdict": {"sent": {"messages": sent_messages}}}
    code = told(send.get("code"))
    tag, usual, words = _kind(status, sent.repeatable)
    category = send.get("categories", {}).get(code, usual) if tag == "rejected" else usual
    after = _retry_after(response.headers)
    of_code = "" if code is None else f", code {code}"
    message = f"The platform {words} (status {status}{of_code})."
    failure = {"category": category, "code": code, "message": message, "retry_after": after}
    paused = tag == "rate_limited" and after is not None
    return {"verdict": {tag: failure}, "pause": {"scope": "account", "duration": after} if paused else None}


def _kind(status, repeatable):
    """What a status means: the case of `send-result`, the category, and words for an agent."""
    match status:
        case 401:
            return "unauthorized", "auth_expired", "refused the account's credentials"
        case 403:
            return "rejected", "permission_missing", "does not permit this"
        case 404 | 410:
            return "rejected", "not_found", "does not know this conversation"
        case 429:
            return "rate_limited", "rate_limited", "wants fewer messages at a time"
    if 400 <= status < 500 and status != 408:
        return "rejected", "content_invalid", "refused the message"
    if 300 <= status < 400:
        return "rejected", "other", "answered with a redirect, which is not followed"
    if repeatable:
        return "transient", "platform_transient", "failed for the moment"
    return "ambiguous", "ambiguous", "failed, and may have delivered the message all the same"


def _retry_after(headers):
    """`retry-after` in milliseconds: seconds, or a date, which the answer's own `date` makes a duration."""
    value = {header.name: header.value.strip() for header in reversed(headers)}
    after = value.get("retry-after")
    if after is None:
        return None
    if SECONDS.fullmatch(after):
        return int(after) * 1000
    try:
        then, now = (email.utils.parsedate_to_datetime(value[name]) for name in ("retry-after", "date"))
        return max(0, int((then - now).total_seconds() * 1000))
    except (KeyError, TypeError, ValueError):
        return None

# Pelican, an invented messenger whose webhooks and messages are plain JSON: a channel that sends and receives texts.

from text_channel import text_channel

HOUR = 3_600_000


def read(item, body, delivery):
    sender = item["from"]
    words = {"text": item["text"], "at": item.get("sent_at")}
    return {"id": item["id"], "contact": sender["id"], "name": sender.get("name"), **words}


MessagingChannel = text_channel(
    {
        "capabilities": {
            "text_limits": [{"field": "message_text", "limit": {"max": 1000, "unit": "characters"}}],
            "window": {"customer_first": True, "rules": [{"opener": "message", "open_for": 24 * HOUR}]},
            "identity": {"field": "pelican_id"},
        },
        "items": "/messages",
        "send": {
            "url": "https://api.pelican.example/v1/messages",
            "slot": "api-token",
            "body": {"to": "{to}", "text": "{text}", "client_ref": "{ref}"},
            "id": "/message/id",
            "code": "/error/code",
            "categories": {"blocked": "opted_out", "unknown_user": "recipient_unavailable"},
        },
    },
    read,
)

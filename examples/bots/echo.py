#!/usr/bin/env python3
"""Answers every message of a customer, once. HOST and TOKEN say which inbox, the argument where its position is kept."""
import json, os, sys, time, urllib.error, urllib.request

API, TOKEN, FILE = os.environ["HOST"] + "/api/v1", os.environ["TOKEN"], sys.argv[1]


def call(method, path, body=None, **headers):
    """One request, made again until the host answers it. None if it refuses: nothing changes by asking again."""
    headers |= {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    request = urllib.request.Request(API + path, body and json.dumps(body).encode(), headers, method=method)
    while True:
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != 429:
                return print(method, path, error.read().decode(), file=sys.stderr)
        except (OSError, ValueError):
            pass  # The host is away, or went away in the middle.
        time.sleep(0.5)


def keep(position):
    """Replaces the file as a whole, so that it holds one position or the other whenever this program ends."""
    with open(FILE + ".new", "w") as file:
        file.write(position)
        os.fsync(file.fileno())
    os.replace(FILE + ".new", FILE)


if not os.path.exists(FILE):
    keep(call("GET", "/changes")["position"])  # From now on.
while True:
    changes = call("GET", f"/changes?after={open(FILE).read()}&kinds=message.created&wait=30000")
    for event in changes["data"]:
        message = call("GET", f"/messages/{event['message_id']}")
        if message and message["sender"]["kind"] == "contact" and message["origin"] == "live" and message["text"]:
            reply = {"sender": {"kind": "bot", "id": "echo"}, "parts": [{"text": {"text": f"You wrote: {message['text']}"}}]}
            # The key makes a second request for the same message the same reply.
            path = f"/conversations/{message['conversation_id']}/replies"
            call("POST", path, reply, **{"Idempotency-Key": f"echo-{message['id']}"})
    keep(changes["position"])  # Only now: whatever was not dealt with comes again.

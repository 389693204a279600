#!/usr/bin/env node
// Answers every message of a customer, once. HOST and TOKEN say which inbox, the argument where its position is kept.
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

const { HOST, TOKEN } = process.env;
const FILE = process.argv[2];

// One request, made again until the host answers it. Null if it refuses: nothing changes by asking again.
async function call(method, path, body, headers = {}) {
  headers = { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json", ...headers };
  for (;;) {
    try {
      const signal = AbortSignal.timeout(90_000);
      const answer = await fetch(`${HOST}/api/v1${path}`, { method, headers, signal, body: body && JSON.stringify(body) });
      if (answer.ok) return await answer.json();
      if (answer.status < 500 && answer.status !== 429) {
        console.error(method, path, await answer.text());
        return null;
      }
    } catch {} // The host is away, or went away in the middle.
    await setTimeout(500);
  }
}

// Replaces the file as a whole, so that it holds one position or the other whenever this program ends.
function keep(position) {
  const file = openSync(`${FILE}.new`, "w");
  writeSync(file, position);
  fsyncSync(file);
  closeSync(file);
  renameSync(`${FILE}.new`, FILE);
}

if (!existsSync(FILE)) keep((await call("GET", "/changes")).position); // From now on.
for (;;) {
  const changes = await call("GET", `/changes?after=${readFileSync(FILE, "utf8")}&kinds=message.created&wait=30000`);
  for (const event of changes.data) {
    const message = await call("GET", `/messages/${event.message_id}`);
    if (message?.sender.kind !== "contact" || message.origin !== "live" || !message.text) continue;
    const reply = { sender: { kind: "bot", id: "echo" }, parts: [{ text: { text: `You wrote: ${message.text}` } }] };
    // The key makes a second request for the same message the same reply.
    const key = { "Idempotency-Key": `echo-${message.id}` };
    await call("POST", `/conversations/${message.conversation_id}/replies`, reply, key);
  }
  keep(changes.position); // Only now: whatever was not dealt with comes again.
}

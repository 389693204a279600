-- The inbox in one file. Times are milliseconds since 1970 (UTC); `at` is the platform's clock,
-- everything else the host's. JSON columns hold the contract's JSON form.

-- The journal: every verified delivery, as it came. Durable before the platform gets its 200.
CREATE TABLE delivery (
    id          INTEGER PRIMARY KEY,
    channel     TEXT NOT NULL,
    source      TEXT NOT NULL,              -- webhook | archive
    account     TEXT,                       -- the platform's id, where address or secret named it
    received_at INTEGER NOT NULL,
    state       TEXT NOT NULL,              -- received | applied | unrouted | failed | redacted
    attempts    INTEGER NOT NULL DEFAULT 0,
    problem     TEXT,
    translator  TEXT,                       -- the digest of the component that failed
    redact      INTEGER NOT NULL DEFAULT 0, -- what it brought was taken back: emptied when nothing waits in it
    headers     TEXT NOT NULL,              -- JSON, those that the channel asked for
    body        BLOB NOT NULL               -- last, so that a look at the state does not read it
) STRICT;
CREATE INDEX delivery_state ON delivery (state, id);

CREATE TABLE account (
    id          INTEGER PRIMARY KEY,
    channel     TEXT NOT NULL,
    platform_id TEXT NOT NULL,
    name        TEXT NOT NULL,
    settings    TEXT NOT NULL,              -- JSON, list of setting
    UNIQUE (channel, platform_id)
) STRICT;

CREATE TABLE contact (
    id          INTEGER PRIMARY KEY,
    account_id  INTEGER NOT NULL REFERENCES account (id),
    platform_id TEXT NOT NULL,
    name        TEXT,
    username    TEXT,
    UNIQUE (account_id, platform_id)
) STRICT;

-- One for each (account, contact), or for each (account, thread) where the platform has threads.
CREATE TABLE conversation (
    id             INTEGER PRIMARY KEY,
    account_id     INTEGER NOT NULL REFERENCES account (id),
    contact_id     INTEGER NOT NULL REFERENCES contact (id),
    key            TEXT NOT NULL,           -- 't:' || thread or 'c:' || contact, by the platform's id
    thread         TEXT,                    -- JSON
    last_at        INTEGER NOT NULL,        -- the newest thing in it
    last_inbound   TEXT,                    -- the customer's newest message, by the platform's id
    last_inbound_at INTEGER,
    unread         INTEGER NOT NULL DEFAULT 0,
    seen_message   TEXT,                    -- how far the customer has read
    seen_at        INTEGER,
    refused_at     INTEGER,                 -- the platform said that the window is closed
    reply_context  BLOB,
    UNIQUE (account_id, key)
) STRICT;
CREATE INDEX conversation_recent ON conversation (last_at DESC);

-- What opened the window, and when last. The policy that says for how long belongs to the channel.
CREATE TABLE opening (
    conversation_id INTEGER NOT NULL REFERENCES conversation (id),
    opener          TEXT NOT NULL,
    at              INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, opener)
) STRICT, WITHOUT ROWID;

-- Every event that was applied: the unique key that makes a repeated delivery a no-op.
CREATE TABLE event (
    account_id  INTEGER NOT NULL REFERENCES account (id),
    event_id    TEXT NOT NULL,
    delivery_id INTEGER NOT NULL,
    PRIMARY KEY (account_id, event_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE message (
    id              INTEGER PRIMARY KEY,
    account_id      INTEGER NOT NULL REFERENCES account (id),
    conversation_id INTEGER NOT NULL REFERENCES conversation (id),
    platform_id     TEXT,
    direction       TEXT NOT NULL,          -- inbound | outbound
    author          TEXT NOT NULL,          -- JSON: author of the event, or sender of the reply
    at              INTEGER NOT NULL,
    received_at     INTEGER NOT NULL,
    origin          TEXT NOT NULL,
    late            INTEGER NOT NULL DEFAULT 0, -- something newer was there before it
    text            TEXT,
    body            TEXT,                   -- JSON, message; none when it was deleted
    part            TEXT,                   -- JSON, outbound-part, for what was sent from here
    delivery_id     INTEGER,                -- the delivery that brought it, emptied when it is deleted
    anomalies       TEXT,                   -- JSON, where there are any
    native          TEXT,
    reply_id        INTEGER REFERENCES reply (id),
    step            INTEGER,
    revision        INTEGER,
    deleted_at      INTEGER
) STRICT;
CREATE UNIQUE INDEX message_platform ON message (account_id, platform_id) WHERE platform_id IS NOT NULL;
CREATE INDEX message_order ON message (conversation_id, at, id);
CREATE UNIQUE INDEX message_step ON message (reply_id, step) WHERE reply_id IS NOT NULL;

-- What happens to a message is kept by its platform id, whether the message is there yet or not.
CREATE TABLE reaction (
    account_id INTEGER NOT NULL REFERENCES account (id),
    target     TEXT NOT NULL,
    actor      TEXT NOT NULL,               -- the contact's platform id, or 'business'
    emoji      TEXT,
    name       TEXT,
    removed    INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (account_id, target, actor)
) STRICT, WITHOUT ROWID;
CREATE TABLE edit (
    account_id INTEGER NOT NULL REFERENCES account (id),
    target     TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    text       TEXT,
    PRIMARY KEY (account_id, target)
) STRICT, WITHOUT ROWID;
CREATE TABLE deletion (
    account_id INTEGER NOT NULL REFERENCES account (id),
    target     TEXT NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (account_id, target)
) STRICT, WITHOUT ROWID;

-- Files that messages name, and what became of them here. The message comes first, its files later.
CREATE TABLE media (
    id              INTEGER PRIMARY KEY,
    message_id      INTEGER REFERENCES message (id), -- none when the message is gone
    attachment      INTEGER NOT NULL,       -- its place in the message's attachments
    kind            TEXT NOT NULL,          -- a media-kind, share or story
    url             TEXT,                   -- where the platform has it, for a time
    state           TEXT NOT NULL,          -- remote | stored | link-only | expired | deleted | too-large | refused | failed
    reason          TEXT,                   -- for a person, why it is not stored
    attempts        INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL,
    stored_as       TEXT,                   -- its key in the media store, from before it is written until it is gone
    mime            TEXT,
    size            INTEGER,
    sha256          TEXT,
    name            TEXT,
    UNIQUE (message_id, attachment)
) STRICT;
CREATE INDEX media_due ON media (next_attempt_at) WHERE state = 'remote';
CREATE INDEX media_purge ON media (id) WHERE stored_as IS NOT NULL AND state <> 'stored';

-- Files that the inbox was given to send. A part of a message names one by its handle.
CREATE TABLE file (
    handle      TEXT PRIMARY KEY,
    name        TEXT,
    mime        TEXT,                       -- what its content is, where that can be told
    size        INTEGER NOT NULL,
    sha256      TEXT NOT NULL,
    stored_as   TEXT NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What channels remember of an account, by their own keys.
CREATE TABLE storage (
    account_id  INTEGER NOT NULL REFERENCES account (id),
    key         TEXT NOT NULL,
    value       BLOB NOT NULL,
    PRIMARY KEY (account_id, key)
) STRICT, WITHOUT ROWID;

-- Everything else that happened: handovers, comments, referrals, unknown items.
CREATE TABLE notice (
    id              INTEGER PRIMARY KEY,
    account_id      INTEGER NOT NULL REFERENCES account (id),
    conversation_id INTEGER REFERENCES conversation (id),
    at              INTEGER NOT NULL,
    origin          TEXT NOT NULL,
    kind            TEXT NOT NULL,
    body            TEXT NOT NULL,          -- JSON, event-body
    native          TEXT
) STRICT;
CREATE INDEX notice_order ON notice (conversation_id, at, id);

-- The outbox. The key makes asking twice one reply.
CREATE TABLE reply (
    id              INTEGER PRIMARY KEY,
    account_id      INTEGER NOT NULL REFERENCES account (id),
    conversation_id INTEGER NOT NULL REFERENCES conversation (id),
    key             TEXT NOT NULL,
    message         TEXT NOT NULL,          -- JSON, outbound-message
    created_at      INTEGER NOT NULL,
    state           TEXT NOT NULL,          -- queued | sending | done | refused
    next_attempt_at INTEGER NOT NULL,
    violations      TEXT,                   -- JSON, list of violation
    UNIQUE (account_id, key)
) STRICT;
CREATE INDEX reply_open ON reply (next_attempt_at) WHERE state IN ('queued', 'sending');
CREATE TABLE step (
    reply_id    INTEGER NOT NULL REFERENCES reply (id),
    step        INTEGER NOT NULL,
    part        INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    state       TEXT NOT NULL,              -- queued | sending | sent | rejected | unknown | cancelled
    attempts    INTEGER NOT NULL DEFAULT 0,
    correlation TEXT,
    text        TEXT,
    outcome     TEXT,                       -- JSON, send-result
    finished_at INTEGER,
    PRIMARY KEY (reply_id, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX step_correlation ON step (correlation) WHERE correlation IS NOT NULL;

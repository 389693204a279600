-- Counts up with every connecting and disconnecting of an account: what began under one connection writes nothing
-- into the next.
ALTER TABLE account ADD COLUMN connection INTEGER NOT NULL DEFAULT 0;
-- When its conversations were deleted last: the archive does not bring them back.
ALTER TABLE account ADD COLUMN conversations_deleted_at INTEGER;

-- Links over which accounts are being connected, so that a restart costs nobody their place. What a link holds
-- (whose browser, what was captured so far) is sealed; the key lies elsewhere.
CREATE TABLE link (
    id          BLOB PRIMARY KEY,           -- the SHA-256 of its ticket
    version     INTEGER NOT NULL,           -- an older one never replaces a newer one
    sealed      BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- A platform's wish to be left alone belongs to whom it concerns, not to the replies that waited when it came.
CREATE TABLE pause (
    channel     TEXT NOT NULL,
    scope       TEXT NOT NULL,              -- app | account | conversation
    whose       TEXT NOT NULL,              -- the account's platform id, the conversation's row, or '' for the app
    until       INTEGER NOT NULL,
    PRIMARY KEY (channel, scope, whose)
) STRICT, WITHOUT ROWID;

-- What may have been delivered is looked for: since when, and when next.
ALTER TABLE step ADD COLUMN begun_at INTEGER;                           -- when its last attempt left
ALTER TABLE step ADD COLUMN look_at INTEGER;                            -- when it is looked for next
ALTER TABLE step ADD COLUMN looks INTEGER NOT NULL DEFAULT 0;
CREATE INDEX step_look ON step (look_at) WHERE look_at IS NOT NULL;

-- What the customer will not see as it was asked for.
ALTER TABLE reply ADD COLUMN degradations TEXT;                         -- JSON, list of degradation

-- Whose secret proved a delivery, so that it speaks for no other account: JSON, proof. None in deliveries of earlier
-- versions, where `account` says it.
ALTER TABLE delivery ADD COLUMN proof TEXT;

-- The accounts that a parked delivery waits for: connecting one takes up its deliveries and no others.
CREATE TABLE awaited (
    channel     TEXT NOT NULL,
    account     TEXT NOT NULL,              -- as the event names it: the platform's id, or an alias
    delivery_id INTEGER NOT NULL,
    PRIMARY KEY (channel, account, delivery_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX awaited_delivery ON awaited (delivery_id);

-- How much of one account waits to be translated. Deliveries that name no account cost nothing here.
CREATE INDEX delivery_waiting_account ON delivery (channel, account)
    WHERE state = 'received' AND account IS NOT NULL;

-- Callbacks that were taken: one that comes again is answered as the first time, and at no other callback.
CREATE TABLE callback (
    channel     TEXT NOT NULL,
    digest      BLOB NOT NULL,              -- SHA-256 of what was signed
    name        TEXT NOT NULL,              -- the callback that took it
    code        TEXT,                       -- what was answered, where something is
    received_at INTEGER NOT NULL,
    PRIMARY KEY (channel, digest)
) STRICT, WITHOUT ROWID;

-- A comment is found by its id: a private reply depends on its age.
CREATE INDEX notice_comment ON notice (account_id, json_extract(body, '$.comment.id')) WHERE kind = 'comment';

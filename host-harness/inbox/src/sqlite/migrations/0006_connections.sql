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

-- Deliveries that carry words of a message beside the one that brought it: its edits, echoes and copies. Emptied
-- when it is taken back; found by the platform's id, so that they need not wait for the message.
CREATE TABLE carrier (
    account_id  INTEGER NOT NULL REFERENCES account (id),
    target      TEXT NOT NULL,
    delivery_id INTEGER NOT NULL,
    PRIMARY KEY (account_id, target, delivery_id)
) STRICT, WITHOUT ROWID;
-- Whose an edit is that waits for its message.
ALTER TABLE edit ADD COLUMN conversation_id INTEGER;
-- Words were taken out of it: it is not what the key asked for any more.
ALTER TABLE reply ADD COLUMN masked INTEGER NOT NULL DEFAULT 0;

-- Unread are messages, not a number: what is counted is there. Set for what a customer wrote, until a person answers
-- or marks the conversation as read.
ALTER TABLE message ADD COLUMN unread INTEGER NOT NULL DEFAULT 0;
UPDATE message SET unread = 1 WHERE id IN (
    SELECT id FROM (SELECT m.id, c.unread, row_number() OVER (PARTITION BY m.conversation_id ORDER BY m.at DESC, m.id DESC) AS nth
                    FROM message m JOIN conversation c ON c.id = m.conversation_id
                    WHERE c.unread > 0 AND m.direction = 'inbound' AND m.origin = 'live' AND m.deleted_at IS NULL)
    WHERE nth <= unread);
CREATE INDEX message_unread ON message (conversation_id) WHERE unread = 1;
ALTER TABLE conversation DROP COLUMN unread;

-- Messages of one time: an archive that gives times to the second lists the newest first, page by page.
ALTER TABLE message ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;          -- below 0: brought by an older page
DROP INDEX message_order;
CREATE INDEX message_order ON message (conversation_id, at, seq, id);

-- A platform that gives one id to two messages of a delivery: both are kept, and what happens to the id happens to both.
ALTER TABLE message ADD COLUMN twin INTEGER NOT NULL DEFAULT 0;
DROP INDEX message_platform;
CREATE UNIQUE INDEX message_platform ON message (account_id, platform_id, twin) WHERE platform_id IS NOT NULL;

-- Nothing of the past is late, and no time that lies in the future keeps a conversation on top.
UPDATE message SET late = 0 WHERE origin = 'history' AND late = 1;
UPDATE conversation SET last_at = (SELECT max(received_at) FROM message WHERE conversation_id = conversation.id)
    WHERE last_at > (SELECT max(received_at) FROM message WHERE conversation_id = conversation.id) + 86400000;
CREATE INDEX notice_recent ON notice (at, id);

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

-- People whom the platform names by no id: `platform_id` is made here, and gives way to theirs.
ALTER TABLE contact ADD COLUMN unnamed INTEGER NOT NULL DEFAULT 0;

-- Deliveries that waited for their account in vain are counted.
CREATE INDEX delivery_expired ON delivery (channel, problem) WHERE state = 'redacted' AND problem IS NOT NULL;

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
-- What is counted as unread: messages that came since somebody answered or marked the conversation as read.
ALTER TABLE conversation ADD COLUMN read_up_to INTEGER NOT NULL DEFAULT 0; -- the row of the newest message then

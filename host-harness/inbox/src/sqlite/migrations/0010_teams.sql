-- Everything that changes the inbox, one row each, written in the transaction that changes it: numbered in commit order,
-- never twice the same number. It refers to rows and holds no words of people, so that nothing in it has to be purged.
CREATE TABLE change (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    at              INTEGER NOT NULL,         -- when it was written
    kind            TEXT NOT NULL,            -- ChangeKind, such as message.created
    workspace_id    INTEGER,                  -- none for what concerns the whole host
    account_id      INTEGER,
    conversation_id INTEGER,
    message_id      INTEGER,
    reply_id        INTEGER,
    activity_id     INTEGER,
    delivery_id     INTEGER,
    object_id       INTEGER                   -- the row of another kind that `kind` names: media, contact, note, user …
) STRICT;
CREATE INDEX change_delivery ON change (delivery_id, account_id) WHERE delivery_id IS NOT NULL;

-- Components that have translated deliveries. A delivery refers to the one that did so last.
CREATE TABLE component (
    id      INTEGER PRIMARY KEY,
    digest  TEXT NOT NULL UNIQUE,             -- SHA-256, in hex
    channel TEXT NOT NULL,
    version TEXT NOT NULL DEFAULT ''          -- by its manifest; empty until it is loaded again
) STRICT;
ALTER TABLE delivery ADD COLUMN component_id INTEGER;

-- Accounts, conversations, users, tokens and settings belong to one workspace each. The first is there from the start.
CREATE TABLE workspace (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
INSERT INTO workspace (id, name, created_at) VALUES (1, 'Team', 0);
ALTER TABLE account ADD COLUMN workspace_id INTEGER NOT NULL DEFAULT 1;   -- workspace
ALTER TABLE account ADD COLUMN login TEXT;                                -- the manifest's login that it was connected with
ALTER TABLE account ADD COLUMN entry_points TEXT;                         -- JSON, as they were set from here last
CREATE INDEX contact_order ON contact (account_id, id);
CREATE INDEX activity_account ON activity (account_id, at, id);

-- People who sign in.
CREATE TABLE user (
    id              INTEGER PRIMARY KEY,
    workspace_id    INTEGER NOT NULL REFERENCES workspace (id),
    email           TEXT NOT NULL COLLATE NOCASE UNIQUE,
    name            TEXT NOT NULL,            -- as it stands on their replies
    role            TEXT NOT NULL,            -- agent | admin
    password        TEXT,                     -- argon2id, PHC; none where they sign in elsewhere only
    issuer          TEXT,                     -- of the identity provider, with `subject`
    subject         TEXT,
    created_at      INTEGER NOT NULL,
    disabled_at     INTEGER,
    UNIQUE (issuer, subject)
) STRICT;
CREATE TABLE session (
    id              BLOB PRIMARY KEY,         -- SHA-256 of the cookie's value
    user_id         INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    created_at      INTEGER NOT NULL,
    last_used_at    INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,         -- when it ends unless it is used before
    client          TEXT NOT NULL             -- what the browser calls itself, shortened
) STRICT, WITHOUT ROWID;
CREATE INDEX session_user ON session (user_id);
-- Browsers in which somebody has signed in before: strangers who guess passwords do not slow them down.
CREATE TABLE known_device (
    id              BLOB NOT NULL,            -- SHA-256 of the cookie's value
    user_id         INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    last_used_at    INTEGER NOT NULL,
    PRIMARY KEY (id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX known_device_user ON known_device (user_id, last_used_at);
CREATE TABLE invitation (
    id              INTEGER PRIMARY KEY,
    secret          BLOB NOT NULL UNIQUE,     -- SHA-256 of the link's secret
    workspace_id    INTEGER NOT NULL REFERENCES workspace (id),
    email           TEXT NOT NULL COLLATE NOCASE,
    role            TEXT NOT NULL,
    invited_by      INTEGER REFERENCES user (id) ON DELETE SET NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX invitation_workspace ON invitation (workspace_id, id);
CREATE INDEX user_workspace ON user (workspace_id, id);

-- How a team keeps its conversations in order.
CREATE TABLE collection (
    id              INTEGER PRIMARY KEY,
    workspace_id    INTEGER NOT NULL REFERENCES workspace (id),
    name            TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    UNIQUE (workspace_id, name)
) STRICT;
CREATE TABLE label (
    id              INTEGER PRIMARY KEY,
    workspace_id    INTEGER NOT NULL REFERENCES workspace (id),
    name            TEXT NOT NULL,
    color           TEXT NOT NULL,            -- one of the palette's names
    created_at      INTEGER NOT NULL,
    UNIQUE (workspace_id, name)
) STRICT;
ALTER TABLE conversation ADD COLUMN state TEXT NOT NULL DEFAULT 'open';    -- open | pending | snoozed | closed
ALTER TABLE conversation ADD COLUMN snoozed_until INTEGER;
ALTER TABLE conversation ADD COLUMN closed_at INTEGER;                     -- when the team closed it
-- What becomes of a closed one when the customer writes again: reopen | new. In the second case it gives up its key.
ALTER TABLE account ADD COLUMN when_closed TEXT NOT NULL DEFAULT 'reopen';
ALTER TABLE conversation ADD COLUMN continued_in INTEGER REFERENCES conversation (id) ON DELETE SET NULL;
CREATE INDEX conversation_continued ON conversation (continued_in) WHERE continued_in IS NOT NULL;
ALTER TABLE conversation ADD COLUMN assignee_id INTEGER REFERENCES user (id) ON DELETE SET NULL;
ALTER TABLE conversation ADD COLUMN collection_id INTEGER REFERENCES collection (id) ON DELETE SET NULL;
-- Of its account, and whether it has unread messages: so that lists of them are read from an index.
ALTER TABLE conversation ADD COLUMN workspace_id INTEGER NOT NULL DEFAULT 1;
ALTER TABLE conversation ADD COLUMN has_unread INTEGER NOT NULL DEFAULT 0;
-- The messages that nobody has read. Apart from their rows, so that reading many at once writes few pages.
CREATE TABLE unread (
    conversation_id INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    message_id      INTEGER NOT NULL,         -- follows the message by triggers: a reference would need an index
    PRIMARY KEY (conversation_id, message_id)
) STRICT, WITHOUT ROWID;
INSERT INTO unread (conversation_id, message_id) SELECT conversation_id, id FROM message WHERE unread = 1;
DROP INDEX message_unread;
ALTER TABLE message DROP COLUMN unread;
UPDATE conversation SET has_unread = 1 WHERE id IN (SELECT conversation_id FROM unread);
-- Every filter of the list has an index in the order of the list. All begin a range for each state, since most
-- conversations of an old inbox are closed and most lists show the others.
DROP INDEX conversation_recent;
CREATE INDEX conversation_recent ON conversation (workspace_id, state, last_at);
CREATE INDEX conversation_account ON conversation (account_id, state, last_at);
CREATE INDEX conversation_assignee ON conversation (assignee_id, workspace_id, state, last_at);
CREATE INDEX conversation_collection ON conversation (collection_id, workspace_id, state, last_at);
CREATE INDEX conversation_unread ON conversation (workspace_id, state, last_at) WHERE has_unread = 1;
CREATE INDEX conversation_snoozed ON conversation (snoozed_until) WHERE state = 'snoozed';
CREATE TRIGGER account_changes_workspace AFTER UPDATE OF workspace_id ON account WHEN old.workspace_id <> new.workspace_id
BEGIN
    DELETE FROM conversation_label WHERE conversation_id IN (SELECT id FROM conversation WHERE account_id = new.id);
    DELETE FROM mention WHERE note_id IN (SELECT n.id FROM note n JOIN conversation c ON c.id = n.conversation_id
        WHERE c.account_id = new.id);
    UPDATE conversation SET workspace_id = new.workspace_id, assignee_id = NULL, collection_id = NULL
        WHERE account_id = new.id;
END;
CREATE TRIGGER unread_message_moves AFTER UPDATE OF conversation_id ON message
    WHEN old.conversation_id <> new.conversation_id
        AND EXISTS (SELECT 1 FROM unread WHERE conversation_id = old.conversation_id AND message_id = old.id)
BEGIN
    UPDATE unread SET conversation_id = new.conversation_id
        WHERE conversation_id = old.conversation_id AND message_id = old.id;
    UPDATE conversation SET has_unread = EXISTS (SELECT 1 FROM unread WHERE conversation_id = conversation.id)
        WHERE id IN (old.conversation_id, new.conversation_id);
END;
CREATE TRIGGER unread_message_is_deleted AFTER DELETE ON message
    WHEN EXISTS (SELECT 1 FROM unread WHERE conversation_id = old.conversation_id AND message_id = old.id)
BEGIN
    DELETE FROM unread WHERE conversation_id = old.conversation_id AND message_id = old.id;
    UPDATE conversation SET has_unread = EXISTS (SELECT 1 FROM unread WHERE conversation_id = conversation.id)
        WHERE id = old.conversation_id;
END;
CREATE TABLE conversation_label (
    conversation_id INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    label_id        INTEGER NOT NULL REFERENCES label (id) ON DELETE CASCADE,
    state           TEXT NOT NULL,            -- of the conversation, as `last_at`: for the order of the list
    last_at         INTEGER NOT NULL,         -- follows without a trigger: see `rows::conversations::put_in_order`
    PRIMARY KEY (conversation_id, label_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX conversation_label_recent ON conversation_label (label_id, state, last_at, conversation_id);
CREATE TRIGGER conversation_moves_in_lists AFTER UPDATE OF state ON conversation WHEN old.state <> new.state
BEGIN
    UPDATE conversation_label SET last_at = new.last_at, state = new.state WHERE conversation_id = new.id;
END;
-- Private notes of the team: they never leave the host.
CREATE TABLE note (
    id              INTEGER PRIMARY KEY,
    conversation_id INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    user_id         INTEGER REFERENCES user (id) ON DELETE SET NULL,
    author          TEXT NOT NULL,            -- the author's name then: a user's, a token's, or the automation's
    at              INTEGER NOT NULL,
    edited_at       INTEGER,
    text            TEXT NOT NULL,
    key             TEXT,                     -- given with it, so that it is written once
    digest          BLOB,                     -- with a key: the SHA-256 of the text that it was given with
    UNIQUE (conversation_id, key)
) STRICT;
CREATE INDEX note_order ON note (conversation_id, at, id);
-- People whom a note mentions.
CREATE TABLE mention (
    user_id         INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    note_id         INTEGER NOT NULL REFERENCES note (id) ON DELETE CASCADE,
    seen_at         INTEGER,                  -- when they looked at the conversation after that
    PRIMARY KEY (user_id, note_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX mention_note ON mention (note_id);
CREATE INDEX mention_unseen ON mention (user_id, note_id) WHERE seen_at IS NULL;
-- What the list is narrowed to, under a name.
CREATE TABLE saved_view (
    id              INTEGER PRIMARY KEY,
    workspace_id    INTEGER NOT NULL REFERENCES workspace (id),
    user_id         INTEGER REFERENCES user (id) ON DELETE CASCADE,     -- none: everybody's of the workspace
    name            TEXT NOT NULL,
    whose           TEXT NOT NULL,            -- everyone | mine | unassigned | closed | mentions
    channel         TEXT,
    label_id        INTEGER REFERENCES label (id) ON DELETE CASCADE,
    unread          INTEGER NOT NULL,
    text            TEXT,
    created_at      INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX saved_view_name ON saved_view (workspace_id, coalesce(user_id, 0), name);
CREATE INDEX saved_view_label ON saved_view (label_id) WHERE label_id IS NOT NULL;
CREATE TABLE canned_answer (
    id              INTEGER PRIMARY KEY,
    workspace_id    INTEGER NOT NULL REFERENCES workspace (id),
    shortcut        TEXT NOT NULL,            -- what is typed after `/`
    title           TEXT NOT NULL,
    text            TEXT NOT NULL,            -- with variables, such as {{contact.name}}
    created_at      INTEGER NOT NULL,
    UNIQUE (workspace_id, shortcut)
) STRICT;
-- The person who wrote a reply; none where a program did.
ALTER TABLE reply ADD COLUMN user_id INTEGER REFERENCES user (id) ON DELETE SET NULL;
ALTER TABLE upload ADD COLUMN workspace_id INTEGER NOT NULL DEFAULT 1;     -- whose replies may name it

-- The search: marks of the words of messages and of names, made by this program (`words`), and the workspace as `w1`.
-- Whatever changes or goes leaves the index with it, by triggers, since many statements do that; what is new waits to be
-- indexed. `secure-delete` takes marks out of the index at once, instead of noting that they are gone.
CREATE VIRTUAL TABLE message_words USING fts5 (marks, tokenize = 'ascii', detail = none, columnsize = 0);
CREATE VIRTUAL TABLE conversation_words USING fts5 (marks, tokenize = 'ascii', detail = none, columnsize = 0);
INSERT INTO message_words (message_words, rank) VALUES ('secure-delete', 1);
INSERT INTO conversation_words (conversation_words, rank) VALUES ('secure-delete', 1);
-- Messages beyond `indexed_to` wait, so that a new one needs no row for it; earlier ones whose words changed are in the
-- table.
CREATE TABLE search (key BLOB NOT NULL, indexed_to INTEGER NOT NULL) STRICT;
INSERT INTO search (key, indexed_to) VALUES (randomblob(16), 0);
CREATE TABLE message_to_index (message_id INTEGER PRIMARY KEY) STRICT;
CREATE TABLE conversation_to_index (conversation_id INTEGER PRIMARY KEY) STRICT;
INSERT INTO conversation_to_index SELECT id FROM conversation;
CREATE TRIGGER message_text_changes AFTER UPDATE OF text ON message WHEN old.text IS NOT new.text
BEGIN
    DELETE FROM message_words WHERE rowid = old.id;
    INSERT INTO message_to_index (message_id) SELECT new.id FROM search WHERE new.id <= indexed_to ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER message_text_is_deleted AFTER DELETE ON message WHEN old.text IS NOT NULL
BEGIN
    DELETE FROM message_words WHERE rowid = old.id;
    DELETE FROM message_to_index WHERE message_id = old.id;
END;
-- The newest id is given again.
CREATE TRIGGER newest_message_is_deleted AFTER DELETE ON message WHEN old.id = (SELECT indexed_to FROM search)
BEGIN
    UPDATE search SET indexed_to = coalesce((SELECT max(id) FROM message WHERE id < old.id), 0);
END;
CREATE TRIGGER conversation_name_is_added AFTER INSERT ON conversation
BEGIN
    INSERT INTO conversation_to_index (conversation_id) VALUES (new.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER conversation_name_changes AFTER UPDATE OF thread, contact_id ON conversation
    WHEN old.thread IS NOT new.thread OR old.contact_id <> new.contact_id
BEGIN
    DELETE FROM conversation_words WHERE rowid = old.id;
    INSERT INTO conversation_to_index (conversation_id) VALUES (new.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER conversation_name_is_deleted AFTER DELETE ON conversation
BEGIN
    DELETE FROM conversation_words WHERE rowid = old.id;
    DELETE FROM conversation_to_index WHERE conversation_id = old.id;
END;
CREATE TRIGGER contact_name_changes AFTER UPDATE OF name, username ON contact
    WHEN old.name IS NOT new.name OR old.username IS NOT new.username
BEGIN
    DELETE FROM conversation_words WHERE rowid IN (SELECT id FROM conversation WHERE contact_id = new.id);
    INSERT INTO conversation_to_index (conversation_id) SELECT id FROM conversation WHERE contact_id = new.id
        ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER conversation_changes_workspace AFTER UPDATE OF workspace_id ON conversation
    WHEN old.workspace_id <> new.workspace_id
BEGIN
    DELETE FROM conversation_words WHERE rowid = old.id;
    INSERT INTO conversation_to_index (conversation_id) VALUES (new.id) ON CONFLICT DO NOTHING;
    DELETE FROM message_words WHERE rowid IN (SELECT id FROM message WHERE conversation_id = new.id);
    INSERT INTO message_to_index (message_id) SELECT id FROM message WHERE conversation_id = new.id AND text IS NOT NULL
        AND id <= (SELECT indexed_to FROM search) ON CONFLICT DO NOTHING;
END;

-- Addresses of products that are told what changes.
CREATE TABLE webhook (
    id              INTEGER PRIMARY KEY,
    workspace_id    INTEGER NOT NULL REFERENCES workspace (id),
    url             TEXT NOT NULL,
    kinds           TEXT NOT NULL,            -- JSON, list of kinds or `prefix.*`; empty: every kind
    secret          BLOB NOT NULL,            -- sealed; the key lies elsewhere
    position        INTEGER NOT NULL,         -- seq of the last change that it was told or that it does not ask for
    state           TEXT NOT NULL DEFAULT 'active', -- active | paused (by a person) | failed (for too long)
    problem         TEXT,
    failing_since   INTEGER,
    attempts        INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL DEFAULT 0,
    created_at      INTEGER NOT NULL
) STRICT;
-- Its last attempts, for a person who looks for a fault.
CREATE TABLE webhook_attempt (
    id              INTEGER PRIMARY KEY,
    webhook_id      INTEGER NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    seq             INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    status          INTEGER,                  -- the answer's; none where there was none
    problem         TEXT
) STRICT;
CREATE INDEX webhook_attempt_order ON webhook_attempt (webhook_id, id);

-- What the automation is told to do, and how far it has read the changes.
CREATE TABLE automation (
    account_id      INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    settings        TEXT NOT NULL,            -- JSON
    since           INTEGER NOT NULL,         -- seq of the change after which it acts: nothing older is answered
    round           INTEGER NOT NULL DEFAULT 0, -- conversations that were assigned to one of several people in turn
    model_key       BLOB                      -- sealed; the key lies elsewhere
) STRICT;
-- Workspaces in which nothing is done automatically, whatever the accounts' settings say.
CREATE TABLE automation_off (
    workspace_id    INTEGER PRIMARY KEY REFERENCES workspace (id) ON DELETE CASCADE
) STRICT;
CREATE TABLE automation_position (
    consumer        TEXT PRIMARY KEY,
    seq             INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- What each part of it knows of a conversation: welcomed when, handed to a person, turns of the assistant.
CREATE TABLE automation_state (
    conversation_id INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    consumer        TEXT NOT NULL,            -- welcome | routing | assistant
    state           TEXT NOT NULL,            -- JSON
    PRIMARY KEY (conversation_id, consumer)
) STRICT, WITHOUT ROWID;
-- From when on the assistant may answer a conversation again: it was handed back, or the team closed it.
CREATE TABLE automation_hand_back (
    conversation_id INTEGER PRIMARY KEY REFERENCES conversation (id) ON DELETE CASCADE,
    at              INTEGER NOT NULL
) STRICT;
-- A customer's turn that the assistant has to answer: one or several messages, and nothing after them yet.
CREATE TABLE automation_turn (
    conversation_id INTEGER PRIMARY KEY REFERENCES conversation (id) ON DELETE CASCADE,
    account_id      INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    first_seq       INTEGER NOT NULL,         -- the change that began it
    seq             INTEGER NOT NULL,         -- the change that continued it last
    began_at        INTEGER NOT NULL,
    due_at          INTEGER NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX automation_turn_due ON automation_turn (due_at);
-- Calls of the model in one day, in UTC.
CREATE TABLE automation_day (
    account_id      INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    day             INTEGER NOT NULL,         -- days since 1970
    calls           INTEGER NOT NULL,
    tokens          INTEGER NOT NULL,
    PRIMARY KEY (account_id, day)
) STRICT, WITHOUT ROWID;
-- Notes that a hand-over left. `brief` is what remains of one when the customer unsends a message.
CREATE TABLE automation_note (
    note_id         INTEGER PRIMARY KEY REFERENCES note (id) ON DELETE CASCADE,
    brief           TEXT NOT NULL
) STRICT;
CREATE TABLE automation_decision (
    id              INTEGER PRIMARY KEY,
    account_id      INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    conversation_id INTEGER REFERENCES conversation (id) ON DELETE CASCADE,
    seq             INTEGER NOT NULL,         -- the change that it was about
    at              INTEGER NOT NULL,
    consumer        TEXT NOT NULL,            -- welcome | routing | assistant
    decision        TEXT NOT NULL,            -- JSON: what was done or why nothing, and the rule that made it
    UNIQUE (consumer, seq)
) STRICT;
CREATE INDEX automation_decision_order ON automation_decision (account_id, id);

-- Whose turn a file that waits is, so that one customer with thousands of photos holds up nobody: nth of its
-- conversation at its arrival. What it costs to find the next must not depend on how many wait.
ALTER TABLE media ADD COLUMN account_id INTEGER;
ALTER TABLE media ADD COLUMN conversation_id INTEGER; -- when it arrived: merging changes no turns
ALTER TABLE media ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
UPDATE media SET account_id = found.account_id, conversation_id = found.conversation_id, turn = found.turn
FROM (SELECT f.id, m.account_id, m.conversation_id,
          min(63, row_number() OVER (PARTITION BY m.conversation_id ORDER BY f.next_attempt_at, f.id) - 1) AS turn
      FROM media f JOIN message m ON m.id = f.message_id WHERE f.state = 'remote') found
WHERE media.id = found.id;
CREATE INDEX media_turn ON media (account_id, turn, next_attempt_at, id) WHERE state = 'remote';
CREATE INDEX media_of_conversation ON media (conversation_id, turn) WHERE state = 'remote';
-- For how many days what need not be kept is kept, where somebody has set it; 0 is for ever.
CREATE TABLE retention (
    what            TEXT PRIMARY KEY,         -- deliveries | parked_deliveries | unused_files | changes
    days            INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

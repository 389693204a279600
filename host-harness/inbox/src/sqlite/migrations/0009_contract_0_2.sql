-- What the contract 0.2 says, and JSON that an earlier version wrote. `contract_0_2` is a function of this program.
ALTER TABLE delivery ADD COLUMN query TEXT NOT NULL DEFAULT '';           -- of the webhook's address, without `?`
ALTER TABLE message ADD COLUMN context BLOB;                              -- the channel's own, for answers to the message
-- One request may deliver several parts, each of which is a message. `step_part` is the part's number in the reply.
ALTER TABLE step ADD COLUMN parts TEXT NOT NULL DEFAULT '[0]';            -- JSON, in order
UPDATE step SET parts = '[' || part || ']';
ALTER TABLE message ADD COLUMN step_part INTEGER;
UPDATE message SET step_part = (SELECT part FROM step WHERE step.reply_id = message.reply_id AND step.step = message.step)
    WHERE reply_id IS NOT NULL;
ALTER TABLE step DROP COLUMN part;
DROP INDEX message_step;
CREATE UNIQUE INDEX message_step ON message (reply_id, step, step_part) WHERE reply_id IS NOT NULL;
-- Several messages of the platform for one part, such as a text that it shows in pieces: the row stands for all of them.
CREATE TABLE message_alias (
    account_id  INTEGER NOT NULL REFERENCES account (id),
    platform_id TEXT NOT NULL,
    message_id  INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    context     BLOB,                                                     -- the channel's own, for answers to this piece
    PRIMARY KEY (account_id, platform_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_alias_message ON message_alias (message_id);
-- From which step on a reply is to be rendered anew, and how often that was asked for.
ALTER TABLE reply ADD COLUMN rebuild_from INTEGER;
ALTER TABLE reply ADD COLUMN rebuilds INTEGER NOT NULL DEFAULT 0;

-- Who wrote it, where several people are in a conversation.
ALTER TABLE message ADD COLUMN contact_id INTEGER REFERENCES contact (id) ON DELETE SET NULL;
CREATE INDEX message_contact ON message (contact_id) WHERE contact_id IS NOT NULL;
ALTER TABLE message ADD COLUMN details TEXT;                              -- JSON, `event.details` where there are any
ALTER TABLE activity ADD COLUMN details TEXT;
ALTER TABLE contact ADD COLUMN told TEXT;                                 -- JSON, `contact`: what events say beyond a name
ALTER TABLE conversation ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;    -- the platform takes nothing until it is reopened
ALTER TABLE media ADD COLUMN described TEXT;                              -- JSON, `media`, of one that has no address yet
ALTER TABLE edit ADD COLUMN attachments TEXT;                             -- JSON; none where they stay as they are
ALTER TABLE edit ADD COLUMN formatted TEXT;                               -- JSON, `formatted-text`
ALTER TABLE edit ADD COLUMN context BLOB;

CREATE INDEX conversation_contact ON conversation (contact_id);
-- Whose profile is asked for next, of each account in turn: however many wait, few are read.
DROP INDEX contact_profile;
CREATE INDEX contact_profile ON contact (account_id, unnamed, profile_at, id DESC);

UPDATE delivery SET source = 'history' WHERE source = 'archive';
UPDATE message SET author = contract_0_2('author', author) WHERE author LIKE '{%';
UPDATE message SET part = contract_0_2('part', part) WHERE part IS NOT NULL;
UPDATE reply SET message = contract_0_2('outbound_message', message);
UPDATE reply SET violations = contract_0_2('findings', violations) WHERE violations IS NOT NULL;
UPDATE reply SET degradations = contract_0_2('findings', degradations) WHERE degradations IS NOT NULL;
UPDATE step SET outcome = contract_0_2('send_result', outcome) WHERE outcome IS NOT NULL;
UPDATE activity SET body = contract_0_2('event_body', body) WHERE kind IN ('policy', 'delivery_status');
UPDATE activity SET kind = 'account_update' WHERE kind = 'policy';
UPDATE contact SET profile = contract_0_2('contact_profile', profile) WHERE profile IS NOT NULL;

-- Whose turn it is in the outbox: found by account, so that a long queue of one does not hide the others.

DROP INDEX reply_open;
CREATE INDEX reply_turn ON reply (account_id, next_attempt_at, id) WHERE state IN ('queued', 'sending');
CREATE INDEX reply_behind ON reply (conversation_id, id) WHERE state IN ('queued', 'sending');

-- Room for the test write that tells whether the file can take a delivery. Empty in between.
CREATE TABLE probe (id INTEGER PRIMARY KEY, filler BLOB NOT NULL) STRICT;

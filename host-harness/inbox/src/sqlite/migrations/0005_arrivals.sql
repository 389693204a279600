-- How far the arrivals file (`sqlite/arrivals`) has been taken over into the journal: the id of its last delivery
-- that has a row. Changed in the transaction that writes the row, so that none is taken over twice.
CREATE TABLE arrival (
    only  INTEGER PRIMARY KEY CHECK (only = 1),
    moved INTEGER NOT NULL
) STRICT;
INSERT INTO arrival (only, moved) VALUES (1, 0);

-- Event ids are long and come in no order, so that most of applying a batch was touching the pages of their index.
-- Half a SHA-256 tells events apart as well, in a sixth of the room. `digest` is a function of this program.
ALTER TABLE event RENAME TO event_by_id;
CREATE TABLE event (
    account_id  INTEGER NOT NULL REFERENCES account (id),
    event       BLOB NOT NULL,              -- the first 16 bytes of the SHA-256 of the event's id
    delivery_id INTEGER NOT NULL,
    PRIMARY KEY (account_id, event)
) STRICT, WITHOUT ROWID;
INSERT INTO event (account_id, event, delivery_id)
    SELECT account_id, digest(event_id), delivery_id FROM event_by_id;
DROP TABLE event_by_id;

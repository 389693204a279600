-- What gauges ask for again and again is counted in the transaction that changes it, so that no gauge reads a whole
-- table. Triggers count, since many statements change a state. What waits to be translated is counted by its index.
CREATE TABLE delivery_count (
    channel     TEXT NOT NULL,
    state       TEXT NOT NULL,              -- every state of a delivery but `received`
    count       INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,           -- of their bodies
    PRIMARY KEY (channel, state)
) STRICT, WITHOUT ROWID;
INSERT INTO delivery_count (channel, state, count, bytes)
    SELECT channel, state, count(*), sum(length(body)) FROM delivery WHERE state <> 'received' GROUP BY channel, state;
CREATE TRIGGER delivery_leaves_state AFTER UPDATE OF state ON delivery
    WHEN old.state <> new.state AND old.state <> 'received'
BEGIN
    UPDATE delivery_count SET count = count - 1, bytes = bytes - length(old.body)
        WHERE channel = old.channel AND state = old.state;
END;
CREATE TRIGGER delivery_enters_state AFTER UPDATE OF state ON delivery
    WHEN old.state <> new.state AND new.state <> 'received'
BEGIN
    INSERT INTO delivery_count (channel, state, count, bytes) VALUES (new.channel, new.state, 1, length(new.body))
        ON CONFLICT DO UPDATE SET count = count + 1, bytes = bytes + excluded.bytes;
END;

CREATE TABLE media_count (
    state       TEXT PRIMARY KEY,
    count       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO media_count (state, count) SELECT state, count(*) FROM media GROUP BY state;
CREATE TRIGGER media_is_added AFTER INSERT ON media
BEGIN
    INSERT INTO media_count (state, count) VALUES (new.state, 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER media_changes_state AFTER UPDATE OF state ON media WHEN old.state <> new.state
BEGIN
    UPDATE media_count SET count = count - 1 WHERE state = old.state;
    INSERT INTO media_count (state, count) VALUES (new.state, 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER media_is_deleted AFTER DELETE ON media
BEGIN
    UPDATE media_count SET count = count - 1 WHERE state = old.state;
END;

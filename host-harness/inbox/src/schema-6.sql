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

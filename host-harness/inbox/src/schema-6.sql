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

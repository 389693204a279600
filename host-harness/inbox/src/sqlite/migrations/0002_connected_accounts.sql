-- Accounts that are connected over a platform's dialog, and what is kept for them.

ALTER TABLE account ADD COLUMN username TEXT;
ALTER TABLE account ADD COLUMN picture TEXT;                            -- JSON, media
ALTER TABLE account ADD COLUMN state TEXT NOT NULL DEFAULT 'connected'; -- connected | needs_reconnect | disconnected
ALTER TABLE account ADD COLUMN problem TEXT;                            -- for a person, why it is not connected
ALTER TABLE account ADD COLUMN authorized_by TEXT;                      -- the person who permitted it, by the platform's id
ALTER TABLE account ADD COLUMN connected_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN refresh_before INTEGER;                  -- when the credentials end
ALTER TABLE account ADD COLUMN refresh_at INTEGER;                      -- the next attempt to renew them
ALTER TABLE account ADD COLUMN history_from INTEGER;                    -- how far back the archive is to be read
ALTER TABLE account ADD COLUMN history_cursor TEXT;                     -- where reading it stopped
ALTER TABLE account ADD COLUMN history_at INTEGER;                      -- when it is read next; none when it is not
CREATE INDEX account_refresh ON account (refresh_at) WHERE refresh_at IS NOT NULL;
CREATE INDEX account_authorized ON account (channel, authorized_by) WHERE authorized_by IS NOT NULL;

-- Other ids under which the platform names an account.
CREATE TABLE alias (
    channel     TEXT NOT NULL,
    alias       TEXT NOT NULL,
    account_id  INTEGER NOT NULL REFERENCES account (id),
    PRIMARY KEY (channel, alias)
) STRICT, WITHOUT ROWID;

-- Credentials that the platform gave while connecting. Sealed; the key lies elsewhere.
CREATE TABLE credential (
    channel     TEXT NOT NULL,
    account     TEXT NOT NULL,              -- the platform's id
    slot        TEXT NOT NULL,
    sealed      BLOB NOT NULL,
    PRIMARY KEY (channel, account, slot)
) STRICT, WITHOUT ROWID;

-- Deliveries that repeat what another one brought first: whatever empties that one empties these.
CREATE TABLE repeat (
    first       INTEGER NOT NULL,
    again       INTEGER NOT NULL,
    PRIMARY KEY (first, again)
) STRICT, WITHOUT ROWID;

-- What the platform shows of a person: asked for after the message is stored, and again later.
ALTER TABLE contact ADD COLUMN profile TEXT;                            -- JSON, contact-profile
ALTER TABLE contact ADD COLUMN profile_at INTEGER NOT NULL DEFAULT 0;   -- when it is asked for next
ALTER TABLE contact ADD COLUMN profile_problem TEXT;                    -- why there is none
CREATE INDEX contact_profile ON contact (profile_at);

-- Requests to delete everything about somebody, and that it was done.
CREATE TABLE erasure (
    code        TEXT PRIMARY KEY,           -- what the person was given
    channel     TEXT NOT NULL,
    delivery_id INTEGER NOT NULL UNIQUE,
    received_at INTEGER NOT NULL,
    finished_at INTEGER,
    accounts    INTEGER NOT NULL DEFAULT 0,
    contacts    INTEGER NOT NULL DEFAULT 0
) STRICT;

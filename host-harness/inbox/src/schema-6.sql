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

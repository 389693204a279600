-- Counts up with every connecting and disconnecting of an account: what began under one connection writes nothing
-- into the next.
ALTER TABLE account ADD COLUMN connection INTEGER NOT NULL DEFAULT 0;

-- The words that the contract, the code and the API use.
ALTER TABLE opening RENAME TO window_opening;
ALTER TABLE repeat RENAME TO duplicate_delivery;
ALTER TABLE alias RENAME TO account_alias;
ALTER TABLE storage RENAME TO channel_kv;
ALTER TABLE file RENAME TO upload;
-- How far the arrivals file has been appended to the journal.
ALTER TABLE arrival RENAME COLUMN moved TO position;

-- What happened and is no message.
ALTER TABLE notice RENAME TO activity;
DROP INDEX notice_order;
DROP INDEX notice_recent;
DROP INDEX notice_comment;
CREATE INDEX activity_order ON activity (conversation_id, at, id);
CREATE INDEX activity_recent ON activity (at, id);
CREATE INDEX activity_comment ON activity (account_id, json_extract(body, '$.comment.id')) WHERE kind = 'comment';

-- A delivery whose content was removed is purged; words are redacted, which is something else.
ALTER TABLE delivery RENAME COLUMN redact TO purge;
DROP INDEX delivery_expired;
UPDATE delivery SET state = 'purged' WHERE state = 'redacted';
DELETE FROM delivery_count WHERE state = 'redacted';
CREATE INDEX delivery_expired ON delivery (channel, problem) WHERE state = 'purged' AND problem IS NOT NULL;

-- A step that may have been delivered, by the contract's name for such an outcome.
UPDATE step SET state = 'ambiguous' WHERE state = 'unknown';

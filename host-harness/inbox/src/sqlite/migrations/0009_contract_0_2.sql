-- What the contract 0.2 says, and JSON that an earlier version wrote. `contract_0_2` is a function of this program.
ALTER TABLE delivery ADD COLUMN query TEXT NOT NULL DEFAULT '';           -- of the webhook's address, without `?`
ALTER TABLE message ADD COLUMN context BLOB;                              -- the channel's own, for answers to the message
CREATE INDEX conversation_contact ON conversation (contact_id);

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

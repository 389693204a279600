-- What an inbox of schema 8 may hold besides, in the words of the contract 0.1.
INSERT INTO activity VALUES
    (2, 1, 1, 1700000180000, 'live', 'policy', '{"policy":{"action":"blocked","reason":"spam"}}', '{}'),
    (3, 1, 1, 1700000190000, 'live', 'delivery_status', '{"delivery_status":{"target":"old-2","state":"failed","failure":{"category":"other","sentence":"It failed."}}}', '{}');
INSERT INTO reply (id, account_id, conversation_id, key, message, created_at, state, next_attempt_at, violations) VALUES
    (3, 1, 1, 'refused', '{"id":"3-abc","sender":{"bot":"b"},"parts":[{"delete":"old-2"},{"reaction":{"target":"old-1","action":"added"}}],"quick_replies":[{"title":"Yes","payload":"YES"}],"reply_to":"old-1","fallback":"usual","try_anyway":false}', 1700000200000, 'refused', 1700000200000, '[{"severity":"error","code":"text_too_long","path":"parts[0]","sentence":"It is too long."}]');
INSERT INTO step (reply_id, step, part, kind, state, attempts, outcome) VALUES
    (3, 0, 0, 'message', 'failed', 1, '{"rejected":{"category":"other","sentence":"It failed."}}');
UPDATE contact SET profile = '{"contact":{"id":"5551230000000001","name":"Ada"},"follower_count":5,"verified":true}' WHERE id = 1;

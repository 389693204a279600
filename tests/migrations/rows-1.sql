-- What an inbox of schema 1 may hold: of every table something, in the form in which that version wrote it.
INSERT INTO account (id, channel, platform_id, name, settings) VALUES (1, 'instagram', '17841400000000001', 'My shop', '[]');
INSERT INTO contact (id, account_id, platform_id, name, username) VALUES (1, 1, '5551230000000001', 'Ada', 'ada');
INSERT INTO delivery (id, channel, source, account, received_at, state, attempts, headers, body) VALUES
    (1, 'instagram', 'webhook', NULL, 1700000000200, 'applied', 1, '[{"name":"content-type","value":"application/json"}]',
     CAST('{"object":"instagram","entry":[]}' AS BLOB)),
    (2, 'instagram', 'webhook', NULL, 1700000300200, 'received', 0, '[]',
     CAST('{"object":"instagram","entry":[{"id":"17841400000000001","time":1700000300100,"messaging":[{"sender":{"id":"5551230000000001"},"recipient":{"id":"17841400000000001"},"timestamp":1700000300000,"message":{"mid":"waiting-1","text":"it waited in the journal"}}]}]}' AS BLOB));
INSERT INTO delivery (id, channel, source, received_at, state, attempts, problem, translator, redact, headers, body) VALUES
    (3, 'another', 'webhook', 1700000300300, 'unrouted', 0, 'no channel `another` is loaded', NULL, 0, '[]', x'7b7d'),
    (4, 'instagram', 'archive', 1700000300400, 'redacted', 1, NULL, NULL, 1, '[]', x'');
INSERT INTO conversation (id, account_id, contact_id, key, thread, last_at, last_inbound, last_inbound_at, unread, seen_message, seen_at, refused_at, reply_context)
    VALUES (1, 1, 1, 'c:5551230000000001', NULL, 1700000100000, 'old-1', 1700000000000, 1, 'old-2', 1700000200000, NULL, x'0102');
INSERT INTO opening VALUES (1, 'message', 1700000000000);
INSERT INTO event VALUES (1, 'an-event-of-an-old-version', 1);
INSERT INTO reply (id, account_id, conversation_id, key, message, created_at, state, next_attempt_at, violations) VALUES
    (1, 1, 1, 'old-key', '{"id":"1-abc","sender":{"human":"kim"},"parts":[{"text":{"text":"an old answer"}}],"quick_replies":[],"fallback":"refuse","try_anyway":false}', 1700000100000, 'done', 1700000100000, NULL),
    (2, 1, 1, 'interrupted', '{"id":"2-abc","sender":{"human":"kim"},"parts":[{"text":{"text":"interrupted"}}],"quick_replies":[],"fallback":"refuse","try_anyway":false}', 1700000200000, 'sending', 1700000200000, '[]');
INSERT INTO step VALUES
    (1, 0, 0, 'message', 'sent', 1, '1-abc/0', 'an old answer', '{"sent":{"message_ids":["old-2"],"recipient":null,"media_handle":null}}', 1700000100500),
    (2, 0, 0, 'message', 'sending', 1, '2-abc/0', 'interrupted', NULL, NULL);
INSERT INTO message (id, account_id, conversation_id, platform_id, direction, author, at, received_at, origin, late, text, body, part, delivery_id, anomalies, native, reply_id, step, revision, deleted_at) VALUES
    (1, 1, 1, 'old-1', 'inbound', '"contact"', 1700000000000, 1700000000200, 'live', 0, 'hello from the old version', '{"id":"old-1","text":"hello from the old version"}', NULL, 1, '[]', '{}', NULL, NULL, 2, NULL),
    (2, 1, 1, 'old-2', 'outbound', '{"human":"kim"}', 1700000100000, 1700000100000, 'live', 0, 'an old answer', NULL, '{"text":{"text":"an old answer"}}', NULL, NULL, NULL, 1, 0, NULL, NULL),
    (3, 1, 1, 'old-3', 'inbound', '"contact"', 1700000150000, 1700000150200, 'live', 1, NULL, NULL, NULL, 4, NULL, NULL, NULL, NULL, NULL, 1700000160000);
INSERT INTO reaction VALUES (1, 'old-2', '5551230000000001', '❤', 'love', 0, 1700000110000);
INSERT INTO edit VALUES (1, 'old-1', 2, 1700000120000, 'hello from the old version');
INSERT INTO deletion VALUES (1, 'old-3', 1700000160000);
INSERT INTO media (id, message_id, attachment, kind, url, state, reason, attempts, next_attempt_at, stored_as, mime, size, sha256, name) VALUES
    (1, 1, 0, 'image', NULL, 'stored', NULL, 1, 1700000000200, 'inbound/1', 'image/png', 3, 'aa', 'a.png'),
    (2, NULL, 0, 'image', NULL, 'deleted', 'The message was taken back.', 1, 1700000000200, NULL, NULL, NULL, NULL, NULL);
INSERT INTO file VALUES ('handle', 'price-list.pdf', 'application/pdf', 3, 'bb', 'outbound/handle', 1700000050000);
INSERT INTO storage VALUES (1, 'a-key', x'00ff');
INSERT INTO notice VALUES (1, 1, 1, 1700000170000, 'live', 'referral', '{"referral":{}}', '{}');

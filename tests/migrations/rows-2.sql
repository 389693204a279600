-- What came with schema 2.
UPDATE account SET username = 'my.shop', picture = '{"kind":"image"}', state = 'connected', authorized_by = '12',
    connected_at = 1700000000000, refresh_before = 4000000000000, refresh_at = 3900000000000, history_from = 1700000000000,
    history_cursor = 'cursor', history_at = NULL;
UPDATE contact SET profile = '{"name":"Ada"}', profile_at = 4000000000000, profile_problem = NULL;
INSERT INTO alias VALUES ('instagram', '104857000000001', 1);
INSERT INTO credential VALUES ('another', '999', 'token', x'00112233');
INSERT INTO repeat VALUES (1, 4);
INSERT INTO erasure VALUES ('code-of-somebody', 'instagram', 4, 1700000400000, 1700000400100, 1, 1);

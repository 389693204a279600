-- What came with schema 6.
INSERT INTO link VALUES (zeroblob(32), 3, x'00112233');
INSERT INTO carrier VALUES (1, 'old-1', 1);
INSERT INTO pause VALUES ('another', 'account', '999', 1700000500000);
INSERT INTO awaited VALUES ('another', '999', 3);
INSERT INTO callback VALUES ('instagram', zeroblob(32), 'erase', 'code-of-somebody', 1700000400000);

-- What an inbox of the sixth schema holds besides: of every new table something.
INSERT INTO link VALUES (x'0000000000000000000000000000000000000000000000000000000000000011', 1, x'00112233');
INSERT INTO pause VALUES ('instagram', 'conversation', '999', 1700000000000);
INSERT INTO awaited VALUES ('instagram', '999', 4);
INSERT INTO callback VALUES ('instagram', x'0011', 'data-deletion', 'code-of-somebody', 1700000400000);

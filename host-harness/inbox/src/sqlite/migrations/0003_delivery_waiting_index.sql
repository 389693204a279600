-- Deliveries are translated channel by channel, so that one channel never waits for another.
CREATE INDEX delivery_waiting ON delivery (channel, id) WHERE state = 'received';

//! Any bytes are a webhook: they give events or an error, the same ones every time, and every event has
//! an id and an account that fit into the inbox.
#![no_main]

use std::collections::HashMap;

use instagram_channel::types::{Delivery, DeliverySource, EventBody};
use libfuzzer_sys::fuzz_target;

/// The bound of `event.native`, in bytes.
const NATIVE: usize = 8 * 1024;

fuzz_target!(|body: &[u8]| {
    let delivery = Delivery {
        source: DeliverySource::Webhook,
        body: body.to_vec(),
        headers: Vec::new(),
        query: String::new(),
        received_at: 1_795_000_000_000,
        account: None,
    };
    let Ok(parsed) = instagram_channel::parse(&delivery) else { return };
    assert_eq!(instagram_channel::parse(&delivery).ok().as_ref(), Some(&parsed));
    let mut known = HashMap::new();
    for event in &parsed {
        assert!(!event.id.is_empty());
        assert!(event.native.as_ref().is_none_or(|native| native.len() <= NATIVE));
        // One id is one thing that happened: whoever repeats it says the same. What cannot be read is told
        // apart by its bytes alone, wherever it stood.
        let first = known.entry(&event.id).or_insert(event);
        let unknown = matches!((&first.body, &event.body), (EventBody::Unknown(_), EventBody::Unknown(_)));
        assert!(unknown || first.body == event.body);
    }
});

//! Any bytes are an arrivals file: whatever is read as a delivery gets its row and is handed on or set aside, and one that
//! cannot be read holds up no other. Checksums are set right before, which damage does not do and a fuzzer cannot.
#![no_main]

use std::cell::RefCell;

use harness_inbox::fuzzing::Journal;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static JOURNAL: RefCell<Journal> = RefCell::new(Journal::new().unwrap());
}

fuzz_target!(|bytes: &[u8]| {
    let file = with_checksums(bytes);
    let read = JOURNAL.with_borrow_mut(|journal| journal.read(&file)).unwrap();
    let (taken, sound, aside) = read.unwrap();
    assert_eq!(taken, sound + aside);
});

/// The same file, in which every record's checksum is that of its bytes.
fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut file = bytes.to_vec();
    let mut rest = file.as_mut_slice();
    while let Some((prefix, behind)) = rest.split_at_mut_checked(8) {
        let length = u32::from_le_bytes([prefix[0], prefix[1], prefix[2], prefix[3]]) as usize;
        let Some((record, next)) = behind.split_at_mut_checked(length) else { break };
        prefix[4..].copy_from_slice(&crc32fast::hash(record).to_le_bytes());
        rest = next;
    }
    file
}

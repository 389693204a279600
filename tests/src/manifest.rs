//! A built component with other bytes: with another manifest, with other names. Belongs here: exchanging those.

/// The component with this manifest in place of its own.
pub fn with_manifest(component: &[u8], manifest: &str) -> Vec<u8> {
    let name = harness_contract::manifest::MANIFEST_SECTION.as_bytes();
    let mut out = component[..8].to_vec();
    let mut at = 8;
    while at < component.len() {
        let (length, start) = leb(component, at + 1);
        let end = start + length;
        let (name_length, name_at) = leb(component, start);
        let is_manifest = component[at] == 0 && &component[name_at..name_at + name_length.min(end - name_at)] == name;
        if !is_manifest {
            out.extend_from_slice(&component[at..end]);
        }
        at = end;
    }
    let mut section = Vec::new();
    write_leb(&mut section, name.len());
    section.extend_from_slice(name);
    section.extend_from_slice(manifest.as_bytes());
    out.push(0);
    write_leb(&mut out, section.len());
    out.extend(section);
    out
}

/// The number at a place, and where it ends.
fn leb(bytes: &[u8], mut at: usize) -> (usize, usize) {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = bytes[at];
        at += 1;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return (value, at);
        }
        shift += 7;
    }
}

fn write_leb(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let byte = u8::try_from(value & 0x7f).unwrap();
        value >>= 7;
        out.push(if value == 0 { byte } else { byte | 0x80 });
        if value == 0 {
            return;
        }
    }
}

/// The bytes with another text of the same length, wherever it stands.
pub fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "lengths stand before names");
    let mut bytes = bytes.to_vec();
    let places: Vec<_> =
        (0..bytes.len() - from.len()).filter(|&start| bytes[start..].starts_with(from.as_bytes())).collect();
    assert!(!places.is_empty());
    for start in places {
        bytes[start..start + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

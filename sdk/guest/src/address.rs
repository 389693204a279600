//! Addresses: URLs that a platform fetches or a customer opens.
//! Owns distinguishing complete, public addresses from all others; not resolving names, which nothing here does.
//!
//! URL parsers differ: some accept octal and hexadecimal numbers, some decode characters that look like a letter. So
//! only the plainest form of a host is accepted, and anything that could be read as something else is refused.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Names that are not reachable on the public internet, including all names under them.
const PRIVATE_NAMES: &[&str] = &[
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
    "in-addr.arpa",
    "ip6.arpa",
    "onion",
    "invalid",
];

/// Networks that are not public: the first address, and the length of the prefix in bits (IANA, "IPv4 Special-Purpose
/// Address Registry").
const PRIVATE_NETWORKS: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// Exceptions within the public IPv6 space (IANA, "IPv6 Special-Purpose Address Registry"): protocol assignments
/// (Teredo, benchmarks, identifiers), documentation, 6to4.
const PRIVATE_PREFIXES: &[(u128, u32)] =
    &[(0x2001 << 112, 23), (0x2001_0db8 << 96, 32), (0x2002 << 112, 16), (0x3fff << 112, 20)];
/// The only public IPv6 space. Mapped addresses and NAT64 are outside it.
const PUBLIC_PREFIX: (u128, u32) = (0x2000 << 112, 3);

/// What is wrong with an address.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// It is incomplete or contains invalid characters.
    Form,
    /// It contains a user name or password.
    Login,
    /// It is not reachable on the public internet.
    NotPublic,
}

/// Checks that a URL has one of the schemes and a public host.
pub fn check(url: &str, schemes: &[&str]) -> Result<(), Fault> {
    let (scheme, rest) = url.split_once(':').ok_or(Fault::Form)?;
    let rest = rest.strip_prefix("//").ok_or(Fault::Form)?;
    if !schemes.iter().any(|known| scheme.eq_ignore_ascii_case(known)) || url.chars().any(is_foreign) {
        return Err(Fault::Form);
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(Fault::Login);
    }
    if let Some(bracketed) = authority.strip_prefix('[') {
        let (host, behind) = bracketed.split_once(']').ok_or(Fault::Form)?;
        let port = match behind {
            "" => None,
            behind => Some(behind.strip_prefix(':').ok_or(Fault::Form)?),
        };
        check_port(port)?;
        let address: Ipv6Addr = host.parse().map_err(|_| Fault::Form)?;
        return if is_public_v6(address) { Ok(()) } else { Err(Fault::NotPublic) };
    }
    match authority.split_once(':') {
        None => check_host(authority),
        Some((host, port)) => {
            check_port(Some(port))?;
            check_host(host)
        }
    }
}

/// Whitespace, control characters, characters that end a URL in other contexts, and invisible characters.
fn is_foreign(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(letter, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
        || matches!(u32::from(letter), 0xad | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfeff)
}

fn check_port(port: Option<&str>) -> Result<(), Fault> {
    match port {
        None => Ok(()),
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => match port.parse::<u16>() {
            Ok(1..) => Ok(()),
            _ => Err(Fault::Form),
        },
        Some(_) => Err(Fault::Form),
    }
}

fn check_host(host: &str) -> Result<(), Fault> {
    if host.is_empty() || host.len() > 253 {
        return Err(Fault::Form);
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return if is_public_v4(address) { Ok(()) } else { Err(Fault::NotPublic) };
    }
    // An empty label comes from a leading, trailing or double dot.
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.chars().all(may_stand_in_label);
    if !host.split('.').all(is_label) {
        return Err(Fault::Form);
    }
    // A name without a dot belongs to a local network.
    let (_, last) = host.rsplit_once('.').ok_or(Fault::NotPublic)?;
    // Many parsers read a host that ends in a number as an IPv4 address: octal, hexadecimal, or with fewer parts.
    if last.bytes().all(|byte| byte.is_ascii_digit()) || is_hexadecimal(last) {
        return Err(Fault::NotPublic);
    }
    let lower = host.to_ascii_lowercase();
    let is_under = |name: &&str| lower.strip_suffix(*name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if PRIVATE_NAMES.iter().any(is_under) {
        return Err(Fault::NotPublic);
    }
    if is_top_level(last) { Ok(()) } else { Err(Fault::Form) }
}

fn may_stand_in_label(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_') || !letter.is_ascii()
}

fn is_hexadecimal(label: &str) -> bool {
    let digits = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether the last label of a name can be a top-level domain that is what it looks like: ASCII, or a script whose
/// letters are not normalised to ASCII. Full-width and circled letters and digits are, so they could spell `localhost`
/// or `127.0.0.1`.
fn is_top_level(label: &str) -> bool {
    let own_script = |letter: char| {
        letter.is_alphanumeric()
            && matches!(u32::from(letter), 0x370..=0x1cff | 0x3041..=0x30ff | 0x3400..=0x9fff | 0xac00..=0xd7a3)
    };
    let mark = |letter: char| matches!(u32::from(letter), 0x900..=0xe4e);
    let begins = label.chars().next().is_some_and(|letter| letter.is_ascii_alphabetic());
    let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') && !label.ends_with('-');
    (begins && plain && label.len() > 1) || label.chars().all(|letter| own_script(letter) || mark(letter))
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    !PRIVATE_NETWORKS.iter().any(|(network, length)| (bits ^ network.to_bits()) >> (32 - length) == 0)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let bits = address.to_bits();
    let is_in = |(prefix, length): &(u128, u32)| (bits ^ prefix) >> (128 - length) == 0;
    is_in(&PUBLIC_PREFIX) && !PRIVATE_PREFIXES.iter().any(is_in)
}

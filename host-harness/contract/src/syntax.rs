//! Owns: the syntax of header names and JSON pointers.
//! Does not own: where they are allowed.

/// Whether this is a valid header name in lower case.
pub(crate) fn is_header_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$&'*+-.^_`|~".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(fits)
}

/// Whether this is a JSON pointer to a place below the root.
pub(crate) fn is_pointer(text: &str) -> bool {
    let escaped = |part: &str| part.starts_with(['0', '1']);
    text.starts_with('/') && text.split('~').skip(1).all(escaped) && !text.chars().any(char::is_control)
}

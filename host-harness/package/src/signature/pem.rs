//! Owns: PEM in its strict form (RFC 7468): one block, no headers, nothing around it.
//! Does not own: what the bytes in it mean.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use harness_contract::text::shown;
use zeroize::Zeroizing;

/// The longest text that is read, in bytes: a P-256 key has a few hundred.
const MAX_PEM: usize = 4096;
/// The characters of each line but the last.
const LINE: usize = 64;

/// Why a text is not the PEM block that was asked for. It never quotes more of the text than the label.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PemError {
    /// Another kind of block.
    #[error("expected a PEM block `{expected}`, found `{}`{}", shown(.found), advice(.found))]
    Label {
        /// The label that was asked for.
        expected: &'static str,
        /// The label that is there, at most 40 characters.
        found: String,
    },
    /// No PEM, or not in the strict form.
    #[error(
        "expected one PEM block of at most {MAX_PEM} bytes, from `-----BEGIN {0}-----` to `-----END {0}-----`, with nothing \
         before, between or behind"
    )]
    Form(&'static str),
}

/// What to do about a label that tools write where another one is wanted.
fn advice(label: &str) -> &'static str {
    match label {
        "EC PRIVATE KEY" | "EC PARAMETERS" => ": convert the key with `openssl pkcs8 -topk8 -nocrypt`",
        "ENCRYPTED PRIVATE KEY" => ": decrypt the key with `openssl pkcs8` first; it is sealed again when it is stored",
        "PRIVATE KEY" => {
            ": this is a private key, which belongs in no configuration; write its public key with `openssl pkey -pubout`"
        }
        "CERTIFICATE" => ": write the public key alone, with `openssl x509 -pubkey -noout`",
        _ => "",
    }
}

/// Writes a block.
pub(super) fn write(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while let Some((line, behind)) = rest.split_at_checked(LINE) {
        pem.push_str(line);
        pem.push('\n');
        rest = behind;
    }
    if !rest.is_empty() {
        pem.push_str(rest);
        pem.push('\n');
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

/// Reads the bytes of a block. Line ends may be those of Windows; the last one may be missing.
pub(super) fn read(label: &'static str, text: &str) -> Result<Zeroizing<Vec<u8>>, PemError> {
    let form = || PemError::Form(label);
    if text.len() > MAX_PEM {
        return Err(form());
    }
    let text = text.strip_suffix('\n').unwrap_or(text);
    let mut lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let begin =
        lines.next().and_then(|line| line.strip_prefix("-----BEGIN ")?.strip_suffix("-----")).ok_or_else(form)?;
    if begin != label {
        return Err(PemError::Label { expected: label, found: begin.chars().take(40).collect() });
    }
    // As large as the text, so that no copy of a private key is left behind where it grew.
    let mut body = Zeroizing::new(String::with_capacity(text.len()));
    let mut ended = false;
    let mut last = false;
    for line in &mut lines {
        if line.strip_prefix("-----END ").and_then(|line| line.strip_suffix("-----")) == Some(label) {
            ended = true;
            break;
        }
        if last || line.is_empty() || line.len() > LINE {
            return Err(form());
        }
        last = line.len() < LINE;
        body.push_str(line);
    }
    if !ended || lines.next().is_some() {
        return Err(form());
    }
    BASE64_STANDARD.decode(body.as_bytes()).map(Zeroizing::new).map_err(|_| form())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_as_it_was_written_and_in_no_other_form() {
        for length in [1, 47, 48, 49, 91, 138] {
            let bytes: Vec<u8> = (0..length).collect();
            let pem = write("PUBLIC KEY", &bytes);
            assert_eq!(*read("PUBLIC KEY", &pem).unwrap(), bytes);
            assert_eq!(*read("PUBLIC KEY", &pem.replace('\n', "\r\n")).unwrap(), bytes);
            for other in [
                format!("\n{pem}"),
                format!("{pem}\n"),
                format!("{pem}{pem}"),
                format!("comment\n{pem}"),
                pem.replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n"),
                pem.replace("-----END PUBLIC KEY-----", "-----END PRIVATE KEY-----"),
                pem.replace("-----END PUBLIC KEY-----", ""),
                pem.replace("KEY-----\n", "KEY-----\n "),
                pem.replace("KEY-----\n", "KEY-----\n====\n"),
            ] {
                assert!(read("PUBLIC KEY", &other).is_err(), "{other}");
            }
        }
        assert!(read("PUBLIC KEY", &write("PUBLIC KEY", &[0; 4000])).is_err());
        let lines = |width: usize| {
            let body = BASE64_STANDARD.encode([7; 96]);
            let lines = body.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line).into_owned());
            format!("-----BEGIN KEY-----\n{}\n-----END KEY-----\n", lines.collect::<Vec<_>>().join("\n"))
        };
        assert_eq!(*read("KEY", &lines(64)).unwrap(), [7; 96]);
        assert!(read("KEY", &lines(76)).is_err() && read("KEY", &lines(32)).is_err(), "other widths");
    }

    #[test]
    fn another_kind_of_key_is_told_with_what_to_do() {
        let refusal = |label: &str| read("PRIVATE KEY", &write(label, b"key")).unwrap_err().to_string();
        assert!(refusal("EC PRIVATE KEY").contains("pkcs8 -topk8"));
        assert!(refusal("ENCRYPTED PRIVATE KEY").contains("decrypt"));
        assert!(!refusal("\u{1b}[2J").contains('\u{1b}'));
    }
}

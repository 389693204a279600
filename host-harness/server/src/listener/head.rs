//! Owns: line endings in request heads: only CR LF is accepted. hyper accepts a bare LF too, but a proxy in front may
//! not, and then the two would see different requests in the same bytes (request smuggling).
//! Does not own: other checks of a request's syntax (hyper).

/// The parser's position in a connection's bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    /// Before a request, or in the empty lines before one.
    Between,
    /// In a head.
    Head,
    /// In a body, with this many bytes left.
    Body(u64),
    /// In a chunk's size line.
    Size,
    /// In a chunk, with this many bytes left.
    Chunk(u64),
    /// At the end of line after a chunk.
    Behind,
    /// In the trailers after the last chunk.
    Trailers,
    /// After malformed chunking: hyper rejects it, and no further request can follow.
    Lost,
}

/// Bytes of a line that are kept: more than a length field or a chunk size needs.
const LINE: usize = 64;

/// Follows the bytes of one connection.
pub(crate) struct Heads {
    place: Place,
    previous: u8,
    /// The start of the current line, in lower case.
    line: Vec<u8>,
    length: u64,
    chunked: bool,
}

impl Default for Heads {
    fn default() -> Self {
        Self { place: Place::Between, previous: 0, line: Vec::with_capacity(LINE), length: 0, chunked: false }
    }
}

impl Heads {
    /// Replaces each bare LF with a NUL, which is invalid in a head, so that hyper rejects the request as malformed.
    pub(crate) fn read(&mut self, mut bytes: &mut [u8]) {
        while let Some((byte, rest)) = bytes.split_first_mut() {
            let (left, next) = match self.place {
                Place::Body(left) => (left, Place::Between),
                Place::Chunk(left) => (left, Place::Behind),
                _ => {
                    self.of_line(byte);
                    bytes = rest;
                    continue;
                }
            };
            let here = u64::try_from(rest.len() + 1).unwrap_or(u64::MAX);
            if here < left {
                self.place = if next == Place::Between { Place::Body(left - here) } else { Place::Chunk(left - here) };
                return;
            }
            self.place = next;
            self.previous = 0;
            let skipped = usize::try_from(left.saturating_sub(1)).unwrap_or(usize::MAX);
            bytes = rest.get_mut(skipped..).unwrap_or_default();
        }
    }

    fn of_line(&mut self, byte: &mut u8) {
        let whole = self.previous == b'\r';
        self.previous = *byte;
        match *byte {
            b'\n' if !whole || self.place == Place::Lost => *byte = 0,
            b'\n' => self.end_of_line(),
            b'\r' => {}
            other => {
                if self.place == Place::Between {
                    self.place = Place::Head;
                }
                if self.line.len() < LINE {
                    self.line.push(other.to_ascii_lowercase());
                }
            }
        }
    }

    fn end_of_line(&mut self) {
        self.place = match self.place {
            Place::Head if self.line.is_empty() => {
                let (length, chunked) = (std::mem::take(&mut self.length), std::mem::take(&mut self.chunked));
                match (chunked, length) {
                    (true, _) => Place::Size,
                    (false, 0) => Place::Between,
                    (false, length) => Place::Body(length),
                }
            }
            Place::Head => {
                self.field();
                Place::Head
            }
            Place::Size => match size(&self.line) {
                Some(0) => Place::Trailers,
                Some(size) => Place::Chunk(size),
                None => Place::Lost,
            },
            Place::Behind if self.line.is_empty() => Place::Size,
            Place::Behind => Place::Lost,
            Place::Trailers if self.line.is_empty() => Place::Between,
            place => place,
        };
        self.line.clear();
    }

    /// Parses a line of a head: the request line, or a field.
    fn field(&mut self) {
        if let Some(length) = self.line.strip_prefix(b"content-length:") {
            // If it is not a number, hyper rejects the request.
            let length = std::str::from_utf8(length.trim_ascii()).ok().and_then(|text| text.parse().ok());
            self.length = length.unwrap_or(0);
        }
        self.chunked |= self.line.starts_with(b"transfer-encoding:");
    }
}

/// The size of a chunk. Spaces and extensions after it are ignored.
fn size(line: &[u8]) -> Option<u64> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    u64::from_str_radix(std::str::from_utf8(line.get(..digits)?).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&str]) -> String {
        let mut heads = Heads::default();
        let read = pieces.iter().flat_map(|piece| {
            let mut bytes = piece.as_bytes().to_vec();
            heads.read(&mut bytes);
            bytes
        });
        String::from_utf8_lossy(&read.collect::<Vec<_>>()).into_owned()
    }

    #[test]
    fn a_bare_line_feed_is_found_in_every_head_and_in_no_body() {
        for sound in [
            "GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\na\nb\nGET / HTTP/1.1\r\n\r\n",
            "\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\n\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nA ;x=y\r\n\n23456789\n\r\n0\r\nx: y\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        ] {
            assert_eq!(read(&[sound]), sound);
            let pieces: Vec<String> = sound.chars().map(String::from).collect();
            assert_eq!(read(&pieces.iter().map(String::as_str).collect::<Vec<_>>()), sound);
        }
        for bare in [
            "GET / HTTP/1.1\nhost: x\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: x\nx: y\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: x\r\n\n",
            "\nGET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n\n\nGET / HTTP/1.1\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\nhost: x\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\n0\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: y\n\r\n",
            // After malformed chunking, no further request is read.
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nno\r\nGET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nGET / HTTP/1.1\r\n\r\n",
        ] {
            assert!(read(&[bare]).contains('\0'), "{bare:?}");
            let (front, behind) = bare.split_at(bare.len() / 2);
            assert!(read(&[front, behind]).contains('\0'), "{bare:?}");
        }
    }
}

//! The ends of lines in the heads of requests: CR and LF together, and nothing else. hyper takes a bare LF too; what stands
//! in front of this host may not, and then the two would see other requests in the same bytes. Belongs here: finding them.

/// What comes next on a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    /// A request, or the empty lines before one.
    Between,
    /// In a head.
    Head,
    /// This many bytes of a body.
    Body(u64),
    /// A body of which only hyper finds the end.
    Chunked,
}

/// Longer than the lines that say how long a body is.
const LINE: usize = 64;

/// Follows the bytes of one connection.
pub(crate) struct Heads {
    place: Place,
    previous: u8,
    /// The beginning of the line.
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
    /// hyper answered a request and reads the next one.
    pub(crate) fn begin(&mut self) {
        if self.place == Place::Chunked {
            *self = Self::default();
        }
    }

    /// Puts a byte that no head may hold in the place of each bare LF, so that the request is refused as malformed.
    pub(crate) fn read(&mut self, mut bytes: &mut [u8]) {
        while let Some((byte, rest)) = bytes.split_first_mut() {
            match self.place {
                Place::Chunked => return,
                Place::Body(left) => {
                    let here = u64::try_from(rest.len() + 1).unwrap_or(u64::MAX);
                    if here < left {
                        self.place = Place::Body(left - here);
                        return;
                    }
                    self.place = Place::Between;
                    self.previous = 0;
                    let skipped = usize::try_from(left.saturating_sub(1)).unwrap_or(usize::MAX);
                    bytes = rest.get_mut(skipped..).unwrap_or_default();
                    continue;
                }
                Place::Between | Place::Head => self.of_head(byte),
            }
            bytes = rest;
        }
    }

    fn of_head(&mut self, byte: &mut u8) {
        let whole = self.previous == b'\r';
        self.previous = *byte;
        match *byte {
            b'\n' if !whole => *byte = 0,
            b'\n' if self.place == Place::Between => {}
            b'\n' => self.end_of_line(),
            b'\r' => {}
            other => {
                self.place = Place::Head;
                if self.line.len() < LINE {
                    self.line.push(other.to_ascii_lowercase());
                }
            }
        }
    }

    fn end_of_line(&mut self) {
        if self.line.is_empty() {
            self.place = match (self.chunked, self.length) {
                (true, _) => Place::Chunked,
                (false, 0) => Place::Between,
                (false, length) => Place::Body(length),
            };
            (self.length, self.chunked) = (0, false);
            return;
        }
        if let Some(length) = self.line.strip_prefix(b"content-length:") {
            // Where it is no number, hyper refuses the request.
            let length = std::str::from_utf8(length.trim_ascii()).ok().and_then(|text| text.parse().ok());
            self.length = length.unwrap_or(0);
        }
        self.chunked |= self.line.starts_with(b"transfer-encoding:");
        self.line.clear();
    }
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
        ] {
            assert!(read(&[bare]).contains('\0'), "{bare:?}");
            let (front, behind) = bare.split_at(bare.len() / 2);
            assert!(read(&[front, behind]).contains('\0'), "{bare:?}");
        }
    }
}

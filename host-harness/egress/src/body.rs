//! Owns: the body of a request as it is sent, with the host's files: alone, in a form, in base64 within JSON.
//! Does not own: opening files, their sizes (`policy`), other injected values (`inject`).

use std::{
    collections::VecDeque,
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use harness_contract::{FieldValue, FillSource, FormField, HttpBody, HttpRequest};
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use reqwest::multipart::{Form, Part};

use crate::{error::EgressError, memory::Held};

/// A file in a request. Its bytes come from the host, never from the channel.
#[derive(Debug)]
pub struct File {
    /// In bytes.
    pub size: u64,
    /// Exactly `size` bytes.
    pub body: reqwest::Body,
}

/// The files of a request: those of its body in the order of the fields, then those of its fills.
#[derive(Debug, Default)]
pub struct Files(VecDeque<File>);

impl Files {
    /// Appends a file.
    pub fn push(&mut self, file: File) {
        self.0.push_back(file);
    }

    /// The number of bytes that the files add to the request.
    pub(crate) fn bytes(&self, request: &HttpRequest) -> u64 {
        // A request has files either in its body or in fills, never both.
        let encoded = request.fills.iter().any(|fill| matches!(fill.source, FillSource::FileBase64(_)));
        let size = |file: &File| if encoded { base64_bytes(file.size) } else { file.size };
        self.0.iter().map(size).fold(0, u64::saturating_add)
    }

    fn next(&mut self) -> Result<File, EgressError> {
        let missing = || EgressError::Invalid("it names a file that this host does not hold".into());
        self.0.pop_front().ok_or_else(missing)
    }
}

/// The length of this many bytes in base64.
pub fn base64_bytes(bytes: u64) -> u64 {
    bytes.div_ceil(3).saturating_mul(4)
}

/// A body that is ready to be sent.
pub(crate) enum Content {
    Empty,
    Bytes(Vec<u8>),
    Form(Form),
    Stream(File),
}

impl Content {
    /// Puts the files into a body. `in_json` contains the ranges of a JSON document that the files replace.
    pub(crate) fn new(body: HttpBody, in_json: &[Range<usize>], mut files: Files) -> Result<Self, EgressError> {
        Ok(match body {
            HttpBody::Empty => Self::Empty,
            HttpBody::Bytes(bytes) if in_json.is_empty() => Self::Bytes(bytes),
            HttpBody::Bytes(bytes) => Self::Stream(spliced(&bytes, in_json, files)?),
            HttpBody::Multipart(fields) => Self::Form(form(fields, files)?),
            HttpBody::File(_) => Self::Stream(files.next()?),
            HttpBody::Other(name) => {
                return Err(EgressError::Invalid(format!("this host does not have bodies of the kind `{name}`")));
            }
        })
    }

    /// The bytes in memory. Empty for streams and forms.
    pub(crate) fn bytes(&self) -> &[u8] {
        if let Self::Bytes(bytes) = self { bytes } else { &[] }
    }

    /// Reads a stream of at most `max` bytes into memory of this reservation.
    pub(crate) async fn whole(self, max: u64, memory: &mut Held) -> Result<Self, EgressError> {
        let Self::Stream(File { size, body }) = self else { return Ok(self) };
        if size > max {
            return Err(EgressError::Invalid(format!(
                "the body has {size} bytes, and at most {max} are read before they are sent"
            )));
        }
        if !memory.try_grow(size) {
            return Err(EgressError::NoMemory);
        }
        let read = body.collect().await.map_err(|_| EgressError::Invalid("a file of it cannot be read".into()))?;
        Ok(Self::Bytes(read.to_bytes().into()))
    }
}

fn form(fields: Vec<FormField>, mut files: Files) -> Result<Form, EgressError> {
    let mut form = Form::new();
    for FormField { name, value, file_name, content_type } in fields {
        let mut part = match value {
            FieldValue::Text(text) => Part::text(text),
            FieldValue::Other(name) => {
                return Err(EgressError::Invalid(format!("this host does not have fields of the kind `{name}`")));
            }
            FieldValue::File(_) => {
                let File { size, body } = files.next()?;
                Part::stream_with_length(body, size)
            }
        };
        if let Some(file_name) = file_name {
            part = part.file_name(file_name);
        }
        if let Some(content_type) = content_type {
            part = part
                .mime_str(&content_type)
                .map_err(|_| EgressError::Invalid(format!("`{content_type}` is no content type")))?;
        }
        form = form.part(name, part);
    }
    Ok(form)
}

/// A JSON document with files as base64 strings.
fn spliced(document: &[u8], places: &[Range<usize>], mut files: Files) -> Result<File, EgressError> {
    let twice = || EgressError::Invalid("two files would stand at the same place of its body".into());
    let mut placed = Vec::new();
    for place in places {
        placed.push((place.clone(), files.next()?));
    }
    placed.sort_by_key(|(place, _)| place.start);
    let (mut pieces, mut size, mut from) = (VecDeque::new(), 0_u64, 0);
    let text = |size: &mut u64, bytes: &[u8]| {
        *size = size.saturating_add(bytes.len() as u64);
        Piece::Text(Bytes::copy_from_slice(bytes))
    };
    for (place, file) in placed {
        // The file replaces the whole value, so the quotes are added here.
        let before = [document.get(from..place.start).ok_or_else(twice)?, b"\""].concat();
        pieces.push_back(text(&mut size, &before));
        size = size.saturating_add(base64_bytes(file.size));
        pieces.push_back(Piece::File { body: file.body, rest: Vec::new() });
        pieces.push_back(text(&mut size, b"\""));
        from = place.end;
    }
    pieces.push_back(text(&mut size, document.get(from..).ok_or_else(twice)?));
    Ok(File { size, body: reqwest::Body::wrap(Spliced(pieces)) })
}

/// A sequence of texts and base64-encoded files.
struct Spliced(VecDeque<Piece>);

enum Piece {
    Text(Bytes),
    File {
        body: reqwest::Body,
        /// Bytes that do not fill a group of three yet.
        rest: Vec<u8>,
    },
}

impl Body for Spliced {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, reqwest::Error>>> {
        loop {
            let Some(piece) = self.0.front_mut() else { return Poll::Ready(None) };
            let (bytes, done) = match piece {
                Piece::Text(text) => (std::mem::take(text), true),
                Piece::File { body, rest } => match ready!(Pin::new(body).poll_frame(context)) {
                    Some(Ok(frame)) => {
                        let Ok(data) = frame.into_data() else { continue };
                        rest.extend_from_slice(&data);
                        let more = rest.split_off(rest.len() - rest.len() % 3);
                        (Bytes::from(BASE64_STANDARD.encode(std::mem::replace(rest, more))), false)
                    }
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => (Bytes::from(BASE64_STANDARD.encode(&*rest)), true),
                },
            };
            if done {
                self.0.pop_front();
            }
            if !bytes.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::memory::Memory;

    fn files(contents: &[&[u8]]) -> Files {
        let mut files = Files::default();
        for content in contents {
            let chunks: Vec<_> = content.chunks(4).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect();
            let body = reqwest::Body::wrap(http_body_util::StreamBody::new(futures_util::stream::iter(
                chunks.into_iter().map(|chunk| chunk.map(|bytes| Frame::data(Bytes::from(bytes)))),
            )));
            files.push(File { size: content.len() as u64, body });
        }
        files
    }

    #[tokio::test]
    async fn files_stand_in_json_as_base64_whatever_the_sizes_of_their_chunks() {
        for length in 0..20_u8 {
            let (one, two): (Vec<u8>, Vec<u8>) = ((0..length).collect(), (0..=length).rev().collect());
            let document = br#"{"b":null, "a":"x"}"#;
            // In the order of the fills, which differs from the order in the document.
            let places = [15..18, 5..9];
            let content = Content::new(HttpBody::Bytes(document.to_vec()), &places, files(&[&one, &two])).unwrap();
            let Content::Stream(File { size, .. }) = &content else { panic!("it is read before it is sent") };
            let size = *size;
            let mut memory = Memory::new(2000).try_take("c", 0).unwrap().unwrap();
            let Content::Bytes(read) = content.whole(1000, &mut memory).await.unwrap() else {
                panic!("it was not read")
            };
            let (one, two) = (BASE64_STANDARD.encode(&one), BASE64_STANDARD.encode(&two));
            assert_eq!(String::from_utf8(read).unwrap(), format!(r#"{{"b":"{two}", "a":"{one}"}}"#));
            assert_eq!(size, (document.len() - 7 + 4 + one.len() + two.len()) as u64);
        }
    }

    #[test]
    fn two_files_at_one_place_and_files_that_are_not_there_are_refused() {
        let body = || HttpBody::Bytes(br#"{"a":{"b":1}}"#.to_vec());
        let refused = |places: &[Range<usize>], contents: &[&[u8]]| {
            Content::new(body(), places, files(contents)).map(|_| ()).unwrap_err().to_string()
        };
        assert!(refused(&[5..12, 10..11], &[b"x", b"y"]).contains("the same place"));
        assert!(refused(&[5..12, 5..12], &[b"x", b"y"]).contains("the same place"));
        assert!(refused(&[5..8, 9..12], &[b"x"]).contains("does not hold"));
    }
}

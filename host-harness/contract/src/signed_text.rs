//! Owns: the template of the bytes that a signature covers, such as `v0:{header:x-timestamp}:{body}`.
//! Does not own: the signature, filling in the template (the host).

use serde::{Deserialize, Serialize};

use crate::syntax::is_header_name;

/// Maximum size of a template, in bytes.
const MAX_TEMPLATE: usize = 512;

/// The text that a signature covers, with placeholders in braces. Contains exactly one of `{body}` and `{form}`, so
/// that no signature is valid for another body.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SignedText {
    template: String,
    pieces: Vec<SignedPiece>,
}

/// A piece of the signed text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SignedPiece {
    /// Literal text.
    Text(String),
    /// `{body}`: the body's bytes.
    Body,
    /// `{form}`: the form fields in the body, sorted by name and value, each name followed directly by its value. A
    /// field repeated with the same value counts once.
    Form,
    /// `{header:NAME}`: the value of a header that occurs exactly once.
    Header(String),
    /// `{url}`: the webhook address configured at the platform, with the query of the request.
    Url,
}

/// Why a template was rejected. The sentence continues after the template's key.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum TemplateError {
    /// The template is too long.
    #[error("a template has at most {MAX_TEMPLATE} bytes")]
    TooLong,
    /// An unmatched brace.
    #[error("`{0}`: a brace begins or ends a placeholder, and its counterpart is missing")]
    Brace(String),
    /// An unknown placeholder.
    #[error("`{{{0}}}` is not a placeholder; there are `{{body}}`, `{{form}}`, `{{header:NAME}}` and `{{url}}`")]
    Unknown(String),
    /// An invalid header name.
    #[error("names of headers are lower case, found `{0}`")]
    Header(String),
    /// The body occurs never or more than once.
    #[error("`{0}` must have `{{body}}` or `{{form}}`, once: otherwise a signature would fit any body")]
    Body(String),
}

impl TryFrom<String> for SignedText {
    type Error = TemplateError;

    fn try_from(template: String) -> Result<Self, TemplateError> {
        if template.len() > MAX_TEMPLATE {
            return Err(TemplateError::TooLong);
        }
        let mut pieces = Vec::new();
        let mut rest = template.as_str();
        while !rest.is_empty() {
            let (text, behind) = rest.split_once('{').map_or((rest, None), |(text, behind)| (text, Some(behind)));
            if text.contains('}') {
                return Err(TemplateError::Brace(template));
            }
            if !text.is_empty() {
                pieces.push(SignedPiece::Text(text.to_owned()));
            }
            let Some(behind) = behind else { break };
            let Some((word, after)) = behind.split_once('}') else { return Err(TemplateError::Brace(template)) };
            pieces.push(placeholder(word)?);
            rest = after;
        }
        let of_body = pieces.iter().filter(|piece| matches!(piece, SignedPiece::Body | SignedPiece::Form));
        if of_body.count() != 1 {
            return Err(TemplateError::Body(template));
        }
        Ok(Self { template, pieces })
    }
}

fn placeholder(word: &str) -> Result<SignedPiece, TemplateError> {
    match word {
        "body" => Ok(SignedPiece::Body),
        "form" => Ok(SignedPiece::Form),
        "url" => Ok(SignedPiece::Url),
        _ => match word.strip_prefix("header:") {
            Some(name) if is_header_name(name) => Ok(SignedPiece::Header(name.to_owned())),
            Some(name) => Err(TemplateError::Header(name.to_owned())),
            None => Err(TemplateError::Unknown(word.to_owned())),
        },
    }
}

impl From<SignedText> for String {
    fn from(text: SignedText) -> Self {
        text.template
    }
}

impl Default for SignedText {
    /// Only the body.
    fn default() -> Self {
        Self { template: "{body}".to_owned(), pieces: vec![SignedPiece::Body] }
    }
}

impl SignedText {
    /// The template as written in the manifest.
    pub fn template(&self) -> &str {
        &self.template
    }

    /// Its pieces, in order.
    pub fn pieces(&self) -> &[SignedPiece] {
        &self.pieces
    }

    /// The signed headers.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            SignedPiece::Header(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn read(template: &str) -> Result<SignedText, TemplateError> {
        template.to_owned().try_into()
    }

    #[test]
    fn a_template_is_text_with_placeholders() {
        let slack_like = read("v0:{header:x-timestamp}:{body}").unwrap();
        let [zero, time, colon, body] = slack_like.pieces() else { unreachable!("{slack_like:?}") };
        assert_eq!((zero, time), (&SignedPiece::Text("v0:".into()), &SignedPiece::Header("x-timestamp".into())));
        assert_eq!((colon, body), (&SignedPiece::Text(":".into()), &SignedPiece::Body));
        assert_eq!(slack_like.headers().collect::<Vec<_>>(), ["x-timestamp"]);
        assert_eq!(read("{url}{form}").unwrap().pieces(), [SignedPiece::Url, SignedPiece::Form]);
        assert_eq!(read("{body}").unwrap(), SignedText::default());
    }

    #[test]
    fn a_template_that_leaves_a_doubt_is_refused() {
        for (template, words) in [
            ("", "once"),
            ("{url}", "once"),
            ("{header:x-timestamp}", "once"),
            ("{body}{body}", "once"),
            ("{form}{body}", "once"),
            ("{body", "brace"),
            ("body}", "brace"),
            ("{{body}}", "not a placeholder"),
            ("{body}}", "brace"),
            ("{Body}", "not a placeholder"),
            ("{}{body}", "not a placeholder"),
            ("{time}{body}", "`{time}` is not a placeholder"),
            ("{header:}{body}", "lower case"),
            ("{header:X-Time}{body}", "lower case"),
            ("{header:x time}{body}", "lower case"),
        ] {
            let error = read(template).unwrap_err().to_string();
            assert!(error.contains(words), "{template}: {error}");
        }
        assert_eq!(read(&format!("{}{{body}}", "x".repeat(MAX_TEMPLATE))).unwrap_err(), TemplateError::TooLong);
    }
}

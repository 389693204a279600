//! Writing JSON objects and lists with their commas.
//! Owns the punctuation; not the order of members, which the caller decides.

use super::push_quoted;

/// A JSON text under construction.
#[derive(Debug, Default)]
pub struct Writer(String);

impl Writer {
    /// An empty text.
    pub fn new() -> Self {
        Self(String::with_capacity(256))
    }

    /// Writes a comma if a member or element precedes.
    fn comma(&mut self) {
        if !matches!(self.0.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.0.push(',');
        }
    }

    /// Writes a member's name; its value must follow.
    pub fn name(&mut self, name: &str) -> &mut Self {
        self.comma();
        push_quoted(&mut self.0, name);
        self.0.push(':');
        self
    }

    /// Writes a member with a text value.
    pub fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        push_quoted(&mut self.0, value);
    }

    /// Writes a text as an element of a list.
    pub fn value(&mut self, value: &str) {
        self.comma();
        push_quoted(&mut self.0, value);
    }

    /// Writes a member with the value `true`.
    pub fn flag(&mut self, name: &str) {
        self.name(name).0.push_str("true");
    }

    /// Writes an object, as an element or after a name.
    pub fn object(&mut self, content: impl FnOnce(&mut Self)) {
        self.comma();
        self.0.push('{');
        content(self);
        self.0.push('}');
    }

    /// Writes a list after a name; `each` writes one element.
    pub fn list<T>(&mut self, values: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.0.push('[');
        for value in values {
            each(self, value);
        }
        self.0.push(']');
    }

    /// The finished text.
    pub fn finish(self) -> String {
        self.0
    }
}

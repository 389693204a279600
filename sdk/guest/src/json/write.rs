//! Writing JSON: objects and lists with their commas.
//! Owns the signs between values; not their order, which is the caller's.

use super::push_quoted;

/// A JSON text that is being written.
#[derive(Debug, Default)]
pub struct Writer(String);

impl Writer {
    /// Nothing yet.
    pub fn new() -> Self {
        Self(String::with_capacity(256))
    }

    /// Begins the next member or element.
    fn comma(&mut self) {
        if !matches!(self.0.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.0.push(',');
        }
    }

    /// The name of a member, whose value follows.
    pub fn name(&mut self, name: &str) -> &mut Self {
        self.comma();
        push_quoted(&mut self.0, name);
        self.0.push(':');
        self
    }

    /// A member that is a text.
    pub fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        push_quoted(&mut self.0, value);
    }

    /// An element of a list that is a text.
    pub fn value(&mut self, value: &str) {
        self.comma();
        push_quoted(&mut self.0, value);
    }

    /// A member that is `true`.
    pub fn flag(&mut self, name: &str) {
        self.name(name).0.push_str("true");
    }

    /// An object, as an element or behind a name.
    pub fn object(&mut self, content: impl FnOnce(&mut Self)) {
        self.comma();
        self.0.push('{');
        content(self);
        self.0.push('}');
    }

    /// A list behind a name; `each` writes one element.
    pub fn list<T>(&mut self, values: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.0.push('[');
        for value in values {
            each(self, value);
        }
        self.0.push(']');
    }

    /// The text.
    pub fn finish(self) -> String {
        self.0
    }
}

//! Owns: `as_text!`: types that serde reads and writes as the text that they are parsed from and shown as.
//! Does not own: how each is parsed.

/// For a type with `FromStr` and `Display`, and `#[serde(try_from = "String", into = "String")]`.
macro_rules! as_text {
    ($type:ty, $error:ty) => {
        impl TryFrom<String> for $type {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, $error> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    };
}

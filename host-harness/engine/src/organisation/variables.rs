//! Owns: the variables of canned answers, such as `{{contact.name}}` and `{{contact.first_name | there}}`.
//! Does not own: their values.

/// The variables that there are.
pub const VARIABLES: [&str; 7] = [
    "contact.name",
    "contact.first_name",
    "contact.username",
    "agent.name",
    "agent.first_name",
    "account.name",
    "account.username",
];

/// The values of the variables; what is not known stays empty.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Values {
    /// The customer's name.
    pub contact_name: Option<String>,
    /// The customer's user name.
    pub contact_username: Option<String>,
    /// The name of the person who answers.
    pub agent_name: Option<String>,
    /// The account's name.
    pub account_name: Option<String>,
    /// The account's user name.
    pub account_username: Option<String>,
}

impl Values {
    fn of(&self, name: &str) -> Option<&str> {
        fn first(name: &Option<String>) -> Option<&str> {
            name.as_deref().and_then(|name| name.split_whitespace().next())
        }
        fn known(value: &Option<String>) -> Option<&str> {
            value.as_deref().map(str::trim).filter(|value| !value.is_empty())
        }
        match name {
            "contact.name" => known(&self.contact_name),
            "contact.first_name" => first(&self.contact_name),
            "contact.username" => known(&self.contact_username),
            "agent.name" => known(&self.agent_name),
            "agent.first_name" => first(&self.agent_name),
            "account.name" => known(&self.account_name),
            "account.username" => known(&self.account_username),
            _ => None,
        }
    }
}

/// There is no such variable.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the variable `{}`, which does not exist; there are {}", harness_contract::text::shown(.0), VARIABLES.join(", "))]
pub struct UnknownVariable(pub String);

/// A text whose variables are filled in.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Filled {
    /// The text.
    pub text: String,
    /// The variables that have neither a value nor a fallback: nothing stands in their places.
    pub missing: Vec<&'static str>,
}

/// A piece of a text.
enum Piece<'a> {
    Words(&'a str),
    Variable { name: &'static str, fallback: Option<&'a str> },
}

/// The pieces of a text. What opens and never closes is text.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, UnknownVariable> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some((before, behind)) = rest.split_once("{{") {
        let Some((inside, after)) = behind.split_once("}}") else { break };
        let (name, fallback) = match inside.split_once('|') {
            Some((name, fallback)) => (name.trim(), Some(fallback.trim())),
            None => (inside.trim(), None),
        };
        let Some(known) = VARIABLES.iter().find(|known| **known == name) else {
            return Err(UnknownVariable(name.to_owned()));
        };
        pieces.extend([Piece::Words(before), Piece::Variable { name: known, fallback }]);
        rest = after;
    }
    pieces.push(Piece::Words(rest));
    Ok(pieces)
}

/// Whether all variables of a text exist.
pub(crate) fn check(text: &str) -> Result<(), UnknownVariable> {
    pieces(text).map(drop)
}

/// Fills in the variables of a text. A value is text: what looks like a variable in it stays as it is.
pub(crate) fn fill(text: &str, values: &Values) -> Result<Filled, UnknownVariable> {
    let mut filled = Filled::default();
    for piece in pieces(text)? {
        match piece {
            Piece::Words(words) => filled.text.push_str(words),
            Piece::Variable { name, fallback } => match values.of(name).or(fallback) {
                Some(value) => filled.text.push_str(value),
                None if filled.missing.contains(&name) => {}
                None => filled.missing.push(name),
            },
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        Values {
            contact_name: Some("Grace {{agent.name}} Hopper".into()),
            agent_name: Some(" Ada Lovelace ".into()),
            account_name: Some(" ".into()),
            ..Values::default()
        }
    }

    #[test]
    fn variables_are_filled_in_once_and_what_is_missing_is_named() {
        let filled = fill("Hi {{contact.first_name}} ({{ contact.name }}), {{agent.name}} here", &values());
        let text = "Hi Grace (Grace {{agent.name}} Hopper), Ada Lovelace here".to_owned();
        assert_eq!(filled, Ok(Filled { text, missing: vec![] }), "a value is text");
        let filled =
            fill("{{contact.username}}{{contact.username}} at {{account.name}}{{account.username | us}}", &values());
        let missing = vec!["contact.username", "account.name"];
        assert_eq!(filled, Ok(Filled { text: " at us".into(), missing }));
    }

    #[test]
    fn an_unknown_variable_is_refused_and_lone_braces_are_text() {
        assert_eq!(check("{{contact.password}}"), Err(UnknownVariable("contact.password".into())));
        assert!(check("{{}}").is_err());
        for text in ["{ } }} {", "{{contact.name", "}}{{", "100 % {sale}"] {
            assert_eq!(fill(text, &values()).map(|filled| filled.text), Ok(text.to_owned()));
        }
    }
}

//! Owns: `harness token`: the command, parsing times, the list. The file is changed directly, so that a first token can
//! be created before the host runs.
//! Does not own: the file (the server's auth).

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Subcommand;
use harness_contract::text::{shown, shown_json};
use harness_server::{Scope, StoredToken};
use jiff::{Span, Timestamp, tz::TimeZone};
use serde_json::json;

use super::{running::Running, serve::private_dir};

#[derive(Subcommand)]
pub(crate) enum Token {
    /// Create a token and show it once
    Create {
        /// The name, for people and for revoking it
        name: String,
        /// A scope: read, reply, accounts, admin, observe or host; may be repeated
        #[arg(long, required = true, value_name = "SCOPE")]
        scope: Vec<Scope>,
        /// When it expires: a duration such as `90d` or `12h`, or a time such as `2027-01-31T00:00:00Z` [default:
        /// never]
        #[arg(long, value_name = "WHEN", value_parser = end_of)]
        expires: Option<Timestamp>,
        /// Print the token with its name as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        running: Running,
    },
    /// List names, scopes, expiry and last use
    List {
        /// Print the list as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        running: Running,
    },
    /// Revoke a token at once
    Revoke {
        /// The token's name or id
        name: String,
        #[command(flatten)]
        running: Running,
    },
}

pub(crate) fn run(what: Token) -> Result<ExitCode> {
    match what {
        Token::Create { name, scope, expires, json, running } => {
            let file = running.file()?;
            private_dir(&file.data_dir())?;
            let now = Timestamp::now();
            if expires.is_some_and(|end| end <= now) {
                bail!("`--expires` is in the past: expected a time to come");
            }
            let token = file.tokens().create(&name, &scope, expires.map(ms), ms(now))?;
            if json {
                println!("{}", json!({ "name": name, "token": token }));
            } else {
                println!("{token}");
                eprintln!("It is shown this once; only its digest is kept. Send it as `Authorization: Bearer …`.");
            }
        }
        Token::List { json, running } => {
            let tokens = running.file()?.tokens().list()?;
            if json {
                let list = tokens.iter().map(as_json).collect::<serde_json::Value>();
                println!("{}", shown_json(&format!("{list:#}")));
            } else {
                tokens.iter().for_each(print_line);
            }
        }
        Token::Revoke { name, running } => {
            running.file()?.tokens().revoke(&name)?;
            println!("revoked: {}", shown(&name));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Parses a time: an instant, or a duration from now.
fn end_of(text: &str) -> Result<Timestamp, String> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    let in_words = || format!("`{text}` is no time: expected one such as 90d, 12h or 2027-01-31T00:00:00Z");
    let span: Span = text.parse().map_err(|_| in_words())?;
    let end = Timestamp::now().to_zoned(TimeZone::UTC).checked_add(span).map_err(|_| in_words())?;
    Ok(end.timestamp())
}

fn ms(time: Timestamp) -> u64 {
    u64::try_from(time.as_millisecond()).unwrap_or(0)
}

fn time(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.map_or_else(|| "?".to_owned(), |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

fn names(token: &StoredToken) -> Vec<&'static str> {
    token.scopes.iter().map(|scope| scope.name()).collect()
}

/// Without the digest: nobody needs to see it.
fn as_json(token: &StoredToken) -> serde_json::Value {
    json!({
        "id": token.id(),
        "name": token.name,
        "scopes": names(token),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
    })
}

fn print_line(token: &StoredToken) {
    let end = match token.expires_at {
        Some(at) if at <= ms(Timestamp::now()) => format!("ended {}", time(at)),
        Some(at) => format!("until {}", time(at)),
        None => "without an end".to_owned(),
    };
    let used = token.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("last used {}", time(at)));
    println!("{:<20} {:<28} {end:<30} {used}", shown(&token.name), names(token).join(","));
}

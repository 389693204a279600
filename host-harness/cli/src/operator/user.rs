//! Owns: `harness user`: adding and inviting people, listing them, and keeping them out, on a running host.
//! Does not own: what the host does (its API).

use std::{
    io::{self, IsTerminal as _, Read as _},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use harness_contract::text::{shown, shown_json};
use http::Method;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::running::{Client, Running, text};

/// The most that is read of the input for a password, in bytes.
const MAX_PASSWORD: u64 = 8 << 10;

#[derive(Subcommand)]
pub(crate) enum User {
    /// Add somebody with a password, which is asked for and not shown, or read from the input if that is no terminal; who is
    /// there already gets it instead of theirs
    Create {
        /// The person's e-mail address
        email: String,
        /// Their name, as it stands on their replies [default: what stands before the @]
        #[arg(long)]
        name: Option<String>,
        /// An admin, who manages people, tokens and accounts [default: an agent, who reads and answers]
        #[arg(long)]
        admin: bool,
        /// Print the person as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        running: Running,
    },
    /// Invite somebody, and print the link on which they choose a name and a password; for somebody who has lost theirs,
    /// it is a way back in
    Invite {
        /// The person's e-mail address
        email: String,
        /// An admin, who manages people, tokens and accounts [default: an agent, who reads and answers]
        #[arg(long)]
        admin: bool,
        /// Print the invitation as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        running: Running,
    },
    /// List the people of the first workspace
    List {
        /// Print the list as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        running: Running,
    },
    /// Sign somebody out everywhere at once, and let them in no more
    Disable {
        /// The person's e-mail address
        email: String,
        #[command(flatten)]
        running: Running,
    },
    /// Let somebody in again
    Enable {
        /// The person's e-mail address
        email: String,
        #[command(flatten)]
        running: Running,
    },
}

pub(crate) async fn run(what: User) -> Result<ExitCode> {
    match what {
        User::Create { email, name, admin, json, running } => {
            let person = create(&running.client()?, &email, name.as_deref(), admin).await?;
            if json {
                println!("{}", shown_json(&person.to_string()));
            } else {
                print_line(&person);
            }
        }
        User::Invite { email, admin, json, running } => {
            let invitation = invite(&running.client()?, &email, admin).await?;
            if json {
                println!("{}", shown_json(&invitation.to_string()));
            } else {
                println!("{}", shown(text(&invitation, "link")));
                eprintln!(
                    "Give this link to {}: it is good for seven days, once, and shown only now.",
                    shown(text(&invitation, "email"))
                );
            }
        }
        User::List { json, running } => {
            let people = people(&running.client()?).await?;
            if json {
                println!("{}", shown_json(&format!("{:#}", Value::Array(people))));
            } else {
                people.iter().for_each(print_line);
            }
        }
        User::Disable { email, running } => set_disabled(&running, &email, true).await?,
        User::Enable { email, running } => set_disabled(&running, &email, false).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn invite(client: &Client, email: &str, admin: bool) -> Result<Value> {
    let body = json!({ "email": email, "role": if admin { "admin" } else { "agent" } });
    client.call(Method::POST, "invitations", Some(&body)).await
}

/// Invites the person and accepts in their name. An invitation that cannot be accepted is taken back.
async fn create(client: &Client, email: &str, name: Option<&str>, admin: bool) -> Result<Value> {
    let password = password()?;
    let invitation = invite(client, email, admin).await?;
    let email = text(&invitation, "email");
    // Who is there already keeps the name that stands on their replies.
    let people = people(client).await?;
    let known = people.iter().find(|person| text(person, "email") == email).map(|person| text(person, "name"));
    let name = name.or(known).or_else(|| email.split('@').next()).unwrap_or_default();
    let secret = text(&invitation, "link").rsplit('/').next().unwrap_or_default();
    let body = json!({ "secret": secret, "name": name, "password": password.as_str() });
    match client.call(Method::POST, "invitations/accept", Some(&body)).await {
        Ok(mut session) => Ok(session.get_mut("user").map(Value::take).unwrap_or_default()),
        Err(error) => {
            client.call(Method::DELETE, &format!("invitations/{}", text(&invitation, "id")), None).await?;
            Err(error)
        }
    }
}

/// A password, typed twice, or the first line of the input.
fn password() -> Result<Zeroizing<String>> {
    if !io::stdin().is_terminal() {
        let mut input = Zeroizing::new(String::new());
        io::stdin().take(MAX_PASSWORD).read_to_string(&mut input).context("the password, from the input")?;
        let line = input.lines().next().unwrap_or_default();
        if line.is_empty() {
            bail!("there is no password in the input: expected it as the first line");
        }
        return Ok(Zeroizing::new(line.to_owned()));
    }
    let terminal = console::Term::stderr();
    let ask = |what: &str| -> Result<Zeroizing<String>> {
        terminal.write_str(what)?;
        Ok(Zeroizing::new(terminal.read_secure_line()?))
    };
    let (typed, again) = (ask("Password (at least 10 characters): ")?, ask("The same again: ")?);
    if typed != again {
        bail!("the two are not the same: nothing was changed");
    }
    Ok(typed)
}

async fn people(client: &Client) -> Result<Vec<Value>> {
    let mut list = client.call(Method::GET, "users", None).await?;
    Ok(list.get_mut("data").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default())
}

async fn set_disabled(running: &Running, email: &str, disabled: bool) -> Result<()> {
    let client = running.client()?;
    let people = people(&client).await?;
    let Some(person) = people.iter().find(|person| text(person, "email").eq_ignore_ascii_case(email.trim())) else {
        bail!("nobody here has the e-mail address {}: `harness user list` shows who there is", shown(email));
    };
    let path = format!("users/{}", text(person, "id"));
    client.call(Method::PATCH, &path, Some(&json!({ "disabled": disabled }))).await?;
    println!("{}: {}", if disabled { "disabled" } else { "enabled" }, shown(text(person, "email")));
    Ok(())
}

fn print_line(person: &Value) {
    let state = if person.get("disabled_at").is_some_and(Value::is_string) { "disabled" } else { "" };
    let (email, name, role) = (text(person, "email"), text(person, "name"), text(person, "role"));
    println!("{:<32} {:<24} {role:<6} {state}", shown(email), shown(name));
}

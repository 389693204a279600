//! Owns: `harness user`: inviting people, listing them, and keeping them out, on a running host.
//! Does not own: what the host does (its API). Passwords are typed in on the page of the link, never here.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Subcommand;
use harness_contract::text::{shown, shown_json};
use http::Method;
use serde_json::{Value, json};

use super::running::{Client, Running, text};

#[derive(Subcommand)]
pub(crate) enum User {
    /// Invite somebody, and print the link on which they choose a name and a password; for somebody who has lost theirs,
    /// it is a way back in
    Create {
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
        User::Create { email, admin, json, running } => {
            let body = json!({ "email": email, "role": if admin { "admin" } else { "agent" } });
            let invitation = running.client()?.call(Method::POST, "invitations", Some(&body)).await?;
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

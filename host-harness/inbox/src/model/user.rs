//! Owns: workspaces, the people who sign in, their sessions and invitations.
//! Does not own: passwords and cookies, of which only digests arrive here.

use serde::{Deserialize, Serialize};

use super::ids::{InvitationId, UserId, WorkspaceId};

/// What a person may do in their workspace.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads and answers.
    Agent,
    /// Does everything that concerns the workspace.
    Admin,
}

impl Role {
    /// The name in SQL and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Admin => "admin",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Agent, Self::Admin].into_iter().find(|role| role.name() == name)
    }
}

/// A workspace.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkspaceView {
    /// Its row id.
    pub id: WorkspaceId,
    /// The name shown to people.
    pub name: String,
    /// When it was made; 0 for the first.
    pub created_at: u64,
}

/// A person who signs in.
#[derive(Clone, Debug, PartialEq)]
pub struct UserView {
    /// Their row id.
    pub id: UserId,
    /// The workspace that they belong to.
    pub workspace: WorkspaceId,
    /// Their e-mail address, by which they sign in.
    pub email: String,
    /// The name on their replies.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// When they were added.
    pub created_at: u64,
    /// Since when they may not sign in any more; `None` if they may.
    pub disabled_at: Option<u64>,
}

/// A person to add.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The workspace that they will belong to.
    pub workspace: WorkspaceId,
    /// Their e-mail address. No two people of a host share one.
    pub email: String,
    /// The name on their replies.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// How they sign in.
    pub accepted: Accepted,
}

/// How a person signs in.
#[derive(Clone, Debug)]
pub enum Accepted {
    /// With a password; its hash, in PHC's format.
    Password(String),
    /// At an identity provider, which knows the person by this subject.
    Provider {
        /// The provider's issuer identifier.
        issuer: String,
        /// The person's identifier there.
        subject: String,
    },
}

/// A person as an identity provider describes them.
#[derive(Clone, Debug)]
pub struct AtProvider {
    /// The provider's issuer identifier.
    pub issuer: String,
    /// The person's identifier there.
    pub subject: String,
    /// Their e-mail address, which the provider has verified.
    pub email: String,
    /// Their name, if they are new here.
    pub name: String,
}

/// What an attempt to sign in is compared with.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The person.
    pub user: UserView,
    /// The hash of their password, in PHC's format; `None` if they sign in elsewhere only.
    pub password: Option<String>,
}

/// Changes to a person; `None` leaves a value as it is.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// The name on their replies.
    pub name: Option<String>,
    /// What they may do.
    pub role: Option<Role>,
    /// Whether they may not sign in. Disabling ends all of their sessions.
    pub disabled: Option<bool>,
}

/// An invitation to issue.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// SHA-256 of the link's secret.
    pub secret: [u8; 32],
    /// The workspace that the person will belong to.
    pub workspace: WorkspaceId,
    /// Their e-mail address.
    pub email: String,
    /// What they will be allowed to do.
    pub role: Role,
    /// Who invites; `None` for the operator and for programs.
    pub invited_by: Option<UserId>,
    /// When it expires.
    pub expires_at: u64,
}

/// An invitation that was not accepted yet.
#[derive(Clone, Debug, PartialEq)]
pub struct InvitationView {
    /// Its row id.
    pub id: InvitationId,
    /// The workspace that the person will belong to.
    pub workspace: WorkspaceId,
    /// The invited person's e-mail address.
    pub email: String,
    /// What they will be allowed to do.
    pub role: Role,
    /// Who invited.
    pub invited_by: Option<UserId>,
    /// When it was issued.
    pub created_at: u64,
    /// When it expires.
    pub expires_at: u64,
}

/// A session to begin.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// SHA-256 of the cookie's value.
    pub id: [u8; 32],
    /// Whose it is.
    pub user: UserId,
    /// What the browser calls itself, shortened.
    pub client: String,
    /// When it ends unless it is used before.
    pub expires_at: u64,
}

/// A session that has not ended, with the person.
#[derive(Clone, Debug)]
pub struct SessionView {
    /// Whose it is.
    pub user: UserView,
    /// When it began.
    pub created_at: u64,
    /// When it was last used, to the minute.
    pub last_used_at: u64,
    /// When it ends unless it is used before.
    pub expires_at: u64,
}

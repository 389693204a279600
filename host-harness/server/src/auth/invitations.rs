//! Owns: inviting a person into a workspace: the secret, the link, how long it is good.
//! Does not own: accepting an invitation (`sign_in`), storing it (the inbox).

use harness_engine::{Host, HostError};
use harness_inbox::{InvitationView, NewInvitation, Role, UserId, WorkspaceId};

use super::sign_in::{INVITED_MS, email_of, invitation_secret};

/// Why nobody was invited.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InviteError {
    #[error("this is not an e-mail address such as `kim@shop.example`")]
    Email,
    #[error(transparent)]
    Host(#[from] HostError),
}

/// Invites somebody. Returns the invitation and its link, which cannot be shown again.
pub(crate) async fn invite(
    host: &Host,
    workspace: WorkspaceId,
    email: &str,
    role: Role,
    invited_by: Option<UserId>,
) -> Result<(InvitationView, String), InviteError> {
    let email = email_of(email).ok_or(InviteError::Email)?;
    let (secret, digest) = invitation_secret().map_err(HostError::from)?;
    let link = host.address(&["invitations", &secret]).map_err(HostError::from)?;
    let now = host.clock().now();
    let expires_at = now.saturating_add(INVITED_MS);
    let new = NewInvitation { secret: digest, workspace, email: email.clone(), role, invited_by, expires_at };
    let id = host.users().invite(new, now).await.map_err(HostError::from)?;
    Ok((InvitationView { id, workspace, email, role, invited_by, created_at: now, expires_at }, link))
}

//! Owns: the full check of the files of messages, also while a host is running.
//! Does not own: the inbox's own file, which the inbox checks.

use harness_inbox::{NamedFile, check_file, named_files};
use sha2::{Digest as _, Sha256};

use super::{BackupError, Place};

/// Checks an inbox file and the files that its messages refer to. Returns one sentence per problem.
pub async fn check(place: &Place) -> Result<Vec<String>, BackupError> {
    let path = place.inbox.clone();
    let blocked = |error| BackupError::blocked(&place.inbox, error);
    let mut findings = tokio::task::spawn_blocking(move || check_file(&path)).await.map_err(blocked)??;
    if !findings.is_empty() {
        return Ok(findings);
    }
    let mut wrong: Vec<(NamedFile, &str)> = Vec::new();
    for file in named_files(&place.inbox)? {
        match place.media.find(&file.key).await? {
            None => wrong.push((file, "is missing")),
            Some(mut content) => {
                let mut digest = Sha256::new();
                while let Some(piece) = content.piece().await? {
                    digest.update(&piece);
                }
                let found = hex::encode(digest.finalize());
                if file.sha256.as_ref().is_some_and(|known| *known != found) {
                    wrong.push((file, "has another content than was stored"));
                }
            }
        }
    }
    if !wrong.is_empty() {
        // A running host may have removed some of them meanwhile.
        let named = named_files(&place.inbox)?;
        wrong.retain(|(file, _)| named.contains(file));
    }
    findings.extend(wrong.into_iter().map(|(file, what)| format!("the media file {} {what}", file.key)));
    Ok(findings)
}

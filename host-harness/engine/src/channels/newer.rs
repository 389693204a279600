//! Owns: what is known of newer versions of the channels that run, for whoever asks the host.
//! Does not own: looking for them (whoever runs the host), taking them (`rollout`).

use serde::{Deserialize, Serialize};

use super::Channels;

/// A newer version of a channel, where it was installed from.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct NewerVersion {
    /// Its version.
    pub version: String,
    /// Whose it is; none where nobody signed it.
    pub publisher: Option<String>,
    /// What it asks for that the one that runs does not, one line each.
    pub more: Vec<String>,
    /// What it does not ask for any more.
    pub less: Vec<String>,
}

/// What came of looking for a newer version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Looked {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// What is there; or why that is not known, for people.
    pub found: Result<Option<NewerVersion>, String>,
}

impl Channels {
    /// Notes what was found for the component with this digest. Of one that does not run, nothing is noted.
    pub(crate) fn note_looked(&self, id: &str, digest: &str, looked: Looked) {
        if self.get(id).is_ok_and(|running| running.channel.inspection().digest == digest) {
            self.generations.note(id, |history| history.looked = Some((digest.to_owned(), looked)));
        }
    }

    /// What was found for the component that runs, where it was looked for.
    pub(crate) fn looked(&self, id: &str) -> Option<Looked> {
        let running = self.get(id).ok()?;
        let (of, looked) = self.generations.note(id, |history| history.looked.clone())?;
        (of == running.channel.inspection().digest).then_some(looked)
    }
}

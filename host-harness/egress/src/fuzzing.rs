//! Owns: the entry points for fuzzing captures and redaction. Built with `--cfg fuzzing` only.
//! Does not own: the invariant, which the target checks.

use std::{collections::BTreeMap, sync::Arc};

use harness_contract::{Capture, HttpResponse};

use crate::{
    capture::Captured,
    credentials::{PendingCredentials, Secret, SecretKey, Secrets},
    error::EgressError,
    known::Known,
    offload::GivenUp,
    response,
};

/// The credentials known for one channel.
pub struct Host(Known);

impl Host {
    /// Knows these credentials of an account.
    pub fn knowing(credentials: &[&str]) -> Self {
        let secrets = Secrets::default();
        for (number, credential) in credentials.iter().enumerate() {
            let key = SecretKey { channel: "c".into(), account: Some("a".into()), slot: format!("slot-{number}") };
            secrets.set(key, Secret::new(credential.as_bytes().to_vec()));
        }
        Self(Known::new(&secrets, "c", Some(&Arc::new(PendingCredentials::default()))))
    }

    /// What a channel sees of the response to a request with these captures and this credential, and the captured plain
    /// values; or the error it gets.
    pub fn shown(
        &self,
        response: HttpResponse,
        carried: &str,
        captures: &[Capture],
    ) -> (Result<HttpResponse, EgressError>, BTreeMap<String, String>) {
        let injected = vec![carried.to_owned().into()];
        let captured = Captured::with_credentials();
        let (shown, captured) =
            response::redacted(response, &injected, &self.0, captures, None, captured, &GivenUp::default());
        (shown.map_err(|error| self.0.redact_in_egress_error(error)), captured.values)
    }
}

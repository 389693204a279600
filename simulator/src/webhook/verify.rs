//! The GET challenge with which Meta checks a callback URL.
//! What belongs here: building the challenge and judging the answer.

use std::time::Duration;

use serde::Serialize;
use url::Url;

use crate::core::Core;
use crate::error::SimulatorError;

/// A receiver's answer to a challenge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChallengeAnswer {
    /// The status.
    pub status: u16,
    /// The content type, if one was given.
    pub content_type: Option<String>,
    /// The body, at most its first 300 characters.
    pub body: String,
    /// The challenge that was sent.
    pub challenge: String,
}

impl ChallengeAnswer {
    /// Meta's documentation: status 200 and the challenge, untouched, as the body.
    pub fn accepted(&self) -> bool {
        self.status == 200 && self.body == self.challenge
    }
}

impl Core {
    pub(crate) async fn challenge(&self, verify_token: &str) -> Result<ChallengeAnswer, SimulatorError> {
        let url = self.world().webhook_url.clone().ok_or(SimulatorError::NoWebhookUrl)?;
        let url = Url::parse(&url).map_err(|error| SimulatorError::Unreachable(error.to_string()))?;
        self.challenge_at(url, verify_token).await
    }

    /// Like [`Self::challenge`], for any address.
    pub(crate) async fn challenge_at(
        &self,
        mut url: Url,
        verify_token: &str,
    ) -> Result<ChallengeAnswer, SimulatorError> {
        // An integer on the wire, as in Meta's sample 1158201444.
        let challenge = (1_000_000_000 + self.ids.next_u64() % 1_000_000_000).to_string();
        url.query_pairs_mut()
            .append_pair("hub.mode", "subscribe")
            .append_pair("hub.challenge", &challenge)
            .append_pair("hub.verify_token", verify_token);
        let request = http::Request::builder()
            .method(http::Method::GET)
            .uri(url.as_str())
            .header("accept", "*/*")
            .header("user-agent", "facebookplatform/1.0 (+http://developers.facebook.com)");
        let answer =
            self.http.send(request, Vec::new(), Duration::from_secs(10)).await.map_err(SimulatorError::Unreachable)?;
        Ok(ChallengeAnswer {
            status: answer.status,
            content_type: answer
                .headers
                .get(http::header::CONTENT_TYPE)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
            body: String::from_utf8_lossy(&answer.body).chars().take(300).collect(),
            challenge,
        })
    }
}

//! Authorization codes: issued by a dialog, used once, bound to the redirect URI.
//! What belongs here: issuing and redeeming codes. Their tokens are issued by the endpoints.

use crate::config::Login;
use crate::core::Core;
use crate::state::tokens::{Code, Grant, Holder};

/// Codes of the Facebook login: ten minutes.
const FACEBOOK_MS: i64 = 10 * 60 * 1000;
/// Codes of the Instagram login: one hour (Meta's documentation, business login for Instagram).
const INSTAGRAM_MS: i64 = 3600 * 1000;

/// Why a code is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodeProblem {
    Unknown,
    Used,
    Expired,
    /// The `redirect_uri` differs from the dialog's. The code stays usable.
    Redirect,
}

impl Core {
    pub(crate) fn new_code(&self, login: Login, redirect_uri: &str, holder: Holder, grant: Grant) -> String {
        let value = self.mint.code();
        let life_ms = match login {
            Login::Facebook => FACEBOOK_MS,
            Login::Instagram => INSTAGRAM_MS,
        };
        let expires_ms = self.clock.now_ms().saturating_add(life_ms);
        let code = Code { login, redirect_uri: redirect_uri.to_owned(), expires_ms, used: false, holder, grant };
        self.world().tokens.add_code(value.clone(), code);
        value
    }

    /// Redeems a code. The caller has checked the client id.
    pub(crate) fn redeem(&self, login: Login, value: &str, redirect_uri: &str) -> Result<Code, CodeProblem> {
        let now_ms = self.clock.now_ms();
        let mut world = self.world();
        let code = world.tokens.code(value).filter(|code| code.login == login).cloned().ok_or(CodeProblem::Unknown)?;
        if code.used {
            return Err(CodeProblem::Used);
        }
        if now_ms >= code.expires_ms {
            return Err(CodeProblem::Expired);
        }
        if code.redirect_uri != redirect_uri {
            return Err(CodeProblem::Redirect);
        }
        world.tokens.use_code(value);
        Ok(code)
    }
}

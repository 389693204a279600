//! Owns: why an account cannot be connected, in sentences for the person who is connecting it.
//! Does not own: the stages of connecting.

/// Why an account cannot be connected.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConnectError {
    /// The link is unknown or has expired.
    #[error("This link is not valid any more. Begin again from where you got it.")]
    Expired,
    /// The link was opened in another browser.
    #[error("This link belongs to another browser. Go on there, or begin again here.")]
    OtherBrowser,
    /// The platform's answer was used before, or was never requested.
    #[error("This answer of the platform was used before, or nobody asked for it. Begin again.")]
    Repeated,
    /// The step does not match the current stage.
    #[error("This step is over or has not come yet. Open the link again to see where things stand.")]
    OutOfOrder,
    /// The link is for another login.
    #[error("This link is for another way of connecting. Use the button on its page.")]
    OtherLogin,
    /// The choice is not among the candidates.
    #[error(
        "There is no such account among those that can be chosen. Open the link again to see which ones there are."
    )]
    NoCandidate,
    /// The channel has no login of this name.
    #[error("This channel has no login of that name.")]
    NoLogin,
    /// The channel has no logins at all.
    #[error(
        "This channel has no page over which an account is connected. Its accounts stand in the configuration, under `[[channels.ID.accounts]]`."
    )]
    NoLogins,
    /// The host's public address is not set.
    #[error("This host does not know its own address. Set `public-url` in its configuration.")]
    NoPublicUrl,
    /// The channel's dialog address is not one that its manifest names.
    #[error("The channel wanted to send you to an address that its manifest does not name. Nothing was opened.")]
    WrongDialog,
    /// A step of the channel's that cannot be shown: too many fields, a code that is too long.
    #[error("The channel asked for something that cannot be shown here. Tell whoever runs this inbox.")]
    WrongStep,
    /// The channel asked for a credential that its manifest does not say belongs to an account.
    #[error(
        "The channel asked for a credential that its manifest does not name for an account. Nothing was asked; tell whoever runs this inbox."
    )]
    UndeclaredSecret,
    /// The account belongs to another workspace of this host.
    #[error(
        "This account is used by another team on this inbox, so it cannot be connected here. Nothing was changed. If it is yours, ask whoever runs this inbox."
    )]
    OtherWorkspace,
    /// Too many links are open.
    #[error("Too many links are open at the moment. Try again in some minutes.")]
    TooMany,
}

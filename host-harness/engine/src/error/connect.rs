//! Owns: why connecting an account does not go on, in sentences for the person who is connecting.
//! Does not own: how far it has come.

/// Why connecting does not go on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConnectError {
    /// The link is unknown, or its time is over.
    #[error("This link is not valid any more. Begin again from where you got it.")]
    Expired,
    /// It was opened in another browser.
    #[error("This link belongs to another browser. Go on there, or begin again here.")]
    OtherBrowser,
    /// The platform's answer was used before, or was not asked for.
    #[error("This answer of the platform was used before, or nobody asked for it. Begin again.")]
    Repeated,
    /// It is not the time for that.
    #[error("This step is over or has not come yet. Open the link again to see where things stand.")]
    OutOfOrder,
    /// The link is for another login.
    #[error("This link is for another way of connecting. Use the button on its page.")]
    OtherLogin,
    /// It is not among what can be chosen.
    #[error(
        "There is no such account among those that can be chosen. Open the link again to see which ones there are."
    )]
    NoCandidate,
    /// The channel has no such login.
    #[error("This channel has no login of that name.")]
    NoLogin,
    /// The channel has no login at all.
    #[error(
        "This channel has no page over which an account is connected. Its accounts stand in the configuration, under `[[channels.ID.accounts]]`."
    )]
    NoLogins,
    /// Nobody has said where this host is reached.
    #[error("This host does not know its own address. Set `public-url` in its configuration.")]
    NoPublicUrl,
    /// The channel sent people somewhere else than its manifest says.
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
    /// Too many links are open.
    #[error("Too many links are open at the moment. Try again in some minutes.")]
    TooMany,
}

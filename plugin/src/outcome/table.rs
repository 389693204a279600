//! The table of Meta's error codes: the meaning of each for the message, and what to do about it.
//! What belongs here is data; a missing code needs a new row, not a branch.
//!
//! Sources: Meta's pages "Error Codes" of the Messenger Platform and of the Instagram Platform,
//! "Handling Errors" of the Graph API, their changelogs, and captures.

const RECONNECT: &str = "Connect the account again.";
const WAIT: &str = "Wait until the customer writes again, or answer as a person within 7 days if the account may.";
const CHECK_PERMISSIONS: &str = "Connect the account again and grant every permission that is asked for.";
const TAKE_CONTROL: &str =
    "Take the conversation over in Meta's inbox settings, and check that the right account is connected.";
const SEND_FILE_AGAIN: &str = "Check that the address is public and answers quickly, or upload the file.";
const CHECK_CONTENT: &str = "Change the message and send it again.";
const ASK_META: &str = "Look at the account's quality and support pages at Meta.";

/// A code without a row.
const UNKNOWN: Row = rejected(
    0,
    0,
    Category::Other,
    "Instagram refused the message for a reason that this version does not know.",
    "Send it again later; if it is refused again, give the code to support.",
);
/// A code without a row that Meta marks as transient.
const UNKNOWN_TRANSIENT: Row = later(0, 0, "Instagram had a passing fault.", 30 * SECOND);

/// A fault without a row, of the kind that Meta answers with 5xx.
const UNKNOWN_FAULT: Row = unknown(0, 0, "Instagram had a fault.", 30 * SECOND);

const MAY_HAVE: &str = "Look into the conversation on Instagram before sending it again.";
/// A fault after which it is unknown whether the message was delivered.
pub(super) const FAULT_AFTER_SEND: Row = row(
    0,
    0,
    Verdict::Ambiguous,
    Category::Ambiguous,
    "Instagram had a fault while it took the message, which may have been delivered.",
    MAY_HAVE,
);

/// A message receipt without an id.
pub(super) const NO_MESSAGE_ID: Row = row(
    0,
    0,
    Verdict::Ambiguous,
    Category::Ambiguous,
    "Instagram answered without the message's id, so it may have been delivered.",
    MAY_HAVE,
);
/// An upload receipt without an id.
pub(super) const NO_ATTACHMENT_ID: Row =
    later(0, 0, "Instagram took the file and did not say under which id.", 5 * SECOND);
/// A response without information, after a request that may have been carried out.
pub(super) const HTTP_LOST: Row = row(
    0,
    0,
    Verdict::Ambiguous,
    Category::Ambiguous,
    "Instagram's answer was lost, so the message may have been delivered.",
    MAY_HAVE,
);
/// A response without information, after a request that is safe to repeat.
pub(super) const HTTP_BUSY: Row = later(0, 0, "Instagram did not answer properly.", 10 * SECOND);
/// The status 429 without a code.
pub(super) const HTTP_TOO_MANY: Row = limited(0, 0, Scope::Account, "Instagram wants fewer requests.", MINUTE);
/// The status 401 without a code.
pub(super) const HTTP_UNAUTHORIZED: Row =
    unauthorized(0, 0, "Instagram does not accept the account's credentials.", RECONNECT);
/// The statuses 404 and 410 without a code.
pub(super) const HTTP_NOT_FOUND: Row = rejected(
    0,
    0,
    Category::NotFound,
    "Instagram does not know the address of the request.",
    "Check the account's API version and page in its settings.",
);
/// The status 413 without a code.
pub(super) const HTTP_TOO_LARGE: Row = rejected(
    0,
    0,
    Category::ContentInvalid,
    "The message is too large for Instagram.",
    "Send a smaller file or a shorter text.",
);
/// Any other status without a code.
pub(super) const HTTP_REFUSED: Row = rejected(
    0,
    0,
    Category::Internal,
    "Instagram refused the request without saying why.",
    "Give the time and the status to support.",
);

use channel_sdk::failures::{
    HOUR, MINUTE, Row, SECOND, Table, Verdict, after, forbidden, later, limited, rejected, row, unauthorized, unknown,
};
use channel_sdk::types::{FailureCategory as Category, Scope};

use Category::{
    AccountRestricted, AppMode, ContentInvalid, Internal, MediaFetchFailed, NotFound, RecipientUnavailable,
    ThreadOwnedElsewhere, WindowClosed,
};
use Scope::{Account, App};

/// All rows.
pub(super) static TABLE: Table = Table {
    rows: ROWS,
    // Meta uses long subcodes only once each, so they identify a row without the code.
    long_subcode: 1_000_000,
    unknown: UNKNOWN,
    unknown_transient: UNKNOWN_TRANSIENT,
    unknown_fault: UNKNOWN_FAULT,
};

const ROWS: &[Row] = &[
    unknown(1, 0, "Instagram had an unknown fault, or a permission is missing.", 10 * SECOND),
    unknown(1, 99, "Instagram had an unknown fault, or a permission is missing.", 10 * SECOND),
    row(
        1,
        1_357_046,
        Verdict::Ambiguous,
        Category::Ambiguous,
        "Instagram carried out the request and lost its answer, so the message may have been delivered.",
        MAY_HAVE,
    ),
    unknown(2, 0, "Instagram's service is down for the moment, or the customer blocked the account.", 30 * SECOND),
    unknown(2, 1_545_133, "Instagram's service is down for the moment.", 30 * SECOND),
    later(1200, 0, "Instagram had a passing fault and did not send the message.", 30 * SECOND),
    rejected(194, 0, ContentInvalid, "The message lacks something that Instagram needs.", CHECK_CONTENT),
    rejected(546, 0, ContentInvalid, "Instagram does not accept this message for this customer.", CHECK_CONTENT),
    forbidden(
        3,
        0,
        "The app may not do that on Instagram, or the request went to the wrong kind of account.",
        CHECK_PERMISSIONS,
    ),
    limited(4, 0, App, "The app has used up its requests for this hour.", 5 * MINUTE),
    limited(17, 0, Account, "The account has used up its requests for this hour.", 5 * MINUTE),
    limited(32, 0, Account, "The Facebook page has used up its requests for this hour.", 5 * MINUTE),
    limited(341, 0, App, "The app has reached a limit of Meta's.", 5 * MINUTE),
    limited(80_001, 0, Account, "The Facebook page has used up its requests.", 5 * MINUTE),
    limited(80_002, 0, Account, "The Instagram account has used up its requests.", 5 * MINUTE),
    limited(80_006, 0, Account, "The account has used up its messages for the moment.", 5 * MINUTE),
    limited(613, 0, Account, "The account sends faster than Instagram allows.", 30 * SECOND),
    limited(613, 2_534_040, Account, "The account sends messages faster than Instagram allows.", 5 * SECOND),
    rejected(613, 2_018_338, AccountRestricted, "Meta warns that a message tag was used against its rules.", ASK_META),
    rejected(
        613,
        1_893_016,
        ContentInvalid,
        "The customer was asked for the same opt-in already.",
        "Do not ask again.",
    ),
    limited(9, 2_018_352, Account, "The customer was asked for opt-ins too often.", HOUR),
    rejected(
        10,
        2_534_022,
        WindowClosed,
        "The customer's last message is too long ago: Instagram's window is closed.",
        WAIT,
    ),
    rejected(
        10,
        2_018_278,
        WindowClosed,
        "The customer's last message is too long ago: Instagram's window is closed.",
        WAIT,
    ),
    rejected(
        10,
        2_018_065,
        WindowClosed,
        "The customer's last message is too long ago: Instagram's window is closed.",
        WAIT,
    ),
    rejected(
        10,
        2_018_108,
        RecipientUnavailable,
        "The customer cannot receive messages right now.",
        "Try again another day.",
    ),
    forbidden(
        10,
        2_534_077,
        "Meta cannot verify the link between the Instagram account and its Facebook page.",
        "Turn on two-factor authentication, link the page again, and connect the account again.",
    ),
    rejected(10, 1_893_063, AccountRestricted, "Meta restricts this account for breaking its rules.", ASK_META),
    forbidden(10, 0, "The app has no permission to do that for this account.", CHECK_PERMISSIONS),
    rejected(100, 0, ContentInvalid, "Instagram does not accept a field of the message.", CHECK_CONTENT),
    rejected(
        100,
        33,
        NotFound,
        "Instagram does not find the account or the message, or may not show it.",
        "Check that the account is still connected and that the message still exists.",
    ),
    rejected(
        100,
        2_018_001,
        RecipientUnavailable,
        "Instagram knows no such customer.",
        "Answer in the conversation that the customer opened.",
    ),
    after(rejected(100, 2_018_008, MediaFetchFailed, "Instagram could not fetch the file.", SEND_FILE_AGAIN), MINUTE),
    rejected(
        100,
        2_018_047,
        MediaFetchFailed,
        "The file is of another kind than the message says.",
        "Choose the kind that fits the file.",
    ),
    rejected(100, 2_018_109, ContentInvalid, "The file is too large for Instagram.", "Send a smaller file."),
    after(
        rejected(100, 2_018_294, MediaFetchFailed, "Instagram took too long to fetch the video.", SEND_FILE_AGAIN),
        MINUTE,
    ),
    rejected(
        100,
        2_018_074,
        MediaFetchFailed,
        "The uploaded file belongs to another account or is gone.",
        "Upload the file again.",
    ),
    forbidden(
        100,
        2_534_013,
        "The Facebook page is not linked to the Instagram account.",
        "Link the page in Instagram's settings and connect the account again.",
    ),
    rejected(
        100,
        2_534_014,
        RecipientUnavailable,
        "Instagram finds no such customer, or another application answers this conversation.",
        "Answer in the conversation that the customer opened, and check which application is the first receiver.",
    ),
    rejected(100, 2_534_015, ContentInvalid, "Instagram does not accept the message.", CHECK_CONTENT),
    rejected(
        100,
        2_534_025,
        ContentInvalid,
        "The comment cannot be answered privately: it is older than 7 days, was deleted, or was answered already.",
        "Answer the comment in public.",
    ),
    rejected(100, 2_534_029, AccountRestricted, "Meta has blocked the account from sending messages.", ASK_META),
    rejected(
        100,
        2_534_037,
        ThreadOwnedElsewhere,
        "Another application answers this conversation, or another account or app is connected.",
        TAKE_CONTROL,
    ),
    rejected(
        0,
        2_534_068,
        ContentInvalid,
        "Instagram does not take several images in one message from this account yet.",
        "Send the images one by one.",
    ),
    rejected(
        0,
        2_534_001,
        NotFound,
        "The conversation was archived or deleted.",
        "Wait until the customer writes again.",
    ),
    unauthorized(102, 0, "The account's session at Meta has ended.", RECONNECT),
    unauthorized(190, 0, "The account's access to Instagram has ended.", RECONNECT),
    unauthorized(190, 458, "The account's owner removed the app.", RECONNECT),
    unauthorized(
        190,
        459,
        "Meta wants the account's owner to log in and answer a question.",
        "Log in at facebook.com, answer it, and connect the account again.",
    ),
    unauthorized(190, 460, "The password was changed, which ends the access.", RECONNECT),
    unauthorized(190, 463, "The account's access has expired.", RECONNECT),
    unauthorized(
        190,
        464,
        "The account's owner is not confirmed at Meta.",
        "Confirm the account at facebook.com and connect it again.",
    ),
    unauthorized(190, 467, "The account's access is not valid any more.", RECONNECT),
    unauthorized(
        190,
        492,
        "The owner has no role on the Facebook page any more.",
        "Connect the account again with a person who manages the page.",
    ),
    forbidden(200, 0, "The app has no permission to send for this account.", CHECK_PERMISSIONS),
    rejected(
        200,
        2_018_028,
        AppMode,
        "The app is not live, so it may write only to people with a role in it.",
        "Set the app to live mode at Meta.",
    ),
    forbidden(
        200,
        2_534_041,
        "The account's owner has switched off access to messages.",
        "In the Instagram app, allow access under Settings, Messages and story replies, Message controls, Connected tools.",
    ),
    rejected(
        200,
        1_545_041,
        RecipientUnavailable,
        "The customer cannot be reached: blocked, deactivated or restricted.",
        "",
    ),
    rejected(551, 0, RecipientUnavailable, "The customer cannot be reached at the moment.", ""),
    rejected(
        551,
        1_545_041,
        RecipientUnavailable,
        "The customer cannot be reached: blocked, deactivated or restricted.",
        "",
    ),
    rejected(
        230,
        0,
        Category::PermissionMissing,
        "The customer has not consented to that.",
        "It works after the customer has written.",
    ),
    rejected(9010, 0, NotFound, "Instagram finds no such customer.", ""),
    rejected(803, 0, NotFound, "Instagram does not know this id.", "Check the account's settings."),
    rejected(
        2500,
        0,
        Internal,
        "Instagram does not know the address of the request.",
        "Check the account's API version and page in its settings.",
    ),
    after(
        rejected(
            368,
            0,
            AccountRestricted,
            "Meta has blocked the account for a while for breaking its rules.",
            "Wait some hours, and look at the account's quality pages at Meta.",
        ),
        6 * HOUR,
    ),
    rejected(506, 0, ContentInvalid, "The same message was sent just before.", "Change the text."),
    rejected(0, 2_018_300, ThreadOwnedElsewhere, "Another application answers this conversation.", TAKE_CONTROL),
    rejected(
        0,
        2_018_171,
        ThreadOwnedElsewhere,
        "This app only receives: another one answers for the account.",
        TAKE_CONTROL,
    ),
    after(
        rejected(
            0,
            2_018_321,
            ThreadOwnedElsewhere,
            "Meta's automatic questions are running in this conversation.",
            "Wait until they are answered.",
        ),
        10 * MINUTE,
    ),
    rejected(0, 2022, AccountRestricted, "Meta has blocked commerce messages for the account.", ASK_META),
    forbidden(
        0,
        36_103,
        "This kind of creator account cannot be used through the API.",
        "Switch to a business account in the Instagram app.",
    ),
    rejected(36_000, 2_207_004, ContentInvalid, "The image is larger than Instagram's 8 MB.", "Send a smaller image."),
    rejected(0, 9_000_001, NotFound, "The message was deleted.", ""),
    rejected(10_900, 0, ContentInvalid, "The comment was answered privately already.", "Answer the comment in public."),
    rejected(
        10_903,
        0,
        RecipientUnavailable,
        "The comment's author cannot be answered privately.",
        "Answer the comment in public.",
    ),
];

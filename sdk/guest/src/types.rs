//! The types of the contract, all in one place.
//! Owns: re-exports. Does not own: their meaning, which `wit/` defines.

pub use crate::bindings::inbox::channel::capabilities::{
    ChannelCapabilities, CountLimit, CountedItem, Direction, FeatureSupport, IdentityRule, MediaRule, MediaWay,
    OptionRule, Rate, ReactionPolicy, StickerChoice, SupportLevel, TextField, TextLimit, TypingRule, WindowPolicy,
    WindowRule,
};
pub use crate::bindings::inbox::channel::events::{
    AccountChange, AccountUpdate, AdContext, Anomaly, Answer, AnswerSource, Attachment, Author, BusinessAuthor, Call,
    CallState, Comment, CommentPlace, ContactUpdate, Deleted, Delivery, DeliverySource, DeliveryState, DeliveryStatus,
    Edited, ErasureRequest, Event, EventBody, EventOrigin, Handover, HandoverAction, Malformed, Member, Mention,
    Message, OptIn, OptInAction, ParseError, Position, Reaction, Referral, ReferralSource, ReplyTarget, Share,
    ShareKind, Story, ThreadChange, UnavailableReason, UnknownItem, WindowOpener,
};
pub use crate::bindings::inbox::channel::messages::{
    Acknowledgement, Bound, ButtonMessage, Choice, ChoiceList, ChoiceSection, ConversationContext, Degradation,
    FallbackPolicy, Feature, KnownComment, MediaSource, OutboundEdit, OutboundMedia, OutboundMessage, OutboundPart,
    OutboundReaction, OutboundText, QuickReply, Sender, SenderKind, Severity, TemplateMessage, TemplateParameter,
    TemplatePlace, TemplateValue, Unit, Validation, Violation, ViolationCode, Window, WindowState,
};
pub use crate::bindings::inbox::channel::requests::{
    Capture, CaptureTarget, Derivation, FieldValue, Fill, FillPlace, FillSource, FormField, HttpBody, HttpMethod,
    HttpRequest, HttpResponse, Pause, Receipt, Scope, SendOutcome, SendResult, SendStep, SentMessage, SentStep,
    StepKind,
};
pub use crate::bindings::inbox::channel::types::{
    AccountError, AccountSettings, Address, AddressKind, Button, ButtonAction, Card, Contact, ContactCard, Detail,
    Extra, Failure, FailureCategory, FileRef, FormattedText, Header, HttpError, Location, Media, MediaKind, MessageRef,
    Product, Question, ReactionAction, Retention, Setting, SettingValue, Sticker, StorageError, TextFormat, Thread,
    ThreadKind, TimestampMs,
};

impl From<&SendStep> for SentStep {
    /// The form in which a host returns a step, once its response has arrived.
    fn from(step: &SendStep) -> Self {
        let kept_as = |capture: &Capture| match &capture.target {
            CaptureTarget::Slot(name) | CaptureTarget::Value(name) | CaptureTarget::Other(name) => name.clone(),
        };
        Self {
            parts: step.parts.clone(),
            kind: step.kind,
            repeatable: step.repeatable,
            correlation: step.correlation.clone(),
            context: step.context.clone(),
            method: step.request.method,
            url: step.request.url.clone(),
            captured: step.request.captures.iter().map(kept_as).collect(),
        }
    }
}

//! Owns: the automation's settings, decisions and dry runs in the API's JSON, with opaque ids.
//! Does not own: what settings mean and which are sound (the crate `automation`).

use std::collections::BTreeMap;

use harness_automation as automation;
use harness_automation::{CameAs, Consumer, Decision, Disclose, MadeBy, Outcome, Reason};
use harness_inbox::{AccountId, CollectionId, ConversationId, DecisionView, PublicId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AutomationDecisionTag, AutomationTag, contract};
use crate::api::{
    ids::{AccountRef, CollectionRef, ConversationRef, Id, LabelRef, MessageRef, UserRef},
    time::Time,
};

/// What an account's automation does. What is left out keeps its default.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AutomationSettings {
    /// Switches all of it on.
    on: bool,
    /// The greeting.
    welcome: Welcome,
    /// The rules that put conversations into collections.
    routing: Routing,
    /// The AI assistant.
    assistant: Assistant,
}

/// A greeting, once for each new conversation.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = AutomationWelcome)]
pub(crate) struct Welcome {
    /// Switches it on.
    on: bool,
    /// The text. Empty where a card is sent.
    text: String,
    /// Offered under the text.
    quick_replies: Vec<Choice>,
    /// Sent in place of the text.
    #[schema(value_type = Option<contract::Card>)]
    card: Option<harness_contract::Card>,
    /// A conversation is new again after so many days without a message; null: only the first message ever.
    again_after_days: Option<u32>,
}

/// Something to tap.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AutomationChoice)]
pub(crate) struct Choice {
    /// What the customer sees.
    title: String,
    /// What comes back.
    payload: String,
}

/// Rules, tried in order; the first that fits is used.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = AutomationRouting)]
pub(crate) struct Routing {
    /// Switches it on.
    on: bool,
    /// The collection of conversations for which no rule fits.
    default: Option<CollectionRef>,
    /// The rules.
    rules: Vec<Rule>,
}

/// A rule and what it does.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = AutomationRule)]
pub(crate) struct Rule {
    /// Its name in the log of decisions.
    name: String,
    /// What has to hold.
    when: Condition,
    /// The collection.
    collection: Option<CollectionRef>,
    /// Labels to add.
    labels: Vec<LabelRef>,
    /// One person, or several who take turns.
    assign: Vec<UserRef>,
}

/// What has to hold: everything that is given. A list holds if one of its entries does.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = AutomationCondition)]
pub(crate) struct Condition {
    /// How the customer came: `ad`, `link`, `product`, `post` …
    referral: Vec<String>,
    /// The platform's ids of ads.
    ad: Vec<String>,
    /// What the business put into its link or ad.
    ref_parameter: Vec<String>,
    /// An answer to a story.
    story_reply: Option<bool>,
    /// A public comment.
    comment: Option<bool>,
    /// Whole words, whatever their case and accents.
    keywords: Vec<String>,
    /// Languages of the text, as two-letter codes.
    languages: Vec<String>,
}

/// An assistant that answers through a language model.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = AutomationAssistant)]
pub(crate) struct Assistant {
    /// Switches it on.
    on: bool,
    /// Answers only in these collections; empty: everywhere.
    collections: Vec<CollectionRef>,
    /// The base address of an OpenAI-compatible interface, such as `https://api.example.com/v1`.
    base_url: String,
    /// The model's name there.
    model: String,
    /// What it knows and how it answers.
    instructions: String,
    /// The time limit of one call.
    timeout_seconds: u32,
    /// Null: the model's own.
    temperature: Option<f64>,
    /// Ask for a JSON object through `response_format`.
    response_format: bool,
    /// The pause after the customer's last message before it answers.
    pause_seconds: u32,
    /// It answers after this time even if the customer goes on writing.
    longest_pause_seconds: u32,
    /// Calls in a day (UTC).
    calls_per_day: u64,
    /// Tokens in a day (UTC); null: not counted.
    tokens_per_day: Option<u64>,
    /// Said with an answer.
    disclosure: String,
    /// When the disclosure is said: `never`, `first` or `each`.
    #[schema(value_type = String)]
    disclose: Disclose,
    /// Answers before it hands over.
    max_turns: u32,
    /// An answer of which the model is less sure (0 to 1) is not sent; a person is asked.
    min_confidence: f64,
    /// The model is given the addresses of pictures.
    pictures: bool,
    /// Messages of the conversation that the model is given.
    history: u32,
    /// Words with which customers ask for a person, by language.
    person_words: BTreeMap<String, Vec<String>>,
    /// Said to the customer when it hands over; empty: nothing.
    hand_over_text: String,
    /// To whom a conversation is assigned that it hands over: one person, or several who take turns.
    hand_over_assign: Vec<UserRef>,
}

fn ids<T: PublicId>(ids: Vec<T>) -> Vec<Id<T>> {
    ids.into_iter().map(Id).collect()
}

fn rows<T>(ids: Vec<Id<T>>) -> Vec<T> {
    ids.into_iter().map(|id| id.0).collect()
}

macro_rules! same {
    ($($dto:ident ($($type:tt)+): { $($plain:ident),* } { $($field:ident: $to:expr, $from:expr;)* })+) => {
        $(
            impl From<$($type)+> for $dto {
                fn from(value: $($type)+) -> Self {
                    Self { $($plain: value.$plain,)* $($field: ($to)(value.$field),)* }
                }
            }

            impl From<$dto> for $($type)+ {
                fn from(value: $dto) -> Self {
                    Self { $($plain: value.$plain,)* $($field: ($from)(value.$field),)* }
                }
            }
        )+
    };
}

fn each<A, B: From<A>>(list: Vec<A>) -> Vec<B> {
    list.into_iter().map(B::from).collect()
}

same! {
    AutomationSettings (automation::Settings): { on } {
        welcome: Welcome::from, automation::Welcome::from;
        routing: Routing::from, automation::Routing::from;
        assistant: Assistant::from, automation::Assistant::from;
    }
    Choice (automation::Choice): { title, payload } {}
    Welcome (automation::Welcome): { on, text, card, again_after_days } {
        quick_replies: each::<automation::Choice, Choice>, each::<Choice, automation::Choice>;
    }
    Routing (automation::Routing): { on } {
        default: |id: Option<CollectionId>| id.map(Id), |id: Option<Id<CollectionId>>| id.map(|id| id.0);
        rules: each::<automation::Rule, Rule>, each::<Rule, automation::Rule>;
    }
    Rule (automation::Rule): { name } {
        when: Condition::from, automation::Condition::from;
        collection: |id: Option<CollectionId>| id.map(Id), |id: Option<Id<CollectionId>>| id.map(|id| id.0);
        labels: ids, rows;
        assign: ids, rows;
    }
    Condition (automation::Condition): {
        referral, ad, ref_parameter, story_reply, comment, keywords, languages
    } {}
    Assistant (automation::Assistant): {
        on, base_url, model, instructions, timeout_seconds, temperature, response_format, pause_seconds,
        longest_pause_seconds, calls_per_day, tokens_per_day, disclosure, disclose, max_turns, min_confidence, pictures,
        history, person_words, hand_over_text
    } {
        collections: ids, rows;
        hand_over_assign: ids, rows;
    }
}

macro_rules! defaults {
    ($($dto:ident: $type:ty;)+) => {
        $(
            impl Default for $dto {
                fn default() -> Self {
                    <$type>::default().into()
                }
            }
        )+
    };
}

defaults! {
    AutomationSettings: automation::Settings;
    Welcome: automation::Welcome;
    Routing: automation::Routing;
    Assistant: automation::Assistant;
}

/// An account's automation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Automation {
    object: AutomationTag,
    /// The account.
    account_id: AccountRef,
    /// What it is told to do.
    settings: AutomationSettings,
    /// Whether a key for the model is stored. It is never shown.
    has_model_key: bool,
    /// What the log says of the assistant's instructions: the first digits of their digest.
    instructions_digest: String,
    /// Whether all automation of the workspace is switched off.
    off: bool,
}

impl Automation {
    pub(crate) fn new(account: AccountId, configured: automation::Configured) -> Self {
        let automation::Configured { settings, has_model_key, instructions, off } = configured;
        Self {
            object: AutomationTag::default(),
            account_id: Id(account),
            settings: settings.into(),
            has_model_key,
            instructions_digest: instructions,
            off,
        }
    }
}

/// What made an answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AutomationMadeBy {
    /// The model's name.
    model: String,
    /// The first digits of the digest of the instructions.
    instructions_digest: String,
    /// How sure the model said it is, from 0 to 1.
    confidence: Option<f64>,
    /// The tokens that the call used.
    tokens: Option<u64>,
}

impl From<MadeBy> for AutomationMadeBy {
    fn from(made_by: MadeBy) -> Self {
        let MadeBy { model, instructions, confidence, tokens } = made_by;
        Self { model, instructions_digest: instructions, confidence, tokens }
    }
}

/// A decision of the automation. It holds nothing that a customer wrote.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AutomationDecision {
    object: AutomationDecisionTag,
    /// The conversation.
    conversation_id: Option<ConversationRef>,
    /// The customer's message, in a dry run on a conversation.
    message_id: Option<MessageRef>,
    /// When it was made; null in a dry run.
    created_at: Option<Time>,
    /// `welcome`, `routing` or `assistant`.
    #[schema(value_type = String)]
    consumer: Consumer,
    /// `sent`, `placed`, `handed_over` or `skipped`.
    #[schema(value_type = String)]
    outcome: Outcome,
    /// Why nothing was done, or why a person was asked: a stable name.
    #[schema(value_type = Option<String>)]
    reason: Option<Reason>,
    /// The rule that made it.
    rule: String,
    /// What went wrong, in words.
    detail: Option<String>,
    /// The model and the instructions that made the answer.
    made_by: Option<AutomationMadeBy>,
    /// What the assistant would have said, in a dry run: a text for each part.
    says: Vec<String>,
}

impl AutomationDecision {
    fn new(consumer: Consumer, decision: Decision) -> Self {
        let Decision { outcome, reason, rule, detail, made_by } = decision;
        Self {
            object: AutomationDecisionTag::default(),
            conversation_id: None,
            message_id: None,
            created_at: None,
            consumer,
            outcome,
            reason,
            rule,
            detail,
            made_by: made_by.map(Into::into),
            says: Vec::new(),
        }
    }

    /// A recorded one; `None` if this version cannot read it.
    pub(crate) fn recorded(row: DecisionView) -> Option<Self> {
        let consumer = serde_json::from_value(row.consumer.into()).ok()?;
        let decision = serde_json::from_str(&row.decision).ok()?;
        let (conversation_id, created_at) = (row.conversation.map(Id), Some(row.at.into()));
        Some(Self { conversation_id, created_at, ..Self::new(consumer, decision) })
    }

    /// One of a dry run.
    pub(crate) fn would(conversation: Option<ConversationId>, would: automation::Would) -> Self {
        let automation::Would { message, consumer, decision, says } = would;
        let (conversation_id, message_id) = (conversation.map(Id), message.map(Id));
        Self { conversation_id, message_id, says, ..Self::new(consumer, decision) }
    }
}

/// A key for the model.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelKey {
    /// The key. It is sealed, and never shown again.
    pub(crate) key: String,
}

/// Whether the workspace's automation works.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AutomationSwitch {
    /// False: nothing is done automatically, whatever the accounts' settings say.
    pub(crate) on: bool,
}

/// What to try on a conversation of the past.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DryRun {
    /// The settings to try; without them the account's own.
    #[serde(default)]
    pub(crate) settings: Option<AutomationSettings>,
    /// Ask the model about the customer's last turn. It counts to the budget; nothing is sent.
    #[serde(default)]
    pub(crate) ask_model: bool,
}

/// A message to try.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DryRunMessage {
    /// What a customer might write.
    pub(crate) message: WrittenMessage,
    /// The settings to try; without them the account's own.
    #[serde(default)]
    pub(crate) settings: Option<AutomationSettings>,
    /// Ask the model about it. It counts to the budget; nothing is sent.
    #[serde(default)]
    pub(crate) ask_model: bool,
}

/// A message as a customer might write it, with what it came with as far as rules look at it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WrittenMessage {
    /// Its text.
    text: String,
    /// `message`, `story_reply`, `comment`, or `referral` where nothing was written and an ad or a link was tapped.
    #[schema(value_type = String)]
    came_as: CameAs,
    /// How the customer came: `ad`, `link`, `product`, `post` … Left out: `ad` with an id of one, `link` with a parameter.
    referral: Option<String>,
    /// The platform's id of the ad.
    ad: Option<String>,
    /// What the business put into its link or ad.
    ref_parameter: Option<String>,
}

impl From<WrittenMessage> for automation::Written {
    fn from(message: WrittenMessage) -> Self {
        let WrittenMessage { text, came_as, referral, ad, ref_parameter } = message;
        Self { text, came_as, referral, ad, ref_parameter }
    }
}

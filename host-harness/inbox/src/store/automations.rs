//! Owns: the automation's settings, its position in the change feed, its decisions and open turns.
//! Does not own: deciding (the crate `automation`), sending replies (`outbox`).

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{
        AccountId, AutomationRow, ConversationId, DecisionView, NewDecision, OpenTurn, Page, Standing, WorkspaceId,
    },
};

/// What the automation stores.
#[async_trait]
pub trait Automations: Send + Sync {
    /// The settings of all accounts that have any.
    async fn automations(&self) -> Result<Vec<AutomationRow>, InboxError>;

    /// The settings of one account; `None` if it never had any.
    async fn automation(&self, account: AccountId) -> Result<Option<AutomationRow>, InboxError>;

    /// Stores the settings of an account. With `begins`, nothing that happened before is answered.
    async fn set_automation(
        &self,
        account: AccountId,
        settings: String,
        begins: bool,
        now: u64,
    ) -> Result<(), InboxError>;

    /// The sealed key for the model of an account.
    async fn model_key(&self, account: AccountId) -> Result<Option<Vec<u8>>, InboxError>;

    /// Stores or deletes the sealed key for the model. The account must have settings.
    async fn set_model_key(&self, account: AccountId, sealed: Option<Vec<u8>>, now: u64) -> Result<(), InboxError>;

    /// Whether all automation of a workspace is switched off.
    async fn automation_off(&self, workspace: WorkspaceId) -> Result<bool, InboxError>;

    /// Switches all automation of a workspace off or on. Switched on, it answers nothing that happened meanwhile.
    async fn set_automation_off(&self, workspace: WorkspaceId, off: bool, now: u64) -> Result<(), InboxError>;

    /// The last change that a consumer has dealt with; `None` before its first.
    async fn automation_position(&self, consumer: &'static str) -> Result<Option<u64>, InboxError>;

    /// Moves a consumer's position forward.
    async fn set_automation_position(&self, consumer: &'static str, seq: u64) -> Result<(), InboxError>;

    /// What a part of the automation knows of a conversation, as JSON.
    async fn automation_state(
        &self,
        conversation: ConversationId,
        consumer: &'static str,
    ) -> Result<Option<String>, InboxError>;

    /// Replaces what the assistant knows of a conversation, and drops its open turn.
    async fn hand_over(&self, conversation: ConversationId, state: String, now: u64) -> Result<(), InboxError>;

    /// The assistant may answer a conversation again: what the customer writes from now on. Closing a conversation does
    /// the same.
    async fn hand_back(&self, conversation: ConversationId, now: u64) -> Result<(), InboxError>;

    /// Where a conversation stands with the team.
    async fn standing(&self, conversation: ConversationId) -> Result<Standing, InboxError>;

    /// When the newest message was written, by the platform's clock, in the conversations that went on in this one; `None` if
    /// it is the first with this person.
    async fn written_before(&self, conversation: ConversationId) -> Result<Option<u64>, InboxError>;

    /// Whether a reply of a person waits to be sent in this conversation.
    async fn person_is_answering(&self, conversation: ConversationId) -> Result<bool, InboxError>;

    /// Whether a consumer has decided about a change.
    async fn is_decided(&self, consumer: &'static str, seq: u64) -> Result<bool, InboxError>;

    /// Records a decision and does what it does to the conversation. False if the consumer had decided about this
    /// change already: then nothing is done.
    async fn decide(&self, decision: NewDecision) -> Result<bool, InboxError>;

    /// Decisions of an account, or of one of its conversations, newest first, before this row id.
    async fn decisions_before(
        &self,
        account: AccountId,
        conversation: Option<ConversationId>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<DecisionView, i64>, InboxError>;

    /// Turns that are due, the longest due first.
    async fn due_turns(&self, now: u64, limit: usize) -> Result<Vec<OpenTurn>, InboxError>;

    /// When the next turn is due after `after`, in milliseconds since 1970.
    async fn next_turn(&self, after: u64) -> Result<Option<u64>, InboxError>;

    /// The open turn of a conversation.
    async fn open_turn(&self, conversation: ConversationId) -> Result<Option<OpenTurn>, InboxError>;

    /// Counts an attempt at a turn, which is due again at `due_at` unless it ends before.
    async fn begin_turn(&self, conversation: ConversationId, due_at: u64) -> Result<(), InboxError>;

    /// Counts a call of the model on this day (days since 1970), if the account has made fewer than `calls` and used fewer
    /// than `tokens`. Whether it was counted.
    async fn spend(&self, account: AccountId, day: u64, calls: u64, tokens: u64) -> Result<bool, InboxError>;

    /// Adds the tokens that a call used.
    async fn note_tokens(&self, account: AccountId, day: u64, tokens: u64) -> Result<(), InboxError>;

    /// Deletes decisions and day counts from before this time. Returns how many decisions.
    async fn expire_decisions(&self, before: u64) -> Result<usize, InboxError>;

    /// Takes what customers wrote out of the automation's notes of a conversation, after one of its messages was unsent.
    async fn forget_summaries(&self, conversation: ConversationId, now: u64) -> Result<(), InboxError>;
}

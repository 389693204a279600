//! Owns: a loaded channel, with a method for every function of the contract; each call has a fresh instance and a
//! deadline.
//! Does not own: how results and failures are handled.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use harness_contract as contract;
use harness_contract::{
    AccountError, AccountSettings, ChannelCapabilities, ConnectRequest, ConnectStep, ContactProfile,
    ConversationContext, Delivery, EntryPoints, Event, HistoryPage, HistoryRequest, HttpResponse, Media, MediaLocation,
    OutboundMessage, ParseError, Refreshed, SendOutcome, SendStep, SentStep, TemplatePage, Validation, Violation,
    manifest::Manifest,
};
use wasmtime::{
    Store,
    component::{ComponentNamedList, InstancePre, Lift, TypedFunc},
};

use crate::{
    cache::Origin,
    config::{SandboxConfig, TICK},
    effects::{CallState, Effects},
    error::{Bounds, CallError, CallFailure, LoadError, Scarce},
    exports::{Exports, Optional, Signature, signature},
    inspect::Inspection,
    memory::{GuestMemory, Share},
    observe::{Called, Contents, Observer, form},
};

/// A component that was inspected, compiled and instantiated once. Clones share it.
#[derive(Clone)]
pub struct Channel {
    inner: Arc<Loaded>,
}

struct Loaded {
    pre: InstancePre<CallState>,
    exports: Exports,
    manifest: Manifest,
    inspection: Inspection,
    origin: Origin,
    config: SandboxConfig,
    pure_ticks: u64,
    effect_ticks: u64,
    memory_bytes: usize,
    memory: Share,
    /// Calls in progress.
    calls: AtomicU32,
    observer: Option<Arc<dyn Observer>>,
}

/// A call in progress.
struct Call<'a>(&'a AtomicU32);

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Channel {
    pub(crate) fn new(
        pre: InstancePre<CallState>,
        inspection: Inspection,
        manifest: Manifest,
        origin: Origin,
        config: &SandboxConfig,
        memory: &GuestMemory,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Self, LoadError> {
        let memory_bytes = manifest
            .limits
            .memory_bytes
            .map_or(config.memory_bytes, |asked| config.memory_bytes.min(usize::try_from(asked).unwrap_or(usize::MAX)));
        let asked = manifest.limits.deadline_ms.map(Duration::from_millis);
        let pure_deadline = asked.map_or(config.pure_deadline, |asked| asked.min(config.pure_deadline));
        // The first instantiation does not wait for other calls.
        let alone = GuestMemory::new(memory_bytes).share(memory_bytes).call();
        let state = CallState { effects: None, memory_bytes, memory: alone, table_elements: config.table_elements };
        let mut store = new_store(&pre, state, config, ticks(pure_deadline));
        let exports = Exports::resolve(&pre, &mut store, &inspection.contract)?;
        Ok(Self {
            inner: Arc::new(Loaded {
                pre,
                exports,
                manifest,
                inspection,
                origin,
                pure_ticks: ticks(pure_deadline),
                effect_ticks: ticks(config.effect_deadline),
                memory_bytes,
                memory: memory.share(memory_bytes),
                calls: AtomicU32::new(0),
                observer,
                config: SandboxConfig { pure_deadline, ..config.clone() },
            }),
        })
    }

    /// The channel's id.
    pub fn id(&self) -> &str {
        &self.inner.manifest.channel.id
    }

    /// The embedded manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.inner.manifest
    }

    /// The result of the inspection.
    pub fn inspection(&self) -> &Inspection {
        &self.inner.inspection
    }

    /// Whether it was compiled or loaded from the cache.
    pub fn origin(&self) -> Origin {
        self.inner.origin
    }

    /// Instantiates and drops: the fixed cost of a call. For benchmarks.
    pub fn instantiate(&self) -> Result<(), CallError> {
        let mut store = self.store(None);
        self.inner.pre.instantiate(&mut store).map(drop).map_err(|error| self.failed("instantiate", &error, true))
    }

    /// Whether the channel exports an interface that it may leave out.
    pub fn offers(&self, interface: Optional) -> bool {
        self.inner.exports.offer(interface)
    }

    /// `messaging-channel.capabilities`: those of an account, or for `None` the most that any account may do.
    pub fn capabilities(&self, account: Option<&AccountSettings>) -> Result<ChannelCapabilities, CallError> {
        self.call::<signature::capabilities>(None, (&account.cloned(),))
    }

    /// `messaging-channel.parse-webhook`
    pub fn parse_webhook(&self, delivery: &Delivery) -> Result<Result<Vec<Event>, ParseError>, CallError> {
        self.call::<signature::parse_webhook>(None, (delivery,))
    }

    /// `messaging-channel.validate-outbound`
    pub fn validate_outbound(
        &self,
        message: &OutboundMessage,
        context: &ConversationContext,
    ) -> Result<Validation, CallError> {
        self.call::<signature::validate_outbound>(None, (message, context))
    }

    /// `messaging-channel.build-send-request`
    pub fn build_send_request(
        &self,
        message: &OutboundMessage,
        context: &ConversationContext,
    ) -> Result<Result<Vec<SendStep>, Vec<Violation>>, CallError> {
        self.call::<signature::build_send_request>(None, (message, context))
    }

    /// `messaging-channel.parse-send-response`
    pub fn parse_send_response(&self, step: &SentStep, response: &HttpResponse) -> Result<SendOutcome, CallError> {
        self.call::<signature::parse_send_response>(None, (step, response))
    }

    /// `account.connect`
    pub fn connect(
        &self,
        effects: Box<dyn Effects>,
        request: &ConnectRequest,
    ) -> Result<Result<ConnectStep, AccountError>, CallError> {
        self.account_call::<signature::connect, _>(Some(effects), (request,))
    }

    /// `account.check`
    pub fn check(
        &self,
        effects: Box<dyn Effects>,
        account: &AccountSettings,
    ) -> Result<Result<Vec<contract::CheckResult>, AccountError>, CallError> {
        self.account_call::<signature::check, _>(Some(effects), (account,))
    }

    /// `account.refresh`
    pub fn refresh(
        &self,
        effects: Box<dyn Effects>,
        account: &AccountSettings,
    ) -> Result<Result<Refreshed, AccountError>, CallError> {
        self.account_call::<signature::refresh, _>(Some(effects), (account,))
    }

    /// `account.subscribe`
    pub fn subscribe(
        &self,
        effects: Box<dyn Effects>,
        account: &AccountSettings,
    ) -> Result<Result<(), AccountError>, CallError> {
        self.account_call::<signature::subscribe, _>(Some(effects), (account,))
    }

    /// `account.unsubscribe`
    pub fn unsubscribe(
        &self,
        effects: Box<dyn Effects>,
        account: &AccountSettings,
    ) -> Result<Result<(), AccountError>, CallError> {
        self.account_call::<signature::unsubscribe, _>(Some(effects), (account,))
    }

    /// `profiles.profile`
    pub fn profile(
        &self,
        effects: Box<dyn Effects>,
        account: &AccountSettings,
        contact_id: &str,
        thread: Option<&str>,
    ) -> Result<Result<ContactProfile, AccountError>, CallError> {
        let (contact_id, thread) = (contact_id.to_owned(), thread.map(str::to_owned));
        self.account_call::<signature::profile, _>(Some(effects), (account, &contact_id, &thread))
    }

    /// `history.history`
    pub fn history(
        &self,
        effects: Box<dyn Effects>,
        account: &AccountSettings,
        request: &HistoryRequest,
    ) -> Result<Result<HistoryPage, AccountError>, CallError> {
        self.account_call::<signature::history, _>(Some(effects), (account, request))
    }

    /// `files.locate-media`
    pub fn locate_media(
        &self,
        effects: Box<dyn Effects>,
        account: &AccountSettings,
        media: &Media,
    ) -> Result<Result<MediaLocation, AccountError>, CallError> {
        self.account_call::<signature::locate_media, _>(Some(effects), (account, media))
    }

    /// `entry-points.configure`
    pub fn configure(
        &self,
        effects: Box<dyn Effects>,
        account: &AccountSettings,
        wanted: &EntryPoints,
    ) -> Result<Result<(), AccountError>, CallError> {
        self.account_call::<signature::configure, _>(Some(effects), (account, wanted))
    }

    /// `templates.templates`
    pub fn templates(
        &self,
        effects: Box<dyn Effects>,
        account: &AccountSettings,
        cursor: Option<&str>,
    ) -> Result<Result<TemplatePage, AccountError>, CallError> {
        self.account_call::<signature::templates, _>(Some(effects), (account, &cursor.map(str::to_owned)))
    }

    /// `webhook-answer.answer`; `None` if the channel does not offer the interface.
    pub fn answer(&self, delivery: &Delivery) -> Result<Option<HttpResponse>, CallError> {
        if !self.offers(Optional::WebhookAnswer) {
            return Ok(None);
        }
        self.call::<signature::answer>(None, (delivery,))
    }

    /// Calls a function of an optional interface. If the channel does not offer it, the result is `Unsupported`.
    fn account_call<S, T>(
        &self,
        effects: Option<Box<dyn Effects>>,
        params: S::Params<'_>,
    ) -> Result<Result<T, AccountError>, CallError>
    where
        S: Signature<Result = Result<T, AccountError>>,
        (S::Result,): ComponentNamedList + Lift,
    {
        if S::index(&self.inner.exports).is_none() {
            return Ok(Err(AccountError::Unsupported));
        }
        self.call::<S>(effects, params)
    }

    /// The longest duration of a call that may use the network.
    pub fn effect_deadline(&self) -> Duration {
        self.inner.config.effect_deadline
    }

    /// Counts a call. One channel never gets all sandboxes.
    fn begin(&self) -> Result<Call<'_>, CallFailure> {
        let (calls, share) = (&self.inner.calls, self.inner.config.instances.div_ceil(2).max(1));
        let before = calls.fetch_add(1, Ordering::Relaxed);
        let call = Call(calls);
        if before < share { Ok(call) } else { Err(CallFailure::Busy(Scarce::Sandboxes(share))) }
    }

    fn store(&self, effects: Option<Box<dyn Effects>>) -> Store<CallState> {
        let Loaded { pre, config, memory_bytes, memory, .. } = &*self.inner;
        let ticks = if effects.is_some() { self.inner.effect_ticks } else { self.inner.pure_ticks };
        let (memory_bytes, memory) = (*memory_bytes, memory.call());
        let state = CallState { effects, memory_bytes, memory, table_elements: config.table_elements };
        new_store(pre, state, config, ticks)
    }

    /// One call: creates a store and an instance, calls the function, and drops both.
    fn call<S: Signature>(
        &self,
        effects: Option<Box<dyn Effects>>,
        params: S::Params<'_>,
    ) -> Result<S::Result, CallError>
    where
        (S::Result,): ComponentNamedList + Lift,
    {
        let pure = effects.is_none();
        let observer = self.inner.observer.as_deref();
        let input = observer.filter(|observer| observer.wants_contents()).map(|_| form(&params));
        // Only an observer asks how long a call took, and what it executed.
        let started = observer.map(|_| Instant::now());
        let run = |store: &mut Store<CallState>| {
            let instance = self.inner.pre.instantiate(&mut *store)?;
            let func = S::index(&self.inner.exports)
                .and_then(|index| instance.get_func(&mut *store, index))
                .ok_or_else(|| wasmtime::Error::msg("an export is gone that was there when the channel was loaded"))?;
            // SAFETY: `Exports::resolve` has checked this export of this component against the types
            // of `S`, with owned parameters in place of references; wasmtime gives both the same
            // component-model type. Indices never change for a component.
            #[allow(unsafe_code, reason = "checking the types of every call costs more than the call")]
            let func = unsafe { TypedFunc::<S::Params<'_>, (S::Result,)>::new_unchecked(func) };
            func.call(store, params)
        };
        let mut instructions = None;
        let result = match self.begin() {
            Ok(_call) => {
                let mut store = self.store(effects);
                let span = tracing::info_span!("guest", channel = self.id(), export = S::NAME);
                let result = span.in_scope(|| run(&mut store));
                if self.inner.config.count_instructions {
                    instructions = store.get_fuel().ok().map(|left| FUEL.saturating_sub(left));
                }
                result.map(|(result,)| result).map_err(|error| self.failed(S::NAME, &error, pure))
            }
            Err(failure) => Err(CallError { channel: self.id().to_owned(), export: S::NAME, failure }),
        };
        if let Some(observer) = observer {
            observer.called(&Called {
                channel: self.id(),
                digest: &self.inner.inspection.digest,
                export: S::NAME,
                pure,
                took: started.map(|started| started.elapsed()).unwrap_or_default(),
                instructions,
                failure: result.as_ref().err().map(|error| &error.failure),
                contents: input.map(|input| Contents { input, output: result.as_ref().ok().map(form) }),
            });
        }
        result
    }

    fn failed(&self, export: &'static str, error: &wasmtime::Error, pure: bool) -> CallError {
        let config = &self.inner.config;
        let bounds = Bounds {
            deadline: if pure { config.pure_deadline } else { config.effect_deadline },
            transfer_bytes: config.transfer_bytes,
            instances: config.instances,
        };
        let failure = CallFailure::from_wasmtime(error, &bounds);
        CallError { channel: self.id().to_owned(), export, failure }
    }
}

/// The fuel of a counted call: more than any deadline leaves time for.
const FUEL: u64 = u64::MAX;

fn new_store(pre: &InstancePre<CallState>, state: CallState, config: &SandboxConfig, ticks: u64) -> Store<CallState> {
    let mut store = Store::new(pre.engine(), state);
    store.limiter(|state| state);
    store.set_epoch_deadline(ticks);
    store.set_hostcall_fuel(config.transfer_bytes);
    if config.count_instructions {
        // Fails only if instructions are not counted.
        let _ = store.set_fuel(FUEL);
    }
    store
}

/// A deadline in ticks, plus one because the current tick has already begun.
fn ticks(deadline: Duration) -> u64 {
    u64::try_from(deadline.as_millis().div_ceil(TICK.as_millis()).saturating_add(1)).unwrap_or(u64::MAX)
}

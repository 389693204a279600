//! Owns: the exported functions of the contract: their place in a component, their types, and which are present.
//! Does not own: calling them.

use harness_contract as contract;
use harness_contract::{
    AccountError, AccountSettings, ChannelCapabilities, ConnectRequest, ConnectStep, ContactProfile,
    ConversationContext, Delivery, EntryPoints, Event, HistoryPage, HistoryRequest, HttpResponse, Media, MediaLocation,
    OutboundMessage, ParseError, Refreshed, SendOutcome, SendStep, SentStep, TemplatePage, Validation, Violation,
};
use serde::Serialize;
use wasmtime::{
    Store,
    component::{ComponentExportIndex, ComponentNamedList, InstancePre, Lift, Lower},
};

use crate::{effects::CallState, error::LoadError, inspect::interface};

/// An interface that a channel may leave out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Optional {
    /// Connecting accounts.
    Account,
    /// Reading people's profiles.
    Profiles,
    /// Reading past messages.
    History,
    /// Locating files.
    Files,
    /// Ice breakers and the menu.
    EntryPoints,
    /// Templates.
    Templates,
    /// Answers to webhooks that have content.
    WebhookAnswer,
}

/// Declares the exported functions once: where each is found, and how it is called. A required interface must have all
/// of its functions; an optional one must have all or none.
macro_rules! exports {
    ($($need:ident $interface:literal { $($field:ident $name:literal ($($arg:ty),*) -> $result:ty;)* })*) => {
        /// Where each export lies in the component; looked up and type-checked once, at load. `None`: not offered.
        pub(crate) struct Exports { $($($field: Option<ComponentExportIndex>,)*)* }

        impl Exports {
            pub(crate) fn resolve(
                pre: &InstancePre<CallState>,
                store: &mut Store<CallState>,
                version: &str,
            ) -> Result<Self, LoadError> {
                let incompatible = |e: wasmtime::Error| LoadError::Incompatible(format!("{e:#}"));
                let instance = pre.instantiate(&mut *store).map_err(incompatible)?;
                $(let parent = Need::$need.find(pre, &interface($interface, version))?;
                $(let $field = match &parent {
                    None => None,
                    Some(parent) => {
                        let found = find(pre, Some(parent), $name).ok_or_else(|| missing($name))?;
                        instance.get_typed_func::<($($arg,)*), ($result,)>(&mut *store, &found).map_err(|error| {
                            LoadError::Incompatible(format!("`{}.{}`: {error:#}", $interface, $name))
                        })?;
                        Some(found)
                    }
                };)*)*
                Ok(Self { $($($field,)*)* })
            }
        }

        pub(crate) mod signature {
            //! The parameters and result of each export, as `Exports::resolve` checked them.
            use super::*;
            $($(#[allow(non_camel_case_types, reason = "named like the export")]
            pub(crate) struct $field;
            impl super::Signature for $field {
                type Params<'a> = ($(&'a $arg,)*);
                type Result = $result;
                const NAME: &'static str = concat!($interface, ".", $name);
                fn index(exports: &Exports) -> Option<&ComponentExportIndex> { exports.$field.as_ref() }
            })*)*
        }
    };
}

/// One export's types.
pub(crate) trait Signature {
    type Params<'a>: ComponentNamedList + Lower + Serialize;
    type Result: Lift + Serialize;
    const NAME: &'static str;
    /// `None` if the channel does not offer it.
    fn index(exports: &Exports) -> Option<&ComponentExportIndex>;
}

exports! {
    Required "messaging-channel" {
        capabilities "capabilities" (Option<AccountSettings>) -> ChannelCapabilities;
        parse_webhook "parse-webhook" (Delivery) -> Result<Vec<Event>, ParseError>;
        validate_outbound "validate-outbound" (OutboundMessage, ConversationContext) -> Validation;
        build_send_request "build-send-request" (OutboundMessage, ConversationContext)
            -> Result<Vec<SendStep>, Vec<Violation>>;
        parse_send_response "parse-send-response" (SentStep, HttpResponse) -> SendOutcome;
    }
    Optional "account" {
        connect "connect" (ConnectRequest) -> Result<ConnectStep, AccountError>;
        check "check" (AccountSettings) -> Result<Vec<contract::CheckResult>, AccountError>;
        refresh "refresh" (AccountSettings) -> Result<Refreshed, AccountError>;
        subscribe "subscribe" (AccountSettings) -> Result<(), AccountError>;
        unsubscribe "unsubscribe" (AccountSettings) -> Result<(), AccountError>;
    }
    Optional "profiles" {
        profile "profile" (AccountSettings, String, Option<String>) -> Result<ContactProfile, AccountError>;
    }
    Optional "history" {
        history "history" (AccountSettings, HistoryRequest) -> Result<HistoryPage, AccountError>;
    }
    Optional "files" {
        locate_media "locate-media" (AccountSettings, Media) -> Result<MediaLocation, AccountError>;
    }
    Optional "entry-points" {
        configure "configure" (AccountSettings, EntryPoints) -> Result<(), AccountError>;
    }
    Optional "templates" {
        templates "templates" (AccountSettings, Option<String>) -> Result<TemplatePage, AccountError>;
    }
    Optional "webhook-answer" {
        answer "answer" (Delivery) -> Option<HttpResponse>;
    }
}

impl Exports {
    /// Whether the component has an interface. It is either complete or absent.
    pub(crate) fn offer(&self, interface: Optional) -> bool {
        match interface {
            Optional::Account => signature::connect::index(self),
            Optional::Profiles => signature::profile::index(self),
            Optional::History => signature::history::index(self),
            Optional::Files => signature::locate_media::index(self),
            Optional::EntryPoints => signature::configure::index(self),
            Optional::Templates => signature::templates::index(self),
            Optional::WebhookAnswer => signature::answer::index(self),
        }
        .is_some()
    }
}

/// Whether an interface may be absent.
enum Need {
    Required,
    Optional,
}

impl Need {
    fn find(&self, pre: &InstancePre<CallState>, interface: &str) -> Result<Option<ComponentExportIndex>, LoadError> {
        match (self, find(pre, None, interface)) {
            (Self::Required, None) => Err(missing(interface)),
            (_, found) => Ok(found),
        }
    }
}

fn find(
    pre: &InstancePre<CallState>,
    parent: Option<&ComponentExportIndex>,
    name: &str,
) -> Option<ComponentExportIndex> {
    pre.component().get_export_index(parent, name)
}

fn missing(name: &str) -> LoadError {
    LoadError::Incompatible(format!("it does not export `{name}`"))
}

//! What the component exports, under the names of the contract. What belongs here is only the way in.
//!
//! The generated exports serve, but for one thing: `validate-outbound` and `build-send-request` take the
//! same parameters, and reading those is a twentieth of the component. So `validate-outbound` comes in
//! through the code of `build-send-request`. And since nothing is freed after a call (`alloc.rs`), the
//! generated functions that would free a result are not exported.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use crate::bindings::exports::inbox::channel::{account, messaging_channel as channel};
use crate::types::{ConversationContext, Degradation, OutboundMessage, SendStep, Violation};
use crate::{Instagram, build, validate};

/// Something in linear memory as the canonical ABI names it: an address, and a length or a count.
type Lowered = [usize; 2];

/// Set while `validate-outbound` is under way, in an instance that lives for this one call.
static VALIDATES: AtomicBool = AtomicBool::new(false);
/// The degradations that it found, lowered.
static DEGRADATIONS: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];

/// Both functions: their parameters are read by the same code, and so come to the same place.
pub(crate) fn render_or_validate(
    message: &OutboundMessage,
    context: &ConversationContext,
) -> Result<Vec<SendStep>, Vec<Violation>> {
    if !VALIDATES.load(Relaxed) {
        return build(message, context);
    }
    let validation = validate(message, context);
    let found = lower_list(validation.degradations.into_iter().map(lower_degradation).collect());
    for (cell, value) in DEGRADATIONS.iter().zip(found) {
        cell.store(value, Relaxed);
    }
    Err(validation.violations)
}

/// A `degradation`: `feature` in a byte of a word of its own, then two texts and a list of texts.
fn lower_degradation(degradation: Degradation) -> [usize; 7] {
    let Degradation { feature, path, sentence, surfaces } = degradation;
    let [path, sentence] = [path, sentence].map(lower_text);
    let surfaces = lower_list(surfaces.into_iter().map(lower_text).collect());
    [feature as usize, path[0], path[1], sentence[0], sentence[1], surfaces[0], surfaces[1]]
}

fn lower_text(text: String) -> Lowered {
    let text = text.leak();
    [text.as_ptr().expose_provenance(), text.len()]
}

fn lower_list<T>(elements: Vec<T>) -> Lowered {
    let elements = elements.leak();
    [elements.as_ptr().expose_provenance(), elements.len()]
}

#[unsafe(export_name = "inbox:channel/messaging-channel@0.1.0#capabilities")]
unsafe extern "C" fn capabilities() -> *mut u8 {
    // SAFETY: the host calls it as the canonical ABI says, which is all that the generated code asks.
    unsafe { channel::_export_capabilities_cabi::<Instagram>() }
}

#[unsafe(export_name = "inbox:channel/messaging-channel@0.1.0#parse-webhook")]
unsafe extern "C" fn parse_webhook(
    source: i32,
    source_text: *mut u8,
    source_length: usize,
    body: *mut u8,
    body_length: usize,
    headers: *mut u8,
    headers_count: usize,
    received_at: i64,
    has_account: i32,
    account: *mut u8,
    account_length: usize,
) -> *mut u8 {
    // SAFETY: as above; the parameters are those of the generated function, in its order.
    unsafe {
        channel::_export_parse_webhook_cabi::<Instagram>(
            source,
            source_text,
            source_length,
            body,
            body_length,
            headers,
            headers_count,
            received_at,
            has_account,
            account,
            account_length,
        )
    }
}

#[unsafe(export_name = "inbox:channel/messaging-channel@0.1.0#validate-outbound")]
unsafe extern "C" fn validate_outbound(parameters: *mut u8) -> *mut u8 {
    VALIDATES.store(true, Relaxed);
    // SAFETY: as above. Both functions have the same parameters, and so the same layout behind the
    // address. The answer is a `result` whose error is a list: its words are the case, an address and a
    // count, and `render_or_validate` has answered with the error.
    let [_, violations, violations_count] = unsafe {
        let answer = channel::_export_build_send_request_cabi::<Instagram>(parameters);
        answer.cast::<[usize; 3]>().read()
    };
    let [degradations, degradations_count] = [&DEGRADATIONS[0], &DEGRADATIONS[1]].map(|cell| cell.load(Relaxed));
    // A `validation` is its two lists.
    let validation = [violations, violations_count, degradations, degradations_count];
    Box::leak(Box::new(validation)).as_mut_ptr().cast()
}

#[unsafe(export_name = "inbox:channel/messaging-channel@0.1.0#build-send-request")]
unsafe extern "C" fn build_send_request(parameters: *mut u8) -> *mut u8 {
    // SAFETY: as above.
    unsafe { channel::_export_build_send_request_cabi::<Instagram>(parameters) }
}

#[unsafe(export_name = "inbox:channel/messaging-channel@0.1.0#parse-send-response")]
unsafe extern "C" fn parse_send_response(parameters: *mut u8) -> *mut u8 {
    // SAFETY: as above.
    unsafe { channel::_export_parse_send_response_cabi::<Instagram>(parameters) }
}

/// Exports the generated functions of `account` under their names. The parameters are those of the canonical
/// ABI, flattened: an address and a length for a text or a list, a case for a variant.
macro_rules! account {
    ($($name:literal $function:ident = $generated:ident($($parameter:ident: $type:ty),*);)*) => {
        $(
            #[unsafe(export_name = concat!("inbox:channel/account@0.1.0#", $name))]
            unsafe extern "C" fn $function($($parameter: $type),*) -> *mut u8 {
                // SAFETY: as above; the parameters are those of the generated function, in its order.
                unsafe { account::$generated::<Instagram>($($parameter),*) }
            }
        )*
    };
}

account! {
    "connect" account_connect = _export_connect_cabi(
        login: *mut u8, login_length: usize, redirect: *mut u8, redirect_length: usize, state: *mut u8,
        state_length: usize, settings: *mut u8, settings_count: usize, input: i32, payload: *mut u8,
        payload_count: usize
    );
    "select" account_select = _export_select_cabi(
        login: *mut u8, login_length: usize, redirect: *mut u8, redirect_length: usize, state: *mut u8,
        state_length: usize, settings: *mut u8, settings_count: usize, input: i32, payload: *mut u8,
        payload_count: usize, candidate: *mut u8, candidate_length: usize
    );
    "check" account_check = _export_check_cabi(
        id: *mut u8, id_length: usize, settings: *mut u8, settings_count: usize
    );
    "refresh" account_refresh = _export_refresh_cabi(
        id: *mut u8, id_length: usize, settings: *mut u8, settings_count: usize
    );
    "subscribe" account_subscribe = _export_subscribe_cabi(
        id: *mut u8, id_length: usize, settings: *mut u8, settings_count: usize, url: *mut u8, url_length: usize
    );
    "unsubscribe" account_unsubscribe = _export_unsubscribe_cabi(
        id: *mut u8, id_length: usize, settings: *mut u8, settings_count: usize
    );
    "profile" account_profile = _export_profile_cabi(
        id: *mut u8, id_length: usize, settings: *mut u8, settings_count: usize, contact: *mut u8,
        contact_length: usize
    );
    "history" account_history = _export_history_cabi(
        id: *mut u8, id_length: usize, settings: *mut u8, settings_count: usize, has_contact: i32,
        contact: *mut u8, contact_length: usize, has_since: i32, since: i64, has_cursor: i32, cursor: *mut u8,
        cursor_length: usize, limit: i32
    );
    "locate-media" account_locate_media = _export_locate_media_cabi(parameters: *mut u8);
    "configure" account_configure = _export_configure_cabi(
        id: *mut u8, id_length: usize, settings: *mut u8, settings_count: usize, has_ice_breakers: i32,
        ice_breakers: *mut u8, ice_breakers_count: usize, has_menu: i32, menu: *mut u8, menu_count: usize
    );
}

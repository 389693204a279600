//! Pauses requested by Meta's headers.
//! What belongs here is the usage headers of both Graph hosts, and `retry-after`.

use channel_sdk::json::{self, Json};

use crate::types::{Header, Pause, Scope};

/// The usage percentage at which Meta starts to refuse, so the host pauses on its own.
const USED_UP: u64 = 100;
/// How long to pause, in milliseconds, if an allowance is used up and Meta gives no duration. Allowances cover a
/// sliding hour, so some of it is soon free again.
const COOL_DOWN: u64 = 300_000;
const MINUTE: u64 = 60_000;
/// The longest pause that is believed, in milliseconds.
const LONGEST: u64 = 86_400_000;

/// The longest pause that the headers request.
pub(super) fn pause(headers: &[Header]) -> Option<Pause> {
    let wishes = headers.iter().filter_map(|header| match header.name.as_str() {
        "x-business-use-case-usage" => business_use_case(&header.value).map(|duration| (Scope::Account, duration)),
        "x-app-usage" => app(&header.value).map(|duration| (Scope::App, duration)),
        "retry-after" => seconds(&header.value).map(|duration| (Scope::Account, duration)),
        _ => None,
    });
    let (scope, duration) = wishes.max_by_key(|(_, duration)| *duration)?;
    Some(Pause { scope, duration: duration.min(LONGEST) })
}

/// Converts `retry-after` from seconds to milliseconds. Its other form, a date, would need a clock and is ignored; the
/// table decides then.
fn seconds(value: &str) -> Option<u64> {
    let seconds: u64 = value.trim_ascii().parse().ok()?;
    (seconds > 0).then_some(seconds.saturating_mul(1000))
}

/// The pause in milliseconds from `{"<business object>":[{"type","call_count",…,"estimated_time_to_regain_access"}]}`,
/// where the last is in minutes.
fn business_use_case(value: &str) -> Option<u64> {
    let Ok(Json::Object(objects)) = json::parse(value) else {
        return None;
    };
    let lists = objects.iter().map(|(_, uses)| match uses {
        Json::List(uses) => uses.as_slice(),
        single => std::slice::from_ref(single),
    });
    lists.flatten().filter_map(one_use).max()
}

fn one_use(usage: &Json<'_>) -> Option<u64> {
    let regain = usage.get("estimated_time_to_regain_access").and_then(Json::whole);
    match regain {
        Some(minutes) if minutes > 0 => Some(minutes.saturating_mul(MINUTE)),
        _ => used_up(usage).then_some(COOL_DOWN),
    }
}

/// The pause in milliseconds from `{"call_count","total_cputime","total_time"}`, or `{"call_volume","cpu_time"}` on
/// graph.instagram.com. These are percentages.
fn app(value: &str) -> Option<u64> {
    used_up(&json::parse(value).ok()?).then_some(COOL_DOWN)
}

fn used_up(usage: &Json<'_>) -> bool {
    let names = ["call_count", "total_cputime", "total_time", "call_volume", "cpu_time"];
    names.iter().filter_map(|name| usage.get(name)).filter_map(Json::whole).any(|used| used >= USED_UP)
}

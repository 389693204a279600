//! Owns: the messaging window as a value, computed from the customer's actions, by platform time, under the channel's
//! policy.
//! Does not own: storing the openings.

use harness_contract::{Window, WindowPolicy, WindowRule, WindowState};

/// Whether the business may write now.
///
/// `openings` holds the newest time of each kind of action by the customer. `refused_at` is when the platform refused a
/// message; it is `None` if the customer has acted since, because storing an action clears the refusal.
pub fn compute(policy: &WindowPolicy, openings: &[(String, u64)], refused_at: Option<u64>, now: u64) -> Window {
    let empty = Window {
        state: WindowState::NeverOpened,
        opened_by: None,
        opened_at: None,
        closes_at: None,
        human_closes_at: None,
        replies_left: None,
        refused_at: None,
    };
    let ruled = || {
        openings
            .iter()
            .filter_map(|(opener, at)| policy.rules.iter().find(|rule| rule.opener == *opener).map(|rule| (rule, *at)))
    };
    let Some((latest, opened_at)) = ruled().max_by_key(|&(_, at)| at) else {
        let state = if policy.customer_first { WindowState::NeverOpened } else { WindowState::Open };
        return Window { state, ..empty };
    };
    // A rule without an end stays endless, whatever the other rules say.
    let endless = ruled().any(|(rule, _)| rule.open_for.is_none());
    let closes_at = ruled().filter_map(|(rule, at)| Some(at.saturating_add(rule.open_for?))).max().filter(|_| !endless);
    let furthest = |end: fn(&WindowRule) -> Option<u64>| {
        ruled().filter_map(|(rule, at)| Some(at.saturating_add(end(rule)?))).max()
    };
    let human_closes_at = furthest(|rule| rule.human_until);
    let uncertain_until = furthest(|rule| rule.uncertain_until);
    let before = |end: Option<u64>| end.is_some_and(|end| now < end);
    let state = if refused_at.is_some() {
        if before(human_closes_at) { WindowState::HumanOnly } else { WindowState::Closed }
    } else if closes_at.is_none() || before(closes_at) {
        WindowState::Open
    } else if before(uncertain_until) {
        WindowState::Unknown
    } else if before(human_closes_at) {
        WindowState::HumanOnly
    } else {
        WindowState::Closed
    };
    Window {
        state,
        opened_by: Some(latest.opener.clone()),
        opened_at: Some(opened_at),
        closes_at,
        human_closes_at,
        replies_left: latest.replies,
        refused_at,
    }
}

#[cfg(test)]
mod tests {
    use harness_contract::names::window_opener;

    use super::*;

    const HOUR: u64 = 3_600_000;
    const DAY: u64 = 24 * HOUR;

    fn policy() -> WindowPolicy {
        let rule = |opener: &str, uncertain_until| WindowRule {
            opener: opener.into(),
            open_for: Some(DAY),
            uncertain_until,
            human_until: Some(7 * DAY),
            replies: None,
        };
        WindowPolicy {
            customer_first: true,
            rules: vec![rule(window_opener::MESSAGE, None), rule(window_opener::AD_MESSAGE, Some(7 * DAY))],
            always_allowed: vec![],
        }
    }

    fn state(openings: &[(String, u64)], refused: Option<u64>, now: u64) -> WindowState {
        compute(&policy(), openings, refused, now).state
    }

    #[test]
    fn it_closes_exactly_one_day_after_the_last_message() {
        let opened = [(window_opener::MESSAGE.into(), 1000)];
        assert_eq!(state(&opened, None, 1000 + DAY - 1), WindowState::Open);
        assert_eq!(state(&opened, None, 1000 + DAY), WindowState::HumanOnly);
        assert_eq!(state(&opened, None, 1000 + 7 * DAY - 1), WindowState::HumanOnly);
        assert_eq!(state(&opened, None, 1000 + 7 * DAY), WindowState::Closed);
    }

    #[test]
    fn a_conversation_that_the_customer_never_opened_stays_closed() {
        assert_eq!(state(&[], None, 5), WindowState::NeverOpened);
        assert_eq!(state(&[(window_opener::REACTION.into(), 5)], None, 6), WindowState::NeverOpened);
    }

    #[test]
    fn between_one_and_seven_days_after_an_ad_only_the_platform_knows() {
        let opened = [(window_opener::AD_MESSAGE.into(), 0), (window_opener::MESSAGE.into(), HOUR)];
        assert_eq!(state(&opened, None, 2 * DAY), WindowState::Unknown);
        assert_eq!(compute(&policy(), &opened, None, 2 * DAY).closes_at, Some(HOUR + DAY));
    }

    #[test]
    fn a_refusal_counts_more_than_the_estimate() {
        let opened = [(window_opener::MESSAGE.into(), 1000)];
        assert_eq!(state(&opened, Some(2000), 3000), WindowState::HumanOnly);
        assert_eq!(state(&opened, Some(2000), 8 * DAY), WindowState::Closed);
    }

    #[test]
    fn a_channel_without_a_window_is_always_open() {
        let free = WindowPolicy { customer_first: false, rules: vec![], always_allowed: vec![] };
        assert_eq!(compute(&free, &[], None, 9).state, WindowState::Open);
        let endless = WindowPolicy {
            rules: vec![WindowRule {
                opener: window_opener::MESSAGE.into(),
                open_for: None,
                uncertain_until: None,
                human_until: None,
                replies: None,
            }],
            customer_first: true,
            ..free
        };
        assert_eq!(compute(&endless, &[(window_opener::MESSAGE.into(), 0)], None, u64::MAX).state, WindowState::Open);
    }
}

//! Owns: which rule fits a conversation.
//! Does not own: putting it there (the store, in the transaction of the decision).

use harness_inbox::{Placement, Standing};
use serde::{Deserialize, Serialize};

use crate::{
    decision::{Decision, Outcome, Reason},
    facts::Facts,
    settings::{Condition, Routing},
};

/// The rule's name of what goes into the default collection.
const DEFAULT: &str = "default";

/// What is known of a conversation.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Routed {
    /// It was put somewhere.
    pub(crate) by: Option<By>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum By {
    /// No rule fitted so far.
    Default,
    Rule,
}

/// Decides about one thing that the customer did. Rules are tried until one fits; a conversation that a person moved is
/// left where it is. `None`: nothing is new.
pub(crate) fn decide(
    routing: &Routing,
    facts: &Facts,
    standing: &Standing,
    known: Routed,
) -> Option<(Decision, Placement, Routed)> {
    if !routing.on || known.by == Some(By::Rule) {
        return None;
    }
    let ours = if known.by == Some(By::Default) { routing.default } else { None };
    if standing.collection != ours {
        // Said once: from now on it is left alone.
        let decision = Decision::skipped(DEFAULT, Reason::PlacedByPerson);
        return Some((decision, Placement::default(), Routed { by: Some(By::Rule) }));
    }
    if let Some(rule) = routing.rules.iter().find(|rule| fits(&rule.when, facts)) {
        let placement =
            Placement { collection: rule.collection, labels: rule.labels.clone(), assign: rule.assign.clone() };
        return Some((Decision::new(Outcome::Placed, rule.name.clone()), placement, Routed { by: Some(By::Rule) }));
    }
    let collection = routing.default.filter(|_| known.by.is_none())?;
    let placement = Placement { collection: Some(collection), ..Placement::default() };
    Some((Decision::new(Outcome::Placed, DEFAULT), placement, Routed { by: Some(By::Default) }))
}

fn fits(when: &Condition, facts: &Facts) -> bool {
    let Condition { referral, ad, ref_parameter, story_reply, comment, keywords, languages } = when;
    let one_of = |list: &[String], value: Option<&str>| {
        list.is_empty() || value.is_some_and(|value| list.iter().any(|entry| entry == value))
    };
    let came = facts.referral.as_ref();
    one_of(referral, came.map(|came| came.source.as_str()))
        && one_of(ad, facts.ad.as_deref())
        && one_of(ref_parameter, came.and_then(|came| came.r#ref.as_deref()))
        && story_reply.is_none_or(|wanted| wanted == facts.story_reply)
        && comment.is_none_or(|wanted| wanted == facts.comment)
        && (keywords.is_empty() || keywords.iter().any(|keyword| facts.words.contain(keyword)))
        && (languages.is_empty() || one_of(languages, facts.language()))
}

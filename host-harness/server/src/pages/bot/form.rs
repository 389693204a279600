//! Owns: reading the form of an account's bot into its settings; telling which stored settings a form was drawn from.
//! Does not own: drawing the form, what the settings do.

use std::collections::HashMap;

use harness_automation::{AutomationError, Choice, Condition, Problem, Rule, Settings};
use harness_inbox::{CollectionId, CollectionView, PublicId as _};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::pages::{forms::as_sentence, reader::Reader};

/// The field with the [`digest`] of the settings that the form was drawn from.
pub(super) const BASE: &str = "base";
/// The field with the [`digest`] of the stored rule that a row was drawn from; empty for a new one.
pub(super) const ORIGIN: &str = "rule_from";

/// The first bytes of a digest, in hex: the same for the same settings.
pub(super) fn digest(of: &impl Serialize) -> String {
    let text = serde_json::to_vec(of).unwrap_or_default();
    hex::encode(Sha256::digest(text).get(..8).unwrap_or_default())
}

/// What is wrong with the settings: sentences in the form's own words, each with the field that it is about.
pub(super) fn problems(problem: &AutomationError, reader: &Reader) -> Vec<(Option<String>, String)> {
    let AutomationError::Settings(wrong) = problem else {
        let field = matches!(problem, AutomationError::Key).then(|| "key".to_owned());
        return vec![(field, as_sentence(&problem.to_string()))];
    };
    let named = |one: &Problem| {
        let (field, label) = field(&one.path, reader);
        let message = one.message.replace('`', "");
        let goes_on = ["is ", "has ", "stands "].iter().any(|begin| message.starts_with(begin));
        let between = if goes_on { " " } else { ": " };
        (field, as_sentence(&format!("{}{message}", label.map(|label| label + between).unwrap_or_default())))
    };
    wrong.0.iter().map(named).collect()
}

/// The field of the form for a place in the settings, and its label.
fn field(path: &str, reader: &Reader) -> (Option<String>, Option<String>) {
    let words = reader.words;
    if let Some(rule) =
        path.strip_prefix("routing.rules.").and_then(|rest| rest.split('.').next()?.parse::<usize>().ok())
    {
        return (Some(format!("rule-{rule}")), Some(format!("{} {}", words.collection_rules, rule + 1)));
    }
    let known = [
        ("welcome.quick_replies", "welcome-text", &words.quick_replies),
        ("welcome", "welcome-text", &words.welcome_message),
        ("routing.default", "default", &words.otherwise),
        ("routing", "rule-0", &words.collection_rules),
        ("assistant.base_url", "base_url", &words.assistant_address),
        ("assistant.model", "model", &words.assistant_model),
        ("assistant.instructions", "instructions", &words.assistant_instructions),
        ("assistant.disclos", "disclosure", &words.assistant_disclosure),
        ("assistant.hand_over_text", "hand_over_text", &words.assistant_hand_over),
        ("assistant", "base_url", &words.assistant),
    ];
    let found = known.into_iter().find(|(prefix, ..)| path.starts_with(prefix));
    (found.map(|(_, field, _)| field.to_owned()), found.map(|(.., label)| label.to_string()))
}

/// Takes over what the form has. What it has no field for stays. A collection of another workspace is none. Returns the
/// stored rule from which each rule was made.
pub(super) fn read(
    fields: &[(String, String)],
    collections: &[CollectionView],
    settings: &mut Settings,
) -> Vec<String> {
    let collection = |id: &str| {
        let id = CollectionId::from_public(id).ok()?;
        collections.iter().any(|known| known.id == id).then_some(id)
    };
    let given = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim());
    let all = |name: &str| {
        fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value.trim()).collect::<Vec<_>>()
    };
    let on = |name: &str| given(name).is_some();
    settings.on = on("on");
    settings.welcome.on = on("welcome");
    settings.welcome.text = given("welcome_text").unwrap_or_default().replace("\r\n", "\n");
    let choice = |title: &&str| Choice { title: (*title).to_owned(), payload: (*title).to_owned() };
    settings.welcome.quick_replies =
        all("welcome_quick").iter().filter(|title| !title.is_empty()).map(choice).collect();
    settings.routing.on = on("routing");
    settings.routing.default = given("default").and_then(collection);
    let (words, places, origins) = (all("rule_words"), all("rule_collection"), all(ORIGIN));
    let before: HashMap<String, Rule> =
        std::mem::take(&mut settings.routing.rules).into_iter().map(|rule| (digest(&rule), rule)).collect();
    let mut made_from = Vec::new();
    for (at, (words, place)) in words.iter().zip(places).enumerate() {
        let keywords: Vec<String> =
            words.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        // A rule keeps what the form has no field for.
        let origin = origins.get(at).copied().unwrap_or_default();
        let known = before.get(origin).cloned().unwrap_or_default();
        let when = Condition { keywords, ..known.when.clone() };
        if when == Condition::default() {
            continue;
        }
        let name = if known.name.is_empty() { (*words).chars().take(60).collect() } else { known.name.clone() };
        settings.routing.rules.push(Rule { name, when, collection: collection(place), ..known });
        made_from.push(origin.to_owned());
    }
    let assistant = &mut settings.assistant;
    assistant.on = on("assistant");
    assistant.base_url = given("base_url").unwrap_or_default().to_owned();
    assistant.model = given("model").unwrap_or_default().to_owned();
    assistant.instructions = given("instructions").unwrap_or_default().replace("\r\n", "\n");
    assistant.disclosure = given("disclosure").unwrap_or_default().to_owned();
    assistant.hand_over_text = given("hand_over_text").unwrap_or_default().to_owned();
    made_from
}

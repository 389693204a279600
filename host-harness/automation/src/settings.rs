//! Owns: what an account's automation is told to do, and whether that makes sense.
//! Does not own: storing it, doing it.

use std::collections::BTreeMap;

use harness_contract::Card;
use harness_engine::DirectClient;
use harness_inbox::{CollectionId, LabelId, UserId};
use serde::{Deserialize, Serialize};

use crate::words::is_language;

const MAX_RULES: usize = 100;
const MAX_LIST: usize = 50;
const MAX_TEXT: usize = 4_000;
const MAX_INSTRUCTIONS: usize = 32_000;
const MAX_NAME: usize = 100;

/// The automation of an account. Everything is off unless it is switched on.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Switches all of it on.
    pub on: bool,
    /// The greeting.
    pub welcome: Welcome,
    /// The rules that put conversations into collections.
    pub routing: Routing,
    /// The AI assistant.
    pub assistant: Assistant,
}

/// A greeting, once for each new conversation.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Welcome {
    /// Switches it on.
    pub on: bool,
    /// The text. Empty where a card is sent.
    pub text: String,
    /// Offered under the text.
    pub quick_replies: Vec<Choice>,
    /// Sent in place of the text.
    pub card: Option<Card>,
    /// A conversation is new again after so many days without a message. `None`: only the first message ever.
    pub again_after_days: Option<u32>,
}

/// Something to tap.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What the customer sees.
    pub title: String,
    /// What comes back.
    pub payload: String,
}

/// Rules, tried in order; the first that fits is used.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Routing {
    /// Switches it on.
    pub on: bool,
    /// The collection of conversations for which no rule fits.
    pub default: Option<CollectionId>,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// A rule and what it does.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// Its name in the log of decisions.
    pub name: String,
    /// What has to hold.
    pub when: Condition,
    /// The collection.
    pub collection: Option<CollectionId>,
    /// Labels to add.
    pub labels: Vec<LabelId>,
    /// One person, or several who take turns.
    pub assign: Vec<UserId>,
}

/// What has to hold: everything that is given. A list holds if one of its entries does.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Condition {
    /// How the customer came: `ad`, `link`, `product`, `post` … as the contract names it.
    pub referral: Vec<String>,
    /// The ids of ads.
    pub ad: Vec<String>,
    /// What the business put into its link or ad.
    pub ref_parameter: Vec<String>,
    /// An answer to a story.
    pub story_reply: Option<bool>,
    /// A public comment.
    pub comment: Option<bool>,
    /// Whole words, whatever their case and accents.
    pub keywords: Vec<String>,
    /// Languages of the text, as two-letter codes.
    pub languages: Vec<String>,
}

/// An assistant that answers through a language model.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Assistant {
    /// Switches it on.
    pub on: bool,
    /// Answers only in these collections. Empty: everywhere.
    pub collections: Vec<CollectionId>,
    /// The base address of an OpenAI-compatible interface, such as `https://api.example.com/v1`.
    pub base_url: String,
    /// The model's name there.
    pub model: String,
    /// What it knows and how it answers.
    pub instructions: String,
    /// The time limit of one call.
    pub timeout_seconds: u32,
    /// `None`: the model's own.
    pub temperature: Option<f64>,
    /// Ask for a JSON object through `response_format`. Switch it off for servers that refuse it.
    pub response_format: bool,
    /// The pause after the customer's last message before it answers.
    pub pause_seconds: u32,
    /// It answers after this time even if the customer goes on writing.
    pub longest_pause_seconds: u32,
    /// Calls in a day (UTC).
    pub calls_per_day: u64,
    /// Tokens in a day (UTC), as the model counts them. `None`: not counted.
    pub tokens_per_day: Option<u64>,
    /// Said with an answer, such as “This is an automatic answer.”
    pub disclosure: String,
    /// When it is said.
    pub disclose: Disclose,
    /// Answers before it hands over.
    pub max_turns: u32,
    /// An answer of which the model is less sure (0 to 1) is not sent; a person is asked.
    pub min_confidence: f64,
    /// The model is given the addresses of pictures.
    pub pictures: bool,
    /// Messages of the conversation that the model is given.
    pub history: u32,
    /// Words with which customers ask for a person, by language.
    pub person_words: BTreeMap<String, Vec<String>>,
    /// Said to the customer when it hands over. Empty: nothing.
    pub hand_over_text: String,
    /// One person, or several who take turns, to whom a conversation is assigned that it hands over.
    pub hand_over_assign: Vec<UserId>,
}

/// When an answer says that it is automatic.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Disclose {
    /// Never.
    Never,
    /// With the first answer.
    #[default]
    First,
    /// With each answer.
    Each,
}

impl Default for Assistant {
    fn default() -> Self {
        Self {
            on: false,
            collections: Vec::new(),
            base_url: String::new(),
            model: String::new(),
            instructions: String::new(),
            timeout_seconds: 60,
            temperature: None,
            response_format: true,
            pause_seconds: 4,
            longest_pause_seconds: 30,
            calls_per_day: 500,
            tokens_per_day: None,
            disclosure: String::new(),
            disclose: Disclose::First,
            max_turns: 10,
            min_confidence: 0.6,
            pictures: false,
            history: 20,
            person_words: person_words(),
            hand_over_text: String::new(),
            hand_over_assign: Vec::new(),
        }
    }
}

/// The usual words, which settings replace.
fn person_words() -> BTreeMap<String, Vec<String>> {
    let usual: [(&str, &[&str]); 9] = [
        ("de", &["mensch", "mitarbeiter", "mitarbeiterin", "echte person"]),
        ("en", &["human", "real person", "agent", "operator", "representative"]),
        ("es", &["persona real", "agente", "humano"]),
        ("fr", &["humain", "conseiller", "vraie personne"]),
        ("it", &["operatore", "persona reale", "umano"]),
        ("pl", &["człowiek", "konsultant", "z człowiekiem"]),
        ("pt", &["atendente", "humano", "pessoa real"]),
        ("tr", &["müşteri temsilcisi", "gerçek kişi"]),
        ("uk", &["людина", "оператор", "з людиною"]),
    ];
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    usual.iter().map(|(language, list)| ((*language).to_owned(), words(list))).collect()
}

/// Why settings were rejected.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Problem {
    /// The field, such as `routing.rules.0.name`.
    pub path: String,
    /// What is wrong and what is expected.
    pub message: String,
}

/// The settings make no sense.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the settings cannot be used: {}", .0.iter().map(|one| format!("`{}` {}", one.path, one.message)).collect::<Vec<_>>().join("; "))]
pub struct WrongSettings(pub Vec<Problem>);

impl Settings {
    /// Checks the settings. `direct` says which addresses this host may call.
    pub fn check(&self, direct: &DirectClient) -> Result<(), WrongSettings> {
        let mut found = Found::default();
        self.welcome.check(&mut found);
        self.routing.check(&mut found);
        self.assistant.check(direct, &mut found);
        if found.0.is_empty() { Ok(()) } else { Err(WrongSettings(found.0)) }
    }

    /// Whether anything is switched on.
    pub fn acts(&self) -> bool {
        self.on && (self.welcome.on || self.routing.on || self.assistant.on)
    }
}

#[derive(Default)]
struct Found(Vec<Problem>);

impl Found {
    fn when(&mut self, wrong: bool, path: impl Into<String>, message: impl Into<String>) {
        if wrong {
            self.0.push(Problem { path: path.into(), message: message.into() });
        }
    }

    fn text(&mut self, text: &str, max: usize, path: impl Into<String>) {
        self.when(text.len() > max, path, format!("has {} bytes; at most {max} are allowed", text.len()));
    }

    fn list<T>(&mut self, list: &[T], path: impl Into<String>) {
        self.when(list.len() > MAX_LIST, path, format!("has {} entries; at most {MAX_LIST} are allowed", list.len()));
    }
}

impl Welcome {
    fn check(&self, found: &mut Found) {
        let empty = self.text.trim().is_empty();
        found.when(self.on && empty && self.card.is_none(), "welcome.text", "is empty: give a text or a card");
        found.when(!empty && self.card.is_some(), "welcome.card", "stands beside a text: give one of the two");
        found.text(&self.text, MAX_TEXT, "welcome.text");
        found.list(&self.quick_replies, "welcome.quick_replies");
        for (number, choice) in self.quick_replies.iter().enumerate() {
            found.when(choice.title.trim().is_empty(), format!("welcome.quick_replies.{number}.title"), "is empty");
        }
        found.when(self.again_after_days == Some(0), "welcome.again_after_days", "is 0: at least one day, or null");
    }
}

impl Routing {
    fn check(&self, found: &mut Found) {
        let count = self.rules.len();
        found.when(count > MAX_RULES, "routing.rules", format!("has {count} rules; at most {MAX_RULES} are allowed"));
        for (number, rule) in self.rules.iter().enumerate() {
            let at = |field: &str| format!("routing.rules.{number}.{field}");
            found.when(rule.name.trim().is_empty(), at("name"), "is empty: the log names rules by it");
            found.text(&rule.name, MAX_NAME, at("name"));
            found.when(rule.when == Condition::default(), at("when"), "is empty: it would fit everything");
            let nothing = rule.collection.is_none() && rule.labels.is_empty() && rule.assign.is_empty();
            found.when(nothing, at("collection"), "is missing: a rule names a collection, labels or people");
            found.list(&rule.labels, at("labels"));
            found.list(&rule.assign, at("assign"));
            let Condition { referral, ad, ref_parameter, keywords, languages, .. } = &rule.when;
            for (name, list) in
                [("referral", referral), ("ad", ad), ("ref_parameter", ref_parameter), ("keywords", keywords)]
            {
                found.list(list, at(&format!("when.{name}")));
                let wrong = list.iter().any(|entry| entry.trim().is_empty() || entry.len() > MAX_NAME);
                let message = format!("has an entry that is empty or longer than {MAX_NAME} bytes");
                found.when(wrong, at(&format!("when.{name}")), message);
            }
            for language in languages.iter().filter(|language| !is_language(language)) {
                let shown = harness_contract::text::shown(language);
                let message = format!("has `{shown}`, which is no two-letter code of a language known here");
                found.when(true, at("when.languages"), message);
            }
        }
    }
}

impl Assistant {
    /// Whether it answers in conversations of this collection, or of none.
    pub(crate) fn answers_in(&self, collection: Option<CollectionId>) -> bool {
        self.collections.is_empty() || collection.is_some_and(|collection| self.collections.contains(&collection))
    }

    fn check(&self, direct: &DirectClient, found: &mut Found) {
        if self.on || !self.base_url.is_empty() {
            let problem = direct.check(&self.base_url).err();
            found.when(
                problem.is_some(),
                "assistant.base_url",
                problem.map(|error| error.to_string()).unwrap_or_default(),
            );
        }
        found.when(self.on && self.model.trim().is_empty(), "assistant.model", "is empty");
        found.text(&self.model, MAX_NAME, "assistant.model");
        found.text(&self.instructions, MAX_INSTRUCTIONS, "assistant.instructions");
        found.text(&self.disclosure, MAX_NAME.saturating_mul(4), "assistant.disclosure");
        found.text(&self.hand_over_text, MAX_TEXT, "assistant.hand_over_text");
        found.list(&self.hand_over_assign, "assistant.hand_over_assign");
        found.list(&self.collections, "assistant.collections");
        let within = |value: u32, least: u32, most: u32| !(least..=most).contains(&value);
        for (path, value, least, most) in [
            ("assistant.timeout_seconds", self.timeout_seconds, 1, 600),
            ("assistant.pause_seconds", self.pause_seconds, 0, 600),
            ("assistant.longest_pause_seconds", self.longest_pause_seconds, self.pause_seconds, 3_600),
            ("assistant.max_turns", self.max_turns, 1, 1_000),
            ("assistant.history", self.history, 1, 100),
        ] {
            found.when(within(value, least, most), path, format!("is {value}: expected {least} to {most}"));
        }
        found.when(!(0.0..=1.0).contains(&self.min_confidence), "assistant.min_confidence", "is not from 0 to 1");
        let temperature = self.temperature.is_some_and(|value| !(0.0..=2.0).contains(&value));
        found.when(temperature, "assistant.temperature", "is not from 0 to 2");
        let silent = self.disclose != Disclose::Never && self.on && self.disclosure.trim().is_empty();
        let message = "is empty: say that the answer is automatic, or set `disclose` to `never`";
        found.when(silent, "assistant.disclosure", message);
        for (language, words) in &self.person_words {
            let path = format!("assistant.person_words.{}", harness_contract::text::shown(language));
            let wrong = words.iter().any(|entry| entry.trim().is_empty() || entry.len() > MAX_NAME);
            found.when(wrong, path.clone(), format!("has an entry that is empty or longer than {MAX_NAME} bytes"));
            found.list(words, path);
        }
        let languages = self.person_words.len();
        found.when(languages > MAX_LIST, "assistant.person_words", "has too many languages; at most 50 are allowed");
    }
}

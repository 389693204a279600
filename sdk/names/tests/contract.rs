//! Checks that the names here and in the comments of `wit/` are the same, in the same order.
//! What belongs here is the comparison; the contract defines the meaning of a name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{collections::BTreeMap, fs};

use channel_names as names;

/// Every list of names, by the contract's name for its type.
const LISTS: &[(&str, &[&str])] = &[
    ("address-kind", names::address_kind::ALL),
    ("window-opener", names::window_opener::ALL),
    ("anomaly", names::anomaly::ALL),
    ("share-kind", names::share_kind::ALL),
    ("referral-source", names::referral_source::ALL),
    ("comment-place", names::comment_place::ALL),
    ("account-change", names::account_change::ALL),
    ("violation-code", names::violation_code::ALL),
    ("feature", names::feature::ALL),
    ("text-field", names::text_field::ALL),
    ("counted-item", names::counted_item::ALL),
];

const SOURCE: &str = include_str!("../src/lib.rs");
/// The list with a file of its own.
const FEATURE: (&str, &str) = ("feature", include_str!("../src/feature.rs"));

/// Whether a text has the form of a name.
fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The texts in backticks that have the form of a name.
fn quoted(comment: &str) -> Vec<String> {
    comment.split('`').skip(1).step_by(2).filter(|text| is_name(text)).map(str::to_owned).collect()
}

/// The type of every `type … = string;` of the contract, with the names in its comment.
fn of_contract() -> BTreeMap<String, Vec<String>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit");
    let mut found = BTreeMap::new();
    for file in fs::read_dir(folder).expect("the contract") {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "wit") {
            continue;
        }
        let mut comment = String::new();
        for line in fs::read_to_string(&path).unwrap().lines().map(str::trim) {
            if let Some(text) = line.strip_prefix("///") {
                comment.push_str(text);
                continue;
            }
            if let Some(name) = line.strip_prefix("type ").and_then(|rest| rest.strip_suffix(" = string;")) {
                let before = found.insert(name.to_owned(), quoted(&comment));
                assert_eq!(before, None, "{name} stands twice");
            }
            comment.clear();
        }
    }
    found
}

#[test]
fn every_name_of_the_contracts_comments_is_a_constant_and_no_other_is() {
    let contract = of_contract();
    let here: BTreeMap<String, Vec<String>> = LISTS
        .iter()
        .map(|(name, all)| ((*name).to_owned(), all.iter().map(|one| (*one).to_owned()).collect()))
        .collect();
    for (name, all) in &contract {
        assert!(!all.is_empty(), "the comment of `{name}` lists no names");
        assert_eq!(here.get(name), Some(all), "{name}: the comment in `wit/` and the list here must be the same");
    }
    assert!(here.keys().eq(contract.keys()), "{:?}\n{:?}", here.keys(), contract.keys());
}

#[test]
fn every_list_is_compared_and_holds_every_constant_under_its_own_name() {
    let mut modules: BTreeMap<&str, &str> = SOURCE
        .split("pub mod ")
        .skip(1)
        .filter_map(|module| Some((module.split([' ', ';']).next()?, module)))
        .collect();
    assert_eq!(modules.len(), LISTS.len());
    modules.extend([FEATURE]);
    for (name, all) in LISTS {
        let module = modules.get(name.replace('-', "_").as_str()).expect("a module for each list");
        let constants: Vec<(&str, &str)> = module
            .split("pub const ")
            .skip(1)
            .filter_map(|text| text.split_once(": &str = \""))
            .filter_map(|(constant, rest)| Some((constant, rest.split_once('"')?.0)))
            .collect();
        assert!(constants.iter().map(|(_, value)| value).eq(all.iter()), "{name}");
        for (constant, value) in constants {
            assert_eq!(constant.to_ascii_lowercase(), value, "{name}");
        }
    }
}

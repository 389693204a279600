//! `docs/instagram.md`: what the channel supports, how, and which test shows it. What belongs here is
//! making that page from the capabilities and the fixtures, and refusing a page that says something else.
//!
//! After a change: `UPDATE_DOCS=1 cargo test -p instagram-channel --test reference_page`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use common::*;
use instagram_channel::capabilities;
use std::fmt::{Debug, Write as _};
use std::{fs, path::PathBuf};

/// The promises of a product page for this channel: what, how, shown by which tests.
const PROMISES: &[(&str, &str, &[&str])] = &[
    (
        "Text, send",
        "up to 1,000 bytes of UTF-8; longer texts are split where the sender allows it",
        &["a_text_may_have_1000_bytes_and_not_one_more", "a_long_text_is_cut_between_words_where_that_is_allowed"],
    ),
    (
        "Text, receive",
        "as it is written, whatever its escapes",
        &["everything_a_customer_does_is_in_the_inbox", "the_platforms_own_escaping_is_signed_and_read"],
    ),
    (
        "No HTML or Markdown",
        "refused or, if allowed, sent and reported as shown as typed",
        &["markup_is_flagged_because_it_is_shown_as_typed"],
    ),
    (
        "Images, send: JPEG, PNG, GIF",
        "by address, by id or as a file; up to ten in one message",
        &[
            "every_type_of_file_that_is_promised_is_taken_by_type_by_name_and_by_address",
            "a_file_of_the_hosts_is_uploaded_first_and_then_sent_by_its_id",
            "up_to_ten_images_fit_into_one_message_and_nothing_else_together",
        ],
    ),
    (
        "Images, receive",
        "stored after the message, by what the content is",
        &["a_photo_is_stored_by_what_its_content_is_and_handed_out_as_nothing_that_could_run"],
    ),
    (
        "Video, MP4 up to 25 MB",
        "both ways",
        &["the_declared_types_and_sizes_of_files_are_the_ones_that_are_checked", "every_fixture_reads_as_recorded"],
    ),
    (
        "Audio, AAC, M4A, WAV, MP3",
        "both ways; MP3 with a warning, because Meta's pages do not list it",
        &["mp3_is_sent_as_promised_with_a_warning_that_the_platform_does_not_list_it"],
    ),
    (
        "Documents, PDF only",
        "both ways",
        &[
            "a_wrong_type_is_refused_with_what_would_be_taken",
            "the_declared_types_and_sizes_of_files_are_the_ones_that_are_checked",
        ],
    ),
    (
        "Like heart, the only sticker",
        "both ways",
        &["every_declared_sticker_can_be_sent", "each_kind_of_part_becomes_the_documented_body"],
    ),
    (
        "Media share: post, reel, story",
        "received with id, title and link; story media is linked and never stored",
        &["a_shared_post_is_shown_once", "story_media_is_linked_and_never_stored"],
    ),
    (
        "Quick replies and carousels, not on the web",
        "sent and reported; refused under `strict`",
        &["what_is_not_shown_on_the_web_is_sent_and_reported_and_refused_under_strict_only"],
    ),
    (
        "Read receipts",
        "received; `mark-seen` is sent",
        &["a_signal_has_nothing_else_in_its_body", "everything_a_customer_does_is_in_the_inbox"],
    ),
    (
        "Policy enforcement",
        "an update of the account, `policy`, with Meta's reason",
        &["a_policy_notice_is_an_update_of_the_account_with_metas_reason"],
    ),
    ("Typing indicator", "sent, on and off", &["a_signal_has_nothing_else_in_its_body"]),
    ("Reactions, receive", "any emoji, and their removal", &["everything_a_customer_does_is_in_the_inbox"]),
    (
        "Message editing, deletion, location, contact cards, voice: no",
        "refused with a reason, absent from the capabilities",
        &[
            "what_instagram_does_not_have_is_refused_with_a_reason",
            "what_is_declared_rejected_is_rejected_and_what_is_hidden_is_degraded",
        ],
    ),
    (
        "24-hour window, the customer writes first",
        "computed from platform time; the platform's refusal counts more",
        &[
            "the_window_is_kept_by_platform_time_and_the_platforms_refusal_counts_more",
            "the_state_of_the_window_decides_who_may_write_and_under_which_tag",
        ],
    ),
    (
        "Human agents up to 7 days",
        "where the account has the feature; never a bot",
        &[
            "the_state_of_the_window_decides_who_may_write_and_under_which_tag",
            "the_hours_for_people_are_there_only_where_the_account_may_use_them",
        ],
    ),
    (
        "Ice breakers and the persistent menu",
        "written and removed through the API",
        &["ice_breakers_and_the_menu_are_written_by_either_login_and_removed_again"],
    ),
    (
        "Connecting with Facebook or with Instagram",
        "through Meta's dialogs; pages that cannot be used say why",
        &[
            "the_facebook_login_ends_with_pages_to_choose_from",
            "the_chosen_page_is_bound_with_a_token_of_its_own",
            "the_instagram_login_ends_with_the_account_whichever_form_the_answers_have",
            "a_page_that_cannot_be_used_is_listed_with_the_reason_and_refused_when_it_is_chosen_all_the_same",
        ],
    ),
    (
        "A connection that stays healthy",
        "tokens are renewed, and a check says what is wrong and what to do",
        &[
            "a_token_of_the_instagram_login_is_renewed_for_as_long_as_the_answer_says",
            "with_the_facebook_login_the_persons_token_renews_the_pages",
            "every_line_of_the_check_fails_for_its_own_reason_and_stops_no_other",
        ],
    ),
    (
        "Profiles of customers",
        "name, user name and picture; followers, who follows whom and whether verified as details, as far as Meta tells \
         them",
        &["a_profile_is_read_with_its_nulls", "a_profile_that_meta_withholds_says_whether_asking_again_may_help"],
    ),
    (
        "Past messages",
        "the newest 20 of each conversation, each once, whichever way it came",
        &[
            "a_message_of_the_archive_is_the_event_that_its_webhook_was",
            "everything_that_the_archive_shows_of_a_message_is_read",
        ],
    ),
    (
        "Removing the app, and asking for deletion",
        "both callbacks of Meta's, for every account that the person permitted",
        &[
            "a_person_who_removes_the_app_disconnects_and_our_own_unsubscribing_does_not",
            "a_demand_of_deletion_names_the_person_who_permitted_the_app",
        ],
    ),
    (
        "instagram_id, 15 to 17 digits",
        "kept as text; another form is kept and noted",
        &["an_unusual_contact_id_is_kept_and_noted", "ids_as_numbers_keep_every_digit"],
    ),
    (
        "Every error of the platform",
        "a category, a sentence, and whether to try again",
        &["every_row_of_the_table_of_errors_has_its_outcome", "every_refusal_has_its_category_and_a_sentence"],
    ),
];

/// The same in the inbox: what a person does, on which page, shown by which tests in a browser.
const PAGES: &[(&str, &str, &[&str])] = &[
    (
        "Connect Instagram",
        "`/channels`, then **Connect**: by Facebook or by Instagram, the page to choose, permissions, the test message",
        &[
            "a_person_connects_over_facebook_receives_answers_and_disconnects",
            "a_person_connects_over_instagram_receives_answers_and_disconnects",
        ],
    ),
    (
        "An account that does not appear, missing permissions",
        "on the page that connects, beside the account that cannot be chosen",
        &[
            "what_fails_is_said_in_words_for_people_and_can_be_tried_again",
            "a_choice_is_a_group_with_its_question_and_where_none_can_be_made_there_is_a_way_to_try_again",
        ],
    ),
    (
        "No messages arrive",
        "`/channels/{account}`: the check-up, with a button for what the host can do",
        &["the_check_up_offers_a_button_for_what_the_host_can_do_itself"],
    ),
    (
        "The customer writes first; 24 hours",
        "the ring at the head of a conversation and **Time to reply** beside it; the composer at the end of the window",
        &[
            "the_window_s_end_is_said_while_somebody_types_and_nothing_is_lost",
            "step_11_the_window_closes_with_the_clock",
            "answering_as_a_person_is_offered_only_where_the_account_may",
        ],
    ),
    (
        "Text",
        "the composer, with the bytes that are left",
        &[
            "what_a_customer_writes_appears_by_itself_and_an_answer_reaches_them",
            "what_the_channel_says_stands_beside_its_field_while_somebody_types",
        ],
    ),
    (
        "Images, video, audio, documents",
        "the paper clip, by pasting or dropping; in the thread as picture, player or file",
        &[
            "several_pictures_go_out_in_order_and_a_refused_file_says_what_would_be_taken",
            "a_refused_picture_that_the_browser_can_draw_is_offered_as_a_png_and_sent_so",
            "every_kind_of_message_is_shown_as_what_it_is",
            "step_4_photo_voice_and_heart_are_shown_as_what_they_are",
        ],
    ),
    ("Like heart", "the heart under the composer", &["step_4_photo_voice_and_heart_are_shown_as_what_they_are"]),
    (
        "Media share: post, reel, story",
        "a card in the thread, at the message that came with it",
        &["step_5_a_shared_post_and_an_answered_story_arrive_with_what_they_are_about"],
    ),
    (
        "Quick replies and carousels, not on the web",
        "**Quick replies**, **Buttons** and **Cards** in the composer, with a preview of the phone",
        &[
            "quick_replies_and_cards_are_built_with_a_preview_of_the_phone",
            "buttons_under_a_text_are_built_with_a_preview_and_their_problems_beside_them",
            "step_6_quick_replies_are_tapped_on_the_phone_and_not_shown_on_the_web",
            "a_card_s_button_is_tapped_on_the_phone_and_not_shown_on_the_web",
        ],
    ),
    ("Read receipts", "under the message that was read", &["step_3_what_the_customer_has_read_is_marked"]),
    (
        "Typing indicator",
        "shown to the customer while somebody or the assistant writes",
        &[
            "the_customer_sees_that_somebody_writes_before_anything_is_sent",
            "a_burst_is_one_turn_with_one_answer_that_says_who_made_it_and_reads_nothing",
        ],
    ),
    ("Reactions, receive", "on the message", &["a_reaction_and_reading_are_shown_on_both_sides"]),
    (
        "Editing, deletion, location, contact cards, voice: no",
        "absent from the composer, or grey with the reason; what a customer edits or unsends is marked",
        &["step_7_edited_and_unsent_messages_follow"],
    ),
    (
        "Welcome message, collection assignment, AI assistant",
        "`/bot/{account}`, with a try-out on a past conversation or on a message of one's own; `/bot/{account}/log` says what \
         was decided",
        &[
            "settings_are_tried_before_they_are_saved_and_nothing_is_sent",
            "somebody_writes_as_a_customer_and_sees_which_rule_decides_and_nothing_is_kept",
        ],
    ),
    ("instagram_id", "**Identifiers** beside the conversation", &["every_kind_of_message_is_shown_as_what_it_is"]),
];

/// The WIT's name of a case, from Rust's: `ThreadKind::Direct` is `direct`.
fn name(case: impl Debug) -> String {
    let debug = format!("{case:?}");
    let head = debug.split(['(', ' ']).next().unwrap();
    let case = head.rsplit("::").next().unwrap();
    let mut name = String::new();
    for letter in case.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

fn hours(milliseconds: Option<u64>) -> String {
    milliseconds.map_or_else(|| "–".to_owned(), |time| format!("{} h", time / 3_600_000))
}

fn row(page: &mut String, cells: &[String]) {
    writeln!(page, "| {} |", cells.join(" | ")).unwrap();
}

fn table(page: &mut String, heads: &[&str]) {
    writeln!(page, "\n| {} |", heads.join(" | ")).unwrap();
    writeln!(page, "|{}", "---|".repeat(heads.len())).unwrap();
}

fn page() -> String {
    let mut page = String::from(
        "# The Instagram channel\n\nMade from the component's capabilities and the recorded webhooks by \
         `plugin/tests/reference_page.rs`, which fails when this page says something else.\n\n## What is promised\n",
    );
    shown(&mut page, ["promise", "how"], PROMISES);
    page.push_str("\n## In the inbox\n\nWhat a person does without another program ([all pages](pages.md)).\n");
    shown(&mut page, ["what", "on which page"], PAGES);
    let capabilities = capabilities(None);
    page.push_str("\n## Features\n\nWhat has no line is refused.\n");
    table(&mut page, &["feature", "direction", "support", "note", "not shown on"]);
    for line in &capabilities.features {
        let note = line.note.clone().unwrap_or_default();
        let cells = [line.feature.clone(), name(line.direction), name(line.level), note, line.not_shown_on.join(", ")];
        row(&mut page, &cells);
    }
    page.push_str("\n## Limits\n");
    table(&mut page, &["of", "at most", "unit"]);
    for limit in &capabilities.text_limits {
        row(&mut page, &[limit.field.clone(), limit.limit.max.to_string(), name(limit.limit.unit)]);
    }
    for limit in &capabilities.count_limits {
        row(&mut page, &[limit.item.clone(), limit.max.to_string(), "items".to_owned()]);
    }
    table(&mut page, &["files", "direction", "types", "bytes at most"]);
    for rule in &capabilities.media_rules {
        row(&mut page, &[name(rule.kind), name(rule.direction), rule.types.join(", "), rule.max_size.to_string()]);
    }
    page.push_str(
        "\n## The window\n\nWithout a row, an action opens nothing. People may write for longer \
         than the window is open only on accounts with `human-agent`.\n",
    );
    table(&mut page, &["the customer's action", "open for", "uncertain until", "people until"]);
    for rule in &capabilities.window.rules {
        let times = [rule.open_for, rule.uncertain_until, rule.human_until].map(hours);
        row(&mut page, &[vec![rule.opener.clone()], times.to_vec()].concat());
    }
    page.push_str("\n## Pace\n");
    table(&mut page, &["class", "for each", "steps", "in milliseconds"]);
    for rate in &capabilities.rates {
        row(&mut page, &[rate.class.clone(), name(rate.scope), rate.count.to_string(), rate.period.to_string()]);
    }
    page.push_str(
        "\n## Webhooks\n\nEach is recorded in `plugin/tests/fixtures`; `every_fixture_reads_as_recorded` holds its \
         typed form against `plugin/tests/snapshots`.\n",
    );
    table(&mut page, &["recorded webhook", "becomes", "opens"]);
    for fixture in fixtures() {
        let events = events(self::fixture(&fixture));
        let bodies = events.iter().map(|event| name(&event.body)).collect::<Vec<_>>().join(", ");
        let opens = events.iter().filter_map(|event| event.opens.clone()).collect::<Vec<_>>().join(", ");
        row(&mut page, &[fixture.replace('_', " "), bodies, opens]);
    }
    page
}

fn shown(page: &mut String, [what, how]: [&str; 2], rows: &[(&str, &str, &[&str])]) {
    table(page, &[what, how, "shown by"]);
    for (what, how, tests) in rows {
        let tests = tests.iter().map(|test| format!("`{test}`")).collect::<Vec<_>>().join(", ");
        row(page, &[(*what).to_owned(), (*how).to_owned(), tests]);
    }
}

fn fixtures() -> Vec<String> {
    let folder = format!("{}/tests/fixtures", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

#[test]
fn the_page_says_what_the_channel_does() {
    let path = root().join("docs/instagram.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/instagram.md is out of date: UPDATE_DOCS=1 cargo test -p instagram-channel --test reference_page"
    );
}

#[test]
fn every_promise_names_tests_that_exist() {
    let sources: String = ["plugin/tests", "tests", "tests/automation", "tests/pages"]
        .iter()
        .flat_map(|folder| fs::read_dir(root().join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for test in PROMISES.iter().chain(PAGES).flat_map(|(_, _, tests)| *tests) {
        assert!(sources.contains(&format!("fn {test}(")), "{test}");
    }
}

//! The promises of a store, as tests for any store; `store_conformance!` generates a test from each. Other stores
//! include this folder by its path. Not here: what is specific to one store, such as its files and what remains in
//! them.

mod accounts;
mod automations;
mod continued;
mod deliveries;
mod desk;
mod feed;
mod files;
mod lists;
mod organisation;
mod outbox;
mod parts;
mod place;
mod scripts;
mod search;
mod stage;
mod users;
mod webhooks;

pub(crate) use accounts::*;
pub(crate) use automations::*;
pub(crate) use continued::*;
pub(crate) use deliveries::*;
pub(crate) use desk::*;
pub(crate) use feed::*;
pub(crate) use files::*;
pub(crate) use lists::*;
pub(crate) use organisation::*;
pub(crate) use outbox::*;
pub(crate) use parts::*;
pub(crate) use place::Place;
pub(crate) use scripts::*;
pub(crate) use search::*;
pub(crate) use users::*;
pub(crate) use webhooks::*;

/// Generates a test from each promise. The argument is an expression that creates a fresh [`Place`].
macro_rules! store_conformance {
    ($place:expr) => {
        store_conformance! { @tests $place;
            accepted_deliveries_survive_a_restart_once_and_in_order
            an_event_is_applied_once_however_often_it_is_delivered
            a_batch_is_applied_in_the_order_of_its_deliveries
            a_delivery_speaks_for_no_other_account_than_its_proof
            a_parked_delivery_is_queued_when_its_account_is_connected
            of_parked_deliveries_the_oldest_beyond_the_bounds_are_emptied
            failed_deliveries_are_kept_and_queued_for_another_component
            what_became_of_a_batch_is_written_down_together
            a_callback_is_taken_once_and_answered_alike
            what_became_of_a_delivery_is_found_with_the_component_that_read_it
            the_counts_are_of_what_is_there
            a_delivery_is_counted_once_wherever_it_is_at_the_moment
            applied_deliveries_are_emptied_after_their_time_and_no_others
            the_feed_numbers_changes_in_the_order_of_their_commits_without_gaps
            a_change_is_told_once_with_the_rows_that_it_concerns
            nothing_is_told_of_what_changed_nothing
            a_reader_goes_on_where_it_stopped_after_a_restart
            a_reader_that_was_away_for_too_long_is_told_so
            a_reader_of_one_workspace_sees_nothing_of_others
            an_address_is_due_until_it_was_told_everything
            an_address_that_fails_waits_and_ends_with_a_reason
            a_key_asks_for_one_reply
            a_queued_reply_is_in_the_timeline_at_once
            a_step_is_begun_once_and_ends_with_a_name
            an_interrupted_step_is_in_doubt_until_somebody_settles_it
            a_look_at_the_archive_proves_what_arrived
            an_echo_confirms_its_step_and_shows_one_message
            each_part_of_one_request_is_a_message_with_its_own_id
            each_message_of_a_part_that_is_several_is_known_by_its_own_id
            what_a_request_leaves_does_not_replace_what_came_in_meanwhile
            parts_that_are_one_message_go_together
            a_reply_is_rendered_anew_from_a_step_on_and_what_was_sent_stays
            an_answer_may_name_the_thread_in_which_the_message_stands
            a_conversation_of_several_people_is_known_by_its_thread
            what_an_erased_person_wrote_among_several_is_gone_and_the_rest_stays
            a_person_with_another_id_keeps_the_conversation
            an_edit_may_replace_attachments_and_context
            accounts_take_turns_and_a_conversation_keeps_its_order
            a_pause_holds_what_belongs_to_its_scope_and_nothing_else
            a_clock_set_back_makes_waiting_replies_due_earlier
            the_next_due_time_is_the_first_one_later
            an_account_keeps_its_conversations_when_it_is_connected_again
            what_belongs_to_an_earlier_connection_changes_nothing
            a_channel_remembers_within_its_bounds_and_for_one_account
            a_person_who_is_erased_is_gone_and_the_request_says_so
            an_older_link_never_replaces_a_newer_one
            a_file_is_downloaded_once_and_its_copy_goes_with_its_message
            a_file_to_be_sent_stays_while_a_reply_names_it
            a_period_that_somebody_set_is_kept_until_it_is_given_back
            a_decision_about_a_change_is_made_once_with_all_that_it_does
            a_turn_is_due_after_a_pause_and_ends_unless_the_customer_went_on
            a_conversation_that_is_closed_goes_back_to_the_assistant
            settings_keys_positions_and_budgets_are_kept
            pages_of_a_list_hold_everything_once
            what_is_unsent_is_shown_by_nothing_whichever_came_first
            the_window_follows_what_the_customer_did
            a_person_signs_in_by_their_address_in_any_case_and_an_address_is_one_persons
            a_disabled_person_is_out_at_once_and_a_workspace_keeps_an_admin
            a_session_ends_by_its_time_by_leaving_and_by_another_password
            an_invitation_is_accepted_once_and_lets_a_forgetful_person_back_in
            a_provider_s_person_is_one_person_here_whatever_their_address_becomes
            the_browsers_used_last_are_remembered_for_each_person
            every_row_knows_its_workspace_and_an_account_does_not_change_it
            changes_of_people_are_told_to_their_workspace
            a_timeline_shows_files_and_reactions_with_their_message
            a_customer_who_writes_opens_what_was_closed_or_snoozed
            a_snoozed_conversation_is_opened_at_its_time
            a_customer_who_writes_after_the_closing_begins_anew_where_the_team_wants_it
            what_is_no_new_word_after_the_closing_begins_nothing
            a_word_that_the_history_brought_first_begins_anew_once_it_comes_live
            what_happens_to_earlier_messages_happens_in_the_earlier_conversation
            whoever_reads_the_new_conversation_has_read_the_old_one
            nothing_more_is_written_in_a_conversation_that_goes_on_in_another
            conversations_of_a_person_stay_in_a_row_whatever_the_person_is_called
            a_thread_that_moves_takes_its_earlier_conversations_along
            in_whatever_order_things_happen_every_word_is_in_one_conversation
            every_filter_of_the_list_shows_what_it_says_and_pages_end_where_the_next_begin
            a_list_of_unread_conversations_follows_their_messages
            a_list_by_label_has_the_newest_conversation_first_whoever_wrote_in_it
            the_first_page_of_a_label_has_where_something_happened_last
            a_person_who_gets_an_id_keeps_what_the_team_made_of_the_conversation
            a_note_stays_with_its_conversation_and_goes_with_it
            a_note_is_written_once_for_its_key
            a_saved_view_is_its_owner_s_or_the_workspace_s_and_nobody_else_s
            a_mention_is_there_for_whom_it_names_until_they_have_seen_it
            names_are_unique_in_their_workspace_and_a_deleted_one_is_nowhere
            whatever_the_team_changes_stands_in_the_feed
            messages_are_found_by_the_beginnings_of_their_words_in_every_language
            a_search_finds_what_is_there_now_and_nothing_that_was_taken_back
            a_conversation_is_found_by_its_name_and_by_its_messages
            a_search_crosses_into_no_other_workspace
        }
    };
    (@tests $place:expr; $($promise:ident)*) => {
        $(
            #[tokio::test]
            async fn $promise() {
                suite::$promise(&$place).await;
            }
        )*
    };
}

pub(crate) use store_conformance;

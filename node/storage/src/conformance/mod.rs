//! What every store must do, as plain functions over the ports: the definition that `embedded` and `postgres` are held to.
//!
//! Each function makes organizations of its own, so all of them can share one database and run side by side. The list
//! of them is in [`conformance_suite!`](crate::conformance_suite), once.
#![doc(hidden)]

pub mod agents;
pub mod agents_list;
pub mod agents_search;
pub mod atomicity;
pub mod audit_list;
pub mod audit_trail;
pub mod authors;
pub mod clients;
pub mod concurrency;
pub mod credentials;
pub mod isolation;
pub mod organizations;
pub mod outbox;
pub mod rotation;
pub mod uses;
mod values;
pub mod world;

/// Hands the names of all functions of the suite, by module, to the macro that is named.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_suite {
    ($run:ident) => {
        $run! {
            agents {
                an_agent_is_found_as_it_was_registered
                every_type_environment_and_status_comes_back
                a_registration_leaves_an_audit_event_and_a_message
                an_email_is_taken_only_once
                two_organizations_may_use_one_email
                an_unknown_agent_is_not_found
                an_update_replaces_every_field
                an_update_of_another_revision_is_refused
                an_update_of_an_unknown_agent_is_refused
                an_update_to_a_taken_email_is_refused
                a_decommissioned_agent_has_no_credentials_left
                a_decommissioned_agent_gives_its_email_back
                a_decommissioning_of_another_revision_revokes_nothing
                a_decommissioning_of_an_unknown_agent_is_refused
                times_before_1970_and_far_ahead_come_back
            }
            agents_list {
                agents_come_oldest_first_and_by_id_within_an_instant
                pages_cover_the_list_without_overlap
                an_organization_without_agents_has_an_empty_list
                each_filter_alone_and_all_together
                an_owner_is_matched_exactly
            }
            agents_search {
                a_search_looks_into_email_owner_and_capabilities_and_nothing_else
                a_search_ignores_case_beyond_ascii_too
                a_search_takes_no_character_for_a_wildcard
                a_search_is_text_and_never_sql
                texts_with_nul_find_nothing
            }
            credentials {
                a_credential_is_found_as_it_was_created
                no_scopes_and_the_empty_set_are_different
                a_credential_of_an_unknown_agent_is_refused
                a_credential_is_found_only_under_its_agent
                credentials_come_oldest_first_in_pages
                credentials_are_filtered_by_status
                a_credential_is_revoked_once
                an_unknown_credential_can_not_be_revoked
                every_write_leaves_an_audit_event_and_a_message
            }
            rotation {
                a_rotation_without_overlap_kills_the_old_secret
                a_rotation_with_overlap_keeps_the_old_secret_for_a_while
                the_next_rotation_forgets_the_secret_before_the_last
                a_rotation_sets_and_clears_the_expiry
                a_revoked_credential_can_not_be_rotated
                an_unknown_credential_can_not_be_rotated
                a_revocation_forgets_the_former_secret
            }
            uses {
                a_use_is_noted_and_never_moves_back
                the_latest_of_several_uses_counts
                uses_of_unknown_credentials_are_ignored
            }
            clients {
                an_unknown_client_is_not_there
                a_client_comes_with_its_organization_and_credentials
                a_client_without_credentials_is_there
                suspended_and_decommissioned_clients_are_there
                revoked_credentials_are_left_out_and_expired_ones_are_not
                a_former_secret_comes_along_during_its_overlap
            }
            authors {
                an_active_author_may_change_everything
                an_author_that_is_suspended_or_decommissioned_changes_nothing
                an_author_whose_credential_is_revoked_changes_nothing
                an_author_whose_credential_has_expired_changes_nothing
                an_author_whose_organization_is_suspended_changes_nothing
                an_author_with_a_credential_of_another_agent_changes_nothing
                an_author_of_another_organization_changes_nothing
                an_author_may_end_itself
                of_two_agents_that_suspend_each_other_one_wins
                an_organization_is_not_created_by_an_author_that_is_not_active
                an_agent_has_no_more_active_credentials_than_allowed
                credentials_that_are_made_at_once_are_no_more_than_allowed
            }
            organizations {
                an_organization_is_found_by_id_and_by_slug
                every_setting_of_an_organization_comes_back
                a_slug_is_taken_only_once
                unknown_organizations_are_not_found
                a_slug_is_text_and_never_sql
                a_creation_leaves_an_audit_event_and_a_message
            }
            audit_trail {
                a_chain_starts_empty
                events_follow_from_each_other
                an_event_holds_what_was_recorded
                nothing_and_an_empty_text_are_different
                every_action_and_outcome_comes_back
                an_empty_batch_changes_nothing
                a_batch_for_several_organizations_keeps_its_order
                a_large_batch_is_one_chain
                an_event_id_is_taken_only_once
                an_event_id_twice_in_a_batch_is_refused
                metadata_comes_back_byte_for_byte
                large_metadata_comes_back
                times_of_events_come_back
                an_append_to_an_unknown_organization_is_refused
                an_unknown_event_is_not_found
                a_range_starts_after_and_ends_at_its_limit
            }
            audit_list {
                events_come_newest_first_by_sequence
                pages_of_events_cover_the_log
                each_audit_filter_alone_and_all_together
                an_agents_events_are_found_all_along_a_long_log
                bounds_in_time_are_inclusive
                a_cursor_walks_the_log_while_it_grows
                cursors_at_the_edges
                a_cursor_has_no_second_page
            }
            outbox {
                a_message_comes_back_as_it_was_written
                messages_come_in_the_order_of_their_writes
                a_page_goes_on_after_the_last_entry_of_the_one_before
                no_more_than_the_limit_is_answered
                what_is_complete_does_not_come_back
                unknown_and_complete_ids_are_ignored
            }
            isolation {
                agents_of_others_are_not_found_and_not_listed
                agents_of_others_can_not_be_changed
                credentials_of_others_are_not_found_and_not_listed
                credentials_for_agents_of_others_are_refused
                credentials_of_others_can_not_be_changed
                uses_of_credentials_of_others_are_not_noted
                audit_events_of_others_are_not_seen
                an_organization_that_does_not_exist_sees_nothing
                a_change_that_names_another_organization_is_refused
            }
            concurrency {
                many_appends_to_one_chain_leave_no_gap
                many_appends_to_several_chains_in_any_order_leave_no_gap
                of_many_updates_of_one_revision_one_wins
                updates_that_try_again_all_get_through
                of_many_registrations_of_one_email_one_wins
                of_many_creations_of_one_slug_one_wins
                of_many_revocations_one_wins
                of_many_appends_of_one_event_one_wins
                many_uses_at_once_leave_the_latest
                a_decommissioning_leaves_no_credential_that_was_made_meanwhile
                reading_goes_on_during_writes
            }
            atomicity {
                a_registration_is_whole_or_not_at_all
                an_update_is_whole_or_not_at_all
                a_decommissioning_is_whole_or_not_at_all
                a_new_credential_is_whole_or_not_at_all
                a_rotation_is_whole_or_not_at_all
                a_revocation_is_whole_or_not_at_all
                a_new_organization_is_whole_or_not_at_all
                a_batch_of_events_is_whole_or_not_at_all
                a_refused_row_leaves_no_event_and_no_message
            }
        }
    };
}

//! The conformance suite: what every store promises, as tests that take any store.
//!
//! An implementation calls [`crate::conformance_tests!`] with the path of an async function that opens a fresh, empty store;
//! each check becomes a test of its own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the suite is test code that lives where implementations reach it"
)]

mod access_keys;
mod audit;
mod change_log;
mod deletion;
mod desired;
mod device_codes;
mod every_write;
mod fence;
mod gates;
mod identity_providers;
mod kinds;
mod lists;
mod organization;
mod passkeys;
mod people;
mod random;
mod reading;
mod refresh_tokens;
mod revision_tokens;
mod second_factors;
mod secret_assets;
mod sessions;
mod signing_keys;
mod sorted;
mod told;
mod unique;
mod writes;

pub use access_keys::*;
pub use audit::*;
pub use change_log::*;
pub use deletion::*;
pub use desired::*;
pub use device_codes::*;
pub use every_write::*;
pub use fence::*;
pub use gates::every_method_refuses_a_permission_for_something_else;
pub use identity_providers::*;
pub use kinds::kinds_of_change;
pub use lists::*;
pub use organization::Organization;
pub use passkeys::*;
pub use people::*;
pub use random::RandomWrites;
pub use reading::*;
pub use refresh_tokens::*;
pub use revision_tokens::*;
pub use second_factors::*;
pub use secret_assets::*;
pub use sessions::*;
pub use signing_keys::*;
pub use unique::*;
pub use writes::*;

/// Makes one `#[tokio::test]` of every check. `$open` is an async function that answers a fresh `Arc<dyn Store>` and
/// whatever must live as long as it, or nothing where the database cannot be had here, which it has said loudly.
#[macro_export]
macro_rules! conformance_tests {
    ($open:path) => {
        $crate::conformance_tests! { @each $open;
            names_are_unique_in_their_scope,
            numbers_are_never_given_twice,
            a_rule_exists_once,
            a_rule_needs_a_subject_and_a_scope_that_exist,
            a_uid_stays_with_its_first_owner,
            an_email_rests_after_its_owner_went,
            a_one_time_code_is_used_once,
            a_passkey_is_its_owners_alone_and_counts_up,
            recovery_codes_stand_for_any_second_factor,
            a_restored_stores_passkeys_are_suspended,
            wrong_passwords_are_counted,
            a_password_that_an_administrator_made_is_temporary,
            the_last_local_administrator_stays,
            a_changed_password_ends_every_session_before_it,
            one_session_ends_and_the_others_go_on,
            a_session_says_what_the_sign_in_showed,
            a_subject_has_so_many_sessions_at_most,
            a_service_account_goes_on_with_its_session,
            sessions_that_ended_are_forgotten_later,
            a_refresh_token_is_replaced_by_its_use,
            a_lost_answer_is_given_again_for_a_minute,
            of_two_who_show_one_refresh_token_one_replaces_it,
            a_refresh_token_is_over_with_its_session,
            a_device_is_signed_in_once_by_who_typed_its_code,
            a_device_that_asks_too_early_waits_longer,
            so_many_devices_wait_at_a_time,
            after_some_wrong_user_codes_none_is_looked_at,
            a_uid_of_an_identity_provider_is_nobody_elses,
            one_person_is_known_by_issuer_and_subject_alone,
            an_account_has_so_many_identity_providers_at_most,
            something_is_used_once,
            a_session_goes_on_as_its_provider_says_and_ends_with_it,
            keys_are_used_one_after_the_other,
            a_withdrawn_key_is_gone_with_every_session,
            a_disabled_service_account_does_not_sign_in,
            an_access_key_is_its_owners_alone_and_ends_with_her,
            a_key_shows_what_a_session_of_its_owners_shows_and_rests_without,
            a_restored_stores_access_keys_are_suspended,
            a_deleted_users_rules_go_with_her,
            a_disabled_service_accounts_rules_leave_the_clusters,
            deleting_a_project_takes_its_rules_and_workloads_along,
            deleting_a_department_takes_its_projects_along,
            deleting_a_cluster_takes_everything_along,
            secret_assets_go_with_their_scope_and_outlive_their_credential,
            secret_assets_are_seen_by_scope_and_written_by_who_may,
            a_project_mounts_by_assets_of_the_narrowest_credential,
            a_namespace_stays_in_its_department,
            a_rule_reaches_the_clusters_it_holds_in,
            each_write_raises_a_touched_clusters_revision_by_one,
            what_changed_later_is_told_deletions_first,
            writes_at_the_same_time_leave_no_gap,
            a_cluster_resumes_from_a_revision_by_its_token_alone,
            old_revisions_are_forgotten_with_their_tombstones,
            a_uid_is_not_released_while_a_forgotten_workload_may_run,
            a_permission_for_one_thing_does_no_other,
            every_method_refuses_a_permission_for_something_else,
            a_refused_write_leaves_nothing_behind,
            every_change_is_in_the_audit_chain,
            every_write_is_in_the_audit_log,
            a_released_uid_is_free_and_only_when_nobody_has_it,
            a_restored_store_ends_everything_it_holds,
            what_a_write_says_it_added_is_what_is_read_of_it,
            eras_of_link_secrets_never_meet,
            one_of_two_fences_ends_a_restored_store,
            a_permission_of_before_a_change_is_refused,
            old_failed_attempts_are_pruned_and_the_chain_says_so,
            a_report_is_kept_when_it_says_something_new,
            an_address_that_is_reported_later_never_replaces_the_first,
            a_new_link_secret_replaces_the_old_one,
            lists_show_what_is_visible,
            clusters_and_assets_are_read_in_pages,
            lists_are_what_reading_everything_comes_to,
            policies_are_found_by_kind_scope_and_what_may_be_seen,
            pages_neither_repeat_nor_lose_a_row,
            the_comparison_of_lists_notices_faults,
            a_list_is_cut_by_what_is_visible_of_its_own_kind,
            of_what_is_above_something_visible_the_name_is_shown,
            the_directory_says_what_was_written,
            the_change_log_tells_all_that_changes,
            a_write_answers_what_it_logged,
            wide_changes_are_logged_in_parts,
            the_oldest_changes_are_forgotten,
        }
    };
    (@each $open:path; $($check:ident,)*) => {
        $(
            #[tokio::test]
            async fn $check() {
                let Some((store, _keep)) = $open().await else {
                    return;
                };
                $crate::conformance::$check($crate::conformance::Organization::new(store).await).await;
            }
        )*
    };
}

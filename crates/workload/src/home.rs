//! What a workload's person is called inside the container, and where the temporary home is.

use reeve_crds::desired::Workload;
use reeve_types::posix;

/// Whom it runs as, or who submitted it.
fn who(workload: &Workload) -> &str {
    workload
        .identity
        .as_ref()
        .map_or(workload.submitted_by.as_str(), |identity| identity.email.as_str())
}

/// What the person it runs as, or whoever submitted it, is called there ([`posix::user_name`]).
pub fn user_name(workload: &Workload) -> String {
    posix::user_name(who(workload))
}

/// Where the person's writable home is ([`posix::home_directory`]).
pub fn home_directory(workload: &Workload) -> String {
    posix::home_directory(who(workload))
}

//! What a workload's person is called inside the container, and where the temporary home is.

use reeve_crds::desired::Workload;
use reeve_types::posix;

/// What the person it runs as, or whoever submitted it, is called there ([`posix::user_name`]).
pub fn user_name(workload: &Workload) -> String {
    let who = workload
        .identity
        .as_ref()
        .map_or(workload.submitted_by.as_str(), |identity| identity.email.as_str());
    posix::user_name(who)
}

/// `/home/<name>` (cluster-and-cli 5.4: newer versions of the reference use the user's name).
pub fn home_directory(workload: &Workload) -> String {
    format!("/home/{}", user_name(workload))
}

//! What a workload's person is called inside the container, and where the temporary home is.

use reeve_crds::desired::Workload;

/// The local part of the email of the person it runs as, or of whoever submitted it, cut to what is safe in a path and in
/// `/etc/passwd`. Never `root`, which programs take for uid 0.
pub fn user_name(workload: &Workload) -> String {
    let who = workload
        .identity
        .as_ref()
        .map_or(workload.submitted_by.as_str(), |identity| identity.email.as_str());
    let local = who.split('@').next().unwrap_or_default();
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || "._-".contains(c) {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let name: String = local
        .chars()
        .map(safe)
        .skip_while(|c| !c.is_ascii_alphanumeric())
        .take(32)
        .collect();
    if name.is_empty() || name == "root" {
        "user".to_owned()
    } else {
        name
    }
}

/// `/home/<name>` (cluster-and-cli 5.4: newer versions of the reference use the user's name).
pub fn home_directory(workload: &Workload) -> String {
    format!("/home/{}", user_name(workload))
}

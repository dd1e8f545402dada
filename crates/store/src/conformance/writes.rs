//! Which methods of the store take an audit event, and which demand a permission, read from the traits themselves: what the suite
//! exercises is compared with that, so that a new method cannot be forgotten.

use super::AUDITED_WRITES;

/// The traits of this crate, as text.
const TRAITS: &[&str] = &[
    include_str!("../access_key.rs"),
    include_str!("../access_rule.rs"),
    include_str!("../audit.rs"),
    include_str!("../change.rs"),
    include_str!("../cluster.rs"),
    include_str!("../credential_asset.rs"),
    include_str!("../custom_role.rs"),
    include_str!("../department.rs"),
    include_str!("../desired.rs"),
    include_str!("../device_code.rs"),
    include_str!("../directory.rs"),
    include_str!("../fence.rs"),
    include_str!("../identity_provider.rs"),
    include_str!("../installation.rs"),
    include_str!("../passkey.rs"),
    include_str!("../project.rs"),
    include_str!("../refresh_token.rs"),
    include_str!("../second_factor.rs"),
    include_str!("../secret_asset.rs"),
    include_str!("../security_setting.rs"),
    include_str!("../service_account.rs"),
    include_str!("../session.rs"),
    include_str!("../signing_key.rs"),
    include_str!("../status.rs"),
    include_str!("../user.rs"),
    include_str!("../workload.rs"),
    include_str!("../workload_policy.rs"),
];

/// The methods whose arguments name one of these types.
fn taking(traits: &[&'static str], types: &[&str]) -> Vec<&'static str> {
    let mut names: Vec<_> = traits
        .iter()
        .flat_map(|text| text.split("async fn ").skip(1))
        .filter(|method| {
            let end = method.find(';').unwrap_or(method.len());
            let head = method.get(..end).unwrap_or_default();
            types.iter().any(|wanted| head.contains(wanted))
        })
        .filter_map(|method| method.split('(').next())
        .collect();
    names.sort_unstable();
    names
}

/// The methods that take an audit event.
fn audited(traits: &[&'static str]) -> Vec<&'static str> {
    taking(traits, &["AuditEntry"])
}

/// The methods that demand a permission, by their names in order.
pub(super) fn gated() -> Vec<&'static str> {
    taking(TRAITS, &["&Granted", "&Visible"])
}

/// Panics unless the suite writes by every method that takes an event, and every module was looked at.
pub fn the_suite_writes_by_every_method_that_takes_an_event() {
    let mut exercised = AUDITED_WRITES.to_vec();
    exercised.sort_unstable();
    assert_eq!(audited(TRAITS), exercised);
    let modules = include_str!("../lib.rs")
        .lines()
        .filter(|line| line.starts_with("pub mod "))
        .count();
    // Without traits: asset, conformance, error, gate, list.
    assert_eq!(TRAITS.len() + 5, modules);
    // A method that nobody exercises shows.
    assert_eq!(
        audited(&["async fn new(&self, entry: AuditEntry) -> X; async fn y();"]),
        ["new"]
    );
}

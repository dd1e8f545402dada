//! Everything that `reeve-authz` promises, from outside.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails; the helpers stand outside of #[test] functions"
)]

mod decisions;
mod denials;
mod granting;
mod lists;
mod oracle;
mod organization;
mod people;
mod planted;
mod previews;
mod rights;
mod roles_at_run_time;
mod sequences;
#[path = "../../build/table.rs"]
#[expect(dead_code, reason = "the build script reads more of it")]
mod table;
mod table_of_roles;

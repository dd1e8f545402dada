//! `reeve cluster`.

pub(in crate::commands) mod new_secret;
pub(in crate::commands) mod set_endpoint;
pub(in crate::commands) mod set_lowest_id;

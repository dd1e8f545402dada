//! `reeve cluster`.

pub(in crate::commands) mod bindings;
pub(in crate::commands) mod create;
pub(in crate::commands) mod install_info;
pub(in crate::commands) mod list;
pub(in crate::commands) mod new_secret;
pub(in crate::commands) mod objects;
pub(in crate::commands) mod permissions;
pub(in crate::commands) mod set_endpoint;
pub(in crate::commands) mod set_lowest_id;
mod switched;
pub(in crate::commands) mod withdraw_secret;

pub(in crate::commands) use objects::{id, only};

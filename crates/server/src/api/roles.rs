//! Roles: predefined, read only.

pub mod get;
pub mod list;

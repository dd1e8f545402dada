//! Projects.

pub(super) mod adopt;
pub(super) mod list;
pub(super) mod set;

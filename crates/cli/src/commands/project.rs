//! Projects.

pub(super) mod adopt;
pub(super) mod allow_networking;
pub(super) mod list;
pub(super) mod objects;
pub(super) mod pod_rules;
pub(super) mod set;

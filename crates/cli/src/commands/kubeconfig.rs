//! Access to clusters with kubectl.

pub(super) mod set;

//! `reeve uid`.

pub(in crate::commands) mod release;

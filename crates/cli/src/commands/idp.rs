//! `reeve idp`.

pub(in crate::commands) mod test;

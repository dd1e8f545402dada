//! Ways to sign in.

pub(super) mod user;

//! An authenticator of one's own, by REST: what it is about is in [`crate::own_authenticator`].

pub mod confirm;
pub mod create;
pub mod get;
pub mod remove;

//! An authenticator of one's own, by REST: made, confirmed, looked at and taken away.

pub mod confirm;
pub mod create;
pub mod get;
pub mod remove;

//! The operator's end of the link: dials out, writes what arrives as custom resources, tells how things stand.
//!
//! [`client`] speaks HTTPS; [`session`] is one connection; [`mirror`] writes batches; [`known`] remembers what was written,
//! where to resume from, and notices when somebody else changes it.

pub mod client;
pub mod known;
pub mod mirror;
pub mod pause;
pub mod session;

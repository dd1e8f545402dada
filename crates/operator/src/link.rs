//! The operator's end of the link: dials out, writes what arrives as custom resources, tells how things stand.
//!
//! [`client`] speaks HTTPS; [`session`] is one connection; [`mirror`] writes batches; [`known`] remembers what was written,
//! where to resume from, and notices when somebody else changes it. A process that has just started asks for everything.

pub mod client;
pub mod completing;
pub mod fingerprint;
pub mod known;
pub mod mirror;
pub mod pause;
mod resources;
pub mod retry;
pub mod session;

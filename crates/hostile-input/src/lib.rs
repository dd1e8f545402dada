//! What strangers send before anybody is signed in, and what is promised of it whatever they send. Development only.
//!
//! A [`Target`] is one reader of such input with its promise, as a function of bytes. Three things run it: `tests/it/replay.rs`, which
//! goes through the stored inputs and a fixed number of mutations of them at each run of the tests; `fuzz/`, which looks for new ones
//! guided by coverage (`make fuzz`); and the program of this crate, for one input that was found.
//!
//! Guarantees: a target has no clock, no network and no file, and whether it accepts an input does not depend on its keys, which
//! are made anew in each process: inputs name signed parts by number ([`script`]), so that stored ones stay good.
//!
//! Each promise has a receiver beside it that breaks it, so that a promise that nothing can break shows.

#![expect(
    clippy::unwrap_used,
    reason = "what the targets themselves make is right, or the target is wrong: development only"
)]

pub mod corpus;
mod json;
pub mod mutation;
mod saml;
pub mod script;
mod signer;
mod target;

pub use target::{Broken, Check, Outcome, TARGETS, Target};

//! The relying party from outside: tokens of a provider that signs whatever it is told, and claims in every shape.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are test code"
)]

mod claims;
mod logout;
mod modules;
mod names;
mod signer;

//! Tokens, forged in every way we could think of.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop the test they help")]

mod forgery;
mod tokens;

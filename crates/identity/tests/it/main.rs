//! Tokens, forged in every way we could think of.

mod forgery;
mod tokens;

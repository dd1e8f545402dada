//! Signing in.

pub mod grant;

//! The caller herself.

pub mod get;

//! What operators of the server ask.

pub mod healthz;
pub mod metrics;
pub mod readyz;

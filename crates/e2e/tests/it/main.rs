//! The whole stack, driven from outside: REST, the command line, kubectl, on a real Kubernetes with real containers.
//!
//! Tests share one stack and make people and projects of their own. Tests that stop a part or count every request have a
//! stack to themselves.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests, which fail by panicking; the exception for tests does not reach them"
)]

mod attacks;
mod charts;
mod cli;
mod crashes;
mod demo;
mod groups;
mod harness;
mod hijack;
mod identity;
mod images;
mod instead_of;
mod kserve;
mod link;
mod names;
mod operators_life;
mod ordinary_chart;
mod quiet;
mod rules;
mod scale;
mod scopes;
mod secret_volumes;
mod secrets;
mod several_pods;
mod skipping;
mod words;
mod wrong_input;

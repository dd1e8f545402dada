//! Tables from the contract, laws on random input, the quirks of the reference and what is done instead, and Pod Security on a
//! real API server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod anew;
mod artifact;
mod cache;
mod conditions;
mod config;
mod derived;
mod discovery;
mod engine;
mod gpu;
mod inference;
mod inspect;
mod labels;
mod laws;
mod metadata;
mod model;
mod names;
mod path;
mod plan;
mod pod_security;
mod quantity;
mod quirks;
mod seed;
mod select;
mod service;
mod source;
mod specs;
mod stamps;
mod things;

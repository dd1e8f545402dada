//! The service provider against an identity provider of our own making, attackers, naive receivers, `xmlsec1` and real
//! providers.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are test code"
)]

mod attacks;
mod attributes;
mod canonical;
mod encrypted;
mod fields;
mod metadata;
mod mutations;
mod naive;
mod outside;
mod provider;
mod receive;
mod request;
mod simplesamlphp;

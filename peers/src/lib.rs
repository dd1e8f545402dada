//! The decision engine beside other ways to answer the same questions.
//!
//! - [`comparison`]: millions of random questions and lists, with changes between them, to the engine, to a naive evaluator and to
//!   two encodings in Cedar. They must agree.
//! - `figures`, behind the feature of that name: the engine, both encodings in Cedar, regorus (`rego`) and casbin (`matcher`) on one rule set, in one run.
//!
//! Everything begins with an organization as plain data ([`plain`]). What a predefined role may do is read from the reviewed table
//! ([`rights`]), not from the engine. Of the engine nothing is used but its answers: [`engine`] alone names it.

pub mod cedar;
pub mod comparison;
pub mod engine;
#[cfg(feature = "figures")]
pub mod figures;
#[cfg(feature = "figures")]
pub mod matcher;
pub mod naive;
pub mod plain;
pub mod random;
#[cfg(feature = "figures")]
pub mod rego;
pub mod rights;

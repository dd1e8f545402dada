//! Downloads the files of a model into a claim: from the Hugging Face Hub, from S3, from another claim. The program of the download
//! Jobs of AIMArtifact, and of their size checks.
//!
//! | module | what |
//! |---|---|
//! | [`args`] | what it is told: an URI, environment variables |
//! | [`failure`] | what can be in the way, each with an exit code and a word that the operator reads |
//! | `uri`, `listing` | where files come from, and which they are |
//! | `hub`, `s3`, `claim`, `source` | the three places |
//! | `web` | requests for something small |
//! | `fetch`, `verify` | one file: resumed, watched, checked |
//! | `progress` | how far it is, in the artifact's status |
//! | [`run`] | all of it in order |
//!
//! **Promises.** What was downloaded before the program was killed is not downloaded again, where the server can resume and says by
//! its entity tag that the file is the same. A file has its name only when all of it is there. Each is checked against the digest
//! that its place gives, and one that does not fit is deleted, so that the next attempt gets it anew. Nothing is written outside of
//! the target. Credentials are sent to the place they are for; they are in no message.
//!
//! **Limits.** One file after another. Multipart objects of S3 have no digest that could be compared: their size is. Xet and the
//! other protocols of the Hub's Python client are not spoken: the Hub serves the same bytes over HTTP.

pub mod args;
mod claim;
pub mod failure;
mod fetch;
mod hub;
mod listing;
mod progress;
pub mod run;
mod s3;
mod source;
mod uri;
mod verify;
mod web;

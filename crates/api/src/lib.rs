//! The REST API as data: what goes over the wire, and which operations there are.
//!
//! **Purpose.** One description that the server's router, the rights matrix, the OpenAPI document and the command line share. Shapes, names and
//! status codes are the reference's (control-plane 4 and appendix A), so that its unmodified Python client works.
//!
//! **Guarantees.** Nouns go out ([`Project`](org::Project)), `Create…` comes in. What comes in is parsed by
//! [`Body::parse`]: unknown fields, and known fields that this version does not honour and that ask for something, are
//! refused by name and never ignored. Fields that the reference requires are always present in answers, `null` where
//! they may be. No refusal of a body repeats text of it: that may be a secret in the wrong place.
//!
//! **Limits.** No input or output: bytes and pairs of query text in, values out.

pub mod access_key;
pub mod access_rule;
pub mod audit_log;
pub mod authorization;
pub mod body;
pub mod cluster;
pub mod credential;
pub mod custom_role;
pub mod documents;
pub mod error;
pub mod health;
pub mod identity_provider;
pub mod kubernetes;
pub mod me;
pub mod offboarding;
pub mod openapi;
pub mod operation;
pub mod org;
pub mod passkey;
pub mod realm;
pub mod revealed_secret;
pub mod rights;
pub mod role;
pub mod secret_asset;
pub mod service_account;
pub mod setting;
pub mod signing_key;
pub mod token;
pub mod training;
pub mod user;
pub mod workload;
pub mod workload_policy;

pub use body::{Body, InvalidBody, TypedBody};
pub use error::{Accepted, ComplianceIssue, Count, ErrorBody, ErrorReason};
pub use operation::{
    Access, Answer, Method, OPERATIONS, Operation, OperationId, PathParameter, Query, Recorded, RequestBody,
};
pub use reeve_types::list::{self, ListQuery, ListSpec};
pub use revealed_secret::RevealedSecret;

/// The account's id: one installation is one account ("tenant" on the wire).
pub const TENANT_ID: i32 = 1;

/// An id for examples.
const EXAMPLE_UUID: &str = "123e4567-e89b-12d3-a456-426614174000";

/// Whether a field of an answer is left out.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes what it may skip by reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

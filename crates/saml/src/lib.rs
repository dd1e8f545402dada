//! The SAML 2.0 Web Browser SSO service provider: identity providers' metadata, our own, signed requests, and responses that
//! come back by the POST binding. Pure: the clock, the network, randomness and what was seen before are arguments.
//!
//! Guarantees, each with its reason in `docs/development/saml.md`:
//!
//! - An identity is read from nothing but the canonical octets whose digest a key of the provider's metadata signed, parsed
//!   afresh, by the same parser that verified them ([`Unspent`] is made nowhere else).
//! - A key comes from the stored metadata alone; `KeyInfo` of a message is never read. Algorithms are a closed list.
//! - What is sent is bounded in bytes, depth, elements and attributes before it is parsed ([`limits`]). Document types, entities,
//!   comments, processing instructions and CDATA sections in messages are refused.
//! - All times are judged with one clock skew, [`SKEW_SECONDS`].
//!
//! Not here: artifacts, logout, the SOAP binding, responses nobody asked for, CBC encryption, SHA-1 signatures.

mod algorithm;
mod assertion;
mod attributes;
pub mod canonical;
mod certificate;
mod encrypted;
mod error;
pub mod limits;
mod metadata;
mod replay;
mod request;
mod response;
mod service_provider;
mod sign_in;
mod signature;
mod time;
mod tree;
mod write;

pub use attributes::{Mappers, Person};
pub use certificate::Certificate;
pub use error::SamlError;
pub use metadata::{Binding, IdentityProvider};
pub use replay::{OneUse, ReplayCache, Seen, Unspent};
pub use request::{AuthnRequest, PostForm, RelayState, RequestId};
pub use response::Pending;
pub use service_provider::{NameIdFormat, ServiceProvider, ServiceProviderKey, SignedParts};
pub use sign_in::{NameId, SignIn};
pub use time::{MAX_ASSERTION_AGE_SECONDS, SKEW_SECONDS};

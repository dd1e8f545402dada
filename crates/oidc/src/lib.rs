//! The OpenID Connect relying party, and the OAuth client of OpenShift: what an identity provider says, from bytes to claims that were
//! checked.
//!
//! **Guarantees.** An ID token counts when it is signed with an asymmetric algorithm of a fixed list by a key that the provider
//! publishes, is from that provider, for this client and this sign-in, and within its time ([`id_token`]). A provider's addresses
//! are HTTPS, or on this machine where the provider is ([`provider`]). What was sent as groups is read in every shape that
//! providers use, and anything else is an error, never "no groups" ([`groups`]). Numbers are strict decimal, and two that differ
//! are an error ([`mapper`]). JSON in which a member comes twice is refused ([`json`]). OpenShift has no ID tokens: there somebody is whom
//! the cluster's API server says that an access token is of ([`openshift`]).
//!
//! **Limits.** No HTTP, no clock, no randomness: they come in as arguments. No implicit and no hybrid flow, no encrypted tokens,
//! no symmetric signatures, no signed UserInfo.

pub mod answer;
pub mod groups;
pub mod id_token;
pub mod json;
pub mod jws;
pub mod keys;
pub mod logout_token;
pub mod mapper;
pub mod openshift;
pub mod provider;
pub mod request;
mod roca;

pub use answer::{Callback, CallbackError, Sender, TokenAnswer};
pub use groups::{Groups, GroupsError};
pub use id_token::{Expected, IdTokenError, SKEW_SECONDS, verify};
pub use json::{Claims, InvalidJson};
pub use keys::{Keys, KeysError};
pub use logout_token::{LogoutToken, LogoutTokenError, verify_logout};
pub use mapper::{MandatoryClaim, Mapped, Mapper, MapperError};
pub use provider::{ClientAuthentication, Provider, ProviderError, discovery_address, document_address};
pub use request::{AuthorizationRequest, challenge_of};

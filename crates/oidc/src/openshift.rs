//! OpenShift 4: a cluster's OAuth server, which is no provider of OpenID Connect. There is no ID token, no nonce and no audience.
//!
//! **What stands in their place.** An access token is taken from the token endpoint alone, for a code that was asked for with PKCE, and
//! shown to the API server whose address was configured; whom that says it is of is who signed in. A token that somebody brings along
//! proves nothing: it may have been given to another client.
//!
//! **Who somebody is.** The address of the API server and the UID of the User object there. The name is not: a user that is deleted and
//! made again has another UID. What the metadata document says of its issuer is not either: nothing binds it to that address, so that one
//! cluster could give itself another's.

mod server;
mod user;

pub use server::{ApiServer, AuthorizationServer, SCOPE};
pub use user::{User, UserError, usual_mapper};

//! The relying party of Web Authentication (WebAuthn Level 3, sections 7.1 and 7.2): what a browser brings back when a passkey was made,
//! and when one was shown.
//!
//! **Promises.** A passkey counts for one relying party, one origin, one challenge and one kind of ceremony; its authenticator has to say
//! that a person was there and was verified (a PIN, a finger, a face), so that a passkey alone is two factors. A signature is looked at
//! with the key that was registered, by one of three algorithms (ES256, EdDSA with Ed25519, RS256). A counter that does not rise is refused.
//! What is not understood whole is refused: CBOR in the form that authenticators have to send (CTAP2), with nothing after its end, and
//! client data whose members come once.
//!
//! **Limits.** Whether a challenge was given, is young enough and was not used before is the caller's part, and so is keeping a counter
//! where two processes can raise it. No attestation is asked for: nothing here says which make an authenticator is. Extensions are read
//! past. No I/O, no clock, no randomness.

mod assertion;
mod authenticator_data;
mod cbor;
mod client_data;
mod public_key;
mod refused;
mod registration;
mod relying_party;
mod text;

pub use assertion::{Assertion, Kept, Used};
pub use public_key::{Algorithm, PublicKey};
pub use refused::Refused;
pub use registration::{Credential, Registration};
pub use relying_party::{Challenge, RelyingParty, User};
pub use text::encode;

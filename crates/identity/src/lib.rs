//! Who somebody is: passwords, client secrets, signing keys, tokens, and secrets at rest.
//!
//! **Guarantees.** Passwords are kept as argon2id hashes, computed behind a bounded queue, so that guessing starves nobody
//! ([`password`]). Client secrets have 256 random bits and are kept as keyed hashes ([`client_secret`]). Tokens are ES256
//! JWTs for exactly one of three kinds of audience that no other kind accepts ([`token`]), and their payload survives
//! clients that decode it with plain base64; refresh tokens follow from each other, so that only the hash of the last is kept
//! ([`refresh_token`]). A signing key is published before it signs, so that a rotation surprises nobody ([`keys`]). Every way of
//! signing in ends in one [`VerifiedIdentity`] ([`verified`]). What must be kept readable is sealed, bound to its row ([`seal`]).
//!
//! **Limits.** No HTTP and no database. The time comes in as an argument, randomness as a [`Random`]; keys of ECDSA and
//! nonces of AES-GCM are drawn inside the crypto library.

pub mod client_secret;
pub mod credential_keys;
pub mod keys;
pub mod master;
pub mod password;
pub mod random;
pub mod refresh_token;
pub mod seal;
pub mod token;
pub mod totp;
pub mod user_code;
pub mod verified;

pub use client_secret::{SecretHash, SecretHasher, generate_client_secret};
pub use credential_keys::{CredentialKeys, DERIVED_KEY, InvalidRing, OpenError};
pub use keys::{KeyRing, SigningKey};
pub use master::MasterKey;
pub use password::{
    LoginAttempt, PasswordError, PasswordHash, Passwords, WeakPassword, check_password, generate_password,
    network,
};
pub use random::{NoRandomness, Random};
pub use refresh_token::{RefreshToken, RefreshTokens};
pub use seal::{Binding, SealError, Sealer};
pub use token::{Audience, Claims, InvalidToken, SubjectKind, Verifier};
pub use user_code::UserCode;
pub use verified::{PosixSource, TooManyGroups, VerifiedIdentity, effective_posix};

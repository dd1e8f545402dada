//! Why an answer of a browser is refused.

/// Which check failed. For logs: whoever signs in is told nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A part that is no base64 for addresses without padding, or is too long.
    #[error("`{0}` is not base64url without padding, or is too long")]
    Text(&'static str),
    /// CBOR that is not in the form that CTAP2 demands, or more than one value.
    #[error("the CBOR is not one value in the form of CTAP2")]
    Cbor,
    /// Client data that is no JSON of that kind, or has a member twice.
    #[error("the client data cannot be read")]
    ClientData,
    /// Client data of the other ceremony.
    #[error("the client data is of another ceremony")]
    Ceremony,
    /// Another challenge.
    #[error("the challenge is another one")]
    Challenge,
    /// Another origin.
    #[error("the origin is another one")]
    Origin,
    /// A page inside of a page of another origin.
    #[error("the page was inside of one of another origin")]
    CrossOrigin,
    /// Authenticator data that is cut off, or has more than it says.
    #[error("the authenticator data cannot be read")]
    AuthenticatorData,
    /// For another relying party.
    #[error("the authenticator speaks to another relying party")]
    RelyingParty,
    /// Nobody was there.
    #[error("the authenticator did not see that a person was there")]
    NotPresent,
    /// Whoever was there was not verified.
    #[error("the authenticator did not verify the person")]
    NotVerified,
    /// Backed up, and not of a kind that is; or of another kind than when it was made.
    #[error("the authenticator says another thing of where the passkey can be kept")]
    Backup,
    /// A registration without a passkey.
    #[error("there is no passkey in the registration")]
    NoCredential,
    /// A passkey that is not the one that is spoken of.
    #[error("the passkey has another id")]
    CredentialId,
    /// A key of an algorithm that was not asked for, or no key.
    #[error("the public key is none of ES256, EdDSA with Ed25519 or RS256")]
    Key,
    /// An attestation, although none was asked for.
    #[error("the attestation is neither none nor of the passkey itself")]
    Attestation,
    /// A passkey that was registered for somebody else.
    #[error("the passkey is of another user, or does not say of whom")]
    UserHandle,
    /// A signature of another key, or over something else.
    #[error("the signature is not right")]
    Signature,
    /// A counter that did not rise: two have the same passkey.
    #[error("the counter did not rise: somebody may have a copy of the passkey")]
    Counter,
    /// No passkey of that id.
    #[error("there is no passkey of that id")]
    Unknown,
}

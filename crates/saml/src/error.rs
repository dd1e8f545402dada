//! Why something was refused.

use reeve_types::Timestamp;

use crate::time::{MAX_ASSERTION_AGE_SECONDS, SKEW_SECONDS};

/// The check that failed, in words for the administrator's log: what it is, what was found, what to configure. What others wrote
/// is cut to a printable length. No key, signature or plaintext is in it. It is not for the person at the browser.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each says what it and its fields are")]
pub enum SamlError {
    // Bounds and form.
    #[error(
        "{what} is larger than {max} bytes: let the identity provider send only the groups that access rules name, and use \
             the metadata of the provider alone"
    )]
    TooLarge { what: &'static str, max: usize },
    #[error("{what} has more than {max} {of}")]
    TooMany {
        what: &'static str,
        of: &'static str,
        max: usize,
    },
    #[error("{what} is not base64")]
    NotBase64 { what: &'static str },
    #[error("{what} is not UTF-8: let the identity provider write UTF-8")]
    NotUtf8 { what: &'static str },
    #[error("{what} contains {markup}, which is never accepted there")]
    Markup {
        what: &'static str,
        markup: &'static str,
    },
    #[error("{what} is not well-formed XML: {reason}")]
    Malformed { what: &'static str, reason: String },

    // Shape.
    #[error("`{within}` has no `{name}`, or an empty one")]
    Missing { name: &'static str, within: String },
    #[error("`{within}` has more than one `{name}`")]
    Several { name: &'static str, within: String },
    #[error("`{within}` contains `{name}`, which does not belong there")]
    Unexpected { name: String, within: String },
    #[error("`{element}` contains something besides text")]
    NotText { element: String },
    #[error(
        "the id `{id}` occurs twice, or an element has two: which one a signature means would be a guess"
    )]
    AmbiguousId { id: String },
    #[error("`{id}` is no usable id")]
    BadId { id: String },
    #[error("the document is a `{name}` and not a SAML 2.0 `Response`")]
    NotAResponse { name: String },
    #[error("`{element}` is of version {found}, and 2.0 is needed")]
    Version { element: &'static str, found: String },
    #[error("the response contains {count} assertions, and exactly one is accepted")]
    Assertions { count: usize },
    #[error(
        "there is a signature where none belongs: only one directly in the Response and one directly in the Assertion do"
    )]
    StraySignature,

    // Signatures.
    #[error("{needed} is not signed: let the identity provider sign it")]
    Unsigned { needed: &'static str },
    #[error(
        "`{uri}` is not accepted for {purpose}: let the identity provider use RSA or ECDSA with SHA-256, exclusive \
             canonicalization, and AES-GCM if it encrypts"
    )]
    Algorithm { purpose: &'static str, uri: String },
    #[error(
        "invalid signature: that of the {element} was made by none of the {known} keys of the identity provider's metadata; \
             if the provider's certificate was replaced, load its metadata again"
    )]
    UnknownKey { element: &'static str, known: usize },
    #[error(
        "invalid signature: the identity provider's certificate with SHA-256 {fingerprint} is valid from {not_before} to \
             {not_after} only; replace it at the provider and load its metadata again"
    )]
    CertificateExpired {
        fingerprint: String,
        not_before: Timestamp,
        not_after: Timestamp,
    },
    #[error("the signature in the {element} is about `{uri}` and not about the element that it is in")]
    Reference { element: &'static str, uri: String },
    #[error("the {element} was changed after it was signed")]
    Changed { element: &'static str },
    #[error("the namespace `{namespace}` is no absolute URI, so the document has no canonical form")]
    RelativeNamespace { namespace: String },
    #[error("the canonical form is empty")]
    EmptyCanonicalForm,

    // Encryption.
    #[error(
        "the assertion cannot be decrypted by any of our {keys} keys: give the identity provider our current metadata"
    )]
    CannotDecrypt { keys: usize },
    #[error(
        "the `{name}` is encrypted by itself, which is not supported: encrypt the whole assertion or nothing"
    )]
    EncryptedPart { name: &'static str },

    // What the response says.
    #[error("the identity provider refused the sign-in: {codes} `{message}`")]
    Status { codes: String, message: String },
    #[error("the Issuer of the {element} is `{found}`, and the metadata is that of `{expected}`")]
    Issuer {
        element: &'static str,
        found: String,
        expected: String,
    },
    #[error(
        "the {name} is `{found}`, and responses come to `{expected}`: correct the assertion consumer service URL at the \
             identity provider"
    )]
    Address {
        name: &'static str,
        found: String,
        expected: String,
    },
    #[error(
        "the InResponseTo of the {element} is `{found}`, which is not the request that this browser was sent with: sign-ins \
             begin here and not at the identity provider"
    )]
    InResponseTo { element: &'static str, found: String },
    #[error(
        "the Audience is `{found}`, and we are `{expected}`: correct the entity id (audience) at the identity provider"
    )]
    Audience { found: String, expected: String },
    #[error("the condition `{name}` is not understood, so it is not fulfilled")]
    Condition { name: String },
    #[error("`{text}` is no time for {what}: a date and time in UTC is needed, like 2026-11-28T12:00:00Z")]
    Time { what: &'static str, text: String },
    #[error(
        "{what} is {at}, and it is {now} here: compare both clocks, of which {SKEW_SECONDS} s of difference are allowed"
    )]
    NotYet {
        what: &'static str,
        at: Timestamp,
        now: Timestamp,
    },
    #[error(
        "{what} was over at {at}, and it is {now} here: sign in again, load metadata again, or compare both clocks \
             ({SKEW_SECONDS} s of difference are allowed; an assertion is good for {MAX_ASSERTION_AGE_SECONDS} s at most)"
    )]
    Expired {
        what: &'static str,
        at: Timestamp,
        now: Timestamp,
    },
    #[error(
        "{what} is {at}, before the request of {sent} that it answers: compare both clocks ({SKEW_SECONDS} s of difference \
             are allowed)"
    )]
    BeforeRequest {
        what: &'static str,
        at: Timestamp,
        sent: Timestamp,
    },
    #[error(
        "the NameID is transient, so nobody could be recognised at the next sign-in: let the identity provider send a \
             persistent one or the email"
    )]
    TransientName,
    #[error("the assertion `{id}` was used before")]
    Replayed { id: String },
    #[error("whether the assertion was used before cannot be said: {reason}")]
    ReplayCache { reason: String },

    // Attributes.
    #[error(
        "account not identified: the assertion has no attribute `{attribute}` for the email, but: {seen}; correct the mapper \
             or let the identity provider send it"
    )]
    NoEmail { attribute: String, seen: String },
    #[error("the attribute `{attribute}` says `{text}`, which is no email address that an account can have")]
    Email { attribute: String, text: String },
    #[error(
        "the attribute `{attribute}` says `{text}`, which is no {purpose}: digits alone are needed, one value each, without \
             spaces and leading zeros, within the ids that people can have"
    )]
    Number {
        purpose: &'static str,
        attribute: String,
        text: String,
    },
    #[error(
        "the attribute `{attribute}` has unlike values for one {purpose}: {values}; let the identity provider send one"
    )]
    Unlike {
        purpose: &'static str,
        attribute: String,
        values: String,
    },
    #[error("two attributes have the FriendlyName `{attribute}`: name the Name of one in the mapper")]
    FriendlyName { attribute: String },
    #[error("the attribute `{attribute}` has a value that is no text")]
    Structured { attribute: String },

    // Metadata and our own settings.
    #[error("the document is a `{name}` and no SAML metadata (EntityDescriptor or EntitiesDescriptor)")]
    NotMetadata { name: String },
    #[error("the metadata has no entity `{wanted}`; identity providers in it: {listed}")]
    NoSuchEntity { wanted: String, listed: String },
    #[error("the metadata has several identity providers; name one of them: {listed}")]
    SeveralEntities { listed: String },
    #[error("the metadata has no SAML 2.0 identity provider (IDPSSODescriptor); entities in it: {entity}")]
    NoProvider { entity: String },
    #[error("the metadata of `{entity}` has no signing certificate (KeyDescriptor with an X509Certificate)")]
    NoSigningKey { entity: String },
    #[error("a KeyDescriptor has certificates of different keys: write one KeyDescriptor for each key")]
    SeveralKeys,
    #[error("a KeyDescriptor is for `{found}`; `signing` and `encryption` are known")]
    KeyUse { found: String },
    #[error("the metadata of `{entity}` has no SingleSignOnService for {binding}")]
    NoBinding { binding: &'static str, entity: String },
    #[error("a certificate cannot be used: {reason}")]
    Certificate { reason: String },
    #[error("`{text}` is no address for {what}: an http or https URL without a fragment is needed")]
    BadAddress { what: &'static str, text: String },
    #[error(
        "`{text}` is no address for SingleSignOnService: https is needed, outside this machine, and a host of letters, digits, `-`, `_` and `.`"
    )]
    SignOnAddress { text: String },
    #[error("the service provider's entity id has to have 1 to {max} bytes")]
    EntityId { max: usize },
    #[error("the service provider's key cannot be used: {reason}")]
    Key { reason: &'static str },
    #[error("a relay state has 1 to {max} letters, digits, `-`, `_` and `.`")]
    RelayState { max: usize },
}

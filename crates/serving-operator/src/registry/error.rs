//! Why a registry gave no answer.

use reeve_serving::fault::{Category, Fault};
use reeve_serving::image::InvalidImageReference;

use super::address::RefusedAddress;

/// Why a registry gave no answer. Nothing that a registry wrote is in it but numbers: what it says is not shown to whoever may
/// read a status.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The text names no image.
    #[error(transparent)]
    Reference(#[from] InvalidImageReference),
    /// The host may not be asked.
    #[error("`{host}` is not asked: {why}")]
    Address {
        /// The host.
        host: String,
        /// Why.
        why: RefusedAddress,
    },
    /// The address is no web address, or not of HTTPS.
    #[error("`{host}` is asked over HTTPS only, and without a user's name in the address")]
    Scheme {
        /// The host.
        host: String,
    },
    /// The name of the host leads nowhere.
    #[error("the name of `{host}` leads nowhere")]
    UnknownHost {
        /// The host.
        host: String,
    },
    /// Nothing listens there.
    #[error("`{host}` refuses connections")]
    ConnectionRefused {
        /// The host.
        host: String,
    },
    /// The certificate of the host is not one that is trusted.
    #[error("the certificate of `{host}` is not trusted: its authority is to be named with --registry-ca")]
    Certificate {
        /// The host.
        host: String,
    },
    /// The connection broke, or what came was no HTTP.
    #[error("no answer from `{host}`: the connection broke")]
    Network {
        /// The host.
        host: String,
    },
    /// All of it took too long.
    #[error("`{host}` took longer than {seconds} s")]
    Late {
        /// The host.
        host: String,
        /// The bound.
        seconds: u64,
    },
    /// No credentials, or wrong ones.
    #[error(
        "`{host}` does not know us (401) or says no (403): {what} needs credentials, in one of imagePullSecrets"
    )]
    Auth {
        /// The host.
        host: String,
        /// What was asked for.
        what: &'static str,
        /// 401 or 403.
        status: u16,
    },
    /// It is not there.
    #[error("`{host}` has no such thing (404): {what}")]
    NotFound {
        /// The host.
        host: String,
        /// What was asked for.
        what: &'static str,
    },
    /// Asked too often.
    #[error("`{host}` was asked too often (429)")]
    RateLimited {
        /// The host.
        host: String,
    },
    /// Another status.
    #[error("`{host}` answered {status} when asked for {what}")]
    Status {
        /// The host.
        host: String,
        /// What was asked for.
        what: &'static str,
        /// The status.
        status: u16,
    },
    /// A redirect too many.
    #[error("`{host}` leads from one address to the next, more than {most} times")]
    Redirects {
        /// The host.
        host: String,
        /// The bound.
        most: usize,
    },
    /// More than is read.
    #[error("{what} of `{host}` is larger than is read: {most}")]
    TooLarge {
        /// The host.
        host: String,
        /// What was asked for.
        what: &'static str,
        /// The bound, in its unit.
        most: usize,
    },
    /// What came is not what its digest says.
    #[error("{what} of `{host}` is not what its digest says")]
    WrongDigest {
        /// The host.
        host: String,
        /// What was asked for.
        what: &'static str,
    },
    /// What came cannot be read.
    #[error("{what} of `{host}` cannot be read")]
    Unreadable {
        /// The host.
        host: String,
        /// What was asked for.
        what: &'static str,
    },
    /// The image is not for this kind of machine.
    #[error("the image has nothing for linux/amd64")]
    NoPlatform,
    /// ghcr.io lists packages only to who has a token.
    #[error(
        "ghcr.io lists packages only to who has a token: name a pull secret of ghcr.io in imagePullSecrets"
    )]
    NoToken,
    /// No HTTP client could be made.
    #[error("no HTTP client could be made: {0}")]
    Client(String),
}

impl RegistryError {
    /// One CamelCase word.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Reference(_) => "InvalidImageReference",
            Self::Address { .. } | Self::Scheme { .. } => "RegistryAddressRefused",
            Self::UnknownHost { .. } => "DNSFailure",
            Self::ConnectionRefused { .. } => "ConnectionRefused",
            Self::Certificate { .. } => "CertificateNotTrusted",
            Self::Network { .. } | Self::Client(_) => "NetworkError",
            Self::Late { .. } => "NetworkTimeout",
            Self::Auth { .. } | Self::NoToken => "RegistryUnauthorized",
            Self::NotFound { .. } => "ImageNotFound",
            Self::RateLimited { .. } => "RateLimited",
            Self::Status { .. } => "RegistryError",
            Self::Redirects { .. } => "RegistryRedirects",
            Self::TooLarge { .. } => "RegistryAnswerTooLarge",
            Self::WrongDigest { .. } => "ImageDigestMismatch",
            Self::Unreadable { .. } => "RegistryAnswerUnreadable",
            Self::NoPlatform => "ImagePlatformMissing",
        }
    }

    /// What is in the way of an object. All of it is of the category that is tried again, and leaves the object `Degraded`, as
    /// the reference does (quirk 22): the registry may be told otherwise without anybody telling us. The reason says more.
    pub fn fault(&self) -> Fault {
        Fault::new(Category::Infrastructure, self.reason(), self.to_string())
    }
}

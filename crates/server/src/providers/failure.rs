//! Why somebody cannot sign in through a provider: for the log.

use reeve_identity::TooManyGroups;
use reeve_oidc::openshift::UserError;
use reeve_oidc::{CallbackError, IdTokenError, KeysError, LogoutTokenError, MapperError, ProviderError};
use reeve_saml::SamlError;
use reeve_store::StoreError;

/// What went wrong, in words for administrators. Nothing of a token or secret is in them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Not reached.
    #[error("{what} of the provider cannot be read: {cause}")]
    Unreachable {
        /// What was asked for.
        what: &'static str,
        /// Why.
        cause: String,
    },
    /// Not an answer of use.
    #[error("{0} of the provider is not what it has to be: too long, no JSON, or of another content type")]
    Strange(&'static str),
    /// An error of the token endpoint.
    #[error(
        "the provider's token endpoint refused: `{word}` (status {status}); `invalid_client` is a wrong client id or secret"
    )]
    Refused {
        /// The status.
        status: u16,
        /// Its word.
        word: String,
    },
    /// The discovery document.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The keys.
    #[error(transparent)]
    Keys(KeysError),
    /// The redirect.
    #[error(transparent)]
    Callback(#[from] CallbackError),
    /// The ID token.
    #[error(transparent)]
    Token(#[from] IdTokenError),
    /// The logout token.
    #[error(transparent)]
    Logout(#[from] LogoutTokenError),
    /// There is none.
    #[error("the provider gave no ID token")]
    NoIdToken,
    /// There is none that can be shown.
    #[error("the provider gave no access token of the type `Bearer`")]
    NoAccessToken,
    /// Nobody of a cluster of OpenShift.
    #[error(transparent)]
    User(#[from] UserError),
    /// UserInfo of somebody else.
    #[error("UserInfo is of somebody else than the ID token")]
    UserInfoSubject,
    /// The claims.
    #[error(transparent)]
    Mapper(#[from] MapperError),
    /// SAML: metadata, response or attributes.
    #[error(transparent)]
    Saml(#[from] SamlError),
    /// The browser did not begin this.
    #[error(
        "this browser did not begin the sign-in, it took longer than ten minutes, or it was finished before"
    )]
    Attempt,
    /// The provider is gone or its settings cannot be read.
    #[error("there is no such identity provider, or its settings cannot be read")]
    NoProvider,
    /// What is kept here does not allow it.
    #[error(transparent)]
    Conflict(StoreError),
    /// More groups than a session can have.
    #[error(transparent)]
    Groups(#[from] TooManyGroups),
    /// The user was there a moment ago.
    #[error("the user was deleted meanwhile")]
    Deleted,
}

impl Failure {
    /// Whether the provider said that somebody is not, or not any more: and not that it is away.
    pub(crate) const fn is_final(&self) -> bool {
        !matches!(
            self,
            Self::Unreachable { .. }
                | Self::Strange(_)
                | Self::Provider(_)
                | Self::Keys(_)
                | Self::Saml(_)
                | Self::Conflict(_)
                | Self::Groups(_)
                | Self::Deleted
        ) && !matches!(self, Self::Refused { status: 500.., .. })
    }

    /// The status of the page, and what the person is told (control-plane 1.5). Which check it was is for the log.
    pub(crate) fn shown(&self) -> (u16, &'static str) {
        match self {
            Self::Mapper(MapperError::Email(_) | MapperError::Unverified)
            | Self::Saml(SamlError::NoEmail { .. } | SamlError::Email { .. }) => (
                401,
                "Your account was not identified: your organization's identity provider did not send a verified email address.",
            ),
            Self::Mapper(MapperError::Mandatory(_)) => (
                403,
                "Your organization's identity provider does not list you among those who may sign in here.",
            ),
            Self::Mapper(_)
            | Self::Saml(
                SamlError::Number { .. }
                | SamlError::Unlike { .. }
                | SamlError::FriendlyName { .. }
                | SamlError::Structured { .. }
                | SamlError::TransientName,
            ) => (
                403,
                "What your organization's identity provider says of you cannot be used.",
            ),
            Self::User(UserError::KubeAdmin) => (
                403,
                "kube:admin is the temporary administrator of the cluster and nobody's account. Sign in there as a user of an identity provider, or here with a local account.",
            ),
            Self::User(UserError::Colon | UserError::Uid) => (
                403,
                "This account of the cluster belongs to nobody. Sign in there as a user of an identity provider.",
            ),
            Self::Callback(CallbackError::Refused(_)) | Self::Saml(SamlError::Status { .. }) => {
                (403, "Your organization's identity provider refused the sign-in.")
            }
            Self::Attempt
            | Self::Callback(_)
            | Self::Saml(SamlError::InResponseTo { .. } | SamlError::Replayed { .. }) => (
                400,
                "This sign-in was not begun in this browser, took too long, or was finished before. Begin again.",
            ),
            Self::Conflict(_) | Self::Groups(_) | Self::Deleted => {
                (409, "Your account here cannot be used for this sign-in.")
            }
            Self::NoProvider => (404, "There is no such identity provider."),
            _ => (502, "Your organization's identity provider could not be used."),
        }
    }
}

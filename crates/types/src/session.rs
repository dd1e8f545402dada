//! Who can have a session, and how somebody came to one.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ServiceAccountId, UserId};

/// How many groups a session has at most. A sign-in that shows more is refused: a list that was cut would take rights away
/// that nobody took, and without a bound one person's list could fill the memory of every server.
pub const MAX_SESSION_GROUPS: usize = 1000;

/// Whose session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SubjectId {
    /// A user.
    User(UserId),
    /// A service account.
    ServiceAccount(ServiceAccountId),
}

/// How somebody signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SignInMethod {
    /// A local user's password. It shows no groups.
    Password,
    /// A local user's passkey, without the password. It shows no groups.
    Passkey,
    /// A service account's secret. It shows no groups.
    ClientSecret,
    /// A person's access key. It shows no groups of its own.
    AccessKey,
    /// An identity provider that speaks for a user, and says in which groups the user is.
    IdentityProvider,
}

impl SignInMethod {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Password,
        Self::Passkey,
        Self::ClientSecret,
        Self::AccessKey,
        Self::IdentityProvider,
    ];

    /// As it is kept and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Passkey => "passkey",
            Self::ClientSecret => "client-secret",
            Self::AccessKey => "access-key",
            Self::IdentityProvider => "identity-provider",
        }
    }
}

impl fmt::Display for SignInMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no way to sign in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no way to sign in")]
pub struct UnknownMethod(String);

impl FromStr for SignInMethod {
    type Err = UnknownMethod;

    fn from_str(text: &str) -> Result<Self, UnknownMethod> {
        let found = Self::ALL.into_iter().find(|method| method.as_str() == text);
        found.ok_or_else(|| UnknownMethod(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_reads_back_what_it_wrote() {
        for method in SignInMethod::ALL {
            assert_eq!(method.to_string().parse(), Ok(method));
            assert_eq!(serde_json::to_value(method).unwrap(), method.as_str());
        }
        assert!("magic".parse::<SignInMethod>().is_err());
    }
}

//! What a token says.

use std::fmt;

use reeve_types::kubernetes::{AUDIENCE_CLUSTER_PREFIX, AUDIENCE_LINK, AUDIENCE_REST};
use reeve_types::{ClusterId, Email, PosixIdentity, SessionId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// For whom a token is. No audience accepts another's tokens (admission R14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The REST API.
    Rest,
    /// The link between server and operator.
    Link,
    /// One cluster's API server.
    Cluster(ClusterId),
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rest => f.write_str(AUDIENCE_REST),
            Self::Link => f.write_str(AUDIENCE_LINK),
            Self::Cluster(id) => write!(f, "{AUDIENCE_CLUSTER_PREFIX}{id}"),
        }
    }
}

/// What kind of subject a token speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectKind {
    /// A user; `sub` is the user id.
    User,
    /// A service account; `sub` is its id.
    ServiceAccount,
    /// A cluster's operator; `sub` is the cluster's id.
    Cluster,
}

/// The claims of a token (control-plane 1.8). Numbers of an identity are decimal strings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The issuer: the public address and the realm's path.
    pub iss: String,
    /// The one audience.
    pub aud: String,
    /// The subject's id.
    pub sub: String,
    /// Ends: seconds since 1970.
    pub exp: i64,
    /// Made: seconds since 1970.
    pub iat: i64,
    /// The token's own id.
    pub jti: String,
    /// `Bearer`
    pub typ: String,
    /// The client it was given to.
    pub azp: String,
    /// User, service account or cluster.
    pub subject_type: SubjectKind,
    /// The account.
    pub tenant_id: String,
    /// In a token for REST: the session it belongs to, with which it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    /// In a token for the link: the number of the cluster's secret, with which it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<i64>,
    /// A user's email.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A user's email, a service account's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// In a token for a cluster: the user's groups that access rules of that cluster name, as they are called there. A token for
    /// REST has none: what counts there is the session.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The uid of the user's POSIX identity, as text; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// The primary group of the user's POSIX identity, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<String>,
    /// The supplementary groups of the user's POSIX identity.
    #[serde(
        default,
        rename = "supplementaryGroups",
        skip_serializing_if = "Option::is_none"
    )]
    pub supplementary_groups: Option<Vec<String>>,
}

impl Claims {
    /// A token of `seconds` from `now` on, for one audience.
    pub fn new(
        issuer: &str,
        audience: Audience,
        subject: (SubjectKind, &Uuid),
        client: &str,
        now: Timestamp,
        seconds: i64,
        id: Uuid,
    ) -> Self {
        Self {
            iss: issuer.to_owned(),
            aud: audience.to_string(),
            sub: subject.1.to_string(),
            exp: now.plus_seconds(seconds).as_seconds(),
            iat: now.as_seconds(),
            jti: id.to_string(),
            typ: "Bearer".to_owned(),
            azp: client.to_owned(),
            subject_type: subject.0,
            tenant_id: "1".to_owned(),
            sid: None,
            credential: None,
            email: None,
            preferred_username: None,
            groups: Vec::new(),
            uid: None,
            gid: None,
            supplementary_groups: None,
        }
    }

    /// Of this session.
    #[must_use]
    pub const fn in_session(mut self, session: SessionId) -> Self {
        self.sid = Some(session);
        self
    }

    /// Earned by the cluster's secret of this number.
    #[must_use]
    pub const fn by_credential(mut self, number: i64) -> Self {
        self.credential = Some(number);
        self
    }

    /// With a service account's name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.preferred_username = Some(name.to_owned());
        self
    }

    /// With a person's email, groups and numbers.
    #[must_use]
    pub fn person(mut self, email: &Email, groups: &[String], posix: Option<&PosixIdentity>) -> Self {
        self.email = Some(email.to_string());
        self.preferred_username = Some(email.to_string());
        self.groups = groups.to_vec();
        if let Some(posix) = posix {
            self.uid = Some(posix.uid().to_string());
            self.gid = Some(posix.gid().to_string());
            self.supplementary_groups = Some(
                posix
                    .supplementary_groups()
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
            );
        }
        self
    }
}

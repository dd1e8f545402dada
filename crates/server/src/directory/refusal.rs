//! What is refused by what the directory knows.

use std::fmt;

use reeve_authz::{Denial, Permission, Scope, SubjectKey};
use reeve_types::{ClusterId, InvalidPosix};

use crate::error::{Refusal, RefusalKind};

/// Why the directory refuses somebody.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryRefusal {
    /// 403: a permission is missing.
    #[error("{0}")]
    Denied(Denied),
    /// 403: a permission is held in no scope, and where it would be needed is not to be seen.
    #[error(
        "needs `{missing}`, which no access rule gives you in any scope; access rules in the account can be created by {who}"
    )]
    HeldNowhere {
        /// What is missing.
        missing: Permission,
        /// Who could give it.
        who: WhoCouldGrant,
    },
    /// 400: a user's numbers are possible in none of the clusters.
    #[error(
        "`posix`: {0}, the lowest id of every cluster here: choose another, or lower it for a cluster with `PUT \
         /api/v1/clusters/{{clusterUuid}}/lowest-id`, which administrators of the account can"
    )]
    Numbers(InvalidPosix),
    /// 403: the caller's numbers are not possible in a cluster.
    #[error(
        "your {problem}, the lowest id of {named}: an administrator of the account can lower it with `PUT \
         /api/v1/clusters/{cluster}/lowest-id`, or give you other numbers"
    )]
    OwnNumbers {
        /// Which number, and why.
        problem: InvalidPosix,
        /// Where.
        cluster: ClusterId,
        /// The cluster, for a sentence.
        named: String,
    },
}

impl Refusal for DirectoryRefusal {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::Numbers(_) => RefusalKind::Invalid,
            Self::Denied(_) | Self::HeldNowhere { .. } | Self::OwnNumbers { .. } => RefusalKind::Forbidden,
        }
    }
}

/// What is missing and who could grant it, with names instead of ids.
#[derive(Debug)]
pub struct Denied {
    denial: Denial,
    /// What the scopes were called when it was decided.
    names: Vec<(Scope, String)>,
}

impl Denied {
    pub(super) fn new(denial: &Denial, name: impl Fn(Scope) -> String) -> Self {
        let scopes = denial.grantable_at().into_iter().chain([denial.scope]);
        Self {
            denial: denial.clone(),
            names: scopes.map(|scope| (scope, name(scope))).collect(),
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let explanation = self.denial.explanation_with(|scope| {
            let named = self.names.iter().find(|(of, _)| *of == scope);
            named.map_or_else(|| scope.to_string(), |(_, name)| name.clone())
        });
        f.write_str(&explanation)
    }
}

/// Who could grant what is missing, for a sentence.
#[derive(Debug)]
pub struct WhoCouldGrant(Vec<SubjectKey>);

impl WhoCouldGrant {
    /// What a denial misses.
    pub fn of(denial: &Denial) -> Self {
        Self(denial.who_could_grant())
    }
}

impl fmt::Display for WhoCouldGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, others)) = self.0.split_first() else {
            return f.write_str("nobody");
        };
        write!(f, "{first}")?;
        others.iter().try_for_each(|other| write!(f, ", {other}"))
    }
}

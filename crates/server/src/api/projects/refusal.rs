//! What is refused of projects, and in which words.

use reeve_authz::Permission;
use reeve_types::{ClusterId, DepartmentId};

use crate::directory::WhoCouldGrant;
use crate::error::{Refusal, RefusalKind};

/// A DNS label (RFC 1123), as Kubernetes wants a namespace to be named.
pub(super) const LONGEST_NAMESPACE: usize = 63;

/// Why there is no such project.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProjectRefusal {
    /// 400: prefix and name are longer than [`LONGEST_NAMESPACE`].
    #[error(
        "`name`: the namespace `{namespace}` (`{prefix}` and the name) would have {} characters, and {LONGEST_NAMESPACE} are \
         possible: choose a name of at most {}, or another namespace with `requestedNamespace`",
        .namespace.len(),
        LONGEST_NAMESPACE.saturating_sub(.prefix.len())
    )]
    NamespaceTooLong { namespace: String, prefix: String },
    /// 400: one of those that Kubernetes comes with, or that are ours.
    #[error("the namespace `{namespace}` belongs to the cluster itself: choose another name")]
    NamespaceOfTheCluster { namespace: String },
    /// 400: reserved by a pattern of `--reserved-namespaces`.
    #[error(
        "the namespace `{namespace}` is reserved here (`{pattern}`): choose another name; whoever runs the server decides \
         what is reserved, with its flag `--reserved-namespaces`"
    )]
    NamespaceReserved { namespace: String, pattern: String },
    /// 403: a namespace outside of the prefix, from somebody who may make projects in a part of the cluster only.
    #[error(
        "`requestedNamespace`: `{namespace}` does not begin with `{prefix}`, and other names need `{missing}` in {cluster}, which \
         can be given by {who}: leave `requestedNamespace` out, or choose a name with that prefix"
    )]
    NamespaceWithoutPrefix {
        namespace: String,
        prefix: String,
        missing: Permission,
        /// The cluster, for a sentence.
        cluster: String,
        who: WhoCouldGrant,
    },
    /// 400: no department was asked for, and there is none to take instead.
    #[error("`parentId` is missing, and the cluster has no department `default` that you may see")]
    NoDefaultDepartment,
    /// 400: the department is another cluster's.
    #[error("`parentId`: department `{department}` is not in cluster `{cluster}`")]
    DepartmentElsewhere {
        department: DepartmentId,
        cluster: ClusterId,
    },
}

impl Refusal for ProjectRefusal {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::NamespaceWithoutPrefix { .. } => RefusalKind::Forbidden,
            Self::NamespaceTooLong { .. }
            | Self::NamespaceOfTheCluster { .. }
            | Self::NamespaceReserved { .. }
            | Self::NoDefaultDepartment
            | Self::DepartmentElsewhere { .. } => RefusalKind::Invalid,
        }
    }
}

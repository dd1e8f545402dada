//! What is refused of clusters, and in which words.

use reeve_link::bounds::OutOfBounds;
use reeve_types::ClusterId;

use crate::error::{Refusal, RefusalKind};

/// Why something is not done to a cluster, or not given to somebody who wants to reach it.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClusterRefusal {
    /// 403: a service account asks for what people get.
    #[error(
        "service accounts get no Kubernetes token: their workloads go through `POST /api/v1/workloads/trainings`"
    )]
    ServiceAccount,
    /// 403: no rule gives the caller anything.
    #[error(
        "no access rule reaches you: anybody with `access_rules:create` in a project of the cluster can make one"
    )]
    NoRule,
    /// 403: the caller's rules in the cluster give something on the control plane alone.
    #[error(
        "none of your roles gives anything in the cluster's namespaces: what they manage is here, in the control plane; \
         for workloads with Kubernetes' own tools ask for a role that runs or sees them"
    )]
    NothingInNamespaces,
    /// 403: more groups than a token can hold.
    #[error(
        "access rules of this cluster name {count} of your groups, and a token for Kubernetes can hold {most}: let rules name \
         fewer groups"
    )]
    TooManyGroups { count: usize, most: usize },
    /// 409: there is no secret to be shown.
    #[error(
        "cluster `{0}` has no link secret that can be shown: it was withdrawn, came back with a backup, or is of an older version; \
         make another with `reeve cluster new-secret {0}` (POST /api/v1/clusters/{0}/secret)"
    )]
    NoLinkSecret(ClusterId),
    /// 400: no address that a command may hold.
    #[error(
        "parameter `remoteClusterUrl`: an address like `https://k8s.example:6443` is needed, without user, query or fragment"
    )]
    RemoteAddress,
    /// 400: nothing of the chart takes it.
    #[error(
        "parameter `clusterip`: the chart takes no such addresses: leave it out; where people reach the cluster's API server is \
         `remoteClusterUrl` of `cluster-install-info`"
    )]
    ClusterIp,
    /// 400: no address that people's tokens may be sent to.
    #[error("{0}")]
    Endpoint(OutOfBounds),
}

impl Refusal for ClusterRefusal {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::ServiceAccount | Self::NoRule | Self::NothingInNamespaces | Self::TooManyGroups { .. } => {
                RefusalKind::Forbidden
            }
            Self::NoLinkSecret(_) => RefusalKind::Conflict,
            Self::RemoteAddress | Self::ClusterIp | Self::Endpoint(_) => RefusalKind::Invalid,
        }
    }
}

//! Where each cluster's API server was when it was first used (`clusters.json`). Tokens go there and nowhere else until the
//! user says so: a control plane may be told another address by whoever holds a cluster's credential.

use std::collections::BTreeMap;

use reeve_api::kubernetes::KubernetesEndpoint;
use reeve_types::ClusterId;

use super::{Settings, file};
use crate::failure::Failure;

const CLUSTERS: &str = "clusters.json";

impl Settings {
    /// Compares an address with the one of first use, and keeps it when there is none or `accept_new` is set.
    ///
    /// # Errors
    /// It is another address, or another certificate authority.
    pub fn check_endpoint(
        &self,
        cluster: ClusterId,
        endpoint: &KubernetesEndpoint,
        accept_new: bool,
        what: &str,
    ) -> Result<(), Failure> {
        let path = self.dir().join(CLUSTERS);
        let mut known: BTreeMap<ClusterId, KubernetesEndpoint> = file::read(&path)?.unwrap_or_default();
        match known.get(&cluster) {
            Some(before) if before == endpoint => return Ok(()),
            Some(before) if !accept_new => return Err(changed(cluster, before, endpoint, what)),
            _ => {}
        }
        known.insert(cluster, endpoint.clone());
        file::write(&path, &known)
    }
}

fn changed(cluster: ClusterId, before: &KubernetesEndpoint, now: &KubernetesEndpoint, what: &str) -> Failure {
    let change = if before.server == now.server {
        format!(
            "the API server `{}` of cluster `{cluster}` is said to have another certificate authority than when you first used it",
            now.server
        )
    } else {
        format!(
            "the API server of cluster `{cluster}` was at `{}` when you first used it, and is now said to be at `{}`",
            before.server, now.server
        )
    };
    Failure::refused(what)
        .cause(format!("{change}; nothing was sent there"))
        .hint(format!(
            "ask whoever administers the cluster whether this is right; if it is: `reeve kubeconfig set --cluster {cluster} \
             --accept-new-endpoint`"
        ))
}

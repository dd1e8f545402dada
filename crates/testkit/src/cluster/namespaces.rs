//! Namespaces of a test's own, and what its pods say.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::{Namespace, Pod, ServiceAccount};
use kube::api::{Api, LogParams, ObjectMeta, PostParams};
use rand::RngExt;

use super::{Cluster, Tier};
use crate::wait::wait_until;

impl Cluster {
    /// Makes a namespace that nobody else uses: the prefix and six random letters.
    ///
    /// # Errors
    ///
    /// When it is refused.
    pub async fn namespace(&self, prefix: &str) -> Result<String> {
        self.namespace_with(prefix, &[]).await
    }

    /// Makes such a namespace with labels, as the installer, who may set those that switch protection.
    ///
    /// It is ready for pods: its `default` ServiceAccount exists.
    ///
    /// # Errors
    ///
    /// When it is refused.
    pub async fn namespace_with(&self, prefix: &str, labels: &[(&str, &str)]) -> Result<String> {
        let client = self.installer_client().await?;
        let name = format!("{prefix}-{}", suffix());
        let labels: BTreeMap<String, String> = labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let namespace = Namespace {
            metadata: ObjectMeta {
                name: Some(name.clone()),
                labels: Some(labels),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        Api::all(client.clone())
            .create(&PostParams::default(), &namespace)
            .await
            .with_context(|| format!("cannot make the namespace `{name}`"))?;
        let accounts: Api<ServiceAccount> = Api::namespaced(client, &name);
        if self.tier == Tier::ApiServer {
            // No controller makes it, and admission refuses every pod without it.
            let account = ServiceAccount {
                metadata: ObjectMeta {
                    name: Some("default".to_owned()),
                    ..ObjectMeta::default()
                },
                ..ServiceAccount::default()
            };
            accounts
                .create(&PostParams::default(), &account)
                .await
                .context("cannot make its ServiceAccount")?;
        } else {
            let what = format!("the ServiceAccount of `{name}`");
            wait_until(&what, async || Ok(accounts.get_opt("default").await?)).await?;
        }
        Ok(name)
    }

    /// All that a pod's only container has printed.
    ///
    /// # Errors
    ///
    /// When there is no such container yet.
    pub async fn pod_logs(&self, namespace: &str, pod: &str) -> Result<String> {
        let pods: Api<Pod> = Api::namespaced(self.client().await?, namespace);
        pods.logs(pod, &LogParams::default())
            .await
            .with_context(|| format!("cannot read the log of pod `{namespace}/{pod}`"))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "two tests, or two runs on one cluster, must never choose the same name"
)]
fn suffix() -> String {
    let mut random = rand::rng();
    (0..6)
        .map(|_| char::from(random.random_range(b'a'..=b'z')))
        .collect()
}

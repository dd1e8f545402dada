//! The Secrets that are for projects, and the ServiceAccounts by which images are pulled: watched while the switch is on, and not
//! asked for while it is off, when there may be no right to.
//!
//! These are the only Secrets that the operator reads. They lie in namespaces of their own (R27), not beside its own keys.

use std::sync::Arc;

use futures::future::join_all;
use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::{Api, Client, ResourceExt};
use reeve_admission::names;
use reeve_kube_kit::{Cache, Subscribers, Watch, keep};
use tokio::sync::watch;

use crate::caches::Caches;
use crate::settings;

/// How many Secrets are asked for at once: each may be a megabyte.
const PAGE: u32 = 20;
/// The ServiceAccount under which pods run that name none.
pub const ACCOUNT: &str = "default";

/// What is for projects.
#[derive(Debug)]
pub struct SecretSources {
    secrets: Vec<(String, Arc<Cache<Secret>>)>,
    /// The ServiceAccounts `default`, trimmed to how they pull images.
    pub accounts: Arc<Cache<ServiceAccount>>,
    /// Everything is listed: what is not there now is gone.
    pub listed: Subscribers<()>,
}

impl SecretSources {
    /// The Secrets of these namespaces. Nothing is asked for before [`SecretSources::watch`].
    pub fn new(namespaces: &[String]) -> Arc<Self> {
        Arc::new(Self {
            secrets: namespaces.iter().map(|it| (it.clone(), Arc::default())).collect(),
            accounts: Arc::default(),
            listed: Subscribers::default(),
        })
    }

    /// The caches of Secrets, to be told of changes.
    pub fn caches(&self) -> impl Iterator<Item = &Arc<Cache<Secret>>> {
        self.secrets.iter().map(|(_, cache)| cache)
    }

    /// Every source.
    ///
    /// # Errors
    /// The namespaces that are not listed yet: then nobody knows what is gone, and nothing may be removed.
    pub fn all(&self) -> Result<Vec<Arc<Secret>>, Vec<String>> {
        let missing: Vec<String> = self
            .secrets
            .iter()
            .filter(|(_, cache)| !cache.is_synced())
            .map(|(namespace, _)| namespace.clone())
            .collect();
        if missing.is_empty() {
            Ok(self.caches().flat_map(|cache| cache.all()).collect())
        } else {
            Err(missing)
        }
    }

    /// Watches while the switch is on. Does not end.
    pub async fn watch(self: Arc<Self>, client: Client, caches: Arc<Caches>) {
        let (tell, mut is_on) = watch::channel(settings::propagates_secrets(&caches.settings()));
        let (configs, told) = (caches.clone(), tell.clone());
        caches.configs.subscribe(move |_| {
            let on = settings::propagates_secrets(&configs.settings());
            told.send_if_modified(|known| std::mem::replace(known, on) != on);
        });
        // Between the first look and the subscription it may have changed.
        tell.send_replace(settings::propagates_secrets(&caches.settings()));
        loop {
            if is_on.wait_for(|on| *on).await.is_err() {
                return;
            }
            tokio::select! {
                () = self.keep(&client) => {}
                _ = is_on.wait_for(|on| !*on) => {}
            }
            self.caches().for_each(|cache| cache.forget());
            self.accounts.forget();
        }
    }

    async fn keep(&self, client: &Client) {
        let secrets = join_all(self.secrets.iter().map(|(namespace, cache)| {
            let watch = Watch::default().page_size(PAGE).trim(trim_source).confidential();
            keep(cache.clone(), Api::namespaced(client.clone(), namespace), watch)
        }));
        let default = format!("metadata.name={ACCOUNT}");
        let accounts = Watch::default().fields(&default).trim(trim_account);
        let accounts = keep(self.accounts.clone(), Api::all(client.clone()), accounts);
        let told = async {
            join_all(self.caches().map(|cache| cache.synced())).await;
            self.listed.tell(&());
            std::future::pending::<()>().await;
        };
        tokio::join!(secrets, accounts, told);
    }
}

/// Annotations of a Secret are not copied, and can hold its values once more.
fn trim_source(source: &mut Secret) {
    source.metadata.managed_fields = None;
    source.metadata.annotations = None;
}

fn trim_account(account: &mut ServiceAccount) {
    account.metadata.managed_fields = None;
    account.metadata.labels = None;
    account
        .annotations_mut()
        .retain(|key, _| key == names::PULL_SECRETS);
    account.secrets = None;
}

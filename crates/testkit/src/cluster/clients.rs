//! Clients of the API server under various names. Make one per test: each test has an async runtime of its own.

use std::path::Path;

use anyhow::{Context, Result};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{Api, PostParams};
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use super::Cluster;

/// Somebody to pretend to be.
#[derive(Debug, Clone, Default)]
pub struct Impersonate {
    /// User name.
    pub user: String,
    /// User id.
    pub uid: Option<String>,
    /// Groups; `system:authenticated` is added by the API server.
    pub groups: Vec<String>,
    /// Extra attributes.
    pub extra: Vec<(String, Vec<String>)>,
}

impl Impersonate {
    /// Somebody with this name and nothing else.
    pub fn user(name: &str) -> Self {
        Self {
            user: name.to_owned(),
            ..Self::default()
        }
    }

    /// With a user id.
    #[must_use]
    pub fn uid(mut self, uid: &str) -> Self {
        self.uid = Some(uid.to_owned());
        self
    }

    /// With one group more.
    #[must_use]
    pub fn group(mut self, group: &str) -> Self {
        self.groups.push(group.to_owned());
        self
    }

    /// With one value of an extra attribute more.
    #[must_use]
    pub fn extra(mut self, key: &str, value: &str) -> Self {
        match self.extra.iter_mut().find(|(known, _)| known == key) {
            Some((_, values)) => values.push(value.to_owned()),
            None => self.extra.push((key.to_owned(), vec![value.to_owned()])),
        }
        self
    }
}

impl Cluster {
    /// The administrator.
    ///
    /// # Errors
    ///
    /// When the kubeconfig cannot be used.
    pub async fn client(&self) -> Result<Client> {
        client(config(self.kubeconfig()).await?)
    }

    /// The administrator who may change what protects the cluster.
    ///
    /// # Errors
    ///
    /// When the kubeconfig cannot be used.
    pub async fn installer_client(&self) -> Result<Client> {
        client(config(self.installer_kubeconfig()).await?)
    }

    /// Somebody else, by impersonation.
    ///
    /// # Errors
    ///
    /// When the kubeconfig cannot be used.
    pub async fn client_as(&self, who: &Impersonate) -> Result<Client> {
        let mut config = config(self.kubeconfig()).await?;
        config.auth_info.impersonate = Some(who.user.clone());
        config.auth_info.impersonate_uid.clone_from(&who.uid);
        config.auth_info.impersonate_groups = Some(who.groups.clone());
        config.auth_info.impersonate_user_extra = Some(who.extra.iter().cloned().collect());
        client(config)
    }

    /// The bearer of a token, and nothing but that.
    ///
    /// # Errors
    ///
    /// When the kubeconfig cannot be used.
    pub async fn client_with_token(&self, token: &str) -> Result<Client> {
        let mut config = config(self.kubeconfig()).await?;
        config.auth_info = AuthInfo {
            token: Some(token.to_owned().into()),
            ..AuthInfo::default()
        };
        client(config)
    }

    /// A token of a ServiceAccount, from the API server (TokenRequest).
    ///
    /// # Errors
    ///
    /// When the API server does not give one; it refuses less than 600 seconds.
    pub async fn service_account_token(&self, namespace: &str, name: &str, seconds: i64) -> Result<String> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client().await?, namespace);
        let spec = TokenRequestSpec {
            expiration_seconds: Some(seconds),
            ..TokenRequestSpec::default()
        };
        let request = TokenRequest {
            spec: Some(spec),
            ..TokenRequest::default()
        };
        let answer = accounts
            .create_token_request(name, &PostParams::default(), &request)
            .await
            .with_context(|| format!("cannot get a token of ServiceAccount `{namespace}/{name}`"))?;
        answer
            .status
            .and_then(|status| status.token)
            .context("the API server answered without a token")
    }
}

async fn config(kubeconfig: &Path) -> Result<Config> {
    // Only the first call in a process has an effect, and any provider will do.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let context = || format!("cannot use the kubeconfig `{}`", kubeconfig.display());
    let read = Kubeconfig::read_from(kubeconfig).with_context(context)?;
    Config::from_custom_kubeconfig(read, &KubeConfigOptions::default())
        .await
        .with_context(context)
}

fn client(config: Config) -> Result<Client> {
    Client::try_from(config).context("cannot make a client of the API server")
}

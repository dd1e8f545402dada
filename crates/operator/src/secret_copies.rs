//! Writing copies of Secrets into namespaces of projects, without reading a Secret there.
//!
//! The operator may create, patch and delete Secrets in projects, not get, list or watch them. What it may write is cut down to
//! marked copies by the API server (R26), and every patch tests the mark once more, so that a Secret that somebody made by hand
//! stays as it is whatever policies are there. What is to go is named by label and by what is to stay, so that nobody has to
//! remember it: neither a restart nor a lost status leaves a copy behind.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};
use reeve_admission::names;
use reeve_kube_kit::{
    Cache, ClientError, ConfidentialFailure, Context, ObjectName, ReconcileError, Retry, WriteFailed,
};
use reeve_tenancy::secrets::Copy;
use serde_json::{Value, json};

use crate::secret_sources::ACCOUNT;

/// Why a copy is not as it is to be.
#[derive(Debug, thiserror::Error)]
pub enum CopyFailed {
    /// Somebody else's Secret has the name.
    #[error(
        "a Secret `{name}` that is no copy is there in namespace `{namespace}` and stays as it is: give it another name, or rename \
         `{origin}`"
    )]
    Conflict {
        /// The namespace.
        namespace: String,
        /// The name of both.
        name: String,
        /// What was to be copied.
        origin: String,
    },
    /// It could not be written.
    #[error("cannot write the copy of `{origin}` in namespace `{namespace}`")]
    Write {
        /// The namespace.
        namespace: String,
        /// What was to be copied.
        origin: String,
        /// Why.
        source: ConfidentialFailure,
    },
    /// Copies could not be removed.
    #[error(
        "cannot remove copies of Secrets in namespace `{namespace}`; by hand: kubectl -n {namespace} delete secrets -l \
         {label}={value}", label = names::MANAGED, value = names::MANAGED_SECRETS
    )]
    Remove {
        /// The namespace.
        namespace: String,
        /// Why.
        source: ConfidentialFailure,
    },
    /// The ServiceAccount could not be changed.
    #[error(transparent)]
    Account(#[from] WriteFailed),
}

impl ReconcileError for CopyFailed {
    fn reason(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "SecretConflict",
            Self::Write { .. } | Self::Account(_) => "WriteFailed",
            Self::Remove { .. } => "CopiesRemain",
        }
    }

    fn retry(&self) -> Retry {
        // A refusal may come from rights or policies, of whose change nothing tells us; nor does anything of a Secret that went.
        let transient = match self {
            Self::Conflict { .. } => return Retry::After(Duration::from_secs(60)),
            Self::Write { source, .. } | Self::Remove { source, .. } => source.is_transient(),
            Self::Account(failed) => failed.is_transient() || failed.source.status() == Some(409),
        };
        if transient {
            Retry::Backoff
        } else {
            Retry::After(Duration::from_secs(15))
        }
    }
}

/// What became of one request about a copy.
enum Wrote {
    Done,
    Missing,
    Exists,
    /// Of another type, which cannot be changed.
    OtherType,
    NotOurs,
}

/// Writes copies.
#[derive(Debug, Clone)]
pub struct SecretCopies {
    context: Arc<Context>,
    accounts: Arc<Cache<ServiceAccount>>,
}

impl SecretCopies {
    /// Writes with this context; `accounts` is what is known of the ServiceAccounts `default`.
    pub const fn new(context: Arc<Context>, accounts: Arc<Cache<ServiceAccount>>) -> Self {
        Self { context, accounts }
    }

    /// Makes the copy what it is to be. `is_known` says that it was written before, which saves a request.
    ///
    /// # Errors
    /// [`CopyFailed::Conflict`], [`CopyFailed::Write`].
    pub async fn write(&self, namespace: &str, copy: &Copy, is_known: bool) -> Result<(), CopyFailed> {
        let failed = |source| CopyFailed::Write {
            namespace: namespace.to_owned(),
            origin: copy.origin.clone(),
            source,
        };
        let mut patches = is_known;
        // At most: not there, made meanwhile, of another type, made anew.
        for _ in 0..4 {
            let wrote = if patches {
                self.patch(namespace, copy).await
            } else {
                self.create(copy).await
            };
            match wrote.map_err(failed)? {
                Wrote::Done => return Ok(()),
                Wrote::Missing => patches = false,
                Wrote::Exists => patches = true,
                Wrote::NotOurs => break,
                Wrote::OtherType => {
                    let this = format!("metadata.name={}", copy.name());
                    self.remove(namespace, &this).await?;
                    patches = false;
                }
            }
        }
        Err(CopyFailed::Conflict {
            namespace: namespace.to_owned(),
            name: copy.name().to_owned(),
            origin: copy.origin.clone(),
        })
    }

    async fn create(&self, copy: &Copy) -> Result<Wrote, ConfidentialFailure> {
        let (client, writes) = (&self.context.client, &self.context.writes);
        match writes.create_confidential(client, &copy.object).await {
            Ok(()) => Ok(Wrote::Done),
            Err(there) if there.is_already_exists() => Ok(Wrote::Exists),
            Err(failure) => Err(failure),
        }
    }

    async fn patch(&self, namespace: &str, copy: &Copy) -> Result<Wrote, ConfidentialFailure> {
        let name = ObjectName::namespaced(namespace, copy.name());
        let (client, writes) = (&self.context.client, &self.context.writes);
        match writes
            .patch_confidential::<Secret>(client, &name, &patch(copy))
            .await
        {
            Ok(()) => Ok(Wrote::Done),
            Err(gone) if gone.is_not_found() => Ok(Wrote::Missing),
            Err(failure) if failure.is_about("type") => Ok(Wrote::OtherType),
            Err(failure) if failure.is_failed_test() || is_kept_from_us(&failure) => Ok(Wrote::NotOurs),
            Err(failure) => Err(failure),
        }
    }

    /// Removes every copy of a namespace but those of these names.
    ///
    /// # Errors
    /// [`CopyFailed::Remove`].
    pub async fn keep_only<'a>(
        &self,
        namespace: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), CopyFailed> {
        let kept: Vec<String> = names
            .into_iter()
            .map(|name| format!("metadata.name!={name}"))
            .collect();
        self.remove(namespace, &kept.join(",")).await
    }

    async fn remove(&self, namespace: &str, fields: &str) -> Result<(), CopyFailed> {
        let marked = format!("{}={}", names::MANAGED, names::MANAGED_SECRETS);
        let (client, writes) = (&self.context.client, &self.context.writes);
        writes
            .delete_confidential::<Secret>(client, namespace, &marked, fields)
            .await
            .map_err(|source| CopyFailed::Remove {
                namespace: namespace.to_owned(),
                source,
            })
    }

    /// Removes every copy of a namespace, and what pulled images by them. Nothing needs to be watched for it.
    ///
    /// # Errors
    /// [`CopyFailed::Remove`], [`CopyFailed::Account`].
    pub async fn withdraw(&self, namespace: &str) -> Result<(), CopyFailed> {
        self.keep_only(namespace, []).await?;
        let api = Api::<ServiceAccount>::namespaced(self.context.client.clone(), namespace);
        let account = api
            .get_opt(ACCOUNT)
            .await
            .map_err(|error| account_failed("get", namespace, error))?;
        if let Some(account) = account {
            self.change_account(&account, namespace, &BTreeSet::new()).await?;
        }
        Ok(())
    }

    /// Has pods that name no ServiceAccount pull images by these Secrets. Entries of others stay. Answers whether it wrote.
    ///
    /// # Errors
    /// [`CopyFailed::Account`], also when somebody else changed the account meanwhile.
    pub async fn pull_by(&self, namespace: &str, wanted: &BTreeSet<String>) -> Result<bool, CopyFailed> {
        // One that is still to be made wakes its namespace when it is.
        match self.accounts.get(&ObjectName::namespaced(namespace, ACCOUNT)) {
            Some(account) => self.change_account(&account, namespace, wanted).await,
            None => Ok(false),
        }
    }

    async fn change_account(
        &self,
        account: &ServiceAccount,
        namespace: &str,
        wanted: &BTreeSet<String>,
    ) -> Result<bool, CopyFailed> {
        let Some(change) = pull_secrets(account, wanted) else {
            return Ok(false);
        };
        let api = Api::<ServiceAccount>::namespaced(self.context.client.clone(), namespace);
        let parameters = PatchParams {
            field_manager: Some(self.context.writes.name().to_owned()),
            ..PatchParams::default()
        };
        api.patch(ACCOUNT, &parameters, &Patch::Merge(change))
            .await
            .map_err(|error| account_failed("patch", namespace, error))?;
        tracing::info!(
            namespace,
            secrets = wanted.len(),
            "imagePullSecrets of the default ServiceAccount changed"
        );
        Ok(true)
    }
}

fn account_failed(verb: &'static str, namespace: &str, error: kube::Error) -> WriteFailed {
    let name = ObjectName::namespaced(namespace, ACCOUNT);
    WriteFailed::new::<ServiceAccount>(verb, &name, ClientError::from(error))
}

/// Whether the API server refused because what is there is no copy.
fn is_kept_from_us(failure: &ConfidentialFailure) -> bool {
    reeve_admission::check("operator-copy").is_some_and(|check| failure.says(check.problem))
}

/// The patch that makes what is there the copy, if it bears the mark of one. Pure.
fn patch(copy: &Copy) -> Value {
    let object = &copy.object;
    let marked = format!("/metadata/labels/{}", names::MANAGED.replace('/', "~1"));
    json!([
        {"op": "test", "path": marked, "value": names::MANAGED_SECRETS},
        {"op": "add", "path": "/data", "value": object.data.clone().unwrap_or_default()},
        {"op": "add", "path": "/metadata/labels", "value": object.metadata.labels},
        {"op": "add", "path": "/metadata/annotations", "value": object.metadata.annotations},
        {"op": "add", "path": "/type", "value": object.type_},
    ])
}

/// What to write so that images are pulled by the wanted Secrets too; `None` when they are. The list has no keys by which several
/// could share it, so the whole is written, for the revision that was read: who comes second reads again. Which entries are
/// ours is written beside it, and only those are taken away later. Pure.
pub fn pull_secrets(account: &ServiceAccount, wanted: &BTreeSet<String>) -> Option<Value> {
    let actual: Vec<String> = account
        .image_pull_secrets
        .iter()
        .flatten()
        .map(|entry| entry.name.clone())
        .collect();
    let text = account.annotations().get(names::PULL_SECRETS);
    let ours: BTreeSet<String> = text
        .into_iter()
        .flat_map(|text| text.split(','))
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    let missing: Vec<&String> = wanted.iter().filter(|name| !actual.contains(name)).collect();
    let kept = actual
        .iter()
        .filter(|name| !ours.contains(*name) || wanted.contains(*name));
    let list: Vec<&String> = kept.chain(missing.iter().copied()).collect();
    let still = ours.iter().filter(|name| wanted.contains(*name));
    let recorded: BTreeSet<&String> = still.chain(missing.iter().copied()).collect();
    let unchanged = list.iter().copied().eq(actual.iter()) && recorded.iter().copied().eq(ours.iter());
    if unchanged {
        return None;
    }
    let recorded: Vec<&str> = recorded.iter().map(|name| name.as_str()).collect();
    let recorded = (!recorded.is_empty()).then(|| recorded.join(","));
    let list: Vec<Value> = list.iter().map(|name| json!({"name": name})).collect();
    Some(json!({
        "metadata": {
            "resourceVersion": account.metadata.resource_version,
            "annotations": {names::PULL_SECRETS: recorded},
        },
        "imagePullSecrets": list,
    }))
}

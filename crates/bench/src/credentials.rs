//! How long until another value of a credential is in every project.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Secret;
use kube::api::Api;
use reeve_e2e::{Organization, Stack};
use serde_json::json;

use crate::figures::{Series, now};
use crate::watch::Watch;

const BASE: &str = "/api/v1/asset/credentials/password";
const NAME: &str = "bench-credential";

/// Changes a credential of the whole account `rounds` times, each time until the last project has the new value.
///
/// # Errors
/// The stack refuses, or a change does not arrive within 60 s.
pub async fn run(stack: &Stack, organization: &Organization, rounds: usize) -> Result<Vec<Series>> {
    let secrets: Api<Secret> = Api::all(stack.cluster.client().await?);
    let namespaces: BTreeSet<String> = organization
        .projects
        .keys()
        .map(|name| format!("reeve-{name}"))
        .collect();
    let spec = |round: usize| json!({"user": "bench", "password": format!("value-{round}")});
    let mut everywhere = Series::new("credential changed -> copied into every project");
    let mut path = String::new();
    for round in 0..=rounds {
        let mut watch = Watch::open(&secrets, "").await?;
        let started = now();
        if round == 0 {
            let meta = json!({"name": NAME, "scope": "tenant"});
            let body = json!({"meta": meta, "spec": spec(round)});
            let made = stack.admin.post(BASE, body).await?.expect(202)?;
            let id = made.pointer("/meta/id").and_then(|id| id.as_str());
            let id = id.context("the credential's id")?;
            path = format!("{BASE}/{id}");
        } else {
            let body = json!({"spec": spec(round)});
            stack.admin.put(&path, body).await?.expect(202)?;
        }
        let wanted = format!("value-{round}");
        let mut missing = namespaces.clone();
        watch
            .until("every project to have the value", |secret, gone| {
                let meta = &secret.metadata;
                let value = secret.data.as_ref().and_then(|data| data.get("password"));
                let is_it = meta.name.as_deref() == Some(NAME)
                    && !gone
                    && value.is_some_and(|value| value.0 == wanted.as_bytes());
                if let Some(namespace) = meta.namespace.as_deref().filter(|_| is_it) {
                    missing.remove(namespace);
                }
                Ok(missing.is_empty())
            })
            .await?;
        // The first time it is made, not changed.
        if round > 0 {
            everywhere.samples.push(started.elapsed());
        }
    }
    stack.admin.delete(&path).await?.expect(202)?;
    Ok(vec![everywhere])
}

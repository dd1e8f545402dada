//! The attacks of the admission design, each with real tokens and named after its rule. The exhaustive table of shapes is
//! in `reeve-admission`, tokens that only a foreign issuer would sign (R10) are there too; here is what needs the whole stack.

mod adoption;
mod colleagues;
mod connect;
mod deputies;
mod identity;
mod ownership;
mod placement;
mod policies;
mod second_writers;
mod services;
mod tokens;

use anyhow::{Result, ensure};
use reeve_e2e::{Stack, kubeconfig, write_private};
use reeve_testkit::{Kubectl, wait_until};

use crate::harness::{Member, Team, create, deployment};

/// kubectl as she has it: a kubeconfig with a token of hers and her project's namespace.
pub(crate) async fn kubectl_of(stack: &Stack, team: &Team, member: &Member) -> Result<Kubectl> {
    let token = stack.kubernetes_token(&member.rest).await?;
    stack.cluster.wait_until_token_accepted(&token).await?;
    let kubeconfig = kubeconfig(&stack.cluster, &token, Some(&team.namespace));
    let file = stack.dir().join(format!("{}.kubeconfig", member.person.id));
    write_private(&file, &kubeconfig)?;
    Ok(stack.kubectl(&file))
}

/// Fails unless kubectl failed and printed all of `words`.
pub(crate) fn kubectl_refused(answer: &std::process::Output, words: &[&str]) -> Result<()> {
    let said = String::from_utf8_lossy(&answer.stderr);
    ensure!(!answer.status.success(), "kubectl was not refused");
    for word in words {
        ensure!(said.contains(word), "`{word}` is missing in: {said}");
    }
    Ok(())
}

/// alice's Deployment with its one pod running.
async fn her_deployment(stack: &Stack, team: &Team) -> Result<String> {
    let client = team.researcher.kubernetes(stack).await?;
    create(&client, &team.namespace, deployment("service", 1)).await?;
    let pods: kube::Api<k8s_openapi::api::core::v1::Pod> = kube::Api::namespaced(client, &team.namespace);
    wait_until("her pod to run", async || {
        let list = pods
            .list(&kube::api::ListParams::default().labels("app=service"))
            .await?;
        let running = list
            .items
            .into_iter()
            .find(|p| p.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Running"));
        Ok(running.and_then(|p| p.metadata.name))
    })
    .await
}

//! The attacks of the admission design, each with real tokens and named after its rule. The exhaustive table of shapes is
//! in `reeve-admission`, tokens that only a foreign issuer would sign (R10) are there too; here is what needs the whole stack.

mod adoption;
mod colleagues;
mod connect;
mod deputies;
mod identity;
mod networking;
mod ownership;
mod placement;
mod policies;
mod second_writers;
mod services;
mod tokens;

use anyhow::{Context, Result, ensure};
use kube::Client;
use reeve_e2e::{Stack, kubeconfig, write_private};
use reeve_testkit::{Kubectl, wait_until};

pub(crate) use connect::account_with;

use crate::harness::{Member, Team, create, deployment, fresh, refusal};

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

/// Whom RBAC lets do in the team's namespace what the attack needs.
pub(crate) struct Attacker {
    pub(crate) who: &'static str,
    pub(crate) client: Client,
    /// With a verified uid and gid: R5 has nothing to say.
    pub(crate) person: bool,
}

impl Attacker {
    /// Fails unless this attacker was refused, by one of these rules or, where identity is `enforced` and there is none, by R5.
    pub(crate) fn must_break<T: std::fmt::Debug>(
        &self,
        outcome: kube::Result<T>,
        rules: &[&str],
        enforced: bool,
    ) -> Result<()> {
        let (code, message) = refusal(outcome).context(self.who)?;
        let said = |rule: &&str| message.contains(&format!("reeve: {rule}: "));
        let nobody = enforced && !self.person && said(&"R5");
        ensure!(
            code == 403 && (nobody || rules.iter().any(said)),
            "{}: {rules:?}: {code} {message}",
            self.who
        );
        Ok(())
    }
}

/// A colleague, the cluster administrator, an installer, and a ServiceAccount bound to `edit`, whose token any researcher of the
/// project can take.
pub(crate) async fn attackers(stack: &Stack, team: &Team) -> Result<[Attacker; 4]> {
    let colleague = team.hire(stack).await?.kubernetes(stack).await?;
    let account = account_with(stack, &team.namespace, "editor", "edit").await?;
    let attacker = |who, client, person| Attacker { who, client, person };
    Ok([
        attacker("a colleague", colleague, true),
        attacker("the cluster administrator", stack.cluster.client().await?, false),
        attacker("an installer", stack.cluster.installer_client().await?, false),
        attacker("a ServiceAccount bound to edit", account, false),
    ])
}

/// The rules that hold whoever somebody is, where R5 does not speak first. Planted faults: each of their checks replaced by
/// `true` admits an attack, and shows it: nothing else refuses one here.
pub(crate) async fn r3_r18_and_r20_hold_for_everybody_where_identity_is_not_enforced(
    stack: &Stack,
    team: &Team,
) -> Result<()> {
    let namespace = &team.namespace;
    for attacker in attackers(stack, team).await? {
        let forged = identity::forged(&team.researcher);
        let outcome = create(&attacker.client, namespace, forged).await;
        attacker.must_break(outcome, &["R3"], false)?;
        for attack in placement::placed(stack) {
            let outcome = create(&attacker.client, namespace, attack).await;
            attacker.must_break(outcome, &["R20"], false)?;
        }
        for attack in ownership::dressed_up("00000000-0000-4000-8000-000000000001") {
            let outcome = create(&attacker.client, namespace, attack).await;
            attacker.must_break(outcome, &["R18"], false)?;
        }
        // What is harmless everybody makes here.
        create(
            &attacker.client,
            namespace,
            ownership::ending_pod(&fresh("harmless")),
        )
        .await
        .context(attacker.who)?;
    }
    Ok(())
}

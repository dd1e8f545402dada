//! A chart as `helm create` makes it, with a Job as a hook, by the real Helm as a researcher: applied, changed, taken back and taken
//! away without a refusal, once it leaves out what `docs/security/what-people-may-make.md` says is left out.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use reeve_e2e::Stack;
use reeve_testkit::{Helm, Kubectl, wait_until};
use serde_json::Value;

use crate::attacks::kubectl_of;
use crate::harness::{Team, on_the_stack, output_of};
use crate::identity::{her_id, must_have_printed};

const RELEASE: &str = "web";

fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/charts/ordinary")
}

/// The flag by which the page says to leave ServiceAccounts out of a chart, once what was made before the refusal is gone.
fn without_account() -> Result<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/security/what-people-may-make.md");
    let page = std::fs::read_to_string(page)?;
    ensure!(
        page.contains("delete the Deployments and other templates among it, then `helm upgrade --install`"),
        "the page says nothing of what was made before the refusal"
    );
    let at = page
        .find("serviceAccount.create=")
        .context("the page names no flag")?;
    Ok(page[at..].split('`').next().unwrap_or_default().to_owned())
}

/// Helm and kubectl as her, with a token of now.
async fn tools(stack: &Stack, team: &Team) -> Result<Option<(Helm, Kubectl)>> {
    let kubectl = kubectl_of(stack, team, &team.researcher).await?;
    let file = stack
        .dir()
        .join(format!("{}.kubeconfig", team.researcher.person.id));
    match Helm::with_kubeconfig(&file) {
        Ok(helm) => Ok(Some((helm, kubectl))),
        Err(error) => {
            reeve_testkit::skip(&format!("{error:#}"));
            Ok(None)
        }
    }
}

/// What the hook of a revision printed.
async fn hook(stack: &Stack, team: &Team, revision: u8) -> Result<String> {
    let selector = format!("batch.kubernetes.io/job-name={RELEASE}-migration-{revision}");
    output_of(stack, &team.namespace, &selector).await
}

/// What the chart's own pod prints once the one of before is gone.
async fn says(kubectl: &Kubectl, uid: u32, message: &str) -> Result<()> {
    let expected = format!("{}\n{message}", her_id(uid));
    wait_until(&format!("a pod that says {message}"), async || {
        let label = format!("app.kubernetes.io/instance={RELEASE},app.kubernetes.io/name=ordinary");
        let said = kubectl.must(&["logs", "-l", &label])?;
        ensure!(said.trim() == expected, "{said}");
        Ok(Some(()))
    })
    .await
}

#[test]
fn an_ordinary_chart_lives_by_the_real_helm_as_a_researcher() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let uid = team.researcher.uid;
        let Some((helm, kubectl)) = tools(stack, &team).await? else {
            return Ok(());
        };
        let folder = chart();
        let folder = folder.to_str().context("no path")?;
        let wait = ["--wait", "--timeout=3m"];

        // As it comes it wants a ServiceAccount: who may not make one is told by RBAC, and by the page what to do.
        let refused = helm.must_fail(&["install", "first", folder], "")?;
        ensure!(refused.contains("serviceaccounts is forbidden"), "{refused}");
        kubectl.must(&["delete", "deployments", "-l", "app.kubernetes.io/instance=first"])?;
        let flag = without_account()?;
        let set = ["--set", flag.as_str()];
        helm.must(
            &[&["upgrade", "--install", "first", folder][..], &set, &wait].concat(),
            "",
        )?;
        helm.must(&["uninstall", "first", "--wait"], "")?;

        let install = [&["install", RELEASE, folder][..], &set, &wait].concat();
        helm.must(&install, "")?;
        says(&kubectl, uid, "one").await?;
        must_have_printed(&hook(stack, &team, 1).await?, &[&her_id(uid), "migrated to one"])?;

        let upgrade = [
            &["upgrade", RELEASE, folder, "--set", "message=two"][..],
            &set,
            &wait,
        ]
        .concat();
        helm.must(&upgrade, "")?;
        says(&kubectl, uid, "two").await?;
        must_have_printed(&hook(stack, &team, 2).await?, &[&her_id(uid), "migrated to two"])?;

        // A token is good for five minutes.
        let Some((helm, kubectl)) = tools(stack, &team).await? else {
            return Ok(());
        };
        helm.must(&[&["rollback", RELEASE, "1"][..], &wait].concat(), "")?;
        says(&kubectl, uid, "one").await?;
        let listed: Value = serde_json::from_str(&helm.must(&["list", "-o", "json"], "")?)?;
        ensure!(
            listed[0]["status"] == "deployed" && listed[0]["revision"] == "3",
            "{listed}"
        );
        // Nor was anything refused that controllers made of it.
        let events = kubectl.must(&["get", "events.events.k8s.io", "-o", "jsonpath={.items[*].note}"])?;
        ensure!(!events.contains("reeve: R"), "{events}");

        helm.must(&[&["uninstall", RELEASE][..], &wait].concat(), "")?;
        let kinds = "deployments,services,configmaps,poddisruptionbudgets,horizontalpodautoscalers,secrets";
        let label = format!("app.kubernetes.io/instance={RELEASE}");
        let left = kubectl.must(&["get", kinds, "-l", &label, "-o", "name"])?;
        let history = kubectl.must(&["get", "secrets", "-l", "owner=helm", "-o", "name"])?;
        ensure!(left.is_empty() && history.is_empty(), "{left}{history}");
        Ok(())
    });
}

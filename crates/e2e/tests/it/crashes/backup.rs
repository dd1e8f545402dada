//! A database that is restored from a backup has forgotten what clusters were sent since.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Api;
use nix::sys::signal::Signal;
use reeve_crds::AccessRule;
use reeve_e2e::{ADMINISTRATOR, Stack, organization};
use reeve_testkit::{Tier, wait_until};
use reeve_types::kubernetes::GROUP_PREFIX;

use crate::harness::{fresh, on_a_stack_of_its_own, signal};

/// The files of the database, with what is not yet in the main one.
fn database(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("reeve.db") {
            files.push(entry.path());
        }
    }
    ensure!(!files.is_empty(), "no database in {}", folder.display());
    Ok(files)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for file in database(from)? {
        fs::copy(&file, to.join(file.file_name().context("no name")?))?;
    }
    Ok(())
}

/// Lets count again what a restored database suspended.
fn confirm(folder: &Path) -> Result<()> {
    let output = Command::new(reeve_testkit::binary("reeve-server")?)
        .args([
            "restored",
            "confirm",
            "--passwords",
            "--secrets",
            "--clusters",
            "--data-dir",
        ])
        .arg(folder)
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

async fn phase_of_rule(stack: &Stack, rule: i64) -> Result<String> {
    let path = format!("/api/v1/authorization/access-rules/{rule}");
    let rule = stack.admin.get(&path).await?.expect(200)?;
    Ok(rule["status"]["phase"].as_str().unwrap_or_default().to_owned())
}

async fn until_rule_is_ready(stack: &Stack, rule: i64) -> Result<()> {
    wait_until("the rule to be Ready", async || {
        Ok((phase_of_rule(stack, rule).await? == "Ready").then_some(()))
    })
    .await
}

#[test]
fn a_rule_that_a_restored_database_never_had_ends_also_when_the_database_has_overtaken_the_cluster() {
    on_a_stack_of_its_own("backup", Tier::ApiServer, async |mut stack| {
        let department = organization::create_department(&stack, &fresh("dept")).await?;
        let name = fresh("proj");
        let project = organization::create_project(&stack, &name, &department).await?;
        let bindings: Api<RoleBinding> =
            Api::namespaced(stack.cluster.client().await?, &format!("reeve-{name}"));
        let rules: Api<AccessRule> = Api::all(stack.cluster.client().await?);
        let bound = async |group: &str| {
            let subject = format!("{GROUP_PREFIX}{group}");
            let binding = bindings.get_opt("reeve-viewer").await?;
            let subjects = binding.and_then(|binding| binding.subjects).unwrap_or_default();
            anyhow::Ok(subjects.iter().any(|found| found.name == subject))
        };
        organization::create_rule(&stack.admin, "group", "stays", "Viewer", "project", &project).await?;
        wait_until("the first rule to be bound", async || {
            Ok(bound("stays").await?.then_some(()))
        })
        .await?;

        // What the backup does not know to be ready, although the cluster has long had it.
        signal(stack.operator(), Signal::SIGSTOP)?;
        let early = organization::create_project(&stack, &fresh("proj"), &department).await?;
        let untold =
            organization::create_rule(&stack.admin, "group", "untold", "Viewer", "project", &project).await?;
        let (folder, backup) = (stack.dir().join("server"), stack.dir().join("backup"));
        stack.kill_server()?;
        copy(&folder, &backup)?;
        stack.start_server().await?;
        signal(stack.operator(), Signal::SIGCONT)?;
        organization::wait_until_ready(&stack.admin, &early).await?;
        until_rule_is_ready(&stack, untold).await?;
        let lost =
            organization::create_rule(&stack.admin, "group", "lost", "Viewer", "project", &project).await?;
        wait_until("the second rule to be bound", async || {
            Ok(bound("lost").await?.then_some(()))
        })
        .await?;

        // The backup comes back, and goes past what the cluster has before the operator is there again.
        signal(stack.operator(), Signal::SIGSTOP)?;
        stack.kill_server()?;
        for file in database(&folder)? {
            fs::remove_file(file)?;
        }
        copy(&backup, &folder)?;
        // It is noticed, and everybody is out: the administrator lets in again whose passwords and secrets did not change.
        stack.start_server().await?;
        ensure!(
            stack
                .admin
                .get("/api/v1/authorization/access-rules")
                .await?
                .status
                == 401,
            "a session of before the backup goes on"
        );
        stack.kill_server()?;
        confirm(&folder)?;
        stack.start_server().await?;
        stack.admin = stack.admin.sign_in(ADMINISTRATOR, &stack.admin_password).await?;
        let mut others = Vec::new();
        for _ in 0..4 {
            others.push(organization::create_project(&stack, &fresh("proj"), &department).await?);
        }
        ensure!(
            phase_of_rule(&stack, untold).await? != "Ready",
            "the backup knows too much to show anything"
        );
        ensure!(
            bound("lost").await?,
            "it lost the rule too early to show anything"
        );
        signal(stack.operator(), Signal::SIGCONT)?;

        wait_until("the rule that is in no database to end", async || {
            Ok((!bound("lost").await?).then_some(()))
        })
        .await?;
        ensure!(bound("stays").await?, "the rule of the backup ended too");
        ensure!(rules.get_opt(&format!("rule-{lost}")).await?.is_none());
        until_rule_is_ready(&stack, untold).await?;
        for project in others.iter().chain([&early]) {
            organization::wait_until_ready(&stack.admin, project).await?;
        }
        let log = stack.server().context("the server is not running")?.log();
        ensure!(
            log.contains("sending it everything"),
            "the server does not say that it begins anew"
        );
        Ok(())
    });
}

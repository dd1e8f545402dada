//! The demo as a story: each step says what it does, does it, and reads back what came of it.

use std::collections::BTreeMap;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Api;
use kube::api::ListParams;
use reeve_testkit::{images, wait_until};

use crate::file::kubeconfig_of;
use crate::organization::{Organization, Person, home_of};
use crate::road::Road;

/// Where alice works.
pub const NAMESPACE: &str = "reeve-robots";

/// Tells the story, one line at a time, to whoever listens.
pub struct Story<'a> {
    road: &'a Road,
    organization: &'a Organization,
    tell: fn(&str),
}

impl<'a> Story<'a> {
    /// A story about this road.
    pub fn new(road: &'a Road, organization: &'a Organization, tell: fn(&str)) -> Self {
        Self {
            road,
            organization,
            tell,
        }
    }

    /// Signs everybody in with the command line and writes their kubeconfigs. Needed for `demo.json` also where no story
    /// is told.
    ///
    /// # Errors
    /// The command line refuses; the error shows what it said.
    pub fn sign_everybody_in(&self) -> Result<()> {
        for (first_name, person) in &self.organization.people {
            self.sign_in(first_name, person)?;
        }
        Ok(())
    }

    /// All of it.
    ///
    /// # Errors
    /// A step that did not do what the story says.
    pub async fn tell(&self) -> Result<()> {
        self.show_bindings().await?;
        self.submit().await?;
        self.apply_bare_job().await?;
        self.apply_forbidden()
    }

    fn heading(&self, text: &str) {
        (self.tell)("");
        (self.tell)(&format!("── {text}"));
    }

    fn lines(&self, text: &str) {
        for line in text.trim_end().lines() {
            (self.tell)(&format!("   {line}"));
        }
    }

    fn sign_in(&self, first_name: &str, person: &Person) -> Result<()> {
        let login = ["login", "user", "--url", self.road.admin.url(), "--ca-file"];
        let ca_file = self.road.ca_file.display().to_string();
        let mut arguments: Vec<&str> = login.to_vec();
        arguments.extend([
            ca_file.as_str(),
            "-u",
            person.username.as_str(),
            "--password-stdin",
        ]);
        must(first_name, self.reeve(first_name, &arguments, &person.password)?)?;
        let kubeconfig = kubeconfig_of(self.road, first_name);
        let shown = kubeconfig.display().to_string();
        if first_name == "bob" || first_name == "alice" || first_name == "dave" {
            must(
                first_name,
                self.reeve(first_name, &["kubeconfig", "set", "--kubeconfig", &shown], "")?,
            )?;
        }
        Ok(())
    }

    async fn show_bindings(&self) -> Result<()> {
        self.heading("What the access rules became: one RoleBinding for each role and namespace");
        let client = self.road.cluster.client().await?;
        let bindings: Api<RoleBinding> = Api::namespaced(client, NAMESPACE);
        for binding in bindings
            .list(&ListParams::default().labels("reeve.dev/managed=access-rules"))
            .await?
        {
            let subjects = binding.subjects.unwrap_or_default();
            let names: Vec<&str> = subjects.iter().map(|s| s.name.as_str()).collect();
            let name = binding.metadata.name.unwrap_or_default();
            self.lines(&format!(
                "{NAMESPACE}/{name} → ClusterRole {}: {}",
                binding.role_ref.name,
                names.join(", ")
            ));
        }
        Ok(())
    }

    async fn submit(&self) -> Result<()> {
        let arguments = [
            "submit",
            "first",
            "-p",
            "robots",
            "-i",
            images::TOOLS,
            "--run-as-user",
            "--create-home-dir",
            "--",
            "sh",
            "-c",
            "id; echo HOME=$HOME; touch $HOME/it-is-mine && ls $HOME",
        ];
        self.heading("alice submits a job");
        self.lines("$ reeve submit first -p robots -i local.test/tools:1 --run-as-user --create-home-dir -- sh -c 'id; …'");
        self.lines(&must("alice", self.reeve("alice", &arguments, "")?)?);
        self.show_run("reeve.dev/workload=first").await
    }

    async fn apply_bare_job(&self) -> Result<()> {
        self.heading("alice applies a bare Job with kubectl; it says nothing of users or security");
        let manifest = bare_job("second", &["sh", "-c", "id"]);
        self.lines(&manifest);
        let kubectl = self.road.kubectl(&kubeconfig_of(self.road, "alice"));
        let output = kubectl.run_with_input(&["apply", "-n", NAMESPACE, "-f", "-"], &manifest)?;
        self.lines(&must("kubectl apply", output)?);
        self.show_run("batch.kubernetes.io/job-name=second").await
    }

    fn apply_forbidden(&self) -> Result<()> {
        self.heading("alice asks to be root; the API server refuses and says why");
        let manifest = bare_job("third", &["id"]).replace(
            "    spec:\n",
            "    spec:\n      securityContext: {runAsUser: 0, runAsNonRoot: false}\n",
        );
        let kubectl = self.road.kubectl(&kubeconfig_of(self.road, "alice"));
        let output = kubectl.run_with_input(&["apply", "-n", NAMESPACE, "-f", "-"], &manifest)?;
        ensure!(
            !output.status.success(),
            "a Job that runs as root was admitted: this must never happen"
        );
        self.lines(&String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// What the container printed; where there is none, the admitted pod's security context and why.
    async fn show_run(&self, selector: &str) -> Result<()> {
        let client = self.road.cluster.client().await?;
        let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
        let jobs: Api<Job> = Api::namespaced(client, NAMESPACE);
        let list = ListParams::default().labels(selector);
        let real_node = self.road.cluster.real_node();
        let pod = wait_until("the pod to be there", async || {
            let pod = pods.list(&list).await?.items.into_iter().next();
            let ended = |p: &Pod| {
                p.status
                    .as_ref()
                    .and_then(|s| s.phase.as_deref())
                    .is_some_and(is_over)
            };
            Ok(pod.filter(|p| real_node.is_err() || ended(p)))
        })
        .await?;
        let name = pod.metadata.name.clone().unwrap_or_default();
        let stamp = pod
            .metadata
            .annotations
            .as_ref()
            .and_then(|a| a.get("reeve.dev/runs-as"));
        self.lines(&format!(
            "pod {name} is stamped {}",
            stamp.map_or("with nothing", String::as_str)
        ));
        match real_node {
            Ok(()) => {
                self.lines("its container printed:");
                self.lines(&self.road.cluster.pod_logs(NAMESPACE, &name).await?);
            }
            Err(why) => {
                let context = pod.spec.and_then(|spec| spec.security_context);
                self.lines(&format!("NO CONTAINER RAN: {why}"));
                self.lines(&serde_saphyr::to_string(&context).context("printing the security context")?);
            }
        }
        // The Job is read back too: a Job whose pod was refused would be without one.
        ensure!(
            !jobs.list(&ListParams::default()).await?.items.is_empty(),
            "no Job is there"
        );
        Ok(())
    }

    /// Runs the command line as a person, with her own settings folder.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn reeve(&self, first_name: &str, arguments: &[&str], input: &str) -> Result<Output> {
        let home = home_of(self.road, first_name);
        std::fs::create_dir_all(&home).with_context(|| format!("making `{}`", home.display()))?;
        let environment = BTreeMap::from([("REEVE_CONFIG_DIR", home.join("reeve"))]);
        let mut child = Command::new(reeve_testkit::binary("reeve")?)
            .args(arguments)
            .envs(environment)
            .env_remove("KUBECONFIG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting `reeve`")?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that reads nothing closes its end early; that is its right.
            let _ = std::io::Write::write_all(&mut stdin, input.as_bytes());
        }
        child.wait_with_output().context("waiting for `reeve`")
    }
}

fn is_over(phase: &str) -> bool {
    phase == "Succeeded" || phase == "Failed"
}

/// Standard output of a command that succeeded.
fn must(who: &str, output: Output) -> Result<String> {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{who}: exit {}: {error}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A Job that names an image and a command and nothing else.
pub fn bare_job(name: &str, command: &[&str]) -> String {
    let command = serde_json::json!(command);
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {name}\nspec:\n  backoffLimit: 0\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n      - name: main\n        image: {}\n        command: {command}\n",
        images::TOOLS
    )
}

//! The demo as a story: each step says what it does, does it, and reads back what came of it.

mod describe;
mod serving;

use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::ListParams;
use kube::{Api, Client};
use reeve_crds::Workload;
use reeve_e2e::Stack;
use reeve_e2e::organization::{NAMESPACE, command_line_of, kubeconfig_of};
use reeve_testkit::{images, wait_until};

pub(crate) use serving::MODELS;

/// Tells the story, one line at a time, to whoever listens.
pub(crate) struct Walkthrough<'a> {
    stack: &'a Stack,
    tell: fn(&str),
}

impl<'a> Walkthrough<'a> {
    /// A story about this stack, whose people are signed in.
    pub(crate) fn new(stack: &'a Stack, tell: fn(&str)) -> Self {
        Self { stack, tell }
    }

    /// All of it.
    ///
    /// # Errors
    /// A step that did not do what the story says.
    pub(crate) async fn tell(&self) -> Result<()> {
        let client = self.stack.cluster.client().await?;
        self.show_namespace(&client).await?;
        self.show_bindings(&client).await?;
        self.submit(&client).await?;
        self.apply_bare_job(&client).await?;
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

    async fn show_namespace(&self, client: &Client) -> Result<()> {
        self.heading("What project robots became: a namespace whose labels put it under the policies");
        let namespaces: Api<Namespace> = Api::all(client.clone());
        self.lines(&describe::namespace(&namespaces.get(NAMESPACE).await?));
        Ok(())
    }

    async fn show_bindings(&self, client: &Client) -> Result<()> {
        self.heading("What the access rules became: one RoleBinding for each role and namespace");
        let bindings: Api<RoleBinding> = Api::namespaced(client.clone(), NAMESPACE);
        let of_rules = ListParams::default().labels("reeve.dev/managed=access-rules");
        for binding in bindings.list(&of_rules).await? {
            self.lines(&describe::binding(&binding));
        }
        Ok(())
    }

    async fn submit(&self, client: &Client) -> Result<()> {
        let script = "id; echo HOME=$HOME; touch $HOME/it-is-mine && ls $HOME";
        let what = ["submit", "first", "-p", "robots", "-i", images::TOOLS];
        let how = ["--run-as-user", "--create-home-dir", "--", "sh", "-c"];
        let words = [&what[..], &how].concat();
        self.heading("alice submits a job");
        self.lines(&format!("$ reeve {} '{script}'", words.join(" ")));
        self.lines(&command_line_of(self.stack, "alice")?.must(&[&words[..], &[script]].concat())?);

        let workloads: Api<Workload> = Api::namespaced(client.clone(), NAMESPACE);
        let workload = wait_until("the Workload to be there", async || {
            Ok(workloads.get_opt("first").await?)
        })
        .await?;
        self.lines(&describe::workload(&workload));
        self.show_job(client, "first").await?;
        self.show_run(client, "reeve.dev/workload=first").await
    }

    async fn apply_bare_job(&self, client: &Client) -> Result<()> {
        self.heading("alice applies a bare Job with kubectl; it says nothing of users or security");
        let manifest = bare_job("second", &["sh", "-c", "id"]);
        self.lines(&manifest);
        let kubectl = self.stack.kubectl(&kubeconfig_of(self.stack, "alice"));
        self.lines(&kubectl.must_with_input(&["apply", "-n", NAMESPACE, "-f", "-"], &manifest)?);
        self.show_job(client, "second").await?;
        self.show_run(client, "batch.kubernetes.io/job-name=second").await
    }

    fn apply_forbidden(&self) -> Result<()> {
        self.heading("alice asks to be root; the API server refuses and says why");
        let manifest = bare_job("third", &["id"]).replace(
            "    spec:\n",
            "    spec:\n      securityContext: {runAsUser: 0, runAsNonRoot: false}\n",
        );
        let kubectl = self.stack.kubectl(&kubeconfig_of(self.stack, "alice"));
        let output = kubectl.run_with_input(&["apply", "-n", NAMESPACE, "-f", "-"], &manifest)?;
        ensure!(
            !output.status.success(),
            "a Job that runs as root was admitted: this must never happen"
        );
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            said.contains("reeve: R6: "),
            "a Job that runs as root was refused for another reason than rule R6: {said}"
        );
        self.lines(&said);
        Ok(())
    }

    async fn show_job(&self, client: &Client, name: &str) -> Result<()> {
        let jobs: Api<Job> = Api::namespaced(client.clone(), NAMESPACE);
        let job = wait_until("the Job to be there", async || Ok(jobs.get_opt(name).await?)).await?;
        self.lines(&describe::job(&job));
        Ok(())
    }

    /// What the container printed; where there is none, the admitted pod's security context and why.
    async fn show_run(&self, client: &Client, selector: &str) -> Result<()> {
        let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
        let list = ListParams::default().labels(selector);
        let real_node = self.stack.cluster.real_node();
        let pod = wait_until("the pod to run to its end", async || {
            match pods.list(&list).await?.items.into_iter().next() {
                Some(pod) if real_node.is_ok() && !describe::is_over(&pod) => {
                    bail!("{}", describe::pod(&pod))
                }
                pod => Ok(pod),
            }
        })
        .await?;
        self.lines(&describe::pod(&pod));
        if let Err(why) = real_node {
            let context = pod.spec.and_then(|spec| spec.security_context);
            self.lines(&format!("NO CONTAINER RAN: {why}"));
            self.lines(&serde_saphyr::to_string(&context).context("printing the security context")?);
            return Ok(());
        }
        let name = pod.metadata.name.clone().unwrap_or_default();
        let printed = self.stack.cluster.pod_logs(NAMESPACE, &name).await;
        if let Some(failure) = describe::failure(&pod) {
            let printed = printed.unwrap_or_else(|error| format!("{error:#}"));
            bail!("what alice started did not end well: {failure}; its log:\n{printed}");
        }
        self.lines("its container printed:");
        self.lines(&printed?);
        Ok(())
    }
}

/// A Job that names an image and a command and nothing else.
fn bare_job(name: &str, command: &[&str]) -> String {
    let command = serde_json::json!(command);
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {name}\nspec:\n  backoffLimit: 0\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n      - name: main\n        image: {}\n        command: {command}\n",
        images::TOOLS
    )
}

//! A cluster with everything installed, a scripted link, and the operator as a process under its own rights.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::RoleBinding;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{Api, Client, ResourceExt};
use reeve_crds::ReeveConfig;
use reeve_e2e::process::announcement;
use reeve_link::desired::DesiredObject;
use reeve_link::{ObjectKey, StatusPhase};
use reeve_testkit::{AuditEvent, Cluster, KillOnDrop, Options, Tier, own_cluster, wait_for, wait_until};
use reeve_types::{AccessRuleId, ProjectId};
use serde_json::{Value, json};

use crate::scripted_link::{SECRET, ScriptedLink};

pub(crate) const OPERATOR: &str = "system:serviceaccount:reeve-system:reeve-operator";

pub(crate) struct Rig {
    // Declared in the order in which they end: the operator first.
    pub(crate) operator: Option<KillOnDrop>,
    pub(crate) link: ScriptedLink,
    pub(crate) client: Client,
    pub(crate) installer: Client,
    pub(crate) cluster: Cluster,
    arguments: Vec<String>,
    pub(crate) dir: tempfile::TempDir,
}

impl Rig {
    pub(crate) async fn start() -> Option<Self> {
        Self::start_with(&json!({})).await
    }

    /// With these settings, and the operator's rights as the chart gives them for their switches.
    pub(crate) async fn start_with(settings: &Value) -> Option<Self> {
        let cluster = own_cluster(Options {
            tier: Tier::Controllers,
            ..Options::default()
        })
        .await?;
        let installer = cluster.installer_client().await.unwrap();
        reeve_e2e::install_chart(&cluster, settings).await.unwrap();
        let link = ScriptedLink::start().await;
        let dir = tempfile::tempdir().unwrap();
        let arguments = arguments(&cluster, &link, &dir).await;
        let client = cluster.client().await.unwrap();
        let mut rig = Self {
            operator: None,
            link,
            client,
            installer,
            cluster,
            arguments,
            dir,
        };
        rig.run(&[]);
        Some(rig)
    }

    /// Starts the operator (again).
    pub(crate) fn run(&mut self, more: &[&str]) {
        // A flag that is given again takes the place of the usual one.
        let (verb, pairs) = self.arguments.split_first().unwrap();
        let kept = pairs.chunks(2).filter(|pair| !more.contains(&pair[0].as_str()));
        let arguments: Vec<String> = std::iter::once(verb).chain(kept.flatten()).cloned().collect();
        self.run_with(&arguments, more);
    }

    /// Starts the operator (again), without a control plane.
    pub(crate) fn run_alone(&mut self) {
        const LINK: &[&str] = &[
            "--server-url",
            "--ca-file",
            "--cluster-id",
            "--client-secret-file",
        ];
        let (verb, pairs) = self.arguments.split_first().unwrap();
        let kept = pairs
            .chunks(2)
            .filter(|pair| !LINK.contains(&pair[0].as_str()))
            .flatten();
        let arguments: Vec<String> = std::iter::once(verb).chain(kept).cloned().collect();
        self.run_with(&arguments, &[]);
    }

    fn run_with(&mut self, arguments: &[String], more: &[&str]) {
        let _ = std::fs::remove_file(self.announce_file());
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_file())
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_reeve-operator"))
            .args(arguments)
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.operator = Some(KillOnDrop(child));
    }

    pub(crate) fn kill(&mut self) {
        self.operator.take().unwrap().kill_now();
    }

    fn announce_file(&self) -> PathBuf {
        self.dir.path().join("announce.json")
    }

    fn log_file(&self) -> PathBuf {
        self.dir.path().join("operator.log")
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap()
    }

    /// Status and text of a path of the operator's own listener.
    pub(crate) async fn ask(&self, path: &str) -> (u16, String) {
        let announced = wait_until("the announcement", async || {
            Ok(announcement(&self.announce_file()))
        })
        .await
        .unwrap();
        let certificate =
            reqwest::Certificate::from_pem(announced["certificate"].as_str().unwrap().as_bytes()).unwrap();
        let http = reqwest::Client::builder()
            .tls_certs_only([certificate])
            .build()
            .unwrap();
        let answer = http
            .get(format!("{}{path}", announced["url"].as_str().unwrap()))
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub(crate) async fn ready(&self) {
        wait_until("readiness", async || {
            let (status, text) = self.ask("/readyz").await;
            if status == 200 {
                Ok(Some(()))
            } else {
                Err(anyhow::anyhow!(text))
            }
        })
        .await
        .unwrap();
    }

    pub(crate) async fn phase(&self, key: ObjectKey, phase: StatusPhase) -> String {
        // A deleted workload is gone when the garbage collector is done with its Job: half a minute, and more on a busy machine.
        wait_for(
            Duration::from_secs(180),
            &format!("{key:?} {phase:?}"),
            async || match self.link.status(key) {
                Some(status) if status.phase == phase => Ok(Some(status.message)),
                other => Err(anyhow::anyhow!("{other:?}")),
            },
        )
        .await
        .unwrap()
    }

    /// Waits for a phase with these words: what is said first need not be what stays.
    pub(crate) async fn says(&self, key: ObjectKey, phase: StatusPhase, words: &str) -> String {
        wait_until(&format!("{key:?} {phase:?}: {words}"), async || {
            match self.link.status(key) {
                Some(status) if status.phase == phase && status.message.contains(words) => {
                    Ok(Some(status.message))
                }
                other => Err(anyhow::anyhow!("{other:?}")),
            }
        })
        .await
        .unwrap()
    }

    /// `binding: subjects` of a namespace, without the operator's own.
    pub(crate) async fn bindings(&self, namespace: &str) -> Vec<(String, Vec<String>)> {
        let all = Api::<RoleBinding>::namespaced(self.client.clone(), namespace)
            .list(&kube::api::ListParams::default())
            .await
            .unwrap();
        all.items
            .into_iter()
            // The operator's own, of which each switch has one.
            .filter(|binding| !binding.name_any().starts_with("reeve-operator"))
            .map(|binding| {
                let subjects = binding
                    .subjects
                    .into_iter()
                    .flatten()
                    .map(|s| format!("{} {}", s.kind, s.name))
                    .collect();
                (binding.metadata.name.unwrap(), subjects)
            })
            .collect()
    }

    pub(crate) async fn wait_for_bindings(&self, namespace: &str, wanted: &[(&str, &[&str])]) {
        let wanted: Vec<(String, Vec<String>)> = wanted
            .iter()
            .map(|(n, s)| ((*n).to_owned(), s.iter().map(|s| (*s).to_owned()).collect()))
            .collect();
        wait_until(&format!("bindings {wanted:?} in {namespace}"), async || {
            let found = self.bindings(namespace).await;
            if found == wanted {
                Ok(Some(()))
            } else {
                Err(anyhow::anyhow!("{found:?}"))
            }
        })
        .await
        .unwrap();
    }

    pub(crate) async fn namespace(&self, name: &str) -> Option<Namespace> {
        Api::<Namespace>::all(self.client.clone())
            .get_opt(name)
            .await
            .unwrap()
    }

    /// A condition of the settings.
    pub(crate) async fn condition(&self, type_: &str) -> Option<Condition> {
        let config = Api::<ReeveConfig>::all(self.client.clone())
            .get("reeve")
            .await
            .unwrap();
        let conditions = config.status.unwrap_or_default().conditions;
        conditions.into_iter().find(|condition| condition.type_ == type_)
    }

    /// The types of the events of a reason that are about objects of the whole cluster.
    pub(crate) fn events(&self, reason: &str) -> Vec<String> {
        let of_reason = format!("reason={reason}");
        let path = r"jsonpath={.items[*].type}";
        let arguments = [
            "-n",
            "default",
            "get",
            "events.events.k8s.io",
            "--field-selector",
            &of_reason,
            "-o",
            path,
        ];
        let types = self.cluster.kubectl().must(&arguments).unwrap();
        types.split_whitespace().map(str::to_owned).collect()
    }

    /// Waits for an event of a reason, about an object of the whole cluster, with these words.
    pub(crate) async fn event_says(&self, reason: &str, words: &[&str]) {
        let of_reason = format!("reason={reason}");
        let path = r"jsonpath={.items[*].note}";
        let arguments = [
            "-n",
            "default",
            "get",
            "events.events.k8s.io",
            "--field-selector",
            &of_reason,
            "-o",
            path,
        ];
        wait_until(&format!("an event {reason} with {words:?}"), async || {
            let said = self.cluster.kubectl().must(&arguments)?;
            anyhow::ensure!(words.iter().all(|word| said.contains(word)), "{said}");
            Ok(Some(()))
        })
        .await
        .unwrap();
    }

    pub(crate) fn operator_events(&self, since: u64) -> Vec<AuditEvent> {
        let all = self.cluster.audit_events_since(since).unwrap();
        all.into_iter().filter(|event| event.user == OPERATOR).collect()
    }

    /// Writes of the operator since a mark, leases and questions aside.
    pub(crate) fn writes(&self, since: u64) -> Vec<String> {
        self.operator_events(since)
            .into_iter()
            .filter(|e| !["get", "list", "watch"].contains(&e.verb.as_str()))
            .filter(|e| !["leases", "selfsubjectaccessreviews"].contains(&e.resource.as_str()))
            .map(|e| {
                format!(
                    "{} {}/{} {}/{}",
                    e.verb, e.resource, e.subresource, e.namespace, e.name
                )
            })
            .collect()
    }
}

async fn arguments(cluster: &Cluster, link: &ScriptedLink, dir: &tempfile::TempDir) -> Vec<String> {
    let token = wait_until("a token", async || {
        Ok(Some(
            cluster
                .service_account_token("reeve-system", "reeve-operator", 7200)
                .await?,
        ))
    })
    .await
    .unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let announce = dir.path().join("announce.json").display().to_string();
    [
        (
            "--kubeconfig",
            file("kubeconfig", &reeve_e2e::kubeconfig(cluster, &token, None)),
        ),
        ("--server-url", link.url.clone()),
        ("--ca-file", file("ca.crt", &link.ca)),
        ("--cluster-id", link.cluster.to_string()),
        ("--client-secret-file", file("secret", &format!("{SECRET}\n"))),
        ("--advertise-api-server", cluster.server().to_owned()),
        (
            "--advertise-api-server-ca",
            cluster.ca_file().display().to_string(),
        ),
        ("--announce-file", announce),
        (
            "--log",
            "debug,hyper=info,h2=info,rustls=info,tower=info,reqwest=info".to_owned(),
        ),
    ]
    .into_iter()
    .fold(vec!["run".to_owned()], |mut all, (flag, value)| {
        all.push(flag.to_owned());
        all.push(value);
        all
    })
}

pub(crate) fn project(id: i64, name: &str) -> DesiredObject {
    project_in(id, name, &format!("reeve-{name}"))
}

pub(crate) fn project_in(id: i64, name: &str, namespace: &str) -> DesiredObject {
    let spec = json!({"id": id.to_string(), "name": name, "departmentId": "1", "namespace": namespace});
    serde_json::from_value(json!({"kind": "Project", "spec": spec})).unwrap()
}

pub(crate) fn rule(id: i64, email: &str, role: &str, scope: Value) -> DesiredObject {
    let spec = json!({"id": id, "subject": {"kind": "user", "name": email}, "role": role, "scope": scope});
    serde_json::from_value(json!({"kind": "AccessRule", "spec": spec})).unwrap()
}

pub(crate) fn of_project(id: i64) -> Value {
    json!({"type": "project", "id": id.to_string()})
}

/// A workload of alice, who is uid 70012.
pub(crate) fn workload(number: u32, name: &str, project: i64) -> DesiredObject {
    let spec = json!({
        "id": format!("0b6f8a52-0d3c-4d5e-9a55-{number:012}"), "name": name, "projectId": project.to_string(),
        "submittedBy": "alice@example.com", "image": "local.test/tools:1", "createHomeDir": true,
        "identity": {"userId": "123e4567-e89b-12d3-a456-426614174000", "email": "alice@example.com",
            "posix": {"uid": 70012, "gid": 5000, "supplementaryGroups": [5001]}}
    });
    serde_json::from_value(json!({"kind": "Workload", "spec": spec})).unwrap()
}

pub(crate) fn project_key(id: i64) -> ObjectKey {
    ObjectKey::Project(ProjectId::new(id).unwrap())
}

pub(crate) fn rule_key(id: i64) -> ObjectKey {
    ObjectKey::AccessRule(AccessRuleId::new(id).unwrap())
}

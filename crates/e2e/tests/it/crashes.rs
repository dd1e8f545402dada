//! Power failures and absences: nothing that was acknowledged is lost, and the cluster becomes what the database says.

mod absence;
mod backup;
mod chaos;
mod kills;
mod writers;

use std::time::Duration;

use anyhow::{Result, ensure};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Api;
use kube::api::ListParams;
use reeve_e2e::{Rest, Stack};
use reeve_tenancy::OPERATOR_BINDING;
use reeve_testkit::wait_for;
use serde_json::Value;

const RULES: &str = "/api/v1/authorization/access-rules";

/// A subject that a role of a namespace is bound to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Bound {
    namespace: String,
    role: String,
    /// `User` or `Group`, as Kubernetes tells them apart.
    kind: String,
    name: String,
}

/// Waits until every project's namespace binds exactly whom the database says, each once, and nobody else.
async fn until_the_cluster_equals_the_database(stack: &Stack) -> Result<()> {
    let deadline = Duration::from_secs(60);
    wait_for(deadline, "the cluster to equal the database", async || {
        let (wanted, found) = (wanted(&stack.admin).await?, found(stack).await?);
        let without = |these: &[Bound], those: &[Bound]| -> Vec<Bound> {
            these.iter().filter(|one| !those.contains(one)).cloned().collect()
        };
        ensure!(
            wanted == found,
            "missing {:?}, too many {:?}, {} wanted and {} found",
            without(&wanted, &found),
            without(&found, &wanted),
            wanted.len(),
            found.len()
        );
        Ok(Some(()))
    })
    .await
}

async fn all_rules(admin: &Rest) -> Result<Vec<Value>> {
    let mut rules = Vec::new();
    loop {
        let path = format!("{RULES}?limit=500&offset={}", rules.len());
        let page = admin.get(&path).await?.expect(200)?;
        let items = page["accessRules"].as_array().cloned().unwrap_or_default();
        if items.is_empty() {
            return Ok(rules);
        }
        rules.extend(items);
    }
}

/// What the rules of the database give in each project.
async fn wanted(admin: &Rest) -> Result<Vec<Bound>> {
    let rules = all_rules(admin).await?;
    let projects = admin
        .get("/api/v1/org-unit/projects?limit=500")
        .await?
        .expect(200)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for project in projects["projects"].as_array().into_iter().flatten() {
        for rule in &rules {
            let reaches = match rule["scopeType"].as_str() {
                Some("tenant") => true,
                Some("cluster") => rule["scopeId"] == project["clusterId"],
                Some("department") => rule["scopeId"] == project["parentId"],
                _ => rule["scopeId"] == project["id"],
            };
            if !reaches {
                continue;
            }
            let subject = text(&rule["subjectId"]);
            let (kind, name) = match rule["subjectType"].as_str() {
                Some("group") => ("Group", format!("reeve-group/{subject}")),
                Some("service-account") => ("User", format!("reeve:application:{subject}")),
                _ => ("User", subject),
            };
            let role = text(&rule["roleName"]).to_lowercase().replace(' ', "-");
            all.push(Bound {
                namespace: text(&project["status"]["namespace"]),
                role: format!("reeve-{role}"),
                kind: kind.to_owned(),
                name,
            });
        }
    }
    all.sort();
    Ok(all)
}

/// What is bound in the namespaces of projects, the operator itself aside.
async fn found(stack: &Stack) -> Result<Vec<Bound>> {
    let bindings: Api<RoleBinding> = Api::all(stack.cluster.client().await?);
    let mut all = Vec::new();
    for binding in bindings.list(&ListParams::default()).await? {
        let namespace = binding.metadata.namespace.unwrap_or_default();
        let ours = namespace.starts_with("reeve-") && namespace != "reeve-system";
        let is_operators = |name: &str| name.starts_with(OPERATOR_BINDING);
        if !ours || binding.metadata.name.as_deref().is_some_and(is_operators) {
            continue;
        }
        ensure!(binding.role_ref.kind == "ClusterRole", "{:?}", binding.role_ref);
        for subject in binding.subjects.unwrap_or_default() {
            all.push(Bound {
                namespace: namespace.clone(),
                role: binding.role_ref.name.clone(),
                kind: subject.kind,
                name: subject.name,
            });
        }
    }
    all.sort();
    Ok(all)
}

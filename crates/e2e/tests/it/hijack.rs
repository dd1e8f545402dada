//! Hijacking: people of the control plane with real tokens try every way to write at namespaces, at the labels and owners that the
//! rules go by, at our custom resources, at rights and at the policies. Nothing of it may stick (security.md K6, K8S-04).
//!
//! The same attempts by somebody with a naive role, as dry runs, show that they are live: they succeed there.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use kube::Client;
use reeve_e2e::{Stack, organization};
use reeve_testkit::Tier;
use serde_json::{Value, json};

use crate::attacks::account_with;
use crate::harness::{Team, fresh, on_a_stack_of_its_own};

/// A request that is to change something.
struct Attempt {
    method: &'static str,
    path: String,
    content: &'static str,
    body: Value,
}

const MERGE: &str = "application/merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";
const JSON: &str = "application/json";

/// Everything that a namespace is governed by.
fn marks() -> Vec<Value> {
    let meta = |value: Value| json!({"metadata": value});
    vec![
        meta(json!({"labels": {"reeve.dev/project": "stolen"}})),
        meta(json!({"labels": {"reeve.dev/project": null}})),
        meta(json!({"labels": {"reeve.dev/project-id": "1"}})),
        meta(json!({"labels": {"reeve.dev/enforce-run-as-user": "false"}})),
        meta(json!({"labels": {"reeve.dev/allow-any-uid": "true"}})),
        meta(json!({"labels": {"pod-security.kubernetes.io/enforce": "privileged"}})),
        meta(json!({"labels": {"runai/queue": "other"}})),
        meta(json!({"labels": {"harmless": "x"}})),
        meta(json!({"annotations": {"reeve.dev/node-pools": "fast"}})),
        meta(json!({"annotations": {"reeve.dev/trusted-mutators": "x"}})),
        meta(json!({"annotations": {"openshift.io/sa.scc.uid-range": "1/70000"}})),
        meta(json!({"finalizers": ["example.com/held"]})),
        meta(
            json!({"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x"}]}),
        ),
        json!({"spec": {"finalizers": []}}),
        json!({"status": {"phase": "Terminating"}}),
    ]
}

/// Every verb on one object.
fn on_object(path: &str, kind: (&str, &str), name: &str, change: &Value) -> Vec<Attempt> {
    let mut whole = change.clone();
    whole["apiVersion"] = json!(kind.0);
    whole["kind"] = json!(kind.1);
    if !whole["metadata"].is_object() {
        whole["metadata"] = json!({});
    }
    whole["metadata"]["name"] = json!(name);
    let attempt = |method, content, path: &str, body: &Value| Attempt {
        method,
        path: path.to_owned(),
        content,
        body: body.clone(),
    };
    vec![
        attempt("PATCH", MERGE, path, change),
        attempt("PUT", JSON, path, &whole),
        attempt(
            "PATCH",
            APPLY,
            &format!("{path}?fieldManager=hijack&force=true"),
            &whole,
        ),
    ]
}

fn attempts(own: &str, other: &str, project: &str, rule: i64) -> Vec<Attempt> {
    let mut all = Vec::new();
    for namespace in [own, other, "reeve-system", "kube-system"] {
        for change in marks() {
            for sub in ["", "/status", "/finalize"] {
                let path = format!("/api/v1/namespaces/{namespace}{sub}");
                all.extend(on_object(&path, ("v1", "Namespace"), namespace, &change));
            }
        }
    }
    let reeve = "/apis/reeve.dev/v1alpha1";
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let admission = "/apis/admissionregistration.k8s.io/v1";
    let kind = |group: &'static str, kind: &'static str| (group, kind);
    let version = "reeve.dev/v1alpha1";
    let binding = json!({"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:authenticated"}]});
    let objects = [
        (
            format!("{reeve}/projects"),
            kind(version, "Project"),
            project.to_owned(),
            json!({"spec": {"podRules": {"nodePools": ["fast"]}}}),
        ),
        (
            format!("{reeve}/accessrules"),
            kind(version, "AccessRule"),
            format!("rule-{rule}"),
            json!({"spec": {"role": "system-administrator"}}),
        ),
        (
            format!("{reeve}/reeveconfigs"),
            kind(version, "ReeveConfig"),
            "reeve".to_owned(),
            json!({"spec": {"enforceRunAsUser": false}}),
        ),
        (
            format!("{reeve}/namespaces/{own}/workloads"),
            kind(version, "Workload"),
            "hijack".to_owned(),
            json!({"spec": {"image": "x"}}),
        ),
        (
            format!("{reeve}/namespaces/{own}/podidentities"),
            kind(version, "PodIdentities"),
            "reeve".to_owned(),
            json!({"spec": {"runsAs": {}}}),
        ),
        (
            format!("{rbac}/namespaces/{own}/rolebindings"),
            kind("rbac.authorization.k8s.io/v1", "RoleBinding"),
            "reeve-l1-researcher".to_owned(),
            binding.clone(),
        ),
        (
            format!("{rbac}/namespaces/{own}/rolebindings"),
            kind("rbac.authorization.k8s.io/v1", "RoleBinding"),
            "reeve-operator".to_owned(),
            binding.clone(),
        ),
        (
            format!("{rbac}/clusterrolebindings"),
            kind("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
            "reeve-operator".to_owned(),
            binding,
        ),
        (
            format!("{rbac}/clusterroles"),
            kind("rbac.authorization.k8s.io/v1", "ClusterRole"),
            "reeve-viewer".to_owned(),
            json!({"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}),
        ),
        (
            format!("{admission}/validatingadmissionpolicies"),
            kind("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"),
            "reeve-pods".to_owned(),
            json!({"spec": {"failurePolicy": "Ignore"}}),
        ),
        (
            format!("{admission}/validatingadmissionpolicybindings"),
            kind(
                "admissionregistration.k8s.io/v1",
                "ValidatingAdmissionPolicyBinding",
            ),
            "reeve-pods".to_owned(),
            json!({"spec": {"validationActions": ["Warn"]}}),
        ),
        (
            format!("{admission}/mutatingadmissionpolicies"),
            kind("admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy"),
            "reeve-defaults".to_owned(),
            json!({"spec": {"failurePolicy": "Ignore"}}),
        ),
        (
            format!("/api/v1/namespaces/{own}/serviceaccounts"),
            kind("v1", "ServiceAccount"),
            "default".to_owned(),
            json!({"imagePullSecrets": [{"name": "x"}]}),
        ),
    ];
    for (collection, kind, name, change) in objects {
        let path = format!("{collection}/{name}");
        for sub in ["", "/status"] {
            all.extend(on_object(&format!("{path}{sub}"), kind, &name, &change));
        }
        let mut new = change.clone();
        new["apiVersion"] = json!(kind.0);
        new["kind"] = json!(kind.1);
        new["metadata"] = json!({"name": "hijack"});
        all.push(Attempt {
            method: "POST",
            path: collection.clone(),
            content: JSON,
            body: new,
        });
        for path in [path, collection] {
            all.push(Attempt {
                method: "DELETE",
                path,
                content: JSON,
                body: Value::Null,
            });
        }
    }
    for namespace in [own, other] {
        let path = format!("/api/v1/namespaces/{namespace}");
        all.push(Attempt {
            method: "DELETE",
            path,
            content: JSON,
            body: Value::Null,
        });
    }
    // What the rules of pods go by.
    let pod = |metadata: Value| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata,
        "spec": {"containers": [{"name": "main", "image": "local.test/tools:1"}]}})
    };
    for metadata in [
        json!({"name": "hijack", "labels": {"reeve.dev/workload": "x"}}),
        json!({"name": "hijack", "annotations": {"reeve.dev/runs-as": "other/70099/5000/"}}),
        json!({"name": "hijack", "ownerReferences": [{"apiVersion": version, "kind": "Workload", "name": "x", "uid": "x"}]}),
        json!({"name": "hijack", "ownerReferences": [{"apiVersion": version, "kind": "Project", "name": "x", "uid": "x", "controller": true}]}),
        json!({"name": "hijack", "finalizers": ["batch.kubernetes.io/job-tracking"]}),
    ] {
        let path = format!("/api/v1/namespaces/{own}/pods");
        all.push(Attempt {
            method: "POST",
            path,
            content: JSON,
            body: pod(metadata),
        });
    }
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": {"name": "hijack", "annotations": {"kubernetes.io/service-account.name": "default"}}});
    let path = format!("/api/v1/namespaces/{own}/secrets");
    all.push(Attempt {
        method: "POST",
        path,
        content: JSON,
        body: secret,
    });
    let token = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
    let path = format!("/api/v1/namespaces/{own}/serviceaccounts/default/token");
    all.push(Attempt {
        method: "POST",
        path,
        content: JSON,
        body: token,
    });
    all
}

/// The attempts that the API server admitted.
async fn admitted(client: &Client, attempts: &[Attempt], dry: bool) -> Result<Vec<String>> {
    let mut admitted = Vec::new();
    for attempt in attempts {
        let separator = if attempt.path.contains('?') { '&' } else { '?' };
        let path = if dry {
            format!("{}{separator}dryRun=All", attempt.path)
        } else {
            attempt.path.clone()
        };
        let body = if attempt.body.is_null() {
            Vec::new()
        } else {
            serde_json::to_vec(&attempt.body)?
        };
        let request = http::Request::builder()
            .method(attempt.method)
            .uri(&path)
            .header("content-type", attempt.content)
            .body(kube::client::Body::from(body))?;
        let answer = client.send(request).await?;
        if answer.status().is_success() {
            admitted.push(format!("{} {} {}", attempt.method, attempt.path, attempt.body));
        }
    }
    Ok(admitted)
}

/// Everything that is attacked, without what its own life changes.
async fn state(stack: &Stack, namespaces: &[&str]) -> Result<BTreeMap<String, Value>> {
    let kubectl = stack.kubectl(stack.cluster.installer_kubeconfig());
    let kinds = "projects.reeve.dev,accessrules.reeve.dev,reeveconfigs.reeve.dev,clusterroles,clusterrolebindings,\
        validatingadmissionpolicies,validatingadmissionpolicybindings,mutatingadmissionpolicies,mutatingadmissionpolicybindings";
    let mut texts = vec![kubectl.must(&["get", kinds, "-o", "json"])?];
    for namespace in namespaces {
        texts.push(kubectl.must(&["get", "namespace", namespace, "-o", "json"])?);
        let inside = "rolebindings,pods,serviceaccounts,workloads.reeve.dev,podidentities.reeve.dev,secrets";
        texts.push(kubectl.must(&["-n", namespace, "get", inside, "-o", "json"])?);
    }
    let mut state = BTreeMap::new();
    for text in texts {
        let list: Value = serde_json::from_str(&text)?;
        let one = [list.clone()];
        for item in list["items"].as_array().map_or(&one[..], Vec::as_slice) {
            let mut item = item.clone();
            let key = format!(
                "{} {}/{}",
                item["kind"], item["metadata"]["namespace"], item["metadata"]["name"]
            );
            for field in ["resourceVersion", "managedFields", "generation"] {
                if let Some(metadata) = item["metadata"].as_object_mut() {
                    metadata.remove(field);
                }
            }
            if item["kind"] != "Namespace"
                && let Some(fields) = item.as_object_mut()
            {
                fields.remove("status");
            }
            state.insert(key, item);
        }
    }
    Ok(state)
}

/// Planted fault: the last person here has a naive role, and the same attempts succeed.
#[test]
fn whoever_tries_to_hijack_a_namespace_changes_nothing() {
    on_a_stack_of_its_own("hijack", Tier::Controllers, async |stack| {
        let team = Team::form(&stack).await?;
        let other = Team::form(&stack).await?;
        let attempts = attempts(
            &team.namespace,
            &other.namespace,
            &team.project_name,
            team.researcher.rule,
        );
        let namespaces = [
            team.namespace.as_str(),
            &other.namespace,
            "reeve-system",
            "kube-system",
        ];
        let account = account_with(&stack, &team.namespace, "editor", "edit").await?;
        let before = state(&stack, &namespaces).await?;
        for (role, scope, id) in [
            ("Project administrator", "project", &team.project),
            ("Department administrator", "department", &team.department),
        ] {
            let posix = json!({"uid": crate::harness::fresh_uid(), "gid": 5000});
            let person = organization::create_user(&stack.admin, &fresh("boss"), Some(posix)).await?;
            organization::create_rule(&stack.admin, "user", &person.username, role, scope, id).await?;
            let rest = stack.admin.sign_in(&person.username, &person.password).await?;
            team.wait_until_bound(&stack, "l1-researcher", &person.username)
                .await?;
            let token = stack.kubernetes_token(&rest).await?;
            stack.cluster.wait_until_token_accepted(&token).await?;
            let done = admitted(&stack.kubernetes(&token).await?, &attempts, false).await?;
            ensure!(done.is_empty(), "{role}: {done:#?}");
        }
        let client = team.researcher.kubernetes(&stack).await?;
        let done = admitted(&client, &attempts, false).await?;
        ensure!(done.is_empty(), "a researcher: {done:#?}");
        // Kubernetes' own `edit` writes ServiceAccounts and asks for their tokens, which start nothing (R5).
        let mut done = admitted(&account, &attempts, true).await?;
        ensure!(
            !done.is_empty(),
            "the binding of the ServiceAccount does not count"
        );
        done.retain(|it| !it.contains("/serviceaccounts"));
        ensure!(done.is_empty(), "a ServiceAccount bound to edit: {done:#?}");
        let after = state(&stack, &namespaces).await?;
        let changed: Vec<&String> = before
            .iter()
            .filter(|(key, value)| after.get(*key) != Some(value))
            .map(|(key, _)| key)
            // The two who were given a role in the meantime are bound.
            .filter(|key| !key.contains("reeve-l1-researcher"))
            .collect();
        ensure!(changed.is_empty(), "{changed:#?}");
        naive_role(&stack, &team, &attempts).await
    });
}

/// With a role that somebody wrote without much thought the attempts succeed where no policy is in the way.
async fn naive_role(stack: &Stack, team: &Team, attempts: &[Attempt]) -> Result<()> {
    let member = team.hire(stack).await?;
    let user = format!("--user={}", member.person.username);
    let naive = [
        "create",
        "clusterrolebinding",
        "naive",
        "--clusterrole=cluster-admin",
        &user,
    ];
    stack.kubectl(stack.cluster.installer_kubeconfig()).must(&naive)?;
    let client = member.kubernetes(stack).await?;
    let done = reeve_testkit::wait_until("the naive role to count", async || {
        let done = admitted(&client, attempts, true).await?;
        Ok((!done.is_empty()).then_some(done))
    })
    .await?;
    for word in [
        "/projects/",
        "/accessrules/",
        "/rolebindings",
        "/validatingadmissionpolicies/",
        "/clusterroles/",
        "harmless",
        "DELETE /api/v1/namespaces/",
    ] {
        ensure!(
            done.iter().any(|it| it.contains(word)),
            "no attempt at {word} is live"
        );
    }
    // What policies protect they protect from this person too.
    for word in [
        "reeve.dev/project\"",
        "pod-security.kubernetes.io/enforce",
        "/reeveconfigs/",
    ] {
        ensure!(
            !done.iter().any(|it| it.contains(word)
                && !it.contains("/kube-system")
                && !it.contains("/reeve-system")
                && !it.starts_with("DELETE")),
            "{word} can be changed: {done:#?}"
        );
    }
    Ok(())
}

//! A real API server with everything in place that the table needs: namespaces of every setting, base objects, and
//! only then the policies.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt, stream};
use reeve_admission::{Check, Policy, Request, check, failing, fill, policies};
use reeve_testkit::{Cluster, apply_yaml, wait_until};
use serde_json::{Value, json};

use crate::fixture::{self, Answer, send};
use crate::table::Row;

/// How many requests are on their way at once: the API server shares two cores with everybody.
const AT_ONCE: usize = 6;

/// The namespace that is no project's.
const OUTSIDE: &str = "outside";

/// A client of an API server that has the objects of some rows, and our policies.
pub(crate) struct TestCluster {
    pub(crate) client: kube::Client,
    existing: BTreeMap<(String, usize), Value>,
    bases: BTreeMap<(String, String, String), Value>,
}

/// The namespace of a settings variant at a Pod Security level.
pub(crate) fn namespace(level: &str, settings: &str) -> String {
    format!("{level}-{settings}")
}

/// The namespace that a row speaks of.
pub(crate) fn place(level: &str, row: &Row) -> String {
    if row.outside() {
        OUTSIDE.to_owned()
    } else if row.kind == "ConfigMap" {
        reeve_admission::names::REFERENCE_NAMESPACE.to_owned()
    } else {
        namespace(level, &row.settings)
    }
}

impl TestCluster {
    /// Makes everything for these rows at these Pod Security levels (rows that make no pods at the first only), then installs the policies and waits for them.
    pub(crate) async fn set(cluster: &Cluster, rows: &[Row], levels: &[&str]) -> Result<Self> {
        Self::set_with(cluster, rows, levels, &policies()).await
    }

    /// As [`TestCluster::set`], with what enforces the rules, policies or webhooks.
    pub(crate) async fn set_with(
        cluster: &Cluster,
        rows: &[Row],
        levels: &[&str],
        enforcing: &[Value],
    ) -> Result<Self> {
        let client = cluster.installer_client().await?;
        apply_yaml(&client, &fixture::ground()).await?;
        let mut stage = Self {
            client,
            existing: BTreeMap::new(),
            bases: BTreeMap::new(),
        };
        stage.namespaces(levels).await?;
        // What is outside of projects is there once, whatever the level.
        let inside = |row: &&Row| row.makes_pods() && !row.outside();
        let templates: Vec<Row> = rows.iter().filter(inside).cloned().collect();
        for (i, level) in levels.iter().enumerate() {
            stage
                .objects(if i == 0 { rows } else { &templates }, level)
                .await?;
        }
        stage.enforce(levels).await?;
        stage.install(enforcing).await?;
        stage.wait_for_policies(rows, levels[0]).await?;
        Ok(stage)
    }

    async fn namespaces(&self, levels: &[&str]) -> Result<()> {
        let namespace_of = |name: &str, labels: Value, annotations: Value| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels, "annotations": annotations}});
        let mut all = [OUTSIDE, reeve_admission::names::REFERENCE_NAMESPACE]
            .map(|name| namespace_of(name, json!({}), json!({})))
            .to_vec();
        for level in levels {
            for (settings, _) in fixture::SETTINGS {
                all.push(namespace_of(
                    &namespace(level, settings),
                    json!(fixture::labels(settings)),
                    json!(fixture::annotations(settings)),
                ));
            }
        }
        for object in all {
            fixture::create(&self.client, "", &object).await?;
            let name = object["metadata"]["name"].as_str().unwrap();
            // Made by the controller-manager elsewhere; there is none here.
            let account =
                json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}});
            let _ = fixture::create(&self.client, name, &account).await;
            if object["metadata"]["labels"]
                .as_object()
                .is_some_and(|labels| !labels.is_empty())
            {
                fixture::create(&self.client, name, &fixture::identities()).await?;
            }
        }
        Ok(())
    }

    /// Pod Security begins to enforce, only now: some of what is there it would not have let in.
    async fn enforce(&self, levels: &[&str]) -> Result<()> {
        for level in levels {
            for (settings, _) in fixture::SETTINGS {
                // A namespace whose escalation switch is off is at baseline: under restricted it would be void.
                let relaxed = settings == "off" || settings == "no-prevent";
                let enforced = if *level == "restricted" && relaxed {
                    "baseline"
                } else {
                    level
                };
                let labels = json!({reeve_admission::names::POD_SECURITY_ENFORCE: enforced});
                let uri = format!("/api/v1/namespaces/{}", namespace(level, settings));
                let request = http::Request::patch(uri)
                    .header("Content-Type", "application/merge-patch+json")
                    .body(serde_json::to_vec(&json!({"metadata": {"labels": labels}}))?)?;
                let _: Value = self
                    .client
                    .request(request)
                    .await
                    .with_context(|| format!("cannot set Pod Security to {enforced}"))?;
            }
        }
        Ok(())
    }

    async fn objects(&mut self, rows: &[Row], level: &str) -> Result<()> {
        let bases: BTreeSet<_> = rows
            .iter()
            .filter_map(|r| Some((place(level, r), r.kind.clone(), r.base.clone()?)))
            .chain([(namespace(level, "strict"), "Pod".into(), "alice".into())])
            .chain(rows.iter().filter(|r| r.connects()).flat_map(|r| {
                fixture::CONNECTED
                    .map(|owner| (namespace(level, &r.settings), "Pod".to_owned(), owner.to_owned()))
            }))
            .collect();
        let client = &self.client;
        let made = stream::iter(bases)
            .map(|key| async move {
                let object = fixture::create(client, &key.0, &fixture::base(&key.1, &key.2)).await?;
                anyhow::Ok((key, object))
            })
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<_>>()
            .await?;
        self.bases.extend(made);
        let own = rows.iter().filter_map(|row| Some((row, row.own_old()?)));
        for (row, object) in own {
            let at = place(level, row);
            let made = match object["metadata"]["name"].as_str() {
                Some(name @ ("default" | "kube-system" | "runai")) => self.get(&row.kind, &at, name).await?,
                _ => fixture::create(&self.client, &at, &object).await?,
            };
            self.existing.insert((level.to_owned(), row.number), made);
        }
        Ok(())
    }

    async fn get(&self, kind: &str, namespace: &str, name: &str) -> Result<Value> {
        let uri = format!("{}/{name}", fixture::collection(kind, namespace));
        let request = http::Request::get(uri).body(Vec::new())?;
        Ok(self.client.request(request).await?)
    }

    /// The object of this kind that is already there.
    pub(crate) fn base(&self, namespace: &str, kind: &str, owner: &str) -> Option<&Value> {
        self.bases
            .get(&(namespace.to_owned(), kind.to_owned(), owner.to_owned()))
    }

    /// Writes policies and bindings, whatever was there before.
    pub(crate) async fn install(&self, documents: &[Value]) -> Result<()> {
        install(&self.client, documents).await
    }

    /// A policy is in force some time after it was written.
    async fn wait_for_policies(&self, rows: &[Row], level: &str) -> Result<()> {
        for policy in Policy::ALL {
            let of_policy = |r: &&Row| r.refused && check(&r.check).is_some_and(|c| c.policy == policy);
            let Some(row) = rows.iter().find(of_policy) else {
                continue;
            };
            wait_until(policy.name(), async || {
                let answer = self.try_row(row, level).await?.1;
                Ok((answer.code == 403).then_some(()))
            })
            .await?;
        }
        // Filling in is two policies of one text, and each is in force at a moment of its own.
        for settings in ["strict", "no-identity"] {
            let mut pod = fixture::minimal("Pod", "probe");
            pod["metadata"]["annotations"] = json!({"note": "probe"});
            let request = create_request("alice", settings, pod);
            wait_until("the mutating policies", async || {
                let answer = send(&self.client, &namespace(level, settings), &request, true).await?;
                Ok(answer.admitted().then_some(()))
            })
            .await?;
        }
        Ok(())
    }

    /// The row's request, before anything is filled in.
    pub(crate) fn request(&self, row: &Row, level: &str) -> Request {
        let existing = match &row.base {
            Some(base) => self
                .bases
                .get(&(place(level, row), row.kind.clone(), base.clone())),
            None => self.existing.get(&(level.to_owned(), row.number)),
        };
        row.request(existing)
    }

    /// Sends the row's request; gives what the validating policies should have seen, and the answer.
    pub(crate) async fn try_row(&self, row: &Row, level: &str) -> Result<(Request, Answer)> {
        let at = place(level, row);
        let mut request = self.request(row, level);
        let answer = send(&self.client, &at, &request, true).await?;
        fill(&mut request);
        Ok((request, answer))
    }

    /// Tries all rows, a few at a time, and gives what is wrong with each.
    pub(crate) async fn try_rows(&self, rows: &[&Row], level: &str) -> Result<Vec<String>> {
        let tried = stream::iter(rows)
            .map(|row| async move {
                let (request, answer) = self.try_row(row, level).await?;
                let wrong = judge(row, level, &answer).or_else(|| agree(row, &request, &answer));
                anyhow::Ok(wrong.map(|why| format!("{row} at {level}: {why}")))
            })
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<_>>()
            .await?;
        Ok(tried.into_iter().flatten().collect())
    }
}

/// Writes policies, webhooks and bindings, whatever was there before.
pub(crate) async fn install(client: &kube::Client, documents: &[Value]) -> Result<()> {
    for document in documents {
        let kind = document["kind"].as_str().unwrap().to_lowercase();
        let plural = kind
            .strip_suffix('y')
            .map_or(format!("{kind}s"), |stem| format!("{stem}ies"));
        let name = document["metadata"]["name"].as_str().unwrap();
        let uri = format!(
            "/apis/admissionregistration.k8s.io/v1/{plural}/{name}?fieldManager=it&force=true&fieldValidation=Strict"
        );
        let body = serde_json::to_vec(document)?;
        let request = http::Request::patch(uri)
            .header("Content-Type", "application/apply-patch+yaml")
            .body(body)?;
        let _: Value = client
            .request(request)
            .await
            .with_context(|| format!("cannot write {kind} {name}"))?;
    }
    Ok(())
}

/// A creation by a named requester in a namespace of these settings.
pub(crate) fn create_request(requester: &str, settings: &str, object: Value) -> Request {
    Request {
        user: fixture::requester(requester, object["kind"].as_str().unwrap()),
        object,
        namespace_labels: fixture::labels(settings),
        namespace_annotations: fixture::annotations(settings),
        ..Request::default()
    }
}

/// Whether the answer is this check's refusal: its rule and its remedy.
pub(crate) fn says(answer: &Answer, check: &Check) -> bool {
    answer.code == 403
        && answer.message().contains(&format!("reeve: {}: ", check.rule))
        && [Some(check.remedy), check.named.and_then(|named| named.program)]
            .into_iter()
            .flatten()
            .any(|remedy| answer.message().contains(remedy))
}

/// What is wrong with the API server's answer, measured by the table.
pub(crate) fn judge(row: &Row, level: &str, answer: &Answer) -> Option<String> {
    let said = || format!("{} {}", answer.code, answer.message());
    if !row.refused {
        return (!answer.admitted()).then(said);
    }
    let username = fixture::requester(&row.requester, &row.kind).username;
    let check = check(&row.check).unwrap();
    let ours = says(answer, check) && answer.message().contains(check.remedy_for(&username));
    // Pod Security speaks before us where it is at work: for pods themselves, not for templates.
    let pod_security =
        level == "restricted" && row.kind == "Pod" && answer.message().contains("violates PodSecurity");
    (!(ours || answer.code == 403 && pod_security)).then(said)
}

/// What the Rust side says otherwise: the verdict, and what was filled in.
fn agree(row: &Row, request: &Request, answer: &Answer) -> Option<String> {
    let failing = failing(request);
    if failing.is_empty() != answer.admitted() {
        let ids: Vec<_> = failing.iter().map(|c| c.id).collect();
        return Some(format!(
            "the predicates say {ids:?}, the API server {} {}",
            answer.code,
            answer.message()
        ));
    }
    let template = reeve_admission::request::template_path(&row.kind);
    template
        .filter(|_| answer.admitted() && !row.outside())
        .and_then(|at| filled_alike(&request.object, &answer.body, at).err())
        .map(|error| error.to_string())
}

/// Whether stamp and security contexts are the same on both sides.
pub(crate) fn filled_alike(rust: &Value, server: &Value, template: &str) -> Result<()> {
    let bound = |object: &Value| {
        let of = |at: &str| {
            object
                .pointer(at)
                .and_then(|labels| labels.get(reeve_admission::names::USER))
                .cloned()
        };
        [
            "/spec/selector",
            "/spec/selector/matchLabels",
            "/spec/template/metadata/labels",
        ]
        .map(of)
    };
    if bound(rust) != bound(server) {
        bail!(
            "bound by Rust: {:?}, by the API server: {:?}",
            bound(rust),
            bound(server)
        );
    }
    let (rust, server) = (rust.pointer(template), server.pointer(template));
    let (Some(rust), Some(server)) = (rust, server) else {
        bail!("no template at {template}")
    };
    // An empty list and no list are one to the API server.
    let context = |t: &Value| {
        let mut context = t["spec"]["securityContext"].clone();
        if context.get("supplementalGroups") == Some(&json!([])) {
            context.as_object_mut().unwrap().remove("supplementalGroups");
        }
        context
    };
    let automount = |t: &Value| t["spec"]["automountServiceAccountToken"].clone();
    let annotation = |t: &Value| t["metadata"]["annotations"][reeve_admission::names::RUNS_AS].clone();
    let mut pairs = vec![
        (annotation(rust), annotation(server)),
        (context(rust), context(server)),
        (rust["spec"]["os"].clone(), server["spec"]["os"].clone()),
        (automount(rust), automount(server)),
    ];
    if server["spec"]["automountServiceAccountToken"] == json!(false)
        && server.to_string().contains("kube-api-access-")
    {
        bail!("the pod has a token: {server}");
    }
    pairs.push((person_in(rust), person_in(server)));
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        let contexts = |t: &Value| {
            let containers = t["spec"][list].as_array().cloned().unwrap_or_default();
            Value::Array(containers.iter().map(|c| c["securityContext"].clone()).collect())
        };
        pairs.push((contexts(rust), contexts(server)));
    }
    for (ours, theirs) in pairs {
        if ours != theirs {
            bail!("filled in by Rust: {ours}, by the API server: {theirs}");
        }
    }
    Ok(())
}

/// What tells a container the name of its person.
fn person_in(template: &Value) -> Value {
    let spec = &template["spec"];
    let named = |list: &str| {
        let all = spec[list].as_array().cloned().unwrap_or_default();
        let ours = |entry: &&Value| entry["name"] == "reeve-names";
        all.iter().filter(ours).cloned().collect::<Vec<_>>()
    };
    let init: Vec<Value> = named("initContainers")
        .iter()
        .map(|c| {
            let path = c["env"][0]["valueFrom"]["fieldRef"]["fieldPath"].clone();
            json!([
                c["image"],
                c["imagePullPolicy"],
                c["command"],
                c["workingDir"],
                path,
                c["volumeMounts"],
                c["securityContext"]
            ])
        })
        .collect();
    let containers = spec["containers"].as_array().cloned().unwrap_or_default();
    let known = containers.iter().map(|c| {
        let of = |list: &str| -> Vec<Value> { c[list].as_array().cloned().unwrap_or_default() };
        let env: Vec<Value> = of("env")
            .into_iter()
            .filter(|e| ["USER", "LOGNAME"].iter().any(|name| e["name"] == *name))
            .collect();
        let mounts: Vec<Value> = of("volumeMounts")
            .into_iter()
            .filter(|m| m["name"] == "reeve-names")
            .collect();
        json!([env, mounts])
    });
    json!([init, named("volumes").len(), known.collect::<Vec<_>>()])
}

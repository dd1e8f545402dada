//! What Helm makes of the charts, without a cluster, and whether an API server takes it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use reeve_testkit::{Helm, Tier, apply_yaml, charts, is_whole};
use serde_json::{Value, json};

/// The charts with the least that each needs, and the namespace they go to.
fn least() -> [(&'static str, &'static str, Value); 2] {
    let image = json!({"registry": "registry.example/reeve"});
    [
        (
            "reeve-cluster",
            "reeve-system",
            json!({"global": {"image": image}}),
        ),
        (
            "reeve-server",
            "reeve",
            json!({"global": {"image": image}, "publicUrl": "https://reeve.example.org"}),
        ),
    ]
}

/// Everything that can be switched on in the two charts, but for what needs custom resources of others.
fn most() -> [(&'static str, &'static str, Value); 2] {
    let [mut cluster, mut server] = least();
    merge(
        &mut cluster.2,
        json!({
            "controlPlane": {"url": "https://reeve.example.org:8443", "existingSecret": "link", "ca": {"existingSecret": "ca"}},
            "cluster": {"uid": "00000000-0000-4000-8000-000000000001"},
            "apiServer": {"url": "https://kube.example.org:6443"},
            "clusterConfig": {"enforceRunAsUser": true, "project-controller": {"limitRange": false}},
            "metrics": {"tls": {"existingSecret": "metrics-tls"}},
            "networkPolicy": {"metricsFrom": [{"namespaceSelector": {}}]},
            "priorityClass": {"create": true, "name": "reeve"},
            "imagePullSecrets": ["one", {"name": "two"}],
            "reservedNamespaces": ["kube-*"],
        }),
    );
    merge(
        &mut server.2,
        json!({
            "replicaCount": 2, "persistence": {"enabled": false},
            "database": {"existingSecret": "database"}, "masterKey": {"existingSecret": "master"}, "credentialKeys": {"existingSecret": "credential-keys"},
            "tls": {"existingSecret": "tls", "ca": true}, "administrator": {"existingSecret": "administrator"},
            "service": {"type": "NodePort", "nodePort": 30444},
            "priorityClass": {"create": true, "name": "reeve-server"}, "extraArguments": ["--session-hours=8"],
        }),
    );
    [cluster, server]
}

fn merge(into: &mut Value, other: Value) {
    match (into, other) {
        (Value::Object(into), Value::Object(other)) => {
            for (key, value) in other {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, other) => *into = other,
    }
}

fn folder(chart: &str) -> String {
    charts().join(chart).display().to_string()
}

fn helm() -> Option<Helm> {
    match Helm::offline() {
        Ok(helm) => Some(helm),
        Err(error) => {
            reeve_testkit::skip(&format!("{error:#}"));
            None
        }
    }
}

fn render(helm: &Helm, chart: &Path, namespace: &str, values: &Value) -> Result<Vec<Value>> {
    let arguments = [
        "template",
        "it",
        &chart.display().to_string(),
        "--namespace",
        namespace,
        "--values=-",
    ];
    documents(&helm.must(&arguments, &values.to_string())?)
}

fn documents(text: &str) -> Result<Vec<Value>> {
    text.split("\n---\n")
        .map(|document| serde_saphyr::from_str::<Value>(document).with_context(|| document.to_owned()))
        .filter(|document| !matches!(document, Ok(Value::Null)))
        .collect()
}

fn refusal(helm: &Helm, chart: &str, namespace: &str, values: &Value) -> Result<String> {
    let arguments = [
        "template",
        "it",
        &folder(chart),
        "--namespace",
        namespace,
        "--values=-",
    ];
    helm.must_fail(&arguments, &values.to_string())
}

#[test]
fn lint_finds_nothing_in_either_chart() -> Result<()> {
    let Some(helm) = helm() else { return Ok(()) };
    for (chart, namespace, values) in least().into_iter().chain(most()) {
        helm.must(
            &[
                "lint",
                "--strict",
                &folder(chart),
                "--namespace",
                namespace,
                "--values=-",
            ],
            &values.to_string(),
        )?;
    }
    Ok(())
}

/// Where a null is, as a path.
fn nulls(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Null => found.push(path.to_owned()),
        Value::Object(fields) => fields
            .iter()
            .for_each(|(key, value)| nulls(value, &format!("{path}.{key}"), found)),
        Value::Array(items) => items
            .iter()
            .for_each(|value| nulls(value, &format!("{path}[]"), found)),
        _ => {}
    }
}

/// Every place in a file of values, as the path to it.
fn places(value: &Value, path: &[String], found: &mut Vec<Vec<String>>) {
    if let Value::Object(fields) = value {
        for (key, value) in fields {
            let path = [path, std::slice::from_ref(key)].concat();
            places(value, &path, found);
            found.push(path);
        }
    }
}

fn with_null(mut values: Value, path: &[String]) -> Value {
    let nested = path
        .iter()
        .rev()
        .fold(Value::Null, |value, key| json!({key: value}));
    merge(&mut values, nested);
    values
}

/// A chart whose only content is another.
fn parent(of: &str) -> Result<tempfile::TempDir> {
    let dir = tempfile::tempdir()?;
    fs::write(
        dir.path().join("Chart.yaml"),
        "apiVersion: v2\nname: parent\nversion: 1.0.0\n",
    )?;
    fs::create_dir(dir.path().join("charts"))?;
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .args([charts().join(of), dir.path().join("charts")])
        .status()?;
    ensure!(copied.success(), "cp ended with {copied}");
    Ok(dir)
}

/// What has to be given, one way or another.
const NEEDED: [&str; 4] = ["global", "global.image", "global.image.registry", "publicUrl"];
/// `make test` makes one of so many values null, `make scan` (`CHARTS=all`) each.
const ONE_OF: usize = 4;

#[test]
fn a_value_that_is_null_leaves_its_field_out_also_in_a_chart_within_another() -> Result<()> {
    let Some(helm) = helm() else { return Ok(()) };
    for (chart, namespace, least) in least() {
        let text = fs::read_to_string(charts().join(chart).join("values.yaml"))?;
        let mut paths = Vec::new();
        places(&serde_saphyr::from_str(&text)?, &[], &mut paths);
        ensure!(
            paths.len() > 40,
            "the test looks at too little of {chart}: {paths:?}"
        );
        let parent = parent(chart)?;
        let one_of = if is_whole("CHARTS") { 1 } else { ONE_OF };
        let wanted = paths.len() / one_of;
        let mut looked_at = 0;
        for path in paths.into_iter().step_by(one_of) {
            let name = path.join(".");
            if NEEDED.contains(&name.as_str()) {
                continue;
            }
            let values = with_null(least.clone(), &path);
            let mut nested = json!({chart: values});
            if let Some(global) = values.get("global") {
                merge(&mut nested, json!({"global": global}));
            }
            for (chart, values) in [(charts().join(chart), values), (parent.path().to_owned(), nested)] {
                let rendered =
                    render(&helm, &chart, namespace, &values).with_context(|| format!("`{name}` is null"))?;
                let mut found = Vec::new();
                rendered
                    .iter()
                    .for_each(|document| nulls(document, "", &mut found));
                ensure!(found.is_empty(), "with `{name}` null these are null: {found:?}");
                looked_at += 1;
            }
        }
        // Each was rendered alone and within another chart, but for those that have to be given.
        ensure!(
            looked_at >= 2 * wanted.saturating_sub(NEEDED.len()),
            "{looked_at} renderings of {chart}"
        );
    }
    Ok(())
}

/// The pod template of the chart's Deployment.
fn pod(rendered: &[Value]) -> Result<&Value> {
    let deployment = rendered.iter().find(|document| document["kind"] == "Deployment");
    Ok(&deployment.context("no Deployment")?["spec"]["template"])
}

#[test]
fn pods_are_restricted_and_name_no_uid() -> Result<()> {
    let Some(helm) = helm() else { return Ok(()) };
    for (chart, namespace, values) in least().into_iter().chain(most()) {
        let rendered = render(&helm, &charts().join(chart), namespace, &values)?;
        let spec = &pod(&rendered)?["spec"];
        let restricted = json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}});
        assert_eq!(spec["securityContext"], restricted, "{chart}");
        let container = &spec["containers"][0];
        let tight = json!({
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}});
        assert_eq!(container["securityContext"], tight, "{chart}");
        let text = spec.to_string();
        for word in [
            "runAsUser",
            "runAsGroup",
            "fsGroup",
            "hostPath",
            "hostNetwork",
            "privileged",
        ] {
            assert!(!text.contains(word), "{chart} says {word}: {text}");
        }
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
            assert_eq!(container[probe]["httpGet"]["scheme"], "HTTPS", "{chart}: {probe}");
        }
    }
    Ok(())
}

/// What runs as a process in tests and benches has what the chart gives its pod.
#[test]
fn the_environment_of_operator_and_server_is_that_of_the_tests_and_benches() -> Result<()> {
    let Some(helm) = helm() else { return Ok(()) };
    let wanted: [&[(&str, &str)]; 2] = [
        &reeve_testkit::OPERATOR_ENVIRONMENT,
        &reeve_testkit::SERVER_ENVIRONMENT,
    ];
    for ((chart, namespace, values), wanted) in least().into_iter().zip(wanted) {
        let rendered = render(&helm, &charts().join(chart), namespace, &values)?;
        let set = pod(&rendered)?["spec"]["containers"][0]["env"].as_array();
        let set: Vec<&Value> = set
            .into_iter()
            .flatten()
            .filter(|one| one["value"] != Value::Null)
            .collect();
        let wanted: Vec<Value> = wanted
            .iter()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        assert_eq!(set, wanted.iter().collect::<Vec<_>>(), "{chart}");
    }
    Ok(())
}

#[test]
fn a_security_context_of_ones_own_is_taken_and_large_uids_stay_whole() -> Result<()> {
    let Some(helm) = helm() else { return Ok(()) };
    let [(chart, namespace, mut values), _] = least();
    let own =
        json!({"operator": {"podSecurityContext": {"runAsUser": 1_000_650_000, "seccompProfile": null}}});
    merge(&mut values, own);
    let rendered = render(&helm, &charts().join(chart), namespace, &values)?;
    let expected = json!({"runAsNonRoot": true, "runAsUser": 1_000_650_000});
    assert_eq!(pod(&rendered)?["spec"]["securityContext"], expected);
    Ok(())
}

#[test]
fn what_is_wrong_is_refused_by_its_name() -> Result<()> {
    let Some(helm) = helm() else { return Ok(()) };
    let cluster: &[(Value, &str)] = &[
        (
            json!({"global": {"image": {"registry": ""}}}),
            "global.image.registry",
        ),
        (json!({"operater": {}}), "operater"),
        (json!({"operator": {"replicas": 3}}), "replicas"),
        (json!({"global": {"replicaCount": "two"}}), "replicaCount"),
        (
            json!({"controlPlane": {"url": "http://reeve.example.org"}}),
            "controlPlane.url",
        ),
        (
            json!({"controlPlane": {"url": "https://reeve.example.org"}}),
            "cluster.uid",
        ),
        (
            json!({"controlPlane": {"url": "https://r.example"}, "cluster": {"uid": "00000000-0000-4000-8000-000000000001"}}),
            "controlPlane.existingSecret",
        ),
        (json!({"cluster": {"uid": "gpu-1"}}), "cluster.uid"),
        (
            json!({"metrics": {"tls": {"certManager": {"enabled": true}}}}),
            "metrics.tls.certManager.issuerRef.name",
        ),
        (json!({"operator": {"image": {"digest": "latest"}}}), "digest"),
        (
            json!({"clusterConfig": {"project-controller": {"createNamespace": true}}}),
            "createNamespace",
        ),
    ];
    let server: &[(Value, &str)] = &[
        (json!({"publicUrl": ""}), "publicUrl"),
        (
            json!({"publicUrl": "https://reeve.example.org/path"}),
            "publicUrl",
        ),
        (json!({"replicaCount": 2}), "replicaCount is 2"),
        (json!({"service": {"type": "External"}}), "service.type"),
        (json!({"persistence": {"size": "ten"}}), "persistence.size"),
    ];
    for ((chart, namespace, least), cases) in least().into_iter().zip([cluster, server]) {
        for (case, name) in cases {
            let mut values = least.clone();
            merge(&mut values, case.clone());
            let said = refusal(&helm, chart, namespace, &values)?;
            // The schema writes paths with slashes.
            let said = said.replace('/', ".");
            ensure!(said.contains(name), "{case} is refused without `{name}`: {said}");
        }
    }
    let [(chart, _, values), _] = least();
    let said = refusal(&helm, chart, "default", &values)?;
    ensure!(said.contains("reeve-system"), "{said}");
    Ok(())
}

/// Of the webhooks' configurations: what they check the certificate by, empty where the field is not there.
fn authorities(rendered: &[Value]) -> Vec<&str> {
    let of_webhooks = rendered.iter().filter(|object| {
        object["kind"]
            .as_str()
            .is_some_and(|kind| kind.ends_with("WebhookConfiguration"))
    });
    let webhooks = of_webhooks.flat_map(|object| object["webhooks"].as_array().into_iter().flatten());
    webhooks
        .map(|webhook| webhook["clientConfig"]["caBundle"].as_str().unwrap_or_default())
        .collect()
}

/// An empty field would be written over what the injector wrote, at each upgrade.
#[test]
fn the_authority_of_webhooks_is_left_to_the_injector_of_cert_manager() -> Result<()> {
    let Some(helm) = helm() else { return Ok(()) };
    let [(chart, namespace, mut values), _] = least();
    merge(&mut values, json!({"admission": {"mode": "webhook"}}));
    let chart = charts().join(chart);
    let by_helm = render(&helm, &chart, namespace, &values)?;
    let written = authorities(&by_helm);
    ensure!(
        written.len() > 10 && written.iter().all(|authority| !authority.is_empty()),
        "{written:?}"
    );
    merge(
        &mut values,
        json!({"admission": {"webhook": {"certManager": {"enabled": true, "issuerRef": {"name": "issuer"}}}}}),
    );
    let by_injector = render(&helm, &chart, namespace, &values)?;
    let left = authorities(&by_injector);
    ensure!(left.len() == written.len(), "{left:?}");
    for object in &by_injector {
        let field = object.to_string();
        ensure!(!field.contains("caBundle"), "{field}");
    }
    Ok(())
}

#[tokio::test]
async fn an_api_server_takes_every_rendered_object_strictly() -> Result<()> {
    let (Some(helm), Some(cluster)) = (helm(), reeve_testkit::cluster(Tier::ApiServer).await) else {
        return Ok(());
    };
    let client = cluster.installer_client().await?;
    for (_, text) in reeve_crds::all_yaml()? {
        apply_yaml(&client, &text).await?;
    }
    let kubectl = reeve_testkit::Kubectl::new(cluster.kubectl_path(), cluster.installer_kubeconfig());
    apply_yaml(
        &client,
        &fs::read_to_string(charts().join("reeve-cluster/namespace.yaml"))?,
    )
    .await?;
    // A dry run makes no namespace for what comes after it.
    for name in ["reeve", "runai"] {
        let namespace = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n");
        apply_yaml(&client, &namespace).await?;
    }
    let strictly = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--dry-run=server",
        "--validate=strict",
        "-f",
        "-",
    ];
    let [(name, namespace, mut by_webhook), _] = least();
    merge(&mut by_webhook, json!({"admission": {"mode": "webhook"}}));
    let by_webhook = (name, namespace, by_webhook);
    for (chart, namespace, values) in least().into_iter().chain(most()).chain([by_webhook]) {
        let arguments = [
            "template",
            "it",
            &folder(chart),
            "--namespace",
            namespace,
            "--values=-",
        ];
        let text = helm.must(&arguments, &values.to_string())?;
        let made = kubectl
            .must_with_input(&strictly, &text)
            .with_context(|| chart.to_owned())?;
        ensure!(made.lines().count() >= 4, "{chart}: {made}");
        // Planted: a field that no Deployment has.
        let wrong = text.replace("terminationGracePeriodSeconds:", "terminationGraceSeconds:");
        let refused = kubectl.run_with_input(&strictly, &wrong)?;
        ensure!(!refused.status.success(), "{chart}: an unknown field is taken");
    }
    Ok(())
}

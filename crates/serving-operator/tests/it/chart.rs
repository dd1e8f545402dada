//! The chart `charts/aim-engine`, and the commands of the page on security, as they stand there.

use std::collections::BTreeSet;

use reeve_serving::rights;
use reeve_testkit::{Helm, charts};

use crate::rig::Rig;

fn rendered(more: &[&str]) -> String {
    let chart = charts().join("aim-engine");
    let chart = chart.to_str().unwrap();
    let arguments = ["template", "aim-engine", chart, "--namespace", crate::rig::SYSTEM];
    let arguments: Vec<&str> = arguments.iter().chain(more).copied().collect();
    Helm::offline().unwrap().must(&arguments, "").unwrap()
}

/// The page's table of five settings, and its command for metrics without TLS.
#[test]
fn the_chart_says_what_the_page_says() {
    let text = rendered(&[]);
    for setting in [
        "runAsNonRoot: true",
        "readOnlyRootFilesystem: true",
        "allowPrivilegeEscalation: false",
        "- ALL",
        "type: RuntimeDefault",
        "--metrics-bind-address=:8443",
        "name: aim-engine-manager-role",
        "name: aimservice-editor",
    ] {
        assert!(text.contains(setting), "{setting}\n{text}");
    }
    let plain = rendered(&["--set", "manager.args={--leader-elect,--metrics-secure=false}"]);
    assert!(plain.contains(r#"- "--metrics-secure=false""#), "{plain}");
    assert!(!rendered(&["--set", "rbacHelpers.enable=false"]).contains("aimservice-editor"));
    let registries = rendered(&[
        "--set",
        "registry.endpoints.docker\\.io=https://mirror.example/hub",
        "--set",
        "registry.privateAddresses=false",
    ]);
    assert!(
        registries.contains(r#"- "--registry-endpoint=docker.io=https://mirror.example/hub""#),
        "{registries}"
    );
    assert!(
        registries.contains("- --registry-private-addresses=false"),
        "{registries}"
    );
    assert!(!text.contains("registry-ca"), "{text}");
    assert!(
        text.contains("--artifact-downloader-image=reeve-artifact-downloader:0.1.0"),
        "{text}"
    );
    let certificates = rendered(&["--set", "certManager.enable=true"]);
    assert!(certificates.contains("--metrics-cert-path=/tmp/k8s-metrics-server/metrics-certs"));
}

/// Planted fault: the volume is there only with cert-manager's certificate, or not mounted.
#[test]
fn authorities_of_registries_come_from_a_configmap_with_and_without_a_certificate_for_metrics() {
    for certificate in ["false", "true"] {
        let text = rendered(&[
            "--set",
            "registry.ca.existingConfigMap=authorities",
            "--set",
            "registry.ca.key=all.pem",
            "--set",
            &format!("certManager.enable={certificate}"),
        ]);
        let pod: serde_json::Value = text
            .split("\n---\n")
            .filter_map(|document| serde_saphyr::from_str::<serde_json::Value>(document).ok())
            .find(|document| document["kind"] == "Deployment")
            .map(|deployment| deployment["spec"]["template"]["spec"].clone())
            .unwrap();
        let named = |list: &serde_json::Value, name: &str| {
            let all = list.as_array().unwrap();
            all.iter().find(|it| it["name"] == name).cloned()
        };
        let container = &pod["containers"][0];
        let arguments = container["args"].as_array().unwrap();
        let mount = named(&container["volumeMounts"], "registry-ca").unwrap();
        let path = format!("{}/ca.crt", mount["mountPath"].as_str().unwrap());
        assert!(
            arguments.contains(&serde_json::json!(format!("--registry-ca={path}"))),
            "{text}"
        );
        let volume = named(&pod["volumes"], "registry-ca").unwrap();
        assert_eq!(
            volume["configMap"],
            serde_json::json!({"name": "authorities", "items": [{"key": "all.pem", "path": "ca.crt"}]})
        );
        let metrics = named(&pod["volumes"], "metrics-certs").is_some();
        assert_eq!(metrics, certificate == "true", "{text}");
    }
}

/// Planted fault: a rule on Secrets without names, or with `list`, in what is rendered by default.
#[test]
fn secrets_are_read_by_name_and_all_of_them_only_where_that_was_chosen() {
    let secrets = |more: &[&str]| {
        let text = rendered(more);
        let of_secrets = |document: &&str| document.contains("resources: [secrets]");
        text.split("\n---\n")
            .filter(of_secrets)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(secrets(&[]), Vec::<String>::new());
    let named = secrets(&[
        "--set",
        "pullSecrets.names={regcred}",
        "--set",
        "pullSecrets.systemNames={source-cred}",
    ]);
    assert_eq!(named.len(), 2, "{named:?}");
    for (role, name) in named.iter().zip(["regcred", "source-cred"]) {
        assert!(
            role.contains(&format!("resourceNames: [\"{name}\"]")) && role.contains("verbs: [get]"),
            "{role}"
        );
    }
    let all = secrets(&["--set", "pullSecrets.readAll=true"]);
    assert!(all.len() == 1 && !all[0].contains("resourceNames"), "{all:?}");
}

#[test]
fn the_operator_reads_no_secret_and_has_no_wildcard() {
    let roles = rights::cluster_roles();
    let rules = roles.iter().flat_map(|role| role.rules.iter().flatten());
    for rule in rules {
        let words: BTreeSet<&String> = rule
            .resources
            .iter()
            .flatten()
            .chain(&rule.verbs)
            .chain(rule.api_groups.iter().flatten())
            .collect();
        for forbidden in ["secrets", "*", "escalate", "impersonate"] {
            assert!(!words.contains(&forbidden.to_owned()), "{rule:?}");
        }
    }
}

/// The two `kubectl create …binding` commands of the page, and what they then give: the table is committed.
pub(crate) async fn the_commands_of_the_page_work_and_helper_roles_give_what_is_tabulated(rig: &Rig) {
    rig.namespace("ml-team-a").await;
    let kubectl = rig.cluster.kubectl();
    kubectl
        .must(&[
            "create",
            "rolebinding",
            "team-a-services",
            "--clusterrole=aimservice-editor",
            "--group=team-a",
            "--namespace=ml-team-a",
        ])
        .unwrap();
    kubectl
        .must(&[
            "create",
            "clusterrolebinding",
            "team-a-models",
            "--clusterrole=aimclustermodel-viewer",
            "--group=team-a",
        ])
        .unwrap();
    let can = |verb: &str, resource: &str, namespace: &str| {
        let arguments = [
            "auth",
            "can-i",
            verb,
            resource,
            "-n",
            namespace,
            "--as=ann",
            "--as-group=team-a",
        ];
        String::from_utf8_lossy(&kubectl.run(&arguments).unwrap().stdout).trim() == "yes"
    };
    assert!(can("create", "aimservices.aim.eai.amd.com", "ml-team-a"));
    assert!(!can("create", "aimservices.aim.eai.amd.com", "default"));
    assert!(can("list", "aimclustermodels.aim.eai.amd.com", "default"));
    assert!(!can("delete", "aimclustermodels.aim.eai.amd.com", "default"));
}

/// What each helper role gives, as it was reviewed.
#[test]
fn the_helper_roles_are_what_was_reviewed() {
    insta::assert_snapshot!(table());
}

/// Each helper role and what it gives.
fn table() -> String {
    let mut lines = String::new();
    for role in rights::helper_roles() {
        for rule in role.rules.iter().flatten() {
            let resources = rule.resources.clone().unwrap_or_default().join(",");
            lines += &format!(
                "{:<36} {:<36} {}\n",
                role.metadata.name.clone().unwrap_or_default(),
                resources,
                rule.verbs.join(",")
            );
        }
    }
    lines
}

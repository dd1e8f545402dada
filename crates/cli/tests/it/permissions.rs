//! `reeve cluster permissions` and `reeve cluster bindings`: nobody is signed in, and nobody is asked.

use reeve_tenancy::{Switch, Switches, rbac_yaml};

use crate::receiver::{Receiver, text};

async fn printed(receiver: &Receiver, arguments: &[&str]) -> String {
    let output = receiver.run(arguments).await;
    assert_eq!(
        output.status.code(),
        Some(0),
        "{arguments:?}: {}",
        text(&output.stderr)
    );
    assert!(receiver.calls().is_empty(), "{arguments:?}");
    text(&output.stdout)
}

async fn refused(receiver: &Receiver, arguments: &[&str]) -> String {
    let output = receiver.run(arguments).await;
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(
        output.stdout.is_empty() && receiver.calls().is_empty(),
        "{arguments:?}"
    );
    text(&output.stderr)
}

#[tokio::test]
async fn who_installs_reads_each_right_before_anything_is_there() {
    let receiver = Receiver::start().await;
    let all = printed(&receiver, &["cluster", "permissions"]).await;
    assert!(
        all.contains(
            "create namespaces\n      why: a project's namespace\n      removed by: createNamespaces off"
        ),
        "{all}"
    );
    let off = ["cluster", "permissions", "--switch", "createNamespaces=off"];
    let less = printed(&receiver, &off).await;
    assert!(!less.contains("why: a project's namespace\n"), "{less}");
    let gone = printed(&receiver, &[&off[..], &["--diff"]].concat()).await;
    assert!(
        gone.contains("- create namespaces") && !gone.contains("list, watch namespaces"),
        "{gone}"
    );
    // The objects are those of the chart.
    let yaml = printed(&receiver, &[&off[..], &["-o", "yaml"]].concat()).await;
    let switches = Switches::default().without(Switch::NamespaceCreation);
    assert_eq!(yaml, rbac_yaml(switches).unwrap());
    let html = printed(
        &receiver,
        &["cluster", "permissions", "-o", "html", "--platform", "openshift"],
    )
    .await;
    assert!(
        html.starts_with("<!DOCTYPE html>") && html.contains("SecurityContextConstraints"),
        "{html}"
    );
    assert!(!html.contains("http") && !html.contains("<script"), "{html}");
    let json: Vec<serde_json::Value> =
        serde_json::from_str(&printed(&receiver, &[&off[..], &["--diff", "-o", "json"]].concat()).await)
            .unwrap();
    assert_eq!(json.len(), 1);
    assert_eq!(json[0]["removedBy"], serde_json::json!(["createNamespaces"]));
}

#[tokio::test]
async fn files_of_every_era_say_which_switches_are_on_and_what_is_unknown_is_named() {
    let receiver = Receiver::start().await;
    let file = receiver.home().join("values.yaml");
    let path = file.display().to_string();
    let with_file = ["cluster", "permissions", "-f", &path];
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write("runai-operator: {config: {project-controller: {createNamespacesAndRoleBindings: false}}}");
    let shown = printed(&receiver, &with_file).await;
    assert!(
        shown.contains("namespace-creation=off user-assignment=off secret-propagation=on"),
        "{shown}"
    );
    // What is said one by one comes after the file.
    let shown = printed(
        &receiver,
        &[&with_file[..], &["--switch", "user-assignment=on"]].concat(),
    )
    .await;
    assert!(
        shown.contains("namespace-creation=off user-assignment=on"),
        "{shown}"
    );
    write(
        "{kind: RunaiConfig, apiVersion: run.ai/v1, spec: {project-controller: {createRoleBinding: false}}}",
    );
    let told = refused(&receiver, &with_file).await;
    assert!(
        told.contains("`spec.project-controller.createRoleBinding` is unknown: use one of createNamespaces"),
        "{told}"
    );
    for (switch, words) in [
        (
            "createNamespace=off",
            "`createNamespace` is no switch: use one of",
        ),
        ("createNamespaces", "like createNamespaces=off"),
        ("limitRange=maybe", "`maybe` is neither on nor off"),
    ] {
        let told = refused(&receiver, &["cluster", "permissions", "--switch", switch]).await;
        assert!(told.contains(words), "{told}");
    }
    let told = refused(&receiver, &["project", "list", "-o", "html"]).await;
    assert!(told.contains("use -o table, -o json or -o yaml"), "{told}");
}

#[tokio::test]
async fn what_is_bound_by_hand_is_printed_for_a_namespace_of_people() {
    let receiver = Receiver::start().await;
    let shown = printed(&receiver, &["cluster", "bindings", "team-a"]).await;
    assert_eq!(
        shown,
        reeve_tenancy::by_hand_yaml("team-a", Switches::default()).unwrap()
    );
    for (namespace, words) in [
        ("kube-system", "a namespace of the system"),
        ("team\nmetadata: {}", "lower-case letters"),
        ("Team", "lower-case letters"),
    ] {
        let told = refused(&receiver, &["cluster", "bindings", namespace]).await;
        assert!(told.contains(words), "{told}");
    }
}

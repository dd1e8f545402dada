use reeve_testkit::kube::api::{Api, DynamicObject, Patch, PatchParams};
use reeve_testkit::kube::core::{ApiResource, GroupVersionKind};
use reeve_testkit::{Options, Tier, apply_yaml, own_cluster};
use serde_json::{Value, json};

const USER: &str = "123e4567-e89b-12d3-a456-426614174000";

fn base(kind: &str) -> Value {
    let spec = match kind {
        "Project" => json!({"id": "3", "departmentId": "1", "namespace": "reeve-robots"}),
        "AccessRule" => {
            json!({"id": 7, "role": "viewer", "subject": {"kind": "user", "name": "a@example.com"}, "scope": {"type": "project", "id": "3"}})
        }
        "Workload" => json!({
            "id": USER, "projectId": "3", "submittedBy": "a@example.com", "image": "busybox",
            "identity": {"userId": USER, "email": "a@example.com", "uid": 70012, "gid": 5000}
        }),
        _ => json!({}),
    };
    let name = match kind {
        "Project" => "robots",
        "AccessRule" => "rule-7",
        "Workload" => "train",
        _ => "reeve",
    };
    json!({"apiVersion": "reeve.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

fn changed(kind: &str, pointer: &str, value: Value) -> Value {
    let mut object = base(kind);
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    object.pointer_mut(parent).unwrap()[key] = value;
    object
}

async fn try_apply(client: &reeve_testkit::kube::Client, object: &Value) -> Result<(), String> {
    let kind = object["kind"].as_str().unwrap();
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("reeve.dev", "v1alpha1", kind));
    let api: Api<DynamicObject> = if kind == "Workload" {
        Api::namespaced_with(client.clone(), "default", &resource)
    } else {
        Api::all_with(client.clone(), &resource)
    };
    let by = PatchParams::apply("reeve-testkit").force();
    match api
        .patch(
            object["metadata"]["name"].as_str().unwrap(),
            &by,
            &Patch::Apply(object),
        )
        .await
    {
        Ok(_) => Ok(()),
        Err(reeve_testkit::kube::Error::Api(status)) => Err(status.message),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn the_api_server_takes_good_objects_and_refuses_bad_ones() {
    let Some(cluster) = own_cluster(Options {
        tier: Tier::ApiServer,
        ..Options::default()
    })
    .await
    else {
        return;
    };
    let client = cluster.client().await.unwrap();
    for (_, text) in reeve_crds::all_yaml().unwrap() {
        apply_yaml(&client, &text).await.unwrap();
    }
    for kind in ["Project", "AccessRule", "Workload", "ReeveConfig"] {
        let text = serde_json::to_string(&base(kind)).unwrap();
        apply_yaml(&client, &text).await.unwrap();
    }
    let refused = [
        // What can never be.
        (
            changed("Project", "/metadata/name", json!("1st")),
            "a project is named by",
        ),
        (
            changed("Project", "/metadata/name", json!("a".repeat(64))),
            "a project is named by",
        ),
        (
            named("Project", "other", "/spec/namespace", json!("kube-system")),
            "a namespace of the system",
        ),
        (
            named("Project", "other", "/spec/namespace", json!("default")),
            "a namespace of the system",
        ),
        (
            named("Project", "other", "/spec/namespace", json!("reeve-system")),
            "a namespace of the system",
        ),
        (
            named("Project", "other", "/spec/namespace", json!("Robots")),
            "spec.namespace",
        ),
        (named("Project", "other", "/spec/id", json!("0")), "spec.id"),
        (
            changed("AccessRule", "/metadata/name", json!("rule-8")),
            "an access rule is named rule-<id>",
        ),
        (changed("AccessRule", "/metadata/name", json!("rule-x")), "rule"),
        (
            changed(
                "AccessRule",
                "/spec/subject/name",
                json!("system:admin@example.com"),
            ),
            "belong to the system",
        ),
        (
            changed(
                "AccessRule",
                "/spec/subject",
                json!({"kind": "group", "name": "Reeve:installers"}),
            ),
            "belong to the system",
        ),
        (
            changed("AccessRule", "/spec/subject/name", json!("alice")),
            "a user is named by email",
        ),
        (
            changed("AccessRule", "/spec/scope", json!({"type": "cluster", "id": "3"})),
            "the cluster has none",
        ),
        (
            changed("AccessRule", "/spec/scope", json!({"type": "department"})),
            "the cluster has none",
        ),
        (
            named("Workload", "other", "/spec/identity/uid", json!(0)),
            "spec.identity.uid",
        ),
        (
            named("Workload", "other", "/spec/identity/gid", json!(0)),
            "spec.identity.gid",
        ),
        (
            named("Workload", "other", "/spec/image", json!("a b")),
            "spec.image",
        ),
        (
            named(
                "Workload",
                "other",
                "/spec/environment",
                json!([{"name": "A=B", "value": "1"}]),
            ),
            "spec.environment",
        ),
        (nobody_entered(), "passwdEntry needs an identity"),
        (mounting(&[("keys", "0444")]), "spec.secretVolumes[0].mountPath"),
        (
            mounting(&[("/keys", "4755")]),
            "spec.secretVolumes[0].defaultMode",
        ),
        (
            mounting(&[("/keys", "0444"), ("/keys", "0400")]),
            "duplicate entries",
        ),
        // What a later version knows is refused by the definitions of this one, and not dropped.
        (
            named("Workload", "other", "/spec/fieldOfALaterVersion", json!(true)),
            "field not declared in schema",
        ),
        (
            named("Workload", "other", "/spec/workingDir", json!("relative")),
            "spec.workingDir",
        ),
        (
            named("Workload", "other", "/spec/imagePullPolicy", json!("Sometimes")),
            "spec.imagePullPolicy",
        ),
        (
            named("Workload", "other", "/spec/attempts", json!({"completions": 101})),
            "spec.attempts.completions",
        ),
        (
            named(
                "Workload",
                "other",
                "/spec/terminationGracePeriodSeconds",
                json!(3601),
            ),
            "spec.terminationGracePeriodSeconds",
        ),
        (
            named(
                "Workload",
                "other",
                "/spec/readinessProbe",
                json!({"port": 65_536}),
            ),
            "spec.readinessProbe.port",
        ),
        (
            named(
                "Workload",
                "other",
                "/spec/placement",
                json!({"tolerations": [{"key": "", "operator": "Exists"}]}),
            ),
            "spec.placement.tolerations[0].key",
        ),
        (
            changed("ReeveConfig", "/metadata/name", json!("second")),
            "the only ReeveConfig is named reeve",
        ),
        (
            // A struct's schema would drop it without a word, and the switch would stay on.
            changed(
                "ReeveConfig",
                "/spec/project-controller",
                json!({"createNamespaces": true, "createNamespace": false}),
            ),
            "createNamespace is unknown: project-controller knows createNamespaces",
        ),
        (
            changed(
                "ReeveConfig",
                "/spec/project-controller",
                json!({"limitRange": "off"}),
            ),
            "expected boolean",
        ),
        // What cannot become another.
        (
            changed("Project", "/spec/id", json!("4")),
            "the id of a project cannot change",
        ),
        (
            changed("Project", "/spec/namespace", json!("other")),
            "the namespace of a project cannot change",
        ),
        (
            changed("Workload", "/spec/image", json!("other")),
            "a workload cannot be changed",
        ),
        (
            changed("Workload", "/spec/identity/uid", json!(70013)),
            "a workload cannot be changed",
        ),
    ];
    for (object, words) in refused {
        let answer = try_apply(&client, &object).await;
        assert!(
            answer.as_ref().is_err_and(|message| message.contains(words)),
            "{object}: {answer:?}"
        );
    }
    // What may.
    for object in [
        changed("Project", "/spec/departmentId", json!("2")),
        changed("AccessRule", "/spec/role", json!("l1-researcher")),
        changed("Workload", "/metadata/labels", json!({"a": "b"})),
        // One of an older version, written again by an operator that says of newer fields that they are off.
        changed("Workload", "/spec/expandVariables", json!(false)),
        changed("Workload", "/spec/passwdEntry", json!(false)),
        changed("ReeveConfig", "/spec", json!({"enforceRunAsUser": false})),
        named("Project", "robots2", "/spec/namespace", json!("team-a")),
    ] {
        try_apply(&client, &object).await.unwrap();
    }
    let strict: reeve_crds::ReeveConfig = Api::all(client).get("reeve").await.unwrap();
    assert!(!strict.spec.enforce_run_as_user && strict.spec.enforce_prevent_privilege_escalation);
}

fn named(kind: &str, name: &str, pointer: &str, value: Value) -> Value {
    let mut object = changed(kind, pointer, value);
    object["metadata"]["name"] = json!(name);
    object
}

/// A workload that finds a Secret at these paths, with these modes.
fn mounting(volumes: &[(&str, &str)]) -> Value {
    let volume = |(path, mode): &(&str, &str)| json!({"credentialId": USER, "secret": "token", "mountPath": path, "defaultMode": mode});
    let volumes: Vec<Value> = volumes.iter().map(volume).collect();
    named("Workload", "other", "/spec/secretVolumes", json!(volumes))
}

/// A workload that runs as nobody and asks for an entry of hers.
fn nobody_entered() -> Value {
    let mut object = named("Workload", "other", "/spec/passwdEntry", json!(true));
    object["spec"].as_object_mut().unwrap().remove("identity");
    object
}

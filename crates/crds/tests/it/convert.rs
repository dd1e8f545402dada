use reeve_crds::{
    AccessRule, Project, ScopeSpec, ScopeType, SubjectKind, Workload, convert::may_be_project_namespace,
    desired,
};
use reeve_types::names::{RESERVED_NAMESPACE_PREFIX, RESERVED_NAMESPACES};
use serde_json::json;

fn workload() -> desired::Workload {
    serde_json::from_value(json!({
        "id": "0b6f8a52-0d3c-4d5e-9a55-1a2b3c4d5e6f", "name": "train", "projectId": "3", "submittedBy": "alice@example.com",
        "identity": {"userId": "123e4567-e89b-12d3-a456-426614174000", "email": "alice@example.com",
            "posix": {"uid": 70012, "gid": 5000, "supplementaryGroups": [5001]}},
        "image": "busybox", "imagePullPolicy": "IfNotPresent", "command": ["sh"], "args": ["-c", "id"], "environment": [["A", "1"]], "gpus": 2, "createHomeDir": true,
        "resources": {"cpuRequest": 0.5, "cpuLimit": 2, "memoryRequest": "512Mi", "memoryLimit": "1.5Gi"},
        "expandVariables": true, "passwdEntry": true, "largeShm": true, "stdin": true, "tty": true, "workingDir": "/work",
        "secretVolumes": [{"credentialId": "123e4567-e89b-12d3-a456-426614174001", "secret": "token", "mountPath": "/etc/keys",
            "defaultMode": "0440"}],
        "attempts": {"backoffLimit": 3, "completions": 4, "parallelism": 2}, "terminationGracePeriodSeconds": 60,
        "readinessProbe": {"port": 8080, "path": "/ready", "https": true, "initialDelaySeconds": 0, "periodSeconds": 5, "timeoutSeconds": 2,
            "successThreshold": 1, "failureThreshold": 3},
        "metadata": {"labels": {"team.example/stage": "a", "empty": ""}, "annotations": {"note": "any text: é\n"}},
        "placement": {"nodeType": "dgx", "tolerations": [
            {"key": "nvidia.com/gpu", "operator": "Equal", "value": "present", "effect": "NoExecute", "seconds": 60},
            {"key": "a", "operator": "Exists"}]}
    }))
    .unwrap()
}

#[test]
fn what_the_link_says_survives_the_cluster() {
    let project: desired::Project = serde_json::from_value(
        json!({"id": "3", "name": "robots", "departmentId": "1", "namespace": "reeve-robots"}),
    )
    .unwrap();
    assert_eq!(Project::from(&project).checked().unwrap(), project);
    for allow_networking in [Some(true), Some(false)] {
        let project = desired::Project {
            allow_networking,
            ..project.clone()
        };
        assert_eq!(Project::from(&project).checked().unwrap(), project);
    }

    let ruled: desired::Project = serde_json::from_value(json!({"id": "3", "name": "robots", "departmentId": "1", "namespace": "reeve-robots",
        "podRules": {"podSecurity": "restricted", "nodePools": ["gpu"], "priorityClasses": [], "tolerations": ["node-role.kubernetes.io/a"],
            "trustedMutators": ["a/b"]}}))
    .unwrap();
    assert_eq!(Project::from(&ruled).checked().unwrap(), ruled);
    let mut wrong = Project::from(&ruled);
    wrong.spec.pod_rules.as_mut().unwrap().node_pools = Some(vec!["a,b".to_owned()]);
    assert_eq!(wrong.checked().unwrap_err().field, "spec.podRules");

    for (subject, scope) in [
        (
            json!({"kind": "user", "name": "alice@example.com"}),
            json!({"type": "project", "id": "3"}),
        ),
        (
            json!({"kind": "group", "name": "ml team"}),
            json!({"type": "department", "id": "1"}),
        ),
        (
            json!({"kind": "service-account", "name": "ci"}),
            json!({"type": "cluster"}),
        ),
    ] {
        let rule: desired::AccessRule = serde_json::from_value(
            json!({"id": 7, "subject": subject, "role": "l1-researcher", "scope": scope}),
        )
        .unwrap();
        let object = AccessRule::from(&rule);
        assert_eq!(object.metadata.name.as_deref(), Some("rule-7"));
        assert_eq!(object.checked().unwrap(), rule);
    }

    let object = Workload::desired(&workload(), "reeve-robots");
    assert_eq!(object.metadata.namespace.as_deref(), Some("reeve-robots"));
    assert_eq!(object.checked().unwrap(), workload());
}

#[test]
fn an_invalid_object_names_its_field() {
    let mut object = Workload::desired(&workload(), "reeve-robots");
    object.spec.identity.as_mut().unwrap().uid = 0;
    let error = object.checked().unwrap_err();
    assert_eq!(error.field, "spec.identity.uid");
    insta::assert_snapshot!(error, @"Workload `train` is invalid: field spec.identity.uid: `0` is not a valid uid: a number from 1 to 2147483647 is needed");

    let mut object = Workload::desired(&workload(), "reeve-robots");
    object.spec.environment.first_mut().unwrap().name = "A=B".into();
    assert_eq!(object.checked().unwrap_err().field, "spec.environment");

    let mut object = Workload::desired(&workload(), "reeve-robots");
    object.spec.secret_volumes.first_mut().unwrap().mount_path = "/etc/../root".into();
    assert_eq!(
        object.checked().unwrap_err().field,
        "spec.secretVolumes.mountPath"
    );
    let mut object = Workload::desired(&workload(), "reeve-robots");
    object.spec.secret_volumes.first_mut().unwrap().default_mode = "4755".into();
    assert_eq!(
        object.checked().unwrap_err().field,
        "spec.secretVolumes.defaultMode"
    );

    let mut object = Workload::desired(&workload(), "reeve-robots");
    object.spec.resources.as_mut().unwrap().cpu_limit = Some("2000".into());
    assert_eq!(object.checked().unwrap_err().field, "spec.resources.cpuLimit");
    let mut object = Workload::desired(&workload(), "reeve-robots");
    object.spec.image_pull_policy = Some("Sometimes".into());
    assert_eq!(object.checked().unwrap_err().field, "spec.imagePullPolicy");
    for (pointer, value, field) in [
        ("/attempts/completions", json!(-1), "spec.attempts.completions"),
        (
            "/terminationGracePeriodSeconds",
            json!(-1),
            "spec.terminationGracePeriodSeconds",
        ),
        ("/readinessProbe/port", json!(0), "spec.readinessProbe.port"),
        (
            "/metadata/labels",
            json!({"reeve.dev/user": "x"}),
            "spec.metadata.labels",
        ),
        ("/metadata/labels", json!({"a": "b c"}), "spec.metadata.labels"),
        (
            "/metadata/annotations",
            json!({"reeve.dev/runs-as": "x"}),
            "spec.metadata.annotations",
        ),
        ("/placement/nodeType", json!("a b"), "spec.placement.nodeType"),
        (
            "/placement/tolerations/0/key",
            json!(""),
            "spec.placement.tolerations.key",
        ),
        (
            "/placement/tolerations/0/operator",
            json!("Exists"),
            "spec.placement.tolerations",
        ),
    ] {
        let mut object = serde_json::to_value(Workload::desired(&workload(), "reeve-robots")).unwrap();
        *object["spec"].pointer_mut(pointer).unwrap() = value;
        let object: Workload = serde_json::from_value(object).unwrap();
        assert_eq!(object.checked().unwrap_err().field, field, "{pointer}");
    }

    let rule: desired::AccessRule = serde_json::from_value(
        json!({"id": 7, "subject": {"kind": "group", "name": "g"}, "role": "viewer", "scope": {"type": "cluster"}}),
    )
    .unwrap();
    let mut object = AccessRule::from(&rule);
    object.spec.subject.name = "system:masters".into();
    assert_eq!(object.checked().unwrap_err().field, "spec.subject.name");
    object.spec.subject.name = "g".into();
    object.spec.subject.kind = SubjectKind::User;
    assert_eq!(object.checked().unwrap_err().field, "spec.subject.name");
    object.spec.subject.kind = SubjectKind::Group;
    object.spec.scope = ScopeSpec {
        type_: ScopeType::Project,
        id: None,
    };
    assert_eq!(object.checked().unwrap_err().field, "spec.scope.id");
}

#[test]
fn namespaces_of_the_system_cannot_become_projects() {
    for right in ["reeve-robots", "team-a", "a", "1a"] {
        assert!(may_be_project_namespace(right), "{right}");
    }
    for wrong in [
        "",
        "default",
        "kube-system",
        "kube-public",
        "kube-node-lease",
        "kube-x",
        "reeve-system",
        "A",
        "a-",
        "-a",
        "a.b",
    ] {
        assert!(!may_be_project_namespace(wrong), "{wrong}");
    }
}

#[test]
fn the_schema_of_a_project_reserves_the_same_namespaces() {
    let (_, schema) = reeve_crds::all_yaml()
        .unwrap()
        .into_iter()
        .find(|(name, _)| name == "projects.reeve.dev.yaml")
        .unwrap();
    let listed = RESERVED_NAMESPACES.map(|name| format!("'{name}'")).join(", ");
    let rule = format!("!self.startsWith('{RESERVED_NAMESPACE_PREFIX}') && !(self in [{listed}])");
    assert!(schema.contains(&rule), "{rule}");
}

//! Policies by themselves, above one another, and against workloads.

use serde_json::{Value, json};

use super::*;

fn policy(value: Value) -> Policy {
    serde_json::from_value(value).unwrap()
}

fn source(scope: ScopeType) -> SourceOfRule {
    SourceOfRule {
        scope,
        project_id: None,
        department_id: None,
        cluster_id: None,
    }
}

/// The reference's client reads a number there and nothing else (Appendix A, `SourceOfRule`).
#[test]
fn whose_a_rule_is_names_a_project_by_its_number() {
    let of_a_project = SourceOfRule {
        project_id: crate::ProjectId::new(33),
        ..source(ScopeType::Project)
    };
    let shown = json!({"scope": "project", "projectId": 33});
    assert_eq!(serde_json::to_value(&of_a_project).unwrap(), shown);
    for id in [json!(33), json!("33")] {
        let read: SourceOfRule =
            serde_json::from_value(json!({"scope": "project", "projectId": id})).unwrap();
        assert_eq!(read, of_a_project);
    }
    assert!(serde_json::from_value::<SourceOfRule>(json!({"scope": "project", "projectId": 0.5})).is_err());
}

fn way<'a>(policies: &[(ScopeType, &'a Policy)]) -> Vec<Scoped<'a>> {
    policies
        .iter()
        .map(|(scope, policy)| Scoped {
            source: source(*scope),
            name: format!("the {}", scope.as_str()),
            policy,
        })
        .collect()
}

#[test]
fn what_cannot_be_is_refused_by_the_name_of_its_field() {
    for (value, said) in [
        (
            json!({"rules": {"security": {"runAsUid": {"canEdit": false}}}}),
            "`rules.security.runAsUid.canEdit`",
        ),
        (
            json!({"rules": {"security": {"runAsUid": {"min": 9, "max": 1}}}}),
            "`rules.security.runAsUid.min`",
        ),
        (
            json!({"rules": {"security": {"runAsUid": {"step": 0}}}}),
            "`rules.security.runAsUid.step`",
        ),
        (
            json!({"rules": {"security": {"runAsUid": {}}}}),
            "`rules.security.runAsUid`: the rule says nothing",
        ),
        (
            json!({"rules": {"security": {"hostIpc": {"min": 1}}}}),
            "`rules.security.hostIpc.min`",
        ),
        (
            json!({"rules": {"security": {"capabilities": {"options": [{"value": "CAP_KILL"}]}}}}),
            "options[0].value`",
        ),
        (
            json!({"rules": {"security": {"seccompProfileType": {"options": [{"value": "Localhost"}]}}}}),
            "`RuntimeDefault` is needed",
        ),
        (
            json!({"rules": {"image": {"options": [{"value": "a b"}]}}}),
            "`rules.image.options[0].value`",
        ),
        (
            json!({"rules": {"image": {"options": []}}}),
            "`rules.image.options`",
        ),
        (
            json!({"rules": {"storage": {"hostPath": {"instances": {"canAdd": true}}}}}),
            "`rules.storage.hostPath.instances.canAdd`",
        ),
        (
            json!({"defaults": {"security": {"allowPrivilegeEscalation": true}}}),
            "`defaults.security.allowPrivilegeEscalation`",
        ),
        (
            json!({"defaults": {"security": {"uidGidSource": "custom"}}}),
            "`defaults.security.uidGidSource`",
        ),
        (json!({"defaults": {"workingDir": "x"}}), "`defaults.workingDir`"),
        (
            json!({"defaults": {"compute": {"gpuDevicesRequest": 2000}}}),
            "`defaults.compute.gpuDevicesRequest`",
        ),
    ] {
        let error = policy(value.clone()).check().unwrap_err().to_string();
        assert!(error.contains(said), "{value}: {error}");
    }
}

#[test]
fn a_default_that_a_rule_refuses_and_a_field_that_two_scopes_rule_are_refused() {
    let gpus = policy(json!({"rules": {"compute": {"gpuDevicesRequest": {"max": 2}}}}));
    let four = policy(json!({"defaults": {"compute": {"gpuDevicesRequest": 4}}}));
    let one = policy(json!({"defaults": {"compute": {"gpuDevicesRequest": 1}}}));
    let pinned = policy(json!({"defaults": {"image": "a:1"}, "rules": {"image": {"canEdit": false}}}));
    let open = policy(json!({"rules": {"image": {"canEdit": false}}}));
    let other = policy(json!({"defaults": {"image": "b:1"}}));
    let (tenant, department, project) = (ScopeType::Tenant, ScopeType::Department, ScopeType::Project);
    for (policies, said) in [
        (
            vec![(tenant, &gpus), (project, &four)],
            Some(
                "`defaults.compute.gpuDevicesRequest`: this default of the project is refused by the rule of the tenant",
            ),
        ),
        (
            vec![(tenant, &four), (project, &gpus)],
            Some("this default of the tenant is refused"),
        ),
        (vec![(tenant, &gpus), (project, &one)], None),
        (
            vec![(tenant, &gpus), (department, &gpus)],
            Some("by both the tenant and the department"),
        ),
        (vec![(tenant, &open)], Some("`rules.image.canEdit`")),
        (vec![(tenant, &other), (project, &open)], None),
        (
            vec![(tenant, &pinned), (project, &other)],
            Some("`defaults.image`"),
        ),
        (vec![(tenant, &pinned)], None),
    ] {
        let result = check_way(&way(&policies)).map_err(|error| error.to_string());
        match said {
            None => assert_eq!(result, Ok(())),
            Some(said) => assert!(
                result.as_ref().is_err_and(|error| error.contains(said)),
                "{said}: {result:?}"
            ),
        }
    }
}

#[test]
fn what_holds_is_the_lowest_default_and_every_rule_with_its_source() {
    let hardening = policy(json!({
        "defaults": {"security": {"allowPrivilegeEscalation": false}, "compute": {"gpuDevicesRequest": 1}},
        "rules": {"security": {"runAsUid": {"min": 1, "max": 32700}, "allowPrivilegeEscalation": {"canEdit": false},
            "hostIpc": {"canEdit": false}, "capabilities": {"canEdit": false}}}
    }));
    let project = policy(json!({
        "defaults": {"compute": {"gpuDevicesRequest": 2}},
        "rules": {"compute": {"gpuDevicesRequest": {"required": true, "max": 4, "step": 2}}}
    }));
    let both = [(ScopeType::Tenant, &hardening), (ScopeType::Project, &project)];
    let holds = effective(&way(&both));
    assert_eq!(holds.defaults.compute.gpu_devices_request, Some(2));
    assert_eq!(holds.defaults.security.allow_privilege_escalation, Some(false));
    let of = |field| {
        holds
            .rules
            .get(field)
            .unwrap()
            .source_of_rule
            .as_ref()
            .unwrap()
            .scope
    };
    assert_eq!(
        (of(Field::RunAsUid), of(Field::Gpus)),
        (ScopeType::Tenant, ScopeType::Project)
    );
    let text = "gpus=1,4,2=project;uid=1,32700,1=tenant;escalation=false=tenant;capabilities==tenant";
    assert_eq!(holds.limits.to_string(), text);
    assert_eq!(text.parse::<Limits>().unwrap(), holds.limits);
}

fn facts() -> Facts {
    Facts {
        images: vec!["a:1".to_owned()],
        gpus: 2,
        source: "fromIdpToken",
        uids: vec![Some(70_012)],
        gids: vec![Some(5000)],
        escalation: vec![false],
        capabilities: Vec::new(),
        seccomp: vec!["RuntimeDefault".to_owned()],
    }
}

#[test]
fn a_workload_is_judged_by_every_entry_and_told_which_rule_it_breaks() {
    for (text, rule) in [
        ("uid=1,32700,1=tenant", Some("max")),
        ("uid=80000,90000,1=tenant", Some("min")),
        ("uid=70000,80000,100=tenant", Some("step")),
        ("uid=70000,80000,4=tenant", None),
        ("gid=5000,5000,1=tenant", None),
        ("gpus=0,1,1=project", Some("max")),
        ("gpus=0,4,2=project", None),
        ("source=fromTheImage=project", Some("options")),
        ("image=a:1|b:1=project", None),
        ("image=a:11=project", Some("options")),
        ("escalation=false=project", None),
        ("capabilities==project", None),
        ("seccomp=Localhost=project", Some("options")),
    ] {
        let limits: Limits = text.parse().unwrap();
        let facts = facts();
        let broken = limits.broken(&facts).map(|entry| entry.rule(&facts)).next();
        assert_eq!(broken, rule, "{text}");
    }
}

#[test]
fn nobody_knows_the_number_that_an_image_decides() {
    let facts = Facts {
        uids: vec![None],
        gids: vec![None],
        ..facts()
    };
    for (text, holds) in [
        ("uid=1,2147483647,1=tenant", true),
        ("uid=0,2147483647,1=tenant", true),
        ("uid=2,2147483647,1=tenant", false),
        ("uid=1,32700,1=tenant", false),
        ("uid=0,2147483647,2=tenant", false),
        ("gid=0,2147483647,1=tenant", true),
        // Root's group is no container's own.
        ("gid=1,2147483647,1=tenant", false),
    ] {
        let limits: Limits = text.parse().unwrap();
        assert_eq!(limits.broken(&facts).next().is_none(), holds, "{text}");
    }
}

#[test]
fn what_is_no_limit_is_no_text_of_limits() {
    for text in [
        "x",
        ";",
        "uid=1,2=tenant",
        "uid=1,2,0=tenant",
        "uid=a,2,1=tenant",
        "uid=1,2,1=x",
        "image=a b=tenant",
        "host=true=tenant",
    ] {
        assert!(text.parse::<Limits>().is_err(), "{text}");
    }
    assert!("".parse::<Limits>().unwrap().is_empty());
}

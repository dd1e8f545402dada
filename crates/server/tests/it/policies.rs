//! Workload policies: written, merged, refused in advance, and kept to by what is submitted.

use axum::http::Method;
use serde_json::{Value, json};

use crate::server::OrganizationFixture;

const TRAININGS: &str = "/api/v2/policy/trainings";

struct Fixture {
    organization: OrganizationFixture,
}

impl Fixture {
    async fn put(&self, token: &str, query: &str, meta: Value, policy: Value) -> crate::server::Answer {
        let mut meta = meta;
        meta["name"] = json!("hardening");
        let body = json!({"meta": meta, "policy": policy});
        let path = format!("{TRAININGS}{query}");
        let server = &self.organization.server;
        server.call(token, Method::PUT, &path, body.to_string()).await
    }

    async fn admin(&self, meta: Value, policy: Value) -> crate::server::Answer {
        self.put(&self.organization.server.admin, "", meta, policy).await
    }

    async fn submit(&self, name: &str, spec: Value) -> crate::server::Answer {
        let organization = &self.organization;
        let body = json!({"name": name, "projectId": organization.robots, "clusterId": organization.cluster, "spec": spec});
        let path = "/api/v1/workloads/trainings";
        organization.server.post(&organization.alice, path, body).await
    }
}

fn gpus(rule: Value) -> Value {
    json!({"rules": {"compute": {"gpuDevicesRequest": rule}}})
}

#[tokio::test]
async fn a_policy_is_written_shown_with_what_holds_and_deleted() {
    let it = Fixture {
        organization: OrganizationFixture::new().await,
    };
    let (server, organization) = (&it.organization.server, &it.organization);
    let project = format!("{TRAININGS}?scope=project&projectId={}", organization.robots);
    server.get(&server.admin, &project).await.refused(404);
    let tenant = json!({"scope": "tenant"});
    let checked = it.put(
        &server.admin,
        "?validateOnly=true",
        tenant.clone(),
        gpus(json!({"max": 4})),
    );
    assert!(checked.await.is(200).get("meta").is_none());
    server.get(&server.admin, &project).await.refused(404);
    let made = it.admin(tenant.clone(), gpus(json!({"max": 4}))).await.is(200);
    let again = it.admin(tenant, gpus(json!({"max": 2}))).await.is(200);
    assert_eq!(made["meta"]["id"], again["meta"]["id"]);
    let robots = organization.robots.parse::<u32>().unwrap();
    let defaults = json!({"defaults": {"compute": {"gpuDevicesRequest": 1}}});
    it.admin(json!({"scope": "project", "projectId": robots}), defaults)
        .await
        .is(200);

    let shown = server.get(&organization.alice, &project).await.is(200);
    assert_eq!(shown["meta"]["projectId"], robots);
    let effective = &shown["effective"];
    assert_eq!(effective["defaults"]["compute"]["gpuDevicesRequest"], 1);
    let rule = json!({"max": 2, "sourceOfRule": {"scope": "tenant"}});
    assert_eq!(effective["rules"]["compute"]["gpuDevicesRequest"], rule);
    // A researcher of one project sees that project's alone in the list.
    let listed = server.get(&organization.alice, "/api/v2/policy").await.is(200);
    assert_eq!(listed["policies"].as_array().unwrap().len(), 1);
    let all = server
        .get(&server.admin, "/api/v2/policy?workloadType=Training")
        .await
        .is(200);
    assert_eq!(all["policies"].as_array().unwrap().len(), 2);

    server.delete(&organization.alice, &project).await.refused(403);
    server.delete(&server.admin, &project).await.is(204);
    server.delete(&server.admin, &project).await.refused(404);
    for query in [
        "",
        "?scope=system",
        "?scope=project",
        "?scope=tenant&projectId=1",
        "?scope=project&projectId=x",
    ] {
        server
            .get(&server.admin, &format!("{TRAININGS}{query}"))
            .await
            .refused(400);
    }
}

#[tokio::test]
async fn a_policy_that_could_not_hold_is_refused_by_the_name_of_its_field() {
    let it = Fixture {
        organization: OrganizationFixture::new().await,
    };
    let tenant = json!({"scope": "tenant"});
    let contradiction = json!({"defaults": {"compute": {"gpuDevicesRequest": 8}},
        "rules": {"compute": {"gpuDevicesRequest": {"max": 4}}}});
    for (policy, field) in [
        (
            contradiction,
            "`policy.defaults.compute.gpuDevicesRequest`: this default of the account is refused",
        ),
        (
            json!({"rules": {"storage": {"pvc": {"instances": {"canAdd": false}}}}}),
            "`policy.rules.storage.pvc` is not supported yet",
        ),
        (
            json!({"rules": {"nonsense": {"required": true}}}),
            "`policy.rules.nonsense` is not a field of this request",
        ),
        (
            json!({"rules": {"security": {"hostIpc": {"max": 1}}}}),
            "`policy.rules.security.hostIpc.max`",
        ),
        (
            json!({"imposedAssets": ["a"]}),
            "`policy.imposedAssets` is not supported yet",
        ),
    ] {
        let said = it.admin(tenant.clone(), policy).await.refused(400);
        assert!(said.contains(field), "{said}");
    }
    // A field that a project rules already is ruled by nobody above it, and the other way round.
    let project = json!({"scope": "project", "projectId": it.organization.robots});
    it.admin(project.clone(), gpus(json!({"max": 4}))).await.is(200);
    let said = it
        .admin(tenant.clone(), gpus(json!({"max": 2})))
        .await
        .refused(400);
    assert!(
        said.contains("ruled by one policy") && said.contains("project `robots`"),
        "{said}"
    );
    // Nor is a default written that a rule below refuses.
    let default = json!({"defaults": {"compute": {"gpuDevicesRequest": 8}}});
    let said = it.admin(tenant, default).await.refused(400);
    assert!(
        said.contains("the account") && said.contains("from 0 to 4"),
        "{said}"
    );
    let alice = it.organization.alice.clone();
    it.put(&alice, "", project, json!({})).await.refused(403);
}

#[tokio::test]
async fn what_is_submitted_gets_the_defaults_and_keeps_to_the_rules() {
    let it = Fixture {
        organization: OrganizationFixture::new().await,
    };
    let policy = json!({
        "defaults": {"image": "local.test/x:1", "compute": {"gpuDevicesRequest": 2}, "security": {"allowPrivilegeEscalation": false}},
        "rules": {"compute": {"gpuDevicesRequest": {"max": 4, "step": 2}}, "image": {"options": [{"value": "local.test/x:1"}]},
            "security": {"allowPrivilegeEscalation": {"canEdit": false}, "capabilities": {"canEdit": false}}},
    });
    let said = it.submit("before", json!({})).await.refused(400);
    assert!(said.contains("`spec.image` is missing"), "{said}");
    it.admin(json!({"scope": "tenant"}), policy).await.is(200);
    let made = it.submit("filled", json!({})).await.is(202);
    let spec = json!({"image": "local.test/x:1", "compute": {"gpuDevicesRequest": 2}, "security": {"allowPrivilegeEscalation": false}});
    assert_eq!(made["spec"], spec);
    let refused = it
        .submit(
            "much",
            json!({"image": "local.test/y:1", "compute": {"gpuDevicesRequest": 5}}),
        )
        .await;
    let body = refused.json();
    let said = refused.refused(400);
    assert!(said.contains("`spec.compute.gpuDevicesRequest`: it may only be from 0 to 4 in steps of 2 (workload policy of the tenant)"), "{said}");
    let issues = body["complianceIssues"].as_array().unwrap();
    let rules: Vec<_> = issues
        .iter()
        .map(|issue| (issue["field"].as_str().unwrap(), issue["rule"].as_str().unwrap()))
        .collect();
    assert_eq!(
        rules,
        [("image", "options"), ("compute.gpuDevicesRequest", "max")]
    );
    // The uid is the identity's.
    let ids = json!({"rules": {"security": {"runAsUid": {"min": 1, "max": 1000}}}});
    it.admin(json!({"scope": "tenant"}), ids).await.is(200);
    let said = it.submit("me", json!({"image": "x"})).await.refused(400);
    assert!(said.contains("`spec.security.runAsUid`"), "{said}");
}

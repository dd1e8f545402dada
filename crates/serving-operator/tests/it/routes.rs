//! A service's HTTPRoute under Gateway API's real definition, with a **scripted gateway controller** in this test: it writes what a
//! gateway's controller would write into the route's status, one answer after the other. No gateway carries a request here.

use std::time::Duration;

use kube::ResourceExt;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use reeve_serving_crds::{AimModel, AimService};
use reeve_testkit::{wait_for, wait_until};
use serde_json::{Value, json};

use crate::life::model;
use crate::rig::{Rig, condition, create, foreign, until};

/// In which the stand-in for a gateway says nothing.
const NAMESPACE: &str = "routes-quiet";
/// A minute, after which the operator says that nobody answered, and as long as a loaded machine may take to say it.
const NOBODY: Duration = Duration::from_secs(150);

/// What the scripted controller says of a parent.
struct Says {
    parent: Value,
    generation: i64,
    type_: &'static str,
    status: &'static str,
    reason: &'static str,
    message: &'static str,
}

impl Says {
    /// That the route's gateway took this generation of it.
    fn accepted(generation: i64) -> Self {
        Self {
            parent: json!({"name": "main", "namespace": "gateways"}),
            generation,
            type_: "Accepted",
            status: "True",
            reason: "Accepted",
            message: "",
        }
    }
}

/// Writes the whole status of the route, as a gateway's controller does.
async fn scripted_gateway(routes: &Api<DynamicObject>, route: &str, says: &[Says]) {
    let parent = |one: &Says| {
        json!({"parentRef": one.parent, "controllerName": "scripted.example/gateway", "conditions": [{
            "type": one.type_, "status": one.status, "reason": one.reason, "message": one.message,
            "observedGeneration": one.generation, "lastTransitionTime": "2026-01-01T00:00:00Z"}]})
    };
    let parents: Vec<Value> = says.iter().map(parent).collect();
    let patch = Patch::Merge(json!({"status": {"parents": parents}}));
    routes
        .patch_status(route, &PatchParams::default(), &patch)
        .await
        .unwrap();
}

/// Waits until the condition of the route holds so, for this reason, in words that contain these.
async fn told(rig: &Rig, status: &str, reason: &str, words: &str) {
    let what = format!("HTTPRouteReady to be {status} for {reason}: {words}");
    let found = wait_for(NOBODY, &what, async || {
        let services = Api::<AimService>::namespaced(rig.client.clone(), NAMESPACE);
        let service = serde_json::to_value(services.get("chat").await?)?;
        let said = condition(&service, "HTTPRouteReady").clone();
        let message = said["message"].as_str().unwrap_or_default();
        let holds = said["status"] == status && said["reason"] == reason && message.contains(words);
        anyhow::ensure!(holds, "{said}");
        Ok(Some(()))
    });
    found
        .await
        .unwrap_or_else(|error| panic!("{error:#}\n{}", rig.operator.log()));
}

/// Planted faults that turn it red: a parent counts whatever generation its answer is of (the changed route is ready at once); a parent
/// that the route does not name counts (it is ready before its gateway said so); no bound (nobody says that no gateway answered).
pub(crate) async fn a_route_is_ready_by_its_own_gateways_word_on_this_generation(rig: &Rig) {
    rig.namespace(NAMESPACE).await;
    create::<AimModel>(&rig.client, NAMESPACE, model("tiny")).await;
    let spec = json!({"model": {"name": "tiny"}, "routing": {"enabled": true, "pathTemplate": "/first",
        "gatewayRef": {"name": "main", "namespace": "gateways"}}});
    create::<AimService>(
        &rig.client,
        NAMESPACE,
        json!({"metadata": {"name": "chat"}, "spec": spec}),
    )
    .await;
    let routes = foreign(&rig.client, NAMESPACE, "HTTPRoute");
    let route = wait_until("the route", async || {
        Ok(routes.list(&ListParams::default()).await?.items.pop())
    })
    .await
    .unwrap();
    let name = route.name_any();
    assert_eq!(route.metadata.generation, Some(1));
    told(rig, "False", "HTTPRoutePending", "no answer yet from: main").await;

    // Another gateway's answer is none of its own; nor is one of nobody, for a minute and longer.
    let elsewhere = Says {
        parent: json!({"name": "other", "namespace": "gateways"}),
        ..Says::accepted(1)
    };
    scripted_gateway(&routes, &name, &[elsewhere]).await;
    told(
        rig,
        "False",
        "HTTPRoutePending",
        "no gateway took this route: no answer yet from: main",
    )
    .await;

    let refused = Says {
        status: "False",
        reason: "NotAllowedByListeners",
        message: "no listener lets this namespace in",
        ..Says::accepted(1)
    };
    scripted_gateway(&routes, &name, &[refused]).await;
    told(
        rig,
        "False",
        "NotAllowedByListeners",
        "no listener lets this namespace in",
    )
    .await;
    let lost = Says {
        type_: "ResolvedRefs",
        status: "False",
        reason: "BackendNotFound",
        message: "there is no such Service",
        ..Says::accepted(1)
    };
    scripted_gateway(&routes, &name, &[lost]).await;
    told(rig, "False", "BackendNotFound", "there is no such Service").await;
    scripted_gateway(&routes, &name, &[Says::accepted(1)]).await;
    told(rig, "True", "HTTPRouteAccepted", "").await;

    // What was said of the route before says nothing of it now.
    let services = Api::<AimService>::namespaced(rig.client.clone(), NAMESPACE);
    let patch = Patch::Merge(json!({"spec": {"routing": {"pathTemplate": "/second"}}}));
    services
        .patch("chat", &PatchParams::default(), &patch)
        .await
        .unwrap();
    told(rig, "False", "HTTPRoutePending", "no answer yet from: main").await;
    let changed = routes.get(&name).await.unwrap();
    assert_eq!(changed.metadata.generation, Some(2));
    scripted_gateway(&routes, &name, &[Says::accepted(2)]).await;
    told(rig, "True", "HTTPRouteAccepted", "").await;
    let service = until::<AimService>(&rig.client, NAMESPACE, "chat", |service| {
        service["status"]["routing"]["path"] == "/second"
    })
    .await;
    assert_eq!(
        condition(&service, "HTTPRouteReady")["status"],
        "True",
        "{service:#}"
    );
}

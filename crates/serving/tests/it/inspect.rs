use k8s_openapi::api::core::v1::{Event, Pod};
use reeve_serving::fault::{Category, Component, Dependency, Fault, Health, State};
use reeve_serving::inspect::{self, SeenPod};
use serde_json::{Value, json};

use crate::things::of;

fn told(found: Result<Health, Fault>) -> String {
    match found {
        Ok(health) => format!("{:?} {}", health.state, health.reason),
        Err(fault) => format!("{:?} {}", fault.category, fault.reason),
    }
}

#[test]
fn jobs() {
    let job = |conditions: Value| {
        told(inspect::job(Some(&of(
            json!({"status": {"conditions": conditions}}),
        ))))
    };
    let failed = |reason: &str| json!([{"type": "Failed", "status": "True", "reason": reason}]);
    assert_eq!(told(inspect::job(None)), "MissingDownstream JobNotFound");
    assert_eq!(job(json!([])), "Progressing JobRunning");
    assert_eq!(
        job(json!([{"type": "Complete", "status": "True"}])),
        "Ready JobSucceeded"
    );
    assert_eq!(
        job(failed("BackoffLimitExceeded")),
        "InvalidSpec JobBackoffLimitExceeded"
    );
    assert_eq!(job(failed("DeadlineExceeded")), "InvalidSpec JobDeadlineExceeded");
    assert_eq!(job(failed("Evicted")), "Infrastructure JobEvicted");
    assert_eq!(job(failed("Other")), "InvalidSpec JobFailed");
}

fn pods(status: Value, events: Value, log: &str) -> String {
    let pod: Pod = of(json!({"status": status}));
    let events: Vec<Event> = of(events);
    told(inspect::pods(&[SeenPod {
        pod: &pod,
        events: &events,
        log,
    }]))
}

fn event(reason: &str, at: &str) -> Value {
    json!({"metadata": {}, "involvedObject": {}, "reason": reason, "message": "m", "lastTimestamp": at})
}

#[test]
fn pods_by_phase_and_events() {
    assert_eq!(told(inspect::pods(&[])), "MissingDownstream NoPods");
    assert_eq!(
        pods(json!({"phase": "Succeeded"}), json!([]), ""),
        "Ready PodsReady"
    );
    let ready = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
    assert_eq!(pods(ready, json!([]), ""), "Ready PodsReady");
    assert_eq!(
        pods(json!({"phase": "Running"}), json!([]), ""),
        "Starting PodsStarting"
    );
    let pending = json!({"phase": "Pending"});
    assert_eq!(pods(pending.clone(), json!([]), ""), "Pending PodsPending");
    let pulling = event("Pulling", "2026-01-01T00:00:09Z");
    assert_eq!(pods(pending.clone(), json!([pulling]), ""), "Progressing Pulling");
    let events = json!([
        event("FailedMount", "2026-01-01T00:00:01Z"),
        event("FailedScheduling", "2026-01-01T00:00:02Z"),
        pulling
    ]);
    assert_eq!(pods(pending, events, ""), "Pending FailedScheduling");
    assert_eq!(
        pods(json!({"phase": "Unknown"}), json!([]), ""),
        "Progressing PodsProgressing"
    );
}

#[test]
fn images_that_cannot_be_pulled() {
    let waiting = |message: &str| {
        let state = json!({"waiting": {"reason": "ImagePullBackOff", "message": message}});
        let container = json!([{"name": "c", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state}]);
        pods(
            json!({"phase": "Pending", "initContainerStatuses": container}),
            json!([]),
            "",
        )
    };
    assert_eq!(waiting("401 Unauthorized"), "Auth ImagePullAuthFailure");
    assert_eq!(
        waiting("pull access denied, repository does not exist"),
        "Auth ImagePullAuthFailure"
    );
    assert_eq!(waiting("manifest unknown"), "MissingUpstream ImageNotFound");
    assert_eq!(
        waiting("dial tcp: i/o timeout"),
        "Infrastructure ImagePullBackOff"
    );
}

#[test]
fn failed_pods_by_what_their_container_wrote() {
    let failed = |exit: i32, reason: &str, log: &str| {
        let state = json!({"terminated": {"exitCode": exit, "reason": reason}});
        let container = json!([{"name": "c", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state}]);
        pods(
            json!({"phase": "Failed", "containerStatuses": container}),
            json!([]),
            log,
        )
    };
    for (log, expected) in [
        (
            "Repository Not Found for url; 401 Client Error: Unauthorized hf.co",
            "InvalidSpec SourceNotFound",
        ),
        (
            "ERROR: S3 error: 404 (NoSuchBucket)",
            "InvalidSpec SourceNotFound",
        ),
        ("Cannot access gated repo for url", "Auth AuthError"),
        ("S3 error: 403 (SignatureDoesNotMatch)", "Auth AuthError"),
        (
            "OSError: [Errno 28] No space left on device",
            "ResourceExhaustion StorageFull",
        ),
        (
            "serviceaccount x cannot patch: not found 404",
            "InvalidSpec PodFailed",
        ),
        ("boom", "InvalidSpec PodFailed"),
        ("model\nnot found", "InvalidSpec PodFailed"),
    ] {
        assert_eq!(failed(1, "Error", log), expected, "{log}");
    }
    assert_eq!(
        failed(137, "OOMKilled", "404 not found"),
        "ResourceExhaustion PodOOMKilled"
    );
    assert_eq!(
        failed(1, "DeadlineExceeded", ""),
        "InvalidSpec PodDeadlineExceeded"
    );
    assert_eq!(
        pods(json!({"phase": "Failed", "reason": "Evicted"}), json!([]), ""),
        "Infrastructure PodEvicted"
    );
    let fault = reeve_serving::log::failed_pod(3, "Error", "", "one\ntwo\n\nthree\nfour\n");
    assert_eq!(fault.message, "exit code 3: two | three | four");
}

#[test]
fn claims() {
    let claim = |status: Value| told(inspect::claim(Some(&of(json!({"status": status})))));
    assert_eq!(told(inspect::claim(None)), "MissingDownstream PvcNotFound");
    assert_eq!(claim(json!({"phase": "Bound"})), "Ready PvcBound");
    assert_eq!(claim(json!({"phase": "Lost"})), "Infrastructure PvcLost");
    assert_eq!(claim(json!({"phase": "Pending"})), "Progressing PvcPending");
    let failed =
        json!({"conditions": [{"type": "Resizing", "status": "False", "reason": "ProvisioningFailed"}]});
    assert_eq!(claim(failed), "Infrastructure PvcProvisioningFailed");
}

fn route(wanted: Value, parents: Value) -> String {
    told(inspect::route(
        &json!({"metadata": {"generation": 2}, "spec": {"parentRefs": wanted}, "status": {"parents": parents}}),
    ))
}

fn parent(name: &str, conditions: Value) -> Value {
    json!({"parentRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": name}, "conditions": conditions})
}

#[test]
fn routes_need_every_wanted_parent_and_only_those() {
    let good = json!([{"type": "Accepted", "status": "True", "observedGeneration": 2}]);
    let refused =
        json!([{"type": "Accepted", "status": "False", "reason": "NotAllowedByListeners", "message": "m"}]);
    let unresolved = json!([{"type": "Accepted", "status": "True"}, {"type": "ResolvedRefs", "status": "False", "reason": "BackendNotFound"}]);
    let one = json!([{"name": "a"}]);
    assert_eq!(route(one.clone(), json!([])), "Progressing HTTPRoutePending");
    assert_eq!(
        route(one.clone(), json!([parent("a", good.clone())])),
        "Ready HTTPRouteAccepted"
    );
    assert_eq!(
        route(one.clone(), json!([parent("a", refused.clone())])),
        "InvalidSpec NotAllowedByListeners"
    );
    assert_eq!(
        route(one.clone(), json!([parent("a", unresolved)])),
        "MissingDownstream BackendNotFound"
    );
    // One that is no longer wanted says nothing, good or bad.
    assert_eq!(
        route(
            one.clone(),
            json!([parent("old", refused), parent("a", good.clone())])
        ),
        "Ready HTTPRouteAccepted"
    );
    assert_eq!(
        route(one.clone(), json!([parent("old", good.clone())])),
        "Progressing HTTPRoutePending"
    );
    // What was said of another generation is over.
    let stale = json!([{"type": "Accepted", "status": "True", "observedGeneration": 1}]);
    assert_eq!(
        route(one, json!([parent("a", stale)])),
        "Progressing HTTPRoutePending"
    );
    let both = json!([{"name": "a"}, {"name": "b"}]);
    assert_eq!(
        route(both.clone(), json!([parent("a", good.clone())])),
        "Progressing HTTPRoutePending"
    );
    assert_eq!(
        route(both, json!([parent("a", good.clone()), parent("b", good)])),
        "Ready HTTPRouteAccepted"
    );
}

#[test]
fn refusals_of_the_api_server_have_one_category() {
    for (status, expected) in [
        (401, (Category::Auth, "Unauthorized")),
        (403, (Category::Auth, "Forbidden")),
        (404, (Category::MissingDownstream, "NotFound")),
        (409, (Category::Infrastructure, "Conflict")),
        (422, (Category::InvalidSpec, "InvalidSpec")),
        (429, (Category::Infrastructure, "RateLimited")),
        (400, (Category::InvalidSpec, "ClientError")),
        (503, (Category::Infrastructure, "ServiceUnavailable")),
        (502, (Category::Infrastructure, "ServerError")),
        (504, (Category::Infrastructure, "Timeout")),
        (0, (Category::Unknown, "UnknownError")),
    ] {
        assert_eq!(Category::of_refusal(status, "Conflict"), expected, "{status}");
    }
    let there = Category::of_refusal(409, "AlreadyExists");
    assert_eq!(there, (Category::InvalidSpec, "AlreadyExists"));
}

#[test]
fn a_component_stands_by_its_worst_hindrance() {
    let with = |categories: &[Category]| {
        let start = Component::new("X", Dependency::Upstream);
        categories
            .iter()
            .fold(start, |c, category| c.with(Fault::new(*category, "R", "m")))
            .state()
    };
    assert_eq!(with(&[]), State::Ready);
    assert_eq!(with(&[Category::Infrastructure, Category::Auth]), State::Failed);
    assert_eq!(with(&[Category::ResourceExhaustion]), State::Failed);
    assert_eq!(
        with(&[Category::MissingDownstream, Category::MissingUpstream]),
        State::Degraded
    );
    assert_eq!(with(&[Category::Unknown]), State::Progressing);
    let said = Component::new("X", Dependency::Upstream)
        .says(State::Pending, "Said", "m")
        .with(Fault::new(Category::Auth, "R", "n"));
    assert_eq!(
        (said.state(), said.reason(), said.message()),
        (State::Pending, "Said", "m")
    );
}

/// Planted fault: looking for patterns first finds `not found` in a progress line and calls a full claim missing files.
#[test]
fn the_last_line_of_our_downloader_decides() {
    for (kind, expected) in [
        ("missing", "InvalidSpec SourceNotFound"),
        ("auth", "Auth AuthError"),
        ("full", "ResourceExhaustion StorageFull"),
        ("stalled", "InvalidSpec DownloadStalled"),
        ("corrupt", "InvalidSpec DownloadCorrupt"),
        ("unreachable", "Infrastructure SourceUnreachable"),
        ("usage", "InvalidSpec PodFailed"),
    ] {
        let log =
            format!("the file was not in the cache: 404 not found\nok\ndownload failed ({kind}): why\n\n");
        let log = if kind == "usage" {
            "download failed (usage): why\n".to_owned()
        } else {
            log
        };
        let fault = reeve_serving::log::failed_pod(1, "Error", "", &log);
        assert_eq!(format!("{:?} {}", fault.category, fault.reason), expected);
        assert!(fault.message.ends_with("why"), "{}", fault.message);
    }
}

//! Writes that fail, and a registry whose parts do, on an API server that is scripted and is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::Api;
use prometheus_client::registry::Registry as Metrics;
use reeve_kube_kit::registry::EndedByItself;
use reeve_kube_kit::write::StatusNotWritten;
use reeve_kube_kit::{
    Context, Controller, FieldManager, ObjectName, Queue, ReconcileError, Registry, Retry, Watch, WriteFailed,
};
use reeve_testkit::{Answer, ScriptedApiServer, wait_until};
use reeve_types::{Clock, ErrorChain};
use serde_json::json;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_millis(200);
const MAPS: &str = "/api/v1/namespaces/a/configmaps";
const SOON: Retry = Retry::Backoff;
const NOT_UNTIL_SOMETHING_CHANGES: Retry = Retry::OnChange;

fn map() -> ConfigMap {
    let text = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "a"}});
    serde_json::from_value(text).unwrap()
}

/// How each of the three writes of an object ends.
async fn writes(server: &ScriptedApiServer) -> [(&'static str, Result<(), WriteFailed>); 3] {
    let api = Api::<ConfigMap>::namespaced(server.client(), "a");
    let writes = FieldManager::new("test").with_patience(PATIENCE);
    [
        ("create", writes.create(&api, &map()).await.map(drop)),
        ("apply", writes.apply(&api, &map()).await.map(drop)),
        ("delete", writes.delete(&api, &ObjectName::of(&map()), None).await),
    ]
}

/// Planted fault: with the source in the text of `WriteFailed` each line says its cause twice.
#[tokio::test]
async fn a_write_that_fails_says_what_was_tried_on_what_and_why_once_and_when_to_try_again() {
    let cases = [
        (
            Answer::Refuse(403),
            "refused with 403: scripted",
            NOT_UNTIL_SOMETHING_CHANGES,
        ),
        (Answer::Refuse(409), "refused with 409: scripted", SOON),
        (
            Answer::Refuse(422),
            "refused with 422: scripted",
            NOT_UNTIL_SOMETHING_CHANGES,
        ),
        (Answer::Refuse(500), "refused with 500: scripted", SOON),
        (Answer::Refuse(504), "refused with 504: scripted", SOON),
        (Answer::Silence, "did not answer within 200ms", SOON),
    ];
    for (answer, why, retry) in cases {
        let server = ScriptedApiServer::default();
        for verb in ["POST", "PATCH", "DELETE"] {
            server.on(&format!("{verb} {MAPS}"), answer.clone());
        }
        for (verb, outcome) in writes(&server).await {
            let failed = outcome.unwrap_err();
            assert_eq!(
                ErrorChain(&failed).to_string(),
                format!("cannot {verb} ConfigMap `a/m`: the API server {why}")
            );
            assert_eq!(StatusNotWritten(failed).retry(), retry, "{verb} {answer:?}");
        }
    }
}

#[tokio::test]
async fn an_object_that_is_gone_is_as_good_as_deleted_and_nothing_else() {
    let server = ScriptedApiServer::default();
    for verb in ["POST", "PATCH", "DELETE"] {
        server.on(&format!("{verb} {MAPS}"), Answer::Refuse(404));
    }
    let [(_, created), (_, applied), (_, deleted)] = writes(&server).await;
    assert!(created.unwrap_err().is_not_found() && applied.unwrap_err().is_not_found());
    deleted.unwrap();
}

#[tokio::test]
async fn an_object_that_is_there_already_can_be_told_from_other_conflicts_of_creating_it() {
    let server = ScriptedApiServer::default();
    server.on("POST", Answer::Refuse(409));
    let [(_, created), ..] = writes(&server).await;
    assert!(created.unwrap_err().source.is_already_exists());
    server.recover();
    server.on("POST", Answer::Refuse(403));
    let [(_, created), ..] = writes(&server).await;
    assert!(!created.unwrap_err().source.is_already_exists());
}

#[tokio::test]
async fn a_status_is_written_when_it_says_something_else_and_whoever_is_gone_needs_none() {
    let server = ScriptedApiServer::default();
    let text = json!({"apiVersion": "reeve.dev/v1alpha1", "kind": "Probe", "metadata": {"name": "p"},
        "spec": {}, "status": {"word": "old"}});
    server.holds("/apis/reeve.dev/v1alpha1/probes", text.clone());
    let probe: Probe = serde_json::from_value(text).unwrap();
    let api = Api::<Probe>::all(server.client());
    let writes = FieldManager::new("test").with_patience(PATIENCE);
    let status = |word: &str| ProbeStatus {
        word: word.to_owned(),
    };
    assert!(!writes.report(&api, &probe, &status("old")).await.unwrap());
    assert_eq!(server.seen("PATCH").len(), 0, "nothing is written at rest");
    assert!(writes.report(&api, &probe, &status("new")).await.unwrap());
    server.on("PATCH", Answer::Refuse(404));
    assert!(!writes.report(&api, &probe, &status("new")).await.unwrap());
    server.recover();
    server.on("PATCH", Answer::Refuse(422));
    let failed = writes.report(&api, &probe, &status("new")).await.unwrap_err();
    assert_eq!(
        ErrorChain(&failed).to_string(),
        "cannot report the status of Probe `p`: the API server refused with 422: scripted"
    );
}

#[derive(
    kube::CustomResource, Debug, Clone, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[kube(
    group = "reeve.dev",
    version = "v1alpha1",
    kind = "Probe",
    status = "ProbeStatus"
)]
struct ProbeSpec {}

#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct ProbeStatus {
    word: String,
}

#[derive(Debug, thiserror::Error)]
#[error("never")]
struct Never;

impl ReconcileError for Never {
    fn reason(&self) -> &'static str {
        "Never"
    }

    fn retry(&self) -> Retry {
        Retry::OnChange
    }
}

/// A registry with one cache, and one controller that counts its passes.
fn registry(server: &ScriptedApiServer) -> (Arc<Context>, Registry, Arc<AtomicUsize>) {
    let context = Arc::new(Context::new(server.client(), Clock::system(), "test"));
    let mut registry = Registry::new(context.clone(), &mut Metrics::default());
    let namespaces = registry.cache(Watch::<Namespace>::default());
    let passes = Arc::<AtomicUsize>::default();
    let counted = passes.clone();
    let controller = Controller::new("test", Queue::new(), 1, move |()| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Ok::<(), Never>(()) }
    });
    registry.add(
        controller
            .watches(&namespaces, |queue, _| queue.add(()))
            .starts_with(()),
    );
    (context, registry, passes)
}

/// Planted fault: a registry that starts its controllers at once has a pass while the first list is refused.
#[tokio::test]
async fn no_pass_begins_before_every_cache_is_complete_and_readiness_says_what_is_missing() {
    let server = ScriptedApiServer::default();
    server.on_times(2, "GET /api/v1/namespaces", Answer::Refuse(403));
    let (context, registry, passes) = registry(&server);
    assert_eq!(
        context.readiness.report(),
        ["caches: the first lists are not complete yet"]
    );
    let stop = CancellationToken::new();
    let running = tokio::spawn(registry.run(stop.clone()));
    wait_until("a refused list", async || {
        Ok(server.seen("GET /api/v1/namespaces").first().cloned())
    })
    .await
    .unwrap();
    assert_eq!(passes.load(Ordering::SeqCst), 0);
    assert_eq!(context.readiness.report().len(), 1);
    wait_until("a pass", async || {
        Ok((passes.load(Ordering::SeqCst) > 0).then_some(()))
    })
    .await
    .unwrap();
    assert!(context.readiness.report().is_empty());
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_part_that_ends_by_itself_ends_all_and_is_named() {
    let server = ScriptedApiServer::default();
    let (_, mut registry, _) = registry(&server);
    registry.add_task("link", async {});
    let ended = registry.run(CancellationToken::new()).await.unwrap_err();
    assert_eq!(ended.to_string(), "`link` ended by itself");

    let (_, mut registry, _) = self::registry(&server);
    registry.add_task("link", async { panic!("planted") });
    let ended = registry.run(CancellationToken::new()).await.unwrap_err();
    assert!(matches!(ended, EndedByItself::Panicked(_)), "{ended:?}");
}

#[tokio::test]
async fn told_to_stop_it_finishes_the_pass_under_way() {
    let server = ScriptedApiServer::default();
    let context = Arc::new(Context::new(server.client(), Clock::system(), "test"));
    let mut registry = Registry::new(context, &mut Metrics::default());
    let (started, done) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let (begun, ended) = (started.clone(), done.clone());
    let slow = Controller::new("slow", Queue::new(), 1, move |()| {
        let (begun, ended) = (begun.clone(), ended.clone());
        async move {
            begun.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(300)).await;
            ended.fetch_add(1, Ordering::SeqCst);
            Ok::<(), Never>(())
        }
    });
    registry.add(slow.starts_with(()));
    let stop = CancellationToken::new();
    let running = tokio::spawn(registry.run(stop.clone()));
    wait_until("the pass", async || {
        Ok((started.load(Ordering::SeqCst) > 0).then_some(()))
    })
    .await
    .unwrap();
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!(done.load(Ordering::SeqCst), 1);
}

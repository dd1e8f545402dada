//! Watches that cannot go on from where they were, on an API server that is scripted and is none.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client};
use reeve_kube_kit::storage::until_it_goes_back;
use reeve_kube_kit::{Cache, ObjectName, Turns, Watch, keep};
use reeve_testkit::wait_until;
use serde_json::json;

fn list(version: u64, names: &[&str]) -> Response {
    let items: Vec<_> = names
        .iter()
        .map(|name| json!({"metadata": {"name": name, "namespace": "a", "resourceVersion": version.to_string()}}))
        .collect();
    axum::Json(json!({"apiVersion": "v1", "kind": "ConfigMapList", "metadata": {"resourceVersion": version.to_string()},
        "items": items}))
    .into_response()
}

/// Has forgotten version 1 as soon as it has listed it, and holds another object at version 2.
async fn forgets(State(lists): State<Arc<AtomicU64>>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    if !query.contains("watch=true") {
        return match lists.fetch_add(1, Ordering::SeqCst) {
            0 => list(1, &["old"]),
            _ => list(2, &["new"]),
        };
    }
    if query.contains("resourceVersion=1") {
        let gone = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410,
            "message": "too old resource version: 1 (2)"});
        return (StatusCode::GONE, axum::Json(gone)).into_response();
    }
    Body::from_stream(futures::stream::pending::<Result<Bytes, std::convert::Infallible>>()).into_response()
}

/// Planted fault: `watcher` alone asks for version 1 again and again, and the cache holds what was there before for ever.
#[tokio::test]
async fn what_a_watch_goes_on_from_is_forgotten_and_everything_is_listed_anew() {
    let lists = Arc::<AtomicU64>::default();
    let service = Router::new().fallback(forgets).with_state(lists.clone());
    let api = Api::<ConfigMap>::namespaced(Client::new(service, "default"), "a");
    let cache = Arc::new(Cache::<ConfigMap>::default());
    let keeping = tokio::spawn(keep(cache.clone(), api, Watch::default()));
    let held = |name: &str| cache.get(&ObjectName::namespaced("a", name)).is_some();
    wait_until("the new list", async || Ok(held("new").then_some(())))
        .await
        .unwrap();
    assert!(!held("old"));
    // And not more often than it must.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(lists.load(Ordering::SeqCst), 2);
    keeping.abort();
}

/// How many lists are being read, and how many were at most.
#[derive(Default)]
struct Reading(AtomicU64, AtomicU64);

/// Takes a while for each page of three, refuses the first list altogether, and watches without a word.
async fn slowly(State(reading): State<Arc<Reading>>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    if query.contains("watch=true") {
        return Body::from_stream(futures::stream::pending::<Result<Bytes, std::convert::Infallible>>())
            .into_response();
    }
    let now = reading.0.fetch_add(1, Ordering::SeqCst) + 1;
    let at_most = reading.1.fetch_max(now, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(30)).await;
    reading.0.fetch_sub(1, Ordering::SeqCst);
    if at_most == 0 {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let (name, rest) = match query {
        query if query.contains("continue=2") => ("third", json!({})),
        query if query.contains("continue=1") => ("second", json!({"continue": "2"})),
        _ => ("first", json!({"continue": "1"})),
    };
    let mut metadata = json!({"resourceVersion": "1"});
    metadata
        .as_object_mut()
        .unwrap()
        .extend(rest.as_object().unwrap().clone());
    let items = json!([{"metadata": {"name": name, "namespace": "a", "resourceVersion": "1"}}]);
    axum::Json(json!({"apiVersion": "v1", "kind": "ConfigMapList", "metadata": metadata, "items": items}))
        .into_response()
}

/// Planted fault: without turns the same watches read several lists at once.
#[tokio::test]
async fn watches_with_turns_read_one_list_at_a_time_and_a_failed_one_holds_up_none() {
    for (in_turn, alone) in [(true, true), (false, false)] {
        let reading = Arc::<Reading>::default();
        let service = Router::new().fallback(slowly).with_state(reading.clone());
        let client = Client::new(service, "default");
        let turns = Turns::default();
        let mut keeping = Vec::new();
        let mut caches = Vec::new();
        for _ in 0..4 {
            let watch = Watch::default().page_size(1);
            let watch = if in_turn { watch.in_turn(&turns) } else { watch };
            let cache = Arc::new(Cache::<ConfigMap>::default());
            let api = Api::<ConfigMap>::namespaced(client.clone(), "a");
            keeping.push(tokio::spawn(keep(cache.clone(), api, watch)));
            caches.push(cache);
        }
        wait_until("every list", async || {
            Ok(caches.iter().all(|cache| cache.all().len() == 3).then_some(()))
        })
        .await
        .unwrap();
        assert_eq!(reading.1.load(Ordering::SeqCst) == 1, alone);
        keeping.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

async fn tells(State(versions): State<Arc<Mutex<Vec<u64>>>>) -> Response {
    match versions.lock().unwrap().pop() {
        Some(0) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(version) => list(version, &[]),
        None => list(u64::MAX, &[]),
    }
}

/// Planted fault: with `highest` set to what came last, also to less, or to nothing by a failure, the storage is never found to go back.
#[tokio::test]
async fn a_storage_that_went_back_is_noticed_and_one_that_is_away_is_none() {
    // From the last to the first; 0 is no answer.
    for (versions, back) in [
        (vec![9, 0, 7, 7], false),
        (vec![6, 0, 7, 7], true),
        (vec![6, 5], false),
    ] {
        let versions = Arc::new(Mutex::new(versions));
        let service = Router::new().fallback(tells).with_state(versions.clone());
        let api = Api::<ConfigMap>::all(Client::new(service, "default"));
        let noticed = until_it_goes_back(api, Duration::from_millis(5));
        let asked_all = async {
            while !versions.lock().unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        };
        let found = tokio::select! {
            () = noticed => true,
            () = asked_all => false,
        };
        assert_eq!(found, back);
    }
}

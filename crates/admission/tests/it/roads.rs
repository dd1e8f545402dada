//! One verdict on every road: creation, server-side apply, patches, and each of them as a dry run (R15).

use anyhow::Result;
use http::Method;
use reeve_admission::{fill, request::template_path};
use serde_json::{Value, json};

use crate::fixture::{self, Answer, KINDS, collection, requester, send, send_as};
use crate::table::{Row, rows};
use crate::test_cluster::{TestCluster, create_request, filled_alike, namespace};

const LEVEL: &str = "privileged";

/// A template that asks for a colleague's uid.
fn forbidden(kind: &str, name: &str) -> Value {
    let mut object = fixture::minimal(kind, name);
    fixture::template(&mut object, kind)["spec"]["securityContext"] = json!({"runAsUser": 70014});
    object
}

fn refused(road: &str, answer: &Answer) {
    let right = answer.code == 403
        && answer
            .message()
            .contains("reeve: R6: runAsUser of the pod is 70014");
    assert!(right, "{road}: {} {}", answer.code, answer.message());
}

struct Road<'a> {
    stage: &'a TestCluster,
    at: String,
}

impl Road<'_> {
    async fn apply(&self, kind: &str, object: &Value, dry_run: bool) -> Result<Answer> {
        let name = object["metadata"]["name"].as_str().unwrap();
        let dry_run = if dry_run { "&dryRun=All" } else { "" };
        let path = format!(
            "{}/{name}?fieldManager=alice{dry_run}",
            collection(kind, &self.at)
        );
        self.patch(kind, &path, "application/apply-patch+yaml", object)
            .await
    }

    async fn patch(&self, kind: &str, path: &str, how: &str, patch: &Value) -> Result<Answer> {
        let alice = requester("alice", kind);
        send_as(
            &self.stage.client,
            &alice,
            Method::PATCH,
            path,
            how,
            serde_json::to_vec(patch)?,
        )
        .await
    }

    async fn get(&self, kind: &str, name: &str) -> Result<Answer> {
        let path = format!("{}/{name}", collection(kind, &self.at));
        let alice = requester("alice", kind);
        send_as(
            &self.stage.client,
            &alice,
            Method::GET,
            &path,
            "application/json",
            Vec::new(),
        )
        .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r15_a_dry_run_gives_the_verdict_of_a_real_write_and_leaves_no_trace() -> Result<()> {
    let Some(cluster) = fixture::api_server().await else {
        return Ok(());
    };
    let some: Vec<Row> = rows()?.into_iter().filter(|r| r.check == "pod-user").collect();
    let stage = &TestCluster::set(&cluster, &some, &[LEVEL]).await?;
    let road = Road {
        stage,
        at: namespace(LEVEL, "strict"),
    };
    for kind in KINDS {
        for dry_run in [true, false] {
            let request = create_request("alice", "strict", forbidden(kind, "forbidden"));
            refused(
                &format!("POST of {kind}"),
                &send(&stage.client, &road.at, &request, dry_run).await?,
            );
            refused(
                &format!("apply of {kind}"),
                &road.apply(kind, &request.object, dry_run).await?,
            );
            assert_eq!(road.get(kind, "forbidden").await?.code, 404, "{kind}");
        }
        for dry_run in [true, false] {
            let mut request = create_request("alice", "strict", fixture::minimal(kind, "harmless"));
            let posted = send(&stage.client, &road.at, &request, dry_run).await?;
            assert!(
                posted.admitted(),
                "POST of {kind}: {} {}",
                posted.code,
                posted.message()
            );
            let applied = road
                .apply(kind, &fixture::minimal(kind, "applied"), dry_run)
                .await?;
            assert!(
                applied.admitted(),
                "apply of {kind}: {} {}",
                applied.code,
                applied.message()
            );
            fill(&mut request);
            for body in [&posted.body, &applied.body] {
                filled_alike(&request.object, body, template_path(kind).unwrap())?;
            }
            let wanted = if dry_run { 404 } else { 200 };
            for name in ["harmless", "applied"] {
                assert_eq!(
                    road.get(kind, name).await?.code,
                    wanted,
                    "{kind} {name} after dry_run={dry_run}"
                );
            }
        }
        // Applying the same again, which names none of what was filled in, changes nothing and is refused nothing.
        let again = road
            .apply(kind, &fixture::minimal(kind, "applied"), false)
            .await?;
        assert!(
            again.admitted(),
            "second apply of {kind}: {} {}",
            again.code,
            again.message()
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_patch_of_any_kind_is_judged_by_what_it_makes_of_the_object() -> Result<()> {
    let Some(cluster) = fixture::api_server().await else {
        return Ok(());
    };
    let some: Vec<Row> = rows()?.into_iter().filter(|r| r.check == "pod-user").collect();
    let stage = &TestCluster::set(&cluster, &some, &[LEVEL]).await?;
    let road = Road {
        stage,
        at: namespace(LEVEL, "strict"),
    };
    for kind in [
        "Deployment",
        "StatefulSet",
        "ReplicaSet",
        "DaemonSet",
        "ReplicationController",
        "CronJob",
    ] {
        let mine = create_request("alice", "strict", fixture::minimal(kind, "mine"));
        assert!(send(&stage.client, &road.at, &mine, false).await?.admitted());
        let at = template_path(kind).unwrap();
        let mut merge = json!({"spec": {"securityContext": {"runAsUser": 70014}}});
        for part in at.trim_start_matches('/').rsplit('/') {
            merge = json!({ part: merge });
        }
        let replace = json!([{"op": "replace", "path": format!("{at}/spec/securityContext/runAsUser"), "value": 70014}]);
        let path = format!("{}/mine", collection(kind, &road.at));
        for (how, patch) in [
            ("application/merge-patch+json", &merge),
            ("application/strategic-merge-patch+json", &merge),
            ("application/json-patch+json", &replace),
        ] {
            refused(
                &format!("{how} of {kind}"),
                &road.patch(kind, &path, how, patch).await?,
            );
        }
        // A whole object that says nothing of security, in place of the one that was filled in.
        let mut bare = fixture::minimal(kind, "mine");
        fixture::template(&mut bare, kind)["spec"]["containers"][0]["image"] = json!("local.test/x:2");
        let alice = requester("alice", kind);
        let put = send_as(
            &stage.client,
            &alice,
            Method::PUT,
            &path,
            "application/json",
            serde_json::to_vec(&bare)?,
        )
        .await?;
        assert!(put.admitted(), "PUT of {kind}: {} {}", put.code, put.message());
        let mut request = create_request("alice", "strict", bare);
        fill(&mut request);
        filled_alike(&request.object, &put.body, at)?;
    }
    Ok(())
}

//! What administrators of the account do about numbers of people.

use serde_json::json;

use crate::receiver::{CLUSTER, Receiver, text};

#[tokio::test]
async fn an_administrator_sets_the_lowest_id_of_a_cluster() {
    let receiver = Receiver::signed_in().await;
    let call = format!("PUT /api/v1/clusters/{CLUSTER}/lowest-id");
    let cluster = json!({"uuid": CLUSTER, "tenantId": 1, "name": "demo", "createdAt": "2026-01-01T00:00:00Z",
        "lowestId": 20});
    receiver.answers(&call, 200, cluster);
    let output = receiver.run(&["cluster", "set-lowest-id", CLUSTER, "20"]).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains("from 20 on in cluster `demo`"), "{said}");
    let sent = receiver.calls().pop().unwrap();
    assert_eq!(sent.body, json!({"lowestId": 20}));
    let output = receiver
        .run(&["-o", "json", "cluster", "set-lowest-id", CLUSTER, "20"])
        .await;
    assert!(
        text(&output.stdout).contains("\"lowestId\": 20"),
        "{}",
        text(&output.stdout)
    );
}

#[tokio::test]
async fn an_administrator_releases_a_uid() {
    let receiver = Receiver::signed_in().await;
    receiver.says("DELETE /api/v1/uids/70012", 204, "");
    let output = receiver.run(&["uid", "release", "70012"]).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains("uid `70012` can be given again"), "{said}");
}

#[tokio::test]
async fn what_the_control_plane_refuses_is_said_with_its_reason() {
    let receiver = Receiver::signed_in().await;
    let refusal = |code: u16, message: &str| json!({"code": code, "message": message, "details": ""});
    let lowest = format!("PUT /api/v1/clusters/{CLUSTER}/lowest-id");
    receiver.answers(
        &lowest,
        403,
        refusal(403, "clusters: update is missing at the account"),
    );
    receiver.answers(
        "DELETE /api/v1/uids/70012",
        409,
        refusal(409, "`70012` is alice@example.org's"),
    );
    for (words, cause, missing) in [
        (
            &["cluster", "set-lowest-id", CLUSTER, "20"][..],
            "is missing at the account",
            "lowest id",
        ),
        (
            &["uid", "release", "70012"][..],
            "is alice@example.org's",
            "release uid `70012`",
        ),
        (&["uid", "release", "70013"][..], "", "release uid `70013`"),
    ] {
        let output = receiver.run(words).await;
        assert_ne!(output.status.code(), Some(0), "{words:?}");
        let said = text(&output.stderr);
        assert!(said.contains(cause) && said.contains(missing), "{said}");
        assert_eq!(text(&output.stdout), "");
    }
}

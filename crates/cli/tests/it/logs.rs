//! Logs come straight from the cluster's API server, for which a receiver stands in.

use serde_json::json;

use crate::cluster::{Answer, Cluster, JOB, PODS, WORKLOAD, in_cluster, json_answer, pod, pods, refusal};
use crate::receiver::{CLUSTER, Receiver, TOKEN, text, workload};

const LOGS: [&str; 4] = ["logs", "first", "-p", "robots"];
const FOLLOW: [&str; 7] = ["logs", "first", "-p", "robots", "-f", "--reopen-after", "500ms"];

fn log_path(pod: &str) -> String {
    format!("{PODS}/{pod}/log")
}

fn open(text: &str) -> Answer {
    Answer::Open(text.into())
}

fn ends(text: &str) -> Answer {
    Answer::Text(text.into())
}

/// How many tokens for Kubernetes were asked for.
fn tokens(receiver: &Receiver) -> usize {
    let calls = receiver.calls();
    let mut lines = calls.iter().map(|call| &call.line);
    let shown = |token: &Option<String>| token.as_deref() == Some(&format!("Bearer {TOKEN}"));
    assert!(
        calls.iter().all(|call| shown(&call.authorization)),
        "only its own token for the control plane"
    );
    lines
        .by_ref()
        .filter(|line| line.ends_with("/kubernetes-token"))
        .count()
}

#[tokio::test]
async fn the_newest_pod_of_the_job_speaks_and_no_other_with_its_label() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    receiver.calls();
    let ended = json!({"terminated": {"exitCode": 1}});
    let made = |name: &str, second: u8, state| {
        let mut pod = pod(name, state);
        pod["metadata"]["creationTimestamp"] = json!(format!("2026-01-01T00:00:0{second}Z"));
        pod
    };
    let (old, new) = (made("first-old", 0, &ended), made("first-new", 1, &ended));
    // Anybody can give a pod these labels; the API server would also show one with another Job as its controller.
    let mut foreign = made("first-foreign", 2, &ended);
    foreign["metadata"]["ownerReferences"] = json!([]);
    let mut others = made("first-others", 3, &ended);
    others["metadata"]["ownerReferences"][0]["uid"] = json!("another");
    cluster.answers(PODS, [json_answer(200, &pods(&[foreign, new, others, old]))]);
    cluster.answers(&log_path("first-new"), [ends("uid=70012 gid=5000\n")]);
    let output = receiver.run(&LOGS).await;
    assert_eq!(
        text(&output.stdout),
        "uid=70012 gid=5000\n",
        "{}",
        text(&output.stderr)
    );
    assert_eq!(
        cluster.calls("/pods"),
        [format!(
            "GET {PODS}?labelSelector=batch.kubernetes.io%2Fcontroller-uid%3D{JOB}"
        )]
    );
    assert_eq!(
        cluster.calls("/log"),
        [format!("GET {}?container=first", log_path("first-new"))]
    );
    assert!(cluster.saw_only_its_own_token());
    assert_eq!(tokens(&receiver), 1);

    cluster.answers(&log_path("first-old"), [ends("old\n")]);
    let output = receiver
        .run(&["logs", "first", "-p", "robots", "--pod", "first-old"])
        .await;
    assert_eq!(text(&output.stdout), "old\n", "{}", text(&output.stderr));
    insta::assert_snapshot!(
        receiver
            .shown(&["logs", "first", "-p", "robots", "--pod", "first-foreign"])
            .await
    );
}

#[tokio::test]
async fn flags_arrive_at_the_api_server() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    cluster.answers(&log_path("first-abcde"), [ends("")]);
    let flags = [
        "-t",
        "5",
        "--since",
        "1h",
        "--timestamps",
        "--previous",
        "-c",
        "injected",
    ];
    let output = receiver.run(&[&LOGS[..], &flags].concat()).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let query = "container=injected&previous=true&timestamps=true&tailLines=5&sinceSeconds=3600";
    assert_eq!(
        cluster.calls("/log"),
        [format!("GET {}?{query}", log_path("first-abcde"))]
    );
}

#[tokio::test]
async fn a_stream_is_opened_again_with_a_new_token_and_no_line_is_lost_or_doubled() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    receiver.calls();
    let (ten, eleven) = ("2026-01-01T00:00:10.000000001Z", "2026-01-01T00:00:11.000000001Z");
    cluster.answers(
        &log_path("first-abcde"),
        [
            open(&format!("{ten} one\n{ten} one\n{eleven} bro")),
            open(&format!(
                "{ten} one\n{ten} one\n{ten} two\n{eleven} broken\n{eleven} é"
            )),
            // Away for a moment.
            Answer::Json(503, json!({"message": "no backend"}).to_string()),
            ends(&format!(
                "{ten} one\n{ten} one\n{ten} two\n{eleven} broken\n{eleven} é\n{eleven} end"
            )),
        ],
    );
    let following = tokio::time::timeout(std::time::Duration::from_secs(30), receiver.run(&FOLLOW));
    let output = following.await.expect("it is opened again and ends");
    assert_eq!(
        text(&output.stdout),
        "one\none\nbrotwo\nken\né\nend",
        "{}",
        text(&output.stderr)
    );
    let asked: Vec<_> = cluster
        .calls("/log")
        .iter()
        .map(|call| {
            call.replace(
                &format!(
                    "GET {}?container=first&follow=true&timestamps=true",
                    log_path("first-abcde")
                ),
                "",
            )
        })
        .collect();
    let since = |second| format!("&sinceTime=2026-01-01T00%3A00%3A{second}Z");
    assert_eq!(asked, [String::new(), since("10"), since("10"), since("10")]);
    assert_eq!(tokens(&receiver), 4);
}

#[tokio::test]
async fn where_nothing_was_shown_yet_the_next_stream_begins_where_the_first_did() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    cluster.answers(
        &log_path("first-abcde"),
        [open(""), ends("2026-01-01T00:00:01.000000001Z new\n")],
    );
    let output = receiver
        .run(&[&FOLLOW[..], &["--tail", "0", "--timestamps"]].concat())
        .await;
    assert_eq!(text(&output.stdout), "2026-01-01T00:00:01.000000001Z new\n");
    let calls = cluster.calls("/log");
    assert!(calls[0].ends_with("&tailLines=0"), "{calls:?}");
    assert!(
        calls[1].ends_with("&timestamps=true&sinceTime=2026-01-01T00%3A00%3A00Z"),
        "{calls:?}"
    );
}

#[tokio::test]
async fn who_lost_access_in_between_is_shown_the_refusal() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    let first = || open("2026-01-01T00:00:10.000000001Z one\n");
    cluster.answers(
        &log_path("first-abcde"),
        [first(), refusal("pods \"first-abcde\" is forbidden")],
    );
    let output = receiver.run(&FOLLOW).await;
    assert_eq!(
        (output.status.code(), text(&output.stdout).as_str()),
        (Some(1), "one\n")
    );
    assert!(
        text(&output.stderr).contains("pods \"first-abcde\" is forbidden (403)"),
        "{}",
        text(&output.stderr)
    );

    // The control plane gives no other token: the one it gave is refused from its second use on.
    cluster.answers(&log_path("first-abcde"), [first()]);
    let tokens = format!("POST /api/v1/clusters/{CLUSTER}/kubernetes-token");
    let run = receiver.run(&FOLLOW);
    let revoke = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        receiver.answers(
            &tokens,
            403,
            json!({"code": 403, "message": "no access rule gives you this cluster"}),
        );
    };
    let (output, ()) = tokio::join!(run, revoke);
    assert_eq!(
        (output.status.code(), text(&output.stdout).as_str()),
        (Some(1), "one\n"),
        "{}",
        text(&output.stderr)
    );
    assert!(
        text(&output.stderr).contains("no access rule gives you this cluster (403)"),
        "{}",
        text(&output.stderr)
    );
}

#[tokio::test]
async fn what_the_cluster_refuses_is_shown_as_its_words() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    cluster.answers(PODS, [refusal("pods is forbidden: User \"alice\" cannot list")]);
    insta::assert_snapshot!(receiver.shown(&LOGS).await);
}

/// The receiver of the other address takes whatever comes, as a thief's would. Planted fault: without the comparison it gets
/// the token.
#[tokio::test]
async fn a_token_is_not_sent_to_another_address_than_that_of_first_use() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    cluster.answers(
        &format!("{PODS}/first-abcde/log"),
        [json_answer(200, &json!("x"))],
    );
    receiver.run(&LOGS).await;
    assert!(cluster.was_called(), "the first use");
    let (other, thief) = Cluster::with_a_workload().await;
    let path = format!("GET /api/v1/clusters/{CLUSTER}/kubernetes-endpoint");
    let endpoint = json!({"server": thief.url(), "certificateAuthorityData": ""});
    receiver.answers(&path, 200, endpoint);
    let output = receiver.run(&LOGS).await;
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains(&thief.url()) && said.contains("--accept-new-endpoint"),
        "{said}"
    );
    assert!(!thief.was_called());
    drop(other);
}

#[tokio::test]
async fn a_cluster_that_has_not_said_where_it_is_has_no_logs() {
    let (receiver, _cluster) = Cluster::with_a_workload().await;
    let path = format!("GET /api/v1/clusters/{CLUSTER}/kubernetes-endpoint");
    let message = "the operator has not reported the address yet";
    receiver.answers(&path, 404, json!({"code": 404, "message": message}));
    let output = receiver.run(&LOGS).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains(&format!("{message} (404)")),
        "{}",
        text(&output.stderr)
    );
}

#[tokio::test]
async fn a_workload_that_ended_without_a_pod_is_not_waited_for() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    cluster.answers(PODS, [json_answer(200, &pods(&[]))]);
    let mut ended = workload();
    ended["phase"] = json!("Failed");
    ended["phaseMessage"] = json!("its Job was deleted");
    receiver.answers("GET /api/v1/workloads", 200, json!({ "workloads": [ended] }));
    let said = "it is Failed and its pod is gone: its Job was deleted";
    // Neither pods, nor another workload of this name, nor the object itself.
    let mut another = in_cluster();
    another["spec"]["id"] = json!("423e4567-e89b-12d3-a456-426614174000");
    for answer in [
        json_answer(200, &in_cluster()),
        json_answer(200, &another),
        json_answer(404, &json!({})),
    ] {
        cluster.answers(WORKLOAD, [answer]);
        let output = receiver.run(&["logs", "first", "-p", "robots", "-f"]).await;
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains(said), "{}", text(&output.stderr));
    }
    assert_eq!(
        cluster.calls("/pods").len(),
        1,
        "only the Job of this workload is looked for"
    );
}

#[tokio::test]
async fn a_pod_is_waited_for_and_then_its_own_container() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    let waiting = pod(
        "first-abcde",
        &json!({"waiting": {"reason": "ContainerCreating"}}),
    );
    let running = pod("first-abcde", &json!({"running": {}}));
    let mut unborn = in_cluster();
    unborn["status"] = json!(null);
    cluster.answers(
        WORKLOAD,
        [json_answer(200, &unborn), json_answer(200, &in_cluster())],
    );
    cluster.answers(
        PODS,
        [
            json_answer(200, &pods(&[waiting])),
            json_answer(200, &pods(&[running])),
        ],
    );
    cluster.answers(&log_path("first-abcde"), [ends("hello\n")]);
    let output = receiver.run(&LOGS).await;
    assert_eq!(text(&output.stdout), "hello\n", "{}", text(&output.stderr));
    assert_eq!(cluster.calls("/pods").len(), 2);
}

#[tokio::test]
async fn who_follows_is_told_what_it_waits_for_and_not_among_the_logs() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    let none = || json_answer(200, &pods(&[]));
    let waiting = json!({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}});
    let pulling = || json_answer(200, &pods(&[pod("first-a", &waiting)]));
    let ended = json_answer(
        200,
        &pods(&[pod("first-a", &json!({"terminated": {"exitCode": 0}}))]),
    );
    // Asked every half second; the first three are nothing to speak of.
    let answers = (0..8)
        .map(|_| none())
        .chain((0..2).map(|_| pulling()))
        .chain([ended]);
    cluster.answers(PODS, answers);
    cluster.answers(
        &log_path("first-a"),
        [ends("2026-01-01T00:00:00.000000001Z done\n")],
    );
    let output = receiver.run(&["logs", "first", "-p", "robots", "-f"]).await;
    assert_eq!(text(&output.stdout), "done\n", "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stderr),
        "waiting: it has no pod yet\n\
         waiting: its container has not started: ImagePullBackOff: no such image\n"
    );
}

/// A quota is full: the Job is there, and the API server refuses its pods.
async fn with_refused_pods() -> (Receiver, Cluster) {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    let mut refused = workload();
    let members = refused.as_object_mut().unwrap();
    members.insert("phase".to_owned(), json!("Pending"));
    let message = "pods \"first-x\" is forbidden: exceeded quota: cpu";
    members.insert("phaseMessage".to_owned(), json!(message));
    receiver.answers("GET /api/v1/workloads", 200, json!({ "workloads": [refused] }));
    cluster.answers(PODS, [json_answer(200, &pods(&[]))]);
    (receiver, cluster)
}

/// Planted fault: `pod::no_pod` that ignores the message says only that there is no pod yet.
#[tokio::test]
async fn what_refuses_the_pods_is_said_soon_to_who_does_not_follow() {
    let (receiver, _cluster) = with_refused_pods().await;
    // Others are waited for 30 seconds.
    let shown = tokio::time::timeout(std::time::Duration::from_secs(20), receiver.shown(&LOGS));
    insta::assert_snapshot!(shown.await.expect("it ends long before patience does"));
}

/// The same planted fault, and another: `is_refused` that says no lets who follows wait in silence.
#[tokio::test]
async fn who_follows_is_told_once_what_refuses_the_pods_and_gets_the_logs_when_it_is_over() {
    let (receiver, cluster) = with_refused_pods().await;
    let none = || json_answer(200, &pods(&[]));
    let ended = json_answer(
        200,
        &pods(&[pod("first-a", &json!({"terminated": {"exitCode": 0}}))]),
    );
    cluster.answers(PODS, [none(), none(), none(), ended]);
    cluster.answers(
        &log_path("first-a"),
        [ends("2026-01-01T00:00:00.000000001Z done\n")],
    );
    let output = receiver.run(&["logs", "first", "-p", "robots", "-f"]).await;
    assert_eq!(text(&output.stdout), "done\n", "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stderr),
        "waiting: it has no pod yet: pods \"first-x\" is forbidden: exceeded quota: cpu\n"
    );
}

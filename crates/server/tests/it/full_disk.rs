//! A disk without room: the real program on a small file system of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::floods::{administrator, made, made_rules, started, text};
use crate::process::{Running, fresh};
use crate::server::rule;

const RULES: &str = "/api/v1/authorization/access-rules";
const CLUSTERS: &str = "/api/v1/clusters";

/// A small file system in memory; unmounted with the value.
struct Small(PathBuf);

impl Small {
    /// As [`Small::mount`]; says so by the test's name where that is not possible, and fails where it has to be.
    #[expect(clippy::print_stdout, reason = "a skipped test says so")]
    fn mount_or_skip(at: &Path, test: &str) -> Option<Self> {
        let small = Self::mount(at);
        if small.is_none() {
            #[expect(
                clippy::disallowed_methods,
                reason = "the switch of all tests that need something of the machine"
            )]
            let required = std::env::var("TESTBED").is_ok_and(|it| it == "require");
            assert!(!required, "a file system is to be mounted here");
            println!("SKIPPED: {test} needs the right to mount");
        }
        small
    }

    /// Nothing when this process may not mount.
    fn mount(dir: &Path) -> Option<Self> {
        std::fs::create_dir_all(dir).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=32m", "none"])
            .arg(dir)
            .status();
        mounted.is_ok_and(|it| it.success()).then(|| Self(dir.to_owned()))
    }

    /// Leaves no byte free.
    fn fill(&self) {
        use std::io::Write;
        let mut file = std::fs::File::create(self.0.join("filler")).unwrap();
        for size in [65536, 4096, 512, 1] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// The operator of a cluster, with a token from when the disk had room.
struct Link<'r> {
    running: &'r Running,
    credentials: Value,
    earned: String,
}

impl<'r> Link<'r> {
    async fn of(running: &'r Running, cluster: &Value) -> Link<'r> {
        let credentials = json!({"clusterId": cluster["uuid"], "clientSecret": cluster["clientSecret"]});
        let mut link = Link {
            running,
            credentials,
            earned: String::new(),
        };
        let (status, answer) = link.token().await;
        assert_eq!(status, 200, "{answer}");
        answer["accessToken"]
            .as_str()
            .unwrap()
            .clone_into(&mut link.earned);
        link
    }

    async fn token(&self) -> (u16, Value) {
        let url = self.running.url("/link/v1/token");
        let sent = self.running.client.post(url).body(self.credentials.to_string());
        text(sent.send().await.unwrap()).await
    }

    async fn report(&self) -> (u16, Value) {
        let url = self.running.url("/link/v1/status");
        let sent = self.running.client.post(url).bearer_auth(&self.earned);
        text(
            sent.body(json!({"revision": 0}).to_string())
                .send()
                .await
                .unwrap(),
        )
        .await
    }
}

async fn deleted(running: &Running, token: &str, id: &Value) -> (u16, Value) {
    let sent = running
        .client
        .delete(running.url(&format!("{RULES}/{id}")))
        .bearer_auth(token);
    text(sent.send().await.unwrap()).await
}

/// Makes rules until the disk is full. What is written first has room that the database took before; then there is none.
async fn until_full(running: &Running, admin: &str) {
    for number in 0..2000 {
        let body = rule(("group", &format!("h{number}")), 9, ("tenant", "1"));
        let sent = running
            .client
            .post(running.url(RULES))
            .bearer_auth(admin)
            .body(body.to_string());
        let (status, answer) = text(sent.send().await.unwrap()).await;
        if status == 503 {
            let message = answer["message"].as_str().unwrap();
            assert!(message.contains("disk is full"), "{answer}");
            return;
        }
        assert_eq!(status, 201, "{answer}");
    }
    panic!("the disk was never full");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_still_revokes_and_takes_nothing_else() {
    let (dir, data) = fresh();
    let Some(small) = Small::mount_or_skip(&data, "a_full_disk_still_revokes") else {
        return;
    };
    let running = started(&data, &[]).await;
    let admin = administrator(&running).await;
    let rules = made_rules(&running, &admin, 20).await;
    let cluster = made(&running, &admin, CLUSTERS, json!({"name": "gpu"})).await;
    let link = Link::of(&running, &cluster).await;
    small.fill();
    until_full(&running, &admin).await;
    assert!(data.join("reserve").exists(), "nobody but a revocation gets it");
    for id in &rules {
        let (status, answer) = deleted(&running, &admin, id).await;
        assert_eq!(status, 204, "{answer}");
    }
    assert!(
        !data.join("reserve").exists(),
        "the planted fault: without the reserve these are refused"
    );
    let (status, answer) = link.report().await;
    assert_eq!(status, 503, "a report waits: {answer}");
    assert_eq!(link.token().await.0, 200, "its operator still gets in");
    let secret = format!("{CLUSTERS}/{}/secret", cluster["uuid"].as_str().unwrap());
    let sent = running.client.post(running.url(&secret)).bearer_auth(&admin);
    let (status, answer) = text(sent.send().await.unwrap()).await;
    assert_eq!(
        status, 200,
        "a stolen credential dies on a full disk, too: {answer}"
    );
    assert_eq!(link.token().await.0, 400);
    // Others do not use up what revocations need; the administrator can still sign in.
    let body = rule(("group", "late"), 9, ("tenant", "1"));
    let sent = running
        .client
        .post(running.url(RULES))
        .bearer_auth(&admin)
        .body(body.to_string());
    assert_eq!(text(sent.send().await.unwrap()).await.0, 503);
    let again = administrator(&running).await;
    let gone = running
        .client
        .get(running.url(&format!("{RULES}/{}", rules[0])))
        .bearer_auth(&again);
    assert_eq!(gone.send().await.unwrap().status(), 404);
    // Room again: the reserve is taken, and all goes on.
    std::fs::remove_file(data.join("filler")).unwrap();
    for _ in 0..300 {
        if std::fs::metadata(data.join("reserve")).is_ok_and(|it| it.len() == 8 << 20) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    made(
        &running,
        &again,
        RULES,
        json!(rule(("group", "late"), 9, ("tenant", "1"))),
    )
    .await;
    running.stop().await;
    drop((small, dir));
}

/// Without room for the reserve even a server that has none of it revokes as long as it can, and nothing else; here as a
/// planted fault: with nothing kept, a revocation on a full disk is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_reserve_a_full_disk_refuses_revocations() {
    let (_dir, data) = fresh();
    let Some(small) = Small::mount_or_skip(&data, "without_a_reserve_a_full_disk_refuses_revocations") else {
        return;
    };
    let running = started(&data, &[]).await;
    let admin = administrator(&running).await;
    let rules = made_rules(&running, &admin, 20).await;
    std::fs::remove_file(data.join("reserve")).unwrap();
    small.fill();
    until_full(&running, &admin).await;
    assert_eq!(deleted(&running, &admin, &rules[0]).await.0, 503);
}

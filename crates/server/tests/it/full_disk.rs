//! A disk without room: the real program on a small file system of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use reeve_identity::totp::TotpSecret;
use reeve_testkit::software_authenticator::Ceremony;
use reeve_testkit::{not_on_postgres, skip_without};
use reeve_types::{Clock, Secret};
use serde_json::{Value, json};

use crate::floods::{administrator, made, made_rules, started, text, token};
use crate::passkeys::{MINE, passkey_for};
use crate::process::{Running, fresh};
use crate::server::rule;

const DISK: &str = "a full disk is that of its file";
const RULES: &str = "/api/v1/authorization/access-rules";
const CLUSTERS: &str = "/api/v1/clusters";
const AUTHENTICATOR: &str = "/api/v1/me/authenticator";

/// A small file system in memory; unmounted with the value.
struct Small(PathBuf);

impl Small {
    /// As [`Small::mount`]; says so by the test's name where that is not possible, and fails where it has to be.
    fn mount_or_skip(at: &Path) -> Option<Self> {
        let small = Self::mount(at);
        if small.is_none() {
            skip_without("file system of its own", "this process may not mount one");
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
async fn a_full_disk_of_sqlite_still_revokes_and_takes_nothing_else() {
    if not_on_postgres(DISK) {
        return;
    }
    let (dir, data) = fresh();
    let Some(small) = Small::mount_or_skip(&data) else {
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
async fn without_a_reserve_a_full_disk_of_sqlite_refuses_revocations() {
    if not_on_postgres(DISK) {
        return;
    }
    let (_dir, data) = fresh();
    let Some(small) = Small::mount_or_skip(&data) else {
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

/// With the page of the real program and the software authenticator: the challenge and the counter are remembered on the room that the
/// reserve gives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_administers_the_account_signs_in_with_a_passkey_on_a_full_disk_of_sqlite() {
    if not_on_postgres(DISK) {
        return;
    }
    let (_dir, data) = fresh();
    let Some(small) = Small::mount_or_skip(&data) else {
        return;
    };
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let (listen, origin) = (format!("127.0.0.1:{port}"), format!("https://localhost:{port}"));
    let running = started(&data, &["--listen", &listen, "--public-url", &origin]).await;
    let client = running.client(|client| client.redirect(reqwest::redirect::Policy::none()));
    let admin = administrator(&running).await;
    let begin = client
        .post(running.url(&format!("{MINE}/begin")))
        .bearer_auth(&admin);
    let (status, begun) = text(begin.send().await.unwrap()).await;
    assert_eq!(status, 200, "{begun}");
    let honest = |challenge: &str| -> Ceremony<'static> {
        Ceremony::honest(origin.clone().leak(), "localhost", challenge.to_owned().leak())
    };
    let mut passkey = passkey_for(&begun["publicKey"]);
    let answer = passkey.register(&honest(begun["publicKey"]["challenge"].as_str().unwrap()));
    let body = json!({"ticket": begun["ticket"], "name": "Laptop", "id": answer.id,
        "clientDataJSON": answer.client_data, "attestationObject": answer.attestation_object});
    made(&running, &admin, MINE, body).await;
    small.fill();
    until_full(&running, &admin).await;
    assert!(data.join("reserve").exists());

    let page = client.get(running.url("/sign-in")).send().await.unwrap();
    let cookie = page.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let page = page.text().await.unwrap();
    let after = |from: &str| -> String {
        let rest = page
            .split(from)
            .nth(1)
            .unwrap_or_else(|| panic!("no {from} in {page}"));
        rest.split('"').next().unwrap().to_owned()
    };
    let options: Value = serde_json::from_str(&after("data-options=\"").replace("&quot;", "\"")).unwrap();
    let shown = passkey.assert(&honest(options["challenge"].as_str().unwrap()));
    let (attempt, ticket) = (
        after("name=\"attempt\" value=\""),
        after("name=\"ticket\" value=\""),
    );
    let form: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("attempt", &attempt)
        .append_pair("ticket", &ticket)
        .append_pair("id", &shown.id)
        .append_pair("clientDataJSON", &shown.client_data)
        .append_pair("authenticatorData", &shown.authenticator_data)
        .append_pair("signature", &shown.signature)
        .append_pair("userHandle", &shown.user_handle)
        .finish();
    let sent = client
        .post(running.url("/auth/realms/runai/login-actions/passkey"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", cookie)
        .body(form);
    let answer = sent.send().await.unwrap();
    assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
    drop(small);
}

/// Somebody's own authenticator, set up with a code of it; the recovery codes.
async fn authenticator_of(running: &Running, token: &str) -> Vec<String> {
    let begun = made(running, token, AUTHENTICATOR, Value::Null).await;
    let secret = Secret::new(begun["secret"].as_str().unwrap().to_owned());
    let code = TotpSecret::from_text(&secret)
        .unwrap()
        .code_at(Clock::system().now());
    let path = format!("{AUTHENTICATOR}/confirm");
    let sent = running.client.post(running.url(&path)).bearer_auth(token);
    let (status, answer) = text(sent.body(json!({"code": code}).to_string()).send().await.unwrap()).await;
    assert_eq!(status, 200, "{answer}");
    let codes = answer["recoveryCodes"].as_array().unwrap();
    codes
        .iter()
        .map(|code| code.as_str().unwrap().to_owned())
        .collect()
}

/// Both second factors of a person by whoever may change users, and the authenticator by a person whose own it is: each by itself on a
/// disk that has just become full. Planted faults: `a-lost-second-factor-is-a-change`, `an-own-authenticator-stays-on-a-full-disk`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn second_factors_are_taken_away_on_a_full_disk_of_sqlite() {
    if not_on_postgres(DISK) {
        return;
    }
    for by_the_person in [false, true] {
        let (_dir, data) = fresh();
        let Some(small) = Small::mount_or_skip(&data) else {
            return;
        };
        let running = started(&data, &[]).await;
        let admin = administrator(&running).await;
        let erin = json!({"email": "erin@example.com", "resetPassword": false});
        let erin = made(&running, &admin, "/api/v1/users", erin).await;
        let credentials = json!({"grantType": "password", "username": "erin@example.com", "password": erin["tempPassword"]});
        let erins = token(&running, credentials).await;
        let recovery = authenticator_of(&running, &erins).await;
        small.fill();
        until_full(&running, &admin).await;
        assert!(data.join("reserve").exists());

        let user = format!("/api/v1/users/{}", erin["id"].as_str().unwrap());
        let sent = if by_the_person {
            let request = running
                .client
                .post(running.url(&format!("{AUTHENTICATOR}/remove")));
            let body = json!({"code": recovery[0]}).to_string();
            request.bearer_auth(&erins).body(body)
        } else {
            let request = running
                .client
                .delete(running.url(&format!("{user}/authenticator")));
            request.bearer_auth(&admin)
        };
        let (status, answer) = text(sent.send().await.unwrap()).await;
        assert_eq!(status, if by_the_person { 200 } else { 204 }, "{answer}");
        assert!(!data.join("reserve").exists(), "the room for it is the reserve's");
        let shown = running.client.get(running.url(AUTHENTICATOR)).bearer_auth(&erins);
        let (status, shown) = text(shown.send().await.unwrap()).await;
        assert_eq!((status, &shown["enabled"]), (200, &json!(false)), "{shown}");
        // What there is none of is looked for all the same.
        let request = running.client.delete(running.url(&format!("{user}/passkeys")));
        let (status, answer) = text(request.bearer_auth(&admin).send().await.unwrap()).await;
        assert_eq!(status, 404, "{answer}");
        running.stop().await;
        drop(small);
    }
}

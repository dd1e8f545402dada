//! The program itself: its flags, its files, TLS, and how it ends.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use reqwest::{Method, Version};
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use crate::database;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_reeve-server");

const DATABASE_URL: &str = "REEVE_DATABASE_URL";

/// The program, over the database of servers that were started with this data directory.
pub(crate) fn program(data: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.envs(database::of_program(data).map(|url| (DATABASE_URL, url)));
    command
}

/// A server that runs; ended with the value.
pub(crate) struct Running {
    child: Option<Child>,
    pub(crate) announced: Value,
    pub(crate) client: reqwest::Client,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Running {
    pub(crate) async fn start(data: &Path, flags: &[&str]) -> Self {
        Self::start_with(data, flags, &[]).await
    }

    /// With these variables in its environment, beside those of the chart. Where neither they nor flags say which database it is, it
    /// is the one that `DATABASE` asks for.
    pub(crate) async fn start_with(data: &Path, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        let announce = data.with_extension("announce");
        let _ = std::fs::remove_file(&announce);
        let listen: &[&str] = match flags.contains(&"--listen") {
            true => &[],
            false => &["--listen", "127.0.0.1:0"],
        };
        let says = flags.contains(&"--database-url") || variables.iter().any(|it| it.0 == DATABASE_URL);
        if !says {
            database::made_for_program(data).await;
        }
        let child = program(data)
            .arg("serve")
            .args(listen)
            .arg("--data-dir")
            .arg(data)
            .arg("--announce-file")
            .arg(&announce)
            .args(flags)
            .envs(reeve_testkit::SERVER_ENVIRONMENT)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(log(data)).unwrap())
            .spawn()
            .unwrap();
        let mut running = Self {
            child: Some(child),
            announced: Value::Null,
            client: reqwest::Client::new(),
        };
        for _ in 0..300 {
            if let Ok(text) = std::fs::read_to_string(&announce) {
                running.announced = serde_json::from_str(&text).unwrap();
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        running.client = running.client(|client| client);
        running
    }

    /// A client that knows whom to trust.
    pub(crate) fn client(
        &self,
        set: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> reqwest::Client {
        let file = self.announced["caFile"].as_str();
        let ca = std::fs::read(file.expect("the server announced itself")).unwrap();
        let ca = reqwest::Certificate::from_pem(&ca).unwrap();
        set(reqwest::Client::builder().tls_certs_only([ca]))
            .build()
            .unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.announced["url"].as_str().unwrap())
    }

    pub(crate) async fn sign_in(&self, password: &str) -> reqwest::Response {
        let body = json!({"grantType": "password", "username": self.announced["adminUsername"], "password": password});
        self.client
            .post(self.url("/api/v1/token"))
            .body(body.to_string())
            .send()
            .await
            .unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Ends it as an init system would; what it wrote to standard output, and its code.
    pub(crate) async fn stop(mut self) -> Output {
        let child = self.child.take().unwrap();
        assert!(
            Command::new("kill")
                .args(["-TERM", &child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        // The client's connections end by themselves meanwhile.
        tokio::task::spawn_blocking(|| child.wait_with_output().unwrap())
            .await
            .unwrap()
    }
}

/// Where a server's log goes: of its last start.
pub(crate) fn log(data: &Path) -> PathBuf {
    data.with_extension("log")
}

pub(crate) fn fresh() -> (tempfile::TempDir, PathBuf) {
    // Some other test may have done it already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    (dir, data)
}

#[tokio::test]
async fn the_first_start_prints_a_password_once_and_later_ones_keep_everything() {
    let (_dir, data) = fresh();
    let running = Running::start(&data, &[]).await;
    let ca = std::fs::read(running.announced["caFile"].as_str().unwrap()).unwrap();
    let keys = running
        .client
        .get(running.url("/auth/realms/runai/protocol/openid-connect/certs"))
        .send()
        .await;
    let keys = keys.unwrap().text().await.unwrap();
    let ended = running.stop().await;
    assert!(ended.status.success(), "{ended:?}");
    let printed = String::from_utf8(ended.stdout).unwrap();
    let password = printed
        .strip_prefix("administrator admin@reeve.example password: ")
        .unwrap()
        .trim_end();
    assert_eq!(printed.lines().count(), 1);

    let running = Running::start(&data, &[]).await;
    assert_eq!(
        std::fs::read(running.announced["caFile"].as_str().unwrap()).unwrap(),
        ca
    );
    let again = running
        .client
        .get(running.url("/auth/realms/runai/protocol/openid-connect/certs"))
        .send()
        .await;
    assert_eq!(again.unwrap().text().await.unwrap(), keys);
    assert_eq!(running.sign_in(password).await.status(), 200);
    assert_eq!(running.sign_in("Wrong-Pass-1!").await.status(), 400);
    assert_eq!(running.stop().await.stdout, b"");
}

#[tokio::test]
async fn what_is_secret_in_the_data_directory_is_its_owners_alone() {
    let (_dir, data) = fresh();
    Running::start(&data, &[]).await.stop().await;
    let mode = |name: &str| std::fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    let files = ["master.key", "tls/ca.key", "tls/tls.key", "reeve.db"];
    // Without a database in it there is one file less.
    let kept = files.len() - usize::from(database::of_program(&data).is_some());
    for file in files.iter().take(kept) {
        assert_eq!(mode(file), 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_given_password_is_used_and_not_printed() {
    let (dir, data) = fresh();
    let file = dir.path().join("password");
    std::fs::write(&file, "Given-Pass-1!\n").unwrap();
    let flags = [
        "--admin-password-file",
        file.to_str().unwrap(),
        "--admin-username",
        "root@example.com",
    ];
    let running = Running::start(&data, &flags).await;
    assert_eq!(running.announced["adminUsername"], "root@example.com");
    assert_eq!(running.sign_in("Given-Pass-1!").await.status(), 200);
    assert_eq!(running.stop().await.stdout, b"");
}

#[tokio::test]
async fn api_servers_get_their_configuration_while_the_server_runs() {
    let (_dir, data) = fresh();
    let running = Running::start(&data, &[]).await;
    let configuration = |cluster: &str| {
        let flags = ["authentication-config", "--cluster", cluster, "--data-dir"];
        program(&data).args(flags).arg(&data).output().unwrap()
    };
    let unknown = configuration("00000000-0000-4000-8000-000000000000");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&unknown.stderr).contains("does not exist"),
        "{unknown:?}"
    );
    assert_eq!(configuration("nonsense").status.code(), Some(2));
    // A cluster, made over the store as the server would.
    let password = {
        let ended = running.stop().await;
        let printed = String::from_utf8(ended.stdout).unwrap();
        printed.trim_end().rsplit(' ').next().unwrap().to_owned()
    };
    let running = Running::start(&data, &[]).await;
    let token: Value = serde_json::from_str(&running.sign_in(&password).await.text().await.unwrap()).unwrap();
    let made = running
        .client
        .post(running.url("/api/v1/clusters"))
        .bearer_auth(token["accessToken"].as_str().unwrap())
        .body(r#"{"name":"demo"}"#)
        .send()
        .await
        .unwrap();
    let made: Value = serde_json::from_str(&made.text().await.unwrap()).unwrap();
    let cluster = made["uuid"].as_str().unwrap();
    let told = configuration(cluster);
    assert!(told.status.success(), "{told:?}");
    let text = String::from_utf8(told.stdout).unwrap();
    let ca = std::fs::read_to_string(running.announced["caFile"].as_str().unwrap()).unwrap();
    for part in [
        &running.url("/auth/realms/runai"),
        &format!("reeve-cluster:{cluster}"),
        ca.lines().nth(1).unwrap(),
        "kind: AuthenticationConfiguration",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[tokio::test]
async fn a_refusal_arrives_whatever_was_sent_with_the_request() {
    let (_dir, data) = fresh();
    let running = Running::start(&data, &[]).await;
    let big = bytes::Bytes::from(vec![b' '; 10 * 1024 * 1024]);
    let http1 = running.client(|client| client.http1_only());
    let http2 = running.client(|client| client.http2_prior_knowledge());
    for (client, version) in [(http1, Version::HTTP_11), (http2, Version::HTTP_2)] {
        for (method, path, status) in [
            (Method::POST, "/api/v1/users", 401),
            (Method::GET, "/api/v1/users", 401),
            (Method::DELETE, "/api/v1/users/x", 401),
            (Method::GET, "/healthz", 200),
            (Method::POST, "/api/v1/token", 413),
            (Method::PUT, "/api/v1/users", 405),
            (Method::POST, "/nowhere", 404),
            (Method::POST, "/link/v1/watch", 401),
        ] {
            // More than once: whether a reset overtakes an answer is a matter of luck.
            for _ in 0..3 {
                let sent = client
                    .request(method.clone(), running.url(path))
                    .body(big.clone());
                let answer = sent.send().await;
                let answer = answer.unwrap_or_else(|error| panic!("{version:?} {method} {path}: {error:?}"));
                assert_eq!(
                    (answer.status().as_u16(), answer.version()),
                    (status, version),
                    "{method} {path}"
                );
                let text = answer.text().await.unwrap();
                assert_eq!(
                    text.contains(&format!("\"code\":{status}")),
                    status != 200,
                    "{text}"
                );
            }
        }
    }
}

#[tokio::test]
async fn who_waits_for_leave_to_send_is_refused_without_it() {
    let (_dir, data) = fresh();
    let running = Running::start(&data, &[]).await;
    let ca = std::fs::read(running.announced["caFile"].as_str().unwrap()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls::pki_types::CertificateDer::pem_slice_iter(&ca) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let answer = tokio::task::spawn_blocking(move || {
        let address = running.announced["url"].as_str().unwrap().trim_start_matches("https://");
        let mut socket = std::net::TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let host = address.split(':').next().unwrap().to_owned().try_into().unwrap();
        let mut session = rustls::ClientConnection::new(std::sync::Arc::new(config), host).unwrap();
        let mut stream = rustls::Stream::new(&mut session, &mut socket);
        let head = "POST /api/v1/users HTTP/1.1\r\nhost: reeve\r\nexpect: 100-continue\r\nconnection: close\r\ncontent-length: 10485760\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let mut part = [0; 4096];
        while let Ok(read) = stream.read(&mut part)
            && read > 0
        {
            answer.extend_from_slice(&part[..read]);
        }
        String::from_utf8_lossy(&answer).into_owned()
    })
    .await
    .unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(!answer.contains("100 Continue"), "{answer}");
}

#[test]
fn a_wrong_command_line_or_directory_is_2_with_a_sentence() {
    let run = |flags: &[&str]| Command::new(PROGRAM).args(flags).output().unwrap();
    assert_eq!(run(&[]).status.code(), Some(2));
    assert_eq!(run(&["serve"]).status.code(), Some(2));
    assert_eq!(
        run(&["serve", "--data-dir", "x", "--tls-key", "y"]).status.code(),
        Some(2)
    );
    let cluster = "00000000-0000-4000-8000-000000000000";
    let nowhere = run(&[
        "authentication-config",
        "--data-dir",
        "/nonexistent/reeve",
        "--cluster",
        cluster,
    ]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&nowhere.stderr)
            .starts_with("reeve-server: `/nonexistent/reeve` does not exist")
    );
    let proc = run(&["serve", "--data-dir", "/proc/reeve"]);
    assert_eq!(proc.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&proc.stderr).contains("failed to make `/proc/reeve`"),
        "{proc:?}"
    );
}

#[tokio::test]
async fn a_data_directory_is_served_by_one_process_at_a_time() {
    let (_dir, data) = fresh();
    let first = Running::start(&data, &[]).await;
    let second = program(&data)
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(&data)
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(2));
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(
        said.contains("is served by another process: end that one first"),
        "{said}"
    );
    assert_eq!(second.stdout, b"", "no second password");
    // Nothing is left of the lock when its holder is killed.
    drop(first);
    assert!(Running::start(&data, &[]).await.stop().await.status.success());
}

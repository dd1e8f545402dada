//! `reeve-server keys rotate` is killed in the middle, over both databases: every value stays readable, and running it again goes on.
//!
//! A trigger in the database makes each row take some milliseconds, so that a kill finds the program where it is wanted: within a
//! transaction, with others committed before it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use futures::StreamExt;
use reeve_authz::{BootstrapException, Granted};
use reeve_identity::{MasterKey, Random};
use reeve_server::bootstrap::DataDir;
use reeve_server::credential_keys::{BATCH, FILE};
use reeve_store::CredentialAssets;
use reeve_testkit::{KillOnDrop, Postgres, not_on_postgres, own_postgres};
use reeve_types::CredentialAssetId;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::credentials::body;
use crate::database::beside_sqlite;
use crate::floods::{administrator, made, started, text};
use crate::postgres_faults;
use crate::process::{PROGRAM, Running, fresh};

/// Of four transactions, the last of which is not full.
const MANY: u64 = 350;
/// After a commit was seen, until the program is killed: the next transaction takes longer.
const INTO_THE_NEXT: Duration = Duration::from_millis(100);
/// What takes longer than this hangs.
const BOUND: Duration = Duration::from_secs(60);

const SLOW_SQLITE: &str = "CREATE TRIGGER slow AFTER UPDATE OF key_id ON credential_assets BEGIN
    SELECT (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 40000) SELECT max(n) FROM c); END";
const SLOW_POSTGRES: [&str; 2] = [
    "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.005); RETURN NEW; END'",
    "CREATE TRIGGER slow BEFORE UPDATE OF key_id ON credential_assets FOR EACH ROW EXECUTE FUNCTION slow()",
];

/// A server's data directory, and what was put into its database.
struct Installation {
    _dir: TempDir,
    data: PathBuf,
    postgres: Option<Postgres>,
    /// Of an operator, to which values are told.
    cluster: Value,
    values: BTreeMap<CredentialAssetId, String>,
}

impl Installation {
    async fn new(postgres: Option<Postgres>) -> Self {
        let (dir, data) = fresh();
        let mut new = Self {
            _dir: dir,
            data,
            postgres,
            cluster: Value::Null,
            values: BTreeMap::new(),
        };
        let running = new.start().await;
        let admin = administrator(&running).await;
        let cluster = made(&running, &admin, "/api/v1/clusters", json!({"name": "a"})).await;
        new.cluster = json!({"clusterId": cluster["uuid"], "clientSecret": cluster["clientSecret"]});
        for number in 0..MANY {
            let name = format!("p{number}");
            let value = format!("value of {name}");
            // A scope has a place for 200.
            let scope = match number % 2 {
                0 => ("tenant", ""),
                _ => ("cluster", cluster["uuid"].as_str().unwrap()),
            };
            let mut body = body("password", &name, scope);
            body["spec"]["password"] = json!(value);
            let path = running.url("/api/v1/asset/credentials/password");
            let sent = running.client.post(path).bearer_auth(&admin);
            let (status, answer) = text(sent.body(body.to_string()).send().await.unwrap()).await;
            assert_eq!(status, 202, "{answer}");
            let id = answer["meta"]["id"].as_str().unwrap().parse().unwrap();
            new.values.insert(id, value);
        }
        running.stop().await;
        new
    }

    /// What says to the program which database it is.
    fn flags(&self) -> Vec<String> {
        let given = self.postgres.iter();
        given
            .flat_map(|it| ["--database-url".to_owned(), it.url("postgres")])
            .collect()
    }

    async fn start(&self) -> Running {
        let flags = self.flags();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        started(&self.data, &flags).await
    }

    fn rotate(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(["keys", "rotate", "--data-dir"]).arg(&self.data);
        command.args(self.flags());
        command
    }

    /// To the end; what it said.
    fn rotated(&self) -> String {
        let output = self.rotate().output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success(), "{said}");
        said
    }

    fn opened(&self) -> (DataDir, MasterKey) {
        let url = self.postgres.as_ref().map(|it| it.url("postgres"));
        let dir = DataDir::open(&self.data).unwrap();
        let dir = dir.with(url.map(|url| url.parse().unwrap()));
        let master = dir.master_key(&Random::system(), true).unwrap();
        (dir, master)
    }

    /// The numbers of the keys in the file, the one that seals first.
    fn keys(&self) -> Vec<i32> {
        let known = std::fs::read_to_string(self.data.join(FILE)).unwrap_or_default();
        let number = |line: &str| line.split(' ').next().unwrap().parse().unwrap();
        known.lines().map(number).collect()
    }

    /// How many rows each key has.
    async fn used(&self) -> BTreeMap<i32, u64> {
        let store = self.opened().0.store_to_read(None).await.unwrap();
        let used = store.credential_keys().await.unwrap();
        store.close().await;
        used.into_iter().collect()
    }

    /// Makes every row slow, or no longer.
    async fn slow(&self, is_slow: bool) {
        let statements: &[&str] = match (&self.postgres, is_slow) {
            (None, true) => &[SLOW_SQLITE],
            (None, false) => &["DROP TRIGGER slow"],
            (Some(_), true) => &SLOW_POSTGRES,
            (Some(_), false) => &["DROP FUNCTION slow CASCADE"],
        };
        for statement in statements {
            match &self.postgres {
                None => beside_sqlite(&self.data).execute_batch(statement).unwrap(),
                Some(postgres) => {
                    let mut connection = postgres_faults::admin(postgres).await;
                    postgres_faults::run(&mut connection, statement).await;
                }
            }
        }
    }

    /// Runs it, and kills it within the transaction after the one with which so many rows have this key.
    async fn killed(&self, key: i32, rows: u64) {
        let child = self.rotate().stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut child = KillOnDrop(child.unwrap());
        let begun = Instant::now();
        while self.keys().first() != Some(&key) || self.used().await.get(&key).copied().unwrap_or(0) < rows {
            let ended = child.0.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "it ended by itself: {ended:?}, {:?}",
                self.used().await
            );
            assert!(begun.elapsed() < BOUND, "{:?}", self.used().await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(INTO_THE_NEXT).await;
        child.kill_now();
        let done = self.used().await.get(&key).copied().unwrap_or(0);
        assert!(done < MANY, "it was killed too late");
        assert_eq!(
            done % u64::from(BATCH),
            0,
            "a transaction is there whole or not at all"
        );
        assert!(done >= rows);
        self.all_open().await;
    }

    /// Every value is what it was, whichever key its row names.
    async fn all_open(&self) {
        let (dir, master) = self.opened();
        let store = dir.store_to_read(Some(&master)).await.unwrap();
        let sealer = dir.credential_sealer(&master, &store).await.unwrap();
        let ids: Vec<_> = self.values.keys().copied().collect();
        let link = Granted::bootstrap(BootstrapException::LinkStatus);
        let rows = store.sealed_credentials(&link, &ids).await.unwrap();
        assert_eq!(rows.len(), ids.len());
        for row in rows {
            let values = sealer.open(&row).unwrap();
            let password = values.iter().find(|(key, _)| *key == "password").unwrap().1;
            assert_eq!(password.expose(), self.values[&row.id]);
        }
        store.close().await;
    }

    /// As an operator is told them by the server.
    async fn all_are_told(&self, running: &Running) {
        let secret = self.cluster.to_string();
        let sent = running.client.post(running.url("/link/v1/token")).body(secret);
        let (_, answer) = text(sent.send().await.unwrap()).await;
        let hello = json!({"protocol": reeve_link::PROTOCOL_VERSION, "operatorVersion": "test"}).to_string();
        let watch = running.client.post(running.url("/link/v1/watch"));
        let watch = watch.bearer_auth(answer["accessToken"].as_str().unwrap());
        let mut stream = watch.body(hello).send().await.unwrap().bytes_stream();
        let (mut rest, mut told) = (Vec::new(), BTreeMap::new());
        loop {
            let next = tokio::time::timeout(BOUND, stream.next()).await.unwrap();
            rest.extend_from_slice(&next.unwrap().unwrap());
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                let message: Value = serde_json::from_slice(&line).unwrap();
                for object in message["upserts"].as_array().into_iter().flatten() {
                    let spec = &object["object"]["spec"];
                    if let Some(value) = spec["values"]["password"].as_str() {
                        let id: CredentialAssetId = spec["id"].as_str().unwrap().parse().unwrap();
                        told.insert(id, value.to_owned());
                    }
                }
                if message["type"] == "batch" && message["more"] != true {
                    assert_eq!(told, self.values);
                    return;
                }
            }
        }
    }
}

/// Planted faults: `rotation-begins-anew`, `rotation-drops-the-keys-before`, `resealed-row-names-the-key-before`.
async fn rotation_survives_kills(postgres: Option<Postgres>) {
    let installation = Installation::new(postgres).await;
    installation.slow(true).await;
    // The first time: the new key is in the file, and nothing is sealed with it.
    installation.killed(1, 0).await;
    assert_eq!(installation.keys(), [1]);
    // A server that starts there tells every value, and goes on by itself.
    installation.slow(false).await;
    let running = installation.start().await;
    installation.all_are_told(&running).await;
    let begun = Instant::now();
    while installation.used().await != BTreeMap::from([(1, MANY)]) {
        assert!(begun.elapsed() < BOUND, "{:?}", installation.used().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    running.stop().await;

    installation.slow(true).await;
    let batch = u64::from(BATCH);
    installation.killed(2, batch).await;
    let used = installation.used().await;
    assert!(used.len() == 2, "{used:?}");
    installation.killed(2, 2 * batch).await;
    installation.slow(false).await;
    let left = MANY - installation.used().await[&2];
    let said = installation.rotated();
    assert!(
        said.starts_with(&format!("{left} credentials were sealed anew with key 2")),
        "{said}"
    );
    assert_eq!(installation.used().await, BTreeMap::from([(2, MANY)]));
    assert_eq!(installation.keys(), [2, 1], "no run made a key too many");
    // The key before can go.
    let file = installation.data.join(FILE);
    let keys = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, keys.lines().next().unwrap()).unwrap();
    installation.all_open().await;
    let running = installation.start().await;
    installation.all_are_told(&running).await;
    running.stop().await;

    let mut verify = Command::new(PROGRAM);
    verify
        .args(["audit", "verify", "--data-dir"])
        .arg(&installation.data);
    let verified = verify.args(installation.flags()).output().unwrap();
    assert!(verified.status.success(), "{verified:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_that_is_killed_goes_on_over_sqlite() {
    if not_on_postgres("the same on PostgreSQL is a test beside it") {
        return;
    }
    rotation_survives_kills(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_that_is_killed_goes_on_over_postgres() {
    let Some(postgres) = own_postgres() else { return };
    rotation_survives_kills(Some(postgres)).await;
}

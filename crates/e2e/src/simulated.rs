//! Simulated clusters: operators that speak the link as real ones do, and have no Kubernetes behind them. Many of them are one process,
//! a task each. What they are sent they count and confirm, and do not keep.
//!
//! They are called `simulated-…` wherever they show, so that nobody takes a figure of theirs for one of real clusters.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::arguments::{ADMINISTRATOR, text};
use crate::process::Process;
use crate::rest::Rest;
use crate::servers::{Database, Replica, Servers};
use crate::stack::write_new_password;

/// The version of the link that is spoken here. It is written once more, beside `reeve_link::PROTOCOL_VERSION`, since these operators
/// stand for ones that were built elsewhere: a version that is raised without their knowing turns them away.
pub const LINK_PROTOCOL: u32 = 6;
/// A server that hears nothing for so long has lost its peer: three heartbeats, as a real operator counts them.
const SILENCE: Duration = Duration::from_secs(30);
/// The first pause after a connection that broke, and the longest, without what chance adds: those of a real operator.
const PAUSES: (Duration, Duration) = (Duration::from_millis(125), Duration::from_secs(4));
/// Within this all of them have to be there again, or a bench or test has failed.
const ALL_BACK: Duration = Duration::from_secs(300);

/// A control plane without any Kubernetes.
pub struct Plane {
    servers: Servers,
    server: Option<Process>,
    /// The other process, of [`Database::Replicas`].
    replica: Option<Process>,
    /// Its administrator.
    pub admin: Rest,
    /// The authority of its certificate.
    pub ca_file: PathBuf,
}

impl Plane {
    /// Starts one that takes so many connections, all from this machine.
    ///
    /// # Errors
    /// It does not come up.
    pub async fn start(dir: &Path, database: Database, connections: usize) -> Result<Self> {
        crate::install_crypto();
        std::fs::create_dir_all(dir).with_context(|| format!("making `{}`", dir.display()))?;
        let password = write_new_password(&dir.join("admin-password"))?;
        let most = connections.to_string();
        let flags = ["--max-connections", &most, "--max-connections-per-source", &most];
        let mut servers = Servers::new(dir, database).await?.with_flags(&flags);
        let (server, announced) = servers.start(Replica::First).await?;
        let replica = match database {
            Database::Replicas => Some(servers.start(Replica::Second).await?.0),
            Database::Sqlite | Database::Postgres => None,
        };
        let ca_file = PathBuf::from(text(&announced, "caFile")?);
        let admin = Rest::new(&text(&announced, "url")?, &ca_file)?;
        Ok(Self {
            servers,
            server: Some(server),
            replica,
            admin: admin.sign_in(ADMINISTRATOR, &password).await?,
            ca_file,
        })
    }

    /// Somebody who asks this process itself, with no token.
    ///
    /// # Errors
    /// There is no second, or the authority cannot be read.
    pub fn at(&self, replica: Replica) -> Result<Rest> {
        ensure!(
            replica == Replica::First || self.replica.is_some(),
            "there is one server only"
        );
        Rest::new(&self.servers.url(replica), &self.ca_file)
    }

    /// SIGKILL, and again on the same data; returns when requests are answered again.
    ///
    /// # Errors
    /// It does not come up again.
    pub async fn restart(&mut self) -> Result<()> {
        self.server.take().context("the server is not running")?.kill()?;
        self.server = Some(self.servers.start(Replica::First).await?.0);
        Ok(())
    }

    /// How much memory the server has resident, in bytes.
    ///
    /// # Errors
    /// The system does not say.
    pub fn resident(&self) -> Result<u64> {
        let id = self.server.as_ref().context("the server is not running")?.id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kibibytes.map(|it| it * 1024).context("no VmRSS")
    }

    /// Makes so many clusters.
    ///
    /// # Errors
    /// The control plane refuses.
    pub async fn register(&self, many: usize) -> Result<Vec<Registered>> {
        let mut all = Vec::with_capacity(many);
        for number in 0..many {
            let body = json!({"name": format!("simulated-{number:04}")});
            let made = self.admin.post("/api/v1/clusters", body).await?.expect(201)?;
            all.push(Registered {
                id: text(&made, "uuid")?,
                secret: text(&made, "clientSecret")?,
            });
        }
        Ok(all)
    }
}

/// A cluster that was made, and what connects it.
#[derive(Debug, Clone)]
pub struct Registered {
    /// Its id.
    pub id: String,
    /// Its link secret.
    pub secret: String,
}

/// How one of them stands.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standing {
    /// The last revision that it has been brought to.
    pub revision: u64,
    /// When that came.
    pub moved_at: Option<Instant>,
    /// Since when it has been up to date, over the connection that is open; `None` while it is not.
    pub current_since: Option<Instant>,
    /// How many connections were welcomed.
    pub connections: u32,
    /// How many complete states were sent.
    pub complete: u32,
}

/// Many of them, connected for as long as this lives.
pub struct Fleet {
    standing: Vec<watch::Receiver<Standing>>,
    _tasks: JoinSet<()>,
}

impl Fleet {
    /// Lets them dial, all at once.
    ///
    /// # Errors
    /// The authority cannot be read.
    pub fn dial(plane: &Plane, registered: &[Registered]) -> Result<Self> {
        let pem = std::fs::read(&plane.ca_file)?;
        let (mut standing, mut tasks) = (Vec::new(), JoinSet::new());
        for (number, cluster) in registered.iter().enumerate() {
            let client = reqwest::Client::builder()
                .tls_certs_only([reqwest::Certificate::from_pem(&pem)?])
                .build()?;
            let (sender, receiver) = watch::channel(Standing::default());
            let simulated = SimulatedCluster {
                client,
                url: plane.admin.url().to_owned(),
                cluster: cluster.clone(),
                standing: sender,
                position: None,
                token: None,
                wanted: 0,
            };
            standing.push(receiver);
            tasks.spawn(simulated.run(u64::try_from(number)?));
        }
        Ok(Self {
            standing,
            _tasks: tasks,
        })
    }

    /// How each stands now.
    pub fn standing(&self) -> Vec<Standing> {
        self.standing.iter().map(|it| *it.borrow()).collect()
    }

    /// Waits until each is up to date by a connection that it was not yet by `since`; how long each took from then on.
    ///
    /// # Errors
    /// One is not within five minutes.
    pub async fn until_current(&self, since: Instant) -> Result<Vec<Duration>> {
        let is_current = |it: &Standing| it.current_since.is_some_and(|at| at >= since);
        self.until(since, |_| is_current, |it| it.current_since).await
    }

    /// Waits until each has come one revision further than `before` says; how long each took since then.
    ///
    /// # Errors
    /// One does not within five minutes.
    pub async fn until_moved(&self, since: Instant, before: &[Standing]) -> Result<Vec<Duration>> {
        let has_moved = |number: usize| {
            let from = before.get(number).map_or(0, |it| it.revision);
            move |it: &Standing| it.revision > from
        };
        self.until(since, has_moved, |it| it.moved_at).await
    }

    async fn until<H: Fn(&Standing) -> bool>(
        &self,
        since: Instant,
        holds: impl Fn(usize) -> H,
        at: impl Fn(&Standing) -> Option<Instant>,
    ) -> Result<Vec<Duration>> {
        let mut took = Vec::with_capacity(self.standing.len());
        for (number, receiver) in self.standing.iter().enumerate() {
            let mut receiver = receiver.clone();
            let found = timeout(ALL_BACK, receiver.wait_for(holds(number))).await;
            let found = found
                .with_context(|| format!("simulated-{number:04} is not there within {ALL_BACK:?}"))??;
            took.push(at(&found).unwrap_or(since).saturating_duration_since(since));
        }
        Ok(took)
    }
}

struct SimulatedCluster {
    client: reqwest::Client,
    url: String,
    cluster: Registered,
    standing: watch::Sender<Standing>,
    position: Option<(u64, String)>,
    /// Good until then.
    token: Option<(String, Instant)>,
    /// Where the control plane stood when this connection began.
    wanted: u64,
}

impl SimulatedCluster {
    async fn run(mut self, seed: u64) {
        let mut chance = StdRng::seed_from_u64(seed);
        let mut pause = PAUSES.0;
        loop {
            let before = self.standing.borrow().connections;
            // It always ends with an error: the server is gone, or does not take it now.
            let _ = self.connection().await;
            self.standing.send_modify(|it| it.current_since = None);
            if self.standing.borrow().connections > before {
                pause = PAUSES.0;
            }
            tokio::time::sleep(pause.mul_f64(1.0 + chance.random::<f64>())).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    async fn token(&mut self) -> Result<String> {
        if let Some((token, until)) = &self.token
            && Instant::now() < *until
        {
            return Ok(token.clone());
        }
        let body = json!({"clusterId": self.cluster.id, "clientSecret": self.cluster.secret});
        let answer = self.post("token", None, &body).await?;
        let answer: Value = answer.json().await?;
        let token = text(&answer, "accessToken")?;
        let life = answer.get("expiresIn").and_then(Value::as_u64).unwrap_or(0);
        self.token = Some((token.clone(), Instant::now() + Duration::from_secs(life / 2)));
        Ok(token)
    }

    async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Result<reqwest::Response> {
        let mut request = self
            .client
            .post(format!("{}/link/v1/{path}", self.url))
            .json(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = timeout(SILENCE, request.send()).await??;
        ensure!(answer.status().is_success(), "{path}: {}", answer.status());
        Ok(answer)
    }

    async fn connection(&mut self) -> Result<()> {
        let token = self.token().await?;
        let mut hello = json!({"protocol": LINK_PROTOCOL, "operatorVersion": "simulated"});
        if let (Some((revision, token)), Some(hello)) = (&self.position, hello.as_object_mut()) {
            let resume = json!({"revision": revision, "token": token});
            hello.insert("resume".to_owned(), resume);
        }
        let opened = self.post("watch", Some(&token), &hello).await;
        if opened.is_err() {
            // It may be the token: the next is a new one.
            self.token = None;
        }
        let (mut stream, mut line) = (opened?, Vec::new());
        loop {
            let Some(chunk) = timeout(SILENCE, stream.chunk()).await?? else {
                bail!("the stream ended");
            };
            for part in chunk.split_inclusive(|byte| *byte == b'\n') {
                line.extend_from_slice(part);
                if !line.ends_with(b"\n") {
                    continue;
                }
                let message: Value = serde_json::from_slice(&std::mem::take(&mut line))?;
                if self.take(&message)? {
                    let report = json!({"revision": self.position.as_ref().map_or(0, |it| it.0)});
                    // One that is refused for its number is said again with the next revision.
                    let _ = self.post("status", Some(&token), &report).await;
                }
            }
        }
    }

    /// Takes a message; whether there is something to report.
    fn take(&mut self, message: &Value) -> Result<bool> {
        let revision = message.get("revision").and_then(Value::as_u64);
        match message.get("type").and_then(Value::as_str) {
            Some("welcome") => {
                ensure!(
                    message.get("clusterId").and_then(Value::as_str) == Some(self.cluster.id.as_str()),
                    "another cluster's stream"
                );
                self.wanted = revision.context("no revision")?;
                self.standing.send_modify(|it| it.connections += 1);
            }
            Some("batch") if message.get("more") != Some(&Value::Bool(true)) => {
                let revision = revision.context("no revision")?;
                self.position = Some((revision, text(message, "token")?));
                let is_complete = message.get("complete") == Some(&Value::Bool(true));
                self.standing.send_modify(|it| {
                    it.revision = revision;
                    it.moved_at = Some(Instant::now());
                    it.complete += u32::from(is_complete);
                });
                self.is_current();
                return Ok(true);
            }
            _ => {}
        }
        self.is_current();
        Ok(false)
    }

    /// Notes that it is up to date, when it is and was not.
    fn is_current(&self) {
        let reached = self.position.as_ref().is_some_and(|it| it.0 >= self.wanted);
        self.standing.send_if_modified(|it| {
            let news = reached && it.current_since.is_none();
            if news {
                it.current_since = Some(Instant::now());
            }
            news
        });
    }
}

//! The processes of the server: one over SQLite or PostgreSQL, or two over one PostgreSQL behind one address.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use reeve_testkit::{Postgres, RoundRobin, SERVER_ENVIRONMENT};
use serde_json::Value;

use crate::arguments::{ADMINISTRATOR, flags, text, with_command};
use crate::process::{Process, announcement};

/// On what the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Database {
    /// A file in its data directory.
    #[default]
    Sqlite,
    /// A PostgreSQL of its own, unprivileged, in a temporary folder.
    Postgres,
    /// The same, and a second process of the server over it.
    #[value(skip)]
    Replicas,
}

impl Database {
    /// For a sentence.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::Replicas => "PostgreSQL, twice",
        }
    }
}

/// Which process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replica {
    /// The one there always is.
    First,
    /// The other, over the same PostgreSQL.
    Second,
}

impl Replica {
    const fn name(self) -> &'static str {
        match self {
            Self::First => "server",
            Self::Second => "replica",
        }
    }
}

/// What the processes of the server are started with.
pub(crate) struct Servers {
    dir: PathBuf,
    /// Where they listen; 0 until the first has started.
    ports: [u16; 2],
    postgres: Option<Postgres>,
    balancer: Option<RoundRobin>,
    /// Flags besides.
    more: Vec<String>,
}

impl Servers {
    pub(crate) async fn new(dir: &Path, database: Database) -> Result<Self> {
        let postgres = match database {
            Database::Sqlite => None,
            Database::Postgres | Database::Replicas => Some(blocking(Postgres::start)?),
        };
        let mut servers = Self {
            dir: dir.to_owned(),
            ports: [0, 0],
            postgres,
            balancer: None,
            more: Vec::new(),
        };
        if database == Database::Replicas {
            servers.ports = [free_port()?, free_port()?];
            let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let balancer = RoundRobin::start(servers.ports.map(address).to_vec()).await?;
            servers.balancer = Some(balancer);
        }
        Ok(servers)
    }

    /// None: the server is in pods. The PostgreSQL and what leads to it end with this.
    pub(crate) fn in_pods(dir: &Path, database: Option<(Postgres, RoundRobin)>) -> Self {
        let (postgres, balancer) = database.unzip();
        Self {
            dir: dir.to_owned(),
            ports: [0, 0],
            postgres,
            balancer,
            more: Vec::new(),
        }
    }

    /// With these flags besides.
    pub(crate) fn with_flags(self, more: &[&str]) -> Self {
        let more = more.iter().map(|flag| (*flag).to_owned()).collect();
        Self { more, ..self }
    }

    /// The PostgreSQL, where there is one.
    pub(crate) const fn postgres(&self) -> Option<&Postgres> {
        self.postgres.as_ref()
    }

    /// Whether there are two.
    pub(crate) const fn are_two(&self) -> bool {
        self.balancer.is_some()
    }

    pub(crate) fn data_dir(&self, replica: Replica) -> PathBuf {
        self.dir.join(replica.name())
    }

    /// The database's address, in the variable of the environment where the program looks for it.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let postgres = self.postgres.as_ref();
        let url = postgres.map(|postgres| ("REEVE_DATABASE_URL", postgres.url("postgres")));
        let set = SERVER_ENVIRONMENT.map(|(name, value)| (name, value.to_owned()));
        set.into_iter().chain(url).collect()
    }

    /// Where one of them itself listens once it has started, past what leads to both.
    pub(crate) fn url(&self, replica: Replica) -> String {
        let [first, second] = self.ports;
        let port = if replica == Replica::First { first } else { second };
        format!("https://127.0.0.1:{port}")
    }

    /// Where the one that was started last shows its metrics.
    pub(crate) fn metrics_url(&self, replica: Replica) -> Result<String> {
        let file = self.announcement(replica);
        let word = announcement(&file).with_context(|| format!("no announcement in `{}`", file.display()))?;
        text(&word, "metricsUrl")
    }

    fn announcement(&self, replica: Replica) -> PathBuf {
        self.dir.join(format!("{}.json", replica.name()))
    }

    /// Starts one of them, again where it ran before; what it announced. The second takes master key and certificate authority
    /// of the first, before it starts for the first time.
    pub(crate) async fn start(&mut self, replica: Replica) -> Result<(Process, Value)> {
        let (name, data) = (replica.name(), self.data_dir(replica));
        if replica == Replica::Second && !data.exists() {
            share(&self.data_dir(Replica::First), &data)?;
        }
        let port = match replica {
            Replica::First => self.ports[0],
            Replica::Second => self.ports[1],
        };
        let announcement = self.announcement(replica);
        let _ = std::fs::remove_file(&announcement);
        let mut arguments = flags(&[
            ("--data-dir", &data.display().to_string()),
            ("--listen", &format!("127.0.0.1:{port}")),
            ("--admin-username", ADMINISTRATOR),
            (
                "--admin-password-file",
                &self.dir.join("admin-password").display().to_string(),
            ),
            ("--announce-file", &announcement.display().to_string()),
            ("--metrics-listen", "127.0.0.1:0"),
            ("--log-format", "json"),
        ]);
        if let Some(balancer) = &self.balancer {
            let public = format!("https://{}", balancer.address());
            arguments.extend(flags(&[("--public-url", &public)]));
        }
        arguments.extend(self.more.iter().cloned());
        let mut server = Process::start_with(
            "reeve-server",
            &reeve_testkit::binary("reeve-server")?,
            &with_command("serve", arguments),
            &self.environment(),
            &self.dir.join(format!("{name}.log")),
        )?;
        let announced = server.announced(&announcement).await?;
        if port == 0 {
            // A later start listens there again.
            let url = text(&announced, "url")?;
            let port = url.rsplit(':').next().and_then(|port| port.parse().ok());
            self.ports[0] = port.context("no port in the server's url")?;
        }
        Ok((server, announced))
    }
}

/// What all processes of one installation have in common.
fn share(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to.join("tls"))?;
    for name in ["master.key", "tls/ca.crt", "tls/ca.key"] {
        std::fs::copy(from.join(name), to.join(name)).with_context(|| format!("copying `{name}`"))?;
    }
    Ok(())
}

pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Work that blocks, on a runtime with more than one thread.
pub fn blocking<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

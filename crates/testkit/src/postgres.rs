//! A PostgreSQL for tests: in a temporary folder, unprivileged, reached on this machine alone.

mod databases;

pub use databases::Template;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use tempfile::TempDir;

use crate::environment::{Missing, missing};
use crate::skip::skipped_without;

/// Who runs it where the tests run as root, as whom PostgreSQL refuses to: `nobody` of Debian.
pub(crate) const NOBODY: u32 = 65534;

/// How often it is looked whether it has started or ended, and how long between.
const TRIES: usize = 1200;
const PAUSE: Duration = Duration::from_millis(50);

/// Runs the server until its standard input ends, as it does when the test process is gone, however that ended; then the folder
/// goes, unless a word says that it is to stay.
const WATCHDOG: &str = r#"postgres "$@" & pid=$!; read -r word; kill -QUIT $pid 2>/dev/null; wait $pid
[ "$word" = keep ] || rm -rf "$PWD""#;

/// A server. It ends with this value.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    port: u16,
    watchdog: Mutex<Option<Child>>,
}

impl Postgres {
    /// Starts one that has nothing in it.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start; what it said is in the error.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(None)
    }

    /// Starts one that also speaks TLS, with this certificate and its key in PEM.
    ///
    /// # Errors
    /// As [`Postgres::start`].
    pub fn start_tls(certificate: &str, key: &str) -> anyhow::Result<Self> {
        Self::start_with(Some((certificate, key)))
    }

    fn start_with(tls: Option<(&str, &str)>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let postgres = Self {
            folder,
            port,
            watchdog: Mutex::new(None),
        };
        fs::write(postgres.path("password"), PASSWORD)?;
        if let Some((certificate, key)) = tls {
            fs::write(postgres.path("server.pem"), certificate)?;
            fs::write(postgres.path("server.key"), key)?;
            fs::set_permissions(postgres.path("server.key"), fs::Permissions::from_mode(0o600))?;
            if Uid::effective().is_root() {
                chown(postgres.path("server.key"), Some(NOBODY), Some(NOBODY))?;
            }
        }
        if Uid::effective().is_root() {
            for path in [postgres.folder.path(), &postgres.path("password")] {
                chown(path, Some(NOBODY), Some(NOBODY))?;
            }
        }
        let mut initdb = unprivileged("initdb", postgres.folder.path());
        initdb.args([
            "--username=reeve",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
        ]);
        initdb.arg(format!("--pwfile={}", postgres.path("password").display()));
        initdb.arg(format!("--pgdata={}", postgres.path("data").display()));
        let output = initdb.output().context("failed to run `initdb`")?;
        if !output.status.success() {
            bail!("`initdb` failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        postgres.resume()?;
        Ok(postgres)
    }

    /// Another one over a copy of what this one has, which has to be stopped ([`Postgres::kill`]): a standby that nobody tells
    /// anything, as one that is behind. It can only be read.
    ///
    /// # Errors
    /// When it does not start.
    pub fn standby(&self) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let copy = Command::new("cp")
            .args(["-a", "--"])
            .arg(self.path("data"))
            .arg(folder.path())
            .status()?;
        if !copy.success() {
            bail!("failed to copy the database");
        }
        let standby = Self {
            folder,
            port,
            watchdog: Mutex::new(None),
        };
        let signal = standby.path("data/standby.signal");
        fs::write(&signal, "")?;
        let _ = fs::remove_file(standby.path("data/postmaster.pid"));
        if Uid::effective().is_root() {
            for path in [standby.folder.path(), &signal] {
                chown(path, Some(NOBODY), Some(NOBODY))?;
            }
        }
        standby.resume()?;
        Ok(standby)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where it listens, on this machine.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The address of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://reeve:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// The same by another address, as of something in between.
    pub fn url_at(&self, address: SocketAddr, database: &str) -> String {
        format!("postgres://reeve:{PASSWORD}@{address}/{database}")
    }

    /// The same by another port, as of something in between.
    pub fn url_by(&self, port: u16, database: &str) -> String {
        format!("postgres://reeve:{PASSWORD}@127.0.0.1:{port}/{database}")
    }

    /// Starts it again over what it left.
    ///
    /// # Errors
    /// When it does not start.
    pub fn resume(&self) -> anyhow::Result<()> {
        let log = fs::File::create(self.path("log"))?;
        let mut command = unprivileged("sh", self.folder.path());
        command
            .args(["-c", WATCHDOG, "postgres", "-D"])
            .arg(self.path("data"));
        let port = format!("port={}", self.port);
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=300",
            "fsync=off",
            &port,
        ] {
            command.args(["-c", setting]);
        }
        if self.path("server.pem").exists() {
            for file in ["cert_file=server.pem", "key_file=server.key"] {
                let (name, file) = file.split_once('=').unwrap_or_default();
                command
                    .arg("-c")
                    .arg(format!("ssl_{name}={}", self.path(file).display()));
            }
            command.args(["-c", "ssl=on"]);
        }
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("failed to run `postgres`")?;
        let mut watchdog = self.watchdog.lock().unwrap_or_else(PoisonError::into_inner);
        *watchdog = Some(child);
        drop(watchdog);
        self.wait()
    }

    fn wait(&self) -> anyhow::Result<()> {
        for _ in 0..TRIES {
            let log = fs::read_to_string(self.path("log")).unwrap_or_default();
            // Of a standby: "ready to accept read-only connections".
            let ready = log.contains("ready to accept")
                && TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok();
            if ready {
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        bail!("PostgreSQL did not start: {log}");
    }

    /// Ends it as a power cut would, but for the disk.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&self) -> anyhow::Result<()> {
        let file = fs::File::open(self.path("data/postmaster.pid")).context("PostgreSQL does not run")?;
        let line = BufReader::new(file)
            .lines()
            .next()
            .context("an empty pid file")??;
        kill(Pid::from_raw(line.trim().parse()?), Signal::SIGKILL)?;
        self.end(b"keep\n");
        // Its processes end when they find that it is gone, and hold the port and the memory until then.
        for _ in 0..TRIES {
            if TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                break;
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn end(&self, word: &[u8]) {
        let mut watchdog = self.watchdog.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut child) = watchdog.take() {
            if let Some(mut stdin) = child.stdin.take() {
                let _ = stdin.write_all(word);
            }
            let _ = child.wait();
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.end(b"");
    }
}

pub(crate) const PASSWORD: &str = "of-the-tests";

pub(crate) fn unprivileged(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env("LC_ALL", "C");
    if Uid::effective().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// The one that the tests of a process share; none, and a loud `SKIPPED`, where PostgreSQL cannot be had.
///
/// # Panics
/// Under `TESTBED=require`, when it cannot be had.
pub fn postgres() -> Option<&'static Postgres> {
    static SHARED: OnceLock<Result<Postgres, String>> = OnceLock::new();
    if missing() == Missing::Off {
        return skipped_without("PostgreSQL", "TESTBED=off");
    }
    let shared = SHARED.get_or_init(|| Postgres::start().map_err(|error| format!("{error:#}")));
    match shared {
        Ok(postgres) => Some(postgres),
        Err(error) => skipped_without("PostgreSQL", error),
    }
}

/// One of the test's own, for what ends a whole server. It ends when dropped.
///
/// # Panics
/// As [`postgres`].
pub fn own_postgres() -> Option<Postgres> {
    if missing() == Missing::Off {
        return skipped_without("PostgreSQL", "TESTBED=off");
    }
    Postgres::start().map_or_else(|error| skipped_without("PostgreSQL", &format!("{error:#}")), Some)
}

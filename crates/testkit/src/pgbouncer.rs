//! A pgbouncer before a PostgreSQL, which deals its few connections out by the transaction: as sites have it, and as it is hardest.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use nix::unistd::Uid;
use tempfile::TempDir;

use crate::postgres::{NOBODY, PASSWORD, Postgres, unprivileged};

/// Runs it until its standard input ends, as that of a database (`postgres.rs`); then the folder goes.
const WATCHDOG: &str = r#"program=pgbouncer; [ -x /usr/sbin/pgbouncer ] && program=/usr/sbin/pgbouncer
"$program" "$@" & pid=$!; read -r word; kill -INT $pid 2>/dev/null; sleep 0.1; kill -KILL $pid 2>/dev/null; wait $pid
rm -rf "$PWD""#;

const TRIES: usize = 200;
const PAUSE: Duration = Duration::from_millis(50);

/// A pooler. It ends with this value.
#[derive(Debug)]
pub struct Pgbouncer {
    port: u16,
    child: Child,
    folder: TempDir,
}

impl Pgbouncer {
    /// Starts one with this many connections to each database. Nothing is set that a site would have to know of.
    ///
    /// # Errors
    /// When it is not installed or does not start; what it said is in the error.
    pub fn start(postgres: &Postgres, connections: usize) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let file = |name: &str| folder.path().join(name);
        fs::write(file("users"), format!("\"reeve\" \"{PASSWORD}\"\n"))?;
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\npool_mode = transaction\n\
             default_pool_size = {connections}\nmax_client_conn = 200\n",
            postgres.port(),
            file("users").display()
        );
        fs::write(file("settings.ini"), settings)?;
        if Uid::effective().is_root() {
            for path in [folder.path(), &file("users"), &file("settings.ini")] {
                chown(path, Some(NOBODY), Some(NOBODY))?;
            }
        }
        let mut command = unprivileged("sh", folder.path());
        let child = command
            .args(["-c", WATCHDOG, "pgbouncer"])
            .arg(file("settings.ini"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(fs::File::create(file("log"))?)
            .spawn()
            .context("failed to run `pgbouncer`")?;
        let started = Self { port, child, folder };
        for _ in 0..TRIES {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Ok(started);
            }
            std::thread::sleep(PAUSE);
        }
        let log = fs::read_to_string(started.folder.path().join("log")).unwrap_or_default();
        bail!("pgbouncer did not start: {log}");
    }

    /// Where it listens, on this machine.
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Pgbouncer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

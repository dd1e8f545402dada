//! A real keyring: GNOME's, on a session bus and in a home of its own, without a screen.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::environment::{Missing, missing};
use crate::process::KillOnDrop;
use crate::skip::skipped_without;

/// A bus on which nothing is started because somebody asks for it: a keyring that was ended stays away.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=BUS</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// Runs the bus until its standard input ends, as that of a database (`postgres.rs`), with which the keyring ends too; then the folder goes.
const WATCHDOG: &str =
    r#"dbus-daemon "$@" & pid=$!; read -r word; kill $pid 2>/dev/null; wait $pid; rm -rf "$PWD""#;

const PASSWORD: &str = "of-the-tests";
const SERVICE: &str = "org.freedesktop.secrets";
const TRIES: usize = 200;
const PAUSE: Duration = Duration::from_millis(50);

/// Somebody's session bus, with a keyring or without. Both end with this value.
#[derive(Debug)]
pub struct Keyring {
    folder: TempDir,
    bus: Child,
    daemon: Mutex<Option<KillOnDrop>>,
}

/// One of the test's own, open. None, and a loud `SKIPPED`, where it cannot be had.
///
/// # Panics
/// Under `TESTBED=require`, where it cannot be had.
pub fn keyring() -> Option<Keyring> {
    if missing() == Missing::Off {
        return skipped_without("keyring", "TESTBED=off");
    }
    let started = Keyring::start().and_then(|keyring| {
        keyring.open()?;
        Ok(keyring)
    });
    started.map_or_else(|error| skipped_without("keyring", &format!("{error:#}")), Some)
}

impl Keyring {
    fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let run = folder.path().join("run");
        fs::create_dir(&run)?;
        fs::set_permissions(&run, fs::Permissions::from_mode(0o700))?;
        fs::create_dir(folder.path().join("home"))?;
        let bus = folder.path().join("bus");
        let settings = folder.path().join("bus.conf");
        fs::write(
            &settings,
            BUS.replace("path=BUS", &format!("path={}", bus.display())),
        )?;
        let child = Command::new("sh")
            .args(["-c", WATCHDOG, "dbus-daemon", "--nofork", "--config-file"])
            .arg(&settings)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.path().join("bus.log"))?)
            .spawn()
            .context("failed to run `dbus-daemon`")?;
        let started = Self {
            folder,
            bus: child,
            daemon: Mutex::new(None),
        };
        for _ in 0..TRIES {
            if std::os::unix::net::UnixStream::connect(&bus).is_ok() {
                return Ok(started);
            }
            std::thread::sleep(PAUSE);
        }
        let log = fs::read_to_string(started.folder.path().join("bus.log")).unwrap_or_default();
        bail!("the session bus did not start: {log}");
    }

    /// What a program of this session has in its environment.
    pub fn environment(&self) -> [(&'static str, String); 2] {
        [
            (
                "DBUS_SESSION_BUS_ADDRESS",
                format!("unix:path={}", self.path("bus").display()),
            ),
            ("XDG_RUNTIME_DIR", self.path("run").display().to_string()),
        ]
    }

    /// Starts the keyring anew over what it kept, unlocked as at the owner's login.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub fn open(&self) -> Result<()> {
        self.run(Some(PASSWORD))
    }

    /// Starts the keyring anew over what it kept, locked. There is no screen on which anybody could unlock it.
    ///
    /// # Errors
    /// As [`Keyring::open`].
    pub fn lock(&self) -> Result<()> {
        self.run(None)
    }

    /// Ends the keyring; the bus stays.
    pub fn end(&self) {
        if let Some(mut daemon) = self.slot().take() {
            daemon.stop();
        }
    }

    /// How many items it has that say `value` of `attribute`, open or not.
    ///
    /// # Errors
    /// It cannot be asked.
    pub fn items(&self, attribute: &str, value: &str) -> Result<usize> {
        let attributes = format!("dict:string:string:{attribute},{value}");
        let found = self.ask("org.freedesktop.Secret.Service.SearchItems", &attributes)?;
        Ok(found.matches("object path").count())
    }

    /// Whether any of its files holds this text as it is.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn shows(&self, text: &str) -> Result<bool> {
        for entry in fs::read_dir(self.path("home/.local/share/keyrings"))? {
            let bytes = fs::read(entry?.path())?;
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<KillOnDrop>> {
        self.daemon.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, password: Option<&str>) -> Result<()> {
        self.end();
        let mut command = self.command("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets"]);
        if password.is_some() {
            command.arg("--unlock");
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.path("keyring.log"))?)
            .spawn()
            .context("failed to run `gnome-keyring-daemon`")?;
        if let (Some(mut stdin), Some(password)) = (child.stdin.take(), password) {
            stdin.write_all(password.as_bytes())?;
        }
        *self.slot() = Some(KillOnDrop(child));
        for _ in 0..TRIES {
            let default = self.ask("org.freedesktop.Secret.Service.ReadAlias", "string:default");
            if default.is_ok_and(|said| said.contains("/collection/")) {
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
        let log = fs::read_to_string(self.path("keyring.log")).unwrap_or_default();
        bail!("the keyring did not start: {log}");
    }

    /// Calls a method of the service, by a program of others.
    fn ask(&self, method: &str, argument: &str) -> Result<String> {
        let output = self
            .command("dbus-send")
            .args(["--session", "--print-reply", "--reply-timeout=5000"])
            .arg(format!("--dest={SERVICE}"))
            .args(["/org/freedesktop/secrets", method, argument])
            .output()
            .context("failed to run `dbus-send`")?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("HOME", self.path("home"))
            .env_remove("XDG_DATA_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("GNOME_KEYRING_CONTROL")
            .envs(self.environment())
            .current_dir(Path::new("/"));
        command
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        self.end();
        drop(self.bus.stdin.take());
        let _ = self.bus.wait();
    }
}

//! Container images for tests, written by hand: there is no registry to take them from.
//!
//! All of them hold Debian's static busybox under `/bin`; in one it is called `true` alone. Two hold other programs of Debian as well.
//! `imagePullPolicy` must be `IfNotPresent` or `Never`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use reeve_oci::{Entry, Image};

/// A shell and its usual company; root unless the pod says otherwise; `/etc/passwd` knows `root` and `modeler` (1000).
pub const TOOLS: &str = "local.test/tools:1";
/// As [`TOOLS`], but its `/etc/group` puts `alice` (uid 70012, gid 5000) into the group `secrets` (7777) as well.
pub const GROUPS: &str = "local.test/groups:1";
/// One program, `/bin/true`: no shell, no `/etc`, as the images that are called distroless.
pub const BARE: &str = "local.test/bare:1";
/// As [`TOOLS`], and says that it runs as its user `modeler`, by name.
pub const NAMED: &str = "local.test/named:1";
/// As [`TOOLS`], and says that it runs as 1000, by number.
pub const FIXED: &str = "local.test/fixed:1";
/// As [`TOOLS`], and says that it runs as a number that no account has, as OpenShift gives them.
pub const RANDOM: &str = "local.test/random:1";
/// One program, `/bin/app`, that root alone may run.
pub const ROOT_ONLY: &str = "local.test/root-only:1";
/// As [`TOOLS`], with `cat` as `/bin/as-another`, a setuid file of [`ANOTHER`], and as `/bin/as-root`, one of root.
pub const SETUID: &str = "local.test/setuid:1";
/// A uid that nobody is given, who owns a file of [`SETUID`].
pub const ANOTHER: u32 = 70_099;
/// As [`TOOLS`], with Debian's bash, getent, ssh, and as much of Python as `import getpass, os, pwd` needs under `python3 -IS`. These ask
/// the C library who somebody is.
pub const DEBIAN: &str = "local.test/debian:1";
/// Keeps a pod's namespaces; the node's sandbox image.
pub const PAUSE: &str = "local.test/pause:1";

const APPLETS: &[&str] = &[
    "awk",
    "base64",
    "basename",
    "cat",
    "chgrp",
    "chmod",
    "chown",
    "cp",
    "cut",
    "date",
    "dd",
    "df",
    "dirname",
    "du",
    "echo",
    "egrep",
    "env",
    "expr",
    "false",
    "find",
    "free",
    "fuser",
    "grep",
    "head",
    "hostname",
    "id",
    "install",
    "ip",
    "kill",
    "killall",
    "ln",
    "ls",
    "md5sum",
    "mkdir",
    "mkfifo",
    "mknod",
    "mktemp",
    "mount",
    "mountpoint",
    "mv",
    "nc",
    "nohup",
    "nproc",
    "nsenter",
    "od",
    "pgrep",
    "pidof",
    "ping",
    "pkill",
    "printenv",
    "printf",
    "ps",
    "pwd",
    "readlink",
    "realpath",
    "rm",
    "rmdir",
    "sed",
    "seq",
    "setpriv",
    "setsid",
    "sh",
    "sha256sum",
    "sleep",
    "sort",
    "stat",
    "su",
    "sync",
    "tail",
    "tar",
    "tee",
    "test",
    "timeout",
    "top",
    "touch",
    "tr",
    "true",
    "tty",
    "umount",
    "uname",
    "uniq",
    "unshare",
    "uptime",
    "usleep",
    "vi",
    "wc",
    "wget",
    "which",
    "whoami",
    "xargs",
    "yes",
];

const BUSYBOX: &[&str] = &["/bin/busybox", "/usr/bin/busybox"];

/// Not busybox, which gives up what a setuid file gave it.
const CAT: &str = "/bin/cat";

/// What [`DEBIAN`] has, and where.
const PROGRAMS: [(&str, &str); 4] = [
    ("/bin/bash", "bin/bash"),
    ("/usr/bin/getent", "usr/bin/getent"),
    ("/usr/bin/ssh", "usr/bin/ssh"),
    (PYTHON, "usr/bin/python3"),
];
/// Not the first of the `PATH`, which may be somebody's own.
const PYTHON: &str = "/usr/bin/python3";

const PASSWD: &str = "root:x:0:0::/root:/bin/sh\nmodeler:x:1000:1000::/tmp:/bin/sh\n";
const GROUP: &str = "root:x:0:\nmodeler:x:1000:\n";

/// Writes the archives into the cache, once per content, and gives back their paths.
pub(crate) fn archives(cache: &Path) -> Result<Vec<PathBuf>> {
    let busybox = BUSYBOX
        .iter()
        .find_map(|path| fs::read(path).ok())
        .context("no static busybox; testbed/install-packages.sh installs it")?;
    let tools = rootfs(&busybox, PASSWD, GROUP);
    let groups = rootfs(
        &busybox,
        &format!("{PASSWD}alice:x:70012:5000::/tmp:/bin/sh\n"),
        &format!("{GROUP}research:x:5000:\nsecrets:x:7777:alice\n"),
    );
    let bare = [
        Entry::folder("bin", 0o755),
        Entry::file("bin/true", 0o755, busybox.clone()),
    ];
    let root_only = [
        Entry::folder("bin", 0o755),
        Entry::file("bin/app", 0o700, busybox.clone()),
    ];
    let mut setuid = tools.clone();
    let cat = fs::read(CAT).with_context(|| format!("cannot read `{CAT}`"))?;
    setuid.push(Entry::file("bin/as-another", 0o4755, cat.clone()).owned_by(ANOTHER));
    setuid.push(Entry::file("bin/as-root", 0o4755, cat));
    setuid.extend(libraries(&[CAT.to_owned()])?);
    let mut debian = tools.clone();
    debian.extend(programs()?);
    let images = [
        Image {
            name: DEBIAN,
            entries: &debian,
            command: &["/bin/sh"],
            ..Image::default()
        },
        Image {
            name: SETUID,
            entries: &setuid,
            command: &["/bin/sh"],
            ..Image::default()
        },
        Image {
            name: TOOLS,
            entries: &tools,
            command: &["/bin/sh"],
            ..Image::default()
        },
        Image {
            name: GROUPS,
            entries: &groups,
            command: &["/bin/sh"],
            ..Image::default()
        },
        Image {
            name: NAMED,
            entries: &tools,
            command: &["/bin/sh"],
            user: "modeler",
            ..Image::default()
        },
        Image {
            name: FIXED,
            entries: &tools,
            command: &["/bin/sh"],
            user: "1000",
            ..Image::default()
        },
        Image {
            name: RANDOM,
            entries: &tools,
            command: &["/bin/sh"],
            user: "1000660007",
            ..Image::default()
        },
        Image {
            name: ROOT_ONLY,
            entries: &root_only,
            command: &["/bin/app"],
            ..Image::default()
        },
        Image {
            name: BARE,
            entries: &bare,
            command: &["/bin/true"],
            ..Image::default()
        },
        // The shell waits for its sleep, so that it buries the orphans of pods that share process namespaces.
        Image {
            name: PAUSE,
            entries: &tools,
            command: &[
                "/bin/sh",
                "-c",
                "trap 'exit 0' TERM INT; while :; do sleep 1000000 & wait; done",
            ],
            ..Image::default()
        },
    ];
    images
        .iter()
        .map(|image| image.write(&cache.join("testbed/images")))
        .collect()
}

/// A file of this machine in an image.
fn copied(path: &str, to: &str) -> Result<Entry<'static>> {
    let bytes = fs::read(path).with_context(|| {
        format!("cannot read `{path}`; testbed/install-packages.sh installs what tests need")
    })?;
    Ok(Entry::file(to, 0o755, bytes))
}

/// What a program prints.
fn printed(program: &str, arguments: &[String]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| format!("cannot run `{program}`"))?;
    ensure!(
        output.status.success(),
        "`{program}`: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// What programs of this machine are linked with, the loader as well, where the loader looks for it.
fn libraries(programs: &[String]) -> Result<Vec<Entry<'static>>> {
    // `libc.so.6 => /lib/… (0x…)`, the loader without an arrow, and a line `PROGRAM:` before those of each.
    let said = printed("ldd", programs)?;
    let paths: BTreeSet<&str> = said
        .split_whitespace()
        .filter(|word| word.starts_with('/') && !word.ends_with(':'))
        .collect();
    paths
        .into_iter()
        .map(|path| copied(path, path.trim_start_matches('/')))
        .collect()
}

/// [`PROGRAMS`], what they are linked with, and the modules of Python that it says it has loaded.
fn programs() -> Result<Vec<Entry<'static>>> {
    let script = "import getpass, os, pwd, sys\n\
                  for it in {getattr(it, '__file__', None) for it in sys.modules.values()} - {None}: print(it)";
    let modules = printed(PYTHON, &["-ISc".to_owned(), script.to_owned()])?;
    let modules: BTreeSet<&str> = modules.lines().collect();
    let mut linked: Vec<String> = PROGRAMS.iter().map(|(path, _)| (*path).to_owned()).collect();
    linked.extend(
        modules
            .iter()
            .filter(|path| path.ends_with(".so"))
            .map(|path| (*path).to_owned()),
    );
    let mut entries = libraries(&linked)?;
    for (path, to) in PROGRAMS {
        entries.push(copied(path, to)?);
    }
    for path in modules {
        entries.push(copied(path, path.trim_start_matches('/'))?);
    }
    Ok(entries)
}

fn rootfs<'a>(busybox: &'a [u8], passwd: &str, group: &str) -> Vec<Entry<'a>> {
    let mut entries = vec![
        Entry::folder("bin", 0o755),
        Entry::file("bin/busybox", 0o755, busybox),
        Entry::folder("etc", 0o755),
        Entry::file("etc/passwd", 0o644, passwd.as_bytes().to_vec()),
        Entry::file("etc/group", 0o644, group.as_bytes().to_vec()),
        Entry::folder("home", 0o755),
        Entry::folder("root", 0o700),
        Entry::folder("tmp", 0o1777),
        Entry::folder("usr", 0o755),
        Entry::folder("usr/bin", 0o755),
        Entry::link("usr/bin/env", "../../bin/busybox"),
    ];
    entries.extend(
        APPLETS
            .iter()
            .map(|applet| Entry::link(&format!("bin/{applet}"), "busybox")),
    );
    entries
}

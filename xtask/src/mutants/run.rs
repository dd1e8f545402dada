//! Building tests once and running single ones of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::VARIABLE;
use super::list::Fault;
use crate::programs::{self, Program, cargo};
use crate::say;

/// How often it is looked whether a test has ended, and how many times: one that takes two minutes hangs.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: usize = 2_400;

/// The package beside the workspace whose program compares the decision engine with others: it is run in place of a test.
const PEERS: &str = "reeve-peers";
const PEERS_MANIFEST: &str = "peers/Cargo.toml";
const PEERS_PROGRAM: &str = "oracle";
/// Where `make oracle` builds it, too.
const PEERS_TARGET: &str = "target/peers";
/// Enough for organizations of each kind.
const DECISIONS: &str = "40000";

/// One test.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Test {
    pub(crate) package: String,
    pub(crate) unit: bool,
    pub(crate) name: String,
}

impl Test {
    /// For people.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.package, self.name)
    }
}

/// What became of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    Hung,
}

impl Outcome {
    pub(crate) fn passed(self) -> bool {
        self == Self::Passed
    }

    /// Of a test with a fault in what it tests.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Passed => "NOT NOTICED",
            Self::Failed => "noticed",
            Self::Hung => "noticed, hung",
        }
    }
}

/// The program of each crate's tests, those beside its code and those in `tests/it`, and its folder.
#[derive(Debug)]
pub(crate) struct Tests {
    programs: BTreeMap<(String, bool), (PathBuf, PathBuf)>,
    log: PathBuf,
}

impl Tests {
    /// Builds what the faults need, and keeps copies that no later build replaces.
    pub(crate) fn build(root: &Path, faults: &[Fault]) -> Result<Self> {
        let folder = root.join("target/mutants");
        let mut packages: BTreeSet<_> = faults.iter().map(|fault| fault.package.as_str()).collect();
        let mut tests = Self {
            programs: BTreeMap::new(),
            log: folder.join("last-test.log"),
        };
        if packages.remove(PEERS) {
            tests.build_peers(root, &folder)?;
        }
        if packages.is_empty() {
            return Ok(tests);
        }
        let mut cargo = cargo();
        cargo.args([
            "test",
            "--locked",
            "--no-run",
            "--quiet",
            "--message-format=json-render-diagnostics",
        ]);
        for package in packages {
            cargo.args(["--package", package]);
        }
        if faults.iter().any(|fault| fault.unit) {
            cargo.arg("--lib");
        }
        cargo.args(["--test", "it"]);
        cargo.current_dir(root);
        let output = cargo.stderr(Stdio::inherit()).output().context("running cargo")?;
        if !output.status.success() {
            bail!("with the faults in it the workspace does not build");
        }
        for built in programs::built(&output.stdout) {
            if let Some(key) = key(&built) {
                let copy = folder.join(format!("{}-{}", key.0, if key.1 { "unit" } else { "it" }));
                fs::copy(&built.program, &copy)
                    .with_context(|| format!("keeping `{}`", built.program.display()))?;
                tests.programs.insert(key, (copy, built.home));
            }
        }
        Ok(tests)
    }

    /// Builds what compares the decision engine with others.
    fn build_peers(&mut self, root: &Path, folder: &Path) -> Result<()> {
        let status = cargo()
            .args([
                "build",
                "--release",
                "--locked",
                "--quiet",
                "--manifest-path",
                PEERS_MANIFEST,
            ])
            .args(["--target-dir", PEERS_TARGET, "--bin", PEERS_PROGRAM])
            .current_dir(root)
            .status()
            .context("running cargo")?;
        if !status.success() {
            bail!("with the faults in it `{PEERS_MANIFEST}` does not build");
        }
        let program = root.join(PEERS_TARGET).join("release").join(PEERS_PROGRAM);
        let copy = folder.join(PEERS_PROGRAM);
        fs::copy(&program, &copy).with_context(|| format!("keeping `{}`", program.display()))?;
        self.programs
            .insert((PEERS.to_owned(), false), (copy, root.to_owned()));
        Ok(())
    }

    /// Each test that a fault names, once.
    pub(crate) fn distinct(&self, faults: &[Fault]) -> BTreeSet<Test> {
        faults.iter().map(Fault::test).collect()
    }

    /// Runs one test, with a fault at work or without.
    pub(crate) fn run(&self, test: &Test, fault: Option<&str>) -> Result<Outcome> {
        let key = (test.package.clone(), test.unit);
        let (program, home) = self
            .programs
            .get(&key)
            .with_context(|| format!("`{}` has no such tests", test.package))?;
        let mut command = programs::started(program, home, &self.log)?;
        if test.package == PEERS {
            command.args(["--decisions", DECISIONS]);
        } else {
            command.args(["--exact", &test.name]);
        }
        command
            .env("INSTA_UPDATE", "no")
            .env("RUST_BACKTRACE", "0")
            .env_remove(VARIABLE);
        if let Some(fault) = fault {
            command.env(VARIABLE, fault);
        }
        let mut child = command
            .spawn()
            .with_context(|| format!("running `{}`", program.display()))?;
        let Some(status) = ended(&mut child)? else {
            return Ok(Outcome::Hung);
        };
        let said = fs::read_to_string(&self.log).unwrap_or_default();
        if said.contains("running 0 tests") {
            bail!("there is no test `{}`", test.name());
        }
        if fault.is_none() && !status.success() {
            say(&said);
        }
        Ok(if status.success() {
            Outcome::Passed
        } else {
            Outcome::Failed
        })
    }
}

/// How a test ended, unless it hung: then it is no more.
fn ended(child: &mut Child) -> Result<Option<ExitStatus>> {
    for _ in 0..LOOKS {
        if let Some(status) = child.try_wait().context("waiting for a test")? {
            return Ok(Some(status));
        }
        sleep(LOOK);
    }
    child.kill().context("ending a test")?;
    child.wait().context("ending a test")?;
    Ok(None)
}

/// The crate and whether its tests are those beside the code; others are none that a fault names.
fn key(built: &Program) -> Option<(String, bool)> {
    (built.unit || built.target == "it").then(|| (format!("reeve-{}", built.crate_folder()), built.unit))
}

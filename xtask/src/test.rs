//! Every test of the workspace, two programs at a time.
//!
//! Tests on a real Kubernetes mostly wait: one program after another would leave half of the processors idle. The longest begin
//! first. What a program prints is shown when it has ended, whole, so that lines of two are not mixed.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::programs::{self, Program, cargo};
use crate::say;

/// How many programs run at once.
const AT_ONCE: usize = 2;

/// Crates whose tests take longest, longest first.
const LONGEST: [&str; 6] = ["e2e", "admission", "server", "store-sql", "operator", "serving"];

/// Builds and runs all tests, those in documentation too.
///
/// # Errors
/// A test does not build or pass; all others have been run.
pub(crate) fn run(root: &Path) -> Result<()> {
    let built = cargo()
        .args(["test", "--workspace", "--locked", "--no-run"])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .context("running cargo")?;
    if !built.status.success() {
        bail!("the tests do not build");
    }
    let mut programs = programs::built(&built.stdout);
    programs.sort_by_key(|program| {
        let folder = program.crate_folder();
        (
            LONGEST
                .iter()
                .position(|it| *it == folder)
                .unwrap_or(LONGEST.len()),
            program.unit,
        )
    });
    let logs = root.join("target/tests");
    fs::create_dir_all(&logs).with_context(|| format!("making `{}`", logs.display()))?;
    let mut failed = all(programs, &logs)?;
    let documentation = cargo()
        .args(["test", "--workspace", "--locked", "--doc"])
        .current_dir(root)
        .status()
        .context("running cargo")?;
    if !documentation.success() {
        failed.push("the documentation's".to_owned());
    }
    if !failed.is_empty() {
        bail!("tests failed: {}", failed.join(", "));
    }
    Ok(())
}

/// Runs them and says whose tests failed.
fn all(programs: Vec<Program>, logs: &Path) -> Result<Vec<String>> {
    let waiting = Mutex::new(VecDeque::from(programs));
    let failed = Mutex::new(Vec::new());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let work = || -> Result<()> {
        while let Some(program) = next() {
            if !one(&program, logs)? {
                let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                failed.push(name(&program));
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|_| bail!("running tests failed")))
    })?;
    Ok(failed.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn name(program: &Program) -> String {
    format!("{} {}", program.crate_folder(), program.target)
}

/// Runs one to its end; whether its tests passed.
#[expect(
    clippy::disallowed_methods,
    reason = "how long tests took is for people alone"
)]
fn one(program: &Program, logs: &Path) -> Result<bool> {
    let name = name(program);
    let began = Instant::now();
    let file = logs.join(format!("{}.log", name.replace(' ', "-")));
    let status = programs::started(&program.program, &program.home, &file)?
        .status()
        .with_context(|| format!("running `{}`", program.program.display()))?;
    let said = fs::read(&file).with_context(|| format!("reading `{}`", file.display()))?;
    say(&format!(
        "     Running tests of {name}: {:.0} s\n{}",
        began.elapsed().as_secs_f64(),
        String::from_utf8_lossy(&said).trim_end()
    ));
    Ok(status.success())
}

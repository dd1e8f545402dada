//! Planted faults of the control plane: `hack/mutants-control-plane.yaml` says which text of which file is replaced by what, and
//! which test must then turn red.
//!
//! All faults are built together, each behind a condition on an environment variable, so that one build serves all of them; the
//! files are as before again as soon as it is over, whatever came of it. What a build that was killed left behind is put back by
//! the next run, and `cargo xtask tidy` complains of it. Each test runs once without a fault, where it must pass, and once with
//! each fault that names it, where it must fail.

mod list;
mod planted;
mod run;

use std::path::Path;

use anyhow::{Result, bail};

pub(crate) use list::complaints;

use crate::say;

/// The variable that says which fault is at work.
const VARIABLE: &str = concat!("REEVE", "_FAULT");

/// Plants the faults that are named, or all, and fails unless each of them is noticed.
pub(crate) fn run(root: &Path, only: &[String]) -> Result<()> {
    let mut faults = list::read(root)?;
    if let Some(unknown) = only.iter().find(|id| faults.iter().all(|fault| fault.id != **id)) {
        bail!("`{unknown}` is no fault of {}", list::FILE);
    }
    faults.retain(|fault| only.is_empty() || only.contains(&fault.id));
    let tests = planted::build(root, &faults)?;
    let (mut unnoticed, mut broken) = (Vec::new(), Vec::new());
    for test in tests.distinct(&faults) {
        if !tests.run(&test, None)?.passed() {
            broken.push(test);
        }
    }
    for fault in &faults {
        if broken.contains(&fault.test()) {
            unnoticed.push(format!("{}: its test fails without any fault", fault.id));
            continue;
        }
        let outcome = tests.run(&fault.test(), Some(&fault.id))?;
        say(&format!("{:<13} {:<44} {}", outcome.word(), fault.id, fault.test));
        if outcome.passed() {
            unnoticed.push(format!("{}: {}", fault.id, fault.promise));
        }
    }
    let noticed = faults.len() - unnoticed.len();
    say(&format!(
        "mutants: {} planted faults, {noticed} noticed",
        faults.len()
    ));
    if !unnoticed.is_empty() {
        bail!("no test noticed:\n  {}", unnoticed.join("\n  "));
    }
    Ok(())
}

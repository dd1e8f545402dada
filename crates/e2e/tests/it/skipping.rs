//! Tests that cannot run, or are not asked for, are each skipped by name.

use std::process::Command;

use anyhow::{Result, ensure};

/// Two that share the stack.
const SHARING: [&str; 2] = [
    "identity::a_submitted_container_runs_as_the_person_with_a_home_of_her_own",
    "identity::a_bare_job_by_kubectl_runs_as_the_person_too",
];

/// A stack that remembers only that there is none, and not why, lets the second pass without a word: it did once.
#[test]
fn every_test_that_shares_the_stack_and_is_skipped_says_so_by_its_name() -> Result<()> {
    let output = Command::new(std::env::current_exe()?)
        .arg("--exact")
        .args(SHARING)
        .env("TESTBED", "off")
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{said}");
    for test in SHARING {
        let line = said
            .lines()
            .find(|line| line.starts_with("SKIPPED: ") && line.contains(test));
        ensure!(
            line.is_some_and(|line| line.contains("TESTBED=off")),
            "`{test}` is not named in:\n{said}"
        );
    }
    Ok(())
}

/// Also where everything is required that the machine can have: nobody asked for it.
#[test]
fn a_test_that_only_a_command_of_its_own_runs_says_so_by_its_name() -> Result<()> {
    const TEST: &str =
        "kserve::a_service_goes_from_image_to_running_on_the_real_kserve_and_is_changed_and_deleted";
    let output = Command::new(std::env::current_exe()?)
        .args(["--exact", TEST])
        .env("TESTBED", "require")
        .env_remove("KSERVE")
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{said}");
    let named = said
        .lines()
        .any(|line| line.starts_with("SKIPPED: ") && line.contains(TEST) && line.contains("make kserve"));
    ensure!(named, "`{TEST}` is not named in:\n{said}");
    Ok(())
}

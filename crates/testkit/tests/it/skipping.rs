//! A test that cannot have its cluster says so past the test runner, or fails where one is required.

use std::process::{Command, Output};

use anyhow::Result;
use reeve_testkit::Tier;

#[tokio::test]
async fn asked_twice_the_answer_is_the_same() {
    let first = reeve_testkit::cluster(Tier::ApiServer).await.is_some();
    assert_eq!(reeve_testkit::cluster(Tier::ApiServer).await.is_some(), first);
}

/// That test alone, in a process that finds no programs and cannot keep any: its cache is a file.
fn without_programs(testbed: &str) -> Result<Output> {
    let file = tempfile::NamedTempFile::new()?;
    Ok(Command::new(std::env::current_exe()?)
        .args(["--exact", "skipping::asked_twice_the_answer_is_the_same"])
        .env("TESTBED", testbed)
        .env("REEVE_CACHE", file.path())
        .output()?)
}

#[test]
fn what_cannot_run_is_skipped_loudly_with_a_total() -> Result<()> {
    for (testbed, why) in [
        ("auto", "testbed/build.sh controlplane ended with"),
        ("off", "TESTBED=off"),
    ] {
        let output = without_programs(testbed)?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        for line in [
            format!("SKIPPED: no cluster ({why}"),
            "; 2 skipped so far".to_owned(),
        ] {
            assert!(said.contains(&line), "no `{line}` in:\n{said}");
        }
        assert!(said.contains("asked_twice_the_answer_is_the_same"), "{said}");
    }
    Ok(())
}

#[test]
fn where_a_cluster_is_required_a_missing_one_fails_the_test() -> Result<()> {
    let output = without_programs("require")?;
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("TESTBED=require, but no cluster: testbed/build.sh"),
        "{said}"
    );
    Ok(())
}

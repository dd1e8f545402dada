//! A test that cannot have its cluster says so past the test runner, or fails where one is required.

use std::process::{Command, Output};

use anyhow::Result;
use reeve_testkit::Tier;

use crate::endings::programs_are_built;
use crate::probing::may_not_mount;

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

const ASKS_FOR_A_NODE: &str = "node::the_node_is_ready_and_honours_strict_supplemental_groups";

/// A test that wants a real node, alone, in a process that has a cluster and cannot have the node.
fn without_a_node(testbed: &str) -> Result<Output> {
    Ok(may_not_mount(&std::env::current_exe()?)
        .args(["--exact", ASKS_FOR_A_NODE])
        .env("TESTBED", testbed)
        .output()?)
}

#[tokio::test]
async fn where_a_cluster_is_required_a_missing_real_node_fails_the_test() -> Result<()> {
    if !programs_are_built().await {
        return Ok(());
    }
    let output = without_a_node("require")?;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{said}");
    assert!(
        said.contains("TESTBED=require, but no cluster: no real node: "),
        "{said}"
    );
    assert!(
        said.contains("1 failed"),
        "the test that asks is not there: {said}"
    );
    Ok(())
}

#[tokio::test]
async fn where_none_is_required_a_test_without_a_real_node_is_skipped_loudly() -> Result<()> {
    if !programs_are_built().await {
        return Ok(());
    }
    let output = without_a_node("auto")?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    for line in [
        "SKIPPED: no cluster (no real node: ",
        ASKS_FOR_A_NODE,
        "; 1 skipped so far",
    ] {
        assert!(said.contains(line), "no `{line}` in:\n{said}");
    }
    Ok(())
}

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use reeve_testkit::{KillOnDrop, LaunchLine, binary};

use crate::endings::programs_are_built;

/// Starts the node tier without a capability that it needs and gives back what the testbed says of itself.
fn up_without(capability: &str) -> Result<LaunchLine> {
    let mut up = Command::new("setpriv")
        .args([
            &format!("--bounding-set=-{capability}"),
            &format!("--inh-caps=-{capability}"),
        ])
        .arg(binary("reeve-testbed")?)
        .args(["up", "--tier", "node"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start setpriv")?;
    let mut line = String::new();
    BufReader::new(up.stdout.take().context("no output")?).read_line(&mut line)?;
    drop(up.stdin.take());
    up.wait()?;
    drop(KillOnDrop(up));
    serde_json::from_str(&line).with_context(|| format!("not a launch line: `{line}`"))
}

#[tokio::test]
async fn a_machine_that_cannot_mount_is_told_so_and_gets_the_rest() -> Result<()> {
    if !programs_are_built().await || !nix::unistd::Uid::effective().is_root() {
        return Ok(());
    }
    let line = up_without("sys_admin")?;
    assert!(!line.real_node);
    assert!(
        line.real_node_reason
            .starts_with("no own namespaces or overlay mounts here"),
        "{}",
        line.real_node_reason
    );
    assert!(
        line.server.starts_with("https://127.0.0.1:"),
        "the control plane runs all the same"
    );
    Ok(())
}

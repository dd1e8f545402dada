use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use reeve_testkit::{KillOnDrop, LaunchLine, binary};

use crate::endings::programs_are_built;

/// A program that may not mount, without which there is no real node. Somebody who is not root may not anyhow.
pub(crate) fn may_not_mount(program: &Path) -> Command {
    if !nix::unistd::Uid::effective().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-sys_admin", "--inh-caps=-sys_admin"]);
    command.arg(program);
    command
}

/// Starts the node tier where nothing may be mounted and gives back what the testbed says of itself.
fn up_where_nothing_may_be_mounted() -> Result<LaunchLine> {
    let mut up = may_not_mount(&binary("reeve-testbed")?)
        .args(["up", "--tier", "node"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the testbed without its capability")?;
    let mut line = String::new();
    BufReader::new(up.stdout.take().context("no output")?).read_line(&mut line)?;
    drop(up.stdin.take());
    up.wait()?;
    drop(KillOnDrop(up));
    serde_json::from_str(&line).with_context(|| format!("not a launch line: `{line}`"))
}

#[tokio::test]
async fn a_machine_that_cannot_mount_is_told_so_and_gets_the_rest() -> Result<()> {
    if !programs_are_built().await {
        return Ok(());
    }
    let line = up_where_nothing_may_be_mounted()?;
    assert!(!line.real_node);
    let reason = if nix::unistd::Uid::effective().is_root() {
        "no own namespaces or overlay mounts here"
    } else {
        "a real node needs root"
    };
    assert!(
        line.real_node_reason.starts_with(reason),
        "{}",
        line.real_node_reason
    );
    assert!(
        line.server.starts_with("https://127.0.0.1:"),
        "the control plane runs all the same"
    );
    Ok(())
}

//! Words arrive as they were typed: through the command line, REST, the operator, the kubelet and a real container.

use anyhow::{Result, ensure};
use reeve_e2e::CommandLine;
use reeve_testkit::images;
use serde_json::json;

use crate::cli::{terminal, wait_until_completed};
use crate::harness::{Team, on_the_stack, output_of};

const SCRIPT: &str = r#"echo "$PW"; echo "$LIT"; echo "shell $$"; printf '%s\n' "$1""#;
const WORD: &str = "$(HOME) $$ $x 5$€";

/// What the container prints that is submitted with these words, and with this flag.
async fn printed(
    reeve: &CommandLine,
    project: &str,
    name: &str,
    flag: &[&str],
    word: &str,
) -> Result<String> {
    let what = [
        "submit",
        name,
        "-p",
        project,
        "-i",
        images::TOOLS,
        "--create-home-dir",
    ];
    let variables = ["-e", "PW=pa$$word", "-e", "LIT=$(HOME)/x"];
    let words = ["--", "sh", "-c", SCRIPT, "sh", word];
    reeve.must(&[&what[..], &variables, flag, &words].concat())?;
    wait_until_completed(reeve, project, name).await?;
    reeve.must(&["logs", name, "-p", project])
}

#[test]
fn what_she_types_is_what_her_container_gets() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let project = team.project_name.as_str();
        let settings = tempfile::tempdir()?;
        let reeve = terminal(stack, &team.researcher.person, settings.path())?;

        let as_typed = printed(&reeve, project, "typed", &[], WORD).await?;
        let expected = format!("pa$$word\n$(HOME)/x\nshell 1\n{WORD}\n");
        ensure!(as_typed == expected, "{as_typed:?}");

        // The fault that this closes, when it is asked for: `$(NAME)` is looked up and `$$` halved.
        let expanded = printed(&reeve, project, "expanded", &["--expand-variables"], "$(PW) $$").await?;
        let lines: Vec<_> = expanded.lines().collect();
        ensure!(
            lines[0] == "pa$word" && lines[1].starts_with("/home/") && lines[1].ends_with("/x"),
            "{expanded:?}"
        );
        ensure!(lines[2..] == ["shell $", "pa$word $"], "{expanded:?}");

        // A client of REST gets the same without saying anything.
        let body = json!({"name": "rest", "projectId": team.project, "clusterId": stack.cluster_id, "spec": {
            "image": images::TOOLS, "command": "printf '%s\\n'", "args": "'$(PW)' 'a$$b'",
            "environmentVariables": [{"name": "PW", "value": "$$"}]}});
        let rest = &team.researcher.rest;
        rest.post("/api/v1/workloads/trainings", body)
            .await?
            .expect(202)?;
        let output = output_of(stack, &team.namespace, "reeve.dev/workload=rest").await?;
        ensure!(output == "$(PW)\na$$b\n", "{output:?}");
        Ok(())
    });
}

#[test]
fn a_launch_script_of_the_reference_gets_its_terminal_its_folder_and_its_memory() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let project = team.project_name.as_str();
        let settings = tempfile::tempdir()?;
        let reeve = terminal(stack, &team.researcher.person, settings.path())?;
        reeve.must(&["config", "project", project])?;

        let script = "read word; echo got $word; pwd; grep ' /dev/shm ' /proc/mounts";
        let what = [
            "submit",
            "--name",
            "build",
            "-i",
            images::TOOLS,
            "--interactive",
            "--attach",
            "--tty=false",
        ];
        let how = ["--large-shm", "--working-dir", "/tmp", "--", "sh", "-c", script];
        let output = reeve.run(&[&what[..], &how].concat(), "typed\n")?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "{output:?}");
        let lines: Vec<_> = said.lines().collect();
        ensure!(lines.contains(&"got typed") && lines.contains(&"/tmp"), "{said}");
        // The runtime's own has a size of 64 MiB.
        let memory = lines.iter().find(|line| line.contains("/dev/shm"));
        ensure!(
            memory.is_some_and(|line| line.contains("tmpfs") && !line.contains("size=65536k")),
            "{said}"
        );
        let shown = reeve.must(&["describe", "job", "build"])?;
        ensure!(
            shown.contains("large /dev/shm  yes") && shown.contains(images::TOOLS),
            "{shown}"
        );
        reeve.must(&["list", "jobs"])?;
        reeve.must(&["delete", "build"])?;
        Ok(())
    });
}

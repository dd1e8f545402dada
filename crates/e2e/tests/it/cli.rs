//! The `reeve` program itself, as a researcher at her terminal has it: real server, real cluster, real containers.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::batch::v1::Job;
use reeve_e2e::CommandLine;
use reeve_e2e::Stack;
use reeve_e2e::organization::Person;
use reeve_testkit::{AuditEvent, KillOnDrop, binary, images, wait_until};
use serde_json::{Value, json};

use crate::attacks::{kubectl_of, kubectl_refused};
use crate::harness::{Team, echoed, on_the_stack};
use crate::identity::her_id;

/// A terminal at which this person has signed in.
pub(crate) fn terminal(stack: &Stack, person: &Person, settings: &Path) -> Result<CommandLine> {
    let reeve = CommandLine::new(&binary("reeve")?, settings);
    let said = reeve.sign_in(
        stack.admin.url(),
        &stack.ca_file,
        &person.username,
        &person.password,
    )?;
    let start = format!(
        "signed in as `{}` at `{}`; it is renewed",
        person.username,
        stack.admin.url()
    );
    ensure!(said.starts_with(&start), "{said}");
    Ok(reeve)
}

pub(crate) fn json_of(reeve: &CommandLine, arguments: &[&str]) -> Result<Value> {
    let said = reeve.must(&[arguments, &["-o", "json"]].concat())?;
    serde_json::from_str(&said).with_context(|| format!("not JSON: {said}"))
}

/// Fails unless the command ends with exit code 1, prints nothing, and complains with all of `words`.
fn refused(reeve: &CommandLine, arguments: &[&str], words: &[&str]) -> Result<()> {
    let output = reeve.run(arguments, "")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.code() == Some(1) && output.stdout.is_empty(),
        "{arguments:?}: {output:?}"
    );
    for word in words {
        ensure!(
            said.contains(word),
            "{arguments:?}: `{word}` is missing in: {said}"
        );
    }
    Ok(())
}

/// The phase of each workload that `reeve list` shows in the project.
fn phases(reeve: &CommandLine, project: &str) -> Result<Vec<(String, String)>> {
    let list = json_of(reeve, &["list", "-p", project])?;
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = list.as_array().context("no list")?;
    Ok(all
        .iter()
        .map(|w| (word(&w["name"]), word(&w["phase"])))
        .collect())
}

pub(crate) async fn wait_until_completed(reeve: &CommandLine, project: &str, name: &str) -> Result<()> {
    wait_until("the workload to be listed as Completed", async || {
        let phases = phases(reeve, project)?;
        let done = phases.contains(&(name.to_owned(), "Completed".to_owned()));
        ensure!(done, "{phases:?}");
        Ok(Some(()))
    })
    .await
}

#[test]
fn a_researcher_signs_in_submits_reads_deletes_and_signs_out() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let (alice, project) = (&team.researcher, team.project_name.as_str());
        let settings = tempfile::tempdir()?;
        refused(
            &CommandLine::new(&binary("reeve")?, settings.path()),
            &["whoami"],
            &["you are not signed in"],
        )?;
        let reeve = terminal(stack, &alice.person, settings.path())?;

        let me = json_of(&reeve, &["whoami"])?;
        ensure!(me["username"] == alice.person.username, "{me}");
        let posix = json!({"uid": alice.uid, "gid": 5000, "supplementaryGroups": [5001]});
        ensure!(me["posix"] == posix, "{me}");
        let role = &me["roles"][0];
        ensure!(
            role["roleName"] == "L1 researcher" && role["scopeName"] == project,
            "{me}"
        );
        let shown = reeve.must(&["whoami"])?;
        let linux = format!(
            "linux   uid={} gid=5000 supplementary groups=5001 (set by an administrator)",
            alice.uid
        );
        ensure!(shown.lines().any(|line| line == linux), "{shown}");

        let projects = reeve.must(&["project", "list"])?;
        let rows: Vec<Vec<_>> = projects
            .lines()
            .map(|row| row.split_whitespace().collect())
            .collect();
        ensure!(rows.len() == 2, "{projects}");
        ensure!(
            rows[1][..1] == [project] && rows[1][2..] == [team.namespace.as_str(), "Ready"],
            "{projects}"
        );

        let script = "id; touch $HOME/it-is-mine && ls $HOME";
        let what = ["submit", "first", "-p", project, "-i", images::TOOLS];
        let how = ["--run-as-user", "--create-home-dir", "--", "sh", "-c", script];
        let said = reeve.must(&[&what[..], &how].concat())?;
        ensure!(
            said.starts_with(&format!("submitted `first` to project `{project}`\n")),
            "{said}"
        );
        wait_until_completed(&reeve, project, "first").await?;
        let list = reeve.must(&["list", "-p", project])?;
        let row: Vec<_> = list
            .lines()
            .nth(1)
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        ensure!(row.starts_with(&["first", project, "Completed"]), "{list}");

        let mark = stack.cluster.audit_mark();
        let printed = reeve.must(&["logs", "first", "-p", project])?;
        ensure!(
            printed == format!("{}\nit-is-mine\n", her_id(alice.uid)),
            "{printed}"
        );
        // It was she who asked the API server, not somebody on her behalf.
        let hers =
            |e: &AuditEvent| e.user == alice.person.username && e.subresource == "log" && e.code == 200;
        wait_until("her reading to be in the audit log", async || {
            let asked = stack.cluster.audit_events_since(mark)?;
            Ok(asked.iter().any(hers).then_some(()))
        })
        .await?;

        let said = reeve.must(&["delete", "first", "-p", project])?;
        ensure!(
            said == format!("deleted `first` in project `{project}`\n"),
            "{said}"
        );
        let jobs: kube::Api<Job> = kube::Api::namespaced(stack.cluster.client().await?, &team.namespace);
        wait_until("the Job to go with its workload", async || {
            Ok(jobs.get_opt("first").await?.is_none().then_some(()))
        })
        .await?;
        ensure!(phases(&reeve, project)?.is_empty());
        let again = ["delete", "first", "-p", project];
        refused(&reeve, &again, &["there is no workload `first`"])?;

        let said = reeve.must(&["logout"])?;
        ensure!(
            said == "signed out: the session was ended and the token removed from this machine\n",
            "{said}"
        );
        for command in [&["whoami"][..], &["list"], &["project", "list"], &again] {
            refused(
                &reeve,
                command,
                &["you are not signed in", "reeve login user --url URL"],
            )?;
        }
        Ok(())
    });
}

#[test]
fn followed_logs_end_when_the_container_does() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let (alice, project) = (&team.researcher, team.project_name.as_str());
        let settings = tempfile::tempdir()?;
        let reeve = terminal(stack, &alice.person, settings.path())?;
        let script = "echo started; sleep 8; echo ended";
        let what = ["submit", "slow", "-p", project, "-i", images::TOOLS];
        reeve.must(&[&what[..], &["--", "sh", "-c", script]].concat())?;

        let printed = settings.path().join("printed");
        let follow = reeve
            .command()
            .args(["logs", "slow", "-p", project, "-f"])
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&printed)?)
            .spawn()?;
        let mut follow = KillOnDrop(follow);
        wait_until("the first line", async || {
            Ok((std::fs::read_to_string(&printed)? == "started\n").then_some(()))
        })
        .await?;
        ensure!(
            follow.0.try_wait()?.is_none(),
            "it ended before the container did"
        );
        let status = wait_until("the command to end", async || Ok(follow.0.try_wait()?)).await?;
        ensure!(status.success(), "{status}");
        let printed = std::fs::read_to_string(&printed)?;
        ensure!(printed == "started\nended\n", "{printed}");
        wait_until_completed(&reeve, project, "slow").await
    });
}

#[test]
fn a_colleague_without_rights_in_the_project_gets_nothing_of_it() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let project = team.project_name.as_str();
        let (hers, his) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let alice = terminal(stack, &team.researcher.person, hers.path())?;
        let submit = |name| ["submit", name, "-p", project, "-i", images::TOOLS, "--", "id"];
        alice.must(&submit("private"))?;
        wait_until_completed(&alice, project, "private").await?;

        // A researcher as she is, of another project.
        let other = Team::form(stack).await?;
        let stranger = terminal(stack, &other.researcher.person, his.path())?;
        let unseen = format!("there is no project `{project}` that you can see");
        refused(&stranger, &["list", "-p", project], &[&unseen])?;
        refused(
            &stranger,
            &submit("mine"),
            &[&unseen, "`reeve project list` shows yours"],
        )?;
        for command in ["logs", "delete"] {
            let unseen = format!("there is no workload `private` in a project `{project}` that you can see");
            refused(&stranger, &[command, "private", "-p", project], &[&unseen])?;
        }
        // Nor with a token of his own on the API server, past the control plane.
        let kubectl = kubectl_of(stack, &team, &other.researcher).await?;
        let answer = kubectl.run(&["logs", "-l", "reeve.dev/workload=private"])?;
        kubectl_refused(&answer, &["cannot list resource \"pods\""])?;
        ensure!(phases(&alice, project)? == [("private".to_owned(), "Completed".to_owned())]);
        Ok(())
    });
}

#[test]
fn she_steps_into_her_workload_and_a_colleague_does_not() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let (alice, project) = (&team.researcher, team.project_name.as_str());
        let settings = tempfile::tempdir()?;
        let reeve = terminal(stack, &alice.person, settings.path())?;
        let script = "while :; do nc -l -p 8080 -e cat; done";
        let submit = [
            "submit",
            "hers",
            "-p",
            project,
            "-i",
            images::TOOLS,
            "--",
            "sh",
            "-c",
            script,
        ];
        reeve.must(&submit)?;
        // The command itself waits for the pod and for its entry in the list.
        let printed = reeve.must(&["exec", "hers", "-p", project, "--", "id"])?;
        ensure!(printed.trim_end() == her_id(alice.uid), "{printed}");
        let piped = reeve.run(&["exec", "hers", "-p", project, "-i", "--", "cat"], "carried")?;
        ensure!(piped.status.success() && piped.stdout == b"carried", "{piped:?}");
        let failed = reeve.run(&["exec", "hers", "-p", project, "--", "sh", "-c", "exit 7"], "")?;
        ensure!(failed.status.code() == Some(7), "{failed:?}");
        let without = reeve.run(&["bash", "hers", "-p", project], "")?;
        ensure!(without.status.code() == Some(2), "no terminal: {without:?}");
        port_forward(&reeve, project).await?;

        let dave = team.hire(stack).await?;
        let his_settings = tempfile::tempdir()?;
        let his = terminal(stack, &dave.person, his_settings.path())?;
        for command in [
            &["exec", "hers", "-p", project, "--", "id"][..],
            &["attach", "hers", "-p", project],
            &["port-forward", "hers", "-p", project, "--port", "0:8080"],
        ] {
            refused(
                &his,
                command,
                &["reeve: R8: ", "only that person may step into it"],
            )?;
        }
        refused(
            &reeve,
            &["exec", "none", "-p", project, "--", "id"],
            &["there is no workload `none`"],
        )
    });
}

/// `reeve bash` between two real terminals: the size of hers is that of the other, which hears what she types and ends with her
/// word. Planted faults: a session that asks for no terminal (no prompt comes), and one that tells no size (`size=24x80`).
#[test]
fn she_has_a_shell_at_her_terminal_in_her_workload() {
    use std::io::Write as _;
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let (alice, project) = (&team.researcher, team.project_name.as_str());
        let settings = tempfile::tempdir()?;
        let reeve = terminal(stack, &alice.person, settings.path())?;
        let what = ["submit", "hers", "-p", project, "-i", images::DEBIAN];
        reeve.must(&[&what[..], &["--", "sleep", "600"]].concat())?;
        reeve.must(&["exec", "hers", "-p", project, "--", "true"])?;

        // The system's `script` gives it a terminal, and passes on what is typed.
        let program = reeve.command().get_program().to_string_lossy().into_owned();
        let line = format!("stty rows 30 cols 100; {program} bash hers -p {project}; echo code=$?");
        let mut command = std::process::Command::new("script");
        for (key, value) in reeve.command().get_envs() {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        let printed = tempfile::NamedTempFile::new()?;
        let mut session = KillOnDrop(
            command
                .args(["-qec", &line, "/dev/null"])
                .env("SHELL", "/bin/sh")
                .stdin(Stdio::piped())
                .stdout(printed.reopen()?)
                .spawn()?,
        );
        let said = async |word: &str| {
            wait_until(word, async || {
                let said = std::fs::read_to_string(printed.path())?;
                ensure!(said.contains(word), "{said}");
                Ok(Some(said))
            })
            .await
        };
        said("bash-").await?;
        let mut stdin = session.0.stdin.take().context("no standard input")?;
        // The size is a message of its own, and may come after the shell's first look; what is typed is shown as well, so that
        // what is waited for is not in it.
        let typed = "for i in $(seq 50); do [ $COLUMNS = 100 ] && break; sleep 0.1; done; id; tty; \
                     echo size=${LINES}x$COLUMNS; exit $((40+2))\n";
        stdin.write_all(typed.as_bytes())?;
        let said = said("code=42").await?;
        let id = format!("{}\r\n/dev/pts/", her_id(alice.uid));
        ensure!(said.contains(&id), "{said}");
        ensure!(said.contains("size=30x100\r\n"), "{said}");
        Ok(())
    });
}

/// Carries a line through `reeve port-forward` and back.
async fn port_forward(reeve: &CommandLine, project: &str) -> Result<()> {
    let printed = tempfile::NamedTempFile::new()?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let forwarding = reeve
        .command()
        .args([
            "port-forward",
            "hers",
            "-p",
            project,
            "--port",
            &format!("{port}:8080"),
        ])
        .stdin(Stdio::null())
        .stdout(printed.reopen()?)
        .spawn()?;
    let _forwarding = KillOnDrop(forwarding);
    echoed(port).await
}

/// As kubectl starts them, three times in a row: a refresh token that two had used would have ended the session. Planted fault: the one
/// that is kept is not replaced.
#[test]
fn twenty_commands_at_once_go_on_with_a_sign_in_that_is_renewed() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let settings = tempfile::tempdir()?;
        let reeve = terminal(stack, &team.researcher.person, settings.path())?;
        let file = settings.path().join("authentication.json");
        let mut before = Value::Null;
        for round in 0..3 {
            let mut kept: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
            ensure!(kept["refreshToken"] != before, "round {round}: nobody renewed it");
            before = kept["refreshToken"].clone();
            kept["expiresAt"] = json!("2020-01-01T00:00:00Z");
            std::fs::write(&file, kept.to_string())?;
            let mut commands = Vec::new();
            for _ in 0..20 {
                let mut command = reeve.command();
                command.arg("whoami").stdin(Stdio::null());
                command.stdout(Stdio::piped()).stderr(Stdio::piped());
                commands.push(command.spawn()?);
            }
            for command in commands {
                let output = command.wait_with_output()?;
                ensure!(output.status.success(), "round {round}: {output:?}");
            }
        }
        reeve.must(&["logout"])?;
        Ok(())
    });
}

/// Planted faults: a stream that is not opened again goes on for as long as the container, and so does a session that nobody
/// looks after.
#[test]
fn what_she_follows_and_what_she_entered_end_with_her_rule() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let (alice, project) = (&team.researcher, team.project_name.as_str());
        let settings = tempfile::tempdir()?;
        let reeve = terminal(stack, &alice.person, settings.path())?;
        let what = ["submit", "long", "-p", project, "-i", images::TOOLS];
        let script = "while :; do echo on; sleep 1; done";
        reeve.must(&[&what[..], &["--", "sh", "-c", script]].concat())?;
        reeve.must(&["exec", "long", "-p", project, "--", "true"])?;
        let begin = |words: &[&str], file: &str| -> Result<_> {
            let (out, err) = (
                settings.path().join(file),
                settings.path().join(format!("{file}.err")),
            );
            let mut command = reeve.command();
            command.args(words).stdin(Stdio::null());
            command.stdout(std::fs::File::create(&out)?);
            command.stderr(std::fs::File::create(&err)?);
            Ok((KillOnDrop(command.spawn()?), out, err))
        };
        let follow = ["logs", "long", "-p", project, "-f", "--reopen-after", "1s"];
        let loops = ["exec", "long", "-p", project, "--", "sh", "-c", script];
        let mut open = [
            (begin(&follow, "logs")?, "(403)"),
            (begin(&loops, "exec")?, "your right to it is gone"),
        ];
        for ((_, out, err), _) in &open {
            wait_until("its first line", async || {
                let said = std::fs::read_to_string(out)?;
                ensure!(
                    said.starts_with("on\n"),
                    "{said} {}",
                    std::fs::read_to_string(err)?
                );
                Ok(Some(()))
            })
            .await?;
        }
        let rule = format!("/api/v1/authorization/access-rules/{}", alice.rule);
        stack.admin.delete(&rule).await?.expect(204)?;
        for ((process, _, err), word) in &mut open {
            let ended = wait_until("it to end", async || Ok(process.0.try_wait()?)).await?;
            let said = std::fs::read_to_string(err)?;
            ensure!(ended.code() == Some(1) && said.contains(*word), "{ended} {said}");
        }
        Ok(())
    });
}

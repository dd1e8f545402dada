//! The table of the reference's words and flags, row by row against the program.

use clap::{Command, CommandFactory};
use reeve_cli::args::Cli;
use reeve_cli::reference::{FLAGS, Flag, Here, WORDS, page};
use serde_json::json;

use crate::receiver::{Receiver, project, text};

/// A line that would be sent if nothing were wrong with it.
fn sound(of: &str) -> Vec<&str> {
    match of {
        "submit" => vec!["submit", "x", "-p", "robots", "-i", "i"],
        "list" => vec!["list", "-p", "robots"],
        "port-forward" => vec!["port-forward", "x", "-p", "robots", "--port", "80"],
        "exec" => vec!["exec", "x", "-p", "robots"],
        "describe" | "logs" | "bash" | "attach" | "delete" => vec![of, "x", "-p", "robots"],
        "login user" => vec!["login", "user", "-u", "a@reeve.example", "--password-stdin"],
        "" => vec![],
        other => other.split(' ').collect(),
    }
}

/// A spelling that stands for many becomes one of them.
fn written(spelled: &str) -> String {
    match spelled {
        "--master-" | "--worker-" => format!("{spelled}gpu"),
        other => other.to_owned(),
    }
}

/// Fails unless the line ends with 2, nothing was sent, and the complaint names the word and what to do.
async fn must_refuse(receiver: &Receiver, line: &[&str], word: &str, instead: &str) {
    let output = receiver.run(line).await;
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{line:?}: {said}");
    assert!(
        output.stdout.is_empty() && receiver.calls().is_empty(),
        "{line:?}"
    );
    assert!(
        said.contains(&format!("`{word}`")) && said.contains("nothing was sent"),
        "{line:?}: {said}"
    );
    assert!(
        said.contains("in runai it ") && said.contains(instead),
        "{line:?}: {said}"
    );
    assert!(!said.contains("use '-- "), "{line:?}: {said}");
}

fn refused_flags() -> impl Iterator<Item = (&'static Flag, &'static str, &'static str)> {
    FLAGS.iter().flat_map(|row| {
        let instead = match row.here {
            Here::Refused(instead) => Some(instead),
            Here::Works(_) => None,
        };
        row.spelled
            .iter()
            .filter_map(move |spelled| Some((row, *spelled, instead?)))
    })
}

/// Each flag alone, with a value, with `=`, and among flags that are sound.
#[tokio::test]
async fn a_flag_that_does_not_exist_here_is_refused_before_anything_is_sent() {
    let receiver = Receiver::signed_in().await;
    let mut seen = 0;
    for (row, spelled, instead) in refused_flags() {
        let flag = written(spelled);
        let line = sound(row.of);
        let with_value = [&line[..], &[flag.as_str(), "1"]].concat();
        must_refuse(&receiver, &with_value, &flag, instead).await;
        let joined = format!("{flag}=1");
        let mut early = line.clone();
        early.insert(row.of.split(' ').count().min(line.len()), &joined);
        must_refuse(&receiver, &early, &flag, instead).await;
        seen += 1;
    }
    assert!(seen > 120, "{seen}");
}

#[tokio::test]
async fn the_groups_of_the_second_generation_refuse_the_same_flags() {
    let receiver = Receiver::signed_in().await;
    for (row, spelled, instead) in refused_flags().filter(|(row, ..)| row.of == "submit") {
        let flag = written(spelled);
        for group in [&["training"][..], &["training", "standard"]] {
            let line = [group, &sound(row.of), &[flag.as_str()]].concat();
            must_refuse(&receiver, &line, &flag, instead).await;
        }
    }
}

/// The command that a row's `of` names.
fn command_of<'a>(mut command: &'a Command, of: &str) -> &'a Command {
    for word in of.split(' ').filter(|word| !word.is_empty()) {
        command = command.find_subcommand(word).unwrap();
    }
    command
}

/// A row that says `works` without an argument that takes it. What the argument changes is in `effects.rs`.
#[test]
fn a_flag_that_works_is_an_argument_of_ours() {
    let mut cli = Cli::command();
    cli.build();
    for row in FLAGS.iter().filter(|row| matches!(row.here, Here::Works(_))) {
        let command = command_of(&cli, row.of);
        for spelled in row.spelled {
            let known = command
                .get_arguments()
                .any(|argument| match spelled.strip_prefix("--") {
                    Some(long) => {
                        argument.get_long() == Some(long)
                            || argument.get_all_aliases().is_some_and(|all| all.contains(&long))
                    }
                    None => {
                        let short = spelled.chars().nth(1);
                        argument.get_short() == short
                            || argument
                                .get_all_short_aliases()
                                .is_some_and(|all| all.contains(&short.unwrap()))
                    }
                });
            assert!(known, "`{spelled}` of `{}`", row.of);
        }
    }
}

#[test]
fn a_flag_has_one_row_of_a_command() {
    let mut all: Vec<_> = FLAGS
        .iter()
        .flat_map(|row| row.spelled.iter().map(move |spelled| (row.of, *spelled)))
        .collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[tokio::test]
async fn every_command_of_the_reference_works_or_is_refused_before_anything_is_sent() {
    let receiver = Receiver::signed_in().await;
    for row in WORDS {
        for spelled in row.spelled {
            let words: Vec<_> = spelled.split(' ').collect();
            match row.here {
                Here::Refused(instead) => {
                    must_refuse(&receiver, &words, spelled, instead).await;
                    for more in [&["x"][..], &["x", "-p", "robots", "--gpu", "1"]] {
                        must_refuse(&receiver, &[&words[..], more].concat(), spelled, instead).await;
                    }
                }
                Here::Works(_) => {
                    let output = receiver.run(&[&words[..], &["--help"]].concat()).await;
                    assert!(output.status.success(), "{spelled}: {}", text(&output.stderr));
                }
            }
        }
    }
}

#[tokio::test]
async fn what_is_a_flag_of_nobody_gets_no_tip_that_starts_a_broken_container() {
    let receiver = Receiver::signed_in().await;
    let shown = receiver
        .shown(&["submit", "x", "-p", "robots", "-i", "i", "--nonsense"])
        .await;
    insta::assert_snapshot!(shown);
    let shown = receiver
        .shown(&["submit", "x", "-p", "robots", "-i", "i", "-g", "0.5"])
        .await;
    insta::assert_snapshot!(shown);
    let shown = receiver
        .shown(&[
            "submit",
            "--existing-pvc",
            "claimname=a,path=/a",
            "--name",
            "x",
            "-i",
            "i",
        ])
        .await;
    insta::assert_snapshot!(shown);
    assert!(receiver.calls().is_empty());
}

#[tokio::test]
async fn contradictions_are_refused_before_anything_is_sent() {
    let receiver = Receiver::signed_in().await;
    for wrong in [
        &["--allow-privilege-escalation"][..],
        &["--interactive=false"],
        &[
            "--allow-privilege-escalation=false",
            "--prevent-privilege-escalation=false",
        ],
        &["--tty"],
        &["--attach", "--stdin=false"],
        &["--name", "y"],
        &["--pod-running-timeout", "5s"],
        &["-e", "A=SECRET:name,key"],
    ] {
        let output = receiver.run(&[&sound("submit")[..], wrong].concat()).await;
        assert_eq!(
            output.status.code(),
            Some(2),
            "{wrong:?}: {}",
            text(&output.stderr)
        );
    }
    assert!(receiver.calls().is_empty());
}

#[tokio::test]
async fn a_chosen_project_is_meant_by_commands_that_name_none() {
    let receiver = Receiver::signed_in().await;
    insta::assert_snapshot!(receiver.shown(&["describe", "x"]).await);
    receiver.answers("GET /api/v1/org-unit/projects", 200, json!({"projects": []}));
    let missing = receiver.run(&["config", "project", "robots"]).await;
    assert_eq!(missing.status.code(), Some(1), "only a project that one can see");
    receiver.answers(
        "GET /api/v1/org-unit/projects",
        200,
        json!({"projects": [project()]}),
    );
    receiver.answers("GET /api/v1/workloads", 200, json!({"workloads": []}));
    insta::assert_snapshot!(receiver.shown(&["config", "project", "robots"]).await);
    receiver.calls();
    let asked = async |line: &[&str]| {
        receiver.run(line).await;
        receiver
            .calls()
            .iter()
            .map(|call| call.line.clone())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert!(asked(&["list"]).await.contains("projectName%3D%3Drobots"));
    assert!(
        asked(&["list", "jobs", "-p", "other"])
            .await
            .contains("projectName%3D%3Dother")
    );
    assert!(!asked(&["list", "-A"]).await.contains("projectName"));
    assert!(asked(&["logs", "x"]).await.contains("projectName%3D%3Drobots"));
    assert!(
        asked(&["training", "describe", "x"])
            .await
            .contains("projectName%3D%3Drobots")
    );
    assert!(
        asked(&["submit", "--name", "x", "-i", "i"])
            .await
            .contains("name%3D%3Drobots")
    );
    // A policy is of the scope that is said: of the account where none is.
    let policy = asked(&["policy", "describe", "training"]).await;
    assert!(
        policy.contains("scope=tenant") && !policy.contains("projects"),
        "{policy}"
    );
    let department = "7";
    let policy = asked(&["policy", "describe", "training", "--department", department]).await;
    assert!(policy.contains("scope=department"), "{policy}");
}

#[test]
fn the_page_is_made_from_the_table() {
    assert_eq!(
        include_str!("../../../../docs/coming-from-runai.md"),
        page(),
        "run `cargo xtask gen`"
    );
}

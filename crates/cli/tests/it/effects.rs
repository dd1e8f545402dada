//! No flag is accepted and dropped: each changes what is asked of others, or what comes out.
//!
//! Every row of the reference's table that says `works` has a line here, and every other flag of the program, read from clap's own
//! tree, has one in `commands`. It is run with the flag and without it (or, where a flag has to be there, with two values). What is
//! compared is everything that can be seen from outside. Planted faults: `large_shm` and `passwd_entry` that are parsed and not put
//! into the request; a row `works` without a line.

mod commands;
mod office;

use std::time::Duration;

use futures::{StreamExt, stream};
use reeve_cli::reference::{FLAGS, Here};
use serde_json::json;

use crate::cluster::{Answer, Cluster, PODS, json_answer, pod, pods};
use crate::receiver::{CLUSTER, Receiver, text, training};
use crate::terminal::at_a_terminal;
use crate::websocket::{Behaviour, SUCCESS};

/// What there is when the line is run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scene {
    /// A running workload `first` in project `robots`.
    Runs,
    /// The same, and the command has a terminal.
    AtATerminal,
    /// The same, and the project was chosen before.
    Chosen,
    /// The workload has no pod yet.
    NoPod,
}

/// How the flag is given.
#[derive(Clone, Copy)]
enum Given {
    /// By itself, or not at all.
    Alone,
    /// With a value, or not at all.
    Value(&'static str),
    /// With a value after `=`, or not at all.
    Joined(&'static str),
    /// It has to be there: with one value, or another.
    Either(&'static str, &'static str),
    /// By itself, or these words.
    Or(&'static [&'static str]),
    /// With a number that somebody else listens at, or a free one.
    TakenPort,
}

/// A line for one flag. In its words `URL` is where the control plane is, and `HOME/` the person's home.
#[derive(Clone, Copy)]
struct Line {
    of: &'static str,
    spelled: &'static [&'static str],
    scene: Scene,
    before: &'static [&'static str],
    given: Given,
    after: &'static [&'static str],
    /// Without the flag it goes on and on, with it it ends.
    waits: bool,
}

const fn line(
    of: &'static str,
    spelled: &'static [&'static str],
    before: &'static [&'static str],
    given: Given,
) -> Line {
    Line {
        of,
        spelled,
        scene: Scene::Runs,
        before,
        given,
        after: &[],
        waits: false,
    }
}

const fn submit(spelled: &'static [&'static str], given: Given) -> Line {
    line("submit", spelled, SUBMIT, given)
}

impl Line {
    const fn then(mut self, after: &'static [&'static str]) -> Self {
        self.after = after;
        self
    }

    const fn that_waits(mut self) -> Self {
        self.waits = true;
        self
    }

    const fn when(mut self, scene: Scene) -> Self {
        self.scene = scene;
        self
    }
}

const SUBMIT: &[&str] = &["submit", "first", "-p", "robots", "-i", "i"];
const LOGS: &[&str] = &["logs", "first", "-p", "robots"];
const EXEC: &[&str] = &["exec", "first", "-p", "robots"];
const BASH: &[&str] = &["bash", "first", "-p", "robots"];
const ATTACH: &[&str] = &["attach", "first", "-p", "robots"];
const FORWARD: &[&str] = &["port-forward", "first", "-p", "robots"];
const LOGIN: &[&str] = &["login", "--no-browser", "--url", "URL"];
const LOGIN_USER: &[&str] = &["login", "user", "--url", "URL", "--password-stdin"];
const ID: &[&str] = &["--", "id"];

use Given::{Alone, Either, Joined, TakenPort, Value as With};
use Scene::{AtATerminal, Chosen, NoPod};

const LINES: &[Line] = &[
    line("", &["--help"], &["list", "-p", "robots"], Alone),
    line(
        "submit",
        &["--name"],
        &["submit", "-p", "robots", "-i", "i"],
        Either("a", "b"),
    ),
    line(
        "submit",
        &["--project", "-p"],
        &["submit", "first", "-i", "i"],
        Either("robots", "other"),
    ),
    line(
        "submit",
        &["--image", "-i"],
        &["submit", "first", "-p", "robots"],
        Either("a", "b"),
    ),
    submit(&["--interactive"], Alone),
    submit(&["--command", "-c"], Alone).then(ID),
    submit(&["--environment", "-e", "--environment-variable"], With("A=b")),
    submit(&["--stdin"], Alone),
    line(
        "submit",
        &["--tty", "-t"],
        &["submit", "first", "-p", "robots", "-i", "i", "--stdin"],
        Alone,
    ),
    submit(&["--attach"], Alone),
    line(
        "submit",
        &["--pod-running-timeout"],
        &["submit", "first", "-p", "robots", "-i", "i", "--attach"],
        With("1s"),
    )
    .when(NoPod)
    .that_waits(),
    submit(&["--working-dir"], With("/work")),
    submit(&["--image-pull-policy"], With("Always")),
    submit(
        &["--cpu", "--cpu-limit", "--cpu-core-request", "--cpu-core-limit"],
        With("0.5"),
    ),
    submit(
        &[
            "--memory",
            "--memory-limit",
            "--cpu-memory-request",
            "--cpu-memory-limit",
        ],
        With("512Mi"),
    ),
    submit(
        &[
            "--backoff-limit",
            "--backoffLimit",
            "--completions",
            "--parallelism",
        ],
        With("1"),
    ),
    submit(&["--termination-grace-period"], With("90s")),
    submit(&["--label", "-l", "--annotation", "-a"], With("a=b")),
    submit(&["--node-type"], With("dgx")),
    submit(&["--toleration"], With("key=a,operator=Exists")),
    submit(&["--run-as-user"], Alone),
    submit(&["--prevent-privilege-escalation"], Alone),
    submit(&["--allow-privilege-escalation"], Joined("false")),
    submit(&["--create-home-dir"], Alone),
    submit(&["--gpu", "-g", "--gpu-devices-request"], With("1")),
    submit(&["--large-shm"], Alone),
    submit(&["--secret-volume"], With("name=token,path=/etc/keys")),
    line("list", &["--project", "-p"], &["list"], With("robots")),
    line("list", &["--all-projects", "-A", "--all"], &["list"], Alone).when(Chosen),
    line(
        "describe",
        &["--output", "-o"],
        &["describe", "first", "-p", "robots"],
        With("json"),
    ),
    line("logs", &["--pod"], LOGS, With("another")),
    line("logs", &["--container", "-c"], LOGS, With("injected")),
    line(
        "logs",
        &["--follow", "-f", "--previous", "--timestamps"],
        LOGS,
        Alone,
    ),
    line("logs", &["--since"], LOGS, With("1h")),
    line("logs", &["--tail", "-t"], LOGS, With("5")),
    line("exec", &["--pod"], EXEC, With("another")).then(ID),
    line("exec", &["--container", "-c"], EXEC, With("injected")).then(ID),
    line("exec", &["--stdin", "-i"], EXEC, Alone).then(ID),
    line("exec", &["--tty", "-t"], EXEC, Alone)
        .then(ID)
        .when(AtATerminal),
    line("exec", &["--pod-running-timeout"], EXEC, With("1s"))
        .then(ID)
        .when(NoPod)
        .that_waits(),
    line("bash", &["--pod"], BASH, With("another")).when(AtATerminal),
    line("attach", &["--pod"], ATTACH, With("another")).when(AtATerminal),
    line("attach", &["--no-stdin", "--no-tty"], ATTACH, Alone).when(AtATerminal),
    line("port-forward", &["--port"], FORWARD, Either("0:80", "0:81")),
    line(
        "port-forward",
        &["--address"],
        &["port-forward", "first", "-p", "robots", "--port", "0:80"],
        // Of nobody (RFC 5737): it cannot be listened at.
        With("192.0.2.1"),
    ),
    line(
        "port-forward",
        &["--pod"],
        &["port-forward", "first", "-p", "robots", "--port", "0:80"],
        With("another"),
    ),
    line(
        "login user",
        &["--user", "-u"],
        LOGIN_USER,
        Either("a@reeve.example", "b@reeve.example"),
    ),
    line(
        "login",
        &["--listen-host"],
        &["login", "--no-browser", "--url", "URL", "--listen-port", "0"],
        With("192.0.2.1"),
    )
    .that_waits(),
    line("login", &["--listen-port"], LOGIN, TakenPort).that_waits(),
];

/// Longer than any line takes that ends by itself.
const PATIENCE: Duration = Duration::from_secs(60);
/// Of one that does not, how long it is looked at.
const GLANCE: Duration = Duration::from_secs(3);

/// Everything that can be seen from outside; nothing of a command that had not ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    code: Option<i32>,
    out: String,
    err: String,
    calls: Vec<String>,
}

async fn scene(of: Scene) -> (Receiver, Cluster) {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    office::furnish(&receiver);
    receiver.answers("POST /api/v1/workloads/trainings", 202, training());
    let id = "323e4567-e89b-12d3-a456-426614174000";
    receiver.answers(&format!("GET /api/v1/workloads/trainings/{id}"), 200, training());
    let of_pod = |end: &str| format!("{PODS}/first-abcde/{end}");
    cluster.answers(&of_pod("log"), [Answer::Text("line\n".into())]);
    for end in ["exec", "attach"] {
        let says = vec![(1, "said\n".to_owned()), (3, SUCCESS.to_owned())];
        cluster.answers(&of_pod(end), [Answer::Session(Behaviour::Says(says))]);
    }
    // Once it was joined it is over.
    let ended = pod("first-abcde", &json!({"terminated": {"exitCode": 0}}));
    cluster.answers(&format!("{PODS}/first-abcde"), [json_answer(200, &ended)]);
    let mut running = pod("first-abcde", &json!({"running": {}}));
    *running.pointer_mut("/spec/containers/1").unwrap() =
        json!({"name": "first", "tty": true, "stdin": true});
    let there = if of == NoPod { Vec::new() } else { vec![running] };
    cluster.answers(PODS, [json_answer(200, &pods(&there))]);
    if of == Chosen {
        let chosen = receiver.run(&["config", "project", "robots"]).await;
        assert!(chosen.status.success(), "{}", text(&chosen.stderr));
    }
    receiver.calls();
    (receiver, cluster)
}

async fn run(
    of: Scene,
    receiver: &Receiver,
    cluster: &Cluster,
    words: &[String],
    patience: Duration,
) -> Seen {
    let home = receiver.home().display().to_string();
    let words: Vec<String> = words
        .iter()
        .map(|word| word.replace("URL", &receiver.url()).replace("HOME", &home))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let before = cluster.calls("").len();
    let ended = async {
        if of == AtATerminal {
            at_a_terminal(receiver, &format!("reeve {}", words.join(" "))).await
        } else {
            receiver.run_with(&words, "aA1!aA1!\n").await
        }
    };
    let ended = tokio::time::timeout(patience, ended).await;
    // Several at once come in any order.
    let calls = receiver.calls().into_iter();
    let mut calls: Vec<_> = calls.map(|call| format!("{} {}", call.line, call.body)).collect();
    calls.extend(cluster.calls("").split_off(before));
    calls.sort();
    calls.dedup();
    let Ok(output) = ended else {
        return Seen::default();
    };
    let same = |bytes: &[u8]| {
        let said = text(bytes)
            .replace(&receiver.url(), "URL")
            .replace(&cluster.url(), "CLUSTER")
            .replace(&home, "HOME");
        // When a token ends.
        let lines = said
            .lines()
            .map(|line| line.split(" until ").next().unwrap_or_default());
        lines.collect::<Vec<_>>().join("\n")
    };
    Seen {
        code: output.status.code(),
        out: same(&output.stdout),
        err: same(&output.stderr),
        calls,
    }
}

impl Line {
    /// The line with the flag, and without it.
    fn both(&self, spelled: &str, taken: &str) -> [Vec<String>; 2] {
        let alone = || vec![spelled.to_owned()];
        let with = |value: &str| vec![spelled.to_owned(), value.to_owned()];
        let both = match self.given {
            Alone => [alone(), vec![]],
            With(value) => [with(value), vec![]],
            Joined(value) => [vec![format!("{spelled}={value}")], vec![]],
            Either(one, two) => [with(one), with(two)],
            Given::Or(words) => [alone(), words.iter().map(|word| (*word).to_owned()).collect()],
            TakenPort => [with(taken), with("0")],
        };
        both.map(|given| {
            let around = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
            [around(self.before), given, around(self.after)].concat()
        })
    }

    /// What is wrong, unless each spelling of the flag makes a difference, and nothing but the flag does.
    async fn complaints(&self, taken: &str) -> Vec<String> {
        let (receiver, cluster) = scene(self.scene).await;
        let (mut wrong, mut left_out) = (Vec::new(), None);
        for spelled in self.spelled {
            let [with, without] = self.both(spelled, taken);
            if left_out.is_none() {
                let patience = if self.waits { GLANCE } else { PATIENCE };
                let twice = [
                    run(self.scene, &receiver, &cluster, &without, patience).await,
                    run(self.scene, &receiver, &cluster, &without, patience).await,
                ];
                if self.waits != (twice[1].code.is_none()) {
                    wrong.push(format!("{without:?} ends, or does not: {twice:?}"));
                }
                if twice[0] != twice[1] {
                    wrong.push(format!("{without:?} differs from run to run: {twice:?}"));
                }
                left_out = Some(twice[1].clone());
            }
            let given = run(self.scene, &receiver, &cluster, &with, PATIENCE).await;
            if Some(&given) == left_out.as_ref() {
                wrong.push(format!(
                    "{with:?}: `{spelled}` is accepted and dropped: {given:?}"
                ));
            } else if given.err.contains("unexpected argument") {
                wrong.push(format!("{with:?}: {}", given.err));
            }
        }
        wrong
    }
}

fn works() -> impl Iterator<Item = (&'static str, &'static str)> {
    let rows = FLAGS.iter().filter(|row| matches!(row.here, Here::Works(_)));
    rows.flat_map(|row| row.spelled.iter().map(move |spelled| (row.of, *spelled)))
}

#[tokio::test]
async fn a_flag_that_works_makes_a_difference() {
    let of = |of: &str, spelled: &str| {
        LINES
            .iter()
            .find(|line| line.of == of && line.spelled.contains(&spelled))
    };
    let untried: Vec<_> = works()
        .filter(|(command, spelled)| of(command, spelled).is_none())
        .collect();
    assert_eq!(untried, [], "a line for each: what does it change?");
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = taken
        .local_addr()
        .map(|address| (taken, address.port().to_string()))
        .unwrap();
    let lines: Vec<Line> = LINES.iter().copied().chain(commands::lines().0).collect();
    let wrong: Vec<Vec<String>> = stream::iter(&lines)
        .map(|line| line.complaints(&taken.1))
        .buffer_unordered(6)
        .collect()
        .await;
    assert!(wrong.concat().is_empty(), "{}", wrong.concat().join("\n"));
}

#[test]
fn a_line_is_of_a_row_that_works() {
    let all: Vec<_> = works().collect();
    for line in LINES {
        for spelled in line.spelled {
            assert!(all.contains(&(line.of, *spelled)), "`{spelled}` of `{}`", line.of);
        }
    }
}

#[test]
fn every_flag_of_every_command_is_tried_or_says_where_it_is() {
    let (_, unknown) = commands::lines();
    assert!(
        unknown.is_empty(),
        "what do these change? `effects/commands.rs` has to know how each is given:\n{}",
        unknown.join("\n")
    );
    commands::must_be_of_today();
}

/// What would say nothing beside the rest of the line is wrong usage.
#[tokio::test]
async fn a_flag_that_says_nothing_there_is_refused_before_anything_is_sent() {
    let (receiver, _) = scene(Scene::Runs).await;
    let secret = receiver.home().join("secret").display().to_string();
    let keep = |more: &[&'static str]| {
        let start = [
            "credential",
            "create",
            "password",
            "token",
            "--user",
            "u",
            "--secret-file",
        ];
        let words = start
            .into_iter()
            .chain([secret.as_str()])
            .chain(more.iter().copied());
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    let line = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let asset = [
        "secret-asset",
        "create",
        "keys",
        "--credential",
        "token",
        "-p",
        "robots",
    ];
    for (words, flag) in [
        (keep(&["-p", "robots", "--url", "https://r.example"]), "--url"),
        (keep(&["-p", "robots", "--pair", "a=b"]), "--pair"),
        (keep(&["--scope", "tenant", "-p", "robots"]), "--project"),
        (keep(&["-p", "robots", "--department", "2"]), "--department"),
        (line(&[&asset[..], &["--cluster", CLUSTER]].concat()), "--cluster"),
        (
            line(&["auth", "preview", "--remove", "7", "-p", "robots"]),
            "--project",
        ),
        (
            line(&["auth", "preview", "--remove", "7", "--group", "ml"]),
            "--group",
        ),
        (
            line(&["service", "delete", "chat", "--failed-for", "1s"]),
            "--failed-for",
        ),
    ] {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let output = receiver.run(&words).await;
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
        assert!(said.contains(flag), "{words:?}: {said}");
        assert_eq!(receiver.calls().len(), 0, "{words:?}");
    }
    // What was chosen once for all commands was not said here.
    receiver.run(&["config", "project", "robots"]).await;
    receiver.calls();
    let words = keep(&["--scope", "tenant"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    receiver.run(&words).await;
    let sent = receiver.calls();
    assert_eq!(sent.last().unwrap().body["meta"]["scope"], "tenant", "{sent:?}");
}

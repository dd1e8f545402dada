//! Every command that a text of ours tells people to run is one that exists.
//!
//! The texts are read from the sources: each string in the product's crates, so that a new one needs no entry here. A command of
//! `reeve` has to parse, with samples for what stands in capitals or braces; where a text only names it (`reeve delete`), it has to be
//! there. A command of `kubectl` has to have a verb and flags that kubectl has. Remedies of admission are tried as they stand in
//! `crates/admission/tests/it/remedies.rs`.
//!
//! Planted faults: a hint `reeve kubeconfig write`; a flag that a command lost.

use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory, Parser};
use reeve_cli::args::Cli;

/// Whose texts people read.
const CRATES: [&str; 13] = [
    "admission-webhook",
    "api",
    "cli",
    "kube-facade",
    "kube-kit",
    "operator",
    "saml",
    "server",
    "serving",
    "serving-operator",
    "store",
    "tenancy",
    "workload",
];

/// What begins like a command and is none.
const PROSE: [&str; 3] = [
    "sign in",
    "permission set {}:{level}",
    "{chart} --namespace {SYSTEM_NAMESPACE}",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_test = path
            .file_name()
            .is_some_and(|name| name == "tests.rs" || name == "tests");
        if path.is_dir() && !is_test {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") && !is_test {
            found.push(path);
        }
    }
}

/// The strings of a source, without those of its tests.
fn strings(source: &str) -> Vec<String> {
    let product = source.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let (mut found, mut rest) = (Vec::new(), product);
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let (before, here) = rest.split_at(at);
        rest = if here.starts_with("//") {
            here.split_once('\n').map_or("", |(_, after)| after)
        } else if here.starts_with('\'') {
            // A character, which may be a quote; else a lifetime.
            let end = if here.starts_with("'\\") {
                here.get(2..).and_then(|it| it.find('\'')).map(|it| it + 3)
            } else {
                None
            };
            let plain = here.chars().nth(2) == Some('\'');
            let width = here.chars().take(3).map(char::len_utf8).sum();
            here.get(end.unwrap_or(if plain { width } else { 1 })..)
                .unwrap_or_default()
        } else if here.starts_with('"') {
            let hashes = before.len() - before.trim_end_matches('#').len();
            let raw = before.trim_end_matches('#').ends_with('r');
            let body = here.get(1..).unwrap_or_default();
            let end = if raw {
                body.find(&format!("\"{}", "#".repeat(hashes)))
            } else {
                closing(body)
            };
            let (text, after) = body.split_at(end.unwrap_or(body.len()));
            found.push(if raw { text.to_owned() } else { unescaped(text) });
            after.get(1..).unwrap_or_default()
        } else {
            here.get(1..).unwrap_or_default()
        };
    }
    found
}

fn closing(body: &str) -> Option<usize> {
    let mut escaped = false;
    body.char_indices()
        .find(|(_, c)| {
            let ends = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        })
        .map(|(at, _)| at)
}

/// A string as it is shown, as far as commands need it: lines that were broken, and quotes.
fn unescaped(text: &str) -> String {
    let mut lines = text.split("\\\n");
    let first = lines.next().unwrap_or_default().to_owned();
    let joined = lines.fold(first, |all, line| all + line.trim_start());
    joined
        .replace("\\\"", "\"")
        .replace("\\n", "\n")
        .replace("{{", "{")
        .replace("}}", "}")
}

/// The commands of a program in a text: in backquotes, or by themselves up to what cannot be part of one.
fn commands(text: &str, program: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (i, part) in text.split('`').enumerate() {
        if i % 2 == 1 && text.matches('`').count() > i {
            let whole = part.split(" | ").find_map(|one| one.strip_prefix(program));
            found.extend(whole.map(str::to_owned));
            continue;
        }
        for (at, _) in part.match_indices(program) {
            let alone = part
                .get(..at)
                .is_some_and(|before| before.is_empty() || before.ends_with([' ', '(', '\n']));
            let rest = part.get(at + program.len()..).unwrap_or_default();
            let ends = [
                ", ", ". ", "; ", " (", ")", " | ", " && ", "\n", ": ", "   ", " <<",
            ];
            let end = ends
                .iter()
                .filter_map(|end| rest.find(end))
                .min()
                .unwrap_or(rest.len());
            if let (true, Some(command)) = (alone, rest.get(..end)) {
                found.push(command.trim_end_matches(['.', ',', ';']).to_owned());
            }
        }
    }
    found
}

/// The words of a command once for each way to read it: alternatives (`exec|attach`), and values of each kind for what is left open.
fn readings(command: &str) -> Vec<Vec<String>> {
    let command = command.replace(['…', '[', ']'], "").replace("...", "");
    let Some(words) = shlex::split(&command) else {
        return Vec::new();
    };
    let alternatives = words
        .iter()
        .map(|word| word.split('|').count())
        .max()
        .unwrap_or(1);
    let sample = |word: &str, value: &str| -> String {
        let mut text = word.to_owned();
        while let (Some(open), Some(close)) = (text.find('{'), text.find('}')) {
            text.replace_range(open..=close.max(open), value);
        }
        let capitals = |part: &str| {
            part.len() > 1
                && part
                    .chars()
                    .all(|c| c.is_ascii_uppercase() || c == '_' || c == '-')
                && !part.starts_with('-')
        };
        let of = |part: &str| match part {
            "LOCAL" | "REMOTE" | "PORT" => "80".to_owned(),
            "DURATION" => "5s".to_owned(),
            "URL" => "https://reeve.example".to_owned(),
            "COMMAND" => "list".to_owned(),
            "EMAIL" => "a@reeve.example".to_owned(),
            part if capitals(part) => value.to_owned(),
            other => other.to_owned(),
        };
        let parts = |text: &str, by: char| text.split(by).map(of).collect::<Vec<_>>().join(&by.to_string());
        if text.contains("://") {
            text
        } else {
            parts(&parts(&text, ':'), '=')
        }
    };
    let values = [
        "x",
        "service",
        "723e4567-e89b-12d3-a456-426614174000",
        "a@reeve.example",
        "7",
        "Viewer",
    ];
    let mut all = Vec::new();
    for alternative in 0..alternatives {
        for value in values {
            let pick = |word: &String| {
                let choices: Vec<&str> = word.split('|').collect();
                sample(
                    choices
                        .get(alternative)
                        .or(choices.last())
                        .copied()
                        .unwrap_or_default(),
                    value,
                )
            };
            all.push(words.iter().map(pick).collect());
        }
    }
    all
}

/// The command that begins so, and whether nothing but its name is said.
fn named<'a>(cli: &'a Command, words: &[String]) -> Option<(&'a Command, bool)> {
    let (mut at, mut depth) = (cli, 0);
    for word in words {
        let Some(next) = at.find_subcommand(word) else {
            break;
        };
        (at, depth) = (next, depth + 1);
    }
    (depth > 0).then_some((at, depth == words.len()))
}

/// Whether the line is taken, also where `-p` is left out: a project can have been chosen.
fn parses(words: &[String]) -> Result<(), clap::Error> {
    let line = |more: &[&str]| {
        let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
        let (before, after) = words.split_at(end);
        let before = before.iter().map(String::as_str).chain(more.iter().copied());
        let all: Vec<&str> = before.chain(after.iter().map(String::as_str)).collect();
        Cli::try_parse_from([&["reeve"][..], &all].concat())
    };
    match line(&[]).or_else(|error| line(&["-p", "robots"]).map_err(|_| error)) {
        Err(error) if error.use_stderr() => Err(error),
        // Or it shows help, or the version.
        _ => Ok(()),
    }
}

/// What is wrong with a command of `reeve`.
fn complaint(cli: &Command, command: &str) -> Option<String> {
    let mut said = "no words".to_owned();
    for words in &readings(command) {
        let flag = words.first().is_some_and(|word| word.starts_with('-'));
        match named(cli, words) {
            None if !flag => said = "no such command".to_owned(),
            Some((_, true)) => return None,
            _ => match parses(words) {
                Ok(()) => return None,
                Err(error) => said = error.to_string(),
            },
        }
    }
    Some(format!("`reeve {command}`: {said}"))
}

/// Verbs and flags of kubectl that our texts use, as `kubectl VERB --help` lists them.
fn is_of_kubectl(command: &str) -> bool {
    const VERBS: [&str; 19] = [
        "annotate", "apply", "attach", "auth", "config", "cp", "create", "debug", "delete", "describe",
        "edit", "exec", "get", "label", "logs", "patch", "replace", "rollout", "top",
    ];
    const FLAGS: [&str; 24] = [
        "-A",
        "-f",
        "-l",
        "-n",
        "-o",
        "-p",
        "-w",
        "--all",
        "--as",
        "--cascade",
        "--clusterrole",
        "--field-selector",
        "--force",
        "--overwrite",
        "--serviceaccount",
        "--server-side",
        "--type",
        "--group",
        "--from-literal",
        "--verb",
        "--resource",
        "--resource-name",
        "--role",
        "--namespace",
    ];
    let mut words = command.split_whitespace();
    let Some(mut verb) = words.next() else { return true };
    if verb == "-n" {
        let (Some(_), Some(next)) = (words.next(), words.next()) else {
            return false;
        };
        verb = next;
    }
    let known = |word: &str| word == "-" || FLAGS.contains(&word.split('=').next().unwrap_or_default());
    VERBS.contains(&verb) && words.filter(|word| word.starts_with('-')).all(known)
}

#[test]
fn every_command_that_a_text_tells_people_to_run_exists() {
    let mut cli = Cli::command();
    cli.build();
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (mut wrong, mut seen) = (Vec::new(), [0, 0]);
    for name in CRATES {
        let mut files = Vec::new();
        sources(&crates.join(name).join("src"), &mut files);
        for file in files {
            let source = std::fs::read_to_string(&file).unwrap();
            let place = file.strip_prefix(crates).unwrap().display().to_string();
            for text in strings(&source) {
                for command in commands(&text, "reeve ") {
                    seen[0] += 1;
                    if PROSE.contains(&command.as_str()) {
                        continue;
                    }
                    wrong.extend(complaint(&cli, &command).map(|said| format!("{place}: {said}")));
                }
                for command in commands(&text, "kubectl ") {
                    seen[1] += 1;
                    if !PROSE.contains(&command.as_str()) && !is_of_kubectl(&command) {
                        wrong.push(format!("{place}: `kubectl {command}`"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        seen[0] > 80 && seen[1] > 20,
        "what reads the texts has gone blind: {seen:?}"
    );
}

#[test]
fn commands_that_do_not_exist_are_found() {
    let mut cli = Cli::command();
    cli.build();
    let text = r#"look: reeve project adopt {namespace} --try, or `reeve kubeconfig write --cluster ID`; not `reeve list -p PROJECT`"#;
    let found = commands(text, "reeve ");
    assert_eq!(found.len(), 3, "{found:?}");
    let wrong: Vec<_> = found
        .iter()
        .filter(|command| complaint(&cli, command).is_some())
        .collect();
    assert_eq!(
        wrong,
        ["project adopt {namespace} --try", "kubeconfig write --cluster ID"]
    );
    assert!(is_of_kubectl("-n x delete rolebinding {name}") && !is_of_kubectl("lable namespace x"));
    let source = "a('\"'); // \"no\"\nb(\"one \\\n   two\", r#\"three \"x\"\"#)";
    assert_eq!(strings(source), ["one two", "three \"x\""]);
}

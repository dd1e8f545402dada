//! Every flag of clap's own tree that the reference's table has no line for.
//!
//! A command has one sound line, and a flag is given in one way wherever it stands; what needs another line or another way stands
//! by itself in `table`. A flag that is in none of its lists, because it is new, has to be known there.

mod table;

use clap::{Arg, Command, CommandFactory};
use reeve_cli::args::Cli;

use super::Given::{self, Either, Value as With};
use super::Scene::{AtATerminal, NoPod};
use super::{ATTACH, BASH, ID, LINES, Line, line};

/// A command's words and more, as a line has them.
fn words_of(of: &'static str, more: &'static str) -> &'static [&'static str] {
    let ids = |word: &'static str| {
        let id = table::IDS.iter().find(|(name, _)| *name == word);
        id.map_or(word, |(_, id)| *id)
    };
    let all = of.split_whitespace().chain(more.split_whitespace().map(ids));
    all.collect::<Vec<_>>().leak()
}

fn one(of: &'static str, spelled: &'static str, words: &'static str, given: Given) -> Line {
    line(of, words_of(spelled, ""), words_of(of, words), given)
}

/// What needs another line than the command's, or is given in another way than usual.
fn otherwise() -> Vec<Line> {
    let by_name = Either("robots", "other");
    let mut all = vec![
        one("exec", "--project -p", "first", by_name).then(ID),
        one("bash", "--project -p", "first", by_name).when(AtATerminal),
        line("bash", &["--container", "-c"], BASH, With("injected")).when(AtATerminal),
        line("attach", &["--container", "-c"], ATTACH, With("injected")).when(AtATerminal),
        line("attach", &["--pod-running-timeout"], ATTACH, With("1s"))
            .when(NoPod)
            .that_waits(),
    ];
    let others = table::OTHERWISE.iter();
    all.extend(others.map(|&(of, spelled, words, given)| one(of, spelled, words, given)));
    let ending = table::ENDING.iter();
    all.extend(ending.map(|&(of, spelled, words)| one(of, spelled, words, With("0s")).that_waits()));
    all
}

/// A flag of a command, as it may be written.
struct Flag {
    of: String,
    spelled: Vec<String>,
}

impl Flag {
    fn of(command: &str, argument: &Arg) -> Option<Self> {
        let long = argument.get_long().into_iter();
        let longs = long.chain(argument.get_all_aliases().into_iter().flatten());
        let short = argument.get_short().into_iter();
        let shorts = short.chain(argument.get_all_short_aliases().into_iter().flatten());
        let spelled: Vec<String> = longs
            .map(|name| format!("--{name}"))
            .chain(shorts.map(|letter| format!("-{letter}")))
            .collect();
        (!spelled.is_empty()).then(|| Self {
            of: command.to_owned(),
            spelled,
        })
    }
}

/// The reference's own groups hold the same commands again.
const TWINS: [&str; 2] = ["training", "workload"];

fn flags(command: &Command, path: &str, found: &mut Vec<Flag>) {
    found.extend(
        command
            .get_arguments()
            .filter_map(|argument| Flag::of(path, argument)),
    );
    for deeper in command.get_subcommands() {
        let path = format!("{path} {}", deeper.get_name());
        if !TWINS.contains(&path.trim()) {
            flags(deeper, path.trim(), found);
        }
    }
}

fn all_flags() -> Vec<Flag> {
    let mut found = Vec::new();
    flags(&Cli::command(), "", &mut found);
    found
}

/// A line for each flag that the reference's table has none for, and the flags that nobody knows how to give.
pub(super) fn lines() -> (Vec<Line>, Vec<String>) {
    let (mut lines, mut unknown) = (otherwise(), Vec::new());
    for flag in all_flags() {
        let known = |spelled: &String| {
            let all = LINES.iter().chain(&lines);
            let mut of = all.filter(|line| line.of == flag.of);
            of.any(|line| line.spelled.contains(&spelled.as_str()))
        };
        let left: Vec<&'static str> = flag
            .spelled
            .iter()
            .filter(|spelled| !known(spelled))
            .map(|spelled| &*spelled.clone().leak())
            .collect();
        let named = |name: &str| flag.spelled.iter().any(|spelled| spelled == name);
        if left.is_empty()
            || table::ELSEWHERE
                .iter()
                .any(|(of, name, _)| *of == flag.of && named(name))
        {
            continue;
        }
        let sound = table::SOUND.iter().find(|(of, _)| *of == flag.of);
        let usual = table::USUAL.iter().find(|(name, _)| named(name));
        match (sound, usual) {
            (Some(&(of, words)), Some(&(_, given))) => {
                lines.push(line(of, left.leak(), words_of(of, words), given));
            }
            _ => unknown.push(format!("`{}` of `reeve {}`", left.join("`, `"), flag.of)),
        }
    }
    (lines, unknown)
}

/// Fails when something here is of a flag that is no more, or of one that has a line all the same, or when a twin differs.
pub(super) fn must_be_of_today() {
    let all = all_flags();
    let is_there = |of: &str, name: &str| {
        all.iter()
            .any(|flag| flag.of == of && flag.spelled.iter().any(|spelled| spelled == name))
    };
    for line in otherwise() {
        for spelled in line.spelled {
            assert!(is_there(line.of, spelled), "`{spelled}` of `{}`", line.of);
        }
    }
    let tried = otherwise();
    for (of, name, why) in table::ELSEWHERE {
        assert!(is_there(of, name) && why.len() > 10, "`{name}` of `{of}`");
        let mut lines = LINES.iter().chain(&tried);
        assert!(
            !lines.any(|line| line.of == *of && line.spelled.contains(name)),
            "`{name}` of `{of}` has a line"
        );
    }
    for (of, _) in table::SOUND {
        assert!(all.iter().any(|flag| flag.of == *of), "`reeve {of}` has no flags");
    }
    for (name, _) in table::USUAL {
        let used = all
            .iter()
            .any(|flag| flag.spelled.iter().any(|spelled| spelled == name));
        assert!(used, "no command has `{name}`");
    }
    let root = Cli::command();
    for twin in TWINS {
        let twin = root.find_subcommand(twin).unwrap();
        for command in twin.get_subcommands().filter(|it| it.get_name() != "standard") {
            let own = root.find_subcommand(command.get_name()).unwrap();
            let of = |command: &Command| {
                let mut found = Vec::new();
                flags(command, "", &mut found);
                found.into_iter().map(|flag| flag.spelled).collect::<Vec<_>>()
            };
            assert_eq!(of(command), of(own), "{}", command.get_name());
        }
    }
}

//! The small rules that no lint knows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Above this many lines a file needs a reason, written here.
const LONGEST_FILE: usize = 800;
const LONG_FILES_WITH_A_REASON: &[&str] = &[];

/// Effects in the programs that go by a bootstrap exception instead of a decision: uses of what [`EXCEPTIONS`] makes, called or
/// handed on. A new one needs a review: raise the number together with the reason in
/// `docs/development/authorization.md`.
const BOOTSTRAP_EXCEPTIONS: usize = 18;
/// The one file of the programs that makes permissions of exceptions.
const EXCEPTIONS: &str = "crates/server/src/audit.rs";

/// Words that show something unfinished, or a machine's own paths. Spelled in halves so that this file is clean.
const FORBIDDEN: &[(&str, &str)] = &[
    ("TO", "DO"),
    ("FIX", "ME"),
    ("todo", "!("),
    ("unimplemented", "!("),
    ("/work", "/main"),
    ("/work", "/shared"),
    ("#[ig", "nore"),
];

/// Looks through every committed or new text file.
pub(crate) fn check(root: &Path) -> Result<()> {
    let mut complaints = Vec::new();
    let mut bootstraps = 0;
    let exceptions = fs::read_to_string(root.join(EXCEPTIONS)).context("reading the exceptions")?;
    let makers = makers(&exceptions);
    for path in files(root)? {
        let Ok(text) = fs::read_to_string(root.join(&path)) else {
            continue;
        };
        complaints.extend(complaints_about(&path, &text));
        if is_of_a_program(&path) {
            bootstraps += uses(&makers, &text);
            if path != Path::new(EXCEPTIONS) && text.contains("Granted::bootstrap(") {
                complaints.push(format!(
                    "{}: a permission of an exception is made outside {EXCEPTIONS}",
                    path.display()
                ));
            }
        }
    }
    if bootstraps != BOOTSTRAP_EXCEPTIONS {
        complaints.push(format!(
            "{bootstraps} effects go by a bootstrap exception, {BOOTSTRAP_EXCEPTIONS} were reviewed (xtask/src/tidy.rs)"
        ));
    }
    complaints.extend(crate::dependencies::complaints(root)?);
    if !complaints.is_empty() {
        bail!("not tidy:\n  {}", complaints.join("\n  "));
    }
    Ok(())
}

/// Source that is compiled into a program: no tests, not the store's conformance suite, and not `authz`, which makes
/// permissions.
fn is_of_a_program(path: &Path) -> bool {
    let shown = path.to_string_lossy();
    shown.ends_with(".rs")
        && shown.starts_with("crates/")
        && shown.contains("/src/")
        && !shown.starts_with("crates/authz/")
        && !shown.starts_with("crates/store/src/conformance")
}

/// The functions and constants that make permissions of exceptions: those whose type names `Granted`.
fn makers(text: &str) -> Vec<String> {
    let code = code(text);
    let functions = code.split("fn ").skip(1).filter_map(|rest| {
        let signature = rest.split(['{', ';']).next()?;
        let (parameters, result) = signature.split_once("->")?;
        is_granted(result).then(|| words(parameters).next().map(str::to_owned))?
    });
    let constants = ["const ", "static "]
        .into_iter()
        .flat_map(|keyword| code.split(keyword).skip(1));
    let constants = constants.filter_map(|rest| {
        let (name, type_) = rest.split(['=', ';', '{']).next()?.split_once(':')?;
        let is_function = words(name).any(|word| word == "fn");
        (is_granted(type_) && !is_function).then(|| words(name).last().map(str::to_owned))?
    });
    functions.chain(constants).collect()
}

fn is_granted(type_: &str) -> bool {
    words(type_).any(|word| word == "Granted")
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

/// How often any of them is named, apart from where it is made and imported. Imported under another name it counts as a use
/// that was not reviewed.
fn uses(makers: &[String], text: &str) -> usize {
    let mut uses = 0;
    let mut importing = false;
    let mut before = String::new();
    for line in code(text).lines() {
        let line = line.trim_start();
        importing |= line.split_once("use ").is_some_and(|(before, _)| {
            before.is_empty() || (before.starts_with("pub") && before.ends_with([' ', ')']))
        });
        let mut words = words(line).peekable();
        while let Some(word) = words.next() {
            let named = makers.iter().any(|maker| maker == word);
            let renamed = words.peek() == Some(&"as");
            let made = ["fn", "const", "static"].contains(&before.as_str());
            uses += usize::from(named && if importing { renamed } else { !made });
            word.clone_into(&mut before);
        }
        importing &= !line.contains(';');
    }
    uses
}

/// A text without comments and without what stands in quotes. Lines stay lines, save in what is taken out.
fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let after_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let quoted = match next {
            '/' => comment(rest),
            '"' => string(rest),
            '\'' => character(rest),
            'r' if !after_word => raw_string(rest),
            'b' if !after_word => rest
                .strip_prefix('b')
                .and_then(raw_string)
                .map(|length| length + 1),
            _ => None,
        };
        match quoted {
            Some(_) => code.push(' '),
            None => code.push(next),
        }
        let length = quoted.unwrap_or(next.len_utf8());
        rest = rest.get(length..).unwrap_or_default();
    }
    code
}

/// How long the comment is with which this begins.
fn comment(text: &str) -> Option<usize> {
    let end_of = |end: &str| text.find(end).unwrap_or(text.len());
    if text.starts_with("//") {
        Some(end_of("\n"))
    } else {
        text.starts_with("/*").then(|| end_of("*/") + 2)
    }
}

fn string(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == '"' && !escaped {
            return Some(at + 1);
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

/// A character; `None` for a lifetime.
fn character(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().skip(1);
    let (_, first) = characters.next()?;
    if first == '\\' {
        characters.next()?;
        return characters.find(|(_, c)| *c == '\'').map(|(at, _)| at + 1);
    }
    characters
        .next()
        .filter(|(_, c)| *c == '\'')
        .map(|(at, _)| at + 1)
}

fn raw_string(text: &str) -> Option<usize> {
    let after = text.strip_prefix('r')?;
    let body = after.trim_start_matches('#');
    let hashes = after.len() - body.len();
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.strip_prefix('"')?.find(&end)?;
    Some(1 + hashes + 1 + length + end.len())
}

fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("listing files with git")?;
    Ok(String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(PathBuf::from)
        .collect())
}

fn complaints_about(path: &Path, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let shown = path.display().to_string();
    let code = path
        .extension()
        .is_some_and(|e| e == "rs" || e == "go" || e == "sh");
    if code && text.lines().count() > LONGEST_FILE && !LONG_FILES_WITH_A_REASON.contains(&shown.as_str()) {
        complaints.push(format!(
            "{shown}: longer than {LONGEST_FILE} lines without a written reason"
        ));
    }
    if path.file_name().is_some_and(|name| name == "mod.rs") {
        complaints.push(format!("{shown}: write `foo.rs` beside `foo/` instead"));
    }
    for (first, second) in FORBIDDEN {
        let word = format!("{first}{second}");
        if let Some(number) = text.lines().position(|line| line.contains(&word)) {
            complaints.push(format!("{shown}:{}: `{word}` may not be committed", number + 1));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_can_complain() {
        let long = "x\n".repeat(LONGEST_FILE + 1);
        assert_eq!(complaints_about(Path::new("a.rs"), &long).len(), 1);
        assert_eq!(complaints_about(Path::new("a/mod.rs"), "").len(), 1);
        let word = ["TO", "DO"].concat();
        assert_eq!(
            complaints_about(Path::new("a.md"), &format!("fine\n{word}: later\n")).len(),
            1
        );
        assert!(complaints_about(Path::new("a.rs"), "fn main() {}\n").is_empty());
    }

    #[test]
    fn whatever_makes_permissions_of_exceptions_is_found() {
        let text = "pub const fn one() -> Granted {}\nfn other() -> u8 { Granted }\n\
            pub fn several<'a>(\n    text: &'a str,\n)\n-> Result<\n    Granted,\n    Error,\n> {\n\
            // fn comment() -> Granted {\nconst VALUE: Granted = one();\nconst fn takes(it: Granted) {}";
        assert_eq!(makers(text), ["one", "several", "VALUE"]);
    }

    #[test]
    fn uses_of_exceptions_are_counted_where_programs_are_made() {
        let makers = ["link_status".to_owned()];
        for (text, count) in [
            ("pub const fn link_status() -> Granted {", 0),
            ("f(&link_status()); g(&audit::link_status());", 2),
            ("cluster.map(link_status)", 1),
            ("let make = audit::link_status;", 1),
            ("my_link_status(); link_status_of()", 0),
            ("use crate::audit::link_status;", 0),
            (
                "pub(crate) use crate::audit::{\n    founding,\n    link_status,\n};\nlink_status()",
                1,
            ),
            ("use crate::audit::link_status as quietly;", 1),
            (
                "// link_status()\n/* link_status() */ \"link_status()\" r#\"\" link_status()\"#",
                0,
            ),
            ("'\"'; link_status(); '\"'", 1),
            ("'\\''; link_status::<'a>(); b'\"'; link_status(); \"\\\"\"", 2),
        ] {
            assert_eq!(uses(&makers, text), count, "{text}");
        }
    }

    #[test]
    fn only_what_is_compiled_into_a_program_counts() {
        for (path, counts) in [
            ("crates/server/src/link/watch.rs", true),
            ("crates/server/tests/it/link.rs", false),
            ("crates/store/src/conformance/world.rs", false),
            ("crates/store/src/conformance.rs", false),
            ("crates/authz/src/decision.rs", false),
            ("xtask/src/tidy.rs", false),
            ("crates/server/src/notes.md", false),
        ] {
            assert_eq!(is_of_a_program(Path::new(path)), counts, "{path}");
        }
    }
}

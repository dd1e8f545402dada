//! The small rules that no lint knows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Above this many lines a file needs a reason, written here.
const LONGEST_FILE: usize = 800;
const LONG_FILES_WITH_A_REASON: &[&str] = &[];

/// Effects in the programs that go by a bootstrap exception instead of a decision: calls of the functions in
/// [`EXCEPTIONS`]. A new one needs a review: raise the number together with the reason in
/// `docs/development/authorization.md`.
const BOOTSTRAP_EXCEPTIONS: usize = 9;
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
            bootstraps += calls(&makers, &text);
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

/// The functions that make permissions of exceptions.
fn makers(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| line.contains("-> Granted"))
        .filter_map(|line| line.split_once("fn ")?.1.split_once('(').map(|(name, _)| name))
        .collect()
}

/// How often any of them is called. Imported under another name it counts as a call that was not reviewed.
fn calls(makers: &[&str], text: &str) -> usize {
    let of = |name: &&str| {
        let called = text.matches(&format!("{name}(")).count();
        let defined = text.matches(&format!("fn {name}(")).count();
        let renamed = text.matches(&format!("{name} as ")).count();
        called - defined + renamed
    };
    makers.iter().map(of).sum()
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
    fn calls_of_exceptions_are_counted_where_programs_are_made() {
        let makers = makers("pub const fn link_status() -> Granted {\nfn other() -> u8 {");
        assert_eq!(makers, ["link_status"]);
        assert_eq!(calls(&makers, "pub const fn link_status() -> Granted {"), 0);
        assert_eq!(calls(&makers, "f(&link_status()); g(&audit::link_status());"), 2);
        assert_eq!(calls(&makers, "use crate::audit::link_status as quietly;"), 1);
        assert_eq!(calls(&makers, "use crate::audit::link_status;"), 0);
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

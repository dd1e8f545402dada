//! The small rules that no lint knows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::bootstrap;

/// Above this many lines a file needs a reason, written here.
const LONGEST_FILE: usize = 800;
const LONG_FILES_WITH_A_REASON: &[&str] = &[];

/// Words that show something unfinished, or a machine's own paths. Spelled in halves so that this file is clean.
const FORBIDDEN: &[(&str, &str)] = &[
    ("TO", "DO"),
    ("FIX", "ME"),
    ("todo", "!("),
    ("unimplemented", "!("),
    ("/work", "/main"),
    ("/work", "/shared"),
    ("#[ig", "nore"),
    // A planted fault that a killed `cargo xtask mutants` left behind: the next run puts the file back.
    ("REEVE", "_FAULT"),
];

/// Looks through every committed or new text file.
pub(crate) fn check(root: &Path) -> Result<()> {
    let mut complaints = Vec::new();
    let mut bootstraps = bootstrap::Count::new(root)?;
    for path in files(root)? {
        let Ok(text) = fs::read_to_string(root.join(&path)) else {
            continue;
        };
        complaints.extend(complaints_about(&path, &text));
        complaints.extend(crate::words::complaints(&path, &text)?);
        bootstraps.look_at(&path, &text)?;
    }
    complaints.extend(bootstraps.complaints());
    complaints.extend(crate::dependencies::complaints(root)?);
    complaints.extend(crate::mutants::complaints(root)?);
    if !complaints.is_empty() {
        bail!("not tidy:\n  {}", complaints.join("\n  "));
    }
    Ok(())
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
}

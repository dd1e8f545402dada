//! The workspace's dependencies against the page that gives their reasons, and against the crates that use them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Where each has its reason.
const REASONS: &str = "docs/development/dependencies.md";

/// The package beside the workspace, which names its own.
const PEERS: &str = "peers/Cargo.toml";

/// One line for each entry of the workspace that has no reason or no user, and for each of the package beside it that has no reason.
pub(crate) fn complaints(root: &Path) -> Result<Vec<String>> {
    let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("reading {}", path.display()));
    let manifest = read(&root.join("Cargo.toml"))?;
    let reasons = read(&root.join(REASONS))?;
    let mut members = String::new();
    for folder in fs::read_dir(root.join("crates"))
        .context("listing the crates")?
        .map(|entry| entry.map(|entry| entry.path()))
        .chain([Ok(root.join("xtask"))])
    {
        members.push_str(&read(&folder?.join("Cargo.toml"))?);
    }
    let without_reason =
        |name: &str| (!names(&reasons, name)).then(|| format!("{REASONS} has no reason for `{name}`"));
    let beside = read(&root.join(PEERS))?;
    let beside = entries(&beside, "[dependencies]").filter_map(without_reason);
    Ok(entries(&manifest, "[workspace.dependencies]")
        .flat_map(|name| {
            let reason = without_reason(name);
            let user = (!members
                .lines()
                .any(|line| line.starts_with(&format!("{name}.workspace"))))
            .then(|| format!("Cargo.toml: no crate uses `{name}`"));
            reason.into_iter().chain(user)
        })
        .chain(beside)
        .collect())
}

/// The entries of a table that come from elsewhere.
fn entries<'m>(manifest: &'m str, table: &'static str) -> impl Iterator<Item = &'m str> {
    manifest
        .lines()
        .skip_while(move |line| *line != table)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.starts_with('#') && !line.contains("path = "))
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name))
}

/// Whether a text has this name as a word of its own.
fn names(text: &str, name: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_')
        .any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_within_another_is_not_named() {
        assert!(names("| JSON | serde 1, serde_json 1 |", "serde"));
        assert!(!names("serde_json 1, serde-saphyr", "serde"));
    }

    #[test]
    fn only_what_comes_from_elsewhere_is_an_entry() {
        let manifest = "[workspace]\na = 1\n[workspace.dependencies]\n# Ours. a = 1\nown = { path = \"x\" }\nfar = \"1\"\n[profile.dev]\nb = 2\n";
        assert_eq!(
            entries(manifest, "[workspace.dependencies]").collect::<Vec<_>>(),
            ["far"]
        );
        assert_eq!(entries(manifest, "[profile.dev]").collect::<Vec<_>>(), ["b"]);
        assert_eq!(entries(manifest, "[dependencies]").count(), 0);
    }
}

//! Files with faults in them, for as long as a build takes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::VARIABLE;
use super::list::Fault;
use super::run::Tests;

/// Builds the tests of all faults with the faults in them.
pub(crate) fn build(root: &Path, faults: &[Fault]) -> Result<Tests> {
    let kept = root.join("target/mutants/kept");
    put_back(root, &kept)?;
    let changed = changed(root, faults)?;
    for file in changed.keys() {
        let copy = kept.join(file);
        fs::create_dir_all(copy.parent().unwrap_or(&kept)).context("keeping the files as they are")?;
        fs::copy(root.join(file), &copy).with_context(|| format!("keeping `{}`", file.display()))?;
    }
    let written = write(root, &changed);
    let built = written.and_then(|()| Tests::build(root, faults));
    put_back(root, &kept)?;
    built
}

/// The text of each file with all its faults.
fn changed(root: &Path, faults: &[Fault]) -> Result<BTreeMap<PathBuf, String>> {
    let mut changed: BTreeMap<PathBuf, String> = BTreeMap::new();
    for fault in faults {
        let text = match changed.remove(&fault.file) {
            Some(text) => text,
            None => fs::read_to_string(root.join(&fault.file))
                .with_context(|| format!("reading `{}`", fault.file.display()))?,
        };
        let with = with_fault(&text, fault)
            .with_context(|| format!("`{}`: what it replaces is not there", fault.id))?;
        changed.insert(fault.file.clone(), with);
    }
    Ok(changed)
}

fn with_fault(text: &str, fault: &Fault) -> Option<String> {
    let (old, new) = (fault.old.trim_end(), fault.new.trim_end());
    let at_work = format!(
        "std::env::var_os(\"{VARIABLE}\").is_some_and(|fault| fault == \"{}\")",
        fault.id
    );
    let both = format!("if {at_work} {{ {new} }} else {{ {old} }}");
    let planted = if fault.statement {
        both
    } else {
        format!("({both})")
    };
    // Another fault may stand in the same place already: beside what this one replaces, which is there still.
    let (at, within) = match text.find(fault.within()) {
        Some(at) => (at, fault.within()),
        None => (text.find(old)?, old),
    };
    let (before, after) = text.split_at(at);
    let rest = after.strip_prefix(within)?;
    within
        .contains(old)
        .then(|| format!("{before}{}{rest}", within.replacen(old, &planted, 1)))
}

fn write(root: &Path, changed: &BTreeMap<PathBuf, String>) -> Result<()> {
    for (file, text) in changed {
        fs::write(root.join(file), text).with_context(|| format!("writing `{}`", file.display()))?;
    }
    Ok(())
}

/// The files as they were kept. They count as newer than the build, so that the next one takes them.
fn put_back(root: &Path, kept: &Path) -> Result<()> {
    let mut folders = vec![kept.to_owned()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&folder).context("listing kept files")? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let file = path.strip_prefix(kept)?;
            let text = fs::read(&path).with_context(|| format!("reading `{}`", path.display()))?;
            fs::write(root.join(file), text).with_context(|| format!("putting back `{}`", file.display()))?;
        }
    }
    if kept.is_dir() {
        fs::remove_dir_all(kept).context("removing kept files")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_stands_beside_what_it_replaces() {
        let text = with_fault("if a > 3 { b }", &Fault::of("a > 3", "false", false, None)).unwrap();
        let at_work = format!("std::env::var_os(\"{VARIABLE}\").is_some_and(|fault| fault == \"x\")");
        assert_eq!(
            text,
            format!("if (if {at_work} {{ false }} else {{ a > 3 }}) {{ b }}")
        );
        let statement = Fault::of("b();", "", true, None);
        assert!(with_fault("b();", &statement).unwrap().starts_with("if std"));
        assert!(with_fault("c();", &statement).is_none());
        let second = Fault::of("1", "2", false, Some("b(1)"));
        assert!(
            with_fault("a(1); b(1)", &second)
                .unwrap()
                .starts_with("a(1); b((if")
        );
    }

    #[test]
    fn what_a_killed_build_left_behind_is_put_back() {
        let root = std::env::temp_dir().join(format!("reeve-mutants-{}", std::process::id()));
        let kept = root.join("kept");
        fs::create_dir_all(kept.join("src")).unwrap();
        fs::create_dir_all(root.join("src")).unwrap();
        fs::write(kept.join("src/a.rs"), "right").unwrap();
        fs::write(root.join("src/a.rs"), "wrong").unwrap();
        put_back(&root, &kept).unwrap();
        assert_eq!(fs::read_to_string(root.join("src/a.rs")).unwrap(), "right");
        assert!(!kept.exists());
        fs::remove_dir_all(&root).unwrap();
    }
}

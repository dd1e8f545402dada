//! The list of faults, and whether it still fits the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::run::Test;

/// Where the list is.
pub(crate) const FILE: &str = "hack/mutants-control-plane.yaml";

/// One fault.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// Its name.
    pub(crate) id: String,
    /// What it breaks, as the issue or the page says it.
    pub(crate) promise: String,
    /// The file, from the root.
    pub(crate) file: PathBuf,
    /// Text that stands there once and holds [`Fault::old`]; without it that itself stands there once.
    within: Option<String>,
    /// What is replaced: an expression, or with [`Fault::statement`] statements.
    pub(crate) old: String,
    /// What stands there instead.
    pub(crate) new: String,
    /// Whether both are statements.
    #[serde(default)]
    pub(crate) statement: bool,
    /// The crate whose test must turn red.
    pub(crate) package: String,
    /// The test, with its modules.
    pub(crate) test: String,
    /// Whether it is beside the code, not in `tests/it`.
    #[serde(default)]
    pub(crate) unit: bool,
}

impl Fault {
    /// The test that must notice it.
    pub(crate) fn test(&self) -> Test {
        Test {
            package: self.package.clone(),
            unit: self.unit,
            name: self.test.clone(),
        }
    }

    fn complaint(&self, root: &Path) -> Option<String> {
        let shown = self.file.display();
        let text = match fs::read_to_string(root.join(&self.file)) {
            Ok(text) => text,
            Err(error) => return Some(format!("{shown} cannot be read: {error}")),
        };
        let met = text.matches(self.within()).count();
        if met != 1 || self.within().matches(self.old.trim_end()).count() != 1 {
            return Some(format!(
                "what it replaces stands {met} times in {shown}, once is needed"
            ));
        }
        None
    }

    /// What stands in the file once.
    pub(crate) fn within(&self) -> &str {
        self.within.as_deref().unwrap_or(&self.old).trim_end()
    }

    /// For tests of this program.
    #[cfg(test)]
    pub(crate) fn of(old: &str, new: &str, statement: bool, within: Option<&str>) -> Self {
        Self {
            id: "x".to_owned(),
            promise: String::new(),
            file: PathBuf::from("a.rs"),
            within: within.map(str::to_owned),
            old: old.to_owned(),
            new: new.to_owned(),
            statement,
            package: String::new(),
            test: String::new(),
            unit: false,
        }
    }
}

/// All faults.
pub(crate) fn read(root: &Path) -> Result<Vec<Fault>> {
    let text = fs::read_to_string(root.join(FILE)).with_context(|| format!("reading `{FILE}`"))?;
    serde_saphyr::from_str(&text).with_context(|| format!("`{FILE}` is no list of faults"))
}

/// One line for each fault that does not fit the code any more.
pub(crate) fn complaints(root: &Path) -> Result<Vec<String>> {
    let mut names = BTreeSet::new();
    let mut complaints = Vec::new();
    for fault in read(root)? {
        if !names.insert(fault.id.clone()) {
            complaints.push(format!("{FILE}: `{}` is there twice", fault.id));
        }
        let complaint = fault.complaint(root);
        complaints.extend(complaint.map(|complaint| format!("{FILE}: `{}`: {complaint}", fault.id)));
    }
    Ok(complaints)
}

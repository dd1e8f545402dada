//! The bills of materials of the images, by the schema of CycloneDX.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{Scan, output, succeeded};

/// What the checker has to refuse, or it is not believed of the rest.
const FAULTY: &str =
    r#"{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [{"type": "library"}]}"#;

/// Writes those that `cargo xtask images` puts beside the images, and has them checked; how many there are.
pub(super) fn check(root: &Path, scan: &Scan, folder: &Path) -> Result<usize> {
    let checker = || {
        let mut command = Command::new(scan.checkov.join("bin/python"));
        command.arg(root.join("testbed/scan/bills.py"));
        command
    };
    let faulty = folder.join("faulty.cdx.json");
    fs::write(&faulty, FAULTY).with_context(|| format!("writing `{}`", faulty.display()))?;
    let said = output(checker().arg(&faulty))?;
    let words = String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
    ensure!(
        !said.status.success() && words.contains("'name' is a required property"),
        "a bill of materials with a component that has no name is not refused for it: {words}"
    );
    let bills = crate::images::bills(root)?;
    let mut files = Vec::new();
    for (program, bill) in &bills {
        let file = folder.join(format!("{program}.cdx.json"));
        fs::write(&file, bill).with_context(|| format!("writing `{}`", file.display()))?;
        files.push(file);
    }
    succeeded(checker().args(&files))?;
    Ok(files.len())
}

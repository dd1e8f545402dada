//! The charts as Helm renders them, one file for each set of values.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::succeeded;

/// The Kubernetes that is rendered for: the one the tests run on.
const KUBERNETES: &str = "--kube-version=1.37.2";
/// The charts, each with the namespace that its page installs it in. Each has sets of values.
const CHARTS: [(&str, &str); 3] = [
    ("aim-engine", "aim-system"),
    ("reeve-cluster", "reeve-system"),
    ("reeve-server", "reeve"),
];
/// The chart with what scanners have to find.
const FAULTY: &str = "faulty";

/// One file for each of `testbed/scan/values/CHART.SET.yaml`.
pub(super) fn charts(root: &Path, helm: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let sets = root.join("testbed/scan/values");
    let mut values = Vec::new();
    for entry in fs::read_dir(&sets).with_context(|| format!("reading `{}`", sets.display()))? {
        values.push(entry?.path());
    }
    values.sort();
    let mut rendered = Vec::new();
    for (chart, namespace) in CHARTS {
        let begin = format!("{chart}.");
        let before = rendered.len();
        for (name, values) in values
            .iter()
            .filter_map(|path| Some((path.file_stem()?.to_str()?, path)))
        {
            if name.starts_with(&begin) {
                let text = succeeded(
                    Command::new(helm)
                        .args([
                            "template",
                            chart,
                            "--namespace",
                            namespace,
                            KUBERNETES,
                            "--values",
                        ])
                        .arg(values)
                        .arg(root.join("charts").join(chart)),
                )?;
                rendered.push(write(folder, name, &text)?);
            }
        }
        ensure!(
            rendered.len() > before,
            "no values for the chart `{chart}` in `{}`",
            sets.display()
        );
    }
    ensure!(
        rendered.len() == values.len(),
        "`{}` has values for a chart that is not scanned: name it in xtask/src/scan/render.rs",
        sets.display()
    );
    for entry in fs::read_dir(root.join("charts")).context("reading `charts`")? {
        let name = entry?.file_name();
        ensure!(
            CHARTS.iter().any(|(chart, _)| *chart == name),
            "the chart `{}` is not scanned: name it in xtask/src/scan/render.rs",
            name.display()
        );
    }
    Ok(rendered)
}

/// What the scanners have to find something in.
pub(super) fn faulty(root: &Path, helm: &Path, folder: &Path) -> Result<PathBuf> {
    let text = succeeded(
        Command::new(helm)
            .args(["template", FAULTY, "--namespace", FAULTY, KUBERNETES])
            .arg(root.join("testbed/scan").join(FAULTY)),
    )?;
    write(folder, FAULTY, &text)
}

fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let file = folder.join(format!("{name}.yaml"));
    fs::write(&file, text).with_context(|| format!("writing `{}`", file.display()))?;
    Ok(file)
}

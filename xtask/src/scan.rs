//! Scanners over the charts as Helm renders them with several sets of values, and over the bills of materials of the images:
//! kubeconform (schemas of the very API server the tests run on, and of the kinds of others), kube-score, checkov, and the schema of
//! CycloneDX. Every finding has to be one of `testbed/scan/accepted.yaml`, with a reason, and every entry there has to be found still.
//!
//! Before that each of them is shown what it has to find (`planted.rs`): one that finds nothing there is not taken to find nothing
//! elsewhere.

mod accepted;
mod bills;
mod planted;
mod render;
mod scanners;
mod schemas;

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;

use scanners::Scanners;

/// What is asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Scan {
    /// The folder with helm.
    #[arg(long)]
    tools: PathBuf,
    /// The folder with kubeconform, kube-score, and `swagger.json` of the API server.
    #[arg(long)]
    scanners: PathBuf,
    /// The folder with checkov's Python: `bin/checkov` and `bin/python`.
    #[arg(long)]
    checkov: PathBuf,
    /// The folder with the custom resource definitions of others, one folder a project.
    #[arg(long)]
    definitions: PathBuf,
}

/// Something that a scanner says of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    tool: &'static str,
    id: String,
    /// `Kind/name`.
    object: String,
    says: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} of {}: {}", self.tool, self.id, self.object, self.says)
    }
}

/// Renders, scans, compares.
pub(crate) fn run(root: &Path, scan: &Scan) -> Result<()> {
    let folder = root.join("target/scan");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("removing `{}`", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("making `{}`", folder.display()))?;
    let helm = scan.tools.join("helm");
    let rendered = render::charts(root, &helm, &folder)?;
    let faulty = render::faulty(root, &helm, &folder)?;
    let scanners = Scanners::new(scan, folder.join("schemas"));
    schemas::write(
        &scan.scanners.join("swagger.json"),
        &definitions(root, scan),
        scanners.schemas(),
        rendered.iter().chain([&faulty]),
    )?;
    planted::must_be_found(&scanners.look_at(&faulty)?)?;
    let mut objects = 0;
    for file in &rendered {
        objects += documents(&read(file)?)?.len();
    }
    let found = look_at_all(&scanners, &rendered)?;
    let accepted = root.join("testbed/scan/accepted.yaml");
    accepted::compare(&read(&accepted)?, &found)
        .with_context(|| format!("comparing with `{}`", accepted.display()))?;
    let bills = bills::check(root, scan, &folder)?;
    super::say(&format!(
        "{objects} objects of {} renderings: {} findings, each with a reason in testbed/scan/accepted.yaml; {bills} bills of materials",
        rendered.len(),
        found.len()
    ));
    Ok(())
}

/// Of which others kinds are in the charts, by the folders of `testbed/build.sh kinds`.
const OTHERS: [&str; 3] = ["certmanager", "openshift", "prometheus"];

/// Folders with the custom resource definitions of our own kinds, and of others' that are in the charts.
fn definitions(root: &Path, scan: &Scan) -> Vec<PathBuf> {
    let ours = ["reeve-cluster", "aim-engine"].map(|chart| root.join("charts").join(chart).join("crds"));
    let others = OTHERS.map(|project| scan.definitions.join(project));
    ours.into_iter().chain(others).collect()
}

/// As many renderings at a time as there are processors: checkov takes seconds for each.
fn look_at_all(scanners: &Scanners, rendered: &[PathBuf]) -> Result<BTreeSet<Finding>> {
    let width = thread::available_parallelism().map_or(1, usize::from);
    let mut found = BTreeSet::new();
    for some in rendered.chunks(width) {
        let outcomes: Vec<Result<Vec<Finding>>> = thread::scope(|scope| {
            let threads: Vec<_> = some
                .iter()
                .map(|file| scope.spawn(move || scanners.look_at(file)))
                .collect();
            let ended = threads.into_iter().map(|one| {
                one.join()
                    .unwrap_or_else(|_| Err(anyhow!("a scanner's thread panicked")))
            });
            ended.collect()
        });
        for outcome in outcomes {
            found.extend(outcome?);
        }
    }
    Ok(found)
}

/// What a program printed, when it ended well.
fn succeeded(command: &mut Command) -> Result<String> {
    let output = output(command)?;
    ensure!(
        output.status.success(),
        "{command:?} ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

fn output(command: &mut Command) -> Result<Output> {
    command.output().with_context(|| format!("starting {command:?}"))
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("reading `{}`", file.display()))
}

/// The objects of a rendered file.
fn documents(text: &str) -> Result<Vec<Value>> {
    text.split("\n---\n")
        .map(|document| serde_saphyr::from_str::<Value>(document).with_context(|| document.to_owned()))
        .filter(|document| !matches!(document, Ok(Value::Null)))
        .collect()
}

fn list<'v>(value: &'v Value, path: &str) -> impl Iterator<Item = &'v Value> {
    value
        .pointer(path)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// The text at this path, empty where there is none.
fn words(value: &Value, path: &str) -> String {
    let text = value.pointer(path).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

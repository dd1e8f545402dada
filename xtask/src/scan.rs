//! Scanners over the charts as Helm renders them with several sets of values: kubeconform (schemas of the very API server the tests
//! run on), kube-score, and checkov where asked for. Every finding has to be one of `testbed/scan/accepted.yaml`, with a reason, and
//! every entry there has to be found still.

mod schemas;

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

/// Kinds of others, whose schemas are not the API server's: tests compare them with the real definitions instead.
const OF_OTHERS: &str = "Certificate,SecurityContextConstraints";
/// kube-score says 10 for what is as it should be.
const ALL_OK: u64 = 10;

/// What is asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Scan {
    /// The folder with helm.
    #[arg(long)]
    tools: PathBuf,
    /// The folder with kubeconform, kube-score, and `swagger.json` of the API server.
    #[arg(long)]
    scanners: PathBuf,
    /// The program checkov; without it that scanner does not run.
    #[arg(long)]
    checkov: Option<PathBuf>,
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

/// Findings that stay, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    tool: String,
    id: String,
    /// `Kind/name`, or `Kind/*`.
    objects: Vec<String>,
    reason: String,
}

impl Accepted {
    fn covers(&self, object: &str) -> impl Iterator<Item = &String> {
        let kind = object.split('/').next().unwrap_or_default();
        let all = format!("{kind}/*");
        let object = object.to_owned();
        self.objects
            .iter()
            .filter(move |pattern| **pattern == object || **pattern == all)
    }
}

/// Renders, scans, compares.
pub(crate) fn run(root: &Path, scan: &Scan) -> Result<()> {
    let folder = root.join("target/scan");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("removing `{}`", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("making `{}`", folder.display()))?;
    let rendered = render_all(root, scan, &folder)?;
    let mut found = BTreeSet::new();
    let mut objects = 0;
    schemas::write(
        &scan.scanners.join("swagger.json"),
        &root.join("charts/reeve-cluster/crds"),
        &folder.join("schemas"),
        &rendered,
    )?;
    for file in &rendered {
        objects += documents(&read(file)?)?.len();
        found.extend(kubeconform(scan, &folder, file)?);
        found.extend(kube_score(scan, file)?);
        if let Some(program) = &scan.checkov {
            found.extend(checkov(program, file)?);
        }
    }
    compare(root, scan, &found)?;
    super::say(&format!(
        "{objects} objects of {} renderings: {} findings, each with a reason in testbed/scan/accepted.yaml",
        rendered.len(),
        found.len()
    ));
    Ok(())
}

fn compare(root: &Path, scan: &Scan, found: &BTreeSet<Finding>) -> Result<()> {
    let file = root.join("testbed/scan/accepted.yaml");
    let accepted: Vec<Accepted> =
        serde_saphyr::from_str(&read(&file)?).with_context(|| format!("reading `{}`", file.display()))?;
    let mut complaints = Vec::new();
    let mut used = BTreeSet::new();
    for finding in found {
        let mut covered = false;
        for (index, entry) in accepted.iter().enumerate() {
            if entry.tool == finding.tool && entry.id == finding.id {
                for pattern in entry.covers(&finding.object) {
                    used.insert((index, pattern.clone()));
                    covered = true;
                }
            }
        }
        if !covered {
            complaints.push(finding.to_string());
        }
    }
    for (index, entry) in accepted.iter().enumerate() {
        if entry.reason.trim().is_empty() {
            complaints.push(format!(
                "{} {} is accepted without a reason",
                entry.tool, entry.id
            ));
        }
        let looked_for = entry.tool != "checkov" || scan.checkov.is_some();
        for object in &entry.objects {
            if looked_for && !used.contains(&(index, object.clone())) {
                complaints.push(format!(
                    "{} {} of {object} is accepted and not found any more: take it out of testbed/scan/accepted.yaml",
                    entry.tool, entry.id
                ));
            }
        }
    }
    ensure!(
        complaints.is_empty(),
        "scanners found:\n  {}",
        complaints.join("\n  ")
    );
    Ok(())
}

/// One file for each of `testbed/scan/values/CHART.SET.yaml`.
fn render_all(root: &Path, scan: &Scan, folder: &Path) -> Result<Vec<PathBuf>> {
    let sets = root.join("testbed/scan/values");
    let mut rendered = Vec::new();
    for entry in fs::read_dir(&sets).with_context(|| format!("reading `{}`", sets.display()))? {
        let values = entry?.path();
        let name = values
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let (chart, _) = name
            .split_once('.')
            .with_context(|| format!("`{name}` is no CHART.SET"))?;
        let namespace = if chart == "reeve-cluster" {
            "reeve-system"
        } else {
            "reeve"
        };
        let output = Command::new(scan.tools.join("helm"))
            .args([
                "template",
                chart,
                "--namespace",
                namespace,
                "--kube-version=1.37.2",
            ])
            .arg("--values")
            .arg(&values)
            .arg(root.join("charts").join(chart))
            .output()
            .context("running helm")?;
        let text = succeeded("helm", output)?;
        let file = folder.join(format!("{name}.yaml"));
        fs::write(&file, text).with_context(|| format!("writing `{}`", file.display()))?;
        rendered.push(file);
    }
    rendered.sort();
    ensure!(
        rendered.len() > 3,
        "too few sets of values in `{}`",
        sets.display()
    );
    Ok(rendered)
}

fn succeeded(program: &str, output: Output) -> Result<String> {
    ensure!(
        output.status.success(),
        "{program} ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
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

fn kubeconform(scan: &Scan, folder: &Path, file: &Path) -> Result<Vec<Finding>> {
    let schemas = folder.join("schemas").display().to_string();
    let output = Command::new(scan.scanners.join("kubeconform"))
        .args([
            "-strict",
            "-output",
            "json",
            "-skip",
            OF_OTHERS,
            "-schema-location",
        ])
        .arg(format!(
            "{schemas}/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json"
        ))
        .arg(file)
        .output()
        .context("running kubeconform")?;
    let said: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("kubeconform said: {}", String::from_utf8_lossy(&output.stderr)))?;
    // What is as it should be is not listed, and the exit code says the rest.
    let found: Vec<_> = list(&said, "/resources")
        .filter(|resource| words(resource, "/status") != "statusSkipped")
        .map(|resource| Finding {
            tool: "kubeconform",
            id: words(resource, "/status"),
            object: format!("{}/{}", words(resource, "/kind"), words(resource, "/name")),
            says: words(resource, "/msg"),
        })
        .collect();
    ensure!(
        output.status.success() || !found.is_empty(),
        "kubeconform ended with {} and found nothing",
        output.status
    );
    Ok(found)
}

fn kube_score(scan: &Scan, file: &Path) -> Result<Vec<Finding>> {
    let output = Command::new(scan.scanners.join("kube-score"))
        .args(["score", "--output-format=json", "--kubernetes-version=v1.37"])
        .arg(file)
        .output()
        .context("running kube-score")?;
    let said: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("kube-score said: {}", String::from_utf8_lossy(&output.stderr)))?;
    let mut found = Vec::new();
    for object in said.as_array().into_iter().flatten() {
        let name = format!(
            "{}/{}",
            words(object, "/type_meta/kind"),
            words(object, "/object_meta/name")
        );
        for check in list(object, "/checks") {
            let graded = check.get("grade").and_then(Value::as_u64).unwrap_or_default();
            if check.get("skipped") == Some(&Value::Bool(true)) || graded >= ALL_OK {
                continue;
            }
            let says: Vec<String> = list(check, "/comments").map(|it| words(it, "/summary")).collect();
            found.push(Finding {
                tool: "kube-score",
                id: words(check, "/check/id"),
                object: name.clone(),
                says: says.join("; "),
            });
        }
    }
    Ok(found)
}

fn checkov(program: &Path, file: &Path) -> Result<Vec<Finding>> {
    // Its own telemetry and updates aside, it needs no network.
    let output = Command::new(program)
        .args([
            "--framework=kubernetes",
            "--skip-download",
            "--quiet",
            "--compact",
            "--output=json",
            "--file",
        ])
        .arg(file)
        .env("BC_SKIP_MAPPING", "TRUE")
        .output()
        .with_context(|| format!("running `{}`", program.display()))?;
    let said: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("checkov said: {}", String::from_utf8_lossy(&output.stderr)))?;
    if said.pointer("/results").is_none() {
        bail!("checkov looked at nothing in `{}`: {said}", file.display());
    }
    let found = list(&said, "/results/failed_checks").map(|check| {
        // Kind.namespace.name
        let resource = words(check, "/resource");
        let mut parts = resource.splitn(3, '.');
        let (kind, name) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
        Finding {
            tool: "checkov",
            id: words(check, "/check_id"),
            object: format!("{kind}/{name}"),
            says: words(check, "/check_name"),
        }
    });
    Ok(found.collect())
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

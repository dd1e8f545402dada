//! The programs, and what they say.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Finding, Scan, list, output, words};

/// kube-score says 10 for what is as it should be.
const ALL_OK: u64 = 10;

/// Where they are.
pub(super) struct Scanners {
    kubeconform: PathBuf,
    kube_score: PathBuf,
    checkov: PathBuf,
    schemas: PathBuf,
}

impl Scanners {
    /// `schemas` is where [`super::schemas::write`] leaves those of the kinds that are looked at.
    pub(super) fn new(scan: &Scan, schemas: PathBuf) -> Self {
        Self {
            kubeconform: scan.scanners.join("kubeconform"),
            kube_score: scan.scanners.join("kube-score"),
            checkov: scan.checkov.join("bin/checkov"),
            schemas,
        }
    }

    /// The folder of the schemas.
    pub(super) fn schemas(&self) -> &Path {
        &self.schemas
    }

    /// What all of them say of a rendered file.
    pub(super) fn look_at(&self, file: &Path) -> Result<Vec<Finding>> {
        let mut found = self.kubeconform(file)?;
        found.extend(self.kube_score(file)?);
        found.extend(self.checkov(file)?);
        Ok(found)
    }

    fn kubeconform(&self, file: &Path) -> Result<Vec<Finding>> {
        let schema = format!(
            "{}/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json",
            self.schemas.display()
        );
        let output = output(
            Command::new(&self.kubeconform)
                .args(["-strict", "-output", "json", "-schema-location", &schema])
                .arg(file),
        )?;
        let said: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("kubeconform said: {}", String::from_utf8_lossy(&output.stderr)))?;
        // What is as it should be is not listed, and the exit code says the rest.
        let found: Vec<_> = list(&said, "/resources")
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

    fn kube_score(&self, file: &Path) -> Result<Vec<Finding>> {
        let output = output(
            Command::new(&self.kube_score)
                .args(["score", "--output-format=json", "--kubernetes-version=v1.37"])
                .arg(file),
        )?;
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

    /// One file at a time: of several together it would take a policy in one for a policy of the pods in another.
    fn checkov(&self, file: &Path) -> Result<Vec<Finding>> {
        // Its own telemetry and updates aside, it needs no network.
        let output = output(
            Command::new(&self.checkov)
                .args([
                    "--framework=kubernetes",
                    "--skip-download",
                    "--quiet",
                    "--compact",
                    "--output=json",
                    "--file",
                ])
                .arg(file)
                .env("BC_SKIP_MAPPING", "TRUE"),
        )?;
        let said: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("checkov said: {}", String::from_utf8_lossy(&output.stderr)))?;
        ensure!(
            said.pointer("/results").is_some(),
            "checkov looked at nothing in `{}`: {said}",
            file.display()
        );
        let unread = list(&said, "/results/parsing_errors").map(Value::to_string);
        let unread: Vec<String> = unread.collect();
        ensure!(
            unread.is_empty(),
            "checkov cannot read all of `{}`: {}",
            file.display(),
            unread.join(", ")
        );
        let found = list(&said, "/results/failed_checks").map(|check| {
            // Kind.namespace.name, and of a pod in a template its labels after that.
            let resource = words(check, "/resource");
            let mut parts = resource.splitn(3, '.');
            let (kind, mut name) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
            if let ("Pod", Some((before, _))) = (kind, name.split_once('.')) {
                name = before;
            }
            Finding {
                tool: "checkov",
                id: words(check, "/check_id"),
                object: format!("{kind}/{name}"),
                says: words(check, "/check_name"),
            }
        });
        Ok(found.collect())
    }
}

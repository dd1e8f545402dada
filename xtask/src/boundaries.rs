//! Which crate may name which. The table below is the layering of `ARCHITECTURE.md`; an edge that is not in it fails.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Our crates and the ones of ours that each may use in its normal dependencies.
const ALLOWED: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("authz", &["types"]),
    ("admission", &["types"]),
    ("link", &["types"]),
    ("api", &["types", "authz"]),
    ("crds", &["types", "link", "admission"]),
    ("tenancy", &["types", "link", "admission", "crds"]),
    ("workload", &["types", "link", "admission", "crds"]),
    ("store", &["types", "authz", "link"]),
    ("store-sql", &["types", "authz", "link", "store"]),
    ("identity", &["types"]),
    ("kube-kit", &["types"]),
    (
        "server",
        &[
            "types",
            "authz",
            "admission",
            "link",
            "api",
            "store",
            "store-sql",
            "identity",
        ],
    ),
    (
        "operator",
        &[
            "types",
            "admission",
            "link",
            "crds",
            "tenancy",
            "workload",
            "kube-kit",
        ],
    ),
    ("serving-crds", &[]),
    ("serving", &["serving-crds"]),
    ("cli", &["types", "admission", "api"]),
    ("testkit", &["types"]),
    (
        "demo",
        &["types", "api", "crds", "admission", "tenancy", "testkit"],
    ),
    (
        "bench",
        &["types", "authz", "admission", "api", "crds", "testkit", "demo"],
    ),
];

/// Crates that decide and build, and touch nothing: no runtime, database, HTTP or Kubernetes client by name.
const PURE: &[&str] = &[
    "types",
    "authz",
    "admission",
    "tenancy",
    "workload",
    "link",
    "api",
    "serving",
];
const IMPURE_LIBRARIES: &[&str] = &[
    "tokio",
    "sqlx",
    "axum",
    "axum-server",
    "reqwest",
    "hyper",
    "kube",
    "tower-http",
    "futures",
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

/// Reads the workspace's manifests through cargo and compares every edge with the table.
pub(crate) fn check(root: &Path) -> Result<()> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .context("running cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("reading cargo metadata")?;
    let complaints = complaints(&metadata.packages);
    if !complaints.is_empty() {
        bail!("boundaries crossed:\n  {}", complaints.join("\n  "));
    }
    Ok(())
}

fn complaints(packages: &[Package]) -> Vec<String> {
    let allowed: BTreeMap<&str, BTreeSet<&str>> = ALLOWED
        .iter()
        .map(|(name, list)| (*name, list.iter().copied().collect()))
        .collect();
    let mut complaints = Vec::new();
    for package in packages {
        let Some(name) = package.name.strip_prefix("reeve-") else {
            continue;
        };
        let Some(may_use) = allowed.get(name) else {
            complaints.push(format!(
                "`{}` is missing from the table in xtask/src/boundaries.rs",
                package.name
            ));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|d| d.kind.is_none()) {
            if let Some(other) = dependency.name.strip_prefix("reeve-") {
                if !may_use.contains(other) {
                    complaints.push(format!("`{name}` may not use `{other}`"));
                }
            } else if PURE.contains(&name) && IMPURE_LIBRARIES.contains(&dependency.name.as_str()) {
                complaints.push(format!("`{name}` is pure and may not use `{}`", dependency.name));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependency: &str) -> Package {
        let dependency = Dependency {
            name: dependency.to_owned(),
            kind: None,
        };
        Package {
            name: name.to_owned(),
            dependencies: vec![dependency],
        }
    }

    #[test]
    fn an_edge_up_the_layers_is_a_complaint() {
        assert!(complaints(&[package("reeve-server", "reeve-authz")]).is_empty());
        assert_eq!(complaints(&[package("reeve-authz", "reeve-server")]).len(), 1);
        assert_eq!(complaints(&[package("reeve-authz", "tokio")]).len(), 1);
        assert_eq!(complaints(&[package("reeve-new", "serde")]).len(), 1);
    }
}

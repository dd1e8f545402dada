//! Which crate may name which. The table below is the layering of `ARCHITECTURE.md`; an edge that is not in it fails, and so
//! does one of it that no crate uses any more. Pure crates are checked with everything that they bring in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, bail};

use crate::metadata::{Metadata, Node, Package};

/// Our crates and the ones of ours that each may use in its normal dependencies.
const ALLOWED: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("authz", &["types"]),
    ("admission", &["types"]),
    ("admission-webhook", &["admission", "https"]),
    ("link", &["types"]),
    ("api", &["types", "authz"]),
    ("kube-facade", &[]),
    ("crds", &["types", "link", "kube-facade"]),
    ("tenancy", &["types", "authz", "admission", "crds"]),
    ("workload", &["types", "admission", "crds"]),
    ("store", &["types", "authz", "link"]),
    ("store-sql", &["types", "authz", "link", "store"]),
    ("identity", &["types"]),
    ("saml", &["types"]),
    ("oidc", &["types"]),
    ("webauthn", &[]),
    ("files", &[]),
    ("https", &["types"]),
    ("kube-kit", &["types", "https"]),
    (
        "server",
        &[
            "types",
            "authz",
            "admission",
            "link",
            "api",
            "files",
            "https",
            "store",
            "store-sql",
            "identity",
            "saml",
            "oidc",
            "webauthn",
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
            "files",
            "kube-kit",
        ],
    ),
    ("serving-crds", &["kube-facade"]),
    ("serving", &["types", "serving-crds"]),
    (
        "serving-operator",
        &["types", "kube-kit", "serving-crds", "serving"],
    ),
    ("serving-specs", &["serving-crds"]),
    ("artifact-downloader", &["types"]),
    (
        "cli",
        &[
            "types",
            "admission",
            "api",
            "files",
            "tenancy",
            "workload",
            "serving-crds",
        ],
    ),
    (
        "hostile-input",
        &["types", "identity", "saml", "oidc", "webauthn"],
    ),
    ("oci", &[]),
    ("testkit", &["files", "oci"]),
    ("e2e", &["crds", "admission", "tenancy", "oci", "testkit"]),
    ("demo", &["crds", "admission", "testkit", "e2e"]),
    ("bench", &["types", "authz", "crds", "testkit", "e2e"]),
];

/// Crates that decide and build, and touch nothing: neither they nor anything that they bring in is a runtime, database, HTTP
/// library or Kubernetes client.
const PURE: &[&str] = &[
    "types",
    "authz",
    "admission",
    "tenancy",
    "workload",
    "link",
    "api",
    "kube-facade",
    "crds",
    "serving-crds",
    "serving",
    "saml",
    "oidc",
    "webauthn",
];
const IMPURE_LIBRARIES: &[&str] = &[
    "tokio",
    "sqlx",
    "sqlx-core",
    "rusqlite",
    "axum",
    "axum-server",
    "reqwest",
    "hyper",
    "kube",
    "kube-client",
    "kube-runtime",
    "tower-http",
    "futures",
];
/// Holds no code, and stands among the dependencies of each.
const HACK: &str = "workspace-hack";

/// Reads the workspace's manifests through cargo and compares every edge with the table; then looks for circles of modules.
pub(crate) fn check(root: &Path) -> Result<()> {
    let metadata = Metadata::read(root, "--offline")?;
    let mut complaints = complaints(&metadata.packages);
    complaints.extend(brought_in(&metadata));
    complaints.extend(crate::circles::complaints(root)?);
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
        let uses: BTreeSet<&str> = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind.is_none())
            .filter_map(|dependency| dependency.name.strip_prefix("reeve-"))
            .collect();
        complaints.extend(
            uses.difference(may_use)
                .map(|other| format!("`{name}` may not use `{other}`")),
        );
        complaints.extend(may_use.difference(&uses).map(|other| {
            format!("`{name}` does not use `{other}`: take it out of the table in xtask/src/boundaries.rs")
        }));
    }
    complaints
}

/// The libraries that a pure crate is built with, by whatever way, although it is pure.
fn brought_in(metadata: &Metadata) -> Vec<String> {
    let names: BTreeMap<&str, &str> = metadata
        .packages
        .iter()
        .map(|p| (p.id.as_str(), p.name.as_str()))
        .collect();
    let built_with: BTreeMap<&str, &Node> = metadata
        .resolve
        .nodes
        .iter()
        .map(|n| (n.id.as_str(), n))
        .collect();
    let name_of = |id: &str| names.get(id).copied().unwrap_or_default();
    let mut complaints = Vec::new();
    for pure in PURE {
        let Some(start) = names.iter().find(|(_, name)| **name == format!("reeve-{pure}")) else {
            continue;
        };
        let mut way = BTreeMap::from([(*start.0, String::new())]);
        let mut next = vec![*start.0];
        while let Some(id) = next.pop() {
            let path = format!("{}{}", way.get(id).cloned().unwrap_or_default(), name_of(id));
            for edge in built_with.get(id).into_iter().flat_map(|node| &node.deps) {
                let name = name_of(&edge.pkg);
                if !edge.is_normal() || name == HACK || way.contains_key(edge.pkg.as_str()) {
                    continue;
                }
                if IMPURE_LIBRARIES.contains(&name) {
                    complaints.push(format!(
                        "`{pure}` is pure and may not use `{name}` ({path} -> {name})"
                    ));
                }
                way.insert(&edge.pkg, format!("{path} -> "));
                next.push(&edge.pkg);
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{Dependency, Edge, Kind, Resolve};

    fn package(name: &str, uses: &[&str]) -> Package {
        let dependency = |name: &&str| Dependency {
            name: (*name).to_owned(),
            kind: None,
        };
        Package {
            id: name.to_owned(),
            name: name.to_owned(),
            dependencies: uses.iter().map(dependency).collect(),
            ..Package::default()
        }
    }

    #[test]
    fn an_edge_up_the_layers_and_one_that_is_gone_are_complaints() {
        assert_eq!(complaints(&[package("reeve-authz", &["reeve-types"])]), [""; 0]);
        assert_eq!(
            complaints(&[package("reeve-authz", &["reeve-types", "reeve-server"])]).len(),
            1
        );
        assert_eq!(complaints(&[package("reeve-authz", &[])]).len(), 1);
        assert_eq!(complaints(&[package("reeve-new", &["serde"])]).len(), 1);
    }

    #[test]
    fn a_pure_crate_is_checked_with_what_it_brings_in() {
        let node = |id: &str, uses: &[(&str, Option<&str>)]| Node {
            id: id.to_owned(),
            deps: uses
                .iter()
                .map(|(pkg, kind)| Edge {
                    pkg: (*pkg).to_owned(),
                    dep_kinds: vec![Kind {
                        kind: kind.map(str::to_owned),
                    }],
                })
                .collect(),
        };
        let names = ["reeve-crds", "reeve-link", "kube-core", "tokio", HACK];
        let with = |uses: &[(&str, Option<&str>)]| {
            brought_in(&Metadata {
                packages: names.iter().map(|name| package(name, &[])).collect(),
                resolve: Resolve {
                    nodes: vec![
                        node("reeve-crds", uses),
                        node("kube-core", &[("tokio", None)]),
                        node(HACK, &[("tokio", None)]),
                    ],
                },
            })
        };
        assert_eq!(
            with(&[("reeve-link", None), (HACK, None), ("tokio", Some("dev"))]),
            [""; 0]
        );
        assert_eq!(
            with(&[("kube-core", None)]),
            ["`crds` is pure and may not use `tokio` (reeve-crds -> kube-core -> tokio)"]
        );
    }
}

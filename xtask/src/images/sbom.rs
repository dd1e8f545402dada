//! The bill of materials of a program: every crate that is compiled into it, as CycloneDX 1.6.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::metadata::{Metadata, Node, Package, Resolve};

/// A package without code, by whose dependencies crates are built alike however they are built: none of them is in a program for it.
const HACK: &str = "workspace-hack";

/// The document of the programs of this package; the same for the same `Cargo.lock`.
pub(super) fn of(root: &Path, wanted: &str) -> Result<String> {
    let metadata = Metadata::read(root, "--locked")?;
    let packages: BTreeMap<&str, &Package> = metadata
        .packages
        .iter()
        .map(|package| (package.id.as_str(), package))
        .collect();
    let itself = metadata
        .packages
        .iter()
        .find(|package| package.name == wanted)
        .with_context(|| format!("no package `{wanted}`"))?;
    let hack = metadata.packages.iter().find(|package| package.name == HACK);
    let hack = &hack.with_context(|| format!("no package `{HACK}`"))?.id;
    let mut components: Vec<(String, Value)> = reached(&metadata.resolve, &itself.id, hack)
        .into_iter()
        .filter(|id| *id != itself.id)
        .filter_map(|id| packages.get(id.as_str()))
        .map(|package| {
            (
                format!("{}@{}", package.name, package.version),
                component(package, "library"),
            )
        })
        .collect();
    components.sort_by(|one, other| one.0.cmp(&other.0));
    let document = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {"component": component(itself, "application")},
        "components": components.into_iter().map(|(_, value)| value).collect::<Vec<_>>(),
    });
    Ok(format!("{document:#}\n"))
}

fn component(package: &Package, kind: &str) -> Value {
    let mut component = json!({"type": kind, "name": package.name, "version": package.version});
    if let Some(fields) = component.as_object_mut() {
        if package.source.is_some() {
            let purl = format!("pkg:cargo/{}@{}", package.name, package.version);
            fields.insert("purl".to_owned(), json!(purl));
        }
        if let Some(license) = &package.license {
            fields.insert(
                "licenses".to_owned(),
                json!([{"expression": license.replace('/', " OR ")}]),
            );
        }
    }
    component
}

/// Everything that a package is compiled with, itself included. What only builds or tests use is not in the program, nor is what one
/// package, `but`, alone names.
fn reached(resolve: &Resolve, start: &str, but: &str) -> BTreeSet<String> {
    let nodes: BTreeMap<&str, &Node> = resolve
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node))
        .collect();
    let mut found = BTreeSet::new();
    let mut waiting = vec![start.to_owned()];
    while let Some(id) = waiting.pop() {
        if let Some(node) = nodes.get(id.as_str()).filter(|_| !found.contains(&id)) {
            let normal = node.deps.iter().filter(|edge| edge.is_normal());
            waiting.extend(normal.map(|edge| edge.pkg.clone()).filter(|pkg| pkg != but));
        }
        found.insert(id);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bill(package: &str) -> Vec<Value> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let bill: Value = serde_json::from_str(&of(&root, package).unwrap()).unwrap();
        assert_eq!(bill["metadata"]["component"]["name"], package);
        bill["components"].as_array().unwrap().clone()
    }

    fn has(bill: &[Value], name: &str) -> bool {
        bill.iter().any(|component| component["name"] == name)
    }

    /// Planted faults: with every edge followed in `reached`, what only tests use is among them; without `but`, the webhook has a
    /// client of databases.
    #[test]
    fn a_bill_names_what_the_program_is_compiled_with_and_its_licences_and_nothing_else() {
        let server = bill("reeve-server");
        for name in ["reeve-store", "sqlx-postgres", "rustls", "aws-lc-rs", "tokio"] {
            assert!(has(&server, name), "{name} is not in the server");
        }
        for name in ["reeve-server", "reeve-testkit", "insta", "proptest", HACK] {
            assert!(!has(&server, name), "{name} is in the server");
        }
        let webhook = bill("reeve-admission-webhook");
        for name in ["sqlx-postgres", "rusqlite", HACK] {
            assert!(!has(&webhook, name), "{name} is in the webhook");
        }
        assert!(has(&webhook, "rustls") && has(&webhook, "kube"));
        for component in server
            .iter()
            .chain(&webhook)
            .filter(|it| it.get("purl").is_some())
        {
            assert!(component.get("licenses").is_some(), "{component}");
        }
    }
}

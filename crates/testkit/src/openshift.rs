//! OpenShift's own definitions of what Reeve writes and governs there, for tests: of a Go module whose version and digest
//! `testbed/openshift` pins. The Go client downloads it once into its cache.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

const MODULE: &str = "github.com/openshift/api";

/// `SecurityContextConstraints` and `Route`, as OpenShift installs them.
const DEFINITIONS: [&str; 2] = [
    "security/v1/zz_generated.crd-manifests/0000_03_config-operator_01_securitycontextconstraints-Default.crd.yaml",
    "route/v1/zz_generated.crd-manifests/routes-Default.crd.yaml",
];

/// The two definitions as YAML.
///
/// # Errors
/// Without Go, or when the module can neither be found in its cache nor be downloaded.
pub fn openshift_definitions() -> Result<Vec<String>> {
    let folder = folder()?;
    DEFINITIONS
        .iter()
        .map(|name| {
            let path = folder.join(name);
            std::fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))
        })
        .collect()
}

fn folder() -> Result<PathBuf> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testbed/openshift");
    let answer = Command::new("go")
        .args(["mod", "download", "-json", MODULE])
        .env("GOFLAGS", "-mod=readonly")
        .current_dir(&module)
        .output()
        .context("cannot run `go`, which downloads the definitions of OpenShift")?;
    ensure!(
        answer.status.success(),
        "cannot download {MODULE}: {}",
        String::from_utf8_lossy(&answer.stderr)
    );
    let told: serde_json::Value = serde_json::from_slice(&answer.stdout)?;
    let folder = told
        .get("Dir")
        .and_then(serde_json::Value::as_str)
        .context("Go names no folder")?;
    Ok(folder.into())
}

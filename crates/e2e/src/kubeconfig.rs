//! Kubeconfigs that hold a token.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use reeve_testkit::Cluster;
use serde_json::json;

/// A kubeconfig for whoever holds this token, in this namespace if there is one.
pub fn kubeconfig(cluster: &Cluster, token: &str, namespace: Option<&str>) -> String {
    let mut context = json!({"cluster": "reeve", "user": "reeve"});
    if let (Some(namespace), Some(fields)) = (namespace, context.as_object_mut()) {
        fields.insert("namespace".to_owned(), json!(namespace));
    }
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "reeve",
        "clusters": [{"name": "reeve", "cluster": {
            "server": cluster.server(), "certificate-authority": cluster.ca_file()}}],
        "users": [{"name": "reeve", "user": {"token": token}}],
        "contexts": [{"name": "reeve", "context": context}],
    })
    .to_string()
}

/// Writes a file that only its owner can read, in the place of one that may be there.
///
/// # Errors
/// The file cannot be written.
pub fn write_private(file: &Path, text: &str) -> Result<()> {
    let _ = std::fs::remove_file(file);
    let mut open = File::options();
    let mut handle = open
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .with_context(|| format!("writing `{}`", file.display()))?;
    handle
        .write_all(text.as_bytes())
        .with_context(|| format!("writing `{}`", file.display()))
}

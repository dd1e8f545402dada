//! `target/demo/demo.json`: everything that somebody who drives the demo from outside needs.

use std::path::Path;

use anyhow::{Context, Result};
use reeve_e2e::organization::kubeconfig_of;
use reeve_e2e::{ADMINISTRATOR, Organization, Person, Stack, write_private};
use reeve_testkit::images;
use serde_json::{Map, Value, json};

/// Writes the file with mode 0600; all its paths are absolute.
///
/// # Errors
/// The file cannot be written, or a path has no absolute form.
pub(crate) fn write(file: &Path, stack: &Stack, organization: &Organization) -> Result<()> {
    let mut people = Map::new();
    let mut kubeconfigs = Map::new();
    kubeconfigs.insert("admin".to_owned(), path(stack.cluster.kubeconfig())?);
    kubeconfigs.insert(
        "installer".to_owned(),
        path(stack.cluster.installer_kubeconfig())?,
    );
    for (
        first_name,
        Person {
            username, password, ..
        },
    ) in &organization.people
    {
        people.insert(
            (*first_name).to_owned(),
            json!({"username": username, "password": password}),
        );
        kubeconfigs.insert((*first_name).to_owned(), path(&kubeconfig_of(stack, first_name))?);
    }
    let applications: Map<String, Value> = organization
        .applications
        .iter()
        .map(|(name, a)| {
            (
                (*name).to_owned(),
                json!({"client_id": a.client_id, "client_secret": a.client_secret}),
            )
        })
        .collect();
    let demo = json!({
        "server_url": stack.admin.url(),
        "ca_file": path(&stack.ca_file)?,
        "admin": {"username": ADMINISTRATOR, "password": stack.admin_password},
        "people": people,
        "applications": applications,
        "cluster_id": stack.cluster_id,
        "kubeconfigs": kubeconfigs,
        "reeve_bin": path(&reeve_testkit::binary("reeve")?)?,
        "kubectl_bin": path(stack.cluster.kubectl_path())?,
        "image": images::TOOLS,
        "real_node": stack.cluster.real_node().is_ok(),
    });
    write_private(file, &format!("{demo:#}\n"))
}

/// An absolute path whose last part may be a link that chooses a program by its name: the link is kept.
fn path(path: &Path) -> Result<Value> {
    let absolute =
        std::path::absolute(path).with_context(|| format!("making `{}` absolute", path.display()))?;
    Ok(json!(absolute))
}

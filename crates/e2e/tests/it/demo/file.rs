//! `demo.json`: every field of it, used for what it is called.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use reeve_e2e::CommandLine;
use reeve_e2e::Rest;
use reeve_e2e::organization::NAMESPACE;
use reeve_testkit::{Cluster, Kubectl, Tier};
use serde_json::{Value, json};

use super::ALICE;
use crate::harness::bare_job;

/// What is in it, and used below.
const MEMBERS: [&str; 11] = [
    "admin",
    "applications",
    "ca_file",
    "cluster_id",
    "image",
    "kubeconfigs",
    "kubectl_bin",
    "people",
    "real_node",
    "reeve_bin",
    "server_url",
];

/// What the file says is true: every path is absolute and there, every credential is good for what it is called.
pub(super) async fn drive(demo: &Path) -> Result<()> {
    let file: Value = serde_json::from_str(&std::fs::read_to_string(demo)?)?;
    let mut members: Vec<_> = file
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    members.sort_unstable();
    ensure!(members == MEMBERS, "{members:?}");
    people_and_applications(&file).await?;
    kubeconfigs(&file)?;
    node_and_image(&file).await
}

fn path<'a>(file: &'a Value, pointer: &str) -> Result<&'a Path> {
    let path = Path::new(words(file, pointer)?);
    ensure!(
        path.is_absolute() && path.exists(),
        "{pointer}: {}",
        path.display()
    );
    Ok(path)
}

/// Everybody signs in: people with the command line, the application and the administrator by REST.
async fn people_and_applications(file: &Value) -> Result<()> {
    let (url, ca_file) = (words(file, "/server_url")?, path(file, "/ca_file")?);
    for (person, username) in [
        ("admin", "admin@reeve.example"),
        ("people/alice", "alice@reeve.example"),
        ("people/dave", "dave@reeve.example"),
        ("people/bob", "bob@reeve.example"),
    ] {
        let home = tempfile::tempdir()?;
        let reeve = CommandLine::new(path(file, "/reeve_bin")?, home.path());
        let given = words(file, &format!("/{person}/username"))?;
        reeve.sign_in(url, ca_file, given, words(file, &format!("/{person}/password"))?)?;
        let me: Value = serde_json::from_str(&reeve.must(&["whoami", "-o", "json"])?)?;
        ensure!(given == username && me["username"] == username, "{person}: {me}");
    }
    let nobody = Rest::new(url, ca_file)?;
    let id = words(file, "/applications/ci/client_id")?;
    let secret = words(file, "/applications/ci/client_secret")?;
    let ci = nobody.sign_in_application(id, secret).await?;
    let me = ci.get("/api/v1/me").await?.expect(200)?;
    ensure!(
        me["username"] == "ci" && me["type"] == "service-account" && me["roles"][0]["scopeName"] == "robots",
        "{me}"
    );
    let admin = nobody.sign_in(words(file, "/admin/username")?, words(file, "/admin/password")?);
    let clusters = admin.await?.get("/api/v1/clusters").await?.expect(200)?;
    let ids: Vec<_> = clusters
        .as_array()
        .into_iter()
        .flatten()
        .map(|c| &c["uuid"])
        .collect();
    ensure!(ids == [&file["cluster_id"]], "{clusters}");
    Ok(())
}

fn kubectl(file: &Value, who: &str) -> Result<Kubectl> {
    let kubeconfig = path(file, &format!("/kubeconfigs/{who}"))?;
    Ok(Kubectl::new(path(file, "/kubectl_bin")?, kubeconfig))
}

/// Each kubeconfig is whose it is called, to the API server itself.
fn kubeconfigs(file: &Value) -> Result<()> {
    let whoami = |who: &str| -> Result<Value> {
        let said = kubectl(file, who)?.must(&["auth", "whoami", "-o", "json"])?;
        let review: Value = serde_json::from_str(&said)?;
        Ok(review["status"]["userInfo"].clone())
    };
    for (who, installs) in [("admin", false), ("installer", true)] {
        let user = whoami(who)?;
        let is_in = |group: &str| {
            user["groups"]
                .as_array()
                .is_some_and(|all| all.contains(&json!(group)))
        };
        ensure!(
            is_in("system:masters") && is_in("reeve:installers") == installs,
            "{who}: {user}"
        );
    }
    for (who, uid, gid, groups) in [
        ("alice", json!(["70012"]), json!(["5000"]), json!(["5001"])),
        ("dave", json!(["70014"]), json!(["5000"]), Value::Null),
        ("bob", Value::Null, Value::Null, Value::Null),
    ] {
        let user = whoami(who)?;
        ensure!(user["username"] == format!("{who}@reeve.example"), "{user}");
        let extra = |key: &str| &user["extra"][format!("reeve.dev/{key}")];
        ensure!(
            extra("uid") == &uid && extra("gid") == &gid && extra("groups") == &groups,
            "{who}: {user}"
        );
    }
    Ok(())
}

/// `real_node` is what this machine's node tier says of itself, and there the image has `sh` and `id`.
async fn node_and_image(file: &Value) -> Result<()> {
    let real_node = Cluster::shared(Tier::Node).await?.real_node().is_ok();
    ensure!(file["real_node"] == real_node, "{file}");
    let nodes: Value = serde_json::from_str(&kubectl(file, "admin")?.must(&["get", "nodes", "-o", "json"])?)?;
    let nodes = nodes["items"].as_array().map_or(0, Vec::len);
    ensure!((nodes > 0) == real_node, "{nodes} nodes");
    let mut job = bare_job("image", &["sh", "-c", "id"]);
    job["spec"]["template"]["spec"]["containers"][0]["image"] = json!(words(file, "/image")?);
    let alice = kubectl(file, "alice")?;
    alice.must_with_input(&["apply", "-n", NAMESPACE, "-f", "-"], &job.to_string())?;
    if real_node {
        let complete = ["wait", "--for=condition=complete", "--timeout=30s"];
        alice.must(&[&complete[..], &["-n", NAMESPACE, "job/image"]].concat())?;
        let printed = alice.must(&["logs", "-n", NAMESPACE, "job/image"])?;
        ensure!(printed == format!("{ALICE}\n"), "{printed}");
    }
    Ok(())
}

fn words<'a>(value: &'a Value, pointer: &str) -> Result<&'a str> {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .with_context(|| format!("no `{pointer}` in {value}"))
}

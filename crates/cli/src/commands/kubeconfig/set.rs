//! `reeve kubeconfig set`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use reeve_api::cluster::Cluster;
use reeve_api::org::{Project, Projects};
use reeve_types::ClusterId;
use serde_json::{Value, json};

use crate::Context;
use crate::args::KubeconfigSet;
use crate::commands::find;
use crate::failure::Failure;
use crate::http::Api;
use crate::kubeconfig::{Entry, default_file, merge};
use crate::kubernetes;
use crate::settings::write_atomically;

const WHAT: &str = "cannot set up the kubeconfig";

pub(in crate::commands) async fn run(context: &mut Context, arguments: KubeconfigSet) -> Result<(), Failure> {
    let file = file(&arguments)?;
    let existing = read(&file)?;
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let projects = projects(&api).await?;
    let cluster = match arguments.cluster {
        Some(cluster) => cluster,
        None => only_cluster(&api, &projects).await?,
    };
    let endpoint = kubernetes::endpoint(&api, cluster, arguments.accept_new_endpoint, WHAT).await?;
    let entry = Entry {
        name: name(cluster),
        endpoint,
        namespace: only_namespace(&projects, cluster),
        program: program()?,
        arguments: vec![
            "kubernetes-token".to_owned(),
            "--cluster".to_owned(),
            cluster.to_string(),
        ],
        environment: vec![("REEVE_CONFIG_DIR".to_owned(), absolute(context.settings.dir())?)],
    };
    let cannot_write = || Failure::failed(format!("cannot write `{}`", file.display()));
    let merged = merge(existing, &entry).map_err(|error| cannot_write().because(error))?;
    let text = serde_saphyr::to_string(&merged).map_err(|error| cannot_write().because(error))?;
    write_atomically(&file, text.as_bytes()).map_err(|error| cannot_write().because(error))?;
    let shown = json!({ "kubeconfig": file, "context": entry.name, "namespace": entry.namespace, "server": entry.endpoint.server });
    context.printer.answer(&shown, || {
        let namespace = entry
            .namespace
            .as_ref()
            .map(|name| format!(" (namespace `{name}`)"))
            .unwrap_or_default();
        format!(
            "`{}` now has the context `{}`{namespace}, and it is the current one",
            file.display(),
            entry.name
        )
    })
}

fn file(arguments: &KubeconfigSet) -> Result<PathBuf, Failure> {
    let list = arguments.kubeconfig_list.as_deref();
    let file = arguments
        .kubeconfig
        .clone()
        .or_else(|| default_file(list, Path::exists));
    file.ok_or_else(|| {
        Failure::failed(WHAT)
            .cause("your home folder is not known")
            .hint("give a file: `--kubeconfig FILE`")
    })
}

fn read(file: &Path) -> Result<Option<Value>, Failure> {
    let cannot = || Failure::failed(format!("cannot read `{}`", file.display()));
    match std::fs::read_to_string(file) {
        Ok(text) if text.trim().is_empty() => Ok(None),
        // The parser's own text shows lines of the file, in which there may be a token.
        Ok(text) => serde_saphyr::from_str(&text).map(Some).map_err(|_| {
            cannot()
                .cause("it is not in YAML form")
                .hint("repair it, or write another: `--kubeconfig FILE`")
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot().because(error)),
    }
}

/// Those the caller can see; none when she may see none.
async fn projects(api: &Api) -> Result<Vec<Project>, Failure> {
    let open = |page: Projects| (page.projects, page.next);
    match find::pages(api, find::PROJECTS, &[], open).await {
        Err(error) if error.status() == Some(403) => Ok(Vec::new()),
        answer => answer.map_err(|error| error.explain(WHAT)),
    }
}

/// The one cluster that the caller can reach: by what the caller sees of clusters, or through the caller's projects.
async fn only_cluster(api: &Api, projects: &[Project]) -> Result<ClusterId, Failure> {
    let mut ids: BTreeSet<ClusterId> = projects.iter().map(|project| project.cluster_id).collect();
    if ids.is_empty() {
        match api.get::<Vec<Cluster>>("/api/v1/clusters", &[]).await {
            Ok(clusters) => ids.extend(clusters.iter().map(|cluster| cluster.uuid)),
            Err(error) if error.status() == Some(403) => {}
            Err(error) => return Err(error.explain(WHAT)),
        }
    }
    let mut all = ids.iter();
    match (all.next(), all.next()) {
        (Some(one), None) => Ok(*one),
        (None, _) => {
            let failure = Failure::refused(WHAT).cause("no rule gives you anything in any cluster");
            Err(failure.hint("ask an administrator for an access rule"))
        }
        (Some(_), Some(_)) => {
            let names: Vec<_> = ids.iter().map(ToString::to_string).collect();
            Err(Failure::failed(WHAT)
                .cause("you can reach several clusters")
                .hint(format!("choose one with --cluster: {}", names.join(", "))))
        }
    }
}

fn only_namespace(projects: &[Project], cluster: ClusterId) -> Option<String> {
    let mut here = projects.iter().filter(|project| project.cluster_id == cluster);
    match (here.next(), here.next()) {
        (Some(one), None) => one.status.namespace.clone(),
        _ => None,
    }
}

/// `reeve-` and the first part of the id: short, and as good as unique among a person's clusters.
fn name(cluster: ClusterId) -> String {
    let id = cluster.to_string();
    format!("reeve-{}", id.split('-').next().unwrap_or(&id))
}

fn program() -> Result<String, Failure> {
    let path = std::env::current_exe().map_err(|error| Failure::failed(WHAT).because(error))?;
    absolute(&path)
}

fn absolute(path: &Path) -> Result<String, Failure> {
    let path = std::path::absolute(path).map_err(|error| Failure::failed(WHAT).because(error))?;
    let text = path.to_str().map(ToOwned::to_owned);
    text.ok_or_else(|| Failure::failed(WHAT).cause(format!("`{}` is not valid UTF-8", path.display())))
}

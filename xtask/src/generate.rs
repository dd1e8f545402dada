//! Files that come from Rust values: custom resources, admission policies and RBAC of the cluster's chart, model serving's resources, the REST API as an
//! OpenAPI document, and the pages on what people may make and for who comes from the reference's command line.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Writes every generated file, or with `check` fails when one differs from what is committed.
pub(crate) fn run(root: &Path, check: bool) -> Result<()> {
    let mut stale = Vec::new();
    for (path, text) in files()? {
        let target = root.join(&path);
        if fs::read_to_string(&target).ok().as_deref() == Some(text.as_str()) {
            continue;
        }
        if check {
            stale.push(path.display().to_string());
            continue;
        }
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).with_context(|| format!("making `{}`", folder.display()))?;
        }
        fs::write(&target, text).with_context(|| format!("writing `{}`", target.display()))?;
        super::say(&format!("wrote {}", path.display()));
    }
    if !stale.is_empty() {
        bail!(
            "generated files differ from the code; run `make gen` and commit:\n  {}",
            stale.join("\n  ")
        );
    }
    Ok(())
}

/// The policies, which render nothing where the webhook stands in for them.
fn policies_template() -> String {
    let text = reeve_admission::policies_yaml();
    format!("{{{{- if eq (include \"reeve.admission\" .) \"policies\" }}}}\n{text}{{{{- end }}}}\n")
}

fn files() -> Result<Vec<(PathBuf, String)>> {
    let chart = Path::new("charts/reeve-cluster");
    let mut files = vec![
        (
            chart.join("namespace.yaml"),
            reeve_tenancy::system_namespace_yaml()?,
        ),
        (chart.join("templates/_switches.tpl"), reeve_tenancy::helpers()),
        (chart.join("templates/policies.yaml"), policies_template()),
        (
            chart.join("templates/webhook/configurations.yaml"),
            reeve_admission::webhooks::chart_yaml(),
        ),
    ];
    for (name, text) in reeve_tenancy::chart_files()? {
        files.push((chart.join("templates/clusterroles").join(name), text));
    }
    let constraints = chart.join("templates/ocp/scc.yaml");
    files.push((constraints, reeve_tenancy::constraints_template()));
    let page = Path::new("docs/coming-from-runai.md");
    files.push((page.to_owned(), reeve_cli::reference::page()));
    let page = Path::new("docs/security/what-people-may-make.md");
    files.push((page.to_owned(), reeve_tenancy::page()));
    let page = Path::new("docs/security/cluster-permissions.md");
    files.push((page.to_owned(), reeve_tenancy::permissions_page()));
    files.push((PathBuf::from("docs/openapi.json"), reeve_api::openapi::text()));
    for (name, text) in reeve_crds::all_yaml()? {
        files.push((chart.join("crds").join(name), text));
    }
    let serving = Path::new("charts/aim-engine/crds");
    for (name, text) in reeve_serving_crds::all_yaml()? {
        files.push((serving.join(name), text));
    }
    for (name, text) in reeve_serving::rights::chart_files()? {
        files.push((Path::new("charts/aim-engine/templates/rbac").join(name), text));
    }
    Ok(files)
}

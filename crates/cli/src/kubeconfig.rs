//! Kubeconfig files: our three entries among everybody else's.

use std::path::{Path, PathBuf};

use reeve_api::kubernetes::KubernetesEndpoint;
use serde_json::{Map, Value, json};

/// What goes into a kubeconfig.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The name of cluster, user and context.
    pub name: String,
    /// The API server.
    pub endpoint: KubernetesEndpoint,
    /// The context's namespace.
    pub namespace: Option<String>,
    /// The program that answers with tokens.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its environment, beyond what kubectl passes on.
    pub environment: Vec<(String, String)>,
}

/// Why a kubeconfig cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKubeconfig {
    /// It is not in the form of a kubeconfig.
    #[error("`{field}` of the kubeconfig is not a {wanted}")]
    Form {
        /// Which part.
        field: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
}

/// Puts the entry in, replaces one of the same name, makes its context the current one, and leaves all else as it is.
///
/// # Errors
/// [`InvalidKubeconfig`]: the existing value is no kubeconfig.
pub fn merge(existing: Option<Value>, entry: &Entry) -> Result<Value, InvalidKubeconfig> {
    let mut config = match existing {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(members)) => members,
        Some(_) => {
            return Err(InvalidKubeconfig::Form {
                field: "the whole",
                wanted: "mapping",
            });
        }
    };
    config.entry("apiVersion").or_insert_with(|| json!("v1"));
    config.entry("kind").or_insert_with(|| json!("Config"));
    let mut cluster = json!({ "server": entry.endpoint.server });
    let authority = &entry.endpoint.certificate_authority_data;
    // Without one kubectl trusts the machine's own, as it does when the field is absent.
    if let (false, Some(members)) = (authority.is_empty(), cluster.as_object_mut()) {
        members.insert("certificate-authority-data".to_owned(), json!(authority));
    }
    put(&mut config, "clusters", &entry.name, "cluster", cluster)?;
    put(
        &mut config,
        "users",
        &entry.name,
        "user",
        json!({ "exec": exec(entry) }),
    )?;
    let mut context = json!({ "cluster": entry.name, "user": entry.name });
    if let (Some(namespace), Some(members)) = (&entry.namespace, context.as_object_mut()) {
        members.insert("namespace".to_owned(), json!(namespace));
    }
    put(&mut config, "contexts", &entry.name, "context", context)?;
    config.insert("current-context".to_owned(), json!(entry.name));
    Ok(Value::Object(config))
}

fn exec(entry: &Entry) -> Value {
    let environment: Vec<_> = entry
        .environment
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": entry.program,
        "args": entry.arguments,
        "env": environment,
        "interactiveMode": "Never",
        "provideClusterInfo": false,
    })
}

fn put(
    config: &mut Map<String, Value>,
    list: &'static str,
    name: &str,
    kind: &str,
    value: Value,
) -> Result<(), InvalidKubeconfig> {
    let slot = config.entry(list).or_insert(Value::Null);
    if slot.is_null() {
        *slot = json!([]);
    }
    let items = slot.as_array_mut().ok_or(InvalidKubeconfig::Form {
        field: list,
        wanted: "list",
    })?;
    let named = json!({ "name": name, kind: value });
    match items
        .iter_mut()
        .find(|item| item.get("name").and_then(Value::as_str) == Some(name))
    {
        Some(item) => *item = named,
        None => items.push(named),
    }
    Ok(())
}

/// The file that kubectl would change: the first of the list that exists, else the last of it; without a list
/// `~/.kube/config`.
pub fn default_file(list: Option<&std::ffi::OsStr>, exists: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let files: Vec<PathBuf> = list
        .map(|list| {
            std::env::split_paths(list)
                .filter(|path| !path.as_os_str().is_empty())
                .collect()
        })
        .unwrap_or_default();
    let first = files.iter().find(|path| exists(path)).or(files.last()).cloned();
    first.or_else(|| std::env::home_dir().map(|home| home.join(".kube").join("config")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            name: "reeve-123e4567".to_owned(),
            endpoint: KubernetesEndpoint {
                server: "https://127.0.0.1:6443".to_owned(),
                certificate_authority_data: "UEVN".to_owned(),
            },
            namespace: Some("reeve-robots".to_owned()),
            program: "/usr/bin/reeve".to_owned(),
            arguments: vec!["kubernetes-token".to_owned()],
            environment: vec![("REEVE_CONFIG_DIR".to_owned(), "/home/alice/.reeve".to_owned())],
        }
    }

    const OTHERS: &str = "
apiVersion: v1
kind: Config
preferences: {colors: true}
clusters:
- {name: other, cluster: {server: 'https://other', insecure-skip-tls-verify: true}}
- {name: reeve-123e4567, cluster: {server: 'https://old'}}
users:
- name: other
  user: {token: '0123', username: 'yes', password: 'null'}
contexts: null
current-context: other
extensions: [{name: x, extension: {a: 1.5, b: '1.5'}}]
";

    #[test]
    fn everybody_elses_entries_stay_as_they_are() {
        let before: Value = serde_saphyr::from_str(OTHERS).unwrap();
        let merged = merge(Some(before.clone()), &entry()).unwrap();
        assert_eq!(merged["clusters"][0], before["clusters"][0]);
        assert_eq!(merged["clusters"].as_array().unwrap().len(), 2);
        assert_eq!(
            merged["clusters"][1]["cluster"]["server"],
            "https://127.0.0.1:6443"
        );
        assert_eq!(merged["users"][0], before["users"][0]);
        assert_eq!(
            (&merged["extensions"], &merged["preferences"]),
            (&before["extensions"], &before["preferences"])
        );
        assert_eq!(merged["current-context"], "reeve-123e4567");
        assert_eq!(merge(Some(merged.clone()), &entry()).unwrap(), merged);
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let merged = merge(Some(serde_saphyr::from_str(OTHERS).unwrap()), &entry()).unwrap();
        let text = serde_saphyr::to_string(&merged).unwrap();
        assert_eq!(serde_saphyr::from_str::<Value>(&text).unwrap(), merged, "{text}");
    }

    #[test]
    fn a_new_file_is_a_whole_kubeconfig() {
        insta::assert_snapshot!(serde_saphyr::to_string(&merge(None, &entry()).unwrap()).unwrap());
    }

    #[test]
    fn a_cluster_without_an_authority_of_its_own_has_no_such_field() {
        let mut entry = entry();
        entry.endpoint.certificate_authority_data.clear();
        let merged = merge(None, &entry).unwrap();
        assert_eq!(
            merged["clusters"][0]["cluster"],
            json!({ "server": "https://127.0.0.1:6443" })
        );
    }

    #[test]
    fn what_is_no_kubeconfig_is_not_overwritten() {
        assert!(merge(Some(json!([1])), &entry()).is_err());
        assert!(merge(Some(json!({"clusters": "x"})), &entry()).is_err());
    }

    #[test]
    fn the_file_is_the_one_that_kubectl_would_change() {
        let pick = |list: &str, there: &[&str]| {
            default_file(Some(list.as_ref()), |path| {
                there.iter().any(|t| Path::new(t) == path)
            })
        };
        assert_eq!(pick("/a:/b", &["/b"]), Some("/b".into()));
        assert_eq!(pick("/a:/b", &["/a", "/b"]), Some("/a".into()));
        assert_eq!(pick("/a:/b", &[]), Some("/b".into()));
        assert!(pick("", &[]).is_none_or(|path| path.ends_with(".kube/config")));
    }
}

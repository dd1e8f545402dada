//! The case table: one committed file that expands to check x kind x level x requester x settings.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use reeve_admission::{Operation, Request, check, request::template_path};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fixture::{self, KINDS, merge};

/// One entry of the file: a check with what it must let pass and what it must refuse.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    check: String,
    refused: Vec<Case>,
    allowed: Vec<Case>,
}

/// One case. See the head of `cases.yaml` for what the fields mean.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    it: String,
    #[serde(default)]
    kinds: Vec<String>,
    #[serde(default)]
    levels: Vec<String>,
    #[serde(rename = "as", default)]
    requesters: Vec<String>,
    #[serde(rename = "in", default)]
    settings: Vec<String>,
    #[serde(default)]
    on: On,
    #[serde(default)]
    base: Option<String>,
    #[serde(default)]
    change: Option<bool>,
    #[serde(default)]
    stamped: Option<String>,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    pod: Value,
    #[serde(default)]
    container: Value,
    #[serde(default)]
    template: Value,
    #[serde(default)]
    object: Value,
    #[serde(default)]
    old: Value,
    #[serde(default)]
    outside: bool,
    #[serde(default)]
    to: Option<String>,
    #[serde(default)]
    by: Option<String>,
    #[serde(default)]
    many: BTreeMap<String, usize>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Default, Debug)]
#[serde(rename_all = "lowercase")]
pub(crate) enum On {
    #[default]
    Create,
    Update,
    Status,
    Resize,
    Finalize,
    Delete,
    Connect,
}

/// One line of the expanded table.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) check: String,
    pub(crate) refused: bool,
    pub(crate) kind: String,
    pub(crate) level: String,
    pub(crate) requester: String,
    pub(crate) settings: String,
    /// Whose base object is changed; `None` for a new one and for kinds without a template.
    pub(crate) base: Option<String>,
    /// A unique number, for objects that a row needs for itself.
    pub(crate) number: usize,
    case: Case,
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            check,
            kind,
            level,
            requester,
            settings,
            ..
        } = self;
        let verdict = if self.refused { "refused" } else { "allowed" };
        write!(
            f,
            "{check}: {verdict}: {} [{kind}, {level}, as {requester}, in {settings}]",
            self.case.it
        )
    }
}

/// Reads and expands the committed file.
pub(crate) fn rows() -> Result<Vec<Row>> {
    let entries: Vec<Entry> = serde_saphyr::from_str(include_str!("cases.yaml"))?;
    let mut rows = Vec::new();
    for entry in entries {
        if check(&entry.check).is_none() {
            bail!(
                "the case table names the check `{}`, which is not there",
                entry.check
            );
        }
        for (refused, cases) in [(true, entry.refused), (false, entry.allowed)] {
            for case in cases {
                expand(&entry.check, refused, &case, &mut rows);
            }
        }
    }
    Ok(rows)
}

fn or(list: &[String], default: &[&str]) -> Vec<String> {
    if list.is_empty() {
        default.iter().map(|s| (*s).to_owned()).collect()
    } else {
        list.to_vec()
    }
}

pub(crate) fn expand(check: &str, refused: bool, case: &Case, rows: &mut Vec<Row>) {
    let levels: &[&str] = if case.container.is_null() {
        &["pod"]
    } else {
        &["container", "init", "ephemeral"]
    };
    for kind in or(&case.kinds, &KINDS) {
        for level in or(&case.levels, levels) {
            // Ephemeral containers exist in pods only, and come by a subresource.
            if level == "ephemeral" && kind != "Pod" {
                continue;
            }
            for requester in or(&case.requesters, &["alice"]) {
                for settings in or(&case.settings, &["strict"]) {
                    let changes = level == "ephemeral" || case.on != On::Create;
                    let base = (changes && template_path(&kind).is_some())
                        .then(|| case.base.clone().unwrap_or_else(|| "alice".into()));
                    rows.push(Row {
                        check: check.to_owned(),
                        refused,
                        kind: kind.clone(),
                        level: level.clone(),
                        requester: requester.clone(),
                        settings,
                        base,
                        number: rows.len(),
                        case: case.clone(),
                    });
                }
            }
        }
    }
}

impl Row {
    /// The object as it is before, when the row needs one of its own on the cluster.
    pub(crate) fn own_old(&self) -> Option<Value> {
        if self.case.old.is_null() {
            return None;
        }
        Some(self.bare(&self.case.old))
    }

    /// Whether the row is a connection to a pod, Service or node.
    pub(crate) fn connects(&self) -> bool {
        self.case.on == On::Connect
    }

    /// Whether the row changes what is there, by the resource itself.
    pub(crate) fn changes(&self) -> bool {
        self.case.on == On::Update
    }

    /// Whether Pod Security could have a say.
    pub(crate) fn makes_pods(&self) -> bool {
        template_path(&self.kind).is_some()
    }

    /// Whether the row speaks of an object in a namespace that is no project's.
    pub(crate) fn outside(&self) -> bool {
        self.case.outside
    }

    fn bare(&self, fields: &Value) -> Value {
        let name = format!("row-{}", self.number);
        let version = fixture::api_version(&self.kind);
        let mut object = json!({"apiVersion": version, "kind": self.kind, "metadata": {"name": name}});
        merge_if(&mut object, fields);
        object
    }

    fn connection(&self) -> Request {
        let mut object = json!({"apiVersion": "v1", "kind": self.kind});
        merge_if(&mut object, &self.case.object);
        Request {
            operation: Operation::Connect,
            name: self.case.to.clone().unwrap_or_else(|| "base-alice".to_owned()),
            parameters: reeve_admission::Parameters {
                identities: fixture::identities(),
                pods: fixture::CONNECTED
                    .map(|owner| fixture::base("Pod", owner))
                    .to_vec(),
            },
            object,
            ..self.bare_request()
        }
    }

    fn bare_request(&self) -> Request {
        let user = fixture::requester(&self.requester, &self.kind);
        if self.case.outside || ["Namespace", "ReeveConfig", "NodeProxyOptions"].contains(&self.kind.as_str())
        {
            return Request {
                user,
                ..Request::default()
            };
        }
        if self.kind == "ConfigMap" {
            let name = reeve_admission::names::REFERENCE_NAMESPACE.to_owned();
            return Request {
                user,
                namespace_labels: [("kubernetes.io/metadata.name".to_owned(), name)].into(),
                ..Request::default()
            };
        }
        Request {
            user,
            namespace: fixture::HERE.to_owned(),
            namespace_labels: fixture::labels(&self.settings),
            namespace_annotations: fixture::annotations(&self.settings),
            ..Request::default()
        }
    }

    /// The request, before anything is filled in. `existing` is the base object as the API server has it.
    pub(crate) fn request(&self, existing: Option<&Value>) -> Request {
        if self.connects() {
            return self.connection();
        }
        let old = existing.cloned().or_else(|| self.own_old());
        let mut object = match (&self.base, &old) {
            (Some(_), Some(old)) => self.changed(old.clone()),
            (None, _) if template_path(&self.kind).is_some() => self.created(),
            (_, Some(old)) => old.clone(),
            (_, None) => self.bare(&Value::Null),
        };
        if self.case.on == On::Delete {
            object = Value::Null;
        } else if !self.case.object.is_null() {
            merge(&mut object, &self.case.object);
        }
        for (at, number) in &self.case.many {
            fixture::fill_up(&mut object, at, *number);
        }
        Request {
            operation: match self.case.on {
                On::Create if self.level != "ephemeral" => Operation::Create,
                On::Delete => Operation::Delete,
                _ => Operation::Update,
            },
            subresource: self.subresource().to_owned(),
            field_manager: self.case.by.clone().unwrap_or_default(),
            object,
            old_object: old,
            ..self.bare_request()
        }
    }

    fn subresource(&self) -> &'static str {
        match self.case.on {
            _ if self.level == "ephemeral" => "ephemeralcontainers",
            On::Status => "status",
            On::Resize => "resize",
            On::Finalize => "finalize",
            _ => "",
        }
    }

    fn created(&self) -> Value {
        let machine = ["controller", "operator"].contains(&self.requester.as_str())
            || reeve_admission::names::CONTROLLERS.contains(&self.requester.as_str());
        let mut object = fixture::minimal(&self.kind, "row");
        let template = fixture::template(&mut object, &self.kind);
        if self.level == "init" {
            template["spec"]["initContainers"] = json!([{"name": "i", "image": "local.test/x:1"}]);
        }
        let stamped = self
            .case
            .stamped
            .as_deref()
            .unwrap_or(if machine { "alice" } else { "no" });
        match stamped {
            "no" => {}
            "nobody" => reeve_admission::mutate::fill_shape(template, true),
            person => reeve_admission::mutate::fill_for(template, &fixture::stamp(person), true),
        }
        self.modify(&mut object);
        let default = match self.requester.as_str() {
            "operator" => "workload",
            _ if machine => "controller",
            _ => "none",
        };
        let owner = |version: &str, kind: &str, controller: bool| json!([{"apiVersion": version, "kind": kind, "name": "o", "uid": "u-1", "controller": controller}]);
        let owners = match self.case.owner.as_deref().unwrap_or(default) {
            "workload" => owner("reeve.dev/v1alpha1", "Workload", true),
            "workload-of-another-group" => owner("example.com/v1", "Workload", true),
            "workload-without-control" => owner("reeve.dev/v1alpha1", "Workload", false),
            "controller" => owner("apps/v1", "ReplicaSet", true),
            "without-control" => owner("apps/v1", "ReplicaSet", false),
            "ray-cluster" => owner("ray.io/v1", "RayCluster", true),
            "ray-job" => owner("ray.io/v1", "RayJob", true),
            "ray-of-before" => owner("ray.io/v1alpha1", "RayCluster", true),
            "inference-service" => owner("serving.kserve.io/v1beta1", "InferenceService", true),
            "inference-service-of-before" => owner("serving.kserve.io/v1alpha1", "InferenceService", true),
            "aim-artifact" => owner("aim.eai.amd.com/v1alpha1", "AIMArtifact", true),
            "aim-service" => owner("aim.eai.amd.com/v1alpha1", "AIMService", true),
            "ray-without-control" => owner("ray.io/v1", "RayCluster", false),
            "ray-of-another-group" => owner("example.com/v1", "RayCluster", true),
            _ => return object,
        };
        object["metadata"]["ownerReferences"] = owners;
        object
    }

    fn changed(&self, mut object: Value) -> Value {
        if self.level == "ephemeral" {
            let mut container = json!({"name": "e", "image": "local.test/x:1"});
            merge_if(&mut container, &self.case.container);
            object["spec"]["ephemeralContainers"] = json!([container]);
            return object;
        }
        if self.case.on == On::Resize {
            object["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "20m"}});
        } else if self.case.change != Some(false) && self.case.on == On::Update {
            let template = fixture::template(&mut object, &self.kind);
            if self.kind == "Job" {
                merge(
                    template,
                    &json!({"metadata": {"annotations": {"note": "changed"}}}),
                );
            } else {
                template["spec"]["containers"][0]["image"] = json!("local.test/x:2");
            }
        }
        self.modify(&mut object);
        object
    }

    fn modify(&self, object: &mut Value) {
        let template = fixture::template(object, &self.kind);
        merge_if(template, &self.case.template);
        merge_if(&mut template["spec"], &self.case.pod);
        let list = if self.level == "init" {
            "initContainers"
        } else {
            "containers"
        };
        merge_if(&mut template["spec"][list][0], &self.case.container);
    }
}

fn merge_if(into: &mut Value, patch: &Value) {
    if !patch.is_null() {
        merge(into, patch);
    }
}

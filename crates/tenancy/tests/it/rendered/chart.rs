//! The chart as the real Helm renders it, and what of that gives rights.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reeve_tenancy::{Platform, Switch, Switches};
use reeve_testkit::Helm;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A kind of cluster, as Helm is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) name: &'static str,
    pub(super) platform: Platform,
    /// Before 1.36 the webhook stands in for the policies, and has rights of its own.
    kubernetes: &'static str,
}

const fn target(name: &'static str, platform: Platform, kubernetes: &'static str) -> Target {
    Target {
        name,
        platform,
        kubernetes,
    }
}

pub(super) const TARGETS: [Target; 4] = [
    target("kubernetes", Platform::Kubernetes, "1.36.0"),
    target("openshift", Platform::OpenShift, "1.36.0"),
    target("restricted", Platform::Restricted, "1.36.0"),
    target("kubernetes-1.35", Platform::Kubernetes, "1.35.0"),
];

impl Target {
    /// The values for it: `restricted` is a cluster, of OpenShift too, on which no SecurityContextConstraints may be installed.
    pub(super) fn values(self, switches: Switches) -> Value {
        let mut values = match self.platform {
            Platform::Kubernetes => json!({}),
            Platform::OpenShift => json!({"global": {"openshift": true}}),
            Platform::Restricted => json!({
                "global": {"openshift": true}, "openShift": {"securityContextConstraints": {"create": false}}}),
        };
        let key = |switch: Switch| (switch.key().to_owned(), Value::Bool(switches.is_on(switch)));
        let keys: Map<String, Value> = Switch::ALL.into_iter().map(key).collect();
        values["clusterConfig"] = json!({"project-controller": keys});
        values
    }
}

/// What Helm makes of a chart with these values, custom resources included.
pub(super) fn render(helm: &Helm, chart: &Path, target: Target, mut values: Value) -> Result<Rights> {
    values["global"]["image"]["registry"] = json!("registry.example/reeve");
    let chart = chart.display().to_string();
    let arguments = [
        "template",
        "reeve",
        &chart,
        "--namespace=reeve-system",
        "--kube-version",
        target.kubernetes,
        "--include-crds",
        "--values=-",
    ];
    Rights::of_documents(&helm.must(&arguments, &values.to_string())?)
}

/// Everything that gives rights, by kind, namespace and name.
#[derive(Debug, Default)]
pub(super) struct Rights {
    pub(super) roles: BTreeMap<String, RulesOf>,
    pub(super) bindings: BTreeMap<String, Binding>,
    /// SecurityContextConstraints, with the users and groups that may use them without any role.
    pub(super) constraints: BTreeMap<String, Vec<String>>,
}

/// The rules of a role.
#[derive(Debug, PartialEq)]
pub(super) struct RulesOf {
    pub(super) rules: Vec<PolicyRule>,
    /// Whether rules of other roles are added to it, or its own to others.
    pub(super) aggregates: bool,
}

/// A role that somebody holds.
#[derive(Debug, PartialEq)]
pub(super) struct Binding {
    pub(super) role: String,
    pub(super) subjects: Vec<String>,
    pub(super) everywhere: bool,
}

fn id(kind: &str, metadata: &ObjectMeta) -> String {
    let name = metadata.name.as_deref().unwrap_or_default();
    match &metadata.namespace {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}

/// Twice under one name, the second would hide the first.
fn insert<T>(into: &mut BTreeMap<String, T>, id: String, value: T) -> Result<()> {
    ensure!(!into.contains_key(&id), "{id} is there twice");
    into.insert(id, value);
    Ok(())
}

impl Rights {
    fn of_documents(text: &str) -> Result<Self> {
        let mut rights = Self::default();
        // The kind of whatever gives rights has one of these words in it; most of the rest is policies.
        let has_rights = |text: &&str| text.contains("Role") || text.contains("SecurityContextConstraints");
        for document in text.split("\n---\n").filter(has_rights) {
            let object = serde_saphyr::from_str(document).with_context(|| document.to_owned())?;
            rights.take(object).with_context(|| document.to_owned())?;
        }
        Ok(rights)
    }

    /// The objects of the table of rights, to compare with.
    pub(super) fn of_table(switches: Switches) -> Result<Self> {
        let mut rights = Self::default();
        let objects = reeve_tenancy::objects(switches);
        for role in objects.cluster_roles {
            rights.role("ClusterRole", &role.metadata, role.rules, false)?;
        }
        for role in objects.roles {
            rights.role("Role", &role.metadata, role.rules, false)?;
        }
        for binding in objects.cluster_role_bindings {
            let (metadata, subjects) = (&binding.metadata, binding.subjects);
            rights.binding("ClusterRoleBinding", metadata, &binding.role_ref, subjects)?;
        }
        for binding in objects.role_bindings {
            let (metadata, subjects) = (&binding.metadata, binding.subjects);
            rights.binding("RoleBinding", metadata, &binding.role_ref, subjects)?;
        }
        Ok(rights)
    }

    fn take(&mut self, object: Value) -> Result<()> {
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        match kind.as_str() {
            "ClusterRole" => {
                let role = ClusterRole::deserialize(object)?;
                let aggregates = role.aggregation_rule.is_some();
                self.role(&kind, &role.metadata, role.rules, aggregates)
            }
            "Role" => {
                let role = Role::deserialize(object)?;
                self.role(&kind, &role.metadata, role.rules, false)
            }
            "ClusterRoleBinding" => {
                let binding = ClusterRoleBinding::deserialize(object)?;
                self.binding(&kind, &binding.metadata, &binding.role_ref, binding.subjects)
            }
            "RoleBinding" => {
                let binding = RoleBinding::deserialize(object)?;
                self.binding(&kind, &binding.metadata, &binding.role_ref, binding.subjects)
            }
            "SecurityContextConstraints" => {
                let who = ["users", "groups"]
                    .iter()
                    .flat_map(|list| object[list].as_array());
                let who = who.flatten().map(ToString::to_string).collect();
                let name = object["metadata"]["name"].as_str().unwrap_or_default();
                insert(&mut self.constraints, format!("{kind} {name}"), who)
            }
            _ if kind.ends_with("List") => bail!("a {kind} hides what is in it"),
            _ => Ok(()),
        }
    }

    fn role(
        &mut self,
        kind: &str,
        metadata: &ObjectMeta,
        rules: Option<Vec<PolicyRule>>,
        aggregates: bool,
    ) -> Result<()> {
        let mut labels = metadata.labels.iter().flatten();
        let is_aggregated =
            |(key, _): (&String, _)| key.starts_with("rbac.authorization.k8s.io/aggregate-to-");
        let role = RulesOf {
            rules: rules.unwrap_or_default(),
            aggregates: aggregates || labels.any(is_aggregated),
        };
        insert(&mut self.roles, id(kind, metadata), role)
    }

    fn binding(
        &mut self,
        kind: &str,
        metadata: &ObjectMeta,
        role: &RoleRef,
        subjects: Option<Vec<Subject>>,
    ) -> Result<()> {
        let namespace = metadata.namespace.clone().filter(|_| role.kind == "Role");
        let of = ObjectMeta {
            name: Some(role.name.clone()),
            namespace,
            ..ObjectMeta::default()
        };
        let subject = |subject: Subject| match subject.namespace {
            Some(namespace) => format!("{} {namespace}/{}", subject.kind, subject.name),
            None => format!("{} {}", subject.kind, subject.name),
        };
        let binding = Binding {
            role: id(&role.kind, &of),
            subjects: subjects.unwrap_or_default().into_iter().map(subject).collect(),
            everywhere: kind == "ClusterRoleBinding",
        };
        insert(&mut self.bindings, id(kind, metadata), binding)
    }

    /// Each rule and each binding as a line, with the role that it is of.
    pub(super) fn lines(&self) -> BTreeSet<(String, String)> {
        let rules = self
            .roles
            .iter()
            .flat_map(|(id, role)| role.rules.iter().map(move |rule| (id.clone(), line(rule))));
        let bound = self.bindings.iter().map(|(id, binding)| {
            let held = format!("(held by {}: {id})", binding.subjects.join(", "));
            (binding.role.clone(), held)
        });
        let constraints = self.constraints.iter().map(|(id, who)| {
            let who = if who.is_empty() {
                "nobody".to_owned()
            } else {
                who.join(", ")
            };
            (id.clone(), format!("(used without any role by {who})"))
        });
        rules.chain(bound).chain(constraints).collect()
    }

    /// Each verb on each resource of each name in each role, and each holder of a role: two of these are compared without regard
    /// to how rules are written together.
    pub(super) fn each(&self) -> BTreeSet<String> {
        let rules = self
            .roles
            .iter()
            .flat_map(|(id, role)| role.rules.iter().map(move |rule| (id, rule)));
        let mut each: BTreeSet<String> = rules.flat_map(|(id, rule)| each_of(id, rule)).collect();
        for (id, binding) in &self.bindings {
            let held = binding
                .subjects
                .iter()
                .map(|who| format!("{id}: {} to {who}", binding.role));
            each.extend(held);
        }
        each
    }
}

fn each_of(role: &str, rule: &PolicyRule) -> Vec<String> {
    let resources = resources(rule);
    let names = match rule.resource_names.as_deref() {
        None | Some([]) => vec!["any".to_owned()],
        Some(names) => names.to_vec(),
    };
    let paths = rule.non_resource_urls.iter().flatten().cloned();
    let of_names = resources
        .iter()
        .flat_map(|it| names.iter().map(move |name| format!("{it} {name}")));
    let what: Vec<String> = of_names.chain(paths).collect();
    let verbs = rule.verbs.iter();
    verbs
        .flat_map(|verb| what.iter().map(move |it| format!("{role}: {verb} {it}")))
        .collect()
}

/// Each `group/resource` of a rule.
pub(super) fn resources(rule: &PolicyRule) -> Vec<String> {
    let groups = rule.api_groups.iter().flatten();
    let of_group = |group: &String| -> Vec<String> {
        let resources = rule.resources.iter().flatten();
        resources.map(|it| format!("{group}/{it}")).collect()
    };
    groups.flat_map(of_group).collect()
}

/// A rule as `reeve cluster permissions` shows it.
pub(super) fn line(rule: &PolicyRule) -> String {
    let joined = |list: &Option<Vec<String>>| list.as_deref().unwrap_or_default().join(", ");
    let mut text = rule.verbs.join(", ");
    for what in [&rule.resources, &rule.non_resource_urls] {
        let what = joined(what);
        if !what.is_empty() {
            text += &format!(" {what}");
        }
    }
    let (groups, names) = (joined(&rule.api_groups), joined(&rule.resource_names));
    if !groups.is_empty() {
        text += &format!(" ({groups})");
    }
    if !names.is_empty() {
        text += &format!(", only {names}");
    }
    text
}

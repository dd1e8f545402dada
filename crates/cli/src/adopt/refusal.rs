//! What the rules would say of new pods, asked of the checks themselves.

use std::collections::BTreeMap;

use reeve_admission::request::template_path;
use reeve_admission::{
    Check, Operation, Request, TemplateKind, User, failing, fill, has_ended, names, new_pods, unscheduled,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::inventory::{list, text};
use super::marks::without_marks;
use super::objects::Objects;
use super::settings::Rules;

/// A rule that refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The name of the check.
    pub id: &'static str,
    /// Its rule: `R4`.
    pub rule: String,
    /// What the API server says.
    pub sentence: String,
}

impl From<&Check> for Refusal {
    fn from(check: &Check) -> Self {
        Self {
            id: check.id,
            rule: check.rule.to_string(),
            sentence: check.message(),
        }
    }
}

/// Something that could make no new pod once the namespace is a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refused {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What would refuse the pod, in the order in which the API server asks.
    pub refusals: Vec<Refusal>,
    /// Who has to write it again.
    pub written_again_by: &'static str,
    /// By which program it was written last, and when, where the object says so: whom to ask. Kubernetes keeps no persons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_written_by: Option<String>,
    /// How.
    pub command: String,
    /// What refuses it also then: what that person has to change first.
    pub change_first: Vec<Refusal>,
}

/// Whoever it is: nothing in the namespace is anybody's yet.
const SOMEBODY: &str = "a person of the project, with kubectl apply / kubectl replace";

/// As which program Kubernetes' own controllers write.
const CONTROLLERS: &str = "kube-controller-manager";

/// Everything listed that could make no new pod.
pub(super) fn refused(objects: &Objects<'_>, rules: &Rules, namespace: &str) -> Vec<Refused> {
    let makes_pods = |object: &&Value| {
        let kind = text(object, "/kind");
        (template_path(kind).is_some() || TemplateKind::of_name(kind).is_some()) && !has_ended(object)
    };
    let top = objects.all.iter().filter(|object| objects.is_top(object));
    top.filter(makes_pods)
        .filter_map(|object| {
            let object = without_marks(object);
            let refusals = of_all(&new_pods(&object, &rules.labels, &rules.annotations));
            (!refusals.is_empty()).then(|| entry(&object, &refusals, rules, namespace))
        })
        .collect()
}

/// What refuses any of them, each check once.
fn of_all(requests: &[Request]) -> Vec<&'static Check> {
    let mut all: Vec<&Check> = Vec::new();
    for check in requests.iter().flat_map(failing) {
        if all.iter().all(|other| other.id != check.id) {
            all.push(check);
        }
    }
    all
}

fn entry(object: &Value, refusals: &[&Check], rules: &Rules, namespace: &str) -> Refused {
    let (kind, name) = (text(object, "/kind"), text(object, "/metadata/name"));
    let change_first = failing(&written_again(object, rules));
    let command = match (can_restart(kind), change_first.is_empty()) {
        (true, true) => format!(
            "kubectl -n {namespace} rollout restart {}/{name}",
            kind.to_lowercase()
        ),
        (true, false) => format!("kubectl -n {namespace} apply -f {name}.yaml"),
        // An unchanged template is not looked at again, and a Job's cannot change.
        (false, _) => format!("kubectl -n {namespace} replace --force -f {name}.yaml"),
    };
    Refused {
        kind: kind.to_owned(),
        name: name.to_owned(),
        refusals: refusals.iter().map(|check| Refusal::from(*check)).collect(),
        written_again_by: SOMEBODY,
        last_written_by: last_writer(object),
        command,
        change_first: change_first.into_iter().map(Refusal::from).collect(),
    }
}

/// The newest writer of the object itself. Built-in controllers, which write status, revisions and counts, wrote none of what is
/// refused. Whoever writes chooses her program's name, so it is a hint.
fn last_writer(object: &Value) -> Option<String> {
    let writers = list(object, "/metadata/managedFields").iter().filter(|entry| {
        let manager = text(entry, "/manager");
        text(entry, "/subresource").is_empty() && !manager.is_empty() && manager != CONTROLLERS
    });
    // RFC 3339 in UTC, as the API server writes it, sorts as text.
    let newest = writers.max_by_key(|entry| text(entry, "/time"))?;
    let said = format!("{} {}", text(newest, "/manager"), text(newest, "/time"));
    Some(said.trim_end().to_owned())
}

fn can_restart(kind: &str) -> bool {
    ["Deployment", "StatefulSet", "DaemonSet"].contains(&kind)
}

fn request(rules: &Rules, user: User, object: Value) -> Request {
    Request {
        user,
        object,
        namespace_labels: rules.labels.clone(),
        namespace_annotations: rules.annotations.clone(),
        ..Request::default()
    }
}

/// The same object, written by a person whose numbers are in nobody's manifest.
fn written_again(object: &Value, rules: &Rules) -> Request {
    let number = |key: &str| (key.to_owned(), vec!["1999999999".to_owned()]);
    let person = User {
        username: "person@project".to_owned(),
        uid: "00000000-0000-0000-0000-000000000000".to_owned(),
        extra: BTreeMap::from([number(names::EXTRA_UID), number(names::EXTRA_GID)]),
        ..User::default()
    };
    let mut new = unscheduled(object);
    let mut asked = if can_restart(text(object, "/kind")) {
        if new.pointer("/spec/template/metadata/annotations").is_none() {
            put(&mut new, "/spec/template/metadata", "annotations", json!({}));
        }
        let place = "/spec/template/metadata/annotations";
        put(&mut new, place, "kubectl.kubernetes.io/restartedAt", json!("now"));
        Request {
            operation: Operation::Update,
            old_object: Some(object.clone()),
            ..request(rules, person, new)
        }
    } else {
        // What the API server and controllers wrote is in no manifest.
        remove(&mut new, "/metadata", |key| {
            ["ownerReferences", "finalizers", "uid"].contains(&key)
        });
        if text(object, "/kind") == "Job" {
            remove(&mut new, "/spec", |key| key == "selector");
            let theirs = |key: &str| {
                ["controller-uid", "job-name"].contains(&key) || key.starts_with("batch.kubernetes.io/")
            };
            remove(&mut new, "/spec/template/metadata/labels", theirs);
        }
        request(rules, person, new)
    };
    fill(&mut asked);
    asked
}

fn put(value: &mut Value, at: &str, key: &str, new: Value) {
    if let Some(Value::Object(map)) = value.pointer_mut(at) {
        map.insert(key.to_owned(), new);
    }
}

fn remove(value: &mut Value, at: &str, gone: impl Fn(&str) -> bool) {
    if let Some(Value::Object(map)) = value.pointer_mut(at) {
        map.retain(|key, _| !gone(key));
    }
}

//! How marks are removed without replacing a running pod, and what has to be done by hand.

use std::collections::BTreeSet;

use reeve_admission::{TemplateKind, has_ended, names};
use serde::Serialize;
use serde_json::{Value, json};

use super::inventory::{list, members, text, title};
use super::marks::{Mark, marks};
use super::objects::{Objects, is_unstarted};

/// What removes marks from one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Patch {
    /// The object's kind.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// The patch: a JSON merge patch (RFC 7396), or a list, which is a JSON Patch (RFC 6902).
    pub patch: Value,
}

/// What cannot be done for the installer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ByHand {
    /// `Kind/name`.
    pub object: String,
    /// Why it is left alone.
    pub why: String,
    /// What helps.
    pub command: String,
    /// It ends the object, and with it every mark that it bears.
    #[serde(skip)]
    deletes: bool,
}

/// How every mark goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// In this order.
    pub patches: Vec<Patch>,
    /// In this order, after the patches.
    pub by_hand: Vec<ByHand>,
}

enum Way {
    Patch,
    ByHand(ByHand),
    /// Goes with something else that is by hand.
    Later,
}

/// How the marks of the objects, which come with owners first, and of the claims go.
pub(super) fn plan(objects: &Objects<'_>, claims: &[Mark], namespace: &str) -> Plan {
    let planner = Planner {
        objects,
        namespace,
        selected: objects.all.iter().flat_map(selector_keys).collect(),
    };
    let mut plan = Plan::default();
    for object in objects.all {
        let (mut removed, mut steps) = (Vec::new(), Vec::new());
        for mark in marks(object) {
            match planner.way(object, &mark) {
                Way::Patch => removed.push(mark),
                Way::ByHand(step) => steps.push(step),
                Way::Later => {}
            }
        }
        // One is enough: the steps of an object differ only where one of them deletes it.
        let deletes = steps.iter().position(|step| step.deletes);
        plan.by_hand.extend(steps.into_iter().nth(deletes.unwrap_or(0)));
        if !removed.is_empty() {
            plan.patches.push(Patch {
                kind: text(object, "/kind").to_owned(),
                name: text(object, "/metadata/name").to_owned(),
                patch: removal(object, &removed),
            });
        }
    }
    plan.by_hand
        .extend(claims.iter().map(|claim| planner.claim(claim)));
    plan
}

struct Planner<'a> {
    objects: &'a Objects<'a>,
    namespace: &'a str,
    /// Labels of ours by which something selects: removed from a pod, its controller would make another.
    selected: BTreeSet<&'a str>,
}

impl Planner<'_> {
    fn way(&self, object: &Value, mark: &Mark) -> Way {
        let selected = mark.is_label() && self.selected.contains(mark.key.as_str());
        if selected && selector_keys(object).any(|key| key == mark.key) {
            return self.delete(
                object,
                "it selects its pods by this label, which cannot change",
                " --cascade=orphan",
            );
        }
        match text(object, "/kind") {
            _ if selected => self.selected(object, &mark.key),
            "ControllerRevision" if !mark.is_own() => self.delete(
                object,
                "its data cannot change; from it controllers make pods",
                "",
            ),
            _ if mark.is_own() => Way::Patch,
            "Job" if is_unstarted(object) => Way::Patch,
            "Job" if has_ended(object) => {
                self.delete(object, "the template of a Job cannot change, and it is over", "")
            }
            "Job" => {
                let why =
                    "the template of a Job cannot change once it has started: wait for its end, or end it";
                self.delete(object, why, "")
            }
            "Deployment" | "StatefulSet" | "DaemonSet" if self.objects.is_busy(object) => {
                self.roll_out(object)
            }
            "ReplicaSet" => self.replica_set(object),
            kind if TemplateKind::of_name(kind).is_some() && self.objects.pods(object) > 0 => {
                self.roll_out(object)
            }
            _ => Way::Patch,
        }
    }

    /// Its controller has to go first; where it has none, something would take or replace it.
    fn selected(&self, object: &Value, key: &str) -> Way {
        let owner = self.objects.owner(object);
        if owner.is_some_and(|owner| selector_keys(owner).any(|other| other == key)) {
            return Way::Later;
        }
        self.delete(
            object,
            "a selector names this label: without it a controller would take or replace this",
            "",
        )
    }

    /// A ReplicaSet below a running Deployment is left alone: once its template is that of the Deployment, the Deployment
    /// could go over to it.
    fn replica_set(&self, object: &Value) -> Way {
        let running = self
            .objects
            .owner(object)
            .filter(|owner| self.objects.is_busy(owner));
        match running {
            None => Way::Patch,
            Some(_) if !self.objects.is_busy(object) => self.delete(
                object,
                "it is an old revision, without pods, of a Deployment that runs",
                "",
            ),
            Some(owner) if marks(owner).iter().any(|mark| !mark.is_own()) => Way::Later,
            Some(owner) => Way::ByHand(ByHand {
                object: title(object),
                why: "its Deployment is going over to another revision".to_owned(),
                command: format!(
                    "kubectl -n {} rollout status deployment/{}",
                    self.namespace,
                    text(owner, "/metadata/name")
                ),
                deletes: false,
            }),
        }
    }

    fn delete(&self, object: &Value, why: &str, how: &str) -> Way {
        let kind = text(object, "/kind").to_lowercase();
        let name = text(object, "/metadata/name");
        Way::ByHand(ByHand {
            object: title(object),
            why: why.to_owned(),
            command: format!("kubectl -n {} delete {kind} {name}{how}", self.namespace),
            deletes: true,
        })
    }

    fn roll_out(&self, object: &Value) -> Way {
        let all = marks(object);
        let of_template: Vec<Mark> = all.into_iter().filter(|mark| !mark.is_own()).collect();
        let kind = text(object, "/kind").to_lowercase();
        let name = text(object, "/metadata/name");
        let patch = removal(object, &of_template);
        let form = if patch.is_array() { "json" } else { "merge" };
        Way::ByHand(ByHand {
            object: title(object),
            why: "a change of its template replaces the pods that run, which is for you to time".to_owned(),
            command: format!(
                "kubectl -n {} patch {kind} {name} --type={form} -p '{patch}'",
                self.namespace,
            ),
            deletes: false,
        })
    }

    fn claim(&self, mark: &Mark) -> ByHand {
        ByHand {
            object: format!("{}/{}", mark.kind, mark.name),
            why: "its name says that a StatefulSet of the person with this uid made it, so that fsGroup may change the \
                  group of all its files (R21)"
                .to_owned(),
            command: format!(
                "kubectl -n {} delete persistentvolumeclaim {}   # after moving its files to a claim with another name",
                self.namespace, mark.name
            ),
            deletes: true,
        }
    }
}

/// The keys of ours by which an object selects pods.
fn selector_keys(object: &Value) -> impl Iterator<Item = &str> {
    let plain = members(object, "/spec/selector").map(|(key, _)| key);
    let labels = members(object, "/spec/selector/matchLabels").map(|(key, _)| key);
    let expressions = list(object, "/spec/selector/matchExpressions").iter();
    plain
        .chain(labels)
        .chain(expressions.map(|expression| text(expression, "/key")))
        .filter(|key| key.starts_with(names::PREFIX))
}

/// The patch that removes them. Kinds of others have templates in lists, which a merge patch would replace as a whole.
fn removal(object: &Value, marks: &[Mark]) -> Value {
    if TemplateKind::of_name(text(object, "/kind")).is_some() {
        let key = |mark: &Mark| mark.key.replace('~', "~0").replace('/', "~1");
        let remove = |mark: &Mark| json!({"op": "remove", "path": format!("{}/{}", mark.place, key(mark))});
        return marks.iter().map(remove).collect();
    }
    let mut patch = json!({});
    for mark in marks {
        let path = mark.place.split('/').skip(1).map(ToOwned::to_owned);
        set(&mut patch, path.chain([mark.key.clone()]));
    }
    patch
}

fn set(patch: &mut Value, mut path: impl Iterator<Item = String>) {
    let Some(key) = path.next() else {
        *patch = Value::Null;
        return;
    };
    if let Value::Object(map) = patch {
        set(map.entry(key).or_insert_with(|| json!({})), path);
    }
}

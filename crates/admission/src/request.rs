//! An admission request, as the policies see it, for the Rust side of every check.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::names;

/// What is asked of the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A new object.
    Create,
    /// A changed one, or one of its subresources.
    Update,
    /// A removed one; asked for `ReeveConfig` only.
    Delete,
    /// A connection to what runs: `exec`, `attach`, `portforward`, `proxy`. The object is then the options.
    Connect,
}

/// Who asks: `request.userInfo`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// The user name.
    pub username: String,
    /// The user id, empty when there is none.
    pub uid: String,
    /// The groups.
    pub groups: Vec<String>,
    /// The extra keys.
    pub extra: BTreeMap<String, Vec<String>>,
}

/// One request. Objects are plain JSON, with `kind` filled in.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is asked.
    pub operation: Operation,
    /// The name in the path, where the object does not have it: of the pod, Service or node that is connected to.
    pub name: String,
    /// The subresource, empty for the object itself.
    pub subresource: String,
    /// Who asks.
    pub user: User,
    /// The field manager that the client gave itself, empty when it gave none.
    pub field_manager: String,
    /// The object as it would become; null on deletion.
    pub object: Value,
    /// The object as it is, on update and deletion.
    pub old_object: Option<Value>,
    /// The name of the object's namespace; empty for objects without one.
    pub namespace: String,
    /// The labels of the object's namespace; empty for objects without one.
    pub namespace_labels: BTreeMap<String, String>,
    /// The annotations of the object's namespace; empty for objects without one.
    pub namespace_annotations: BTreeMap<String, String>,
    /// What the API server hands to the policies of connections beside the request.
    pub parameters: Parameters,
}

/// The parameters of the policies of connections.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    /// The namespace's `PodIdentities`: `spec.runsAs` maps stamps to names of pods.
    pub identities: Value,
    /// The namespace's pods whose names can be chosen.
    pub pods: Vec<Value>,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            operation: Operation::Create,
            name: String::new(),
            subresource: String::new(),
            user: User::default(),
            field_manager: String::new(),
            object: Value::Null,
            old_object: None,
            namespace: String::new(),
            namespace_labels: BTreeMap::new(),
            namespace_annotations: BTreeMap::new(),
            parameters: Parameters::default(),
        }
    }
}

impl User {
    /// A user name without anything else.
    pub fn named(username: &str) -> Self {
        Self {
            username: username.to_owned(),
            ..Self::default()
        }
    }

    /// Whether the user is in the group.
    pub fn in_group(&self, group: &str) -> bool {
        self.groups.iter().any(|g| g == group)
    }

    /// The values of an extra key, empty when it is absent.
    pub fn extra(&self, key: &str) -> &[String] {
        self.extra.get(key).map_or(&[], Vec::as_slice)
    }

    /// Whether it is a listed controller, and not a pod that runs under its ServiceAccount (R4).
    pub fn is_controller(&self) -> bool {
        names::CONTROLLERS.contains(&self.username.as_str())
            && !self.extra.contains_key(names::EXTRA_POD_NAME)
    }

    /// Whether it is the operator.
    pub fn is_operator(&self) -> bool {
        self.username == names::OPERATOR_USER
    }

    /// Whether it is in the install-time group.
    pub fn is_installer(&self) -> bool {
        self.in_group(names::INSTALLERS)
    }

    /// Whether our issuer verified uid and gid: whole numbers of people, one each, on a name and an id of its making.
    pub fn is_person(&self) -> bool {
        let (uid, gid, groups) = self.numbers();
        let id_ok = !self.uid.is_empty() && self.uid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        uid.len() == 1
            && gid.len() == 1
            && self.username.contains('@')
            && !names::RESERVED_PREFIXES
                .iter()
                .any(|p| self.username.starts_with(p))
            && id_ok
            && uid
                .iter()
                .chain(gid)
                .chain(groups)
                .all(|n| n.parse::<reeve_types::Gid>().is_ok())
    }

    /// The stamp of a person, empty for everybody else.
    pub fn stamp(&self) -> String {
        let (uid, gid, groups) = self.numbers();
        match (self.is_person(), uid, gid) {
            (true, [uid], [gid]) => format!("{}/{uid}/{gid}/{}", self.uid, groups.join(".")),
            _ => String::new(),
        }
    }

    fn numbers(&self) -> (&[String], &[String], &[String]) {
        (
            self.extra(names::EXTRA_UID),
            self.extra(names::EXTRA_GID),
            self.extra(names::EXTRA_GROUPS),
        )
    }
}

impl Request {
    /// The object's kind; of the old object on deletion.
    pub fn kind(&self) -> &str {
        let object = if self.object.is_null() {
            self.old_object.as_ref()
        } else {
            Some(&self.object)
        };
        object
            .and_then(|o| o.get("kind"))
            .and_then(Value::as_str)
            .unwrap_or("")
    }

    /// Whether the namespace's setting is on: only the text `false` switches one off, absent is strict.
    pub fn enforces(&self, label: &str) -> bool {
        self.namespace_labels
            .get(label)
            .is_none_or(|value| value != names::OFF)
    }

    /// Whether the namespace allows something that is refused otherwise: only the text `true` does, absent does not.
    pub(crate) fn allows(&self, label: &str) -> bool {
        self.namespace_labels
            .get(label)
            .is_some_and(|value| value == "true")
    }

    /// The entries of a setting that is a list; `None` when the namespace does not have it.
    pub(crate) fn listed(&self, annotation: &str) -> Option<Vec<&str>> {
        self.namespace_annotations
            .get(annotation)
            .map(|text| text.split(',').collect())
    }

    /// The kinds whose templates whoever asks may make pods of (R31); none where it is listed twice.
    pub(crate) fn covers(&self) -> Vec<&str> {
        let name = self.user.username.as_str();
        let listed = self.listed(names::TRUSTED_CONTROLLERS).unwrap_or_default();
        let mut entries = listed
            .into_iter()
            .filter_map(|entry| entry.strip_prefix(name)?.strip_prefix('='));
        match (entries.next(), entries.next()) {
            (Some(kinds), None) if name.starts_with(names::SERVICE_ACCOUNT_PREFIX) => {
                kinds.split('+').collect()
            }
            _ => Vec::new(),
        }
    }

    /// The controller that is listed for this kind here: the first of them, as it calls itself.
    pub(crate) fn controller_of(&self, kind: &str) -> Option<&str> {
        let listed = self.listed(names::TRUSTED_CONTROLLERS).unwrap_or_default();
        listed
            .iter()
            .filter_map(|entry| entry.split_once('='))
            .find(|(_, kinds)| kinds.split('+').any(|one| one == kind))
            .map(|(name, _)| name)
    }

    /// Whether some controller is listed for this kind here.
    pub(crate) fn is_covered(&self, kind: &str) -> bool {
        self.controller_of(kind).is_some()
    }

    /// Whether the namespace is a project's.
    pub fn in_project(&self) -> bool {
        self.namespace_labels.contains_key(names::PROJECT)
    }
}

/// Where the pod template of an object of this kind lies, as a JSON pointer; `None` for kinds that make no pods. A
/// Pod is its own template.
pub fn template_path(kind: &str) -> Option<&'static str> {
    match kind {
        "Pod" => Some(""),
        "CronJob" => Some("/spec/jobTemplate/spec/template"),
        "Job" | "Deployment" | "StatefulSet" | "ReplicaSet" | "DaemonSet" | "ReplicationController" => {
            Some("/spec/template")
        }
        _ => None,
    }
}

/// The text at a pointer, empty when there is none.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// The list at a pointer, empty when there is none.
pub fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The text map at a pointer, empty when there is none.
pub(crate) fn map<'a>(value: &'a Value, pointer: &str) -> BTreeMap<&'a str, &'a str> {
    let entries = value.pointer(pointer).and_then(Value::as_object);
    entries
        .into_iter()
        .flatten()
        .map(|(k, v)| (k.as_str(), v.as_str().unwrap_or("")))
        .collect()
}

/// Whether an entry of the list owns as the controller and satisfies the test.
pub(crate) fn controlled_by(object: &Value, test: impl Fn(&Value) -> bool) -> bool {
    list(object, "/metadata/ownerReferences")
        .iter()
        .any(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true) && test(owner))
}

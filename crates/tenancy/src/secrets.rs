//! Which Secrets a project gets a copy of, and what the copies look like. Pure.
//!
//! A source is a Secret in a namespace where the operator may read Secrets, with a label that says whom it is for: every project of
//! the cluster, those of a department, or one project; the reference's labels count too (cluster-and-cli 4.1). A copy has the
//! source's name, type and values. It keeps none of the source's annotations, which can hold the values once more, and of its
//! labels only those that say what it is: it is no source itself, and no tool of the source's takes it for its own.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reeve_admission::names;
use reeve_crds::desired::Project;

/// How many copies a project gets at most: their names stand in one request.
pub const MOST_COPIES: usize = 200;
/// How many bytes the values of a Secret have at most, as Kubernetes has it.
pub const MOST_BYTES: usize = 1024 * 1024;
/// Goes into every version: copies are written again when what they look like changes.
const FORM: &str = "1";

/// Whom a source is for, the narrowest first: of two with one name the first is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// The project itself.
    Project,
    /// The projects of its department.
    Department,
    /// Every project of the cluster.
    Cluster,
    /// Every project of the account.
    Account,
}

/// Why a project gets no copy of something that is for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCopied {
    /// Another source has the name, and comes first.
    #[error(
        "`{by}` has the same name and comes first: a project's own before its department's before the cluster's before the account's; \
         rename one"
    )]
    Shadowed {
        /// `namespace/name` of the other.
        by: String,
    },
    /// Such a Secret is a right of its own.
    #[error("a Secret of type `{0}` is copied to nobody: it is a right of its own, or a program's record")]
    Type(String),
    /// More than a Secret may hold.
    #[error("its values have {0} bytes, a Secret holds at most {MOST_BYTES}")]
    TooLarge(usize),
    /// The project has too many already.
    #[error(
        "a project gets at most {MOST_COPIES} copies: take the label off others, or give them to fewer projects"
    )]
    TooMany,
}

/// A copy that is to be there.
#[derive(Clone)]
pub struct Copy {
    /// The object, for the project's namespace.
    pub object: Secret,
    /// `namespace/name` of the source.
    pub origin: String,
    /// Changes with every change of the source. Made of its uid and revision, never of what it holds.
    pub version: String,
    /// Whether images are pulled by it.
    pub pulls_images: bool,
}

impl Copy {
    /// The copy's name, which is the source's.
    pub fn name(&self) -> &str {
        self.object.metadata.name.as_deref().unwrap_or_default()
    }
}

impl fmt::Debug for Copy {
    /// Without what it holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "copy of {} at {}", self.origin, self.version)
    }
}

/// Something that is for a project and is not copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The name that the copy would have.
    pub name: String,
    /// `namespace/name` of the source.
    pub origin: String,
    /// Why.
    pub why: NotCopied,
}

/// What a project is to have.
#[derive(Debug, Clone, Default)]
pub struct Copies {
    /// The copies, by name.
    pub copies: Vec<Copy>,
    /// What is left out, by name.
    pub left: Vec<Left>,
}

/// For whom a source is, as far as this project goes; `None` when it is not for it.
pub fn audience(project: &Project, source: &Secret) -> Option<Audience> {
    let labels = source.metadata.labels.as_ref()?;
    let says = |key: &str, value: &str| labels.get(key).is_some_and(|said| said == value);
    let department = project.department_id.to_string();
    if says(names::TO_PROJECT, &project.id.to_string()) {
        Some(Audience::Project)
    } else if names::TO_DEPARTMENT_KEYS.iter().any(|key| says(key, &department)) {
        Some(Audience::Department)
    } else {
        let for_all = names::TO_CLUSTER_KEYS.iter().any(|key| says(key, "true"));
        let audience = if says(names::ACCOUNT_WIDE, names::ON) {
            Audience::Account
        } else {
            Audience::Cluster
        };
        for_all.then_some(audience)
    }
}

/// What a project is to have of these sources. A source that is in a project's namespace itself, or that is a copy, is none.
pub fn copies(project: &Project, sources: &[Arc<Secret>]) -> Copies {
    let mut found: Vec<(Audience, &Secret)> = sources
        .iter()
        .filter(|source| !is_copy(source) && source.metadata.namespace.as_deref() != Some(&project.namespace))
        .filter(|source| source.metadata.deletion_timestamp.is_none())
        .filter_map(|source| Some((audience(project, source)?, &**source)))
        .collect();
    found.sort_by_key(|(audience, source)| (*audience, origin(source)));
    let mut result = Copies::default();
    let mut chosen: BTreeMap<String, Copy> = BTreeMap::new();
    for (_, source) in found {
        let count = chosen.len();
        let why = match chosen.entry(name(source)) {
            Entry::Occupied(taken) => NotCopied::Shadowed {
                by: taken.get().origin.clone(),
            },
            Entry::Vacant(place) => match unfit(source) {
                Some(why) => why,
                None if count >= MOST_COPIES => NotCopied::TooMany,
                None => {
                    place.insert(copy(project, source));
                    continue;
                }
            },
        };
        result.left.push(Left {
            name: name(source),
            origin: origin(source),
            why,
        });
    }
    result
        .left
        .sort_by(|one, other| (&one.name, &one.origin).cmp(&(&other.name, &other.origin)));
    result.copies = chosen.into_values().collect();
    result
}

/// Whether an object bears the mark of a copy.
fn is_copy(secret: &Secret) -> bool {
    let labels = secret.metadata.labels.as_ref();
    labels
        .and_then(|labels| labels.get(names::MANAGED))
        .is_some_and(|value| value == names::MANAGED_SECRETS)
}

/// What copies are called.
fn name(source: &Secret) -> String {
    let labels = source.metadata.labels.as_ref();
    let other = labels.and_then(|labels| labels.get(names::COPY_NAME));
    let own = || source.metadata.name.clone().unwrap_or_default();
    other.filter(|name| !name.is_empty()).cloned().unwrap_or_else(own)
}

fn origin(source: &Secret) -> String {
    let namespace = source.metadata.namespace.as_deref().unwrap_or_default();
    let name = source.metadata.name.as_deref().unwrap_or_default();
    format!("{namespace}/{name}")
}

fn type_of(source: &Secret) -> &str {
    source.type_.as_deref().unwrap_or("Opaque")
}

fn unfit(source: &Secret) -> Option<NotCopied> {
    let kind = type_of(source);
    if names::UNCOPIED_TYPES.contains(&kind) {
        return Some(NotCopied::Type(kind.to_owned()));
    }
    let bytes = source.data.iter().flatten().map(|(_, value)| value.0.len()).sum();
    (bytes > MOST_BYTES).then_some(NotCopied::TooLarge(bytes))
}

fn copy(project: &Project, source: &Secret) -> Copy {
    let origin = origin(source);
    let uid = source.metadata.uid.as_deref().unwrap_or_default();
    let revision = source.metadata.resource_version.as_deref().unwrap_or_default();
    let mut labels: BTreeMap<String, String> = source.metadata.labels.clone().unwrap_or_default();
    labels.retain(|key, _| names::SECRET_KIND_KEYS.contains(&key.as_str()));
    labels.insert(names::MANAGED.to_owned(), names::MANAGED_SECRETS.to_owned());
    Copy {
        version: format!("{FORM}/{uid}/{revision}"),
        pulls_images: names::REGISTRY_TYPES.contains(&type_of(source)),
        object: Secret {
            metadata: ObjectMeta {
                name: Some(name(source)),
                namespace: Some(project.namespace.clone()),
                labels: Some(labels),
                annotations: Some([(names::ORIGIN.to_owned(), origin.clone())].into()),
                ..ObjectMeta::default()
            },
            type_: Some(type_of(source).to_owned()),
            data: source.data.clone(),
            // A source that cannot change can be deleted and made anew, and its copies are to follow.
            immutable: None,
            string_data: None,
        },
        origin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::ByteString;
    use reeve_types::{DepartmentId, ProjectId};

    fn project() -> Project {
        Project {
            id: ProjectId::new(3).unwrap(),
            name: "robots".parse().unwrap(),
            department_id: DepartmentId::new(7).unwrap(),
            namespace: "reeve-robots".to_owned(),
            allow_networking: None,
            pod_rules: reeve_types::PodRules::default(),
            workload_limits: reeve_types::WorkloadLimits::default(),
        }
    }

    fn source(namespace: &str, name: &str, labels: &[(&str, &str)]) -> Arc<Secret> {
        let labels = labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Arc::new(Secret {
            metadata: ObjectMeta {
                namespace: Some(namespace.to_owned()),
                name: Some(name.to_owned()),
                labels: Some(labels.collect()),
                annotations: Some(
                    [(
                        "kubectl.kubernetes.io/last-applied-configuration".to_owned(),
                        "canary".to_owned(),
                    )]
                    .into(),
                ),
                uid: Some(format!("uid-of-{name}")),
                resource_version: Some("12".to_owned()),
                ..ObjectMeta::default()
            },
            data: Some([("key".to_owned(), ByteString(b"canary".to_vec()))].into()),
            type_: Some("Opaque".to_owned()),
            immutable: Some(true),
            ..Secret::default()
        })
    }

    fn names_of(found: &Copies) -> Vec<&str> {
        found.copies.iter().map(Copy::name).collect()
    }

    #[test]
    fn every_label_of_every_era_reaches_whom_it_names_and_nobody_else() {
        for (label, value, reaches) in [
            ("reeve.dev/cluster-wide", "true", true),
            ("runai/cluster-wide", "true", true),
            ("run.ai/cluster-wide", "true", true),
            ("runai/cluster-wide", "false", false),
            ("runai/cluster-wide", "", false),
            ("reeve.dev/department", "7", true),
            ("run.ai/department", "7", true),
            ("run.ai/department", "8", false),
            ("run.ai/department", "07", false),
            ("reeve.dev/to-project", "3", true),
            ("reeve.dev/to-project", "4", false),
            ("run.ai/resource", "generic", false),
            ("team", "true", false),
        ] {
            let found = copies(&project(), &[source("reeve-secrets", "a", &[(label, value)])]);
            assert_eq!(names_of(&found).len(), usize::from(reaches), "{label}={value}");
        }
    }

    #[test]
    fn a_copy_says_where_it_comes_from_and_is_no_source_itself() {
        let labels = [
            ("runai/cluster-wide", "true"),
            ("run.ai/resource", "password"),
            ("app.kubernetes.io/instance", "x"),
        ];
        let found = copies(&project(), &[source("reeve-secrets", "a", &labels)]);
        let copy = &found.copies[0];
        let meta = &copy.object.metadata;
        assert_eq!(meta.namespace.as_deref(), Some("reeve-robots"));
        let expected = [("reeve.dev/managed", "secrets"), ("run.ai/resource", "password")];
        let expected: BTreeMap<String, String> = expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        assert_eq!(meta.labels.as_ref(), Some(&expected));
        let annotations = meta.annotations.clone().unwrap();
        assert_eq!(
            annotations,
            [("reeve.dev/origin".to_owned(), "reeve-secrets/a".to_owned())].into()
        );
        assert_eq!(copy.object.immutable, None);
        assert_eq!(copy.version, "1/uid-of-a/12");
        // What was copied is none to copy on, wherever it lies and whatever is written onto it.
        let mut again = copy.object.clone();
        again
            .metadata
            .labels
            .as_mut()
            .unwrap()
            .insert("runai/cluster-wide".to_owned(), "true".to_owned());
        again.metadata.namespace = Some("reeve-secrets".to_owned());
        assert!(copies(&project(), &[Arc::new(again)]).copies.is_empty());
    }

    #[test]
    fn of_one_name_the_narrowest_is_copied_and_the_others_are_named() {
        let sources = [
            source("runai", "a", &[("runai/cluster-wide", "true")]),
            source("reeve-secrets", "a", &[("reeve.dev/department", "7")]),
        ];
        let found = copies(&project(), &sources);
        assert_eq!(found.copies[0].origin, "reeve-secrets/a");
        assert_eq!(found.left[0].origin, "runai/a");
        assert!(
            found.left[0].why.to_string().contains("`reeve-secrets/a`"),
            "{}",
            found.left[0].why
        );
    }

    #[test]
    fn what_is_a_right_of_its_own_or_too_large_is_left_out_with_the_reason() {
        let mut token = (*source("reeve-secrets", "t", &[("reeve.dev/cluster-wide", "true")])).clone();
        token.type_ = Some("kubernetes.io/service-account-token".to_owned());
        let mut large = (*source("reeve-secrets", "l", &[("reeve.dev/cluster-wide", "true")])).clone();
        large.data = Some([("key".to_owned(), ByteString(vec![0; MOST_BYTES + 1]))].into());
        let found = copies(&project(), &[Arc::new(token), Arc::new(large)]);
        assert!(found.copies.is_empty());
        let why: Vec<String> = found.left.iter().map(|left| left.why.to_string()).collect();
        assert!(
            why[0].contains("1048577 bytes") && why[1].contains("service-account-token"),
            "{why:?}"
        );
    }

    #[test]
    fn a_project_gets_so_many_and_no_more() {
        let all: Vec<Arc<Secret>> = (0..MOST_COPIES + 2)
            .map(|number| {
                source(
                    "reeve-secrets",
                    &format!("s{number:03}"),
                    &[("reeve.dev/cluster-wide", "true")],
                )
            })
            .collect();
        let found = copies(&project(), &all);
        assert_eq!((found.copies.len(), found.left.len()), (MOST_COPIES, 2));
        assert_eq!(found.left[0].why, NotCopied::TooMany);
    }

    #[test]
    fn nothing_that_a_copy_holds_is_printed() {
        let found = copies(
            &project(),
            &[source(
                "reeve-secrets",
                "a",
                &[("reeve.dev/cluster-wide", "true")],
            )],
        );
        assert!(!format!("{found:?}").contains("canary"), "{found:?}");
    }
}

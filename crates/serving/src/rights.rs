//! What the operator may do, and what the helper roles give people: one reviewed table, from which the chart's RBAC comes.
//!
//! No Secret, no wildcard, no `escalate`, no `impersonate`. Credentials are references that go from the spec of an object to the
//! pods that use them; the operator has nothing to do with what is in them.

use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;

use crate::labels::{self, Labels};
use crate::plan::artifact::ACCOUNT;

/// The operator's ServiceAccount.
pub const SERVICE_ACCOUNT: &str = "aim-engine-controller-manager";
/// The operator's ClusterRole.
pub const MANAGER: &str = "aim-engine-manager-role";
/// Asks the API server who reads metrics.
pub const METRICS_AUTH: &str = "aim-engine-metrics-auth-role";
/// For who reads metrics; bound to nobody.
pub const METRICS_READER: &str = "aim-engine-metrics-reader";
/// Leases in the operator's namespace.
pub const LEASES: &str = "aim-engine-leader-election-role";

/// One right: what may be done to what, and why the operator cannot do without.
#[derive(Debug, Clone, Copy)]
pub struct Grant {
    /// The API group; empty is the core group.
    pub group: &'static str,
    /// The resources.
    pub resources: &'static [&'static str],
    /// Only objects of these names; empty for all.
    pub names: &'static [&'static str],
    /// The verbs.
    pub verbs: &'static [&'static str],
    /// Why.
    pub because: &'static str,
}

impl Grant {
    const fn new(
        group: &'static str,
        resources: &'static [&'static str],
        verbs: &'static [&'static str],
        because: &'static str,
    ) -> Self {
        Self {
            group,
            resources,
            names: &[],
            verbs,
            because,
        }
    }

    fn rule(&self) -> PolicyRule {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        PolicyRule {
            api_groups: Some(owned(&[self.group])),
            resources: Some(owned(self.resources)),
            resource_names: (!self.names.is_empty()).then(|| owned(self.names)),
            verbs: owned(self.verbs),
            ..PolicyRule::default()
        }
    }
}

const AIM: &str = reeve_serving_crds::GROUP;
const READ: &[&str] = &["list", "watch"];
const MAKE: &[&str] = &["create", "patch"];
const RBAC: &str = "rbac.authorization.k8s.io";

/// In the whole cluster.
pub const CLUSTER: &[Grant] = &[
    Grant::new(
        AIM,
        &[
            "aimservices",
            "aimmodels",
            "aimclustermodels",
            "aimclustermodelsources",
            "aimservicetemplates",
            "aimclusterservicetemplates",
            "aimtemplatecaches",
            "aimartifacts",
            "aimruntimeconfigs",
            "aimclusterruntimeconfigs",
        ],
        READ,
        "what people and controllers want",
    ),
    Grant::new(
        AIM,
        &[
            "aimmodels",
            "aimclustermodels",
            "aimservicetemplates",
            "aimclusterservicetemplates",
            "aimtemplatecaches",
            "aimartifacts",
        ],
        MAKE,
        "what a service, a source, a model, a template or a cache asks for",
    ),
    Grant::new(AIM, &["aimservices"], &["patch"], "its finalizer"),
    Grant::new(
        AIM,
        &["aimtemplatecaches", "aimartifacts"],
        &["delete"],
        "those that hold nothing go with the service or the cache that they were made for",
    ),
    Grant::new(
        AIM,
        &[
            "aimservices/status",
            "aimmodels/status",
            "aimclustermodels/status",
            "aimclustermodelsources/status",
            "aimservicetemplates/status",
            "aimclusterservicetemplates/status",
            "aimtemplatecaches/status",
            "aimartifacts/status",
        ],
        &["patch"],
        "how they stand",
    ),
    Grant::new(
        "serving.kserve.io",
        &["inferenceservices"],
        READ,
        "how what serves stands",
    ),
    Grant::new(
        "serving.kserve.io",
        &["inferenceservices"],
        MAKE,
        "what serves a service",
    ),
    Grant::new(
        "gateway.networking.k8s.io",
        &["httproutes"],
        READ,
        "whether a Gateway took the route",
    ),
    Grant::new(
        "gateway.networking.k8s.io",
        &["httproutes"],
        MAKE,
        "the route to a service",
    ),
    Grant::new(
        "gateway.networking.k8s.io",
        &["httproutes"],
        &["delete"],
        "the route of a service whose routing was switched off",
    ),
    Grant::new("batch", &["jobs"], READ, "discovery, size checks and downloads"),
    Grant::new("batch", &["jobs"], MAKE, "discovery, size checks and downloads"),
    Grant::new("", &["persistentvolumeclaims"], READ, "where files are stored"),
    Grant::new("", &["persistentvolumeclaims"], MAKE, "where files are stored"),
    Grant::new(
        "",
        &["pods"],
        READ,
        "how Jobs and InferenceServices stand, by the labels of theirs",
    ),
    Grant::new(
        "",
        &["pods/log"],
        &["get"],
        "what an image says of itself, and why a container failed",
    ),
    Grant::new(
        "",
        &["events"],
        READ,
        "why a pod or a claim waits, and what KServe warns of",
    ),
    Grant::new(
        "events.k8s.io",
        &["events"],
        MAKE,
        "what is new about an object; a repetition is a patch",
    ),
    Grant::new("", &["nodes"], READ, "which GPUs there are, by labels"),
    Grant::new("", &["namespaces"], READ, "in one that ends nothing is tidied"),
    Grant::new(
        "autoscaling",
        &["horizontalpodautoscalers"],
        READ,
        "how many replicas there are",
    ),
    Grant::new("", &["serviceaccounts"], READ, "the account of downloads"),
    Grant::new(
        "",
        &["serviceaccounts"],
        MAKE,
        "the account of downloads, in namespaces that store files",
    ),
    Grant::new(
        RBAC,
        &["rolebindings"],
        READ,
        "its one right: to say in a status how far it is",
    ),
    Grant::new(
        RBAC,
        &["rolebindings"],
        MAKE,
        "its one right: to say in a status how far it is",
    ),
    Grant {
        group: RBAC,
        resources: &["clusterroles"],
        names: &[ACCOUNT],
        verbs: &["bind"],
        because: "to bind that one role and no other",
    },
];

/// In the operator's namespace.
pub const NAMESPACE: &[Grant] = &[Grant::new(
    "coordination.k8s.io",
    &["leases"],
    &["create", "get", "update"],
    "one leader, and one that begins discoveries",
)];

/// With `--metrics-secure`, the usual way.
pub const METRICS: &[Grant] = &[
    Grant::new(
        "authentication.k8s.io",
        &["tokenreviews"],
        &["create"],
        "whose token it is",
    ),
    Grant::new(
        "authorization.k8s.io",
        &["subjectaccessreviews"],
        &["create"],
        "whether they may get /metrics",
    ),
];

/// Of the account of downloads, in each namespace that stores files.
pub const DOWNLOADS: &[Grant] = &[Grant::new(
    AIM,
    &["aimartifacts/status"],
    &["get", "patch"],
    "how far a download is",
)];

/// The kinds that helper roles are for: singular and plural.
pub const KINDS: [(&str, &str); 10] = [
    ("aimservice", "aimservices"),
    ("aimmodel", "aimmodels"),
    ("aimclustermodel", "aimclustermodels"),
    ("aimclustermodelsource", "aimclustermodelsources"),
    ("aimservicetemplate", "aimservicetemplates"),
    ("aimclusterservicetemplate", "aimclusterservicetemplates"),
    ("aimtemplatecache", "aimtemplatecaches"),
    ("aimartifact", "aimartifacts"),
    ("aimruntimeconfig", "aimruntimeconfigs"),
    ("aimclusterruntimeconfig", "aimclusterruntimeconfigs"),
];

const EDIT: &[&str] = &["create", "delete", "get", "list", "patch", "update", "watch"];
const VIEW: &[&str] = &["get", "list", "watch"];

/// The helper roles: `<kind>-admin`, `<kind>-editor` and `<kind>-viewer` for each of [`KINDS`].
pub fn helper_roles() -> Vec<ClusterRole> {
    let of_kind = |(singular, plural): (&str, &str)| {
        let role = |name: &str, verbs: &[&str], on_status: &[&str]| {
            let rule = |resource: String, verbs: &[&str]| PolicyRule {
                api_groups: Some(vec![AIM.to_owned()]),
                resources: Some(vec![resource]),
                verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
                ..PolicyRule::default()
            };
            ClusterRole {
                metadata: named(&format!("{singular}-{name}")),
                rules: Some(vec![
                    rule(plural.to_owned(), verbs),
                    rule(format!("{plural}/status"), on_status),
                ]),
                ..ClusterRole::default()
            }
        };
        [
            role("admin", &["*"], EDIT_STATUS),
            role("editor", EDIT, &["get"]),
            role("viewer", VIEW, &["get"]),
        ]
    };
    KINDS.into_iter().flat_map(of_kind).collect()
}

/// "Full access including status."
const EDIT_STATUS: &[&str] = &["get", "patch", "update"];

fn named(name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        labels: Some(own_labels()),
        ..ObjectMeta::default()
    }
}

fn own_labels() -> Labels {
    labels::labels([(labels::APP_NAME, "aim-engine")])
}

fn cluster_role(name: &str, grants: &[Grant]) -> ClusterRole {
    ClusterRole {
        metadata: named(name),
        rules: Some(grants.iter().map(Grant::rule).collect()),
        ..ClusterRole::default()
    }
}

/// The ClusterRoles that are always there: the operator's, of metrics, of downloads.
pub fn cluster_roles() -> Vec<ClusterRole> {
    let reader = ClusterRole {
        metadata: named(METRICS_READER),
        rules: Some(vec![PolicyRule {
            non_resource_urls: Some(vec!["/metrics".to_owned()]),
            verbs: vec!["get".to_owned()],
            ..PolicyRule::default()
        }]),
        ..ClusterRole::default()
    };
    vec![
        cluster_role(MANAGER, CLUSTER),
        cluster_role(METRICS_AUTH, METRICS),
        reader,
        cluster_role(ACCOUNT, DOWNLOADS),
    ]
}

fn reference(kind: &str, name: &str) -> RoleRef {
    RoleRef {
        api_group: Some(RBAC.to_owned()),
        kind: kind.to_owned(),
        name: name.to_owned(),
    }
}

fn account(namespace: &str) -> Subject {
    Subject {
        kind: "ServiceAccount".to_owned(),
        name: SERVICE_ACCOUNT.to_owned(),
        namespace: Some(namespace.to_owned()),
        api_group: None,
    }
}

/// The bindings of the operator's ServiceAccount in this namespace, and the Role of its leases.
pub fn bindings(namespace: &str) -> (Vec<ClusterRoleBinding>, Role, RoleBinding) {
    let bind = |role: &str| ClusterRoleBinding {
        metadata: named(role),
        role_ref: reference("ClusterRole", role),
        subjects: Some(vec![account(namespace)]),
    };
    let metadata = ObjectMeta {
        namespace: Some(namespace.to_owned()),
        ..named(LEASES)
    };
    let role = Role {
        metadata: metadata.clone(),
        rules: Some(NAMESPACE.iter().map(Grant::rule).collect()),
    };
    let binding = RoleBinding {
        metadata,
        role_ref: reference("Role", LEASES),
        subjects: Some(vec![account(namespace)]),
    };
    (vec![bind(MANAGER), bind(METRICS_AUTH)], role, binding)
}

/// The files of the chart: name and text.
///
/// # Errors
/// When something cannot be written as YAML.
pub fn chart_files() -> Result<Vec<(&'static str, String)>, serde_saphyr::ser::Error> {
    let (cluster, role, binding) = bindings("{{ .Release.Namespace }}");
    let mut own = documents(&cluster_roles())?;
    own.push_str(&documents(&cluster)?);
    own.push_str(&documents(&[role])?);
    own.push_str(&documents(&[binding])?);
    let helpers = documents(&helper_roles())?;
    Ok(vec![
        ("manager.yaml", own),
        (
            "helpers.yaml",
            format!("{{{{- if .Values.rbacHelpers.enable }}}}\n{helpers}{{{{- end }}}}\n"),
        ),
    ])
}

fn documents<T: Serialize>(objects: &[T]) -> Result<String, serde_saphyr::ser::Error> {
    let mut text = String::new();
    for object in objects {
        text.push_str("---\n");
        text.push_str(&serde_saphyr::to_string(object)?);
    }
    Ok(text)
}

//! Every condition with every reason that a status may have: those that the specification names in its section 2.9, and ours. Tests reach
//! each of them by an input ([`reached`], [`missing`]): one that no test reaches, and one that is reached and stands not here, are faults.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};

/// The reason in tests of what passes another's word on: a Gateway's, a registry's, that of another object's condition `Ready`.
pub const PASSED: &str = "WordOfAnother";
/// Conditions of components of any kind.
const COMPONENT: &str = "<component>Ready";
/// The kind of what every kind may say.
const ANY: &[&str] = &["any kind"];
const MODELS: &[&str] = &["AIMModel", "AIMClusterModel"];
const TEMPLATES: &[&str] = &["AIMServiceTemplate", "AIMClusterServiceTemplate"];

/// Reasons of one condition while it holds, or while it does not.
struct Group {
    kinds: &'static [&'static str],
    condition: &'static str,
    holds: bool,
    /// The specification's.
    named: &'static [&'static str],
    /// What the reference operator does not say.
    ours: &'static [&'static str],
}

const fn group(
    kinds: &'static [&'static str],
    condition: &'static str,
    holds: bool,
    named: &'static [&'static str],
    ours: &'static [&'static str],
) -> Group {
    Group {
        kinds,
        condition,
        holds,
        named,
        ours,
    }
}

const JOB: &[&str] = &[
    "JobRunning",
    "JobBackoffLimitExceeded",
    "JobDeadlineExceeded",
    "JobEvicted",
    "JobFailed",
];
const PODS: &[&str] = &[
    "PodsStarting",
    "PodsPending",
    "PodsProgressing",
    "FailedScheduling",
    "FailedMount",
    "FailedAttachVolume",
    "FailedCreatePodSandBox",
    "Pulling",
    "ImagePullAuthFailure",
    "ImageNotFound",
    "ImagePullBackOff",
    "AuthError",
    "StorageFull",
    "SourceNotFound",
    "PodOOMKilled",
    "PodFailed",
    "PodDeadlineExceeded",
    "PodEvicted",
];
const OUR_PODS: &[&str] = &["DownloadStalled", "DownloadCorrupt", "SourceUnreachable"];
const TEMPLATES_HOLD: &[&str] = &["AllTemplatesReady", "SomeTemplatesReady", "NoTemplatesExpected"];
const TEMPLATES_FAIL: &[&str] = &[
    "AwaitingMetadata",
    "CreatingTemplates",
    "TemplatesProgressing",
    "SomeTemplatesDegraded",
    "AllTemplatesFailed",
    "NoTemplatesAvailable",
];
const REFUSED: &[&str] = &[
    "Unauthorized",
    "Forbidden",
    "NotFound",
    "Conflict",
    "AlreadyExists",
    "InvalidSpec",
    "RateLimited",
    "Timeout",
    "ServiceUnavailable",
    "ServerError",
    "ClientError",
    "UnknownError",
];

/// What a registry, or a pull secret, may have against an image: the reasons of `ImageMetadataReady` that models pass on. The client of
/// registries reaches them in its own tests.
pub const OF_REGISTRIES: &[&str] = &[
    "CertificateNotTrusted",
    "ConnectionRefused",
    "DNSFailure",
    "ImageDigestMismatch",
    "ImageLabelsUnreadable",
    "ImageNotFound",
    "ImagePlatformMissing",
    "InvalidImageReference",
    "NetworkError",
    "NetworkTimeout",
    "RateLimited",
    "RegistryAddressRefused",
    "RegistryAnswerTooLarge",
    "RegistryAnswerUnreadable",
    "RegistryError",
    "RegistryRedirects",
    "RegistryUnauthorized",
    "SecretAccessDenied",
    "SecretAccessFailed",
    "SecretInvalid",
    "SecretNotFound",
];

const ALL: &[Group] = &[
    group(ANY, "DependenciesReachable", false, &["InfrastructureError"], &[]),
    group(ANY, "DependenciesReachable", true, &["Reachable"], &[]),
    group(ANY, "AuthValid", false, &["AuthError"], &[]),
    group(ANY, "AuthValid", true, &["AuthenticationValid"], &[]),
    group(
        ANY,
        "ConfigValid",
        false,
        &["InvalidSpec", "ReferenceNotFound"],
        &[],
    ),
    group(ANY, "ConfigValid", true, &["ConfigurationValid"], &[]),
    group(ANY, "Ready", true, &["AllComponentsReady"], &[]),
    group(
        ANY,
        "Ready",
        false,
        &[
            "AuthError",
            "InvalidSpec",
            "ReferenceNotFound",
            "InfrastructureError",
            "Progressing",
            PASSED,
        ],
        &[],
    ),
    group(ANY, COMPONENT, false, REFUSED, &[]),
    group(
        MODELS,
        "RuntimeConfigReady",
        true,
        &["ConfigFound", "DefaultConfigNotFound"],
        &[],
    ),
    group(
        &["AIMModel"],
        "RuntimeConfigReady",
        false,
        &["ConfigNotFound"],
        &[],
    ),
    group(
        &["AIMClusterModel"],
        "RuntimeConfigReady",
        false,
        &["ReferenceNotFound"],
        &[],
    ),
    group(
        MODELS,
        "ImageMetadataReady",
        true,
        &["ImageMetadataFound", "ImageFound"],
        &[],
    ),
    group(
        MODELS,
        "ImageMetadataReady",
        false,
        &[PASSED],
        &["InvalidImageReference"],
    ),
    group(&["AIMModel"], "ServiceTemplatesReady", true, TEMPLATES_HOLD, &[]),
    group(&["AIMModel"], "ServiceTemplatesReady", false, TEMPLATES_FAIL, &[]),
    group(
        &["AIMClusterModel"],
        "ClusterServiceTemplatesReady",
        true,
        TEMPLATES_HOLD,
        &[],
    ),
    group(
        &["AIMClusterModel"],
        "ClusterServiceTemplatesReady",
        false,
        TEMPLATES_FAIL,
        &[],
    ),
    group(
        &["AIMClusterModelSource"],
        "ExistingModelsReady",
        true,
        &["Listed"],
        &[],
    ),
    group(
        &["AIMClusterModelSource"],
        "FiltersReady",
        true,
        &["NoFilters", "AllFiltersSucceeded"],
        &[],
    ),
    group(
        &["AIMClusterModelSource"],
        "FiltersReady",
        false,
        &["SomeFiltersFailed", "AllFiltersFailed"],
        &[],
    ),
    group(
        &["AIMClusterModelSource"],
        "MaxModelsLimitReached",
        true,
        &["LimitReached"],
        &[],
    ),
    group(
        &["AIMClusterModelSource"],
        "MaxModelsLimitReached",
        false,
        &["WithinLimit"],
        &[],
    ),
    group(
        TEMPLATES,
        "RuntimeConfigReady",
        true,
        &["ConfigFound", "DefaultConfigNotFound"],
        &[],
    ),
    group(TEMPLATES, "RuntimeConfigReady", false, &["ConfigNotFound"], &[]),
    group(&["AIMServiceTemplate"], "ModelReady", true, &["ModelFound"], &[]),
    group(
        &["AIMServiceTemplate"],
        "ModelReady",
        false,
        &["ModelFailed", "ImageNotSpecified", "ReferenceNotFound"],
        &[],
    ),
    group(
        &["AIMClusterServiceTemplate"],
        "ClusterModelReady",
        true,
        &["ClusterModelFound"],
        &[],
    ),
    group(
        &["AIMClusterServiceTemplate"],
        "ClusterModelReady",
        false,
        &["ClusterModelFailed", "ImageNotSpecified", "ReferenceNotFound"],
        &[],
    ),
    group(
        TEMPLATES,
        "DiscoveryJobReady",
        false,
        &["JobNotCreated"],
        &["DiscoveryUnreadable"],
    ),
    group(TEMPLATES, "DiscoveryJobReady", false, JOB, &[]),
    group(TEMPLATES, "DiscoveryPodsReady", true, &["PodsReady"], &[]),
    group(TEMPLATES, "DiscoveryPodsReady", false, PODS, OUR_PODS),
    group(TEMPLATES, "GPUReady", true, &["GPUAvailable"], &[]),
    group(
        TEMPLATES,
        "GPUReady",
        false,
        &["GPUNotAvailable", "VRAMNotAvailable"],
        &[],
    ),
    group(
        TEMPLATES,
        "Discovered",
        true,
        &["InlineModelSources", "DiscoveryComplete"],
        &[],
    ),
    group(TEMPLATES, "Discovered", false, &["AwaitingDiscovery"], &[]),
    group(
        &["AIMTemplateCache"],
        "RuntimeConfigReady",
        true,
        &["ConfigFound", "DefaultConfigNotFound"],
        &[],
    ),
    group(
        &["AIMTemplateCache"],
        "RuntimeConfigReady",
        false,
        &["ReferenceNotFound"],
        &[],
    ),
    group(
        &["AIMTemplateCache"],
        "ServiceTemplateReady",
        true,
        &["ResourceFound", PASSED],
        &[],
    ),
    group(
        &["AIMTemplateCache"],
        "ServiceTemplateReady",
        false,
        &["ResourceFound", "ReferenceNotFound", PASSED],
        &[],
    ),
    group(
        &["AIMTemplateCache"],
        "ArtifactsReady",
        true,
        &["AllCachesReady"],
        &[],
    ),
    group(
        &["AIMTemplateCache"],
        "ArtifactsReady",
        false,
        &["CreatingCaches", "CachesNotReady", "NoCaches", PASSED],
        &[],
    ),
    group(
        &["AIMArtifact"],
        "RuntimeConfigReady",
        true,
        &["ConfigFound", "DefaultConfigNotFound"],
        &[],
    ),
    group(
        &["AIMArtifact"],
        "RuntimeConfigReady",
        false,
        &["ReferenceNotFound"],
        &[],
    ),
    group(
        &["AIMArtifact"],
        "CheckSizeJobReady",
        true,
        &["JobSucceeded"],
        &[],
    ),
    group(&["AIMArtifact"], "CheckSizeJobReady", false, JOB, &[]),
    group(
        &["AIMArtifact"],
        "CheckSizeJobReady",
        false,
        &["ResourceNotReady"],
        &[],
    ),
    group(
        &["AIMArtifact"],
        "CheckSizeJobPodsReady",
        true,
        &["PodsReady"],
        &[],
    ),
    group(&["AIMArtifact"], "CheckSizeJobPodsReady", false, PODS, OUR_PODS),
    group(
        &["AIMArtifact"],
        "CheckSizeOutputReady",
        false,
        &["InvalidSizeOutput"],
        &["ResourceNotReady"],
    ),
    group(&["AIMArtifact"], "CachePvcReady", true, &["PvcBound"], &[]),
    group(
        &["AIMArtifact"],
        "CachePvcReady",
        false,
        &["PvcPending", "PvcLost", "PvcProvisioningFailed", "PvcNotFound"],
        &[],
    ),
    group(&["AIMArtifact"], "DownloadJobReady", true, &["JobSucceeded"], &[]),
    group(&["AIMArtifact"], "DownloadJobReady", false, JOB, &[]),
    group(
        &["AIMArtifact"],
        "DownloadJobReady",
        false,
        &["ResourceNotReady"],
        &[],
    ),
    group(
        &["AIMArtifact"],
        "DownloadJobPodsReady",
        true,
        &["PodsReady"],
        &[],
    ),
    group(&["AIMArtifact"], "DownloadJobPodsReady", false, PODS, OUR_PODS),
    group(
        &["AIMArtifact"],
        "DownloadComplete",
        true,
        &["Verifying", "Verified"],
        &[],
    ),
    group(
        &["AIMArtifact"],
        "DownloadComplete",
        false,
        &["Downloading", "VerificationFailed"],
        &[],
    ),
    group(
        &["AIMService"],
        "RuntimeConfigReady",
        true,
        &["RuntimeConfigResolved"],
        &[],
    ),
    group(
        &["AIMService"],
        "RuntimeConfigReady",
        false,
        &["ReferenceNotFound"],
        &[],
    ),
    group(&["AIMService"], "ModelReady", true, &["ModelResolved"], &[]),
    group(
        &["AIMService"],
        "ModelReady",
        false,
        &[
            "ModelNotFound",
            "ModelNotReady",
            "CreatingModel",
            "InvalidImageReference",
            "UnknownError",
        ],
        &["InvalidSpec"],
    ),
    group(&["AIMService"], "TemplateReady", true, &["Resolved"], &[]),
    group(
        &["AIMService"],
        "TemplateReady",
        false,
        &["TemplateNotFound", "TemplateNotReady"],
        &["TemplateSelectionAmbiguous"],
    ),
    group(
        &["AIMService"],
        "InferenceServiceReady",
        true,
        &["RuntimeReady"],
        &[],
    ),
    group(
        &["AIMService"],
        "InferenceServiceReady",
        false,
        &["CreatingRuntime", "ServerlessModeRejected", "InternalError"],
        &["InvalidSpec"],
    ),
    group(
        &["AIMService"],
        "InferenceServicePodsReady",
        true,
        &["PodsReady"],
        &[],
    ),
    group(
        &["AIMService"],
        "InferenceServicePodsReady",
        false,
        PODS,
        OUR_PODS,
    ),
    group(&["AIMService"], "CacheReady", true, &["CacheReady"], &[]),
    group(
        &["AIMService"],
        "CacheReady",
        false,
        &["CacheNotReady", "CacheFailed", "CacheCreating", "CacheLost"],
        &[],
    ),
    group(
        &["AIMService"],
        "HTTPRouteReady",
        true,
        &["HTTPRouteAccepted"],
        &[],
    ),
    group(
        &["AIMService"],
        "HTTPRouteReady",
        false,
        &[
            "HTTPRoutePending",
            "HTTPRouteCreating",
            "GatewayNotConfigured",
            PASSED,
        ],
        &["PathTemplateInvalid", "RequestTimeoutInvalid", "InvalidSpec"],
    ),
    group(&["AIMService"], "HPAReady", true, &["HPAOperational"], &[]),
    group(
        &["AIMService"],
        "HPAReady",
        false,
        &[
            "HPANotFound",
            "WaitingForMetrics",
            "MetricsFailed",
            "ScaleTargetNotReady",
        ],
        &[],
    ),
];

/// What the specification names and nobody says here, and why: kind, condition, reason.
pub const UNSAID: &[(&str, &str, &str, &str)] = &[
    (
        "AIMModel",
        "ImageMetadataReady",
        "UnknownError",
        "what a registry refuses has a reason of its own (Q22)",
    ),
    (
        "AIMClusterModel",
        "ImageMetadataReady",
        "UnknownError",
        "the same",
    ),
    (
        "AIMServiceTemplate",
        "GPUReady",
        "GPUCheckFailed",
        "nodes are read from a cache, which is complete before the first pass",
    ),
    (
        "AIMClusterServiceTemplate",
        "GPUReady",
        "GPUCheckFailed",
        "the same",
    ),
    (
        "AIMService",
        "InferenceServiceReady",
        "FetchError",
        "it is read from a cache, too",
    ),
    ("AIMService", "HTTPRouteReady", "HTTPRouteFetchError", "the same"),
    ("AIMService", "HPAReady", "HPAFetchError", "the same"),
    (
        "AIMServiceTemplate",
        "DiscoveryPodsReady",
        "NoPods",
        "pods are a component where there are some",
    ),
    (
        "AIMClusterServiceTemplate",
        "DiscoveryPodsReady",
        "NoPods",
        "the same",
    ),
    ("AIMArtifact", "CheckSizeJobPodsReady", "NoPods", "the same"),
    ("AIMArtifact", "DownloadJobPodsReady", "NoPods", "the same"),
    ("AIMService", "InferenceServicePodsReady", "NoPods", "the same"),
];

/// A condition of a kind with one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The kind, or `any kind`.
    pub kind: &'static str,
    /// The type of the condition.
    pub condition: &'static str,
    /// Whether it holds then.
    pub holds: bool,
    /// The reason.
    pub reason: &'static str,
    /// Whether the specification names it.
    pub named: bool,
}

impl Display for Row {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let holds = if self.holds { "True" } else { "False" };
        write!(f, "{} {} {holds} {}", self.kind, self.condition, self.reason)
    }
}

/// All of them, in the order in which they are declared.
pub fn rows() -> Vec<Row> {
    let of_group = |group: &'static Group| {
        let words = group.named.iter().map(|reason| (*reason, true));
        let words = words.chain(group.ours.iter().map(|reason| (*reason, false)));
        let words: Vec<_> = words.collect();
        group.kinds.iter().flat_map(move |&kind| {
            let row = move |(reason, named)| Row {
                kind,
                condition: group.condition,
                holds: group.holds,
                reason,
                named,
            };
            words.clone().into_iter().map(row)
        })
    };
    ALL.iter().flat_map(of_group).collect()
}

/// A condition as a status has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its type.
    pub condition: String,
    /// Whether it holds.
    pub holds: bool,
    /// Its reason.
    pub reason: String,
}

/// What an input led to.
#[derive(Debug, Clone)]
pub struct Case {
    /// The kind of the object.
    pub kind: &'static str,
    /// What the input is.
    pub name: String,
    /// All conditions of the status.
    pub told: Vec<Told>,
}

/// The row of a condition; `None`: it is declared nowhere.
pub fn row_of(rows: &[Row], kind: &str, told: &Told, beside: &[Told]) -> Option<Row> {
    let find = |kind: &str, condition: &str, reason: &str| {
        let is_it = |row: &&Row| {
            (row.kind, row.condition, row.holds, row.reason) == (kind, condition, told.holds, reason)
        };
        rows.iter().find(is_it).copied()
    };
    let own = find(kind, &told.condition, &told.reason);
    let of_any = || find(ANY[0], &told.condition, &told.reason);
    let passed_by_ready = || {
        let of_component = |other: &Told| {
            other.condition != "Ready" && other.condition.ends_with("Ready") && other.reason == told.reason
        };
        (told.condition == "Ready" && !told.holds && beside.iter().any(of_component))
            .then(|| find(ANY[0], "Ready", PASSED))
            .flatten()
    };
    let refused = || {
        let is_component = told.condition.ends_with("Ready") && told.condition != "Ready";
        is_component
            .then(|| find(ANY[0], COMPONENT, &told.reason))
            .flatten()
    };
    own.or_else(of_any).or_else(passed_by_ready).or_else(refused)
}

/// Whether this condition passes on what another has said, in the other's words: a Gateway's, a registry's, another object's `Ready`.
pub fn passes_on(rows: &[Row], kind: &str, told: &Told) -> bool {
    rows.iter().any(|row| {
        (row.kind, row.condition, row.holds, row.reason)
            == (kind, told.condition.as_str(), told.holds, PASSED)
    })
}

/// Which cases reach which rows.
///
/// # Errors
/// The conditions that are declared nowhere, with the cases that have them.
pub fn reached<'a>(rows: &[Row], cases: &'a [Case]) -> Result<BTreeMap<Row, BTreeSet<&'a str>>, String> {
    let mut reached: BTreeMap<Row, BTreeSet<&str>> = BTreeMap::new();
    let mut undeclared = BTreeSet::new();
    for case in cases {
        for told in &case.told {
            match row_of(rows, case.kind, told, &case.told) {
                Some(row) => {
                    reached.entry(row).or_default().insert(&case.name);
                }
                None => {
                    let holds = if told.holds { "True" } else { "False" };
                    undeclared.insert(format!(
                        "{} {} {holds} {}: {}",
                        case.kind, told.condition, told.reason, case.name
                    ));
                }
            }
        }
    }
    match undeclared.is_empty() {
        true => Ok(reached),
        false => Err(undeclared.into_iter().collect::<Vec<_>>().join("\n")),
    }
}

/// The rows that no case reaches.
pub fn missing(rows: &[Row], reached: &BTreeMap<Row, BTreeSet<&str>>) -> Vec<String> {
    let missing = rows.iter().filter(|row| !reached.contains_key(*row));
    missing.map(ToString::to_string).collect()
}

//! Names that were checked once, at the border.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Text that breaks the rule of the name it was to become.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {kind}: {rule}")]
pub struct InvalidName {
    /// Which name it was to become.
    pub kind: &'static str,
    /// What was given, cut to a printable length.
    pub text: String,
    /// The rule, as a sentence.
    pub rule: &'static str,
}

impl InvalidName {
    pub(crate) fn new(kind: &'static str, rule: &'static str, text: &str) -> Self {
        Self {
            kind,
            rule,
            text: text.chars().take(80).collect(),
        }
    }
}

pub use crate::kubernetes::{REFERENCE_NAMESPACE, SECRETS_NAMESPACE, SYSTEM_NAMESPACE};
/// Namespaces of the cluster itself, which can never become a project's (admission R11): also the one where Secrets for all projects
/// lie, whose name is that of a project `secrets` with the usual prefix.
pub const RESERVED_NAMESPACES: [&str; 4] = [
    "default",
    SYSTEM_NAMESPACE,
    REFERENCE_NAMESPACE,
    SECRETS_NAMESPACE,
];
/// Namespaces that begin so are of the cluster itself, too.
pub const RESERVED_NAMESPACE_PREFIX: &str = "kube-";

/// Whether a namespace is one of the cluster itself, which can never become a project's (admission R11).
pub fn is_reserved_namespace(name: &str) -> bool {
    RESERVED_NAMESPACES.contains(&name) || name.starts_with(RESERVED_NAMESPACE_PREFIX)
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $parse:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                let parse: fn(&str) -> Option<String> = $parse;
                parse(text).map(Self).ok_or_else(|| InvalidName::new($kind, $rule, text))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                // What was given is not repeated: it may be a secret in the wrong place.
                String::deserialize(deserializer)?.parse().map_err(|error: InvalidName| {
                    serde::de::Error::custom(format_args!("this is not a valid {}: {}", error.kind, error.rule))
                })
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "description": concat!("A valid ", $kind, ": ", $rule, ".")})
            }
        }
    };
}

/// `^[a-z]([-a-z0-9]*[a-z0-9])?$`, at most `max` bytes: a DNS label (RFC 1035) that also starts with a letter.
fn dns_label(text: &str, max: usize) -> Option<String> {
    let bytes = text.as_bytes();
    let inner = bytes
        .iter()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-');
    let ends = bytes.first()?.is_ascii_lowercase() && *bytes.last()? != b'-';
    (inner && ends && bytes.len() <= max).then(|| text.to_owned())
}

fn email(text: &str) -> Option<String> {
    if text.len() < 5 || text.len() > 254 {
        return None;
    }
    let (local, domain) = text.rsplit_once('@')?;
    let top = domain.rsplit_once('.')?.1;
    let local_ok = !local.is_empty()
        && local
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._%+-".contains(&b));
    let domain_ok = domain
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b));
    let top_ok = top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic());
    (local_ok && domain_ok && top_ok).then(|| text.to_ascii_lowercase())
}

fn group(text: &str) -> Option<String> {
    let reserved = ["system:", "reeve:"]
        .iter()
        .any(|p| text.to_ascii_lowercase().starts_with(p));
    let ok = !text.is_empty() && text.len() <= 255 && !text.chars().any(char::is_control) && !reserved;
    ok.then(|| text.to_owned())
}

/// What is not seen itself, but hides, joins, breaks or turns round what is: Unicode's categories Cc, Cf, Zl and Zp.
fn is_unseen(c: char) -> bool {
    matches!(
        CodePointMapData::<GeneralCategory>::new().get(c),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    )
}

fn cluster(text: &str) -> Option<String> {
    let ok = (1..=50).contains(&text.chars().count()) && !text.chars().any(is_unseen);
    (ok && text.trim() == text).then(|| text.to_owned())
}

fn service_account(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let inner = bytes
        .iter()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(b));
    let last = bytes.last()?;
    let ends = bytes.first()?.is_ascii_lowercase() && (last.is_ascii_lowercase() || last.is_ascii_digit());
    (inner && ends && (2..=255).contains(&bytes.len())).then(|| text.to_owned())
}

name!(
    /// A user's email, in lower case: the key by which access rules name the user, and the user name in Kubernetes.
    /// Pattern of the reference: control-plane, appendix A, `UserCreationRequest1`; 5–254 characters.
    Email, "email", "letters, digits and . _ % + - before the @, a domain with a dot after it, 5 to 254 characters", email
);
name!(
    /// A group's name as the identity provider sends it. `system:` and `reeve:` are taken (admission R10).
    GroupName, "group name", "1 to 255 characters, no control characters, not starting with `system:` or `reeve:`", group
);
name!(
    /// A service account's name: control-plane 1.7, `^[a-z][-_a-z0-9]*[a-z0-9]$`, 2–255 characters.
    ServiceAccountName, "service account name",
    "2 to 255 lower-case letters, digits, `-` and `_`, starting with a letter and ending with a letter or digit", service_account
);
name!(
    /// An access key's name, unique among its owner's: control-plane 1.7, the same rule as a service account's.
    AccessKeyName, "access key name",
    "2 to 255 lower-case letters, digits, `-` and `_`, starting with a letter and ending with a letter or digit", service_account
);
name!(
    /// A cluster's name, for people: the reference has no rule for it, so only what no screen can show is refused,
    /// and what would let it show one name as another.
    ClusterName, "cluster name", "1 to 50 characters, no control or invisible characters, not starting or ending with a blank", cluster
);
name!(
    /// A passkey's name, by which its owner knows it among others: `laptop`, `blue security key`.
    PasskeyName, "passkey name", "1 to 50 characters, no control or invisible characters, not starting or ending with a blank", cluster
);
name!(
    /// A department's or project's name: a DNS label, which also fits a label's value. A project's is shorter where a prefix
    /// and it make up the namespace (control-plane 3.2).
    OrgUnitName, "name", "1 to 63 lower-case letters, digits and hyphens, starting with a letter and not ending with a hyphen", |t| dns_label(t, 63)
);
name!(
    /// A workload's name: it becomes a Job's, whose pods get a suffix.
    WorkloadName, "workload name", "1 to 50 lower-case letters, digits and hyphens, starting with a letter and not ending with a hyphen", |t| dns_label(t, 50)
);
name!(
    /// A credential's name: also that of the Secrets that it becomes.
    CredentialAssetName, "credential name", "1 to 63 lower-case letters, digits and hyphens, starting with a letter and not ending with a hyphen", |t| dns_label(t, 63)
);
name!(
    /// A role's name in Kubernetes form (`l1-researcher`): part of the names of ClusterRoles and RoleBindings.
    RoleName, "role name", "1 to 50 lower-case letters, digits and hyphens, starting with a letter and not ending with a hyphen", |t| dns_label(t, 50)
);

name!(
    /// An identity provider's name in addresses: control-plane 1.3, and without `_`, which the reference's client turns into `-` in paths.
    IdpAlias, "alias of an identity provider", "1 to 50 lower-case letters, digits and hyphens, starting with a letter and not ending with a hyphen", |t| dns_label(t, 50)
);

name!(
    /// A node pool: the value of a node's label.
    NodePoolName, "node pool", "1 to 63 letters, digits, `-`, `_` and `.`, starting and ending with a letter or digit", |t| label_value(t)
);
name!(
    /// A PriorityClass of Kubernetes that is not the system's own.
    PriorityClassName, "priority class",
    "lower-case letters, digits, `-` and `.`, starting and ending with a letter or digit, and not `system-`", |t| {
        subdomain(t).filter(|name| !name.starts_with("system-"))
    }
);
name!(
    /// The key of a taint by which an installer keeps nodes apart.
    TaintKey, "key of a taint", "`node-role.kubernetes.io/` and a name after it", |t| {
        let role = t.strip_prefix("node-role.kubernetes.io/")?;
        label_value(role).map(|_| t.to_owned())
    }
);
name!(
    /// A ServiceAccount that changes where others' pods run: a queue's.
    SecondWriter, "ServiceAccount", "its namespace, `/` and its name", |t| {
        let (namespace, account) = t.split_once('/')?;
        subdomain(account)?;
        (!namespace.contains('.') && subdomain(namespace)?.len() < 64).then(|| t.to_owned())
    }
);

name!(
    /// What a label may have as its value: Kubernetes' own rule, by which it may be empty.
    LabelValue, "value of a label", "at most 63 letters, digits, `-`, `_` and `.`, starting and ending with a letter or digit, or nothing", |t| {
        if t.is_empty() { Some(String::new()) } else { label_value(t) }
    }
);
name!(
    /// The type of a node, as its label `run.ai/type` has it (cluster-and-cli 7.4).
    NodeTypeName, "type of a node", "1 to 63 letters, digits, `-`, `_` and `.`, starting and ending with a letter or digit", |t| label_value(t)
);
name!(
    /// The key of any taint, in the grammar of labels.
    TaintName, "key of a taint", "at most 63 letters, digits, `-`, `_` and `.`, after a domain and `/` where there is one", |t| qualified(t)
);
name!(
    /// A name that people may give a label or an annotation of what they submit. What anybody else goes by is none: neither Reeve, nor
    /// Kubernetes and its controllers (R18), nor the reference, nor queues and controllers of others that are told by labels (R31).
    MetadataName, "name of a label or annotation", "at most 63 letters, digits, `-`, `_` and `.`, after a domain and `/` where there is one; none of \
     Reeve's, the reference's or Kubernetes' own (`run.ai`, `kubernetes.io`, `k8s.io`, `x-k8s.io` and below), and none that controllers go \
     by (`ray.io`, `job-name` and its like)", |t| {
        (t.len() <= 63 && !crate::kubernetes::is_reserved_name(t)).then(|| qualified(t)).flatten()
    }
);

/// The empty one.
impl Default for LabelValue {
    fn default() -> Self {
        Self(String::new())
    }
}

/// A name of Kubernetes' labels, annotations and taints: a domain and `/` where there is one, and a value of a label.
fn qualified(text: &str) -> Option<String> {
    let name = match text.split_once('/') {
        Some((domain, name)) => subdomain(domain).map(|_| name)?,
        None => text,
    };
    label_value(name).map(|_| text.to_owned())
}

/// What a label may have as its value, and not empty.
fn label_value(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let inner = bytes
        .iter()
        .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b));
    let ends = bytes.first()?.is_ascii_alphanumeric() && bytes.last()?.is_ascii_alphanumeric();
    (inner && ends && bytes.len() <= 63).then(|| text.to_owned())
}

/// What most objects of Kubernetes may be called.
fn subdomain(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let end = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let inner = bytes.iter().all(|b| end(b) || b"-.".contains(b));
    (inner && bytes.len() <= 253 && end(bytes.first()?) && end(bytes.last()?)).then(|| text.to_owned())
}

impl GroupName {
    /// Whether the name is seen as it is: no character in it that is invisible or turns round what is seen, and no blank at either end.
    /// Rules and identity providers may name no other; names that were stored before such were refused are read.
    pub fn is_seen_whole(&self) -> bool {
        self.0.trim() == self.0 && !self.0.chars().any(is_unseen)
    }
}

const NO_ROLE: &str = "none";

impl RoleName {
    /// What a cluster is told of a role that gives nothing in it: no RoleBinding comes of such a rule.
    pub fn none() -> Self {
        Self(NO_ROLE.to_owned())
    }

    /// Whether this is [`RoleName::none`].
    pub fn is_none(&self) -> bool {
        self.0 == NO_ROLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_is_one_key_whatever_its_case() {
        assert_eq!(
            "Alice@Example.COM".parse::<Email>().unwrap().as_str(),
            "alice@example.com"
        );
        for wrong in [
            "",
            "a@b",
            "a b@example.com",
            "system:admin",
            "alice@example.c",
            "alice@example.c0m",
            "@example.com",
            "ä@example.com",
        ] {
            assert!(wrong.parse::<Email>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn org_units_are_dns_labels() {
        for right in ["a", "robots", "vision-2"] {
            assert!(right.parse::<OrgUnitName>().is_ok(), "{right}");
        }
        assert!("a".repeat(63).parse::<OrgUnitName>().is_ok());
        let long = "a".repeat(64);
        for wrong in ["", "Proj_1", "1a", "-a", "a-", "a.b", "ä", long.as_str()] {
            assert!(wrong.parse::<OrgUnitName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn clusters_are_called_as_people_like() {
        let longest = "ü".repeat(50);
        for right in ["demo", "Prod Cluster", "GPU-Farm (Köln), 2.0", &longest] {
            assert!(right.parse::<ClusterName>().is_ok(), "{right}");
        }
        let long = "ü".repeat(51);
        for wrong in ["", " ", " a", "a ", "a\nb", "a\u{7}", "a\u{a0}", &long] {
            assert!(wrong.parse::<ClusterName>().is_err(), "{wrong:?}");
        }
        for unseen in [
            '\u{ad}',
            '\u{61c}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{2028}',
            '\u{2029}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{feff}',
            '\u{e0041}',
        ] {
            let name = format!("prod{unseen}uction");
            assert!(name.parse::<ClusterName>().is_err(), "{name:?}");
        }
    }

    #[test]
    fn no_group_may_pose_as_one_of_the_systems() {
        for wrong in ["system:masters", "SYSTEM:masters", "reeve:installers", "", "a\nb"] {
            assert!(wrong.parse::<GroupName>().is_err(), "{wrong:?}");
        }
        assert!("ml-admins".parse::<GroupName>().is_ok());
    }

    /// Planted fault: blanks at the ends, or what turns text round, count as seen.
    #[test]
    fn a_group_that_looks_like_another_is_told_apart() {
        for hidden in [
            "ml\u{202e}snimda",
            "ml\u{200b}",
            "\u{feff}ml",
            "m\u{ad}l",
            " ml",
            "ml ",
            "ml\u{a0}",
            "ml\u{3000}",
        ] {
            assert!(
                !hidden.parse::<GroupName>().unwrap().is_seen_whole(),
                "{hidden:?}"
            );
        }
        for seen in ["ml", "/org/ML Team (Köln)", "研究"] {
            assert!(seen.parse::<GroupName>().unwrap().is_seen_whole(), "{seen:?}");
        }
    }

    #[test]
    fn what_is_read_from_json_is_not_repeated_when_it_is_refused() {
        let error = serde_json::from_str::<Email>("\"hunter2\"")
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("this is not a valid email: letters") && !error.contains("hunter2"),
            "{error}"
        );
    }

    #[test]
    fn service_accounts_follow_the_reference() {
        assert!("ci".parse::<ServiceAccountName>().is_ok());
        assert!("a_b".parse::<ServiceAccountName>().is_ok());
        for wrong in ["a", "_a", "ab_", "Ab", "1a"] {
            assert!(wrong.parse::<ServiceAccountName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn nobody_chooses_a_label_or_annotation_that_somebody_else_goes_by() {
        for name in [
            "team",
            "team.example/stage",
            "Cost_Center.1",
            "a/B",
            "sidecar.istio.io/inject",
            "k8s.io.example/a",
        ] {
            assert!(name.parse::<MetadataName>().is_ok(), "{name}");
        }
        for reserved in [
            crate::kubernetes::RUNS_AS,
            crate::kubernetes::QUEUE,
            crate::kubernetes::NODE_TYPE,
            "sub.reeve.dev/a",
            "kubernetes.io/a",
            "app.kubernetes.io/name",
            "batch.kubernetes.io/job-name",
            "k8s.io/a",
            "scheduling.k8s.io/a",
            "kueue.x-k8s.io/queue-name",
            "x-k8s.io/a",
            "ray.io/cluster",
            "job-name",
            "controller-uid",
            "project",
            "workloadName",
            "deprecated.daemonset.template.generation",
        ] {
            assert!(reserved.parse::<MetadataName>().is_err(), "{reserved}");
        }
        for wrong in ["", "/a", "a/", "a/b/c", "A.example/a", "-a", "a b", "a\n", "é"] {
            assert!(wrong.parse::<MetadataName>().is_err(), "{wrong:?}");
        }
        assert!(
            "a".repeat(63).parse::<MetadataName>().is_ok() && "a".repeat(64).parse::<MetadataName>().is_err()
        );
        assert!(
            format!("a.example/{}", "a".repeat(54))
                .parse::<MetadataName>()
                .is_err(),
            "63 bytes in all"
        );
        assert!("".parse::<LabelValue>().is_ok() && "a b".parse::<LabelValue>().is_err());
        assert!(
            "node-role.kubernetes.io/gpu".parse::<TaintName>().is_ok() && "".parse::<TaintName>().is_err()
        );
    }
}

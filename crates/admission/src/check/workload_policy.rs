//! Workload policies (R36 to R39): what the control plane decided of images, GPUs, uids and rights of the pods of a project.
//!
//! The operator writes them to two annotations of the namespace, one for Jobs and CronJobs (trainings) and one for everything else
//! (workspaces), as [`reeve_types::workload_policy::Limits`]. Whoever writes a pod or a template is judged, the operator that
//! makes a submitted training included; a listed controller only copies what was judged when it was written, and a change of where
//! something runs (R22) changes nothing of this.

use constcat::concat;
use reeve_types::PolicyKind;
use reeve_types::workload_policy::{Facts, Field, LIMITS_PATTERN, Limits};
use serde_json::Value;

use super::{Check, Named, Policy, Rule};
use crate::names;
use crate::request::{Request, list, text};
use crate::view::{Variable, View};

/// More GPUs than anybody may have: of what cannot be counted.
const UNCOUNTED: u64 = 10_000_000_000;

/// The variables beside those of pods.
pub(crate) fn variables() -> Vec<Variable> {
    let annotation = |name: &str| format!("namespaceObject.metadata.?annotations[?'{name}']");
    vec![
        // Absent where there has to be one: `?` is no entry.
        (
            "policy",
            format!(
                "(object.kind in ['Job', 'CronJob'] ? {} : {}).orValue('?')",
                annotation(names::TRAINING_POLICY),
                annotation(names::WORKSPACE_POLICY)
            ),
        ),
        (
            "entries",
            format!(
                "variables.policy == '' ? [] : variables.policy.split(';').filter(e, e.matches('{LIMITS_PATTERN}')).map(e, \
                 e.split('='))"
            ),
        ),
        ("copied", "!variables.changed || variables.controller || variables.placing".to_owned()),
        (
            "gpus",
            format!(
                "has(variables.pod.resourceClaims) && variables.pod.resourceClaims.size() > 0 ? {UNCOUNTED} : \
                 variables.containers.map(c, c.?resources.?limits.orValue(dyn({{}})).transformList(k, v, {}, \
                 string(v).matches('^[0-9]{{1,6}}$') ? int(string(v)) : {UNCOUNTED}).sum()).sum()",
                crate::mutate::limits::is_accelerator("k")
            ),
        ),
        (
            "source",
            "variables.stamp != '' ? 'fromIdpToken' : variables.containers.all(c, \
             !has(variables.context.runAsUser) && !c.?securityContext.?runAsUser.hasValue()) ? 'fromTheImage' : 'custom'"
                .to_owned(),
        ),
    ]
}

fn copied(v: &View<'_>) -> bool {
    !v.changed || v.controller || v.placing()
}

/// The text of the limits for what is written.
fn policy(request: &Request) -> Option<&str> {
    let name = match PolicyKind::of_object(request.kind()) {
        PolicyKind::Training => names::TRAINING_POLICY,
        PolicyKind::Workspace => names::WORKSPACE_POLICY,
    };
    request.namespace_annotations.get(name).map(String::as_str)
}

/// The entries that can be read; the others are refused by a check of their own.
fn limits(request: &Request) -> Limits {
    let entries = policy(request).unwrap_or_default().split(';');
    let readable = entries.filter_map(|entry| entry.parse::<Limits>().ok());
    Limits(readable.flat_map(|limits| limits.0).collect())
}

fn is_readable(request: &Request) -> bool {
    policy(request).is_some_and(|text| {
        text.is_empty()
            || text
                .split(';')
                .all(|entry| !entry.is_empty() && entry.parse::<Limits>().is_ok())
    })
}

/// Whether the limits of a field hold.
fn keeps(request: &Request, field: Field) -> bool {
    let v = View::of(request);
    copied(&v) || {
        let facts = facts(&v);
        let limits = limits(request);
        limits.broken(&facts).all(|entry| entry.field != field)
    }
}

/// What a pod or template is.
pub(crate) fn facts(v: &View<'_>) -> Facts {
    let own = |c: &Value, field: &str| {
        let here = c.pointer(&format!("/securityContext/{field}"));
        here.or_else(|| v.context(&format!("/{field}")))
            .and_then(Value::as_i64)
    };
    let uids: Vec<_> = v.containers().map(|c| own(c, "runAsUser")).collect();
    let chosen = v.context("/runAsUser").is_some() || uids.iter().any(Option::is_some);
    let seccomp = |c| match text(c, "/securityContext/seccompProfile/type") {
        "" => v.context_text("/seccompProfile/type").to_owned(),
        own => own.to_owned(),
    };
    let escalates = |c: &Value| {
        let field = c.pointer("/securityContext/allowPrivilegeEscalation");
        field.and_then(Value::as_bool).unwrap_or(true)
    };
    Facts {
        images: images(v),
        gpus: gpus(v),
        source: match (v.stamp, chosen) {
            ("", false) => "fromTheImage",
            ("", true) => "custom",
            _ => "fromIdpToken",
        },
        uids,
        gids: v.containers().map(|c| own(c, "runAsGroup")).collect(),
        escalation: v.containers().map(escalates).collect(),
        capabilities: v
            .containers()
            .flat_map(|c| list(c, "/securityContext/capabilities/add"))
            .map(|name| name.as_str().unwrap_or_default().to_owned())
            .collect(),
        seccomp: v.containers().map(seccomp).collect(),
    }
}

/// The images of the containers, and those that are mounted: what lies in a volume runs as well as what a container begins with.
fn images(v: &View<'_>) -> Vec<String> {
    let mounted = list(v.pod, "/volumes")
        .iter()
        .filter_map(|volume| volume.get("image"));
    let all = v
        .containers()
        .map(|c| text(c, "/image"))
        .chain(mounted.map(|image| text(image, "/reference")));
    all.map(str::to_owned).collect()
}

fn gpus(v: &View<'_>) -> u64 {
    if !list(v.pod, "/resourceClaims").is_empty() {
        return UNCOUNTED;
    }
    let limits = v
        .containers()
        .filter_map(|c| c.pointer("/resources/limits")?.as_object());
    let counted = limits
        .flatten()
        .filter(|(name, _)| crate::mutate::limits::names_accelerator(name));
    counted
        .map(|(_, count)| count_of(count))
        .fold(0, u64::saturating_add)
}

fn count_of(value: &Value) -> u64 {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let digits = (1..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().unwrap_or(UNCOUNTED)
}

/// What is enforced of numbers: holds for each `n` of a list; -1 is a number that the image decides, for which `UNSET` speaks.
macro_rules! numbers {
    ($key:literal, $numbers:expr, $unset:literal) => {
        concat!(
            "variables.copied || variables.entries.filter(e, e[0] == '",
            $key,
            "').all(e, [e[1].split(',').map(n, int(n))].all(b, ",
            $numbers,
            ".all(n, n == -1 ? (",
            $unset,
            ") : (n >= b[0] && n <= b[1] && (n - b[0]) % b[2] == 0))))"
        )
    };
}

/// What is enforced of words: each of a list is one of those.
macro_rules! words {
    ($key:literal, $words:expr) => {
        concat!(
            "variables.copied || variables.entries.filter(e, e[0] == '",
            $key,
            "').all(e, ",
            $words,
            ".all(w, w != '' && w in e[1].split('|')))"
        )
    };
}

/// The sentence: the field, what it may be, and whose policy that is.
macro_rules! said {
    ($key:literal, $path:literal) => {
        Named::unless(
            concat!("variables.entries.all(e, e[0] != '", $key, "')"),
            concat!(
                "variables.entries.filter(e, e[0] == '",
                $key,
                "').map(e, '",
                $path,
                " may be ' + (e[1] == '' ? 'nothing' : e[1]) + ' by the workload policy of the ' + e[2]).join(', ')"
            ),
        )
    };
}

/// The numbers of every container.
const UIDS: &str = "variables.containers.map(c, c.?securityContext.?runAsUser.orValue(variables.context.?runAsUser.orValue(-1)))";
const GIDS: &str = "variables.containers.map(c, c.?securityContext.?runAsGroup.orValue(variables.context.?runAsGroup.orValue(-1)))";

macro_rules! check {
    ($id:literal, $rule:literal, $field:expr, $key:literal, $path:literal, $remedy:expr, $cel:expr) => {
        Check {
            id: $id,
            policy: Policy::WorkloadPolicies,
            rule: Rule($rule),
            problem: concat!("the workload policy of this project does not allow this ", $path),
            named: said!($key, $path),
            remedy: $remedy,
            cel: $cel,
            predicate: |r| keeps(r, $field),
        }
    };
}

pub(super) static CHECKS: [Check; 9] = [
    Check {
        id: "policy-readable",
        policy: Policy::WorkloadPolicies,
        rule: Rule(36),
        problem: "the workload policy that stands at the namespace cannot be read",
        named: None,
        remedy: concat!(
            "a member of the group ",
            names::INSTALLERS,
            " removes the annotations ",
            names::TRAINING_POLICY,
            " and ",
            names::WORKSPACE_POLICY,
            ", and the operator writes them again"
        ),
        cel: concat!(
            "variables.copied || variables.policy == '' || variables.policy.split(';').all(e, e.matches('",
            LIMITS_PATTERN,
            "'))"
        ),
        predicate: |r| copied(&View::of(r)) || is_readable(r),
    },
    check!(
        "policy-source",
        36,
        Field::UidGidSource,
        "source",
        "security.uidGidSource",
        "ask for your own identity by its stamp, or leave stamp and uid out, as the policy says",
        words!("source", "[variables.source]")
    ),
    check!(
        "policy-uid",
        36,
        Field::RunAsUid,
        "uid",
        "security.runAsUid",
        "give every container a runAsUser within (lowest, highest, step), since nobody can check what the image decides",
        numbers!("uid", UIDS, "b[0] <= 1 && b[1] >= 2147483647 && b[2] == 1")
    ),
    check!(
        "policy-gid",
        36,
        Field::RunAsGid,
        "gid",
        "security.runAsGid",
        "give every container a runAsGroup within (lowest, highest, step), since nobody can check what the image decides",
        numbers!("gid", GIDS, "b[0] <= 0 && b[1] >= 2147483647 && b[2] == 1")
    ),
    check!(
        "policy-escalation",
        37,
        Field::Escalation,
        "escalation",
        "security.allowPrivilegeEscalation",
        "set allowPrivilegeEscalation: false at every container",
        words!(
            "escalation",
            "variables.containers.map(c, c.?securityContext.?allowPrivilegeEscalation.orValue(true) ? 'true' : 'false')"
        )
    ),
    check!(
        "policy-capabilities",
        37,
        Field::Capabilities,
        "capabilities",
        "security.capabilities",
        "remove the others from capabilities.add",
        "variables.copied || variables.entries.filter(e, e[0] == 'capabilities').all(e, variables.containers.all(c, \
         c.?securityContext.?capabilities.?add.orValue(dyn([])).all(w, w != '' && w in e[1].split('|'))))"
    ),
    check!(
        "policy-seccomp",
        37,
        Field::Seccomp,
        "seccomp",
        "security.seccompProfileType",
        "set one of these types as seccompProfile",
        words!(
            "seccomp",
            "variables.containers.map(c, [c.?securityContext.?seccompProfile.?type.orValue('')].map(t, t == '' ? \
             variables.context.?seccompProfile.?type.orValue('') : t)[0])"
        )
    ),
    check!(
        "policy-gpus",
        38,
        Field::Gpus,
        "gpus",
        "compute.gpuDevicesRequest",
        "ask for so many GPUs in the limits of all containers together (lowest, highest, step)",
        numbers!("gpus", "[variables.gpus]", "false")
    ),
    check!(
        "policy-image",
        39,
        Field::Image,
        "image",
        "image",
        "use one of these images in every container, and in every volume that is an image",
        words!(
            "image",
            "(variables.containers.map(c, c.?image.orValue('')) + variables.pod.?volumes.orValue(dyn([])).filter(v, \
             has(v.image)).map(v, v.image.?reference.orValue('')))"
        )
    ),
];

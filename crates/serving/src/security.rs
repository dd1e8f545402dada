//! The security contexts of every pod we make: those that Pod Security `restricted` asks for.

use k8s_openapi::api::core::v1::{Capabilities, PodSecurityContext, SeccompProfile, SecurityContext};
use serde_json::{Value, json};

use crate::stamp::Stamp;

/// The user of discovery's pods.
pub const DISCOVERY_USER: i64 = 65_532;
/// The user, group and file group of downloads.
pub const DOWNLOAD_USER: i64 = 1000;

fn seccomp() -> SeccompProfile {
    SeccompProfile {
        type_: "RuntimeDefault".to_owned(),
        localhost_profile: None,
    }
}

/// Of a pod. `group` is also the group of its volumes.
fn pod(user: i64, group: Option<i64>) -> PodSecurityContext {
    PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(user),
        run_as_group: group,
        fs_group: group,
        seccomp_profile: Some(seccomp()),
        ..PodSecurityContext::default()
    }
}

/// Of a pod that may run as a person: where it does, the stamp says every number, and they are filled in from it.
pub(crate) fn pod_of(stamp: Option<&Stamp>, user: i64, group: Option<i64>) -> PodSecurityContext {
    match stamp {
        None => pod(user, group),
        Some(_) => PodSecurityContext {
            run_as_non_root: Some(true),
            seccomp_profile: Some(seccomp()),
            ..PodSecurityContext::default()
        },
    }
}

/// Of a container.
pub(crate) fn container() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        run_as_non_root: Some(true),
        capabilities: Some(Capabilities {
            drop: Some(vec!["ALL".to_owned()]),
            add: None,
        }),
        ..SecurityContext::default()
    }
}

/// Of pods that serve. No user is named: the image's is kept, and one that is root does not start.
pub(crate) fn serving_pod() -> Value {
    json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}})
}

/// Of containers that serve.
pub(crate) fn serving_container() -> Value {
    json!({"allowPrivilegeEscalation": false, "runAsNonRoot": true, "capabilities": {"drop": ["ALL"]}})
}

//! Security contexts: who runs, and that nothing is gained.

use k8s_openapi::api::core::v1::{Capabilities, PodSecurityContext, SeccompProfile, SecurityContext};
use reeve_crds::{ReeveConfigSpec, desired::Workload};

/// The pod's: never root, the runtime's seccomp profile, and with an identity her numbers and nobody else's groups
/// (`Strict`: an image's `/etc/group` adds none).
pub(crate) fn pod(workload: &Workload) -> PodSecurityContext {
    let mut context = PodSecurityContext {
        run_as_non_root: Some(true),
        seccomp_profile: Some(SeccompProfile {
            type_: "RuntimeDefault".to_owned(),
            localhost_profile: None,
        }),
        ..PodSecurityContext::default()
    };
    if let Some(identity) = &workload.identity {
        let groups: Vec<i64> = identity
            .posix
            .supplementary_groups()
            .iter()
            .map(|g| g.number())
            .collect();
        context.run_as_user = Some(identity.posix.uid().number());
        context.run_as_group = Some(identity.posix.gid().number());
        context.supplemental_groups = (!groups.is_empty()).then_some(groups);
        context.supplemental_groups_policy = Some("Strict".to_owned());
        context.fs_group = is_closed(workload).then_some(identity.posix.gid().number());
    }
    context
}

/// Whether a Secret is mounted that not everybody reads. Its files are root's: the node gives them to the group of `fsGroup`, and lets
/// that read. The pod's other volumes are its own (R21), and the group is one of the user's (R6).
fn is_closed(workload: &Workload) -> bool {
    let mut modes = workload.secret_volumes.iter().map(|volume| volume.default_mode);
    modes.any(|mode| !mode.is_readable_by_all())
}

/// The container's. `allowPrivilegeEscalation` is always written, as the reference does (cluster-and-cli 5.4): false when
/// the cluster or the submission asks for it, and wherever identity is enforced, since a setuid file of the image would
/// be another uid (a manifest of her own can still ask for it). Every capability is dropped either way.
pub(crate) fn container(workload: &Workload, settings: &ReeveConfigSpec) -> SecurityContext {
    let prevent = settings.enforce_prevent_privilege_escalation
        || settings.enforce_run_as_user
        || workload.prevent_privilege_escalation;
    SecurityContext {
        allow_privilege_escalation: Some(!prevent),
        capabilities: Some(Capabilities {
            drop: Some(vec!["ALL".to_owned()]),
            add: None,
        }),
        ..SecurityContext::default()
    }
}

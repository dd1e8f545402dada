//! What the cluster's settings mean. Pure.

use std::sync::Arc;

use reeve_crds::{OpenShift, ProjectController, ReeveConfig, ReeveConfigSpec};
use reeve_kube_kit::Change;
use reeve_types::{Switch, Switches};

use crate::cluster_configs::Demanded;

/// The condition that says whether a container can become somebody else.
pub const IDENTITY_BOUNDARY: &str = "IdentityBoundary";

/// What holds: strict without any object, and of several the strictest (admission R13; the schema allows one only).
pub fn strictest(all: &[ReeveConfigSpec]) -> ReeveConfigSpec {
    if all.is_empty() {
        return ReeveConfigSpec::default();
    }
    ReeveConfigSpec {
        enforce_run_as_user: all.iter().any(|one| one.enforce_run_as_user),
        enforce_prevent_privilege_escalation: all.iter().any(|one| one.enforce_prevent_privilege_escalation),
        trusted_mutators: trusted_by_all(all, |one| &one.trusted_mutators),
        trusted_controllers: trusted_by_all(all, |one| &one.trusted_controllers),
        project_controller: ProjectController::of(switched_on_by_all(all)),
        limit_range: all.first().and_then(|one| one.limit_range.clone()),
        open_shift: OpenShift {
            security_context_constraints: all.iter().all(|one| one.open_shift.security_context_constraints),
        },
    }
}

/// The settings with what the reference's ConfigMaps demand beside: the stricter of both in each (admission R13).
#[must_use]
pub fn with_demanded(settings: ReeveConfigSpec, demanded: &Demanded) -> ReeveConfigSpec {
    let config = demanded.config;
    ReeveConfigSpec {
        enforce_run_as_user: settings.enforce_run_as_user || config.enforce_run_as_user,
        enforce_prevent_privilege_escalation: settings.enforce_prevent_privilege_escalation
            || config.enforce_prevent_privilege_escalation,
        ..settings
    }
}

/// The switches that no object turns off.
fn switched_on_by_all(all: &[ReeveConfigSpec]) -> Switches {
    all.iter()
        .fold(Switches::default(), |on, one| on.and(one.switches()))
}

/// The entries of a list on which every object agrees.
fn trusted_by_all<T: Clone + PartialEq>(
    all: &[ReeveConfigSpec],
    list: impl Fn(&ReeveConfigSpec) -> &Vec<T>,
) -> Vec<T> {
    let (Some(first), rest) = (all.first(), all.get(1..).unwrap_or_default()) else {
        return Vec::new();
    };
    let by_all = |one: &&T| rest.iter().all(|other| list(other).contains(one));
    list(first).iter().filter(by_all).cloned().collect()
}

/// Whether a container can only be the person it runs as: the condition `IdentityBoundary`. Pure.
pub fn identity_boundary(settings: &ReeveConfigSpec) -> (bool, &'static str, &'static str) {
    if !settings.enforce_run_as_user {
        let why = "enforceRunAsUser is false: containers run as any uid but 0, so that uid and gid say nothing of a person";
        (false, "IdentityNotEnforced", why)
    } else if !settings.enforce_prevent_privilege_escalation {
        let why = "enforcePreventPrivilegeEscalation is false: a pod that asks for allowPrivilegeEscalation can become \
                   another uid, or root, by a setuid file of its image";
        (false, "EscalationAllowed", why)
    } else {
        (true, "Enforced", "")
    }
}

/// Whether a change of the settings' object is one of what they say.
pub fn have_changed(change: &Change<ReeveConfig>) -> bool {
    let spec = |object: &Option<Arc<ReeveConfig>>| object.as_ref().map(|object| object.spec.clone());
    spec(&change.old) != spec(&change.new)
}

/// Whether Secrets are copied into projects.
pub fn propagates_secrets(settings: &ReeveConfigSpec) -> bool {
    settings.switches().is_on(Switch::SecretPropagation)
}

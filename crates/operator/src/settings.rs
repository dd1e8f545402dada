//! What the cluster's settings mean. Pure.

use std::sync::Arc;

use reeve_crds::{ReeveConfig, ReeveConfigSpec, TrustedMutator};
use reeve_kube_kit::Change;

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
        trusted_mutators: trusted_by_all(all),
    }
}

/// The second writers on whom every object agrees.
fn trusted_by_all(all: &[ReeveConfigSpec]) -> Vec<TrustedMutator> {
    let (Some(first), rest) = (all.first(), all.get(1..).unwrap_or_default()) else {
        return Vec::new();
    };
    let by_all = |one: &&TrustedMutator| rest.iter().all(|other| other.trusted_mutators.contains(one));
    first.trusted_mutators.iter().filter(by_all).cloned().collect()
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

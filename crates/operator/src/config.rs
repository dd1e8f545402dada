//! The cluster's settings: from `ReeveConfig` to labels of every project's namespace, which the project passes write;
//! here is what they are, and the status of the object. A cluster that was deleted on the control plane says so here: in the
//! status, as an event and as a metric, also without a `ReeveConfig`.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{Api, ResourceExt};
use prometheus_client::metrics::gauge::Gauge;
use reeve_crds::{CONFIG_NAME, ReeveConfig, ReeveConfigSpec, ReeveConfigStatus, TrustedMutator, desired};
use reeve_kube_kit::events::Says;
use reeve_kube_kit::{Name, condition};

use crate::project::validate::{may_be_made, validate};
use crate::status::{self, StatusNotWritten};
use crate::world::World;

/// The condition of a cluster that was deleted on the control plane. It is there only while that holds.
pub const DELETED: &str = "DeletedOnControlPlane";
/// The condition that says whether a container can become somebody else.
pub const IDENTITY_BOUNDARY: &str = "IdentityBoundary";
const DELETED_MESSAGE: &str = "the control plane says that this cluster was deleted there: nobody has rights by its access rules \
     any more; the namespaces and what runs in them stay. To use the cluster again create it on the control plane and give \
     this operator the new `--cluster-id` and secret";
const NOT_DELETED_MESSAGE: &str = "no control plane says any more that this cluster was deleted there";

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

/// Whether a project's namespace is still to get the settings: it is to be made, or it is the project's and its labels say
/// something else. One that the project may not have does not count: its settings are not ours to write. Pure.
pub fn lags(project: &desired::Project, namespace: Option<&Namespace>, settings: &ReeveConfigSpec) -> bool {
    let Some(object) = namespace else { return true };
    let lacks = |has: &BTreeMap<String, String>, wanted: BTreeMap<String, String>| {
        wanted.iter().any(|(key, value)| has.get(key) != Some(value))
    };
    validate(project, Some(object), false).is_ok()
        && (lacks(
            object.labels(),
            reeve_tenancy::namespace_labels(project, settings),
        ) || lacks(
            object.annotations(),
            reeve_tenancy::namespace_annotations(settings),
        ))
}

/// The namespaces of valid projects that lag.
fn behind(world: &World) -> Vec<String> {
    let settings = world.settings();
    let namespaces = world.org().namespaces();
    let lagging = |namespace: &String| {
        let first = world.claimants(namespace).into_iter().next();
        let object = world.mirrors.namespaces.get(&Name::cluster(namespace.clone()));
        first
            .and_then(|claimant| claimant.checked.ok())
            .filter(|project| object.is_some() || may_be_made(project, &world.reserved).is_ok())
            .is_some_and(|project| lags(&project, object.as_deref(), &settings))
    };
    let mut behind: Vec<String> = namespaces.into_iter().filter(lagging).collect();
    behind.sort();
    behind.dedup();
    behind
}

/// Says when the cluster is found deleted on the control plane, and when it is there again. `said`: an earlier process said
/// that it is deleted, and the condition still does. Without a `ReeveConfig` the event is about the one that could be.
async fn announce_deletion(world: &World, config: Option<&ReeveConfig>, said: bool, gauge: &Gauge) {
    let Some(deleted) = world.deleted() else { return };
    let before = gauge.set(i64::from(deleted)) == 1 || said;
    if deleted == before {
        return;
    }
    let says = Says {
        warning: deleted,
        reason: if deleted {
            "ClusterDeleted"
        } else {
            "ClusterNotDeleted"
        },
        note: if deleted {
            DELETED_MESSAGE
        } else {
            NOT_DELETED_MESSAGE
        },
    };
    let stand_in = ReeveConfig::new(CONFIG_NAME, ReeveConfigSpec::default());
    let about = config.unwrap_or(&stand_in);
    world.events.publish(about, "WatchControlPlane", &says).await;
}

/// What the settings' passes show to whoever watches the operator.
#[derive(Debug, Clone, Default)]
pub struct Gauges {
    /// 1 while the control plane says that this cluster was deleted there.
    pub deleted: Gauge,
    /// 1 while identity is a boundary in every project.
    pub identity_boundary: Gauge,
}

/// One pass over the status of the settings, and over what the control plane is told of them.
///
/// # Errors
/// When the status cannot be written.
pub async fn reconcile(world: Arc<World>, gauges: Gauges) -> Result<(), StatusNotWritten> {
    world.board.set_settings(world.cluster_settings());
    let (holds, reason, why) = identity_boundary(&world.settings());
    gauges.identity_boundary.set(i64::from(holds));
    let config = world.config();
    let mut conditions = config
        .as_ref()
        .and_then(|config| config.status.clone())
        .map(|status| status.conditions)
        .unwrap_or_default();
    let said = conditions.iter().any(|condition| condition.type_ == DELETED);
    announce_deletion(&world, config.as_deref(), said, &gauges.deleted).await;
    let Some(config) = config else {
        return Ok(());
    };
    let behind = behind(&world);
    let applied = match behind.first() {
        None => (true, "Applied", String::new()),
        Some(first) => (
            false,
            "NamespacesBehind",
            format!(
                "{} namespaces do not have the settings yet, the first is `{first}`",
                behind.len()
            ),
        ),
    };
    let alarms = world
        .alarms
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let intact = if alarms.is_empty() {
        (true, "Intact", String::new())
    } else {
        (false, "Changed", alarms.join("; "))
    };
    let mut say = |type_, (status, reason, message): &(bool, &str, String)| {
        let says = condition::Says {
            type_,
            status: Some(*status),
            reason,
            message,
            generation: config.metadata.generation,
        };
        condition::set(&mut conditions, &says, world.clock.now());
    };
    say("Ready", &applied);
    say("PoliciesIntact", &intact);
    say(IDENTITY_BOUNDARY, &(holds, reason, why.to_owned()));
    match world.deleted() {
        Some(true) => say(DELETED, &(true, "ClusterDeleted", DELETED_MESSAGE.to_owned())),
        Some(false) => conditions.retain(|condition: &Condition| condition.type_ != DELETED),
        // The link has not been told yet: what an earlier process was told stands.
        None => {}
    }
    let status = ReeveConfigStatus {
        observed_generation: config.metadata.generation,
        conditions,
    };
    if config.status.as_ref() == Some(&status) {
        return Ok(());
    }
    status::write(&Api::<ReeveConfig>::all(world.client.clone()), &*config, &status).await
}

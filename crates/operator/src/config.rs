//! The cluster's settings: from `ReeveConfig` to labels of every project's namespace, which the project passes write;
//! here is what they are, and the status of the object. A cluster that was deleted on the control plane says so here: in the
//! status, as an event and as a metric, also without a `ReeveConfig`.

use std::sync::{Arc, PoisonError};

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{Api, ResourceExt};
use prometheus_client::metrics::gauge::Gauge;
use reeve_crds::{CONFIG_NAME, ReeveConfig, ReeveConfigSpec, ReeveConfigStatus, desired};
use reeve_kube_kit::events::Says;
use reeve_kube_kit::{Name, condition};

use crate::project::validate::validate;
use crate::status::{self, StatusNotWritten};
use crate::world::World;

/// The condition of a cluster that was deleted on the control plane. It is there only while that holds.
pub const DELETED: &str = "DeletedOnControlPlane";
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
    }
}

/// Whether a project's namespace is still to get the settings: it is to be made, or it is the project's and its labels say
/// something else. One that the project may not have does not count: its settings are not ours to write. Pure.
pub fn lags(project: &desired::Project, namespace: Option<&Namespace>, settings: ReeveConfigSpec) -> bool {
    let Some(object) = namespace else { return true };
    let labels = object.labels();
    validate(project, Some(object), false).is_ok()
        && reeve_tenancy::namespace_labels(project, settings)
            .iter()
            .any(|(key, value)| labels.get(key) != Some(value))
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
            .is_some_and(|project| lags(&project, object.as_deref(), settings))
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

/// One pass over the status of the settings, and over what the control plane is told of them. `deleted` shows whether the
/// cluster is deleted there.
///
/// # Errors
/// When the status cannot be written.
pub async fn reconcile(world: Arc<World>, deleted: Gauge) -> Result<(), StatusNotWritten> {
    world.board.set_settings(world.cluster_settings());
    let config = world.config();
    let mut conditions = config
        .as_ref()
        .and_then(|config| config.status.clone())
        .map(|status| status.conditions)
        .unwrap_or_default();
    let said = conditions.iter().any(|condition| condition.type_ == DELETED);
    announce_deletion(&world, config.as_deref(), said, &deleted).await;
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

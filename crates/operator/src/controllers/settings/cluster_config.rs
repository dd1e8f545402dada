//! What is said of the reference's `cluster-config` ConfigMaps: a condition of the settings, and an event when it turns bad.

use reeve_crds::{CONFIG_NAME, ReeveConfig, ReeveConfigSpec};
use reeve_kube_kit::Context;
use reeve_kube_kit::events::EventNote;
use reeve_tenancy::cluster_config::ClusterConfig;

use crate::cluster_configs::Demanded;

/// The condition. It is there only while there is such a ConfigMap, or one of the namespaces cannot be read.
pub const VALID: &str = "ClusterConfigValid";
const MALFORMED: &str = "Malformed";

/// Whether they are as they should be, with a reason and a message; `None` when there is nothing to say. Pure.
pub fn condition(demanded: &Demanded) -> Option<(bool, &'static str, String)> {
    if !demanded.problems.is_empty() {
        return Some((false, MALFORMED, demanded.problems.join("; ")));
    }
    if demanded.objects.is_empty() {
        return None;
    }
    let ClusterConfig {
        enforce_run_as_user,
        enforce_prevent_privilege_escalation,
    } = demanded.config;
    let settings = [
        (enforce_run_as_user, "enforceRunAsUser"),
        (
            enforce_prevent_privilege_escalation,
            "enforcePreventPrivilegeEscalation",
        ),
    ];
    let on: Vec<&str> = settings
        .into_iter()
        .filter_map(|(on, name)| on.then_some(name))
        .collect();
    let on = if on.is_empty() {
        "nothing".to_owned()
    } else {
        on.join(" and ")
    };
    let objects: Vec<String> = demanded.objects.iter().map(|it| format!("`{it}`")).collect();
    let message = format!("{} demands {on}, whatever this object says", objects.join(", "));
    Some((true, "Applied", message))
}

/// Publishes an event when one is found malformed or cannot be read, and when that is over. Without a `ReeveConfig` the event is
/// about the one that could be.
pub(super) async fn announce(context: &Context, config: Option<&ReeveConfig>, demanded: &Demanded) {
    let stand_in = ReeveConfig::new(CONFIG_NAME, ReeveConfigSpec::default());
    let about = config.unwrap_or(&stand_in);
    // What an earlier process said stands in the condition.
    let said = config
        .and_then(|config| config.status.as_ref())
        .and_then(|status| {
            let mut conditions = status.conditions.iter();
            conditions.find(|it| it.type_ == VALID && it.status == "False")
        });
    let text = demanded.problems.join("; ");
    let (warning, reason, note) = match (said, demanded.problems.is_empty()) {
        (None, true) => return,
        (Some(said), false) if said.message == text => return,
        (_, false) => (true, "ClusterConfigMalformed", text.as_str()),
        (Some(_), true) => (
            false,
            "ClusterConfigValid",
            "every ConfigMap of settings can be read and understood",
        ),
    };
    let note = EventNote {
        warning,
        reason,
        note,
    };
    context.events.publish(about, "ReadClusterConfig", &note).await;
}

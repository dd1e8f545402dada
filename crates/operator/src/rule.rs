//! An access rule's status: effective when every project it reaches has its binding. It writes no binding itself.

use std::sync::Arc;

use kube::Api;
use reeve_crds::convert::access_rule_name;
use reeve_crds::{AccessRule, AccessRuleStatus, Phase};
use reeve_kube_kit::{Name, condition};
use reeve_link::ObjectKey;
use reeve_tenancy::people;
use reeve_types::{AccessRuleId, Timestamp};

use crate::org::{Org, Standing};
use crate::status::{self, StatusNotWritten};
use crate::world::World;

/// How a rule stands: phase, one word, and for people. Pure.
pub fn judge(rule: &AccessRule, org: &Org) -> (Phase, &'static str, String) {
    let checked = match rule.checked() {
        Ok(checked) => checked,
        Err(invalid) => return (Phase::NotReady, "Invalid", invalid.to_string()),
    };
    if checked.role.is_none() {
        let message = "the role gives nothing in a cluster".to_owned();
        return (Phase::Ready, "NothingInClusters", message);
    }
    if people::cluster_role(&checked.role).is_none() {
        let message = format!(
            "role `{}` has no ClusterRole in this cluster: upgrade its chart, or choose another role",
            checked.role
        );
        return (Phase::NotReady, "UnknownRole", message);
    }
    match org.standing(&checked) {
        Standing::Effective => (Phase::Ready, "Effective", String::new()),
        Standing::Waits(project) => (
            Phase::Creating,
            "Binding",
            format!("project `{project}` is being brought up to date"),
        ),
        Standing::Blocked(project, problem) => (
            Phase::NotReady,
            "ProjectNotReady",
            format!("project `{project}`: {problem}"),
        ),
    }
}

fn said(rule: &AccessRule, judged: &(Phase, &'static str, String), now: Timestamp) -> AccessRuleStatus {
    let mut conditions = rule
        .status
        .as_ref()
        .map(|status| status.conditions.clone())
        .unwrap_or_default();
    let ready = condition::Says {
        type_: "Ready",
        status: Some(judged.0 == Phase::Ready),
        reason: judged.1,
        message: &judged.2,
        generation: rule.metadata.generation,
    };
    condition::set(&mut conditions, &ready, now);
    AccessRuleStatus {
        phase: Some(judged.0),
        message: judged.2.clone(),
        observed_generation: rule.metadata.generation,
        conditions,
    }
}

/// One pass over a rule's status.
///
/// # Errors
/// When it cannot be written.
pub async fn reconcile(world: Arc<World>, id: AccessRuleId) -> Result<(), StatusNotWritten> {
    let Some(rule) = world.mirrors.rules.get(&Name::cluster(access_rule_name(id))) else {
        return Ok(());
    };
    let judged = judge(&rule, &world.org());
    // On its way: the pass over its project asks for the next. Nothing is written of that, neither at first nor after a
    // restart, when what was said still holds.
    if judged.0 == Phase::Creating {
        if rule
            .status
            .as_ref()
            .is_none_or(|status| status.observed_generation != rule.metadata.generation)
        {
            world
                .board
                .set(ObjectKey::AccessRule(id), judged.0.into(), &judged.2);
        }
        return Ok(());
    }
    world
        .board
        .set(ObjectKey::AccessRule(id), judged.0.into(), &judged.2);
    let status = said(&rule, &judged, world.clock.now());
    if rule.status.as_ref() == Some(&status) {
        return Ok(());
    }
    status::write(&Api::<AccessRule>::all(world.client.clone()), &*rule, &status).await
}

//! Project → namespace, labels, RoleBindings. Keyed by namespace, because what a deleted project leaves is found there.

mod apply;
pub mod cleanup;
mod failed;
mod status;
pub mod survey;
pub mod validate;

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::RoleBinding;
use reeve_crds::{Phase, ReeveConfigSpec, desired};
use reeve_kube_kit::error::chain;
use reeve_kube_kit::{Name, Reconcile};
use reeve_link::{ObjectKey, StatusPhase};

pub use failed::Failed;
use survey::Survey;

use crate::org::{Claimant, Outcome};
use crate::world::World;

/// Everything a pass reads.
#[derive(Debug)]
pub struct View {
    /// The namespace, when it is there.
    pub namespace: Option<Arc<Namespace>>,
    /// The RoleBindings in it.
    pub bindings: Vec<Arc<RoleBinding>>,
    /// The rules that reach the project.
    pub rules: Vec<desired::AccessRule>,
    /// Of which version they are.
    pub version: u64,
    /// The cluster's settings.
    pub settings: ReeveConfigSpec,
}

/// Everything a pass wants to be there.
#[derive(Debug, PartialEq)]
pub struct Built {
    /// The namespace with our labels.
    pub namespace: Namespace,
    /// The operator's own binding.
    pub own: RoleBinding,
    /// People's bindings.
    pub people: Vec<RoleBinding>,
}

fn dereference(world: &World, project: &desired::Project) -> View {
    let (version, rules) = world.org().rules_of(project);
    View {
        namespace: world.mirrors.namespaces.get(&Name::cluster(&project.namespace)),
        bindings: world.mirrors.bindings.in_namespace(&project.namespace),
        rules,
        version,
        settings: world.settings(),
    }
}

/// Builds; cannot fail.
pub fn build(project: &desired::Project, view: &View) -> Built {
    Built {
        namespace: reeve_tenancy::namespace(project, &view.settings),
        own: reeve_tenancy::operator_binding(&project.namespace),
        people: reeve_tenancy::bindings(project, &view.rules),
    }
}

/// One pass over a namespace.
///
/// # Errors
/// What is in the way; it is in the project's status too.
pub async fn reconcile(world: Arc<World>, namespace: String) -> Result<(), Failed> {
    let claimants = world.claimants(&namespace);
    let Some((first, rest)) = claimants.split_first() else {
        return cleanup::reconcile(&world, &namespace).await;
    };
    for loser in rest {
        let contested = Failed::Contested {
            namespace: namespace.clone(),
            owner: first.name.clone(),
        };
        finish(&world, loser, 0, Err(contested)).await.ok();
    }
    match &first.checked {
        Err(invalid) => finish(&world, first, 0, Err(Failed::Invalid(invalid.clone()))).await,
        Ok(project) => {
            let view = dereference(&world, project);
            let outcome = pass(&world, project, &view).await;
            finish(&world, first, view.version, outcome).await
        }
    }
}

async fn pass(world: &World, project: &desired::Project, view: &View) -> Result<Option<Survey>, Failed> {
    let made = world.was_just_made(&Name::cluster(&project.namespace));
    let found = validate::validate(project, view.namespace.as_deref(), made)?;
    if found == validate::Found::Missing {
        validate::may_be_made(project, &world.reserved)?;
        world
            .board
            .set_first(ObjectKey::Project(project.id), StatusPhase::Creating);
    }
    apply::apply(world, project, found, view, &build(project, view)).await?;
    look(world, project, found, view).await
}

/// How long until what could make no new pod is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Looks at what the namespace holds, where that is called for. Nothing is in one that was just made.
async fn look(
    world: &World,
    project: &desired::Project,
    found: validate::Found,
    view: &View,
) -> Result<Option<Survey>, Failed> {
    let namespace = match (found, &view.namespace) {
        (validate::Found::Ours, Some(namespace)) => namespace,
        (validate::Found::Ours, None) => return Ok(None),
        _ => return Ok(Some(Survey::default())),
    };
    // Not before its labels are the settings: those are what is judged by.
    if crate::config::lags(project, Some(namespace), &view.settings)
        || !status::wants_survey(world, project.name.as_str())
    {
        return Ok(None);
    }
    let survey = survey::survey(world, namespace).await.map_err(Failed::Write)?;
    if !survey.is_clean() {
        world
            .queues
            .namespaces
            .add_after(project.namespace.clone(), LOOK_AGAIN);
    }
    Ok(Some(survey))
}

/// Puts the outcome where it is read: the index, the object's status, the board, an event.
async fn finish(
    world: &World,
    claimant: &Claimant,
    version: u64,
    outcome: Result<Option<Survey>, Failed>,
) -> Result<(), Failed> {
    let says = match &outcome {
        Ok(survey) => status::Says {
            phase: Phase::Ready,
            reason: "Applied",
            message: String::new(),
            survey: survey.clone(),
        },
        Err(failed) => status::Says {
            phase: Phase::NotReady,
            reason: failed.reason(),
            message: chain(failed),
            survey: None,
        },
    };
    if let Ok(project) = &claimant.checked {
        let problem = outcome.is_err().then(|| says.message.clone());
        let (rules, became_usable) = {
            let mut org = world.org_mut();
            let usable = |o: Option<&Outcome>| o.is_some_and(|o| o.problem.is_none());
            let before = usable(org.outcome(&claimant.name));
            let rules = org.record(project, Outcome { version, problem });
            (rules, !before && usable(org.outcome(&claimant.name)))
        };
        rules.into_iter().for_each(|rule| world.queues.rules.add(rule));
        if became_usable {
            world.queues.identities.add(project.namespace.clone());
            world.usable.notify_one();
            for workload in world.mirrors.workloads.in_namespace(&project.namespace) {
                world.queues.workloads.add(Name::of(&*workload));
            }
        }
        world
            .board
            .set(ObjectKey::Project(project.id), says.phase.into(), &says.message);
    }
    let reported = status::report(world, &claimant.name, &says).await;
    outcome.map(drop).and(reported)
}

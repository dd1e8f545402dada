//! Which change asks for which pass.

use std::fmt::Debug;
use std::sync::Arc;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::runtime::watcher::Config;
use kube::{Api, Resource, ResourceExt};
use reeve_admission::names;
use reeve_crds::{AccessRule, PodIdentities, Project, ReeveConfig, Workload};
use reeve_kube_kit::mirror::keep;
use reeve_kube_kit::{Change, Mirror, Name};
use reeve_workload::WORKLOAD_LABEL;
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;

use crate::identities;
use crate::link::fingerprint::Fingerprint;
use crate::link::known;
use crate::slim;
use crate::world::World;

/// How many objects that may be large are asked for at once.
const PAGE: u32 = 50;

/// Starts every watch in `tasks`.
pub(crate) fn start(world: &Arc<World>, tasks: &mut JoinSet<()>) {
    let mirrors = &world.mirrors;
    let all = Config::default;
    // A page of the largest ones is some megabytes, whatever somebody wrote into their annotations.
    let large = || Config::default().page_size(PAGE);
    let labelled = || large().labels(WORKLOAD_LABEL);
    watch(world, tasks, &mirrors.projects, all(), slim::managed, project);
    watch(world, tasks, &mirrors.rules, all(), slim::managed, rule);
    watch(
        world,
        tasks,
        &mirrors.workloads,
        large(),
        slim::workload,
        workload,
    );
    watch(world, tasks, &mirrors.configs, all(), slim::managed, config);
    watch(world, tasks, &mirrors.namespaces, all(), slim::managed, namespace);
    watch(world, tasks, &mirrors.bindings, all(), slim::binding, binding);
    watch(world, tasks, &mirrors.jobs, labelled(), slim::job, job);
    watch(world, tasks, &mirrors.pods, large(), slim::pod, pod);
    watch(
        world,
        tasks,
        &mirrors.identities,
        all(),
        slim::managed,
        pod_identities,
    );
    watch(world, tasks, &mirrors.validating, all(), slim::managed, policy);
    watch(
        world,
        tasks,
        &mirrors.validating_bindings,
        all(),
        slim::managed,
        policy,
    );
    watch(world, tasks, &mirrors.mutating, all(), slim::managed, policy);
    watch(
        world,
        tasks,
        &mirrors.mutating_bindings,
        all(),
        slim::managed,
        policy,
    );
}

/// Returns when every first list is complete, and nothing that is there can be taken for missing.
pub(crate) async fn synced(world: &World) {
    let m = &world.mirrors;
    tokio::join!(
        m.projects.synced(),
        m.rules.synced(),
        m.workloads.synced(),
        m.configs.synced(),
        m.namespaces.synced(),
        m.bindings.synced(),
        m.jobs.synced(),
        m.pods.synced(),
        m.identities.synced(),
        m.validating.synced(),
        m.validating_bindings.synced(),
        m.mutating.synced(),
        m.mutating_bindings.synced(),
    );
}

fn watch<K>(
    world: &Arc<World>,
    tasks: &mut JoinSet<()>,
    mirror: &Arc<Mirror<K>>,
    config: Config,
    slim: fn(&mut K),
    observe: fn(&World, &Change<K>),
) where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    let api = Api::<K>::all(world.client.clone());
    let (mirror, world) = (mirror.clone(), world.clone());
    tasks.spawn(keep(mirror, api, config, slim, move |change| {
        observe(&world, &change)
    }));
}

fn name<K: ResourceExt>(change: &Change<K>) -> Option<Name> {
    change
        .new
        .as_ref()
        .or(change.old.as_ref())
        .map(|object| Name::of(&**object))
}

fn project(world: &World, change: &Change<Project>) {
    let Some(name) = name(change) else { return };
    known::watch_drift(
        world,
        change,
        |object| object.spec.id.parse().ok().map(reeve_link::ObjectKey::Project),
        |o| Fingerprint::of(&o.spec),
    );
    if let (Some(old), Some(new)) = (&change.old, &change.new)
        && old.spec == new.spec
        && old.metadata.uid == new.metadata.uid
    {
        return;
    }
    let rules: Vec<_> = {
        let mut org = world.org_mut();
        let gone = org.project_named(&name.name).filter(|_| change.new.is_none());
        let namespaces = org.set_project(&name.name, change.new.as_deref());
        namespaces
            .into_iter()
            .for_each(|namespace| world.queues.namespaces.add(namespace));
        gone.map(|project| org.rules_of(&project).1.into_iter().map(|rule| rule.id).collect())
            .unwrap_or_default()
    };
    rules.into_iter().for_each(|rule| world.queues.rules.add(rule));
    if let (None, Some(old)) = (&change.new, &change.old) {
        world.events.forget(&**old);
    }
}

fn rule(world: &World, change: &Change<AccessRule>) {
    known::watch_drift(
        world,
        change,
        |object| reeve_types::AccessRuleId::new(object.spec.id).map(reeve_link::ObjectKey::AccessRule),
        |o| Fingerprint::of(&o.spec),
    );
    if let (Some(old), Some(new)) = (&change.old, &change.new)
        && old.spec == new.spec
    {
        return;
    }
    let old = change.old.as_ref().and_then(|object| object.checked().ok());
    let new = change.new.as_ref().and_then(|object| object.checked().ok());
    let namespaces = world.org_mut().set_rule(old.as_ref(), new);
    namespaces
        .into_iter()
        .for_each(|namespace| world.queues.namespaces.add(namespace));
    if let Some(id) = change
        .new
        .as_ref()
        .and_then(|object| reeve_types::AccessRuleId::new(object.spec.id))
    {
        world.queues.rules.add(id);
    }
}

fn workload(world: &World, change: &Change<Workload>) {
    known::watch_drift(
        world,
        change,
        |object| object.spec.id.parse().ok().map(reeve_link::ObjectKey::Workload),
        slim::fingerprint,
    );
    match (&change.old, &change.new) {
        (Some(old), None) => world.events.forget(&**old),
        _ => name(change)
            .into_iter()
            .for_each(|name| world.queues.workloads.add(name)),
    }
}

fn config(world: &World, change: &Change<ReeveConfig>) {
    world.queues.config.add(());
    let spec = |object: &Option<Arc<ReeveConfig>>| object.as_ref().map(|object| object.spec.clone());
    if spec(&change.old) != spec(&change.new) {
        world
            .org()
            .namespaces()
            .into_iter()
            .for_each(|namespace| world.queues.namespaces.add(namespace));
        world
            .mirrors
            .workloads
            .all()
            .iter()
            .for_each(|workload| world.queues.workloads.add(Name::of(&**workload)));
    }
}

fn namespace(world: &World, change: &Change<Namespace>) {
    let Some(name) = name(change) else { return };
    world.seen(&name, change.new.is_some());
    let labelled = |object: &Option<Arc<Namespace>>| {
        object
            .as_ref()
            .is_some_and(|o| o.labels().contains_key(names::PROJECT))
    };
    if labelled(&change.old) || labelled(&change.new) || world.org().is_claimed(&name.name) {
        world.queues.namespaces.add(name.name);
        world.queues.config.add(());
    }
}

fn binding(world: &World, change: &Change<RoleBinding>) {
    let Some(name) = name(change) else { return };
    world.seen(&name, change.new.is_some());
    let marked = |object: &Option<Arc<RoleBinding>>| {
        object
            .as_ref()
            .is_some_and(|o| o.labels().contains_key(names::MANAGED))
    };
    if marked(&change.old) || marked(&change.new) || world.org().is_claimed(&name.namespace) {
        world.queues.namespaces.add(name.namespace);
    }
}

fn job(world: &World, change: &Change<Job>) {
    let Some(name) = name(change) else { return };
    world.seen(&name, change.new.is_some());
    world.queues.workloads.add(name);
}

fn pod(world: &World, change: &Change<Pod>) {
    let Some(pod) = change.new.as_ref().or(change.old.as_ref()) else {
        return;
    };
    let stamp = |pod: &Option<Arc<Pod>>| {
        pod.as_ref()
            .and_then(|pod| identities::stamp(pod).map(str::to_owned))
    };
    if stamp(&change.old) != stamp(&change.new) {
        world.queues.identities.add(pod.namespace().unwrap_or_default());
    }
    if let (Some(workload), Some(namespace)) = (pod.labels().get(WORKLOAD_LABEL), pod.namespace()) {
        world
            .queues
            .workloads
            .add(Name::namespaced(namespace, workload.clone()));
    }
}

/// Somebody else removed it, or it was ours to make.
fn pod_identities(world: &World, change: &Change<PodIdentities>) {
    if let Some(name) = name(change) {
        world.queues.identities.add(name.namespace);
    }
}

fn policy<K>(world: &World, _: &Change<K>) {
    world.queues.policies.add(());
}

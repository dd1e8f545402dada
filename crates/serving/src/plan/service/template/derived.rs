//! The template with a service's overrides over another one. Its name says the base and the overrides and nothing of the service, so
//! that services of a namespace which ask for the same share it: each of them is an owner, and it goes with the last. The first owner
//! says what is in it; the others leave that as it is, so that no two of them write in turn.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use reeve_serving_crds::{AimService, AimServiceStatus, AimServiceTemplate, AimServiceTemplateSpec, Scope};

use super::{Missing, Template, derived_name};
use crate::labels;
use crate::names;
use crate::owner::Parent;
use crate::plan::service::Seen;
use crate::plan::{Child, Plan, with_cause};
use crate::service::{Explicit, derived_template, explicit, template_health};
use crate::stamp::Stamp;

/// The template with the service's overrides over its base, or the base where there is nothing to put over it.
pub(super) fn of<'a>(
    seen: &Seen<'a>,
    all: &[Template<'a>],
    base: Template<'a>,
    plan: &mut Plan<AimServiceStatus>,
) -> Result<Template<'a>, Missing> {
    let name = derived_name(seen, base.name());
    let mut derived = all
        .iter()
        .filter(|t| t.scope == Scope::Namespace && t.name() == name);
    let derived = derived.next().filter(|_| name != base.name());
    let namespaced = base.scope == Scope::Namespace;
    let choice = explicit(
        name != base.name(),
        namespaced,
        &base.labels(),
        derived.map(Template::state),
    );
    match choice {
        Explicit::Base => Ok(base),
        Explicit::Derived => {
            plan.children.extend(wanted(seen, &name, &base, derived));
            derived.copied().ok_or(Missing::Unasked)
        }
        Explicit::AwaitDerived => {
            if base.is_ready() {
                plan.children.extend(wanted(seen, &name, &base, derived));
            }
            let state = derived.and_then(Template::state);
            let health = template_health(state, &name);
            let conditions = derived.map(Template::conditions).unwrap_or_default();
            Err(Missing::Waits(with_cause(health, conditions)))
        }
    }
}

/// Keeps a derived template that is in use: as its base is, and with the service among its owners. One whose base is gone stays as it is, and
/// so does one that the service names itself.
pub(super) fn keep<'a>(
    seen: &Seen<'a>,
    all: &[Template<'a>],
    used: &Template<'a>,
    plan: &mut Plan<AimServiceStatus>,
) {
    let is_base = |base: &&Template<'_>| {
        base.scope == Scope::Namespace && !base.is_derived() && derived_name(seen, base.name()) == used.name()
    };
    let choice = seen.service.spec.template.as_ref();
    let is_named = choice.and_then(|choice| choice.name.as_deref()) == Some(used.name());
    if is_named || !used.is_derived() || used.scope != Scope::Namespace {
        return;
    }
    if let Some(base) = all.iter().find(is_base) {
        plan.children.extend(wanted(seen, used.name(), base, Some(used)));
    }
}

/// The derived template as this service wants it; nothing where another service says what is in it and this one is an owner already.
fn wanted(seen: &Seen<'_>, name: &str, base: &Template<'_>, found: Option<&Template<'_>>) -> Option<Child> {
    let before = found.and_then(|found| found.metadata.owner_references.as_deref());
    let before = before.unwrap_or_default();
    let owners = with_owner(before, seen.parent);
    let is_first = first_service(&owners).is_some_and(|first| first.uid == seen.parent.uid);
    let mut template = match found {
        Some(found) if !is_first => {
            if before.iter().any(|owner| owner.uid == seen.parent.uid) {
                return None;
            }
            AimServiceTemplate {
                metadata: ObjectMeta {
                    name: Some(name.to_owned()),
                    namespace: Some(seen.namespace.to_owned()),
                    annotations: seen.parent.stamp.as_ref().map(Stamp::annotations),
                    labels: found.metadata.labels.clone(),
                    ..ObjectMeta::default()
                },
                spec: found.spec.clone(),
                status: None,
            }
        }
        _ => with_overrides(seen, name, base, found.map(|found| found.spec)),
    };
    template.metadata.owner_references = Some(owners);
    Some(Child::kept("Template", &template))
}

fn first_service(owners: &[OwnerReference]) -> Option<&OwnerReference> {
    owners.iter().find(|owner| owner.kind == AimService::KIND)
}

/// The owners with this one among them, in the order in which they came. One of them at most is the controller.
fn with_owner(before: &[OwnerReference], parent: &Parent) -> Vec<OwnerReference> {
    let mut owners = before.to_vec();
    let is_own = |owner: &OwnerReference| owner.uid == parent.uid;
    let others_control = owners
        .iter()
        .any(|owner| !is_own(owner) && owner.controller == Some(true));
    let own = OwnerReference {
        controller: (!others_control).then_some(true),
        ..parent.reference()
    };
    match owners.iter_mut().find(|owner| is_own(owner)) {
        Some(place) => *place = own,
        None => owners.push(own),
    }
    owners
}

fn with_overrides(
    seen: &Seen<'_>,
    name: &str,
    base: &Template<'_>,
    before: Option<&AimServiceTemplateSpec>,
) -> AimServiceTemplate {
    let own = labels::labels([
        (labels::MANAGED_BY, "aim-engine"),
        (labels::ORIGIN, labels::DERIVED),
        ("model", &names::name_label(&base.spec.model_name)),
    ]);
    let mut spec = derived_template(base.spec, &seen.service.spec);
    if let Some(before) = before {
        // What the schema does not let anybody change stays as it was made.
        spec.model_name.clone_from(&before.model_name);
        spec.metric = before.metric.or(spec.metric);
        spec.precision = before.precision.or(spec.precision);
        spec.hardware = before.hardware.clone().or(spec.hardware);
    }
    AimServiceTemplate {
        metadata: seen
            .parent
            .part(name.to_owned(), Some(seen.namespace), &own, true),
        spec,
        status: None,
    }
}

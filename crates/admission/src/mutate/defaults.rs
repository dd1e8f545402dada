//! What the mutating policy fills in, in Rust: for the predicates and for those who write templates for somebody.

use serde_json::{Value, json};

use super::json::{object_at, put};
use super::{LISTS, METADATA, REPLACE, SELECTING};
use crate::entries::is_crowded;
use crate::kinds::kind_of;
use crate::names;
use crate::request::{Operation, Request, list, map, template_path, text};
use crate::view::{TOKEN_VOLUME, View, has_only_token_volume, has_stamp_shape};

/// Fills in what the mutating policy fills in, on the request's object: the same, in Rust.
///
/// Objects of other kinds, and requests that the match conditions leave out, come back as they are.
pub fn fill(request: &mut Request) {
    if is_crowded(request) {
        return;
    }
    if kind_of(&request.object).is_some() {
        return super::kinds::fill(request);
    }
    let kind = request.kind().to_owned();
    let Some(path) = template_path(&kind) else { return };
    let (filled, bound) = {
        let view = View::of(request);
        let bound = bound_to(&view);
        let wanted = match request.subresource.as_str() {
            "" => (view.changed || bound.is_some() || is_rewritten(&view)) && !(kind == "Pod" && view.update),
            "ephemeralcontainers" => true,
            _ => false,
        };
        if !request.in_project() || view.controller || !wanted || request.operation == Operation::Delete {
            return;
        }
        let idle = view.update
            && request.subresource.is_empty()
            && view.template == view.old_template
            && !(view.enforced && view.person);
        let filled = if idle {
            view.template.clone()
        } else {
            filled_template(&view)
        };
        (filled, bound)
    };
    if let Some(place) = request.object.pointer_mut(path) {
        *place = filled;
    }
    if let Some(user) = bound {
        bind(&mut request.object, &user);
    }
    if request.user.is_person() && request.operation == Operation::Create && kind == "Job" {
        release_manual_run(&mut request.object);
    }
}

/// Whether a person writes a template again that nobody's stamp is on.
fn is_rewritten(view: &View<'_>) -> bool {
    let (request, kind) = (view.request, view.request.kind());
    if !view.update || ["Job", "Pod"].contains(&kind) || request.user.extra(names::EXTRA_UID).is_empty() {
        return false;
    }
    let Some(old) = request.old_object.as_ref() else {
        return false;
    };
    let same = |at: &str| request.object.pointer(at) == old.pointer(at);
    let unchanged = same("/spec") && METADATA.iter().all(|field| same(&format!("/metadata/{field}")));
    let unstamped = view.stamp.is_empty() && view.old_stamp.is_empty();
    unstamped && (request.field_manager == REPLACE || applies_template(request) || unchanged)
}

/// Whether the request is a server-side apply that names the template.
fn applies_template(request: &Request) -> bool {
    let manager = request.field_manager.as_str();
    let template = |entry: &Value| {
        let fields = |at: &str| entry.pointer(&format!("/fieldsV1/f:spec/{at}")).is_some();
        fields("f:template") || fields("f:jobTemplate")
    };
    let entries = list(&request.object, "/metadata/managedFields");
    !manager.is_empty()
        && entries
            .iter()
            .any(|e| text(e, "/manager") == manager && text(e, "/operation") == "Apply" && template(e))
}

/// A Job made from a CronJob by hand is not controlled by it.
fn release_manual_run(job: &mut Value) {
    let owners = job
        .pointer_mut("/metadata/ownerReferences")
        .and_then(Value::as_array_mut);
    for owner in owners.into_iter().flatten() {
        let controls = owner.get("controller").and_then(Value::as_bool) == Some(true);
        if controls && owner.get("kind").and_then(Value::as_str) == Some("CronJob") {
            put(owner, "controller", json!(false));
        }
    }
}

/// Whose the selector is to be, where it does not say so yet.
fn bound_to(view: &View<'_>) -> Option<String> {
    let request = view.request;
    let at = selector_path(request.kind())?;
    let user = |object: &Value| map(object, at).get(names::USER).map(|user| (*user).to_owned());
    if user(&request.object).is_some() || request.object.pointer("/spec/selector").is_none() {
        return None;
    }
    let bound = match request.old_object.as_ref().filter(|_| view.update) {
        Some(old) => user(old),
        None => view.person.then(|| request.user.uid.clone()),
    }?;
    // A template that says somebody else is left as it is, for validation to name.
    let labels = view.template.pointer("/metadata/labels");
    let said = labels
        .and_then(|labels| labels.get(names::USER))
        .and_then(Value::as_str);
    said.is_none_or(|said| said == bound).then_some(bound)
}

/// Where the labels are that a controller selects by.
fn selector_path(kind: &str) -> Option<&'static str> {
    match kind {
        "ReplicationController" => Some("/spec/selector"),
        kind if SELECTING.contains(&kind) => Some("/spec/selector/matchLabels"),
        _ => None,
    }
}

/// Writes the person's id into selector and template labels.
fn bind(object: &mut Value, user: &str) {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    let of_pods = kind == "ReplicationController";
    let spec = object_at(object, "spec");
    let selector = object_at(spec, "selector");
    default(
        if of_pods {
            selector
        } else {
            object_at(selector, "matchLabels")
        },
        names::USER,
        json!(user),
    );
    let metadata = object_at(object_at(spec, "template"), "metadata");
    default(object_at(metadata, "labels"), names::USER, json!(user));
}

fn filled_template(view: &View<'_>) -> Value {
    let mut template = view.template.clone();
    let guarding = view.preventing || view.enforced;
    if view.request.subresource == "ephemeralcontainers" {
        let old = view.request.old_object.as_ref();
        let known: Vec<&Value> = old
            .and_then(|o| o.pointer("/spec/ephemeralContainers"))
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|c| c.get("name"))
            .collect();
        each_container(&mut template, "ephemeralContainers", |c| {
            if !c.get("name").is_some_and(|n| known.contains(&n)) {
                fill_container(c, guarding);
            }
        });
        return template;
    }
    let stamping = view.person
        && view.stamp != view.mine
        && view.own_or_none(view.stamp)
        && view.own_or_none(view.old_stamp);
    if stamping {
        let annotations = object_at(object_at(&mut template, "metadata"), "annotations");
        put(annotations, names::RUNS_AS, json!(view.mine));
    }
    let before: Vec<&str> = match (stamping, view.stamp) {
        (false, _) => Vec::new(),
        (true, "") => view.old_stamp.split('/').collect(),
        (true, former) => former.split('/').collect(),
    };
    let relayed =
        !view.person && view.enforced && !view.request.covers().is_empty() && has_stamp_shape(view.stamp);
    let filling = relayed || view.person && (view.enforced || (!view.update && !view.stamp.is_empty()));
    let context = object_at(object_at(&mut template, "spec"), "securityContext");
    if filling || stamping {
        fill_identity(context, view, filling, &before);
    }
    default(context, "runAsNonRoot", json!(true));
    if !view.is_windows() {
        default(context, "seccompProfile", json!({"type": "RuntimeDefault"}));
    }
    for list in LISTS.iter().filter(|_| !view.is_windows()) {
        each_container(&mut template, list, |c| fill_container(c, guarding));
    }
    fill_pod(&mut template, view.request.kind() == "Pod");
    super::passwd::fill(&mut template, view);
    template
}

/// The operating system, and that the pod has no ServiceAccount's token; `bare`: it may have got one already.
fn fill_pod(template: &mut Value, bare: bool) {
    let windows = |at: &Value| at.pointer("/securityContext/windowsOptions").is_some();
    let spec = object_at(template, "spec");
    let mut containers = LISTS
        .iter()
        .flat_map(|list| spec.get(list).and_then(Value::as_array).into_iter().flatten());
    if !windows(spec) && !containers.any(windows) {
        default(spec, "os", json!({"name": "linux"}));
    }
    if spec.get("automountServiceAccountToken").is_some() {
        return;
    }
    put(spec, "automountServiceAccountToken", json!(false));
    let bare = bare && has_only_token_volume(spec);
    let remove = |list: Option<&mut Value>| {
        if let Some(Value::Array(list)) = list {
            list.retain(|entry| {
                let name = entry.get("name").and_then(Value::as_str);
                !name.is_some_and(|name| name.starts_with(TOKEN_VOLUME))
            });
        }
    };
    if bare {
        remove(spec.get_mut("volumes"));
        for list in LISTS {
            each_container(template, list, |c| remove(c.get_mut("volumeMounts")));
        }
    }
}

/// What is absent only when `filling`; what is that of the stamp before, always.
fn fill_identity(context: &mut Value, view: &View<'_>, filling: bool, before: &[&str]) {
    let stamp: Vec<&str> = if view.person { &view.mine } else { view.stamp }
        .split('/')
        .collect();
    let ([_, uid, gid, groups], before) = (stamp.as_slice(), <[&str; 4]>::try_from(before).ok()) else {
        return;
    };
    let number = |text: &str| json!(text.parse::<i64>().unwrap_or_default());
    let current = |context: &Value, field: &str| {
        context
            .get(field)
            .map(|value| value.as_i64().map(|n| n.to_string()).unwrap_or_default())
    };
    for (field, mine, part) in [("runAsUser", uid, 1), ("runAsGroup", gid, 2)] {
        let old = before.and_then(|b| b.get(part).copied());
        let refresh = match current(context, field) {
            Some(value) => old == Some(&*value),
            None => filling,
        };
        if refresh {
            put(context, field, number(mine));
        }
    }
    let numbers: Vec<Value> = groups.split('.').filter(|g| !g.is_empty()).map(number).collect();
    // The API server leaves an empty list out before any policy sees it.
    let listed = context
        .get("supplementalGroups")
        .and_then(Value::as_array)
        .filter(|list| !list.is_empty());
    let refresh = match listed.map(|l| l.iter().map(Value::to_string).collect::<Vec<_>>().join(".")) {
        Some(text) => before.is_some_and(|b| b[3] == text),
        None => filling && !numbers.is_empty(),
    };
    if refresh {
        put(context, "supplementalGroups", Value::Array(numbers));
    }
    let hers = |group: &str| groups.split('.').any(|g| g == group);
    if current(context, "fsGroup").is_some_and(|group| before.is_some_and(|b| b[2] == group) && !hers(&group))
    {
        put(context, "fsGroup", number(gid));
    }
    if filling {
        default(context, "supplementalGroupsPolicy", json!("Strict"));
    }
}

fn fill_container(container: &mut Value, guarding: bool) {
    let context = object_at(container, "securityContext");
    if guarding && context.get("privileged").and_then(Value::as_bool) != Some(true) {
        default(context, "allowPrivilegeEscalation", json!(false));
    }
    default(object_at(context, "capabilities"), "drop", json!(["ALL"]));
}

fn each_container(template: &mut Value, list: &str, change: impl FnMut(&mut Value)) {
    let containers = template
        .pointer_mut(&format!("/spec/{list}"))
        .and_then(Value::as_array_mut);
    containers.into_iter().flatten().for_each(change);
}

fn default(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = object {
        map.entry(key).or_insert(value);
    }
}

/// Fills a pod template for an identity: stamp, security contexts of pod and containers. For tests, which need pods that are as
/// they should be without asking an API server.
#[cfg(feature = "testing")]
pub fn fill_for(template: &mut Value, stamp: &crate::Stamp, prevent_privilege_escalation: bool) {
    let posix = &stamp.identity().posix;
    put(
        object_at(object_at(template, "metadata"), "annotations"),
        names::RUNS_AS,
        json!(stamp.to_string()),
    );
    let context = object_at(object_at(template, "spec"), "securityContext");
    default(context, "runAsUser", json!(posix.uid()));
    default(context, "runAsGroup", json!(posix.gid()));
    if !posix.supplementary_groups().is_empty() {
        default(context, "supplementalGroups", json!(posix.supplementary_groups()));
    }
    default(context, "supplementalGroupsPolicy", json!("Strict"));
    fill_shape(template, prevent_privilege_escalation);
}

/// Fills what every pod needs, whoever it runs as: `runAsNonRoot`, seccomp, dropped capabilities, no escalation.
/// For tests.
#[cfg(feature = "testing")]
pub fn fill_shape(template: &mut Value, prevent_privilege_escalation: bool) {
    let context = object_at(object_at(template, "spec"), "securityContext");
    default(context, "runAsNonRoot", json!(true));
    default(context, "seccompProfile", json!({"type": "RuntimeDefault"}));
    for list in LISTS {
        each_container(template, list, |c| {
            fill_container(c, prevent_privilege_escalation)
        });
    }
    fill_pod(template, false);
}

//! What is filled in where a manifest says nothing: one JSONPatch expression, and the same in Rust.
//!
//! Only what is absent is filled in; a wrong value stays, so that validation can name it. The one exception is her own
//! older identity: when a person changes her template after her numbers changed, values that are exactly those of the
//! old stamp are brought up to date with the stamp.
//!
//! Of identity (stamp, `runAsUser`, `runAsGroup`, `supplementalGroups`, `supplementalGroupsPolicy`) nothing is filled
//! in for somebody without one. Where `enforceRunAsUser` is off the stamp alone is filled in, the rest only if a new
//! object asks for it by carrying the stamp already. `runAsNonRoot`, seccomp and dropped capabilities are filled in
//! for everybody but controllers, which only copy; `allowPrivilegeEscalation: false` unless its switch is off.

use serde_json::{Map, Value, json};

use crate::names;
use crate::request::{Operation, Request, template_path};
use crate::view::{View, stamp_of};

/// The lists of containers that a template has; ephemeral ones come by a subresource.
const LISTS: [&str; 2] = ["containers", "initContainers"];

/// The match conditions: who and what is not even looked at further. Each is `(name, CEL)`.
pub(crate) fn match_conditions() -> Vec<(&'static str, String)> {
    let changed = "request.operation == 'CREATE' || (has(request.subResource) && \
         request.subResource == 'ephemeralcontainers') || (object.kind == 'Pod' ? false : object.kind == 'CronJob' ? \
         object.spec.jobTemplate.spec.template != oldObject.spec.jobTemplate.spec.template : \
         object.spec.template != oldObject.spec.template)";
    let writer = format!(
        "!(request.userInfo.?username.orValue('') in {}) || (has(request.userInfo.extra) && '{}' in \
         request.userInfo.extra)",
        crate::view::cel_list(&names::CONTROLLERS),
        names::EXTRA_POD_NAME
    );
    vec![
        ("not-a-controller", writer),
        ("changed", changed.to_owned()),
        ("something-missing", missing()),
    ]
}

/// An expression that lets objects pass by that need nothing (a match condition sees no variables, and a list of one
/// stands in for a name).
fn missing() -> String {
    let (uid, gid, groups) = (names::EXTRA_UID, names::EXTRA_GID, names::EXTRA_GROUPS);
    let bare = "!has(c.securityContext) || !has(c.securityContext.allowPrivilegeEscalation) || \
                !has(c.securityContext.capabilities) || !has(c.securityContext.capabilities.drop)";
    let stamp = format!(
        "request.userInfo.?uid.orValue('') + '/' + x['{uid}'][0] + '/' + x[?'{gid}'][?0].orValue('') + '/' + \
         x[?'{groups}'].orValue([]).join('.')"
    );
    format!(
        "(has(request.subResource) && request.subResource == 'ephemeralcontainers') ? \
         object.spec.?ephemeralContainers.orValue([]).exists(c, {bare}) : \
         [object.kind == 'Pod' ? dyn(object) : object.kind == 'CronJob' ? dyn(object.spec.jobTemplate.spec.template) : \
         dyn(object.spec.template)].exists(t, \
         !has(t.spec.securityContext) || !has(t.spec.securityContext.runAsNonRoot) || \
         !has(t.spec.securityContext.seccompProfile) || t.spec.containers.exists(c, {bare}) || \
         t.spec.?initContainers.orValue(dyn([])).exists(c, {bare}) || \
         (has(request.userInfo.extra) && '{uid}' in request.userInfo.extra && [request.userInfo.extra].exists(x, \
         t.metadata.?annotations['{stamp_key}'].orValue('') != {stamp} || !has(t.spec.securityContext.runAsUser) || \
         !has(t.spec.securityContext.runAsGroup) || !has(t.spec.securityContext.supplementalGroupsPolicy) || \
         ('{groups}' in x && !has(t.spec.securityContext.supplementalGroups)))))",
        stamp_key = names::RUNS_AS,
    )
}

/// Variables beside those of the requester and the template.
pub(crate) fn variables() -> Vec<crate::view::Variable> {
    let mut all = crate::view::requester_variables();
    all.extend(crate::view::template_variables());
    all.extend([
        ("ephemeral", "variables.subresource == 'ephemeralcontainers'".to_owned()),
        (
            "at",
            "object.kind == 'Pod' ? '' : object.kind == 'CronJob' ? '/spec/jobTemplate/spec/template' : \
             '/spec/template'"
                .to_owned(),
        ),
        ("context", "variables.pod.?securityContext.orValue(dyn({}))".to_owned()),
        ("contextAt", "variables.at + '/spec/securityContext'".to_owned()),
        // Hers, or nobody's yet; and the annotation is absent or only carried over from the old object.
        (
            "stamping",
            "variables.person && !variables.ephemeral && variables.stamp != variables.mine && \
             (variables.stamp == '' || (variables.update && variables.stamp == variables.oldStamp)) && \
             (variables.oldStamp == '' || variables.oldStamp.startsWith(variables.userId + '/'))"
                .to_owned(),
        ),
        (
            "filling",
            "variables.person && !variables.ephemeral && (variables.enforced || \
             (!variables.update && variables.stamp != ''))"
                .to_owned(),
        ),
        // The parts of her own older stamp, while it is being replaced.
        (
            "before",
            "variables.stamping && variables.oldStamp.split('/').size() == 4 ? variables.oldStamp.split('/') : \
             ['', 'none', 'none', 'none']"
                .to_owned(),
        ),
        (
            "containerDefaults",
            "variables.preventing ? dyn({'allowPrivilegeEscalation': dyn(false), 'capabilities': dyn({'drop': \
             ['ALL']})}) : dyn({'capabilities': dyn({'drop': ['ALL']})})"
                .to_owned(),
        ),
        ("newContainers", new_ephemeral()),
    ]);
    all
}

fn new_ephemeral() -> String {
    "variables.ephemeral && has(oldObject.spec.ephemeralContainers) ? \
     oldObject.spec.ephemeralContainers.map(c, c.name) : []"
        .to_owned()
}

/// The one expression.
pub(crate) fn expression() -> String {
    let set = |field: &str, when: &str, value: &str| {
        format!(
            "({when} ? [JSONPatch{{op: 'add', path: variables.contextAt + '/{field}', value: {value}}}] : [])"
        )
    };
    let absent = |field: &str| format!("!has(variables.context.{field})");
    let number = |field: &str, part: usize, key: &str| {
        let when = format!(
            "(variables.filling && (!has(variables.context.{field}) || \
             string(variables.context.{field}) == variables.before[{part}]))"
        );
        set(field, &when, &format!("int(variables.extra['{key}'][0])"))
    };
    let groups = "(variables.filling && ((!has(variables.context.supplementalGroups) && variables.groups.size() > 0) || \
         (has(variables.context.supplementalGroups) && variables.context.supplementalGroups.map(g, string(g))\
         .join('.') == variables.before[3])))";
    // As few operations as will do: each costs. A bare manifest needs one for the stamp and one for the context.
    let key = names::RUNS_AS;
    let stamp = format!(
        "(variables.stamping ? (has(variables.template.metadata) ? [] : [JSONPatch{{op: 'add', path: variables.at + \
         '/metadata', value: {{}}}}]) + (has(variables.template.metadata) && \
         has(variables.template.metadata.annotations) ? [JSONPatch{{op: 'add', path: variables.at + \
         '/metadata/annotations/{}', value: variables.mine}}] : [JSONPatch{{op: 'add', path: variables.at + \
         '/metadata/annotations', value: dyn({{'{key}': variables.mine}})}}]) : [])",
        key.replace('/', "~1")
    );
    let shape = "'runAsNonRoot': dyn(true), 'seccompProfile': dyn({'type': 'RuntimeDefault'})";
    let whole = format!(
        "variables.context.size() == 0 ? [JSONPatch{{op: 'add', path: variables.contextAt, value: variables.filling ? \
         dyn({{'runAsUser': dyn(int(variables.extra['{}'][0])), 'runAsGroup': dyn(int(variables.extra['{}'][0])), \
         'supplementalGroups': dyn(variables.groups.map(g, int(g))), 'supplementalGroupsPolicy': dyn('Strict'), \
         {shape}}}) : dyn({{{shape}}})}}]",
        names::EXTRA_UID,
        names::EXTRA_GID
    );
    let fields = [
        number("runAsUser", 1, names::EXTRA_UID),
        number("runAsGroup", 2, names::EXTRA_GID),
        set("supplementalGroups", groups, "variables.groups.map(g, int(g))"),
        set(
            "supplementalGroupsPolicy",
            &format!("(variables.filling && {})", absent("supplementalGroupsPolicy")),
            "'Strict'",
        ),
        set("runAsNonRoot", &absent("runAsNonRoot"), "true"),
        set(
            "seccompProfile",
            &absent("seccompProfile"),
            "{'type': 'RuntimeDefault'}",
        ),
    ];
    let context = format!("({whole} : {})", fields.join(" + "));
    let lists = LISTS.map(|list| {
        containers(
            &format!("variables.pod.?{list}.orValue(dyn([]))"),
            list,
            "variables.at + '/spec/",
            "true",
        )
    });
    let ephemeral = containers(
        "variables.pod.?ephemeralContainers.orValue(dyn([]))",
        "ephemeralContainers",
        "'/spec/",
        "!(c.name in variables.newContainers)",
    );
    format!(
        "variables.ephemeral ? {ephemeral} : {stamp} + {context} + {}",
        lists.join(" + ")
    )
}

/// The four patches that a container may need.
fn containers(list: &str, name: &str, at: &str, which: &str) -> String {
    let patch = |when: &str, field: &str, value: &str| {
        format!(
            "{list}.transformList(i, c, {which} && {when}, JSONPatch{{op: 'add', path: {at}{name}/' + string(i) + \
             '/securityContext{field}', value: {value}}})"
        )
    };
    [
        patch("!has(c.securityContext)", "", "variables.containerDefaults"),
        patch(
            "variables.preventing && has(c.securityContext) && !has(c.securityContext.allowPrivilegeEscalation) && \
             !c.securityContext.?privileged.orValue(false)",
            "/allowPrivilegeEscalation",
            "false",
        ),
        patch("has(c.securityContext) && !has(c.securityContext.capabilities)", "/capabilities", "{'drop': ['ALL']}"),
        patch(
            "has(c.securityContext) && has(c.securityContext.capabilities) && !has(c.securityContext.capabilities.drop)",
            "/capabilities/drop",
            "['ALL']",
        ),
    ]
    .join(" + ")
}

/// Fills in what the mutating policy fills in, on the request's object: the same, in Rust.
///
/// Objects of other kinds, and requests that the match conditions leave out, come back as they are.
pub fn fill(request: &mut Request) {
    let kind = request.kind().to_owned();
    let Some(path) = template_path(&kind) else { return };
    let filled = {
        let view = View::of(request);
        let wanted = match request.subresource.as_str() {
            "" => view.changed && !(kind == "Pod" && view.update),
            "ephemeralcontainers" => true,
            _ => false,
        };
        if !request.in_project() || view.controller || !wanted || request.operation == Operation::Delete {
            return;
        }
        filled_template(&view)
    };
    if let Some(place) = request.object.pointer_mut(path) {
        *place = filled;
    }
}

fn filled_template(view: &View<'_>) -> Value {
    let mut template = view.template.clone();
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
                fill_container(c, view.preventing);
            }
        });
        return template;
    }
    let carried = view.stamp.is_empty() || (view.update && view.stamp == view.old_stamp);
    let stamping = view.person && view.stamp != view.mine && carried && view.owned();
    if stamping {
        let annotations = object_at(object_at(&mut template, "metadata"), "annotations");
        put(annotations, names::RUNS_AS, json!(view.mine));
    }
    let before: Vec<&str> = if stamping {
        view.old_stamp.split('/').collect()
    } else {
        Vec::new()
    };
    let filling = view.person && (view.enforced || (!view.update && !view.stamp.is_empty()));
    let context = object_at(object_at(&mut template, "spec"), "securityContext");
    if filling {
        fill_identity(context, view, &before);
    }
    default(context, "runAsNonRoot", json!(true));
    default(context, "seccompProfile", json!({"type": "RuntimeDefault"}));
    for list in LISTS {
        each_container(&mut template, list, |c| fill_container(c, view.preventing));
    }
    template
}

fn fill_identity(context: &mut Value, view: &View<'_>, before: &[&str]) {
    let stamp: Vec<&str> = view.mine.split('/').collect();
    let ([_, uid, gid, groups], before) = (stamp.as_slice(), <[&str; 4]>::try_from(before).ok()) else {
        return;
    };
    let number = |text: &str| json!(text.parse::<i64>().unwrap_or_default());
    for (field, mine, old) in [
        ("runAsUser", uid, before.map(|b| b[1])),
        ("runAsGroup", gid, before.map(|b| b[2])),
    ] {
        let current = context.get(field).and_then(Value::as_i64).map(|n| n.to_string());
        if context.get(field).is_none() || (old.is_some() && current.as_deref() == old) {
            put(context, field, number(mine));
        }
    }
    let numbers: Vec<Value> = groups.split('.').filter(|g| !g.is_empty()).map(number).collect();
    // The API server leaves an empty list out before any policy sees it.
    let current = context
        .get("supplementalGroups")
        .and_then(Value::as_array)
        .filter(|list| !list.is_empty());
    let joined = current.map(|l| l.iter().map(Value::to_string).collect::<Vec<_>>().join("."));
    let refresh = match &joined {
        None => !numbers.is_empty(),
        Some(text) => before.is_some_and(|b| b[3] == text),
    };
    if refresh {
        put(context, "supplementalGroups", Value::Array(numbers));
    }
    default(context, "supplementalGroupsPolicy", json!("Strict"));
}

fn fill_container(container: &mut Value, preventing: bool) {
    let context = object_at(container, "securityContext");
    if preventing && context.get("privileged").and_then(Value::as_bool) != Some(true) {
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

/// The object at a key, made when it is absent.
fn object_at<'a>(value: &'a mut Value, key: &str) -> &'a mut Value {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map.entry(key).or_insert_with(|| Value::Object(Map::new())),
        other => other,
    }
}

fn put(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = object {
        map.insert(key.to_owned(), value);
    }
}

fn default(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = object {
        map.entry(key).or_insert(value);
    }
}

/// Fills a pod template for an identity the server verified: stamp, security contexts of pod and containers. For the
/// workload a person submits with her identity, so that the Job needs nothing filled in.
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
pub fn fill_shape(template: &mut Value, prevent_privilege_escalation: bool) {
    let context = object_at(object_at(template, "spec"), "securityContext");
    default(context, "runAsNonRoot", json!(true));
    default(context, "seccompProfile", json!({"type": "RuntimeDefault"}));
    for list in LISTS {
        each_container(template, list, |c| {
            fill_container(c, prevent_privilege_escalation)
        });
    }
}

/// The stamp of an object's template, when it has one.
pub fn stamp_in(object: &Value) -> Option<&str> {
    let template = object.pointer(template_path(object.get("kind")?.as_str()?)?)?;
    Some(stamp_of(template)).filter(|s| !s.is_empty())
}

//! Templates in kinds of others, and the controllers that make pods of them (R31, R32, R33).
//!
//! A controller that is listed is trusted to copy templates: what it makes bears the stamp of one that a person wrote. So nobody
//! else may say what is in a template of hers, in what the controller goes by beside it, or in what it takes from elsewhere.

use constcat::concat;
use reeve_types::TemplateKind;
use serde_json::Value;

use super::{Check, Named, Policy, Rule};
use crate::kinds::{Place, is_changed, is_whole, kind_of, places, stamps};
use crate::names;
use crate::request::{Operation, Request, list, map, text};
use crate::view::{NO_PERSON, STAMP, View, has_stamp_form, is_owned};

/// What the policy of these kinds calls its variables, in Rust.
struct KindView<'a> {
    request: &'a Request,
    update: bool,
    changed: bool,
    person: bool,
    relaying: bool,
    enforced: bool,
    /// The stamps of the templates, empty where there is none.
    stamps: Vec<&'a str>,
    old_stamps: Vec<&'a str>,
    places: Vec<Place>,
}

fn stamp_at<'a>(object: &'a Value, place: &Place) -> &'a str {
    object
        .pointer(&format!("{}/annotations", place.metadata))
        .and_then(|annotations| annotations.get(names::RUNS_AS))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn user(stamp: &str) -> &str {
    stamp.split('/').next().unwrap_or_default()
}

impl<'a> KindView<'a> {
    fn of(request: &'a Request) -> Self {
        let update = request.operation == Operation::Update;
        let old = request.old_object.as_ref().filter(|_| update);
        let (new_stamps, old_stamps) = (stamps(&request.object), old.map(stamps).unwrap_or_default());
        let covers = request.covers();
        let same_user = match (first(&new_stamps), first(&old_stamps)) {
            (_, "") => true,
            (new, old) => new.contains('/') && user(new) == user(old),
        };
        let owned = is_owned(&request.object, &covers) && old.is_none_or(|old| is_owned(old, &covers));
        // What has no pod of its own its operator makes for several owners, or none.
        let whole = is_whole(&request.object) && covers.contains(&request.kind());
        let relaying = request.subresource.is_empty() && (owned || whole) && same_user;
        Self {
            request,
            update,
            changed: is_changed(request),
            person: request.user.is_person(),
            relaying,
            enforced: request.enforces(names::ENFORCE_RUN_AS_USER),
            stamps: new_stamps,
            old_stamps,
            places: places(&request.object),
        }
    }

    /// Whether every template that was there is the requester's, or nobody's.
    fn owned(&self) -> bool {
        let own = |stamp: &&str| stamp.is_empty() || (self.person && user(stamp) == self.request.user.uid);
        self.old_stamps.iter().all(own)
    }

    /// Whether whoever asks is the controller that is listed for this kind.
    fn driving(&self) -> bool {
        self.request.covers().contains(&self.request.kind())
    }

    /// Whether it is the system, or looks after the cluster.
    fn keeps(&self) -> bool {
        let user = &self.request.user;
        let account = user
            .username
            .strip_prefix(names::SERVICE_ACCOUNT_PREFIX)
            .is_some_and(|rest| !rest.starts_with("kube-system:"));
        let system = user.username.starts_with("system:") && !account;
        system || user.in_group(names::MASTERS) || user.is_installer()
    }
}

/// The first stamp that is there, empty when there is none.
fn first<'a>(stamps: &[&'a str]) -> &'a str {
    stamps
        .iter()
        .find(|stamp| !stamp.is_empty())
        .copied()
        .unwrap_or_default()
}

fn number(value: Option<&Value>) -> Option<String> {
    value.map(|value| value.as_i64().unwrap_or(-1).to_string())
}

/// Whether what a template says of users and groups is what its stamp says; what it does not say is filled in later.
fn numbers_agree(object: &Value, place: &Place) -> bool {
    let parts: Vec<&str> = stamp_at(object, place).split('/').collect();
    let ([_, uid, gid, groups], Some(spec)) = (parts.as_slice(), object.pointer(&place.spec)) else {
        return false;
    };
    let is = |value: Option<&Value>, wanted: &str| number(value).is_none_or(|given| given == wanted);
    let context = spec.get("securityContext").unwrap_or(&Value::Null);
    let given = list(context, "/supplementalGroups");
    let joined: Vec<String> = given.iter().filter_map(|one| number(Some(one))).collect();
    let fs_group = number(context.get("fsGroup"));
    let hers = |group: &String| group == gid || groups.split('.').any(|one| one == group);
    let container = |container: &Value| {
        let context = container.get("securityContext").unwrap_or(&Value::Null);
        is(context.get("runAsUser"), uid)
            && is(context.get("runAsGroup"), gid)
            && context.get("windowsOptions").is_none()
    };
    is(context.get("runAsUser"), uid)
        && is(context.get("runAsGroup"), gid)
        && (given.is_empty() || joined.join(".") == *groups)
        && ["", "Strict"].contains(&text(context, "/supplementalGroupsPolicy"))
        && fs_group.as_ref().is_none_or(hers)
        && context.get("windowsOptions").is_none()
        && ["/containers", "/initContainers"]
            .iter()
            .flat_map(|at| list(spec, at))
            .all(container)
}

/// Labels and annotations under our prefix, of a map of metadata.
fn ours<'a>(object: &'a Value, at: &str) -> Vec<(&'a str, &'a str)> {
    let all = map(object, at);
    all.into_iter()
        .filter(|(key, _)| key.starts_with(names::PREFIX))
        .collect()
}

fn metadata_is_ours_to_write(request: &Request) -> bool {
    let old = request
        .old_object
        .as_ref()
        .filter(|_| request.operation == Operation::Update);
    // Whose stamp this is, is asked where it changes.
    let stamped = is_whole(&request.object) && request.subresource.is_empty();
    let is_stamp = |at: &str, key: &str| stamped && at == "/metadata/annotations" && key == names::RUNS_AS;
    let kept = ["/metadata/annotations", "/metadata/labels"].iter().all(|at| {
        let before = old.map(|old| ours(old, at)).unwrap_or_default();
        ours(&request.object, at)
            .iter()
            .all(|entry| is_stamp(at, entry.0) || before.contains(entry))
    });
    let bare = |place: &Place| ours(&request.object, &format!("{}/labels", place.metadata)).is_empty();
    kept && places(&request.object).iter().all(bare)
}

fn foreign_metadata_kept(v: &KindView<'_>) -> bool {
    let Some(old) = v.request.old_object.as_ref() else {
        return true;
    };
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    };
    ["annotations", "labels", "finalizers", "ownerReferences"]
        .iter()
        .all(|field| {
            let at = format!("/metadata/{field}");
            let of = |object: &Value| object.pointer(&at).filter(|value| !empty(value)).cloned();
            of(&v.request.object) == of(old)
        })
}

fn is_mutator(request: &Request) -> bool {
    View::of(request).is_mutator()
}

/// What a status says; nothing where every field is null.
fn status(object: &Value) -> Option<&Value> {
    let status = object.get("status")?;
    let fields = status.as_object()?;
    fields.values().any(|value| !value.is_null()).then_some(status)
}

pub(super) static CHECKS: [Check; 11] = [
    Check {
        id: "kind-listed",
        policy: Policy::TemplateKinds,
        rule: Rule(31),
        problem: "no controller is listed here for this kind, so that nothing could make pods of it",
        named: Named::unless(
            "variables.listed",
            "'no controller is listed here for ' + object.kind + ', so that nothing could make pods of it'",
        ),
        remedy: concat!(
            "ask a member of the group ",
            names::INSTALLERS,
            " to list its controller in spec.trustedControllers of ReeveConfig, or use a Job or a Deployment"
        ),
        cel: "!variables.changed || !variables.enforced || variables.listed",
        predicate: |r| {
            let v = KindView::of(r);
            !v.changed || !v.enforced || r.is_covered(r.kind())
        },
    },
    Check {
        id: "kind-status",
        policy: Policy::TemplateKinds,
        rule: Rule(31),
        problem: "controllers go by the status of what they look after, and only the listed one writes it",
        named: None,
        remedy: "leave status to the controller",
        cel: "!variables.listed || variables.driving || variables.keeper || variables.status == variables.oldStatus",
        predicate: |r| {
            let v = KindView::of(r);
            let old = r.old_object.as_ref().filter(|_| v.update);
            !r.is_covered(r.kind()) || v.driving() || v.keeps() || status(&r.object) == old.and_then(status)
        },
    },
    Check {
        id: "kind-person",
        policy: Policy::TemplateKinds,
        rule: Rule(32),
        problem: "this user has no verified uid and gid, and this project runs containers as people",
        named: None,
        remedy: concat!(
            "a person with uid and gid writes this; a controller that makes it of a template of its own is listed by ",
            names::INSTALLERS,
            " in spec.trustedControllers of ReeveConfig for the kind that owns this"
        ),
        cel: "!variables.changed || !variables.enforced || variables.person || variables.relaying",
        predicate: |r| {
            let v = KindView::of(r);
            !v.changed || !v.enforced || v.person || v.relaying
        },
    },
    Check {
        id: "kind-owner",
        policy: Policy::TemplateKinds,
        rule: Rule(32),
        problem: "this runs as somebody else, and only that person may change what runs in it",
        named: None,
        remedy: "ask that person, or make one of your own under another name; suspend, and of a RayCluster the number of \
                 workers, anybody may change",
        cel: "!variables.changed || variables.own || variables.relaying",
        predicate: |r| {
            let v = KindView::of(r);
            !v.changed || v.owned() || v.relaying
        },
    },
    Check {
        id: "kind-stamp",
        policy: Policy::TemplateKinds,
        rule: Rule(32),
        problem: concat!(
            "the annotation ",
            names::RUNS_AS,
            " of a template is not the stamp of the one who asks"
        ),
        named: None,
        remedy: "remove the annotation, it is filled in for you",
        cel: "!variables.changed || variables.relaying || variables.stamps.all(s, s == variables.mine)",
        predicate: |r| {
            let v = KindView::of(r);
            let mine = r.user.stamp();
            !v.changed || v.relaying || v.stamps.iter().all(|stamp| *stamp == mine)
        },
    },
    Check {
        id: "kind-relayed",
        policy: Policy::TemplateKinds,
        rule: Rule(31),
        problem: "a listed controller copies the templates of one person",
        named: None,
        remedy: "let that person write the object again that owns this, so that each of its templates gets her stamp",
        cel: concat!(
            "!variables.changed || !variables.relaying || (variables.stamps.all(s, s == variables.stamps[0]) && \
              (!variables.enforced || (variables.stamps.size() > 0 && variables.stamps[0].matches('",
            STAMP,
            "') && !variables.stamps[0].matches('",
            NO_PERSON,
            "'))))"
        ),
        predicate: |r| {
            let v = KindView::of(r);
            let stamp = v.stamps.first().copied().unwrap_or_default();
            !v.changed
                || !v.relaying
                || (v.stamps.iter().all(|one| *one == stamp) && (!v.enforced || has_stamp_form(stamp)))
        },
    },
    Check {
        id: "kind-numbers",
        policy: Policy::TemplateKinds,
        rule: Rule(32),
        problem: "a securityContext in a template names users or groups that are not those of its stamp",
        named: None,
        remedy: "remove runAsUser, runAsGroup, supplementalGroups, supplementalGroupsPolicy, fsGroup and windowsOptions from \
                 the templates and their containers, your own are filled in",
        cel: "!variables.changed || !variables.enforced || variables.templates.all(x, [x.t.?metadata.?annotations\
              .orValue(dyn({}))[?variables.key].orValue('').split('/')].all(p, p.size() == 4 && \
              [x.t.?spec.?securityContext.orValue(dyn({}))].all(c, \
              string(c.?runAsUser.orValue(p[1])) == p[1] && string(c.?runAsGroup.orValue(p[2])) == p[2] && \
              (c.?supplementalGroups.orValue(dyn([])).size() == 0 || c.supplementalGroups.map(g, string(g)).join('.') == p[3]) && \
              c.?supplementalGroupsPolicy.orValue('Strict') == 'Strict' && !has(c.windowsOptions) && \
              (!has(c.fsGroup) || string(c.fsGroup) in [p[2]] + p[3].split('.'))) && \
              (x.t.?spec.?containers.orValue(dyn([])) + x.t.?spec.?initContainers.orValue(dyn([]))).all(k, \
              [k.?securityContext.orValue(dyn({}))].all(c, string(c.?runAsUser.orValue(p[1])) == p[1] && \
              string(c.?runAsGroup.orValue(p[2])) == p[2] && !has(c.windowsOptions)))))",
        predicate: |r| {
            let v = KindView::of(r);
            !v.changed || !v.enforced || v.places.iter().all(|place| numbers_agree(&r.object, place))
        },
    },
    Check {
        id: "kind-marks",
        policy: Policy::TemplateKinds,
        rule: Rule(32),
        problem: concat!(
            "labels and annotations under ",
            names::PREFIX,
            " say whose something is, and controllers of others copy them"
        ),
        named: None,
        remedy: concat!(
            "remove what begins with ",
            names::PREFIX,
            " from the metadata of the object and from the labels of its templates"
        ),
        cel: concat!(
            "[dyn(object.metadata.?annotations.orValue({})), dyn(object.metadata.?labels.orValue({}))].all(i, m, m.all(k, \
             !k.startsWith('",
            names::PREFIX,
            "') || (i == 0 && variables.whole && variables.subresource == '' && k == variables.key) || \
             (k in variables.oldMaps[i] && variables.oldMaps[i][k] == m[k]))) && variables.templates.all(x, \
             x.t.?metadata.?labels.orValue(dyn({})).all(k, !k.startsWith('",
            names::PREFIX,
            "')))"
        ),
        predicate: metadata_is_ours_to_write,
    },
    Check {
        id: "kind-foreign-metadata",
        policy: Policy::TemplateKinds,
        rule: Rule(32),
        problem: "this runs as somebody else, and its controller acts on its labels, annotations, finalizers and owners",
        named: None,
        remedy: "leave them as they are, or ask the person whose it is",
        cel: "!variables.update || variables.own || variables.driving || variables.relaying || variables.keeper || \
              variables.fields.size() > 0 || (variables.owners == variables.oldOwners && \
              object.metadata.?finalizers.orValue([]) == oldObject.metadata.?finalizers.orValue([]) && \
              dyn(object.metadata.?labels.orValue({})) == variables.oldMaps[1] && \
              dyn(object.metadata.?annotations.orValue({})) == variables.oldMaps[0])",
        predicate: |r| {
            let v = KindView::of(r);
            !v.update
                || v.owned()
                || v.driving()
                || v.relaying
                || v.keeps()
                || is_mutator(r)
                || foreign_metadata_kept(&v)
        },
    },
    Check {
        id: "ray-foreign-cluster",
        policy: Policy::TemplateKinds,
        rule: Rule(33),
        problem: "clusterSelector makes KubeRay submit to a RayCluster that somebody else may have made, whose pods run as \
                  that person",
        named: None,
        remedy: "remove clusterSelector and write rayClusterSpec, so that the RayJob has a cluster of its own",
        cel: "!variables.changed || object.kind != 'RayJob' || (has(object.spec.rayClusterSpec) && \
              dyn(object.spec).?clusterSelector.orValue(dyn({})).size() == 0)",
        predicate: |r| {
            let selector = map(&r.object, "/spec/clusterSelector");
            !is_changed(r)
                || kind_of(&r.object) != Some(TemplateKind::RayJob)
                || (r.object.pointer("/spec/rayClusterSpec").is_some() && selector.is_empty())
        },
    },
    Check {
        id: "kserve-foreign-runtime",
        policy: Policy::TemplateKinds,
        rule: Rule(33),
        problem: "KServe would run containers that are not in the predictor, which somebody else may have written, as the person \
                 of this InferenceService",
        named: None,
        remedy: "write spec.predictor.containers and nothing beside it: no model of a ServingRuntime or framework, no workerSpec, \
                 transformer, explainer or canary",
        cel: concat!(
            "!variables.changed || object.kind != 'InferenceService' || [dyn(object).?spec.orValue(dyn({}))].exists(s, \
             s.all(k, k == 'predictor') && s.?predictor.?containers.orValue(dyn([])).size() > 0 && \
             !s.predictor.exists(k, k in ",
            RUNTIMES,
            "))"
        ),
        predicate: |r| {
            !is_changed(r)
                || kind_of(&r.object) != Some(TemplateKind::InferenceService)
                || is_custom(&r.object)
        },
    },
];

/// What of a predictor makes KServe take containers from elsewhere than the predictor: from a ServingRuntime, or its own settings. As
/// a list of CEL.
const RUNTIMES: &str = "['huggingface', 'lightgbm', 'model', 'onnx', 'paddle', 'pmml', 'pytorch', 'sklearn', 'tensorflow', 'triton', \
                        'workerSpec', 'xgboost']";

/// Whether KServe makes of an InferenceService what its predictor says, and nothing else.
fn is_custom(object: &Value) -> bool {
    let parts = map_keys(object, "/spec");
    let predictor = map_keys(object, "/spec/predictor");
    parts.iter().all(|part| *part == "predictor")
        && !list(object, "/spec/predictor/containers").is_empty()
        && !predictor
            .iter()
            .any(|field| RUNTIMES.contains(&format!("'{field}'")))
}

fn map_keys<'a>(object: &'a Value, at: &str) -> Vec<&'a str> {
    let fields = object.pointer(at).and_then(Value::as_object);
    fields
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .collect()
}

/// Where a namespace is no project's, and may become one.
pub(super) static OUTSIDE_CHECKS: [Check; 1] = [Check {
    id: "planted-template",
    policy: Policy::TemplateKindsOutside,
    rule: Rule(17),
    problem: concat!(
        "the annotation ",
        names::RUNS_AS,
        " of a template counts in projects only, and this namespace is none"
    ),
    named: None,
    remedy: "remove it from the templates of the object",
    cel: concat!(
        "request.operation == 'UPDATE' && dyn(object).?spec == dyn(oldObject).?spec && \
         dyn(object).?metadata.?annotations[?'",
        names::RUNS_AS,
        "'].orValue('') == dyn(oldObject).?metadata.?annotations[?'",
        names::RUNS_AS,
        "'].orValue('')"
    ),
    predicate: |r| {
        let own = |object: &Value| {
            let annotations = map(object, "/metadata/annotations");
            annotations.get(names::RUNS_AS).map(|stamp| (*stamp).to_owned())
        };
        r.operation == Operation::Update
            && r.old_object
                .as_ref()
                .is_some_and(|old| old.get("spec") == r.object.get("spec") && own(old) == own(&r.object))
    },
}];

/// What listed controllers select pods by, and what they are told by labels: of each a label that begins so.
const SELECTING: [&str; 1] = ["ray.io/"];

fn selecting_labels(v: &View<'_>) -> bool {
    let labels = v.labels();
    labels.last().is_none_or(|(new, old)| {
        new.iter().all(|(key, value)| {
            !SELECTING.iter().any(|prefix| key.starts_with(prefix)) || old.get(key) == Some(value)
        })
    })
}

/// Of pods and what makes them, in the policy of pods: who makes them.
pub(super) static POD_CHECKS: [Check; 1] = [Check {
    id: "relayed-owner",
    policy: Policy::Pods,
    rule: Rule(31),
    problem: "this controller is listed for kinds of its own, and nothing of these is the controller of this",
    named: Named::unless(
        "variables.covers.size() == 0",
        "'this controller is listed for ' + variables.covers.join(', ') + ', and nothing of these is the controller of \
             this, or it is not the same person in it as before'",
    ),
    remedy: concat!(
        "let the controller write its ownerReference with controller: true; a kind that is missing there ",
        names::INSTALLERS,
        " add in spec.trustedControllers of ReeveConfig"
    ),
    cel: "variables.fresh || variables.controller || variables.covers.size() == 0 || !variables.changed || \
              !variables.enforced || variables.relaying || variables.placing",
    predicate: |r| {
        let v = View::of(r);
        v.controller || r.covers().is_empty() || !v.changed || !v.enforced || v.relaying() || v.placing()
    },
}];

/// What is on them.
pub(super) static LABEL_CHECKS: [Check; 1] = [Check {
    id: "relayed-labels",
    policy: Policy::Pods,
    rule: Rule(31),
    problem: "a pod with the labels by which a listed controller finds its own is taken for one of a colleague",
    named: None,
    remedy: "remove labels that begin with ray.io/ from the pod or template: the controller sets them",
    cel: concat!(
        "!has(namespaceObject.metadata.annotations) || \
             namespaceObject.metadata.annotations[?'",
        names::TRUSTED_CONTROLLERS,
        "'].orValue('') == '' || variables.controller || variables.operator || variables.relaying || \
             [variables.labels.size() - 1].all(i, variables.labels[i].all(k, !k.startsWith('ray.io/') || \
             (k in variables.oldLabels[i] && variables.oldLabels[i][k] == variables.labels[i][k])))"
    ),
    predicate: |r| {
        let v = View::of(r);
        let listed = r.namespace_annotations.get(names::TRUSTED_CONTROLLERS);
        listed.is_none_or(String::is_empty)
            || v.controller
            || v.operator
            || v.relaying()
            || selecting_labels(&v)
    },
}];

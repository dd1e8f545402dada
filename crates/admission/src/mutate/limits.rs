//! What a container gets for each GPU that it asks for: the mutating policy `reeve-limits` (cluster-and-cli 1.6).
//!
//! A LimitRange cannot count GPUs. So the factors stand in an annotation of the project's namespace
//! ([`names::GPU_FACTORS`], written by the operator), and this policy multiplies. It fills in only what a container does not say
//! itself, and nothing with which the API server would refuse the pod: no request above its limit.
//!
//! - **Templates**: when they are made, and when containers change. What was filled in for another number of GPUs follows the new
//!   number: an amount that is exactly that of the old one is taken for ours. An update that leaves the containers alone, such
//!   as a queue's, is left alone too; so is what a controller makes of a template.
//! - **Pods**: the API server's own admission comes first and fills in the namespace's LimitRange; it says in an annotation what
//!   it set, and that is replaced by what the GPUs ask for. A limit that it set below the container's own request is raised to the
//!   request: else no such pod could be made.

use crate::entries::SET_BY_LIMIT_RANGE;
use crate::names;
use crate::view::Variable;

/// What extended resources of GPUs and the like are called; one that ends with `*` is the beginning of names.
const ACCELERATORS: [&str; 9] = [
    "amd.com/gpu*",
    "nvidia.com/gpu*",
    "nvidia.com/mig-*",
    "gpu.intel.com/*",
    "habana.ai/gaudi",
    "aws.amazon.com/neuron*",
    "google.com/tpu",
    "cloud.google.com/tpu",
    "huawei.com/Ascend*",
];
/// More of them than this in one container is no number of GPUs.
const MOST: u32 = 100_000;

struct Resource {
    name: &'static str,
    unit: &'static str,
    /// Where its four numbers begin in the annotation: request, limit, highest request, highest limit.
    first: usize,
}

const RESOURCES: [Resource; 2] = [
    Resource {
        name: "cpu",
        unit: "m",
        first: 0,
    },
    Resource {
        name: "memory",
        unit: "",
        first: 4,
    },
];
/// Each list of containers, and what the API server's admission calls one of it.
const LISTS: [(&str, &str); 2] = [("containers", "container"), ("initContainers", "init container")];

/// Whether a key of a container's limits is a GPU.
pub(crate) fn is_accelerator(key: &str) -> String {
    let one = |name: &&str| match name.strip_suffix('*') {
        Some(prefix) => format!("{key}.startsWith('{prefix}')"),
        None => format!("{key} == '{name}'"),
    };
    ACCELERATORS.iter().map(one).collect::<Vec<_>>().join(" || ")
}

/// The same in Rust.
pub(crate) fn names_accelerator(key: &str) -> bool {
    ACCELERATORS.iter().any(|name| match name.strip_suffix('*') {
        Some(prefix) => key.starts_with(prefix),
        None => key == *name,
    })
}

fn template(object: &str) -> String {
    crate::view::template_cel(object)
}

/// The match conditions: who and what is not even looked at further. Each is `(name, CEL)`.
pub(crate) fn match_conditions() -> Vec<Variable> {
    let containers = |object: &str| {
        format!(
            "[{}].map(t, [dyn(t.spec.containers), dyn(t.spec.?initContainers.orValue(dyn([])))])",
            template(object)
        )
    };
    let changed = format!(
        "request.operation == 'CREATE' || {} != {}",
        containers("object"),
        containers("oldObject")
    );
    let writer = format!(
        "object.kind == 'Pod' || !(request.userInfo.?username.orValue('') in {})",
        crate::cel::cel_list(&names::CONTROLLERS)
    );
    let asks = |list: &str| {
        format!(
            "t.spec.?{list}.orValue(dyn([])).exists(c, c.?resources.?limits.orValue(dyn({{}})).exists(k, !(k in ['cpu', 'memory']) && \
             ({})))",
            is_accelerator("k")
        )
    };
    // What was set below a container's own request. Nearly every pod of a project bears the annotation, so that alone concerns nobody.
    let too_low = |list: &str| {
        format!(
            "t.spec.?{list}.orValue(dyn([])).exists(c, ['cpu', 'memory'].exists(r, {}))",
            is_limit_too_low("r")
        )
    };
    let concerned = format!(
        "[{}].exists(t, {} || {} || (object.kind == 'Pod' && \
         dyn(object).?metadata.?annotations[?'{SET_BY_LIMIT_RANGE}'].hasValue() && ({} || {})))",
        template("object"),
        asks("containers"),
        asks("initContainers"),
        too_low("containers"),
        too_low("initContainers")
    );
    // One, since the API server evaluates each. Most containers have no limits: of these nothing else is asked.
    let one = format!(
        "{} && ({writer}) && ({changed}) && {}",
        limited(),
        crate::entries::bounded(&concerned)
    );
    vec![("gpus-or-limits-too-low", one)]
}

/// Whether there are containers, any of them has limits, and there are no more than may be gone through.
fn limited() -> String {
    let limits = "exists(c, c.?resources.?limits.orValue(dyn({})).size() > 0)";
    format!(
        "[{}.orValue(dyn({{}}))].exists(s, has(s.containers) && s.containers != null && s.containers.size() + (has(s.initContainers) ? \
         s.initContainers.size() : 0) <= {} && (s.containers.{limits} || (has(s.initContainers) && s.initContainers.{limits})))",
        crate::view::pod_cel("object"),
        crate::entries::MOST,
    )
}

/// How many GPUs a container asks for; 0 also for a number that is none.
fn gpus(container: &str) -> String {
    format!(
        "[{container}.?resources.?limits.orValue(dyn({{}})).transformList(k, v, ({}) && isQuantity(string(v)) && \
         quantity(string(v)).isInteger(), [quantity(string(v)).asInteger()].map(n, n < 0 || n > {MOST} ? {MOST} + 1 : n)[0]).sum()]\
         .map(n, n > 0 && n <= {MOST} ? n : 0)[0]",
        is_accelerator("k")
    )
}

/// The variables.
pub(crate) fn variables() -> Vec<Variable> {
    let factors = format!(
        "[namespaceObject.metadata.?annotations[?'{}'].orValue('')].map(a, a.matches('^[0-9]{{1,13}}(/[0-9]{{1,13}}){{7}}$') ? \
         a.split('/').map(n, int(n)) : [0, 0, 0, 0, 0, 0, 0, 0])[0]",
        names::GPU_FACTORS
    );
    // What is none of its entries is left out: anybody may write the annotation.
    let ranger = format!(
        "object.kind == 'Pod' ? dyn(object).?metadata.?annotations[?'{SET_BY_LIMIT_RANGE}'].orValue('').replace('LimitRanger \
         plugin set: ', '').split('; ').filter(s, s.contains(' for ')) : []"
    );
    let mut all = vec![
        ("pod", format!("({}).spec", template("object"))),
        (
            "oldPod",
            format!("request.operation == 'UPDATE' ? ({}).spec : dyn({{}})", template("oldObject")),
        ),
        (
            "at",
            "object.kind == 'Pod' ? '/spec/' : object.kind == 'CronJob' ? '/spec/jobTemplate/spec/template/spec/' : \
             '/spec/template/spec/'"
                .to_owned(),
        ),
        ("factors", factors),
        ("ranger", ranger),
    ];
    all.extend(SETS.map(|(variable, resource, kind)| (variable, set_by_ranger(resource, kind))));
    for ((list, title), (before, counts, wanted)) in LISTS.into_iter().zip([
        ("countsBefore", "countsOfContainers", "containers"),
        ("initCountsBefore", "countsOfInitContainers", "initContainers"),
    ]) {
        // Once for all containers: to look each one up among all of before would cost the square of their number.
        let of_before = format!(
            "variables.oldPod.?{list}.orValue(dyn([])).transformMapEntry(i, o, {{string(o.name): {}}})",
            gpus("o")
        );
        let count = format!(
            "variables.pod.?{list}.orValue(dyn([])).transformList(i, c, [{}, variables.{before}[?string(c.name)].orValue(0)])",
            gpus("c"),
        );
        all.push((before, of_before));
        let fields: Vec<String> = RESOURCES
            .iter()
            .flat_map(|resource| amounts(resource, counts, title))
            .collect();
        all.push((counts, count));
        all.push((
            wanted,
            format!(
                "variables.pod.?{list}.orValue(dyn([])).transformList(i, c, dyn({{{}}}))",
                fields.join(", ")
            ),
        ));
    }
    all
}

/// The variables that list the containers of which the LimitRange set something: of which resource, request or limit.
const SETS: [(&str, &str, &str); 4] = [
    ("cpuRequestsSet", "cpu", "request"),
    ("cpuLimitsSet", "cpu", "limit"),
    ("memoryRequestsSet", "memory", "request"),
    ("memoryLimitsSet", "memory", "limit"),
];

/// Once for all containers, as the annotation names them: `container NAME`, `init container NAME`.
fn set_by_ranger(resource: &str, kind: &str) -> String {
    let of = format!("s.split(' {kind} for ')");
    format!(
        "variables.ranger.filter(s, s.contains(' {kind} for ') && '{resource}' in {of}[0].split(', ')).map(s, {of}[1])"
    )
}

/// Whether the LimitRange set it of the container `c`.
fn is_set_by_ranger(resource: &str, kind: &str, title: &str) -> String {
    let sets = SETS
        .into_iter()
        .filter(|(_, of, what)| (*of, *what) == (resource, kind));
    sets.map(|(variable, ..)| format!("(('{title} ' + c.name) in variables.{variable})"))
        .collect()
}

/// What a container `c` at `i` is to get of one resource: the amounts in base units, or -1 for what is left as it is.
fn amounts(resource: &Resource, counts: &str, title: &str) -> [String; 2] {
    let Resource { name, unit, first } = resource;
    let factor = |offset: usize| format!("variables.factors[{}]", first + offset);
    let (now, was) = (
        format!("variables.{counts}[i][0]"),
        format!("variables.{counts}[i][1]"),
    );
    let amount = |count: &str, offset: usize| {
        let (each, highest) = (factor(offset), factor(offset + 2));
        format!("({highest} > 0 && {count} * {each} > {highest} ? {highest} : {count} * {each})")
    };
    let is = |kind: &str| format!("c.?resources.?{kind}s[?'{name}']");
    let said = |kind: &str| format!("{}.hasValue()", is(kind));
    let quantity = |kind: &str| format!("quantity(string({}.orValue('0')))", is(kind));
    let ranger = |kind: &str| is_set_by_ranger(name, kind, title);
    let compared = |kind: &str, count: &str, offset: usize| {
        format!(
            "{}.compareTo(quantity(string({}) + '{unit}'))",
            quantity(kind),
            amount(count, offset)
        )
    };
    // What we filled in for another number of GPUs.
    let ours = |kind: &str, offset: usize| {
        format!(
            "({was} > 0 && {was} != {now} && {} && {} == 0)",
            said(kind),
            compared(kind, &was, offset)
        )
    };
    let (request, limit) = (factor(0), factor(1));
    let free = |kind: &str| format!("(!{} || {})", said(kind), ranger(kind));
    let (our_request, our_limit) = (ours("request", 0), ours("limit", 1));
    let limit_fits = format!(
        "(!{} || ({limit} > 0 && ({} || {our_limit})) || {} >= 0)",
        said("limit"),
        ranger("limit"),
        compared("limit", &now, 0)
    );
    let request_fits = format!(
        "(!{} || ({request} > 0 && ({} || {our_request})) || {} <= 0)",
        said("request"),
        ranger("request"),
        compared("request", &now, 1)
    );
    [
        format!(
            "'{name}Request': dyn({request} > 0 && {now} > 0 && (({} && {}) || {our_request}) && {limit_fits} ? {} : -1)",
            free("request"),
            free("limit"),
            amount(&now, 0)
        ),
        format!(
            "'{name}Limit': dyn({limit} > 0 && {now} > 0 && ({} || {our_limit}) && {request_fits} ? {} : -1)",
            free("limit"),
            amount(&now, 1)
        ),
    ]
}

/// The one expression.
pub(crate) fn expression() -> String {
    let mut parts = Vec::new();
    for (list, title) in LISTS {
        let path = format!("variables.at + '{list}/' + string(i) + '/resources/");
        // Whoever asks for GPUs has limits; requests may be absent as a whole.
        parts.push(format!(
            "variables.{list}.transformList(i, w, (w.cpuRequest >= 0 || w.memoryRequest >= 0) && \
             !has(variables.pod.{list}[i].resources.requests), JSONPatch{{op: 'add', path: {path}requests', value: {{}}}})"
        ));
        for Resource { name, unit, .. } in RESOURCES {
            for kind in ["Request", "Limit"] {
                let field = format!("{name}{kind}");
                let below = kind.to_lowercase();
                parts.push(format!(
                    "variables.{list}.transformList(i, w, w.{field} >= 0, JSONPatch{{op: 'add', path: {path}{below}s/{name}', \
                     value: string(w.{field}) + '{unit}'}})"
                ));
            }
            parts.push(raised(list, title, name));
        }
    }
    parts.join(" + ")
}

/// Whether a container `c` requests more than its limit of a resource, which is named by an expression.
fn is_limit_too_low(resource: &str) -> String {
    format!(
        "c.?resources.?requests[?{resource}].hasValue() && c.?resources.?limits[?{resource}].hasValue() && \
         quantity(string(c.resources.requests[{resource}])).compareTo(quantity(string(c.resources.limits[{resource}]))) > 0"
    )
}

/// A default limit of the LimitRange below the container's own request, raised to it.
fn raised(list: &str, title: &str, name: &str) -> String {
    let set = |kind: &str| is_set_by_ranger(name, kind, title);
    format!(
        "variables.pod.?{list}.orValue(dyn([])).transformList(i, c, {} && {} && !{} && variables.{list}[i].{name}Limit < 0, \
         JSONPatch{{op: 'replace', path: variables.at + '{list}/' + string(i) + '/resources/limits/{name}', value: \
         string(c.resources.requests['{name}'])}})",
        is_limit_too_low(&format!("'{name}'")),
        set("limit"),
        set("request"),
    )
}

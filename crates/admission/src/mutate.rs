//! What is filled in where a manifest says nothing: one JSONPatch expression, and the same in Rust.
//!
//! Only what is absent is filled in; a wrong value stays, so that validation can name it. The one exception is her own
//! older identity: when a person changes her template after her numbers changed, or brings one back that carries an older
//! stamp of hers (`kubectl rollout undo`, `create job --from`, exported YAML), values of the pod that are exactly those of
//! that stamp are brought up to date with it, whatever the switches say. A group that was taken from her is not replaced:
//! validation names it.
//!
//! Of identity (stamp, `runAsUser`, `runAsGroup`, `supplementalGroups`, `supplementalGroupsPolicy`) nothing is filled
//! in for somebody without one. Where `enforceRunAsUser` is off the stamp alone is filled in, the rest only if a new
//! object asks for it by carrying the stamp already. `runAsNonRoot`, seccomp, dropped capabilities, `os.name: linux` and
//! `automountServiceAccountToken: false` are filled in for everybody but controllers, which only copy;
//! `allowPrivilegeEscalation: false` unless both switches are off: without it identity is no boundary, so that only a pod
//! that asks for escalation gets it.
//!
//! The selector of what a person writes, and the labels of its template, get her user id ([`names::USER`], R19): what the
//! controller then selects and adopts is hers. It stays when others change the object, or apply it from a file without it.
//!
//! A person who writes an unstamped template **again** where identity is enforced gets it stamped, though its text is what
//! it was (`rewritten`): an update that changes nothing at all, `kubectl replace`, or a server-side apply that names the
//! template. An update of something else (replicas, labels, annotations, by patch or edit) says nothing of the template and
//! leaves it unstamped: who scales or labels what a stranger wrote long ago would else run it as herself. Of Jobs nobody can
//! change the template, so they are made anew.
//!
//! On request, by an annotation, one container gets the person's name (`passwd.rs`, R23).
//!
//! A bare pod has its ServiceAccount's token already when it gets here, as a volume that the API server added: where the
//! pod says nothing of it, volume and mounts are taken out again.
//!
//! **Other policies that change pods.** The API server asks mutating policies in no fixed order. Where identity is enforced
//! ours is asked again after another one changed the object (`reinvocationPolicy: IfNeeded`): what was incomplete is filled
//! in with what others add to it, in any order. What was complete passes the match conditions by, is therefore not asked
//! again, and what others add to it is judged: to look at every pod would cost every pod. Where identity is not enforced ours
//! is asked once: a second time it would find its own stamp, and take it for the person's wish to run with all of her
//! identity. Two policies of the same text, told apart by the namespace's setting (docs/security/second-writers.md).

mod bare;
mod defaults;
mod json;
pub(crate) mod kinds;
pub(crate) mod limits;
pub(crate) mod passwd;

pub use defaults::fill;
#[cfg(feature = "testing")]
pub use defaults::{fill_for, fill_shape};

use crate::names;
use crate::view::TOKEN_VOLUME;

/// The kinds whose controllers adopt what a selector of labels finds.
pub(crate) const SELECTING: [&str; 5] = [
    "DaemonSet",
    "Deployment",
    "ReplicaSet",
    "ReplicationController",
    "StatefulSet",
];

/// Everything that is filled in, by field or purpose. Of each a planted fault leaves it out (`policies_with_gap`).
pub const FILLED: [&str; 15] = [
    "stamp",
    "runAsUser",
    "runAsGroup",
    "supplementalGroups",
    "fsGroup",
    "supplementalGroupsPolicy",
    "runAsNonRoot",
    "seccompProfile",
    "allowPrivilegeEscalation",
    "drop",
    "os",
    "automountServiceAccountToken",
    "tokenVolume",
    "manualRun",
    "user",
];

/// What is left out on purpose, if anything: one of [`FILLED`].
#[derive(Clone, Copy)]
pub(crate) struct Gap<'a>(pub(crate) Option<&'a str>);

impl Gap<'_> {
    /// The expression of a part, or that of no operation where the part is left out.
    fn or_nothing(self, part: &str, expression: String) -> String {
        if self.0 == Some(part) {
            "[]".to_owned()
        } else {
            expression
        }
    }

    /// A map of those entries that are not left out: key, and the value in CEL.
    fn map(self, entries: &[(&str, String)]) -> String {
        let kept = entries.iter().filter(|(key, _)| self.0 != Some(*key));
        let kept: Vec<String> = kept
            .map(|(key, value)| format!("'{key}': dyn({value})"))
            .collect();
        format!("dyn({{{}}})", kept.join(", "))
    }
}

/// The lists of containers that a template has; ephemeral ones come by a subresource.
const LISTS: [&str; 2] = ["containers", "initContainers"];

/// The match conditions: who and what is not even looked at further. Each is `(name, CEL)`.
pub(crate) fn match_conditions() -> Vec<(&'static str, String)> {
    let changed = format!(
        "request.operation == 'CREATE' || (has(request.subResource) && \
         request.subResource == 'ephemeralcontainers') || (object.kind == 'Pod' ? false : object.kind == 'CronJob' ? \
         object.spec.jobTemplate.spec.template != oldObject.spec.jobTemplate.spec.template : \
         object.spec.template != oldObject.spec.template || ({})) || ({})",
        unbound(),
        crate::entries::bounded(&rewritten()),
    );
    let writer = format!(
        "!(request.userInfo.?username.orValue('') in {}) || (has(request.userInfo.extra) && '{}' in \
         request.userInfo.extra)",
        crate::cel::cel_list(&names::CONTROLLERS),
        names::EXTRA_POD_NAME
    );
    // One, since the API server evaluates each: what is asked first spares the rest.
    vec![(
        "something-missing",
        format!("({writer}) && ({}) && ({changed})", missing()),
    )]
}

/// The labels that an object of [`SELECTING`] selects by, as CEL.
fn selector_cel(object: &str) -> String {
    format!(
        "({object}.kind == 'ReplicationController' ? dyn({object}.spec).?selector : \
         dyn({object}.spec).?selector.?matchLabels).orValue(dyn({{}}))"
    )
}

/// Whether the selector has lost the person whose it was, or a new one of a person has none yet.
fn unbound() -> String {
    let (kinds, key) = (crate::cel::cel_list(&SELECTING), names::USER);
    format!(
        "object.kind in {kinds} && !('{key}' in {}) && (request.operation == 'CREATE' ? \
         has(request.userInfo.extra) && '{}' in request.userInfo.extra : '{key}' in {})",
        selector_cel("object"),
        names::EXTRA_UID,
        selector_cel("oldObject")
    )
}

/// Whether a person writes a template again that nobody's stamp is on, as far as it can be seen without the namespace.
fn rewritten() -> String {
    let template = crate::view::template_cel("o");
    let same = format!(
        "{}.all(f, dyn(object.metadata)[?f].orValue(dyn(null)) == dyn(oldObject.metadata)[?f].orValue(dyn(null)))",
        crate::cel::cel_list(&METADATA)
    );
    format!(
        "request.operation == 'UPDATE' && !(object.kind in ['Job', 'Pod']) && has(request.userInfo.extra) && '{uid}' in \
         request.userInfo.extra && [dyn(object), dyn(oldObject)].all(o, [{template}].all(t, \
         t.?metadata.?annotations[?'{stamp}'].orValue('') == '')) && ([request.?options.?fieldManager.orValue('')].exists(m, m \
         == '{REPLACE}' || (m != '' && dyn(object.metadata).?managedFields.orValue(dyn([])).exists(f, f.manager == m && \
         f.operation == 'Apply' && (f.?fieldsV1[?'f:spec'][?'f:template'].hasValue() || \
         f.?fieldsV1[?'f:spec'][?'f:jobTemplate'].hasValue())))) || (object.spec == oldObject.spec && {same}))",
        uid = names::EXTRA_UID,
        stamp = names::RUNS_AS,
    )
}

/// What `kubectl replace` calls itself.
const REPLACE: &str = "kubectl-replace";

/// What can be written of an object beside its spec. (`kubectl` moves its own entries in `managedFields`, and says nothing of
/// the template by that.)
const METADATA: [&str; 5] = [
    "annotations",
    "finalizers",
    "labels",
    "managedFields",
    "ownerReferences",
];

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
         [object.spec.?ephemeralContainers.orValue([])].exists(l, l.size() <= {most} && l.exists(c, {bare})) : \
         {has_containers} && ([object.kind == 'Pod' ? dyn(object) : object.kind == 'CronJob' ? \
         dyn(object.spec.jobTemplate.spec.template) : dyn(object.spec.template)].exists(t, t.spec.?containers.orValue(dyn([])).size() + \
         t.spec.?initContainers.orValue(dyn([])).size() <= {most} && (!has(t.spec.os) || !has(t.spec.automountServiceAccountToken) || \
         !has(t.spec.securityContext) || !has(t.spec.securityContext.runAsNonRoot) || \
         !has(t.spec.securityContext.seccompProfile) || t.spec.containers.exists(c, {bare}) || \
         t.spec.?initContainers.orValue(dyn([])).exists(c, {bare}) || \
         (has(request.userInfo.extra) && '{uid}' in request.userInfo.extra && [request.userInfo.extra].exists(x, \
         t.metadata.?annotations['{stamp_key}'].orValue('') != {stamp} || !has(t.spec.securityContext.runAsUser) || \
         !has(t.spec.securityContext.runAsGroup) || !has(t.spec.securityContext.supplementalGroupsPolicy) || \
         ('{groups}' in x && !has(t.spec.securityContext.supplementalGroups)) || \
         t.?metadata.?annotations[?'{passwd}'].hasValue())))) || ({unbound}) || (object.kind == 'Job' && \
         request.operation == 'CREATE' && [object.metadata.?ownerReferences.orValue([])].exists(l, l.size() <= {most} && \
         l.exists(o, o.kind == 'CronJob'))))",
        unbound = unbound(),
        stamp_key = names::RUNS_AS,
        passwd = names::PASSWD_ENTRY,
        most = crate::entries::MOST,
        has_containers = crate::view::has_containers_cel("object"),
    )
}

/// Variables beside those of the requester and the template.
pub(crate) fn variables(gap: Gap<'_>) -> Vec<crate::view::Variable> {
    let mut all = crate::view::requester_variables();
    all.extend(crate::view::template_variables());
    all.extend([
        bare::variable(),
        (crate::entries::VARIABLE, crate::entries::crowded_cel()),
        (
            "ephemeral",
            "variables.subresource == 'ephemeralcontainers'".to_owned(),
        ),
        // The template is what it was, and nothing of it is to be changed here.
        (
            "idle",
            "variables.update && !variables.ephemeral && variables.template == variables.oldTemplate && \
             !(variables.enforced && variables.person)"
                .to_owned(),
        ),
        (
            "at",
            "object.kind == 'Pod' ? '' : object.kind == 'CronJob' ? '/spec/jobTemplate/spec/template' : \
             '/spec/template'"
                .to_owned(),
        ),
        (
            "context",
            "variables.pod.?securityContext.orValue(dyn({}))".to_owned(),
        ),
        ("windows", crate::view::windows_cel()),
        ("contextAt", "variables.at + '/spec/securityContext'".to_owned()),
        // Hers, or nobody's yet; and the annotation is absent, or an older one of her own.
        (
            "stamping",
            "variables.person && !variables.ephemeral && variables.stamp != variables.claimed && \
             (variables.stamp == '' || variables.stamp.startsWith(variables.userId + '/')) && \
             (variables.oldStamp == '' || variables.oldStamp.startsWith(variables.userId + '/'))"
                .to_owned(),
        ),
        (
            "filling",
            "variables.person && !variables.ephemeral && (variables.enforced || \
             (!variables.update && variables.stamp != ''))"
                .to_owned(),
        ),
        ("covers", crate::view::covers_cel()),
        // A listed controller copies a template that has a stamp, and says of its numbers what it knows.
        (
            "relayed",
            format!(
                "!variables.person && variables.enforced && !variables.ephemeral && variables.covers.size() > 0 && \
                 variables.stamp.matches('{}')",
                crate::view::STAMP
            ),
        ),
        ("giving", "variables.filling || variables.relayed".to_owned()),
        (
            "numbers",
            "(variables.relayed ? variables.stamp : variables.claimed).split('/')".to_owned(),
        ),
        (
            "numberedGroups",
            "variables.numbers[3] == '' ? [] : variables.numbers[3].split('.').map(g, int(g))".to_owned(),
        ),
        (
            "former",
            "variables.stamp == '' ? variables.oldStamp : variables.stamp".to_owned(),
        ),
        // The parts of her own older stamp, while it is being replaced.
        (
            "before",
            "variables.stamping && variables.former.split('/').size() == 4 ? variables.former.split('/') : \
             ['', 'none', 'none', 'none']"
                .to_owned(),
        ),
        (
            "guarding",
            "variables.preventing || variables.enforced".to_owned(),
        ),
        (
            "selector",
            format!(
                "object.kind in {} ? {} : dyn({{}})",
                crate::cel::cel_list(&SELECTING),
                selector_cel("object")
            ),
        ),
        // Whose the selector is: of a new object the person's who asks, later the one's whose it was.
        (
            "boundTo",
            format!(
                "!(object.kind in {kinds}) || !has(object.spec.selector) ? '' : !variables.update ? \
                 (variables.person ? variables.userId : '') : {}[?'{}'].orValue('')",
                selector_cel("oldObject"),
                names::USER,
                kinds = crate::cel::cel_list(&SELECTING),
            ),
        ),
        ("containerDefaults", container_defaults(gap)),
        ("newContainers", new_ephemeral()),
    ]);
    all.extend(passwd::variables());
    all
}

fn container_defaults(gap: Gap<'_>) -> String {
    let capabilities = gap.map(&[dropped(gap)]);
    format!("variables.guarding ? {} : {capabilities}", guarded_container(gap))
}

fn dropped(gap: Gap<'_>) -> (&'static str, String) {
    ("capabilities", gap.map(&[("drop", "['ALL']".to_owned())]))
}

/// The context of a container where privilege escalation is prevented.
fn guarded_container(gap: Gap<'_>) -> String {
    gap.map(&[("allowPrivilegeEscalation", "false".to_owned()), dropped(gap)])
}

fn new_ephemeral() -> String {
    "variables.ephemeral && has(oldObject.spec.ephemeralContainers) ? \
     oldObject.spec.ephemeralContainers.map(c, c.name) : []"
        .to_owned()
}

/// The one expression.
pub(crate) fn expression(gap: Gap<'_>) -> String {
    let set = |field: &str, when: &str, value: &str| {
        let patch = format!(
            "({when} ? [JSONPatch{{op: 'add', path: variables.contextAt + '/{field}', value: {value}}}] : [])"
        );
        gap.or_nothing(field, patch)
    };
    let absent = |field: &str| format!("!has(variables.context.{field})");
    let number = |field: &str, part: usize| {
        let when = format!(
            "(has(variables.context.{field}) ? string(variables.context.{field}) == variables.before[{part}] : \
             variables.giving)"
        );
        set(field, &when, &format!("int(variables.numbers[{part}])"))
    };
    let groups = "(has(variables.context.supplementalGroups) ? variables.context.supplementalGroups.map(g, string(g))\
         .join('.') == variables.before[3] : variables.giving && variables.numbers[3] != '')";
    let fs_group = "(has(variables.context.fsGroup) && string(variables.context.fsGroup) == variables.before[2] && \
         !(variables.before[2] in variables.groups))";
    // As few operations as will do: each costs. A bare manifest needs one for the stamp and one for the context.
    let stamp = format!(
        "(variables.stamping ? (has(variables.template.metadata) ? [] : [JSONPatch{{op: 'add', path: variables.at + \
         '/metadata', value: {{}}}}]) + [{}] : [])",
        add_stamp("variables.template", "variables.at + '")
    );
    let stamp = gap.or_nothing("stamp", stamp);
    let whole = whole_context(gap);
    let fields = [
        number("runAsUser", 1),
        number("runAsGroup", 2),
        set("supplementalGroups", groups, "variables.numberedGroups"),
        set("fsGroup", fs_group, "int(variables.numbers[2])"),
        set(
            "supplementalGroupsPolicy",
            &format!("(variables.giving && {})", absent("supplementalGroupsPolicy")),
            "'Strict'",
        ),
        set("runAsNonRoot", &absent("runAsNonRoot"), "true"),
        set(
            "seccompProfile",
            &format!("(!variables.windows && {})", absent("seccompProfile")),
            "{'type': 'RuntimeDefault'}",
        ),
    ];
    let context = format!("({whole} : {})", fields.join(" + "));
    let lists = LISTS.map(|list| {
        containers(
            gap,
            &format!("variables.pod.?{list}.orValue(dyn([]))"),
            list,
            "variables.at + '/spec/",
            "!variables.windows",
        )
    });
    let ephemeral = containers(
        gap,
        "variables.pod.?ephemeralContainers.orValue(dyn([]))",
        "ephemeralContainers",
        "'/spec/",
        "!(c.name in variables.newContainers)",
    );
    format!(
        "variables.{bare} ? {at_once} : variables.{crowded} ? [] : variables.ephemeral ? {ephemeral} : variables.idle ? {binding} : {stamp} + {context} + {} + {} + {} + {binding} + {} + {}",
        lists.join(" + "),
        gap.or_nothing("os", operating_system()),
        token(gap),
        gap.or_nothing("manualRun", manual_run()),
        passwd::expression(),
        bare = bare::VARIABLE,
        at_once = bare::expression(gap),
        crowded = crate::entries::VARIABLE,
        binding = gap.or_nothing("user", binding()),
    )
}

/// The patch that writes the stamp into a template that may have no annotations yet.
fn add_stamp(template: &str, at: &str) -> String {
    let key = names::RUNS_AS;
    format!(
        "has({template}.metadata) && has({template}.metadata.annotations) ? JSONPatch{{op: 'add', path: \
         {at}/metadata/annotations/{}', value: variables.claimed}} : JSONPatch{{op: 'add', path: \
         {at}/metadata/annotations', value: dyn({{'{key}': variables.claimed}})}}",
        key.replace('/', "~1")
    )
}

/// What a pod's context has of its shape alone.
fn shape() -> [(&'static str, String); 2] {
    [
        ("runAsNonRoot", "true".to_owned()),
        ("seccompProfile", "{'type': 'RuntimeDefault'}".to_owned()),
    ]
}

/// The whole context of a pod that is given an identity: the parts of a stamp, and the groups in it as numbers.
fn given_context(gap: Gap<'_>, numbers: &str, groups: &str) -> String {
    let number = |part: usize| format!("int({numbers}[{part}])");
    let mut all = vec![
        ("runAsUser", number(1)),
        ("runAsGroup", number(2)),
        ("supplementalGroups", groups.to_owned()),
        ("supplementalGroupsPolicy", "'Strict'".to_owned()),
    ];
    all.extend(shape());
    gap.map(&all)
}

/// A context where there is none yet.
fn whole_context(gap: Gap<'_>) -> String {
    let shape = shape();
    // Where these are filled in a pod for Windows is refused by the API server, whatever else it has.
    format!(
        "variables.context.size() == 0 ? [JSONPatch{{op: 'add', path: variables.contextAt, value: variables.giving ? \
         {} : variables.windows ? {} : {}}}]",
        given_context(gap, "variables.numbers", "variables.numberedGroups"),
        gap.map(shape.get(..1).unwrap_or_default()),
        gap.map(&shape)
    )
}

/// `os.name: linux`. Where something is said of Windows it is left alone, so that our own refusal speaks.
fn operating_system() -> String {
    "(has(variables.pod.os) || has(variables.context.windowsOptions) || variables.pod.containers.exists(c, \
     has(c.securityContext) && has(c.securityContext.windowsOptions)) || \
     variables.pod.?initContainers.orValue(dyn([])).exists(c, has(c.securityContext) && \
     has(c.securityContext.windowsOptions)) ? [] : [JSONPatch{op: 'add', path: variables.at + '/spec/os', value: \
     {'name': 'linux'}}])"
        .to_owned()
}

/// `automountServiceAccountToken: false`, and what the API server already added to a bare pod taken out.
fn token(gap: Gap<'_>) -> String {
    // An operation cannot give back what is there (its types are the API server's own), so one index is taken out of each
    // list. Where there are more somebody wrote them, which is refused (R41).
    let at =
        |list: &str| format!("{list}.transformList(k, m, m.name.startsWith('{TOKEN_VOLUME}'), string(k))");
    let mounts = LISTS.map(|list| {
        let mounts = at("c.?volumeMounts.orValue([])");
        format!(
            "variables.pod.?{list}.orValue(dyn([])).transformList(i, c, {mounts}.size() == 1, JSONPatch{{op: 'remove', \
             path: '/spec/{list}/' + string(i) + '/volumeMounts/' + {mounts}[0]}})"
        )
    });
    let volumes = at("variables.pod.?volumes.orValue(dyn([]))");
    let says =
        "[JSONPatch{op: 'add', path: variables.at + '/spec/automountServiceAccountToken', value: false}]"
            .to_owned();
    let removes = format!(
        "(object.kind != 'Pod' || !({only}) ? [] : {volumes}.map(k, JSONPatch{{op: 'remove', path: '/spec/volumes/' + k}}) + {})",
        mounts.join(" + "),
        only = crate::view::only_token_volume_cel(),
    );
    format!(
        "(has(variables.pod.automountServiceAccountToken) ? [] : {} + {})",
        gap.or_nothing("automountServiceAccountToken", says),
        gap.or_nothing("tokenVolume", removes)
    )
}

/// `kubectl create job --from=cronjob/x` writes that the CronJob controls the Job. Then its controller would count a run that
/// it did not make, of whoever wrote it: the reference stays, without control.
fn manual_run() -> String {
    "(variables.person && !variables.update && object.kind == 'Job' ? \
     object.metadata.?ownerReferences.orValue([]).transformList(i, o, o.kind == 'CronJob' && \
     o.?controller.orValue(false), JSONPatch{op: 'replace', path: '/metadata/ownerReferences/' + string(i) + \
     '/controller', value: false}) : [])"
        .to_owned()
}

/// The person's id in selector and template labels.
fn binding() -> String {
    let (key, escaped) = (names::USER, names::USER.replace('/', "~1"));
    format!(
        "(variables.boundTo == '' || \
         variables.template.?metadata.?labels[?'{key}'].orValue(variables.boundTo) != variables.boundTo ? [] : ('{key}' in variables.selector ? [] : object.kind != 'ReplicationController' && \
         !has(object.spec.selector.matchLabels) ? [JSONPatch{{op: 'add', path: '/spec/selector/matchLabels', value: \
         dyn({{'{key}': variables.boundTo}})}}] : [JSONPatch{{op: 'add', path: object.kind == 'ReplicationController' ? \
         '/spec/selector/{escaped}' : '/spec/selector/matchLabels/{escaped}', value: variables.boundTo}}]) + \
         ('{key}' in variables.template.?metadata.?labels.orValue(dyn({{}})) ? [] : \
         (has(variables.template.metadata) || variables.stamping ? [] : [JSONPatch{{op: 'add', path: \
         '/spec/template/metadata', value: {{}}}}]) + (has(variables.template.metadata) && \
         has(variables.template.metadata.labels) ? [JSONPatch{{op: 'add', path: \
         '/spec/template/metadata/labels/{escaped}', value: variables.boundTo}}] : [JSONPatch{{op: 'add', path: \
         '/spec/template/metadata/labels', value: dyn({{'{key}': variables.boundTo}})}}])))"
    )
}

/// The four patches that a container may need.
fn containers(gap: Gap<'_>, list: &str, name: &str, at: &str, which: &str) -> String {
    let patch = |when: &str, field: &str, value: &str| {
        format!(
            "{list}.transformList(i, c, {which} && {when}, JSONPatch{{op: 'add', path: {at}{name}/' + string(i) + \
             '/securityContext{field}', value: {value}}})"
        )
    };
    [
        patch("!has(c.securityContext)", "", "variables.containerDefaults"),
        gap.or_nothing(
            "allowPrivilegeEscalation",
            patch(
                "variables.guarding && has(c.securityContext) && !has(c.securityContext.allowPrivilegeEscalation) && \
                 !c.securityContext.?privileged.orValue(false)",
                "/allowPrivilegeEscalation",
                "false",
            ),
        ),
        gap.or_nothing(
            "drop",
            patch(
                "has(c.securityContext) && !has(c.securityContext.capabilities)",
                "/capabilities",
                "{'drop': ['ALL']}",
            ),
        ),
        gap.or_nothing(
            "drop",
            patch(
                "has(c.securityContext) && has(c.securityContext.capabilities) && !has(c.securityContext.capabilities.drop)",
                "/capabilities/drop",
                "['ALL']",
            ),
        ),
    ]
    .join(" + ")
}

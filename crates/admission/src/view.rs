//! What the validating policy of pods calls its variables: the CEL text and the same thing in Rust, side by side.

use std::collections::BTreeSet;

use reeve_types::TemplateKind;
use serde_json::Value;

use crate::cel::cel_list;
use crate::entries::{VARIABLE, crowded_cel};
use crate::kinds::{self, FREE_FIELDS, FREE_OF_WORKERS};
use crate::names::{self, SERVICE_ACCOUNT_PREFIX};
use crate::request::{Operation, Request, controlled_by, list, map, template_path, text};

/// The labels that built-in controllers select by, or set for others to select by, and that have no prefix.
pub(crate) const CONTROLLER_LABELS: [&str; 5] = [
    "controller-uid",
    "job-name",
    "pod-template-hash",
    "controller-revision-hash",
    "pod-template-generation",
];

/// A named CEL expression of a policy.
pub(crate) type Variable = (&'static str, String);

/// What stands before the first variable that an expression reads, its name, and what follows.
pub(crate) fn next_variable(cel: &str) -> Option<(&str, &str, &str)> {
    let (before, after) = cel.split_once("variables.")?;
    let end = after
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(after.len());
    let (name, following) = after.split_at(end);
    Some((before, name, following))
}

/// Those of the variables that some expressions read, themselves or by others.
pub(crate) fn read_by<'a>(
    mut variables: Vec<Variable>,
    expressions: impl Iterator<Item = &'a str>,
) -> Vec<Variable> {
    let mut read = BTreeSet::new();
    let mut open: Vec<String> = expressions.map(str::to_owned).collect();
    while let Some(cel) = open.pop() {
        let mut rest = cel.as_str();
        while let Some((_, name, following)) = next_variable(rest) {
            if read.insert(name.to_owned()) {
                open.extend(
                    variables
                        .iter()
                        .filter(|(of, _)| *of == name)
                        .map(|(_, cel)| cel.clone()),
                );
            }
            rest = following;
        }
    }
    variables.retain(|(name, _)| read.contains(*name));
    variables
}

/// The template of `object` (or `oldObject`), whichever of the eight kinds it is.
pub(crate) fn template_cel(object: &str) -> String {
    format!(
        "{object}.kind == 'Pod' ? dyn({object}) : {object}.kind == 'CronJob' ? \
         dyn({object}.spec.jobTemplate.spec.template) : dyn({object}.spec.template)"
    )
}

/// Whether it has containers at all, of whichever kind it is: what has none Kubernetes itself refuses, with a better sentence than an
/// expression that fails.
pub(crate) fn has_containers_cel(object: &str) -> String {
    format!(
        "[{}].exists(s, s.?containers.orValue(dyn(null)) != null)",
        pod_cel(object)
    )
}

/// The spec of its pod, of whichever kind it is, as an optional value.
pub(crate) fn pod_cel(object: &str) -> String {
    format!(
        "({object}.kind == 'Pod' ? dyn({object}).?spec : {object}.kind == 'CronJob' ? \
         dyn({object}).?spec.?jobTemplate.?spec.?template.?spec : dyn({object}).?spec.?template.?spec)"
    )
}

/// What the API server's own admission calls the volume with a ServiceAccount's token, before some random letters.
pub(crate) const TOKEN_VOLUME: &str = "kube-api-access-";

/// Whether of the volumes that are named so there is one at most, as the API server makes it, and each container mounts it once at
/// most.
pub(crate) fn only_token_volume_cel() -> String {
    let named =
        |list: &str| format!("{list}.orValue(dyn([])).filter(v, v.name.startsWith('{TOKEN_VOLUME}'))");
    let lists = ["containers", "initContainers"].map(|list| {
        format!(
            "variables.pod.?{list}.orValue(dyn([])).all(c, {}.size() <= 1)",
            named("c.?volumeMounts")
        )
    });
    format!(
        "[{}].all(l, l.size() <= 1 && l.all(v, has(v.projected))) && {}",
        named("variables.pod.?volumes"),
        lists.join(" && ")
    )
}

/// The same in Rust.
pub(crate) fn has_only_token_volume(pod: &Value) -> bool {
    fn named<'a>(of: &'a Value, at: &str) -> impl Iterator<Item = &'a Value> {
        list(of, at)
            .iter()
            .filter(|it| text(it, "/name").starts_with(TOKEN_VOLUME))
    }
    let mounts = |at: &str| {
        list(pod, at)
            .iter()
            .all(|c| named(c, "/volumeMounts").count() <= 1)
    };
    named(pod, "/volumes").count() <= 1
        && named(pod, "/volumes").all(|volume| volume.get("projected").is_some())
        && ["/containers", "/initContainers", "/ephemeralContainers"]
            .into_iter()
            .all(mounts)
}

fn setting_cel(label: &str) -> String {
    format!(
        "namespaceObject.metadata.?labels['{label}'].orValue('') != '{}'",
        names::OFF
    )
}

/// The shape of a stamp, as a regular expression: user id, uid, gid, other groups.
pub(crate) const STAMP: &str =
    "^[A-Za-z0-9-]+/[1-9][0-9]{0,9}/[1-9][0-9]{0,9}/([1-9][0-9]{0,9}([.][1-9][0-9]{0,9})*)?$";

/// What of a stamp of that shape is no id of a person, as a regular expression: the two ids of nobody, and, digit by digit, what is above
/// [`reeve_types::posix::MAX_ID`].
pub(crate) const NO_PERSON: &str = "[/.](6553[45]|[3-9][0-9]{9}|2[2-9][0-9]{8}|21[5-9][0-9]{7}|214[89][0-9]{6}|2147[5-9][0-9]{5}|\
     21474[9][0-9]{4}|214748[4-9][0-9]{3}|2147483[7-9][0-9]{2}|21474836[5-9][0-9]|214748364[89])([/.]|$)";

/// The same shape, in Rust.
pub(crate) fn has_stamp_shape(stamp: &str) -> bool {
    let number =
        |n: &str| (1..=10).contains(&n.len()) && !n.starts_with('0') && n.bytes().all(|b| b.is_ascii_digit());
    match stamp.split('/').collect::<Vec<_>>().as_slice() {
        [user, uid, gid, groups] => {
            !user.is_empty()
                && user.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && number(uid)
                && number(gid)
                && (groups.is_empty() || groups.split('.').all(number))
        }
        _ => false,
    }
}

/// Both regular expressions, in Rust: looser than [`crate::identity::Stamp`] only in the form of the user id and in how
/// many groups there may be.
pub(crate) fn has_stamp_form(stamp: &str) -> bool {
    let of_a_person = |n: &str| n.is_empty() || n.parse::<reeve_types::Gid>().is_ok();
    has_stamp_shape(stamp) && stamp.split(['/', '.']).skip(1).all(of_a_person)
}

/// Who asks: shared by every policy that looks at the requester.
pub(crate) fn requester_variables() -> Vec<Variable> {
    let (uid, gid, groups) = (names::EXTRA_UID, names::EXTRA_GID, names::EXTRA_GROUPS);
    vec![
        ("username", "request.userInfo.?username.orValue('')".to_owned()),
        ("userId", "request.userInfo.?uid.orValue('')".to_owned()),
        // Absent for users without extra: reading it unguarded is an evaluation error.
        (
            "extra",
            "has(request.userInfo.extra) ? request.userInfo.extra : {}".to_owned(),
        ),
        ("groups", format!("variables.extra[?'{groups}'].orValue([])")),
        // What the stamp would be of whoever asks; only of a person does it count.
        (
            "claimed",
            format!(
                "[has(request.userInfo.extra) ? request.userInfo.extra : {{}}].map(x, request.userInfo.?uid.orValue('') + '/' + \
                 x[?'{uid}'][?0].orValue('') + '/' + x[?'{gid}'][?0].orValue('') + '/' + x[?'{groups}'].orValue([]).join('.'))[0]"
            ),
        ),
        ("person", person_cel("variables.claimed")),
        ("mine", "variables.person ? variables.claimed : ''".to_owned()),
        (
            "controller",
            format!(
                "variables.username in {} && !('{}' in variables.extra)",
                cel_list(&names::CONTROLLERS),
                names::EXTRA_POD_NAME
            ),
        ),
        (
            "operator",
            format!("variables.username == '{}'", names::OPERATOR_USER),
        ),
        (
            "subresource",
            "has(request.subResource) ? request.subResource : ''".to_owned(),
        ),
    ]
}

/// Whether whoever asks is a person whose stamp is this text. Two expressions look at the shape of all parts; a group that is
/// empty, or that itself looks like several, is nobody's. It reads no variable but what the text does, and makes no number of any text:
/// of each pod each costs the API server something.
pub(crate) fn person_cel(stamp: &str) -> String {
    let (uid, gid, groups) = (names::EXTRA_UID, names::EXTRA_GID, names::EXTRA_GROUPS);
    let [system, reeve] = names::RESERVED_PREFIXES;
    let user = "request.userInfo";
    format!(
        "has({user}.username) && has({user}.uid) && has({user}.extra) && '{uid}' in {user}.extra && '{gid}' in {user}.extra && \
         {user}.username.contains('@') && !{user}.username.startsWith('{system}') && \
         !{user}.username.startsWith('{reeve}') && {stamp}.matches('{STAMP}') && !{stamp}.matches('{NO_PERSON}') && \
         {user}.extra['{uid}'].size() == 1 && {user}.extra['{gid}'].size() == 1 && \
         (!('{groups}' in {user}.extra) || {user}.extra['{groups}'].all(g, g != '' && !g.contains('.')))"
    )
}

/// What is asked for: template, stamp, settings.
pub(crate) fn template_variables() -> Vec<Variable> {
    let stamp = |t: &str| {
        format!(
            "variables.{t}.metadata.?annotations['{}'].orValue('')",
            names::RUNS_AS
        )
    };
    vec![
        ("update", "request.operation == 'UPDATE'".to_owned()),
        ("template", template_cel("object")),
        (
            "oldTemplate",
            format!("variables.update ? ({}) : dyn(null)", template_cel("oldObject")),
        ),
        ("pod", "variables.template.spec".to_owned()),
        ("stamp", stamp("template")),
        (
            "oldStamp",
            format!("variables.update ? {} : ''", stamp("oldTemplate")),
        ),
        ("enforced", setting_cel(names::ENFORCE_RUN_AS_USER)),
        (
            "preventing",
            setting_cel(names::ENFORCE_PREVENT_PRIVILEGE_ESCALATION),
        ),
    ]
}

/// Every variable of the validating policy of pods.
pub(crate) fn pod_variables() -> Vec<Variable> {
    let mut variables = requester_variables();
    variables.extend(template_variables());
    variables.extend([
        // A person makes it: what is asked of changes, controllers and machines is not asked.
        ("fresh", "variables.person && !variables.update".to_owned()),
        (
            "changed",
            "!variables.update || (object.kind == 'Pod' ? variables.pod != variables.oldTemplate.spec : \
             variables.template != variables.oldTemplate || (object.kind == 'ReplicationController' && \
             dyn(object.spec).?selector != dyn(oldObject.spec).?selector))"
                .to_owned(),
        ),
        ("parts", "variables.stamp.split('/')".to_owned()),
        (
            "identity",
            "variables.parts.size() == 4 ? variables.parts : ['', '', '', '']".to_owned(),
        ),
        (
            "context",
            "has(variables.pod.securityContext) ? variables.pod.securityContext : dyn({})".to_owned(),
        ),
        // What is asked of the pod's numbers, at one look: they are those of its stamp, in the order of a stamp.
        (
            "worn",
            "variables.parts.size() == 4 && !has(variables.context.fsGroup) && \
             variables.context.?supplementalGroupsPolicy.orValue('') == 'Strict' && variables.stamp.endsWith('/' + \
             string(variables.context.?runAsUser.orValue(-1)) + '/' + string(variables.context.?runAsGroup.orValue(-1)) + '/' + \
             variables.context.?supplementalGroups.orValue(dyn([])).map(g, string(g)).join('.'))"
                .to_owned(),
        ),
        // Nothing that says whose it is has changed, or nothing is enforced here.
        ("unjudged", "!variables.changed || !variables.enforced".to_owned()),
        (
            "labels",
            label_maps_cel("object"),
        ),
        (
            "oldLabels",
            format!(
                "variables.update ? ({}) : variables.labels.map(m, dyn({{}}))",
                label_maps_cel("oldObject")
            ),
        ),
        (
            "owners",
            "object.metadata.?ownerReferences.orValue([])".to_owned(),
        ),
        (
            "oldOwners",
            "variables.update ? oldObject.metadata.?ownerReferences.orValue([]) : []".to_owned(),
        ),
        ("mutator", mutator_cel()),
        ("fields", mutator_fields_cel()),
        ("covers", covers_cel()),
        // A listed controller makes, or changes, what an object of a kind that it is listed for owns.
        (
            "relaying",
            format!(
                "variables.covers.size() > 0 && variables.subresource == '' && {} && (!variables.update || \
                 ((object.kind != 'Pod' || !variables.changed) && {} && (variables.oldStamp == '' || \
                 variables.stamp.startsWith(variables.oldStamp.split('/')[0] + '/'))))",
                owned_cel("variables.owners"),
                owned_cel("variables.oldOwners")
            ),
        ),
        // Neither the person of the stamp, nor the system, nor those who look after the cluster.
        (
            "bystander",
            format!(
                "variables.oldStamp != '' && !variables.controller && !variables.operator && !(variables.person && \
                 variables.oldStamp.startsWith(variables.userId + '/')) && !(variables.username.startsWith('system:') && \
                 (!variables.username.startsWith('{SERVICE_ACCOUNT_PREFIX}') || \
                 variables.username.startsWith('{SERVICE_ACCOUNT_PREFIX}kube-system:'))) && \
                 !request.userInfo.?groups.orValue([]).exists(g, g in ['{}', '{}']) && \
                 variables.fields.size() == 0 && !variables.relaying",
                names::MASTERS,
                names::INSTALLERS
            ),
        ),
        (
            "placing",
            format!(
                "variables.update && variables.fields.size() > 0 && variables.stamp == variables.oldStamp && \
                 [dyn(variables.oldTemplate.spec)].exists(old, dyn(variables.pod).all(k, k in variables.fields || \
                 (k in old && dyn(variables.pod)[k] == old[k])) && old.all(k, k in variables.fields || k in \
                 dyn(variables.pod))) && (object.kind == 'Pod' || {}.all(m, m in variables.fields || \
                 dyn(variables.template).?metadata[?m].orValue(dyn({{}})) == \
                 dyn(variables.oldTemplate).?metadata[?m].orValue(dyn({{}}))))",
                cel_list(&PLACEMENT_METADATA)
            ),
        ),
        (
            "containers",
            "!has(variables.pod.initContainers) && !has(variables.pod.ephemeralContainers) ? \
             dyn(variables.pod.containers) : dyn(variables.pod.containers) + \
             dyn(variables.pod.?initContainers.orValue(dyn([]))) + \
             dyn(variables.pod.?ephemeralContainers.orValue(dyn([])))"
                .to_owned(),
        ),
        ("windows", windows_cel()),
        ("ordinary", ordinary_cel()),
        (VARIABLE, crowded_cel()),
        ("unmarked", unmarked_cel()),
    ]);
    variables
}

/// Whether this is for nodes of Windows, on which containers have no capabilities, no seccomp and no setuid: the kubelet of every
/// other node refuses it by this field, and Pod Security asks for none of these then either.
pub(crate) fn windows_cel() -> String {
    "variables.pod.?os.?name.orValue('') == 'windows'".to_owned()
}

/// Whether nothing changed, or the pod asks for nothing but what the checks of its shape let through: no container says
/// more than that it gives up escalation and capabilities, and the pod nothing of its node. One look at each container
/// stands for those of the checks that begin with it; what it does not know it leaves to them.
pub(crate) fn ordinary_cel() -> String {
    let absent = |of: &str, fields: &[&str]| {
        let each: Vec<String> = fields.iter().map(|field| format!("!has({of}.{field})")).collect();
        each.join(" && ")
    };
    format!(
        "!variables.changed || ({context} && {pod} && has(variables.context.runAsNonRoot) && variables.context.runAsNonRoot && \
         (!has(variables.context.runAsUser) || variables.context.runAsUser != 0) && has(variables.context.seccompProfile) && \
         has(variables.context.seccompProfile.type) && variables.context.seccompProfile.type == 'RuntimeDefault' && variables.containers.all(c, \
         has(c.securityContext) && [c.securityContext].all(s, has(s.capabilities) && \
         has(s.allowPrivilegeEscalation) && !s.allowPrivilegeEscalation && \
         s.size() == (has(s.readOnlyRootFilesystem) ? 3 : 2) && \
         !has(s.capabilities.add) && has(s.capabilities.drop) && \
         'ALL' in s.capabilities.drop)) && \
         variables.template.metadata.?annotations.orValue(dyn({{}})).all(k, !k.startsWith('{APP_ARMOR_ANNOTATION}')))",
        context = absent(
            "variables.context",
            &["appArmorProfile", "seLinuxOptions", "sysctls", "windowsOptions"]
        ),
        pod = absent("variables.pod", &["hostIPC", "hostNetwork", "hostPID"]),
    )
}

/// Whether this is new and says nothing that a controller goes by: what most manifests are, and the checks of references,
/// finalizers and labels begin with.
fn unmarked_cel() -> String {
    format!(
        "!variables.update && !has(object.metadata.ownerReferences) && !has(object.metadata.finalizers) && \
         variables.labels.all(m, m.all(k, {}))",
        no_mark_cel("k")
    )
}

/// Whether a label's key says nothing that a controller goes by.
pub(crate) fn no_mark_cel(key: &str) -> String {
    format!(
        "!{key}.startsWith('{}') && !{key}.contains('kubernetes.io/') && !({key} in {})",
        names::PREFIX,
        cel_list(&CONTROLLER_LABELS)
    )
}

/// What older manifests set AppArmor profiles by, before the container's name.
pub(crate) const APP_ARMOR_ANNOTATION: &str = "container.apparmor.security.beta.kubernetes.io/";

/// The labels of an object, of its template, and of the Jobs that a CronJob makes: of everything that controllers select.
fn label_maps_cel(object: &str) -> String {
    format!(
        "[dyn({object}.metadata).?labels.orValue(dyn({{}}))] + ({object}.kind == 'Pod' ? [] : \
         {object}.kind == 'CronJob' ? [dyn({object}.spec.jobTemplate).?metadata.?labels.orValue(dyn({{}})), \
         dyn({object}.spec.jobTemplate.spec.template).?metadata.?labels.orValue(dyn({{}}))] : \
         [dyn({object}.spec.template).?metadata.?labels.orValue(dyn({{}}))])"
    )
}

/// The entries of the list of trusted second writers that speak of whoever asks.
fn mutator_cel() -> String {
    format!(
        "variables.username.startsWith('{SERVICE_ACCOUNT_PREFIX}') ? \
         namespaceObject.metadata.?annotations[?'{}'].orValue('').split(',')\
         .filter(e, e.startsWith(variables.username + '=')) : []",
        names::TRUSTED_MUTATORS,
    )
}

/// Variables of the policies of kinds of others, beside those of the requester and `update`.
pub(crate) fn kind_variables() -> Vec<Variable> {
    let stamps = |templates: &str| {
        format!(
            "variables.{templates}.map(x, \
             x.t.?metadata.?annotations.orValue(dyn({{}}))[?variables.key].orValue(''))"
        )
    };
    let status = |object: &str| {
        format!(
            "[dyn({object}).?status.orValue(dyn({{}}))].map(s, s.all(k, s[k] == null) ? dyn({{}}) : s)[0]"
        )
    };
    vec![
        ("key", format!("'{}'", names::RUNS_AS)),
        ("whole", kinds::whole_cel()),
        ("enforced", setting_cel(names::ENFORCE_RUN_AS_USER)),
        ("covers", covers_cel()),
        ("mutator", mutator_cel()),
        ("fields", mutator_fields_cel()),
        ("listed", listed_cel()),
        ("driving", "object.kind in variables.covers".to_owned()),
        ("keeper", keeper_cel()),
        ("owners", "object.metadata.?ownerReferences.orValue([])".to_owned()),
        (
            "oldOwners",
            "variables.update ? oldObject.metadata.?ownerReferences.orValue([]) : []".to_owned(),
        ),
        (
            "oldMaps",
            "variables.update ? [dyn(oldObject.metadata.?annotations.orValue({})), \
             dyn(oldObject.metadata.?labels.orValue({}))] : [dyn({}), dyn({})]"
                .to_owned(),
        ),
        ("status", status("object")),
        (
            "oldStatus",
            format!("variables.update ? {} : dyn({{}})", status("oldObject")),
        ),
        ("templates", kinds::templates_cel("object")),
        (
            "oldTemplates",
            format!("variables.update ? ({}) : []", kinds::templates_cel("oldObject")),
        ),
        ("stamps", stamps("templates")),
        ("oldStamps", stamps("oldTemplates")),
        ("stamp", first_cel("stamps")),
        ("oldStamp", first_cel("oldStamps")),
        ("changed", kind_changed_cel()),
        (
            "own",
            "variables.oldStamps.all(s, s == '' || (variables.person && s.startsWith(variables.userId + '/')))"
                .to_owned(),
        ),
        (
            "relaying",
            format!(
                "variables.covers.size() > 0 && variables.subresource == '' && ((variables.whole && variables.driving) || ({} && \
                 (!variables.update || {}))) && (!variables.update || variables.oldStamp == '' || \
                 variables.stamp.startsWith(variables.oldStamp.split('/')[0] + '/'))",
                owned_cel("variables.owners"),
                owned_cel("variables.oldOwners")
            ),
        ),
    ]
}

/// The first of some stamps that is there.
fn first_cel(stamps: &str) -> String {
    format!("[variables.{stamps}.filter(s, s != '')].map(l, l.size() > 0 ? l[0] : '')[0]")
}

/// Whether some controller is listed for the kind of the object.
fn listed_cel() -> String {
    format!(
        "namespaceObject.metadata.?annotations[?'{}'].orValue('').split(',').exists(e, e.contains('=') && \
         object.kind in e.substring(e.indexOf('=') + 1).split('+'))",
        names::TRUSTED_CONTROLLERS
    )
}

/// The system, and who looks after the cluster.
fn keeper_cel() -> String {
    format!(
        "(variables.username.startsWith('system:') && (!variables.username.startsWith('{SERVICE_ACCOUNT_PREFIX}') || \
         variables.username.startsWith('{SERVICE_ACCOUNT_PREFIX}kube-system:'))) || \
         request.userInfo.?groups.orValue([]).exists(g, g in ['{}', '{}'])",
        names::MASTERS,
        names::INSTALLERS
    )
}

/// Whether more changes of a spec than what is free to everybody.
fn kind_changed_cel() -> String {
    let free = cel_list(&FREE_FIELDS);
    let of_workers = cel_list(&FREE_OF_WORKERS);
    let groups = format!(
        "(k == 'workerGroupSpecs' && n[k].size() == o[k].size() && n[k].all(i, g, g.all(f, f in {of_workers} || (f in \
         o[k][i] && g[f] == o[k][i][f])) && o[k][i].all(f, f in {of_workers} || f in g)))"
    );
    format!(
        "!variables.update || (variables.subresource == '' && (variables.stamps != variables.oldStamps || \
         [dyn(object).?spec.orValue(dyn({{}}))].exists(n, [dyn(oldObject).?spec.orValue(dyn({{}}))].exists(o, !(n.all(k, k in \
         {free} || (k in o && (n[k] == o[k] || {groups}))) && o.all(k, k in {free} || k in n))))))"
    )
}

/// The kinds whose templates whoever asks may make pods of (R31). An account that is listed twice is trusted with nothing.
pub(crate) fn covers_cel() -> String {
    format!(
        "!variables.username.startsWith('{SERVICE_ACCOUNT_PREFIX}') ? [] : \
         [namespaceObject.metadata.?annotations[?'{}'].orValue('').split(',').filter(e, \
         e.startsWith(variables.username + '='))].map(l, l.size() == 1 ? l[0].substring(variables.username.size() + \
         1).split('+') : [])[0]",
        names::TRUSTED_CONTROLLERS,
    )
}

/// Whether an object of a kind that the requester is listed for is the controller among these owners.
pub(crate) fn owned_cel(owners: &str) -> String {
    format!(
        "{owners}.exists(o, o.?controller.orValue(false) && o.kind in variables.covers && o.apiVersion == \
         {}[?o.kind].orValue(''))",
        kinds::versions_cel()
    )
}

/// The fields of a pod that whoever asks may change as a trusted second writer (R22).
fn mutator_fields_cel() -> String {
    format!(
        "variables.mutator.size() == 1 ? variables.mutator[0].substring(variables.username.size() + 1).split('+')\
         .filter(f, f in {}) : []",
        cel_list(&PLACEMENT_FIELDS),
    )
}

/// The same with a fault: all of them, once one is.
pub(crate) fn all_fields_cel() -> String {
    format!(
        "variables.mutator.size() == 1 ? {} : []",
        cel_list(&PLACEMENT_FIELDS)
    )
}

/// What a second writer can be trusted with: where and when a pod runs, never what and as whom. The first two are of a
/// template's metadata, the others of a pod's spec.
pub const PLACEMENT_FIELDS: [&str; 5] = [
    "annotations",
    "labels",
    "nodeSelector",
    "schedulingGates",
    "tolerations",
];

/// Those of metadata.
const PLACEMENT_METADATA: [&str; 2] = ["annotations", "labels"];

/// The Rust side of the same variables.
pub(crate) struct View<'a> {
    pub(crate) request: &'a Request,
    pub(crate) update: bool,
    pub(crate) changed: bool,
    pub(crate) person: bool,
    pub(crate) controller: bool,
    pub(crate) operator: bool,
    pub(crate) mine: String,
    pub(crate) stamp: &'a str,
    pub(crate) old_stamp: &'a str,
    pub(crate) enforced: bool,
    pub(crate) preventing: bool,
    pub(crate) template: &'a Value,
    pub(crate) old_template: &'a Value,
    pub(crate) pod: &'a Value,
    pub(crate) old_pod: &'a Value,
}

/// Names and values of labels.
pub(crate) type Labels<'a> = std::collections::BTreeMap<&'a str, &'a str>;

static NOTHING: Value = Value::Null;

/// The stamp of a template, empty when it has none.
pub(crate) fn stamp_of(template: &Value) -> &str {
    let annotations = template.pointer("/metadata/annotations");
    annotations
        .and_then(|a| a.get(names::RUNS_AS))
        .and_then(Value::as_str)
        .unwrap_or("")
}

/// Whether an object of one of these kinds is its controller.
pub(crate) fn is_owned(object: &Value, covers: &[&str]) -> bool {
    controlled_by(object, |owner| {
        let kind = text(owner, "/kind");
        let known = TemplateKind::of_name(kind).map(TemplateKind::api_version);
        covers.contains(&kind) && known.as_deref() == Some(text(owner, "/apiVersion"))
    })
}

impl<'a> View<'a> {
    pub(crate) fn of(request: &'a Request) -> Self {
        let kind = request.kind();
        let path = template_path(kind).unwrap_or("/none");
        let update = request.operation == Operation::Update;
        let template = request.object.pointer(path).unwrap_or(&NOTHING);
        let old = request
            .old_object
            .as_ref()
            .filter(|_| update)
            .and_then(|o| o.pointer(path))
            .unwrap_or(&NOTHING);
        let changed = !update
            || if kind == "Pod" {
                template.get("spec") != old.get("spec")
            } else {
                let selector = |object: &'a Value| object.pointer("/spec/selector");
                let selects = kind == "ReplicationController"
                    && selector(&request.object) != request.old_object.as_ref().and_then(selector);
                template != old || selects
            };
        Self {
            request,
            update,
            changed,
            person: request.user.is_person(),
            controller: request.user.is_controller(),
            operator: request.user.is_operator(),
            mine: request.user.stamp(),
            stamp: stamp_of(template),
            old_stamp: stamp_of(old),
            enforced: request.enforces(names::ENFORCE_RUN_AS_USER),
            preventing: request.enforces(names::ENFORCE_PREVENT_PRIVILEGE_ESCALATION),
            template,
            old_template: old,
            pod: template.get("spec").unwrap_or(&NOTHING),
            old_pod: old.get("spec").unwrap_or(&NOTHING),
        }
    }

    /// Whether the requester wrote the old template.
    pub(crate) fn owned(&self) -> bool {
        self.own_or_none(self.old_stamp)
    }

    /// Whether a stamp is empty, or names the requester, with whatever numbers.
    pub(crate) fn own_or_none(&self, stamp: &str) -> bool {
        let numbers = stamp.strip_prefix(self.request.user.uid.as_str());
        stamp.is_empty() || (self.person && numbers.is_some_and(|rest| rest.starts_with('/')))
    }

    /// The four parts of the stamp; empty texts when it has another shape.
    pub(crate) fn identity(&self) -> [&'a str; 4] {
        let parts: Vec<&str> = self.stamp.split('/').collect();
        parts.as_slice().try_into().unwrap_or_default()
    }

    /// The labels of everything that controllers select, now and before: of the object, then of its templates.
    pub(crate) fn labels(&self) -> Vec<(Labels<'a>, Labels<'a>)> {
        let at: &[&str] = match self.request.kind() {
            "Pod" => &["/metadata/labels"],
            "CronJob" => &[
                "/metadata/labels",
                "/spec/jobTemplate/metadata/labels",
                "/spec/jobTemplate/spec/template/metadata/labels",
            ],
            _ => &["/metadata/labels", "/spec/template/metadata/labels"],
        };
        let old = self.request.old_object.as_ref().filter(|_| self.update);
        at.iter()
            .map(|at| {
                (
                    map(&self.request.object, at),
                    old.map(|old| map(old, at)).unwrap_or_default(),
                )
            })
            .collect()
    }

    /// Whether a listed second writer changes where this runs, and nothing else of it (R22).
    pub(crate) fn placing(&self) -> bool {
        let fields = self.mutator_fields();
        let spec = |value: &'a Value| value.as_object().into_iter().flatten();
        let kept = |k: &String, v: &Value, other: &Value| {
            fields.contains(&k.as_str()) || other.get(k).is_some_and(|o| o == v)
        };
        let there = |k: &String, other: &Value| fields.contains(&k.as_str()) || other.get(k).is_some();
        let same = |m: &str| {
            let at = format!("/metadata/{m}");
            map(self.template, &at) == map(self.old_template, &at)
        };
        self.update
            && !fields.is_empty()
            && self.stamp == self.old_stamp
            && spec(self.pod).all(|(k, v)| kept(k, v, self.old_pod))
            && spec(self.old_pod).all(|(k, _)| there(k, self.pod))
            && (self.request.kind() == "Pod"
                || PLACEMENT_METADATA.iter().all(|m| fields.contains(m) || same(m)))
    }

    /// Whether whoever asks is a trusted second writer of some field.
    pub(crate) fn is_mutator(&self) -> bool {
        !self.mutator_fields().is_empty()
    }

    fn mutator_fields(&self) -> Vec<&'a str> {
        let name = self.request.user.username.as_str();
        let listed = self.request.listed(names::TRUSTED_MUTATORS).unwrap_or_default();
        let mut entries = listed
            .into_iter()
            .filter_map(|entry| entry.strip_prefix(name)?.strip_prefix('='));
        match (entries.next(), entries.next()) {
            (Some(fields), None) if name.starts_with(SERVICE_ACCOUNT_PREFIX) => fields
                .split('+')
                .filter(|field| PLACEMENT_FIELDS.contains(field))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Whether a listed controller makes, or changes, what an object of a kind that it is listed for owns (R31).
    pub(crate) fn relaying(&self) -> bool {
        let covers = self.request.covers();
        let owned = |object: &Value| is_owned(object, &covers);
        let user = |stamp: &'a str| stamp.split('/').next().unwrap_or_default();
        let kept = || {
            let same_user = self.old_stamp.is_empty()
                || self.stamp.contains('/') && user(self.stamp) == user(self.old_stamp);
            (self.request.kind() != "Pod" || !self.changed)
                && self.request.old_object.as_ref().is_some_and(owned)
                && same_user
        };
        self.request.subresource.is_empty() && owned(&self.request.object) && (!self.update || kept())
    }

    /// Whether this is for nodes of Windows.
    pub(crate) fn is_windows(&self) -> bool {
        self.pod.pointer("/os/name").and_then(Value::as_str) == Some("windows")
    }

    /// Every container, of every level.
    pub(crate) fn containers(&self) -> impl Iterator<Item = &'a Value> {
        let pod = self.pod;
        ["/containers", "/initContainers", "/ephemeralContainers"]
            .into_iter()
            .flat_map(move |at| list(pod, at))
    }

    /// A field of the pod's security context, or below it.
    pub(crate) fn context(&self, field: &str) -> Option<&'a Value> {
        self.pod
            .pointer("/securityContext")
            .and_then(|c| c.pointer(field))
    }

    /// The text of a field of the pod's security context.
    pub(crate) fn context_text(&self, field: &str) -> &'a str {
        self.context(field).and_then(Value::as_str).unwrap_or("")
    }
}

#[cfg(test)]
mod tests;

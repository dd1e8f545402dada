//! The shape of a pod: root, escalation, capabilities, host access. The same answer for everybody, on every road.
//!
//! These are the controls of Pod Security's `restricted` level, so that a template is refused when it is written and
//! not only its pods, and so that they stay where a namespace is at `baseline`. `hostUsers: false` relaxes nothing.
//!
//! Most pods ask for nothing of this: those are found by one look at each container ([`crate::view::ordinary_cel`]), and
//! the checks that it answers are passed over.

use serde_json::Value;

use super::{Check, Policy, Rule};
use crate::request::{list, map, text};
use crate::view::{APP_ARMOR_ANNOTATION, View};

/// Volumes that stay inside the pod or are handed out by the cluster.
pub(crate) const VOLUMES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];
const SYSCTLS: [&str; 14] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_notsent_lowat",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];
const SE_LINUX_TYPES: [&str; 5] = [
    "",
    "container_engine_t",
    "container_init_t",
    "container_kvm_t",
    "container_t",
];
const SECCOMP: [&str; 2] = ["RuntimeDefault", "Localhost"];

fn flag(value: &Value, pointer: &str) -> bool {
    value.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
}

fn is_zero(value: &Value, pointer: &str) -> bool {
    value.pointer(pointer).and_then(Value::as_i64) == Some(0)
}

/// Holds when nothing changes, or for every container.
fn containers(v: &View<'_>, rule: impl Fn(&Value) -> bool) -> bool {
    !v.changed || v.containers().all(rule)
}

/// Holds when nothing changes, or for the pod and for every container.
fn contexts(v: &View<'_>, rule: impl Fn(&Value) -> bool) -> bool {
    !v.changed || (rule(v.pod) && v.containers().all(rule))
}

fn se_linux_ok(at: &Value) -> bool {
    let options = "/securityContext/seLinuxOptions";
    SE_LINUX_TYPES.contains(&text(at, &format!("{options}/type")))
        && text(at, &format!("{options}/user")).is_empty()
        && text(at, &format!("{options}/role")).is_empty()
}

fn app_armor_ok(at: &Value) -> bool {
    text(at, "/securityContext/appArmorProfile/type") != "Unconfined"
}

fn probes_ok(container: &Value) -> bool {
    let probes = [
        "/livenessProbe",
        "/readinessProbe",
        "/startupProbe",
        "/lifecycle/postStart",
        "/lifecycle/preStop",
    ];
    let hosts = ["/httpGet/host", "/tcpSocket/host"];
    probes.iter().all(|p| {
        hosts
            .iter()
            .all(|h| text(container, &format!("{p}{h}")).is_empty())
    })
}

pub(super) static CHECKS: [Check; 16] = [
    Check {
        id: "not-root",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "runAsUser 0 is root, which nobody is here",
        named: None,
        remedy: "remove runAsUser: 0 from the pod and its containers; in place of a container that runs chown as root, \
                 fsGroup makes a new volume yours (docs/security/volumes.md)",
        cel: "variables.ordinary || (variables.context.?runAsUser.orValue(-1) != 0 && variables.containers.all(c, \
              c.?securityContext.?runAsUser.orValue(-1) != 0))",
        predicate: |r| contexts(&View::of(r), |at| !is_zero(at, "/securityContext/runAsUser")),
    },
    Check {
        id: "run-as-non-root",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "runAsNonRoot must be true for every container, or the image could choose root",
        named: None,
        remedy: "set runAsNonRoot: true at the pod and remove it from containers",
        cel: "variables.ordinary || (variables.context.?runAsNonRoot.orValue(true) && variables.containers.all(c, \
              c.?securityContext.?runAsNonRoot.orValue(variables.context.?runAsNonRoot.orValue(false))))",
        predicate: |r| {
            let v = View::of(r);
            let pod = v.context("/runAsNonRoot").and_then(Value::as_bool);
            let own = |c: &Value| {
                c.pointer("/securityContext/runAsNonRoot")
                    .and_then(Value::as_bool)
            };
            pod != Some(false) && containers(&v, |c| own(c).or(pod) == Some(true)) || !v.changed
        },
    },
    Check {
        id: "privileged",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "a privileged container owns the node",
        named: None,
        remedy: "remove privileged: true from its securityContext",
        cel: "variables.ordinary || variables.containers.all(c, !c.?securityContext.?privileged.orValue(false))",
        predicate: |r| containers(&View::of(r), |c| !flag(c, "/securityContext/privileged")),
    },
    Check {
        id: "privilege-escalation",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "allowPrivilegeEscalation must be false for every container of this project",
        named: None,
        remedy: "remove the field, false is filled in; an administrator can switch \
                 enforcePreventPrivilegeEscalation off",
        cel: "variables.ordinary || !variables.preventing || variables.windows || variables.containers.all(c, \
              !c.?securityContext.?allowPrivilegeEscalation.orValue(true))",
        predicate: |r| {
            let v = View::of(r);
            let field = "/securityContext/allowPrivilegeEscalation";
            !v.preventing
                || v.is_windows()
                || containers(&v, |c| c.pointer(field).and_then(Value::as_bool) == Some(false))
        },
    },
    Check {
        id: "capabilities-add",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "no container may add another capability than NET_BIND_SERVICE",
        named: None,
        remedy: "remove it from capabilities.add; with kubectl debug take --profile=restricted",
        cel: "variables.ordinary || variables.containers.all(c, \
              c.?securityContext.?capabilities.?add.orValue([]).all(k, k == 'NET_BIND_SERVICE'))",
        predicate: |r| {
            containers(&View::of(r), |c| {
                list(c, "/securityContext/capabilities/add")
                    .iter()
                    .all(|k| k == "NET_BIND_SERVICE")
            })
        },
    },
    Check {
        id: "capabilities-drop",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "every container must drop all capabilities",
        named: None,
        remedy: "remove capabilities.drop, ALL is filled in",
        cel: "variables.ordinary || variables.windows || variables.containers.all(c, \
              'ALL' in c.?securityContext.?capabilities.?drop.orValue([]))",
        predicate: |r| {
            let v = View::of(r);
            let drops = |c: &Value| {
                list(c, "/securityContext/capabilities/drop")
                    .iter()
                    .any(|k| k == "ALL")
            };
            v.is_windows() || containers(&v, drops)
        },
    },
    // Before host-namespaces: Kubernetes demands hostNetwork of it.
    Check {
        id: "host-process",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "hostProcess gives a container the whole node",
        named: None,
        remedy: "remove hostProcess from windowsOptions and hostNetwork",
        cel: "variables.ordinary || (!variables.context.?windowsOptions.?hostProcess.orValue(false) && \
              variables.containers.all(c, !c.?securityContext.?windowsOptions.?hostProcess.orValue(false)))",
        predicate: |r| {
            contexts(&View::of(r), |at| {
                !flag(at, "/securityContext/windowsOptions/hostProcess")
            })
        },
    },
    Check {
        id: "host-namespaces",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "a pod may not share the network, processes or IPC of its node",
        named: None,
        remedy: "remove hostNetwork, hostPID and hostIPC",
        cel: "variables.ordinary || !(variables.pod.?hostNetwork.orValue(false) || \
              variables.pod.?hostPID.orValue(false) || variables.pod.?hostIPC.orValue(false))",
        predicate: |r| {
            let v = View::of(r);
            !v.changed
                || !["/hostNetwork", "/hostPID", "/hostIPC"]
                    .iter()
                    .any(|field| flag(v.pod, field))
        },
    },
    Check {
        id: "host-ports",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "a container may not take a port of its node",
        named: None,
        remedy: "remove hostPort and use a Service",
        cel: "!variables.changed || variables.containers.all(c, \
              c.?ports.orValue([]).all(p, p.?hostPort.orValue(0) == 0))",
        predicate: |r| {
            let free = |p: &Value| p.pointer("/hostPort").and_then(Value::as_i64).unwrap_or(0) == 0;
            containers(&View::of(r), |c| list(c, "/ports").iter().all(free))
        },
    },
    Check {
        id: "volume-types",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "a pod may not mount files of its node or of a server it names itself",
        named: None,
        remedy: "use a persistentVolumeClaim, configMap, secret, emptyDir, projected, downwardAPI, ephemeral or image \
                 volume",
        cel: "!has(variables.pod.volumes) || !variables.changed || variables.pod.volumes.all(v, v.all(k, k in ['name', \
              'configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', \
              'projected', 'secret']))",
        predicate: |r| {
            let v = View::of(r);
            let known = |k: &String| k == "name" || VOLUMES.contains(&k.as_str());
            !v.changed
                || list(v.pod, "/volumes")
                    .iter()
                    .filter_map(Value::as_object)
                    .all(|o| o.keys().all(known))
        },
    },
    Check {
        id: "seccomp",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "every container needs the seccomp profile RuntimeDefault or Localhost",
        named: None,
        remedy: "remove seccompProfile, RuntimeDefault is filled in",
        cel: "variables.ordinary || variables.windows || (variables.context.?seccompProfile.?type.orValue('Localhost') in \
              ['RuntimeDefault', 'Localhost'] && variables.containers.all(c, \
              c.?securityContext.?seccompProfile.?type.orValue(variables.context.?seccompProfile.?type.orValue('')) \
              in ['RuntimeDefault', 'Localhost']))",
        predicate: |r| {
            let v = View::of(r);
            let pod = v.context_text("/seccompProfile/type");
            let known = |t: &str| SECCOMP.contains(&t);
            v.is_windows()
                || (pod.is_empty() || known(pod))
                    && containers(&v, |c| match text(c, "/securityContext/seccompProfile/type") {
                        "" => known(pod),
                        own => known(own),
                    })
                || !v.changed
        },
    },
    Check {
        id: "app-armor",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "no container may leave its AppArmor profile",
        named: None,
        remedy: "remove appArmorProfile Unconfined, or its annotation",
        cel: "variables.ordinary || (variables.context.?appArmorProfile.?type.orValue('') != 'Unconfined' && \
              variables.containers.all(c, c.?securityContext.?appArmorProfile.?type.orValue('') != 'Unconfined') && \
              variables.template.metadata.?annotations.orValue(dyn({})).all(k, \
              !k.startsWith('container.apparmor.security.beta.kubernetes.io/') || \
              variables.template.metadata.annotations[k] in ['', 'runtime/default'] || \
              variables.template.metadata.annotations[k].startsWith('localhost/')))",
        predicate: |r| {
            let v = View::of(r);
            let annotations = map(v.template, "/metadata/annotations");
            let profile = |p: &str| p.is_empty() || p == "runtime/default" || p.starts_with("localhost/");
            !v.changed
                || contexts(&v, app_armor_ok)
                    && annotations
                        .iter()
                        .all(|(k, p)| !k.starts_with(APP_ARMOR_ANNOTATION) || profile(p))
        },
    },
    Check {
        id: "se-linux",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "no container may choose an SELinux user, role, or a type that is not a container type",
        named: None,
        remedy: "remove seLinuxOptions",
        cel: "variables.ordinary || ([variables.context.?seLinuxOptions] + variables.containers.map(c, \
              c.?securityContext.?seLinuxOptions)).all(o, o.?type.orValue('') in ['', 'container_engine_t', \
              'container_init_t', 'container_kvm_t', 'container_t'] && o.?user.orValue('') == '' && \
              o.?role.orValue('') == '')",
        predicate: |r| contexts(&View::of(r), se_linux_ok),
    },
    Check {
        id: "proc-mount",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "no container may unmask /proc",
        named: None,
        remedy: "remove procMount from its securityContext",
        cel: "variables.ordinary || variables.containers.all(c, \
              c.?securityContext.?procMount.orValue('Default') == 'Default')",
        predicate: |r| {
            containers(&View::of(r), |c| {
                matches!(text(c, "/securityContext/procMount"), "" | "Default")
            })
        },
    },
    Check {
        id: "sysctls",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "a pod may not set kernel parameters of its node",
        named: None,
        remedy: "remove all sysctls but those that Kubernetes calls safe",
        cel: "variables.ordinary || variables.context.?sysctls.orValue(dyn([])).all(s, s.name in \
              ['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.ip_local_reserved_ports', \
              'net.ipv4.ip_unprivileged_port_start', 'net.ipv4.ping_group_range', 'net.ipv4.tcp_fin_timeout', \
              'net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes', 'net.ipv4.tcp_keepalive_time', \
              'net.ipv4.tcp_notsent_lowat', 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_slow_start_after_idle', 'net.ipv4.tcp_syncookies', 'net.ipv4.tcp_wmem'])",
        predicate: |r| {
            let v = View::of(r);
            !v.changed
                || list(v.pod, "/securityContext/sysctls")
                    .iter()
                    .all(|s| SYSCTLS.contains(&text(s, "/name")))
        },
    },
    Check {
        id: "host-probes",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "a probe or hook may not make the node connect to another host",
        named: None,
        remedy: "remove host from httpGet and tcpSocket of probes and lifecycle hooks",
        cel: "!variables.changed || variables.containers.all(c, (!has(c.livenessProbe) && !has(c.readinessProbe) && \
              !has(c.startupProbe) && !has(c.lifecycle)) || [c.?livenessProbe, c.?readinessProbe, \
              c.?startupProbe, c.?lifecycle.?postStart, c.?lifecycle.?preStop].all(p, \
              p.?httpGet.?host.orValue('') == '' && p.?tcpSocket.?host.orValue('') == ''))",
        predicate: |r| containers(&View::of(r), probes_ok),
    },
];

//! A name in a container is filled in, or refused: the annotation is never accepted and dropped (R23).

use constcat::concat;

use super::{Check, Named, Policy, Rule};
use crate::mutate::passwd::{NAME, annotation};
use crate::names;
use crate::request::{list, map, text};
use crate::view::View;

pub(super) static CHECKS: [Check; 1] = [Check {
    id: "passwd-entry",
    policy: Policy::Pods,
    rule: Rule(23),
    problem: concat!(
        names::PASSWD_ENTRY,
        " asks for the name of a person in a container, and nothing could be filled in"
    ),
    named: None::<Named>,
    remedy: "as a person, in a project that runs containers as people, set it to the name of one of the containers, which \
             mounts nothing of its own at /etc/passwd and /etc/group; or remove the annotation",
    cel: concat!(
        "!variables.changed || !(variables.template.metadata.?annotations[?'",
        names::PASSWD_ENTRY,
        "'].hasValue()) || \
          (variables.pod.?initContainers.orValue(dyn([])).exists(c, c.name == 'reeve-names') && \
          variables.pod.containers.exists(c, c.name == \
          variables.template.metadata.annotations['",
        names::PASSWD_ENTRY,
        "'] && \
          c.?volumeMounts.orValue([]).exists(m, m.name == 'reeve-names')))"
    ),
    predicate: |r| {
        let v = View::of(r);
        let asked = map(v.template, "/metadata/annotations").contains_key(names::PASSWD_ENTRY);
        let named = annotation(v.template);
        let is_there = list(v.pod, "/initContainers")
            .iter()
            .any(|c| text(c, "/name") == NAME);
        let mounts = |c: &serde_json::Value| {
            list(c, "/volumeMounts")
                .iter()
                .any(|mount| text(mount, "/name") == NAME)
        };
        let has_it = list(v.pod, "/containers")
            .iter()
            .any(|c| text(c, "/name") == named && mounts(c));
        !v.changed || !asked || (is_there && has_it)
    },
}];

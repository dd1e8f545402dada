//! Labels, annotations and finalizers, and which labels children get.

use std::collections::BTreeMap;

use reeve_serving_crds::LabelPropagation;

use crate::names;

/// `<prefix>service`, `<prefix>template` and so on.
pub const PREFIX: &str = "aim.eai.amd.com/";
/// Exactly `true`: nothing about the object is done.
pub const PAUSED: &str = "aim.eai.amd.com/reconciliation-paused";
/// Of services: caches of theirs that are not ready go with them.
pub const SERVICE_FINALIZER: &str = "aim.eai.amd.com/template-cache-cleanup";
/// Of caches: artifacts of theirs that are not ready go with them.
pub const CACHE_FINALIZER: &str = "aim.eai.amd.com/artifactcleanup";
/// Who made it.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// What it is for.
pub const COMPONENT: &str = "app.kubernetes.io/component";
/// `aim-discovery`.
pub const APP_NAME: &str = "app.kubernetes.io/name";
/// `auto-generated` or `derived`.
pub const ORIGIN: &str = "aim.eai.amd.com/origin";
/// The value of [`ORIGIN`] on what controllers make of a model, a source or a service.
pub const AUTO_GENERATED: &str = "auto-generated";
/// The value of [`ORIGIN`] on templates with a service's overrides.
pub const DERIVED: &str = "derived";

/// The controllers, by the names that labels, metrics and field managers bear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Controller {
    /// Of AIMModel.
    Model,
    /// Of AIMClusterModel.
    ClusterModel,
    /// Of AIMClusterModelSource.
    ClusterModelSource,
    /// Of AIMServiceTemplate.
    ServiceTemplate,
    /// Of AIMClusterServiceTemplate.
    ClusterServiceTemplate,
    /// Of AIMTemplateCache.
    TemplateCache,
    /// Of AIMArtifact.
    Artifact,
    /// Of AIMService.
    Service,
}

impl Controller {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::ClusterModel => "cluster-model",
            Self::ClusterModelSource => "cluster-model-source",
            Self::ServiceTemplate => "service-template",
            Self::ClusterServiceTemplate => "cluster-service-template",
            Self::TemplateCache => "template-cache",
            Self::Artifact => "artifact",
            Self::Service => "service",
        }
    }

    /// Its field manager, which is also the value of [`MANAGED_BY`] on what it makes.
    pub fn manager(self) -> String {
        format!("aim-{}-controller", self.as_str())
    }

    /// The label that bears the name of the parent.
    pub fn parent_label(self) -> String {
        format!("{PREFIX}{}.name", self.as_str())
    }
}

/// A map of labels.
pub type Labels = BTreeMap<String, String>;

/// Labels from pairs. A key without `/` is one of this group.
pub fn labels<const N: usize>(pairs: [(&str, &str); N]) -> Labels {
    pairs
        .into_iter()
        .map(|(key, value)| {
            let key = if key.contains('/') {
                key.to_owned()
            } else {
                format!("{PREFIX}{key}")
            };
            (key, value.to_owned())
        })
        .collect()
}

/// The labels of a child: its own, then those of the parent that it lacks and that are of this group or match a pattern, then
/// who made it and for whom.
pub fn of_child(
    own: &Labels,
    parent: &Labels,
    parent_name: &str,
    propagation: Option<&LabelPropagation>,
    controller: Controller,
) -> Labels {
    let mut all = inherited(own, parent, propagation);
    all.entry(MANAGED_BY.to_owned())
        .or_insert_with(|| controller.manager());
    all.entry(controller.parent_label())
        .or_insert_with(|| names::name_label(parent_name));
    all
}

/// The labels of a Job's pods: the same without [`MANAGED_BY`].
pub fn of_pods(
    own: &Labels,
    parent: &Labels,
    parent_name: &str,
    propagation: Option<&LabelPropagation>,
    controller: Controller,
) -> Labels {
    let mut all = inherited(own, parent, propagation);
    all.entry(controller.parent_label())
        .or_insert_with(|| names::name_label(parent_name));
    all
}

fn inherited(own: &Labels, parent: &Labels, propagation: Option<&LabelPropagation>) -> Labels {
    let patterns = propagation
        .filter(|propagation| propagation.enabled == Some(true))
        .map(|propagation| propagation.patterns.as_slice())
        .unwrap_or_default();
    let mut all = own.clone();
    for (key, value) in parent {
        if key.starts_with(PREFIX) || patterns.iter().any(|pattern| matches(pattern, key)) {
            all.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    all
}

/// Whether a label key matches a shell pattern as Go's `path.Match` has it: `*` and `?` do not cross `/`, `[a-z]` and `[^a]`
/// are classes, `\` takes the next character as it is. An invalid pattern matches nothing.
pub fn matches(pattern: &str, key: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let key: Vec<char> = key.chars().collect();
    matched(&pattern, &key)
}

fn matched(pattern: &[char], key: &[char]) -> bool {
    // Where the last star stands, and from where it was tried last: time is the product of both lengths at most.
    let (mut p, mut k) = (pattern, key);
    let mut star: Option<(&[char], &[char])> = None;
    loop {
        match (p.first(), k.first()) {
            (Some('*'), _) => {
                p = p.get(1..).unwrap_or_default();
                star = Some((p, k));
                continue;
            }
            (Some(_), Some(c)) => match one(p, *c) {
                Some((true, rest)) => {
                    p = rest;
                    k = k.get(1..).unwrap_or_default();
                    continue;
                }
                Some((false, _)) => {}
                None => return false,
            },
            (None, None) => return true,
            _ => {}
        }
        match star {
            Some((after, from)) if from.first().is_some_and(|c| *c != '/') => {
                k = from.get(1..).unwrap_or_default();
                p = after;
                star = Some((after, k));
            }
            _ => return false,
        }
    }
}

/// Whether the first element of a pattern, which is no star, takes a character, and the rest of the pattern; `None` when the
/// pattern is invalid.
fn one(pattern: &[char], c: char) -> Option<(bool, &[char])> {
    let (first, rest) = pattern.split_first()?;
    match first {
        '?' => Some((c != '/', rest)),
        '\\' => {
            let (escaped, rest) = rest.split_first()?;
            Some((*escaped == c, rest))
        }
        '[' => class(rest, c),
        plain => Some((*plain == c, rest)),
    }
}

fn class(pattern: &[char], c: char) -> Option<(bool, &[char])> {
    let negated = pattern.first() == Some(&'^');
    let mut rest = if negated { pattern.get(1..)? } else { pattern };
    let (mut found, mut ranges) = (false, 0);
    loop {
        if rest.first() == Some(&']') && ranges > 0 {
            return Some((found != negated, rest.get(1..)?));
        }
        let (low, after) = member(rest)?;
        let (high, after) = match after.first() {
            Some('-') => member(after.get(1..)?)?,
            _ => (low, after),
        };
        found |= low <= c && c <= high;
        ranges += 1;
        rest = after;
    }
}

fn member(pattern: &[char]) -> Option<(char, &[char])> {
    let (first, rest) = pattern.split_first()?;
    match first {
        '-' | ']' => None,
        '\\' => rest.split_first().map(|(c, rest)| (*c, rest)),
        c => Some((*c, rest)),
    }
}

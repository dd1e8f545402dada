//! Namespaces that no project takes.

use std::fmt;
use std::str::FromStr;

use crate::names::{InvalidName, is_reserved_namespace};

/// What is reserved unless an administrator says otherwise: where add-ons that rule a cluster usually live. Whoever had such a
/// namespace as a project before they are installed would read their Secrets and use their ServiceAccounts.
pub const USUALLY_RESERVED: [&str; 26] = [
    "argo-*",
    "argocd",
    "calico-*",
    "cert-manager",
    "cilium-*",
    "external-secrets",
    "flux-system",
    "gatekeeper-system",
    "gpu-operator",
    "ingress-nginx",
    "istio-*",
    "knative-*",
    "kserve",
    "kueue-system",
    "kyverno",
    "longhorn-system",
    "metallb-system",
    "monitoring",
    "network-operator",
    "nvidia-*",
    "openshift",
    "openshift-*",
    "prometheus",
    "rook-ceph",
    "tigera-operator",
    "vault",
];

/// A name, or the beginning of names: `cert-manager`, `istio-*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespacePattern(String);

impl NamespacePattern {
    /// [`USUALLY_RESERVED`].
    pub fn usual() -> Vec<Self> {
        USUALLY_RESERVED
            .iter()
            .map(|text| Self((*text).to_owned()))
            .collect()
    }

    /// Whether a name is meant.
    pub fn matches(&self, name: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => self.0 == name,
        }
    }
}

impl FromStr for NamespacePattern {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let plain = text.strip_suffix('*').unwrap_or(text);
        let named = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !plain.is_empty() && plain.len() <= 63 && plain.bytes().all(named) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidName::new(
            "namespace pattern",
            "a namespace's name is needed, or its beginning and `*`",
            text,
        ))
    }
}

impl fmt::Display for NamespacePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// All that is reserved: the cluster's own namespaces always, and what a list says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservedNamespaces(Vec<NamespacePattern>);

impl ReservedNamespaces {
    /// The cluster's own, and these.
    pub const fn new(patterns: Vec<NamespacePattern>) -> Self {
        Self(patterns)
    }

    /// What reserves a name, as it is written in the list; none when it is free.
    pub fn reserving<'r>(&'r self, name: &'r str) -> Option<&'r str> {
        if is_reserved_namespace(name) {
            return Some(name);
        }
        let pattern = self.0.iter().find(|pattern| pattern.matches(name));
        pattern.map(|pattern| pattern.0.as_str())
    }
}

impl Default for ReservedNamespaces {
    fn default() -> Self {
        Self(NamespacePattern::usual())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_beginnings_are_reserved_and_the_clusters_own_always() {
        let usual = ReservedNamespaces::default();
        for (name, by) in [
            ("cert-manager", "cert-manager"),
            ("istio-system", "istio-*"),
            ("openshift", "openshift"),
            ("openshift-monitoring", "openshift-*"),
            ("gpu-operator", "gpu-operator"),
        ] {
            assert_eq!(usual.reserving(name), Some(by));
        }
        for free in ["cert-manager-team", "istio", "team-kube-x", "reeve-robots"] {
            assert_eq!(usual.reserving(free), None, "{free}");
        }
        let none = ReservedNamespaces::new(Vec::new());
        for own in [
            "kube-system",
            "kube-x",
            "default",
            "reeve-system",
            "reeve-secrets",
        ] {
            assert_eq!(none.reserving(own), Some(own));
        }
        assert_eq!(none.reserving("cert-manager"), None);
    }

    #[test]
    fn a_pattern_is_a_name_or_its_beginning() {
        for right in USUALLY_RESERVED {
            assert!(right.parse::<NamespacePattern>().is_ok(), "{right}");
        }
        for wrong in ["", "*", "a*b", "*-system", "A", "a.b", "a b"] {
            assert!(wrong.parse::<NamespacePattern>().is_err(), "{wrong}");
        }
    }
}

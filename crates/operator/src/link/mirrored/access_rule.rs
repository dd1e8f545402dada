//! Access rules.

use std::sync::Arc;

use kube::{Api, Client};
use reeve_crds::{AccessRule, desired};
use reeve_kube_kit::Cache;
use reeve_link::{DesiredObject, ObjectKey};
use reeve_types::{AccessRuleId, ProjectId};

use super::Mirrored;
use crate::caches::Caches;

impl Mirrored for AccessRule {
    type Desired = desired::AccessRule;

    const RANK: u8 = 1;
    const ENDS_RIGHTS: bool = true;
    const GIVES_RIGHTS: bool = true;

    fn desired(object: &DesiredObject) -> Option<&desired::AccessRule> {
        match object {
            DesiredObject::AccessRule(rule) => Some(rule),
            _ => None,
        }
    }

    fn home(_: &desired::AccessRule) -> Option<ProjectId> {
        None
    }

    fn build(rule: &desired::AccessRule, _: &str) -> Self {
        Self::from(rule)
    }

    fn api(client: Client, _: &str) -> Api<Self> {
        Api::all(client)
    }

    fn cache(caches: &Caches) -> &Arc<Cache<Self>> {
        &caches.rules
    }

    fn key(&self) -> Option<ObjectKey> {
        AccessRuleId::new(self.spec.id).map(ObjectKey::AccessRule)
    }
}

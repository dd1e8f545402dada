//! What the operator may do at this moment, asked of the API server before it does it.
//!
//! The API server's authorizer learns of a binding by a watch of its own, a little after it was made or deleted: what is written before
//! it has is refused.

use std::time::Duration;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::Api;
use reeve_kube_kit::{Context, WriteFailed};

/// How long the authorizer may take to learn of a binding.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

/// Something that the operator may do in a namespace, or may not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Right<'a> {
    /// As RBAC has it: `patch`.
    pub(crate) verb: &'a str,
    /// The API group; empty for Kubernetes' own first one.
    pub(crate) group: &'a str,
    /// In the plural.
    pub(crate) resource: &'a str,
    /// Where.
    pub(crate) namespace: &'a str,
    /// Which one, where the right is to one alone: it is not given for all of them then.
    pub(crate) name: Option<&'a str>,
}

impl Right<'_> {
    /// Whether it is given now.
    ///
    /// # Errors
    /// The API server does not answer. The error bears the namespace's name: a review has none, and what it asks about says more.
    pub(crate) async fn is_given(&self, context: &Context) -> Result<bool, WriteFailed> {
        let attributes = ResourceAttributes {
            namespace: Some(self.namespace.to_owned()),
            verb: Some(self.verb.to_owned()),
            group: Some(self.group.to_owned()),
            resource: Some(self.resource.to_owned()),
            name: self.name.map(str::to_owned),
            ..ResourceAttributes::default()
        };
        let question = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(attributes),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let reviews = Api::<SelfSubjectAccessReview>::all(context.client.clone());
        let answer = context.writes.create(&reviews, &question).await;
        let answer = answer.map_err(|failed| WriteFailed {
            name: self.namespace.to_owned(),
            ..failed
        })?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }

    /// Waits until it is given, for five seconds at most; whether it is.
    ///
    /// # Errors
    /// As [`Right::is_given`].
    pub(crate) async fn comes(&self, context: &Context) -> Result<bool, WriteFailed> {
        let asking = async {
            while !self.is_given(context).await? {
                tokio::time::sleep(PAUSE).await;
            }
            Ok(true)
        };
        tokio::time::timeout(PATIENCE, asking).await.unwrap_or(Ok(false))
    }
}

//! The account of downloads: it may say in an artifact's status how far it is, and nothing else.

use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::labels::{self, Controller};
use crate::plan::Child;

/// The name of the account, of its binding, and of the ClusterRole behind it. The reference gave the right to each namespace's
/// account `default`, and so to every pod there.
pub const ACCOUNT: &str = "aim-engine-artifact-status-updater";

/// The account and its binding. They belong to no artifact: every one of the namespace uses them.
pub(super) fn children(namespace: &str) -> [Child; 2] {
    let metadata = ObjectMeta {
        name: Some(ACCOUNT.to_owned()),
        namespace: Some(namespace.to_owned()),
        labels: Some(labels::labels([(
            labels::MANAGED_BY,
            &Controller::Artifact.manager(),
        )])),
        ..ObjectMeta::default()
    };
    let account = ServiceAccount {
        metadata: metadata.clone(),
        ..ServiceAccount::default()
    };
    let binding = RoleBinding {
        metadata,
        role_ref: RoleRef {
            api_group: Some("rbac.authorization.k8s.io".to_owned()),
            kind: "ClusterRole".to_owned(),
            name: ACCOUNT.to_owned(),
        },
        subjects: Some(vec![Subject {
            kind: "ServiceAccount".to_owned(),
            name: ACCOUNT.to_owned(),
            namespace: Some(namespace.to_owned()),
            api_group: None,
        }]),
    };
    [
        Child::kept("DownloadJob", &account),
        Child::kept("DownloadJob", &binding),
    ]
}

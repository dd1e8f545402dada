//! What is loaded into memory at start, and the ungated look-ups.

use async_trait::async_trait;
use reeve_authz::{Rule, Scope};
use reeve_link::{ClusterSettings, KubernetesEndpoint};
use reeve_types::{
    AccessKeyId, AccessRuleId, ClusterId, ClusterName, CredentialAssetId, CredentialAssetKind, DepartmentId,
    Email, LowestId, OrgUnitName, PosixIdentity, ProjectId, Revision, SecretAssetId, ServiceAccountId,
    ServiceAccountName, Timestamp, UserId, WorkloadId,
};

use serde::{Deserialize, Serialize};

use crate::{
    ChangeMark, CredentialHash, CustomRoleFacts, PolicyFacts, SessionFacts, SigningKeyFacts, StoreError,
    WrongPasswords,
};

/// How often a cluster's link secret was replaced. A token of the link is good as long as it carries the cluster's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct CredentialNumber(pub i64);

/// What is known of a person at each request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserFacts {
    /// The user's id.
    pub id: UserId,
    /// The user's email.
    pub email: Email,
    /// The POSIX identity that an administrator gave the user. It comes before one of an identity provider.
    pub posix: Option<PosixIdentity>,
    /// Whether the user's password is one that an administrator made, and the user has not chosen another since: sessions that began
    /// with it are good for that alone.
    #[serde(default, skip_serializing_if = "crate::is_false")]
    pub temporary_password: bool,
}

/// What is known of a service account at each request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccountFacts {
    /// Its id.
    pub id: ServiceAccountId,
    /// Its name.
    pub name: ServiceAccountName,
    /// Its switch.
    pub enabled: bool,
}

/// What is known of a cluster at each request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterFacts {
    /// Its id.
    pub id: ClusterId,
    /// Its name.
    pub name: ClusterName,
    /// How far its desired state has come.
    pub revision: Revision,
    /// How far its operator has come, as it said last.
    pub applied_revision: Revision,
    /// What its operator said of itself.
    pub settings: Option<ClusterSettings>,
    /// Where people reach its API server: set by an administrator, or pinned at the first report.
    pub endpoint: Option<KubernetesEndpoint>,
    /// The number that tokens of the link have to carry.
    pub credential: CredentialNumber,
    /// The lowest uid and gid that people may have there.
    pub lowest_id: LowestId,
}

/// What is known of a department at each request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DepartmentFacts {
    /// Its number.
    pub id: DepartmentId,
    /// Its cluster.
    pub cluster_id: ClusterId,
    /// Its name.
    pub name: OrgUnitName,
}

/// What is known of a project at each request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectFacts {
    /// Its number.
    pub id: ProjectId,
    /// Its department.
    pub department_id: DepartmentId,
    /// Its cluster.
    pub cluster_id: ClusterId,
    /// Its name.
    pub name: OrgUnitName,
}

/// Everything decisions are made from, of one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DirectorySnapshot {
    /// How far the change log had come.
    pub reached: ChangeMark,
    /// How often the database was found restored before that: see [`crate::Fenced::era`].
    pub era: i64,
    /// Clusters.
    pub clusters: Vec<ClusterFacts>,
    /// Departments.
    pub departments: Vec<DepartmentFacts>,
    /// Projects.
    pub projects: Vec<ProjectFacts>,
    /// Every workload policy.
    pub policies: Vec<PolicyFacts>,
    /// Every role of the account's own.
    pub roles: Vec<CustomRoleFacts>,
    /// Every rule that is not deleted, those of disabled service accounts too.
    pub rules: Vec<Rule>,
    /// Everybody.
    pub users: Vec<UserFacts>,
    /// Every service account.
    pub service_accounts: Vec<ServiceAccountFacts>,
    /// Every session that was not ended, those whose end has come and that are not forgotten yet included.
    pub sessions: Vec<SessionFacts>,
    /// Every signing key.
    pub signing_keys: Vec<SigningKeyFacts>,
    /// When each cluster's operator was last heard of, as far as that was written down: nothing is decided by it, and no change
    /// of it is in the log.
    pub heard: Vec<(ClusterId, Timestamp)>,
}

/// The whole directory.
#[async_trait]
pub trait Directory {
    /// Reads it, as of one moment. It stays inside the process: decisions are made from it, nobody is shown it.
    async fn directory(&self) -> Result<DirectorySnapshot, StoreError>;
}

/// Where things are. Says nothing else about them, so that a permission can be asked for the right place.
#[async_trait]
pub trait Locate {
    /// The scope of a rule, also of a deleted one.
    async fn locate_access_rule(&self, id: AccessRuleId) -> Result<Option<Scope>, StoreError>;

    /// The kind and the scope of a credential.
    async fn locate_credential_asset(
        &self,
        id: CredentialAssetId,
    ) -> Result<Option<(CredentialAssetKind, Scope)>, StoreError>;

    /// The scope of a secret asset.
    async fn locate_secret_asset(&self, id: SecretAssetId) -> Result<Option<Scope>, StoreError>;

    /// The project of a workload that is not deleted.
    async fn locate_workload(&self, id: WorkloadId) -> Result<Option<ProjectId>, StoreError>;
}

/// What is known of a local user who gives a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordCheck {
    /// Who.
    pub user: UserId,
    /// What checks the password.
    pub verifier: CredentialHash,
    /// How often a wrong one was given.
    pub wrong: WrongPasswords,
}

/// What sign-in needs before anybody is authenticated.
#[async_trait]
pub trait Credentials {
    /// A person's password check.
    async fn password_verifier(&self, email: &Email) -> Result<Option<(UserId, CredentialHash)>, StoreError>;

    /// The same, with how often a wrong one was given.
    async fn password_check(&self, email: &Email) -> Result<Option<PasswordCheck>, StoreError>;

    /// A service account's secret check, by client id. Disabled ones too: their sign-in is not recorded.
    async fn secret_verifier(
        &self,
        client_id: &ServiceAccountName,
    ) -> Result<Option<(ServiceAccountId, CredentialHash)>, StoreError>;

    /// An access key's secret check, and its owner.
    async fn access_key_verifier(
        &self,
        id: AccessKeyId,
    ) -> Result<Option<(UserId, CredentialHash)>, StoreError>;

    /// A cluster's link secret check, and the number of that secret.
    async fn link_verifier(
        &self,
        cluster: ClusterId,
    ) -> Result<Option<(CredentialHash, CredentialNumber)>, StoreError>;

    /// The link secret check of a cluster that was deleted: it opens nothing any more, but shows who may be told so.
    async fn deleted_link_verifier(&self, cluster: ClusterId) -> Result<Option<CredentialHash>, StoreError>;
}

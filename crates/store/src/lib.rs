//! What the control plane remembers: the traits its use cases are written against, the rows they speak of, and the
//! conformance suite (feature `conformance`, for tests alone) that every implementation passes.
//!
//! **Promises of every implementation.**
//! - A write is one transaction: the rows, the audit event, the desired state of every touched cluster, and the touched
//!   clusters' revision counters, each raised by exactly one, in ascending order of cluster id; and, in the change log, what
//!   changed in the directory ([`change`]). All of it or none of it.
//! - A write that has returned survives the death of the process.
//! - A write demands the [`Granted`](reeve_authz::Granted) that fits it (entity, action and scope are compared again
//!   here); an unfiltered read demands one too, a list demands the [`Visible`](reeve_authz::Visible) that cuts it.
//! - Numbers of departments, projects and rules, and people's uids, are never given twice.
//!
//! The few ungated reads ([`Locate`], the verifiers of [`Credentials`]) answer where something is or check a secret
//! before anybody is authenticated; they return no content. Nor do sealed signing keys
//! ([`SigningKeys::signing_keys`]), which never leave the server.

pub mod access_key;
pub mod access_rule;
pub mod asset;
pub mod audit;
pub mod change;
pub mod cluster;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod credential_asset;
pub mod custom_role;
pub mod department;
pub mod desired;
pub mod device_code;
pub mod directory;
pub mod error;
pub mod fence;
pub mod gate;
pub mod identity_provider;
pub mod installation;
pub mod list;
pub mod passkey;
pub mod project;
pub mod refresh_token;
pub mod second_factor;
pub mod secret_asset;
pub mod security_setting;
pub mod service_account;
pub mod session;
pub mod signing_key;
pub mod status;
pub mod user;
pub mod workload;
pub mod workload_policy;

use reeve_types::{ClusterId, Revision};

pub use access_key::{
    ACCESS_KEYS_OF_A_USER, AccessKeyFilter, AccessKeyRow, AccessKeys, KEY_RESTS_SECONDS, NewAccessKey,
};
pub use access_rule::{AccessRuleRow, AccessRules, NewAccessRule};
pub use asset::{ASSETS_OF_A_SCOPE, AssetFilter, AssetOrigin};
pub use audit::{
    Audit, AuditAction, AuditEntry, AuditHead, AuditRow, AuditSubject, LoggedEvent, Outcome, PRUNED,
};
pub use change::{
    CHANGES_KEPT, CHANGES_TOGETHER, ChangeLog, ChangeMark, ChangeNumber, DirectoryChange, LogAfter,
    LoggedChanges,
};
pub use cluster::{
    CONNECTED_SECONDS, ClusterRow, Clusters, LinkSecret, NewCluster, REPORTED_ENDPOINT, WrongSince,
    wrong_since,
};
pub use credential_asset::{
    ChangeCredentialAsset, CredentialAssetFilter, CredentialAssetRow, CredentialAssets, NewCredentialAsset,
    NewValues, Resealed, SealedCredential, SealedValues,
};
pub use custom_role::{CustomRoleFacts, CustomRoles, MOST_CUSTOM_ROLES, SetCustomRole};
pub use department::{DepartmentRow, Departments, NewDepartment, SetDepartment};
pub use desired::{Deleted, DesiredPart, DesiredState, Later, REVISIONS_KEPT};
pub use device_code::{
    DEVICE_CODES, DEVICE_CODES_OF_A_NETWORK, DeviceAnswer, DeviceCodeBegun, DeviceCodes, DeviceDecision,
    LONGEST_PAUSE_SECONDS, NewDeviceCode, OVER_SECONDS, PAUSE_SECONDS, TypedUserCode, UserCodeFound,
    WRONG_USER_CODES, WRONG_USER_CODES_OF_A_NETWORK, WRONG_USER_CODES_SECONDS, WaitingDevice,
};
pub use directory::{
    ClusterFacts, CredentialNumber, Credentials, DepartmentFacts, Directory, DirectorySnapshot, Locate,
    PasswordCheck, ProjectFacts, ServiceAccountFacts, UserFacts,
};
pub use error::StoreError;
pub use fence::{
    CredentialKind, ERA_BITS, Evidence, Fence, FenceNews, FenceStep, Fenced, Loss, Recovered, Suspended,
};
pub use identity_provider::{
    DueSession, IdentityProviders, IdpRow, MOST_IDENTITY_PROVIDERS, ProvidedIdentity, RenewedSession,
    SessionProvider,
};
pub use installation::{FirstStart, Installation};
pub use list::{AccessRuleFilter, Page};
pub use passkey::{NewPasskey, PASSKEYS_OF_A_USER, PasskeyRow, Passkeys, PasskeysOfUser, UsedPasskey};
pub use project::{NewProject, ProjectRow, Projects, SetNetworking, SetPodRules, SetProject};
pub use reeve_types::SubjectId;
pub use refresh_token::{NewRefreshToken, REPEATED_SECONDS, RefreshTokens, Renewal, ShownRefreshToken};
pub use second_factor::{AuthenticatorRow, SecondFactors, WRONG_CODES, WRONG_CODES_REST_SECONDS};
pub use secret_asset::{
    ChangeSecretAsset, NewSecretAsset, ProjectSecret, SecretAssetFilter, SecretAssetRow, SecretAssetSpec,
    SecretAssets,
};
pub use security_setting::{AutoRedirect, SecuritySettings, SecuritySettingsRow, SetSecuritySetting};
pub use service_account::{NewServiceAccount, ServiceAccountRow, ServiceAccounts};
pub use session::{
    ENDED_SHOWN_SECONDS, KeySession, NewSession, SESSIONS_OF_A_KEY, SESSIONS_OF_A_SUBJECT, SessionFacts,
    SessionRow, Sessions,
};
pub use signing_key::{KeyUse, NewSigningKey, SigningKeyFacts, SigningKeyRow, SigningKeys};
pub use status::{Reported, Reports, StatusRow};
pub use user::{
    CredentialHash, EMAIL_RESTS_SECONDS, NewOwnPassword, NewUser, UserRow, Users, WRONG_PASSWORDS_SECONDS,
    WrongPasswords,
};
pub use workload::{NewWorkload, WorkloadRow, WorkloadSummary, Workloads};
pub use workload_policy::{PolicyFacts, PolicyFilter, PolicyRow, SetPolicy, WorkloadPolicies};

/// Everything a control plane remembers. Domain code takes `&dyn Store` and never asks which one it is.
pub trait Store:
    AccessKeys
    + AccessRules
    + Audit
    + ChangeLog
    + Clusters
    + CredentialAssets
    + Credentials
    + CustomRoles
    + Departments
    + DesiredState
    + DeviceCodes
    + Directory
    + Fence
    + IdentityProviders
    + Installation
    + Locate
    + Passkeys
    + Projects
    + RefreshTokens
    + Reports
    + SecondFactors
    + SecretAssets
    + SecuritySettings
    + ServiceAccounts
    + Sessions
    + SigningKeys
    + Users
    + WorkloadPolicies
    + Workloads
    + Send
    + Sync
{
}

/// What a write left behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed<T> {
    /// What was made or removed.
    pub value: T,
    /// The clusters whose desired state changed, with the revision each has reached, ascending by cluster.
    pub revisions: Vec<(ClusterId, Revision)>,
    /// What changed in the directory, as it is in the change log. Empty when nothing did.
    pub log: Vec<LoggedChanges>,
    /// What it added to the audit log; none where it wrote no event, or gave or took uids as well.
    pub step: Option<FenceStep>,
}

impl<T> Committed<T> {
    /// Something that changes neither the directory nor any cluster's desired state.
    pub const fn unchanged(value: T) -> Self {
        Self {
            value,
            revisions: Vec::new(),
            log: Vec::new(),
            step: None,
        }
    }

    /// The same changes with another value.
    pub fn map<U>(self, to: impl FnOnce(T) -> U) -> Committed<U> {
        Committed {
            value: to(self.value),
            revisions: self.revisions,
            log: self.log,
            step: self.step,
        }
    }
}

/// Whether a field of facts is left out: nothing that was kept before there was one has it.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes what it may skip by reference"
)]
pub(crate) const fn is_false(value: &bool) -> bool {
    !*value
}

//! What an operation takes in its address.

use reeve_types::{
    AccessKeyId, AccessRuleId, ClusterId, CredentialAssetId, DepartmentId, IdpAlias, PasskeyId,
    PermissionSetId, ProjectId, SecretAssetId, ServiceAccountId, SessionId, Uid, UserId, WorkloadId,
};
use schemars::{Schema, SchemaGenerator, json_schema};

use crate::secret_asset::SECRET_ASSETS;
use crate::setting::{DEPARTMENT_USE, SECURITY_SETTING_KEYS};

/// A parameter in a path, by what it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathParameter {
    /// An access key.
    AccessKey,
    /// An access rule.
    AccessRule,
    /// A cluster.
    Cluster,
    /// A credential.
    Credential,
    /// A department.
    Department,
    /// An identity provider.
    Idp,
    /// A passkey.
    Passkey,
    /// A permission set.
    PermissionSet,
    /// A project.
    Project,
    /// A role.
    Role,
    /// A secret asset.
    SecretAsset,
    /// A setting of signing in.
    SecuritySetting,
    /// A service account.
    ServiceAccount,
    /// A session of a user or service account.
    Session,
    /// A setting of the account.
    TenantSetting,
    /// A uid that was given to somebody.
    Uid,
    /// A user.
    User,
    /// An access key by its older name.
    UserApplication,
    /// A workload of whatever kind.
    Workload,
}

impl PathParameter {
    /// Every parameter, in alphabetical order.
    pub const ALL: [Self; 19] = [
        Self::AccessKey,
        Self::AccessRule,
        Self::Cluster,
        Self::Credential,
        Self::Department,
        Self::Idp,
        Self::Passkey,
        Self::PermissionSet,
        Self::Project,
        Self::Role,
        Self::SecretAsset,
        Self::SecuritySetting,
        Self::ServiceAccount,
        Self::Session,
        Self::TenantSetting,
        Self::Uid,
        Self::User,
        Self::UserApplication,
        Self::Workload,
    ];

    /// As in the path, without braces: the reference's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessKey => "accessKeyId",
            Self::AccessRule => "accessRuleId",
            Self::Cluster => "clusterUuid",
            Self::Credential | Self::SecretAsset => "AssetId",
            Self::Department => "departmentId",
            Self::Idp => "idp",
            Self::Passkey => "passkeyId",
            Self::PermissionSet => "permissionSetId",
            Self::Project => "projectId",
            Self::Role => "roleIdPath",
            Self::SecuritySetting => "key",
            Self::ServiceAccount => "serviceAccountId",
            Self::Session => "sessionId",
            Self::TenantSetting => "settingKey",
            Self::Uid => "uid",
            Self::User => "userId",
            Self::UserApplication => "appId",
            Self::Workload => "workloadId",
        }
    }

    /// The one in a path; `None` for a path without one.
    pub fn of(path: &str) -> Option<Self> {
        let name = path
            .split('/')
            .find_map(|part| part.strip_prefix('{')?.strip_suffix('}'))?;
        match Self::ALL.into_iter().find(|known| known.name() == name) {
            // The reference calls every asset's id the same.
            Some(Self::Credential) if path.starts_with(SECRET_ASSETS) => Some(Self::SecretAsset),
            known => known,
        }
    }

    /// What it looks like.
    pub fn schema(self, generator: &mut SchemaGenerator) -> Schema {
        match self {
            Self::AccessKey | Self::UserApplication => generator.subschema_for::<AccessKeyId>(),
            Self::AccessRule => generator.subschema_for::<AccessRuleId>(),
            Self::Cluster => generator.subschema_for::<ClusterId>(),
            Self::Credential => generator.subschema_for::<CredentialAssetId>(),
            Self::Department => generator.subschema_for::<DepartmentId>(),
            Self::Idp => generator.subschema_for::<IdpAlias>(),
            Self::Passkey => generator.subschema_for::<PasskeyId>(),
            Self::PermissionSet => generator.subschema_for::<PermissionSetId>(),
            Self::Project => generator.subschema_for::<ProjectId>(),
            Self::Role => json_schema!({"type": "integer", "minimum": 1}),
            Self::SecretAsset => generator.subschema_for::<SecretAssetId>(),
            Self::SecuritySetting => json_schema!({"enum": SECURITY_SETTING_KEYS}),
            Self::ServiceAccount => generator.subschema_for::<ServiceAccountId>(),
            Self::Session => generator.subschema_for::<SessionId>(),
            Self::TenantSetting => json_schema!({"enum": [DEPARTMENT_USE]}),
            Self::Uid => generator.subschema_for::<Uid>(),
            Self::User => generator.subschema_for::<UserId>(),
            Self::Workload => generator.subschema_for::<WorkloadId>(),
        }
    }
}

/// A parameter after the `?` of an operation that is no list.
#[derive(Debug, Clone, Copy)]
pub struct QueryParameter {
    /// Its name.
    pub name: &'static str,
    /// The values it may have; empty for any text.
    pub values: &'static [&'static str],
    /// What it does.
    pub about: &'static str,
}

impl QueryParameter {
    /// Where a page begins, of a list that has one order.
    pub const OFFSET: Self = Self::free("offset", "How many to leave out at the front.");
    /// How long such a page is.
    pub const LIMIT: Self = Self::free("limit", "The most on a page: 1 to 500, which is the default.");

    /// One that is any text.
    pub const fn free(name: &'static str, about: &'static str) -> Self {
        Self::word(name, &[], about)
    }

    /// One that is one of some words.
    pub const fn word(name: &'static str, values: &'static [&'static str], about: &'static str) -> Self {
        Self { name, values, about }
    }
}

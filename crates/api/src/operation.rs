//! The one table of operations: router, rights matrix, audit labels and the OpenAPI document are made from its rows. The
//! rows themselves stand with the types of their resource, in `api/src/<resource>.rs`.

mod parameter;
mod row;

use reeve_authz::{Action, Entity};
use schemars::{Schema, SchemaGenerator};

use crate::body::InvalidBody;
use crate::{
    access_key, access_rule, audit_log, authorization, cluster, credential, custom_role, documents, health,
    identity_provider, me, offboarding, org, realm, role, secret_asset, service_account, setting,
    signing_key, token, training, user, workload, workload_policy,
};
use reeve_types::list::ListSpec;

pub use parameter::{PathParameter, QueryParameter};
pub(crate) use row::{delete, get, may, operations, patch, post, put};

/// An operation of the REST API.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// Its name in code.
    pub id: OperationId,
    /// The reference's operation id, or ours in the same style: its name in logs, metrics and documents.
    pub name: &'static str,
    /// The resource it belongs to, as a heading of documents.
    pub tag: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path with `{parameters}`.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// What it takes after the `?`.
    pub query: Query,
    /// What it takes as its body.
    pub body: RequestBody,
    /// The status of success.
    pub success: u16,
    /// What it answers with success.
    pub answer: Answer,
    /// The other statuses that do not follow from the rest of the row; see [`Operation::errors`].
    pub also: &'static [u16],
    /// The resource that the caller signs in to by it, for the audit log.
    pub signs_in_to: Option<Entity>,
    /// What the caller signs out of by it, if the caller needs no permission for that.
    pub signs_out_of: Option<Entity>,
    /// What the caller does by it to something of her own, if that needs no permission.
    pub does_own: Option<(Recorded, Entity)>,
    /// Whether it only asks, although it is no `GET`: it changes nothing, and the audit log says nothing of it.
    pub question: bool,
    /// Whether it is done for somebody who has to choose another password first.
    pub with_temporary_password: bool,
    /// Whether 400 and 401 have the shape of RFC 6749 and not that of all other errors.
    pub oauth: bool,
    /// One line for people.
    pub summary: &'static str,
}

/// The methods in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl From<Method> for http::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

/// Who may call an operation. What is said here is the least: the handler decides on the object itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a token.
    Public,
    /// Whoever has a valid token.
    Authenticated,
    /// Whoever has a valid token and holds this permission somewhere; others get 403 before anything is looked up.
    Requires(Action, Entity),
}

/// Makes the schema of a type, with the types it refers to as components of the generator.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What an operation takes after the `?`.
#[derive(Debug, Clone, Copy)]
pub enum Query {
    /// No parameter; any is refused.
    Nothing,
    /// Paging, sorting, searching and filtering.
    List(&'static ListSpec),
    /// Exactly these parameters.
    Parameters(&'static [QueryParameter]),
}

/// What an operation takes as its body.
#[derive(Debug, Clone, Copy)]
pub enum RequestBody {
    /// None is read: `GET` and `DELETE`.
    Unread,
    /// One that says nothing: absent, `{}` or `null`.
    Empty,
    /// A JSON object.
    Json {
        /// Makes the schema of the object.
        schema: SchemaOf,
        /// Whether its own parser takes these bytes, for tests and tools.
        check: fn(&[u8]) -> Result<(), InvalidBody>,
        /// Whether it holds credentials.
        credentials: bool,
    },
    /// A form (`application/x-www-form-urlencoded`) of credentials, which its handler reads.
    Form {
        /// Makes the schema of its parameters.
        schema: SchemaOf,
    },
}

impl RequestBody {
    /// Whether it is sent before anybody is known, to become known by it.
    pub const fn holds_credentials(self) -> bool {
        matches!(
            self,
            Self::Json {
                credentials: true,
                ..
            } | Self::Form { .. }
        )
    }
}

/// What an operation answers with success.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// An empty body.
    Nothing,
    /// JSON of this schema.
    Json(SchemaOf),
    /// Something else, by its content type.
    Other(&'static str),
}

/// What the audit log calls what an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// Something is made.
    Create,
    /// Something changes.
    Update,
    /// Something is deleted.
    Delete,
    /// The caller signs in to something.
    SignIn,
    /// The caller signs out.
    SignOut,
}

/// An operation's name in code, by resource. The server matches on it without a wildcard, so that an operation without a
/// handler does not compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationId {
    /// Tokens.
    Token(token::TokenOperation),
    /// The realm's public documents.
    Realm(realm::RealmOperation),
    /// The caller.
    Me(me::MeOperation),
    /// Clusters.
    Cluster(cluster::ClusterOperation),
    /// Departments.
    Department(org::DepartmentOperation),
    /// Projects.
    Project(org::ProjectOperation),
    /// Departments and projects alike.
    OrgUnit(org::OrgUnitOperation),
    /// Users.
    User(user::UserOperation),
    /// People who leave.
    Offboarding(offboarding::OffboardingOperation),
    /// Service accounts.
    ServiceAccount(service_account::ServiceAccountOperation),
    /// Service accounts by their older name.
    Application(service_account::ApplicationOperation),
    /// Access keys.
    AccessKey(access_key::AccessKeyOperation),
    /// Access keys by their older name.
    UserApplication(access_key::UserApplicationOperation),
    /// Access rules.
    AccessRule(access_rule::AccessRuleOperation),
    /// Roles.
    Role(role::RoleOperation),
    /// Roles of version 2, and permission sets.
    CustomRole(custom_role::CustomRoleOperation),
    /// The audit log.
    AuditLog(audit_log::AuditLogOperation),
    /// Questions about access.
    Authorization(authorization::AuthorizationOperation),
    /// Identity providers.
    Idp(identity_provider::IdpOperation),
    /// Settings of signing in.
    SecuritySetting(setting::SecuritySettingOperation),
    /// Settings of the account.
    TenantSetting(setting::TenantSettingOperation),
    /// Signing keys.
    SigningKey(signing_key::SigningKeyOperation),
    /// Workloads of every kind.
    Workload(workload::WorkloadOperation),
    /// Trainings.
    Training(training::TrainingOperation),
    /// Credentials that the control plane keeps.
    Credential(credential::CredentialOperation),
    /// Credentials as sources of data.
    SecretAsset(secret_asset::SecretAssetOperation),
    /// Workload policies.
    WorkloadPolicy(workload_policy::WorkloadPolicyOperation),
    /// Whether the server lives and serves.
    Health(health::HealthOperation),
    /// The documentation of this API.
    Document(documents::DocumentOperation),
}

impl OperationId {
    /// The row of the table.
    pub const fn operation(self) -> &'static Operation {
        match self {
            Self::Token(id) => id.row(),
            Self::Realm(id) => id.row(),
            Self::Me(id) => id.row(),
            Self::Cluster(id) => id.row(),
            Self::Department(id) => id.row(),
            Self::Project(id) => id.row(),
            Self::OrgUnit(id) => id.row(),
            Self::User(id) => id.row(),
            Self::Offboarding(id) => id.row(),
            Self::ServiceAccount(id) => id.row(),
            Self::Application(id) => id.row(),
            Self::AccessKey(id) => id.row(),
            Self::UserApplication(id) => id.row(),
            Self::AccessRule(id) => id.row(),
            Self::Role(id) => id.row(),
            Self::CustomRole(id) => id.row(),
            Self::AuditLog(id) => id.row(),
            Self::Authorization(id) => id.row(),
            Self::Idp(id) => id.row(),
            Self::SecuritySetting(id) => id.row(),
            Self::TenantSetting(id) => id.row(),
            Self::SigningKey(id) => id.row(),
            Self::Workload(id) => id.row(),
            Self::Training(id) => id.row(),
            Self::Credential(id) => id.row(),
            Self::SecretAsset(id) => id.row(),
            Self::WorkloadPolicy(id) => id.row(),
            Self::Health(id) => id.row(),
            Self::Document(id) => id.row(),
        }
    }
}

/// The resources, in the order of documents.
const RESOURCES: &[&[Operation]] = &[
    token::OPERATIONS,
    realm::OPERATIONS,
    me::OPERATIONS,
    cluster::OPERATIONS,
    org::DEPARTMENT_OPERATIONS,
    org::PROJECT_OPERATIONS,
    org::ORG_UNIT_OPERATIONS,
    user::OPERATIONS,
    offboarding::OPERATIONS,
    service_account::OPERATIONS,
    service_account::APPLICATION_OPERATIONS,
    access_key::OPERATIONS,
    access_key::USER_APPLICATION_OPERATIONS,
    access_rule::OPERATIONS,
    role::OPERATIONS,
    custom_role::OPERATIONS,
    audit_log::OPERATIONS,
    authorization::OPERATIONS,
    identity_provider::OPERATIONS,
    setting::OPERATIONS,
    setting::TENANT_OPERATIONS,
    signing_key::OPERATIONS,
    workload::OPERATIONS,
    training::OPERATIONS,
    credential::OPERATIONS,
    secret_asset::OPERATIONS,
    workload_policy::OPERATIONS,
    health::OPERATIONS,
    documents::OPERATIONS,
];

/// All operations.
pub const OPERATIONS: &[Operation] = &row::concatenated::<{ row::count(RESOURCES) }>(RESOURCES);

impl Operation {
    /// The parameter in the path; no operation has two.
    pub fn parameter(&self) -> Option<PathParameter> {
        PathParameter::of(self.path)
    }

    /// Whether a body is read, be it only to see that it says nothing.
    pub const fn reads_body(&self) -> bool {
        !matches!(self.body, RequestBody::Unread)
    }

    /// The statuses beside success, ascending: 400 where there is input, 401 and 403 by who may call it (403 also with a temporary password), 404 where the path
    /// names something, 413 where a body is read, 500 and 503 always, and those of [`Operation::also`].
    pub fn errors(&self) -> Vec<u16> {
        let names = self.path.contains('{');
        let input = names || self.reads_body() || !matches!(self.query, Query::Nothing);
        let derived = [
            (400, input),
            (401, self.access != Access::Public),
            (
                403,
                self.access != Access::Public && !self.with_temporary_password,
            ),
            (404, names),
            (413, self.reads_body()),
            (500, true),
            (503, true),
        ];
        let derived = derived
            .into_iter()
            .filter(|(_, may)| *may)
            .map(|(status, _)| status);
        let mut all: Vec<u16> = derived.chain(self.also.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// What the audit log calls it, and the type of resource it is done to; `None` when it changes nothing.
    pub const fn recorded(&self) -> Option<(Recorded, Entity)> {
        match self.access {
            Access::Requires(Action::Create, entity) => Some((Recorded::Create, entity)),
            Access::Requires(Action::Update, entity) => Some((Recorded::Update, entity)),
            Access::Requires(Action::Delete, entity) => Some((Recorded::Delete, entity)),
            _ => match (self.signs_in_to, self.signs_out_of) {
                (Some(entity), _) => Some((Recorded::SignIn, entity)),
                (None, Some(entity)) => Some((Recorded::SignOut, entity)),
                (None, None) => self.does_own,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_rows_answer_the_same_call_or_have_the_same_name() {
        let calls: BTreeSet<_> = OPERATIONS.iter().map(|row| (row.method, row.path)).collect();
        let names: BTreeSet<_> = OPERATIONS.iter().map(|row| row.name).collect();
        assert_eq!((calls.len(), names.len()), (OPERATIONS.len(), OPERATIONS.len()));
        assert!(OPERATIONS.iter().all(|row| row.id.operation().name == row.name));
    }

    #[test]
    fn no_fixed_part_of_a_path_holds_an_underscore() {
        // The reference's client turns them into hyphens (control-plane 0.3, trap 5).
        let fixed = |path: &str| {
            path.split('/')
                .filter(|part| !part.starts_with('{'))
                .any(|part| part.contains('_'))
        };
        let wrong: Vec<_> = OPERATIONS
            .iter()
            .map(|row| row.path)
            .filter(|path| fixed(path))
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn every_parameter_of_a_path_is_known_and_alone() {
        for row in OPERATIONS {
            let count = row.path.matches('{').count();
            assert!(count <= 1, "{}", row.path);
            assert_eq!(row.parameter().is_some(), count == 1, "{}", row.path);
        }
        for parameter in PathParameter::ALL {
            let used = OPERATIONS.iter().any(|row| row.parameter() == Some(parameter));
            assert!(used, "{parameter:?} is in no path");
        }
    }

    #[test]
    fn what_follows_from_the_rest_of_a_row_is_not_written() {
        for row in OPERATIONS {
            let derived = Operation { also: &[], ..*row }.errors();
            let twice: Vec<_> = row.also.iter().filter(|it| derived.contains(it)).collect();
            assert!(twice.is_empty(), "{}: {twice:?}", row.name);
        }
    }

    #[test]
    fn every_change_has_a_name_in_the_audit_log() {
        for row in OPERATIONS.iter().filter(|row| row.method != Method::Get) {
            // Signing in is recorded by its handler, which knows who it was.
            let signs_in = row.access == Access::Public;
            assert!(
                signs_in || row.question || row.recorded().is_some(),
                "{}",
                row.name
            );
            // Asked by a right to read at most.
            assert!(!row.question || row.recorded().is_none(), "{}", row.name);
        }
    }
}

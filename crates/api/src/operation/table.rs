//! The rows. Paths, success codes and errors are those of control-plane 4.2, 4.3 and 4.5, and the errors that our own
//! rules add: 400 for input that cannot be, 404 for what the caller cannot see, 409 for a name that is taken,
//! 413 for a body that is too large (every operation with a body; not repeated here).

use reeve_authz::{Action, Entity};

use super::{Access, Method, Operation};

macro_rules! operations {
    ($(#[doc = $summary:literal] $id:ident = $name:literal, $method:ident $path:literal, $access:expr, $success:literal, $errors:expr;)*) => {
        /// An operation's name in code. The server matches on it without a wildcard, so that an operation without a
        /// handler does not compile.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum OperationId {
            $(#[doc = $summary] $id,)*
        }

        /// All operations.
        pub const OPERATIONS: &[Operation] = &[$(operations!(@row $summary, $id, $name, $method, $path, $access, $success, $errors),)*];

        impl OperationId {
            pub(super) const fn row(self) -> &'static Operation {
                match self {
                    $(Self::$id => const { &operations!(@row $summary, $id, $name, $method, $path, $access, $success, $errors) },)*
                }
            }
        }
    };
    (@row $summary:literal, $id:ident, $name:literal, $method:ident, $path:literal, $access:expr, $success:literal, $errors:expr) => {
        Operation {
            id: OperationId::$id,
            name: $name,
            method: Method::$method,
            path: $path,
            access: $access,
            success: $success,
            errors: &$errors,
            summary: $summary.trim_ascii(),
        }
    };
}

use Access::{Authenticated, Public};

const fn may(action: Action, entity: Entity) -> Access {
    Access::Requires(action, entity)
}

operations! {
    /// Exchange credentials for an access token.
    GrantToken = "grant_token", Post "/api/v1/token", Public, 200, [400, 500, 503];
    /// OpenID discovery of the realm.
    Discovery = "get_openid_configuration", Get "/auth/realms/runai/.well-known/openid-configuration", Public, 200, [500];
    /// The realm's public keys.
    Jwks = "get_jwks", Get "/auth/realms/runai/protocol/openid-connect/certs", Public, 200, [500, 503];
    /// Who the caller is.
    GetMe = "get_me", Get "/api/v1/me", Authenticated, 200, [401, 500, 503];

    /// List clusters.
    GetClusters = "get_clusters", Get "/api/v1/clusters", may(Action::Read, Entity::Cluster), 200, [400, 401, 403, 500, 503];
    /// Create a cluster.
    CreateCluster = "create_cluster", Post "/api/v1/clusters", may(Action::Create, Entity::Cluster), 201, [400, 401, 403, 409, 500, 503];
    /// Get a cluster.
    GetCluster = "get_cluster_by_uuid", Get "/api/v1/clusters/{clusterUuid}", may(Action::Read, Entity::Cluster), 200, [400, 401, 403, 404, 500, 503];
    /// Set where people reach a cluster's API server.
    UpdateCluster = "patch_cluster", Patch "/api/v1/clusters/{clusterUuid}", may(Action::Update, Entity::Cluster), 200, [400, 401, 403, 404, 500, 503];
    /// Give a cluster's link a new secret; the old one's tokens and streams end.
    RegenerateClusterSecret = "regenerate_cluster_secret", Post "/api/v1/clusters/{clusterUuid}/secret", may(Action::Update, Entity::Cluster), 200, [400, 401, 403, 404, 500, 503];
    /// Delete a cluster with all that is in it.
    DeleteCluster = "delete_cluster", Delete "/api/v1/clusters/{clusterUuid}", may(Action::Delete, Entity::Cluster), 204, [400, 401, 403, 404, 500, 503];
    /// Get a token for a cluster's API server.
    CreateKubernetesToken = "create_kubernetes_token", Post "/api/v1/clusters/{clusterUuid}/kubernetes-token", Authenticated, 200, [400, 401, 403, 404, 500, 503];
    /// Get the address of a cluster's API server.
    GetKubernetesEndpoint = "get_kubernetes_endpoint", Get "/api/v1/clusters/{clusterUuid}/kubernetes-endpoint", Authenticated, 200, [400, 401, 403, 404, 500, 503];
    /// Set the lowest uid and gid that people may have in a cluster.
    SetClusterLowestId = "set_cluster_lowest_id", Put "/api/v1/clusters/{clusterUuid}/lowest-id", may(Action::Update, Entity::Cluster), 200, [400, 401, 403, 404, 500, 503];

    /// List departments.
    GetDepartments = "get_departments", Get "/api/v1/org-unit/departments", may(Action::Read, Entity::Department), 200, [400, 401, 403, 500, 503];
    /// Create a department.
    CreateDepartment = "create_department", Post "/api/v1/org-unit/departments", may(Action::Create, Entity::Department), 201, [400, 401, 403, 404, 409, 500, 503];
    /// Count departments.
    CountDepartments = "count_departments", Get "/api/v1/org-unit/departments/count", may(Action::Read, Entity::Department), 200, [400, 401, 403, 500, 503];
    /// Get a department.
    GetDepartment = "get_department", Get "/api/v1/org-unit/departments/{departmentId}", may(Action::Read, Entity::Department), 200, [400, 401, 403, 404, 500, 503];
    /// Delete a department with its projects.
    DeleteDepartment = "delete_department", Delete "/api/v1/org-unit/departments/{departmentId}", may(Action::Delete, Entity::Department), 204, [400, 401, 403, 404, 500, 503];

    /// List projects.
    GetProjects = "get_projects", Get "/api/v1/org-unit/projects", may(Action::Read, Entity::Project), 200, [400, 401, 403, 500, 503];
    /// Create a project.
    CreateProject = "create_project", Post "/api/v1/org-unit/projects", may(Action::Create, Entity::Project), 201, [400, 401, 403, 404, 409, 500, 503];
    /// Count projects.
    CountProjects = "count_projects", Get "/api/v1/org-unit/projects/count", may(Action::Read, Entity::Project), 200, [400, 401, 403, 500, 503];
    /// Get a project.
    GetProject = "get_project", Get "/api/v1/org-unit/projects/{projectId}", may(Action::Read, Entity::Project), 200, [400, 401, 403, 404, 500, 503];
    /// Delete a project; its namespace and workloads stay.
    DeleteProject = "delete_project", Delete "/api/v1/org-unit/projects/{projectId}", may(Action::Delete, Entity::Project), 204, [400, 401, 403, 404, 500, 503];

    /// List users.
    GetUsers = "get_users", Get "/api/v1/users", may(Action::Read, Entity::Users), 200, [400, 401, 403, 500, 503];
    /// Create a local user.
    CreateUser = "create_user", Post "/api/v1/users", may(Action::Create, Entity::Users), 201, [400, 401, 403, 409, 500, 503];
    /// Count users.
    CountUsers = "count_users", Get "/api/v1/users/count", may(Action::Read, Entity::Users), 200, [400, 401, 403, 500, 503];
    /// Get a user.
    GetUser = "get_user_by_id", Get "/api/v1/users/{userId}", may(Action::Read, Entity::Users), 200, [400, 401, 403, 404, 500, 503];
    /// Delete a user.
    DeleteUser = "delete_user_by_id", Delete "/api/v1/users/{userId}", may(Action::Delete, Entity::Users), 204, [400, 401, 403, 404, 409, 500, 503];
    /// Set the numbers a user's containers run with.
    SetUserPosix = "set_user_posix", Put "/api/v1/users/{userId}/posix", may(Action::Update, Entity::Users), 200, [400, 401, 403, 404, 409, 500, 503];
    /// Make a uid free again that was given by mistake.
    ReleaseUid = "release_uid", Delete "/api/v1/uids/{uid}", may(Action::Update, Entity::Users), 204, [400, 401, 403, 404, 409, 500, 503];

    /// Give a user a new password; her tokens end.
    ResetUserPassword = "reset_user_password", Post "/api/v1/users/{userId}/password", may(Action::Update, Entity::Users), 200, [400, 401, 403, 404, 500, 503];
    /// End a user's tokens.
    LogoutUser = "logout_user", Post "/api/v1/users/{userId}/logout", may(Action::Update, Entity::Users), 200, [400, 401, 403, 404, 500, 503];

    /// List service accounts.
    GetServiceAccounts = "get_service_accounts", Get "/api/v1/service-accounts", may(Action::Read, Entity::ServiceAccount), 200, [400, 401, 403, 500, 503];
    /// Create a service account.
    CreateServiceAccount = "create_service_account", Post "/api/v1/service-accounts", may(Action::Create, Entity::ServiceAccount), 201, [400, 401, 403, 409, 500, 503];
    /// Get a service account.
    GetServiceAccount = "get_service_account_by_id", Get "/api/v1/service-accounts/{serviceAccountId}", may(Action::Read, Entity::ServiceAccount), 200, [400, 401, 403, 404, 500, 503];
    /// Enable or disable a service account; disabled, its tokens and rules are out of effect.
    UpdateServiceAccount = "update_service_account_by_id", Patch "/api/v1/service-accounts/{serviceAccountId}", may(Action::Update, Entity::ServiceAccount), 200, [400, 401, 403, 404, 500, 503];
    /// Give a service account a new secret; its tokens end.
    RegenerateServiceAccountSecret = "regenerate_service_account_secret", Post "/api/v1/service-accounts/{serviceAccountId}/secret", may(Action::Update, Entity::ServiceAccount), 200, [400, 401, 403, 404, 500, 503];
    /// Delete a service account.
    DeleteServiceAccount = "delete_service_account_by_id", Delete "/api/v1/service-accounts/{serviceAccountId}", may(Action::Delete, Entity::ServiceAccount), 204, [400, 401, 403, 404, 500, 503];

    /// List access rules.
    GetAccessRules = "get_access_rules", Get "/api/v1/authorization/access-rules", may(Action::Read, Entity::AccessRules), 200, [400, 401, 403, 500, 503];
    /// Create an access rule.
    CreateAccessRule = "create_access_rule", Post "/api/v1/authorization/access-rules", may(Action::Create, Entity::AccessRules), 201, [400, 401, 403, 404, 409, 500, 503];
    /// Count access rules.
    CountAccessRules = "count_access_rules", Get "/api/v1/authorization/access-rules/count", may(Action::Read, Entity::AccessRules), 200, [400, 401, 403, 500, 503];
    /// Get an access rule.
    GetAccessRule = "get_access_rule", Get "/api/v1/authorization/access-rules/{accessRuleId}", may(Action::Read, Entity::AccessRules), 200, [400, 401, 403, 404, 500, 503];
    /// Delete an access rule.
    DeleteAccessRule = "delete_access_rule", Delete "/api/v1/authorization/access-rules/{accessRuleId}", may(Action::Delete, Entity::AccessRules), 204, [400, 401, 403, 404, 409, 500, 503];
    /// List roles.
    GetRoles = "get_roles_v1", Get "/api/v1/authorization/roles", may(Action::Read, Entity::Roles), 200, [400, 401, 403, 500, 503];
    /// Get a role.
    GetRole = "get_role_v1", Get "/api/v1/authorization/roles/{roleIdPath}", may(Action::Read, Entity::Roles), 200, [400, 401, 403, 404, 500, 503];

    /// List workloads.
    GetWorkloads = "get_workloads", Get "/api/v1/workloads", may(Action::Read, Entity::Workloads), 200, [400, 401, 403, 500, 503];
    /// Count workloads.
    CountWorkloads = "count_workloads", Get "/api/v1/workloads/count", may(Action::Read, Entity::Workloads), 200, [400, 401, 403, 500, 503];
    /// Get a workload of whatever kind.
    GetWorkload = "get_workload", Get "/api/v1/workloads/{workloadId}", may(Action::Read, Entity::Workloads), 200, [400, 401, 403, 404, 500, 503];
    /// List trainings.
    GetTrainings = "get_trainings", Get "/api/v1/workloads/trainings", may(Action::Read, Entity::Workloads), 200, [400, 401, 403, 500, 503];
    /// Submit a training.
    CreateTraining = "create_training1", Post "/api/v1/workloads/trainings", may(Action::Create, Entity::Trainings), 202, [400, 401, 403, 404, 409, 500, 503];
    /// Get a training.
    GetTraining = "get_training", Get "/api/v1/workloads/trainings/{workloadId}", may(Action::Read, Entity::Trainings), 200, [400, 401, 403, 404, 500, 503];
    /// Delete a training.
    DeleteTraining = "delete_training", Delete "/api/v1/workloads/trainings/{workloadId}", may(Action::Delete, Entity::Trainings), 202, [400, 401, 403, 404, 500, 503];

    /// Whether the process lives.
    Healthz = "healthz", Get "/healthz", Public, 200, [500];
    /// Whether it can serve; lists what is missing.
    Readyz = "readyz", Get "/readyz", Public, 200, [500, 503];
    /// Metrics in the text format of OpenMetrics.
    Metrics = "metrics", Get "/metrics", Public, 200, [500];
}

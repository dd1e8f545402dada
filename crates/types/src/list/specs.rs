//! What each list takes: the reference's fields as far as they have a value here.

use super::column::{Column, ColumnFacts, Kind, list};
use super::{ListSpec, MAX_LIMIT, Operator};

const SOME: &[Operator] = &[
    Operator::Equal,
    Operator::AtMost,
    Operator::AtLeast,
    Operator::Contains,
];

list! {
    /// `GET /api/v1/users` and its count.
    UserColumn, USERS;
    operators: SOME, default_limit: MAX_LIMIT, extras: &["filter"];
    /// The email.
    Username: "username" Text.searched(),
    /// Who made it.
    CreatedBy: "createdBy" Text.searched(),
    /// The last sign-in.
    LastLogin: "lastLogin" Moment.nullable(),
    /// When it was made.
    CreationTime: "creationTime" Moment,
    /// When it was last changed.
    LastUpdated: "lastUpdated" Moment,
    /// `true` with a password of ours, otherwise `false`.
    IsLocal: "isLocal" Text,
    /// `local` with a password of ours, otherwise `sso`.
    Type: "type" Text,
}

list! {
    /// `GET /api/v1/service-accounts`, and the same by its older name. Pages of our own: the reference has no parameters there.
    ServiceAccountColumn, SERVICE_ACCOUNTS;
    operators: SOME, default_limit: MAX_LIMIT, extras: &[];
    /// Its name.
    Name: "name" Text.searched(),
    /// Who made it.
    CreatedBy: "createdBy" Text.searched(),
    /// When it was made.
    CreatedAt: "createdAt" Moment,
    /// When it was last enabled, disabled or given a secret.
    UpdatedAt: "updatedAt" Moment,
    /// `true` where it may sign in, otherwise `false`.
    Enabled: "enabled" Text,
    /// The last sign-in.
    LastLogin: "lastLogin" Moment.nullable(),
}

list! {
    /// `GET /api/v1/audit/log/file`.
    AuditColumn, AUDIT;
    operators: &Operator::ALL, default_limit: 20, extras: &["start", "end", "numberOfSamples", "fileType", "file_type"];
    /// When it was.
    Timestamp: "timestamp" Moment,
    /// Who did it.
    Subject: "subject" Text.searched(),
    /// `user` or `app`.
    SubjectType: "subject_type" Text,
    /// From which address.
    SourceIp: "source_ip" Text,
    /// The reference's word for what was done.
    Action: "action" Text,
    /// The method of the request.
    HttpMethod: "http_method" Text,
    /// How it ended.
    Result: "result" Text,
    /// The path of the operation.
    Url: "url" Text,
    /// The type of resource that it was done to.
    EntityType: "entity_type" Text,
    /// The name of what it was done to.
    EntityName: "entity_name" Text.searched(),
    /// The id of what it was done to.
    EntityId: "entity_id" Text,
    /// The name that its cluster had.
    ClusterName: "cluster_name" Text.nullable(),
}

/// `GET /api/v1/audit/log`: the same without what is of files.
pub const AUDIT_LOG: ListSpec = ListSpec {
    extras: &["start", "end", "numberOfSamples"],
    ..AUDIT
};

list! {
    /// `GET /api/v1/org-unit/departments` and its count.
    DepartmentColumn, DEPARTMENTS;
    operators: &Operator::ALL, default_limit: 50, extras: &["verbosity"];
    /// Its number.
    Id: "id" Number,
    /// Its name.
    Name: "name" Text.searched(),
    /// Its cluster.
    ClusterId: "clusterId" Text,
    /// When it was made.
    CreatedAt: "createdAt" Moment,
    /// What people say of it; nothing to whom sees its name alone.
    Description: "description" Text.nullable().only_searched(),
}

list! {
    /// `GET /api/v1/org-unit/projects` and its count.
    ProjectColumn, PROJECTS;
    operators: &Operator::ALL, default_limit: 50, extras: &[];
    /// Its number.
    Id: "id" Number,
    /// Its name.
    Name: "name" Text.searched(),
    /// Its cluster.
    ClusterId: "clusterId" Text,
    /// Its department.
    DepartmentId: "departmentId" Number,
    /// The same.
    ParentId: "parentId" Number,
    /// Its department's name.
    ParentName: "parentName" Text.searched(),
    /// The phase as the list shows it.
    Phase: "phase" Text,
    /// When it was made.
    CreatedAt: "createdAt" Moment,
    /// What people say of it.
    Description: "description" Text.nullable().only_searched(),
}

list! {
    /// `GET /api/v1/authorization/access-rules` and its count.
    AccessRuleColumn, ACCESS_RULES;
    operators: &Operator::ALL, default_limit: 50,
    extras: &["lastUpdated", "subjectType", "subjectIdFilter", "subjectIds", "includeDeleted", "clusterId", "scopeType",
              "scopeId", "roleId"];
    /// Email, group or name of the service account.
    SubjectId: "subjectId" Text.nullable().searched(),
    /// Which of the three.
    SubjectType: "subjectType" Text,
    /// Its role.
    RoleId: "roleId" Number,
    /// Its scope.
    ScopeId: "scopeId" Text,
    /// The kind of its scope.
    ScopeType: "scopeType" Text,
    /// Its role's name.
    RoleName: "roleName" Text.searched(),
    /// The name of its scope: of one that is no more, the last one.
    ScopeName: "scopeName" Text.nullable().searched(),
    /// When it was made.
    CreatedAt: "createdAt" Moment,
    /// When it was deleted.
    DeletedAt: "deletedAt" Moment.nullable(),
    /// Who made it.
    CreatedBy: "createdBy" Text.searched(),
    /// The worst of what the clusters that it reaches say.
    Phase: "phase" Text.nullable(),
}

list! {
    /// `GET /api/v2/authorization/roles`.
    RoleColumn, ROLES;
    operators: &Operator::ALL, default_limit: 50, extras: &[];
    /// Its name.
    Name: "name" Text.searched(),
    /// What it is for.
    Description: "description" Text.only_searched(),
    /// When it was made.
    CreatedAt: "createdAt" Moment,
    /// Who made it.
    CreatedBy: "createdBy" Text.searched(),
    /// `true` of one that was made here.
    Custom: "custom" Text,
    /// `tenant`: every role is the account's.
    ScopeType: "scopeType" Text,
    /// `true` where it may be given.
    Enabled: "enabled" Text,
}

list! {
    /// `GET /api/v1/workloads`, its count, and the trainings among them.
    WorkloadColumn, WORKLOADS;
    operators: &Operator::ALL, default_limit: 50, extras: &["deleted"];
    /// Its kind.
    Type: "type" Text.searched(),
    /// Its name.
    Name: "name" Text.searched(),
    /// Its cluster.
    ClusterId: "clusterId" Text,
    /// Its project.
    ProjectId: "projectId" Number,
    /// Its project's name.
    ProjectName: "projectName" Text.searched(),
    /// Its department.
    DepartmentId: "departmentId" Number,
    /// Its department's name.
    DepartmentName: "departmentName" Text.searched(),
    /// When it was made.
    CreatedAt: "createdAt" Moment,
    /// Always absent: what was deleted is not kept.
    DeletedAt: "deletedAt" Moment.nullable(),
    /// Who asked for it.
    SubmittedBy: "submittedBy" Text.searched(),
    /// The phase as the list shows it.
    Phase: "phase" Text.searched(),
    /// When it ended.
    CompletedAt: "completedAt" Moment.nullable(),
    /// Since when it is in its phase.
    PhaseUpdatedAt: "phaseUpdatedAt" Moment,
    /// Its category.
    Category: "category" Text,
}

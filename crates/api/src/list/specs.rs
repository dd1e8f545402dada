//! What each list takes: the reference's fields as far as they have a value here.

use super::{ListSpec, MAX_LIMIT, Operator};

const SOME: &[Operator] = &[
    Operator::Equal,
    Operator::AtMost,
    Operator::AtLeast,
    Operator::Contains,
];

/// `GET /api/v1/users` and its count.
pub const USERS: ListSpec = ListSpec {
    fields: &[
        "username",
        "createdBy",
        "lastLogin",
        "creationTime",
        "lastUpdated",
        "isLocal",
        "type",
    ],
    operators: SOME,
    default_limit: MAX_LIMIT,
    search: true,
    extras: &["filter"],
};

/// `GET /api/v1/org-unit/departments` and its count.
pub const DEPARTMENTS: ListSpec = ListSpec {
    fields: &["id", "name", "clusterId", "createdAt"],
    operators: &Operator::ALL,
    default_limit: 50,
    search: true,
    extras: &["verbosity"],
};

/// `GET /api/v1/org-unit/projects` and its count.
pub const PROJECTS: ListSpec = ListSpec {
    fields: &[
        "id",
        "name",
        "clusterId",
        "departmentId",
        "parentId",
        "parentName",
        "phase",
        "createdAt",
    ],
    operators: &Operator::ALL,
    default_limit: 50,
    search: true,
    extras: &[],
};

/// `GET /api/v1/authorization/access-rules` and its count.
pub const ACCESS_RULES: ListSpec = ListSpec {
    fields: &[
        "subjectId",
        "subjectType",
        "roleId",
        "scopeId",
        "scopeType",
        "roleName",
        "scopeName",
        "createdAt",
        "deletedAt",
        "createdBy",
        "phase",
    ],
    operators: &Operator::ALL,
    default_limit: 50,
    search: true,
    extras: &[
        "lastUpdated",
        "subjectType",
        "subjectIdFilter",
        "subjectIds",
        "includeDeleted",
        "clusterId",
        "scopeType",
        "scopeId",
        "roleId",
    ],
};

/// `GET /api/v1/workloads`, its count, and the trainings among them.
pub const WORKLOADS: ListSpec = ListSpec {
    fields: &[
        "type",
        "name",
        "clusterId",
        "projectId",
        "projectName",
        "departmentId",
        "departmentName",
        "createdAt",
        "deletedAt",
        "submittedBy",
        "phase",
        "completedAt",
        "phaseUpdatedAt",
        "category",
    ],
    operators: &Operator::ALL,
    default_limit: 50,
    search: true,
    extras: &["deleted"],
};

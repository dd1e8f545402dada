//! An organization of the size that the bars are for, written while no server runs: by REST it would take minutes. One text for both
//! databases. What is copied is made by REST first ([`make_one_of_each`]), in a cluster that no operator serves; what is new has ids from
//! 100,002 on.

use anyhow::Result;
use reeve_e2e::Rest;
use serde_json::json;

/// A department that the seed makes.
pub(crate) const A_DEPARTMENT: &str = "100002";

/// Makes the cluster, the department and the project that the seed copies.
///
/// # Errors
/// The control plane refuses.
pub(crate) async fn make_one_of_each(admin: &Rest) -> Result<()> {
    let cluster = json!({"name": "seeded"});
    let cluster = admin.post("/api/v1/clusters", cluster).await?.expect(201)?;
    let department = json!({"name": "department-1", "clusterId": cluster.get("uuid"), "resources": []});
    let path = "/api/v1/org-unit/departments";
    let department = admin.post(path, department).await?.expect(201)?;
    let project = json!({"name": "project-1", "clusterId": cluster.get("uuid"), "parentId": department.get("id"), "resources": []});
    let path = "/api/v1/org-unit/projects";
    admin.post(path, project).await?.expect(201).map(drop)
}

/// In this order.
pub(crate) const STATEMENTS: [&str; 9] = [
    "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
     INSERT INTO departments (id, cluster_id, name, details, created_at, created_by, description_folded)
     SELECT 100000 + n.i, d.cluster_id, 'department-' || n.i, d.details, d.created_at + n.i, d.created_by, 'a department'
     FROM n, departments d WHERE d.name = 'department-1'",
    "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
     INSERT INTO projects (id, cluster_id, department_id, name, namespace, namespace_requested, details, created_at,
                           created_by, description_folded)
     SELECT 100000 + n.i, p.cluster_id, n.i % 99 + 100002, 'project-' || n.i, 'reeve-project-' || n.i, p.namespace_requested, p.details,
            p.created_at + n.i, p.created_by, 'a project'
     FROM n, projects p WHERE p.name = 'project-1'",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
     INSERT INTO users (id, email, password, created_at, created_by, updated_at)
     SELECT '00000000-0000-4000-8000-' || CAST(100000000000 + n.i AS TEXT), 'user-' || n.i || '@bench.example', 'none',
            1700000000000 + n.i, 'admin@reeve.example', 1700000000000 + n.i
     FROM n",
    "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 49999)
     INSERT INTO access_rules (id, subject_kind, subject, role_id, scope_type, scope_id, scope_name, cluster_id,
                               department_id, project_id, created_at, created_by, subject_folded, scope_name_folded)
     SELECT 101000 + n.i, 'user', 'user-' || (n.i % 20000 + 1) || '@bench.example', 9, 'project', CAST(p.id AS TEXT), p.name,
            p.cluster_id, p.department_id, p.id, 1700000000000 + n.i, 'admin@reeve.example',
            'user-' || (n.i % 20000 + 1) || '@bench.example', p.name
     FROM n JOIN projects p ON p.id = (n.i / 20000 * 3001 + n.i) % 9999 + 100002",
    "INSERT INTO object_status (cluster_id, kind, object_id, phase, message, updated_at)
     SELECT cluster_id, 'access-rule', CAST(id AS TEXT), 'Ready', '', 1700000000000 FROM access_rules
     WHERE cluster_id IS NOT NULL AND id > 100000",
    "INSERT INTO object_status (cluster_id, kind, object_id, phase, message, updated_at)
     SELECT cluster_id, 'project', CAST(id AS TEXT), 'Ready', '', 1700000000000 FROM projects WHERE id > 100000",
    "UPDATE counters SET value = 100100 WHERE name = 'department'",
    "UPDATE counters SET value = 110000 WHERE name = 'project'",
    "UPDATE counters SET value = 160000 WHERE name = 'access_rule'",
];

//! What one request takes along: a department of thousands of projects.

use reeve_testkit::is_whole;
use reqwest::Method;
use serde_json::json;

use crate::database::Beside;
use crate::floods::{administrator, made, started, text};
use crate::process::fresh;

/// How many projects; five rules each. `make chaos` deletes ten times as many, the size that the figures of lists are for.
fn projects() -> usize {
    if is_whole("CHAOS") { 10_000 } else { 1_000 }
}

/// The most that the process may have had in memory, in KiB: 200 MiB.
const MOST: u64 = 200 * 1024;

/// Written beside the server: by requests it would take an hour. Rules and projects are in the cluster's desired state, too.
const FURNISHED: [&str; 5] = [
    "INSERT INTO projects (id, cluster_id, department_id, name, namespace, namespace_requested, details, created_at, created_by)
     WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < (SELECT most FROM wide))
     SELECT n.i, p.cluster_id, p.department_id, 'p' || n.i, 'reeve-p' || n.i, FALSE, p.details, p.created_at, p.created_by
     FROM n, projects p WHERE p.id = 1",
    "INSERT INTO access_rules (id, subject_kind, subject, role_id, scope_type, scope_id, scope_name, cluster_id, department_id,
                               project_id, created_at, created_by, subject_folded, scope_name_folded)
     WITH n (i) AS (VALUES (1), (2), (3), (4), (5))
     SELECT p.id * 10 + n.i, 'group', 'g' || n.i, 9, 'project', CAST(p.id AS TEXT), p.name, p.cluster_id, p.department_id, p.id,
            0, 'x', 'g' || n.i, p.name FROM projects p, n",
    "INSERT INTO desired_objects (cluster_id, kind, object_id, revision, body)
     SELECT cluster_id, 'access-rule', CAST(id AS TEXT), 1, '{}' FROM access_rules WHERE cluster_id IS NOT NULL",
    "INSERT INTO desired_objects (cluster_id, kind, object_id, revision, body)
     SELECT cluster_id, 'project', CAST(id AS TEXT), 1, '{}' FROM projects WHERE id > 1",
    "DROP TABLE wide",
];

/// A field of what the system says of a process, in KiB.
fn memory(pid: u32, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Deleting it takes everything along, and what it needs in memory for that has a bound.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_department_of_thousands_of_projects_is_deleted_within_bounds() {
    let (_dir, data) = fresh();
    let running = started(&data, &[]).await;
    let admin = administrator(&running).await;
    let cluster = made(&running, &admin, "/api/v1/clusters", json!({"name": "wide"})).await;
    let body = json!({"name": "d", "clusterId": cluster["uuid"], "resources": []});
    let department = made(&running, &admin, "/api/v1/org-unit/departments", body).await;
    let body =
        json!({"name": "p1", "clusterId": cluster["uuid"], "parentId": department["id"], "resources": []});
    made(&running, &admin, "/api/v1/org-unit/projects", body).await;
    running.stop().await;
    let beside = Beside::program(&data);
    let most = format!("CREATE TABLE wide AS SELECT {} AS most", projects());
    beside.write(&most).await;
    for statement in FURNISHED {
        beside.write(statement).await;
    }

    let running = started(&data, &[]).await;
    let admin = administrator(&running).await;
    let before = memory(running.pid(), "VmRSS:");
    let path = running.url(&format!(
        "/api/v1/org-unit/departments/{}",
        department["id"].as_str().unwrap()
    ));
    let sent = running.client.request(Method::DELETE, path).bearer_auth(&admin);
    let (status, said) = text(sent.send().await.unwrap()).await;
    assert_eq!(status, 204, "{said}");
    let most = memory(running.pid(), "VmHWM:");
    println!(
        "resident: {before} KiB with {} projects, at most {most} KiB",
        projects()
    );
    assert!(most < MOST, "{before} KiB before, {most} KiB at most");
    for list in ["/api/v1/org-unit/projects", "/api/v1/authorization/access-rules"] {
        let sent = running
            .client
            .get(running.url(&format!("{list}/count")))
            .bearer_auth(&admin);
        let (status, said) = text(sent.send().await.unwrap()).await;
        assert_eq!(status, 200, "{said}");
        assert!(said["count"].as_i64().unwrap() <= 1, "{list}: {said}");
    }
    running.stop().await;
}

//! How each database goes about a page: by an index, and without reading the table.

use reeve_authz::{Entity, Index, Principal, RoleId, Rule, Scope, SubjectKey, Visible};
use reeve_store::{AccessRuleFilter, AssetFilter, PolicyFilter};
use reeve_testkit::own_postgres;
use reeve_types::list::{
    AccessRuleColumn, Column, ListQuery, PageQuery, ProjectColumn, ServiceAccountColumn, UserColumn,
    WorkloadColumn,
};
use reeve_types::{AccessRuleId, DepartmentId, ProjectId, Timestamp};

use crate::audit_key::AuditKey;
use crate::driver::{Statement, Tx};
use crate::{
    SqlStore, access_rules, assets, clusters, policy_rows, projects, service_accounts, users, workloads,
};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A table of each size that a plan is worth something for. One text for both databases.
const ROWS: [&str; 13] = [
    "INSERT INTO clusters (id, name, credential, applied_revision, created_at, created_by)
     VALUES ('00000000-0000-4000-8000-000000000001', 'a', 'x', 0, 0, 'x')",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
     INSERT INTO departments (id, cluster_id, name, details, created_at, created_by)
     SELECT n.i, c.id, 'd' || n.i, '{}', 0, 'x' FROM n, clusters c",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
     INSERT INTO projects (id, cluster_id, department_id, name, namespace, namespace_requested, details, created_at,
                           created_by)
     SELECT n.i, c.id, n.i % 100 + 1, 'p' || n.i, 'p' || n.i, FALSE, '{}', n.i, 'x' FROM n, clusters c",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
     INSERT INTO users (id, email, created_at, created_by, updated_at)
     SELECT 'u' || n.i, 'u' || n.i || '@b.co', n.i, 'x', 0 FROM n",
    "INSERT INTO access_rules (id, subject_kind, subject, role_id, scope_type, scope_id, scope_name, cluster_id,
                               department_id, project_id, created_at, created_by, subject_folded, scope_name_folded)
     SELECT p.id, 'group', 'g' || p.id, 9, 'project', CAST(p.id AS TEXT), p.name, p.cluster_id, p.department_id, p.id, p.id,
            'x', 'g' || p.id, p.name FROM projects p",
    "INSERT INTO workloads (id, cluster_id, project_id, name, submitted_by, image, created_at)
     SELECT 'w' || p.id, p.cluster_id, p.id, 'w', 'x', 'i', p.id FROM projects p",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
     INSERT INTO service_accounts (id, name, secret, enabled, created_at, created_by, updated_at)
     SELECT 'a' || n.i, 'a' || n.i, 'x', TRUE, n.i, 'x', 0 FROM n",
    "INSERT INTO workload_policies (id, scope_type, scope_id, kind, name, policy, created_at, created_by, updated_at, updated_by)
     SELECT 'p' || p.id, 'project', CAST(p.id AS TEXT), 'training', 'p', '{}', 0, 'x', 0, 'x' FROM projects p",
    "INSERT INTO workload_policies (id, scope_type, scope_id, kind, name, policy, created_at, created_by, updated_at, updated_by)
     SELECT 'w' || p.id, 'project', CAST(p.id AS TEXT), 'workspace', 'p', '{}', 0, 'x', 0, 'x' FROM projects p",
    "INSERT INTO credential_assets (id, kind, name, scope_type, scope_id, cluster_id, department_id, project_id, shown, key_id, sealed,
                                    stamp, created_at, created_by, updated_at, updated_by, update_count)
     SELECT 'c' || p.id, 'password', 'c' || p.id, 'project', CAST(p.id AS TEXT), p.cluster_id, p.department_id, p.id, '{}', 1, 'x',
            'x', 0, 'x', 0, 'x', 0 FROM projects p",
    "INSERT INTO secret_assets (id, name, scope_type, scope_id, cluster_id, department_id, project_id, credential_id, created_at,
                                created_by, updated_at, updated_by, update_count)
     SELECT 's' || p.id, 's' || p.id, 'project', CAST(p.id AS TEXT), p.cluster_id, p.department_id, p.id, 'c' || p.id, 0, 'x', 0, 'x',
            0 FROM projects p",
    "INSERT INTO clusters (id, name, credential, applied_revision, created_at, created_by)
     SELECT 'c' || p.id, 'c' || p.id, 'x', 0, 0, 'x' FROM projects p",
    "INSERT INTO cluster_revisions (cluster_id, revision) SELECT c.id, 1 FROM clusters c",
];

fn visible(entity: Entity, scope: Scope) -> Visible {
    let mut index = Index::new();
    let cluster = "00000000-0000-4000-8000-000000000001".parse().unwrap();
    index.add_cluster(cluster);
    index.add_department(DepartmentId::new(7).unwrap(), cluster);
    let subject = SubjectKey::User("a@b.co".parse().unwrap());
    index.add_rule(Rule {
        id: AccessRuleId::new(1).unwrap(),
        subject: subject.clone(),
        role: RoleId::SYSTEM_ADMINISTRATOR,
        scope,
    });
    index.visible(&Principal::alone(subject), entity).unwrap()
}

fn by<C: Column>(sort: Option<C>) -> ListQuery<C> {
    let mut query = ListQuery::default();
    query.sort = sort;
    query.limit = 50;
    query
}

/// Pages of fifty, each with the table it is of; and what is found without pages.
fn pages() -> Vec<(&'static str, Statement)> {
    let mut all = Vec::new();
    for scope in [Scope::Account, Scope::Department(DepartmentId::new(7).unwrap())] {
        for sort in [None, Some(ProjectColumn::Name), Some(ProjectColumn::CreatedAt)] {
            let query = by(sort);
            let list = projects::list(&visible(Entity::Project, scope), &query).unwrap();
            all.push(("projects p", list.page_statement("SELECT p.id ", "")));
        }
        for sort in [
            None,
            Some(AccessRuleColumn::SubjectId),
            Some(AccessRuleColumn::CreatedAt),
        ] {
            let query = by(sort);
            let filter = AccessRuleFilter::default();
            let list = access_rules::list(&visible(Entity::AccessRules, scope), &query, &filter).unwrap();
            all.push(("access_rules r", list.page_statement("SELECT r.id ", "")));
        }
        let query = by::<WorkloadColumn>(None);
        let list = workloads::list(&visible(Entity::Workloads, scope), &query).unwrap();
        all.push(("workloads w", list.page_statement("SELECT w.id ", "")));
    }
    for sort in [None, Some(UserColumn::CreationTime)] {
        let query = by(sort);
        let list = users::list(&query, None);
        all.push(("users u", list.page_statement("SELECT u.id ", "")));
    }
    let query = by::<ServiceAccountColumn>(None);
    let list = service_accounts::list(&query);
    all.push(("service_accounts a", list.page_statement("SELECT a.id ", "")));
    all.push(("workload_policies p", policies_of_a_project()));
    let page = PageQuery {
        limit: 50,
        ..PageQuery::default()
    };
    all.push(("clusters c", clusters::list(None, page)));
    let filter = AssetFilter {
        page: Some(page),
        ..AssetFilter::default()
    };
    for scope in [Scope::Account, Scope::Department(DepartmentId::new(7).unwrap())] {
        for (table, select) in [
            ("credential_assets a", "SELECT a.id FROM credential_assets a"),
            ("secret_assets a", "SELECT a.id FROM secret_assets a"),
        ] {
            let visible = visible(Entity::Credentials, scope);
            all.push((table, assets::list(select, &visible, &filter, [])));
        }
    }
    all
}

/// The policies of one project, as who sees everything asks for them.
fn policies_of_a_project() -> Statement {
    let project = Scope::Project(ProjectId::new(7).unwrap());
    let filter = PolicyFilter {
        scopes: vec![project],
        ..PolicyFilter::default()
    };
    policy_rows::list(&visible(Entity::Policies, Scope::Account), &filter)
}

async fn furnish(store: &SqlStore) {
    let mut tx = store.write("furnish").await.unwrap();
    for statement in ROWS {
        tx.execute(statement, &[]).await.unwrap();
    }
    tx.execute("ANALYZE", &[]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn plan(tx: &mut Tx, explain: &'static str, column: &'static str, page: Statement) -> String {
    let rows = tx
        .select(&Statement::from(explain).then(page), "explain")
        .await
        .unwrap();
    let lines: Vec<_> = rows.iter().map(|row| row.text(column).unwrap()).collect();
    lines.join("\n")
}

/// Whether this PostgreSQL can compile plans at all.
async fn has_compiler(tx: &mut Tx) -> bool {
    let row = tx.row("SELECT pg_jit_available() AS there", &[]).await.unwrap();
    row.unwrap().bool("there").unwrap()
}

fn key() -> AuditKey {
    AuditKey::new([7; 32].into())
}

/// Planted fault: without `projects_name` or `access_rules_subject` this is red.
#[tokio::test]
async fn a_page_is_read_by_an_index_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("reeve.db");
    let store = SqlStore::open_sqlite(&file, key(), NOW).await.unwrap();
    furnish(&store).await;
    let mut tx = store.read("explain").await.unwrap();
    for (table, page) in pages() {
        let alias = table.rsplit(' ').next().unwrap();
        let plan = plan(&mut tx, "EXPLAIN QUERY PLAN ", "detail", page).await;
        // What comes after it is the page, read from what was found here.
        let mut reads = plan.lines().filter(|line| line.contains(&format!(" {alias}")));
        let first = reads.find(|line| line.starts_with("SCAN") || line.starts_with("SEARCH"));
        assert!(
            first.is_some_and(|line| line.contains("INDEX")),
            "{table} is read whole:\n{plan}"
        );
    }
}

/// Nor is any plan compiled, however dear it looks: where that is allowed, the last of these is. Planted fault:
/// `plans-compiled-for-a-page`.
#[tokio::test]
async fn a_page_is_read_by_an_index_on_postgres() {
    let Some(postgres) = own_postgres() else { return };
    let url = postgres.url("postgres").parse().unwrap();
    let store = SqlStore::open_postgres(&url, key(), NOW).await.unwrap();
    furnish(&store).await;
    let mut tx = store.read("explain").await.unwrap();
    for (table, page) in pages() {
        let plan = plan(&mut tx, "EXPLAIN ", "QUERY PLAN", page).await;
        assert!(
            !plan.contains(&format!("Seq Scan on {table}")),
            "{table} is read whole:\n{plan}"
        );
    }
    let dear = "SELECT count(*) FROM projects a, projects b WHERE a.id + b.id = -1";
    let compiled = async |tx: &mut Tx| {
        plan(tx, "EXPLAIN ", "QUERY PLAN", dear.into())
            .await
            .contains("JIT")
    };
    assert!(!compiled(&mut tx).await);
    tx.execute("SET LOCAL jit = on", &[]).await.unwrap();
    if !compiled(&mut tx).await {
        assert!(!has_compiler(&mut tx).await, "the question must be able to fail");
    }
}

//! A database that an earlier version wrote.

use reeve_authz::{BootstrapException, Granted};
use reeve_link::{DesiredObject, KubernetesEndpoint};
use reeve_store::{Credentials, DesiredState, Directory, Installation, KeyUse, SigningKeys};
use rusqlite::params_from_iter;
use sqlx::SqlSafeStr;
use sqlx_core::migrate::{Migration, MigrationType};

use crate::sqlite::beside;

const CLUSTER: &str = "00000000-0000-4000-8000-000000000001";
const WORKLOAD: &str = "00000000-0000-4000-8000-000000000002";

/// As sqlx made it, by which these migrations were applied.
const APPLIED: &str = "CREATE TABLE _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
)";

/// As version 4 left it: one workload with more variables than are possible now, and a cluster that has reported.
fn version_4(file: &std::path::Path) {
    let connection = beside(file);
    connection.execute_batch(APPLIED).unwrap();
    for (version, name, sql) in [
        (1, "begin", include_str!("../../migrations/0001_begin.sql")),
        (2, "former", include_str!("../../migrations/0002_former.sql")),
        (
            3,
            "histories",
            include_str!("../../migrations/0003_histories.sql"),
        ),
        (4, "sessions", include_str!("../../migrations/0004_sessions.sql")),
    ] {
        connection.execute_batch(sql).unwrap();
        let sql = sql.into_sql_str();
        let migration = Migration::new(version, name.into(), MigrationType::Simple, sql, false);
        connection
            .execute(
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (?1, ?2, TRUE, ?3, 1)",
                (version, &migration.description, &migration.checksum),
            )
            .unwrap();
    }
    let variables: Vec<_> = (0..3900)
        .map(|number| serde_json::json!([format!("V{number}"), ""]))
        .collect();
    let desired = serde_json::json!({"id": WORKLOAD, "name": "large", "projectId": "1", "submittedBy": "a@b.co",
        "image": "local.test/tools:1", "environment": variables});
    let body = serde_json::json!({"kind": "Workload", "spec": desired});
    let settings = serde_json::json!({"enforceRunAsUser": true, "enforcePreventPrivilegeEscalation": true,
        "kubernetesVersion": "v1", "operatorVersion": "1", "kubernetesEndpoint": {"server": "https://k8s.example", "certificateAuthorityData": "Q0E="}});
    for (statement, texts) in [
        (
            "INSERT INTO clusters (id, name, credential, settings, applied_revision, created_at, created_by)
             VALUES (?, 'a', 'hash', ?, 0, 0, 'x')",
            vec![CLUSTER.to_owned(), settings.to_string()],
        ),
        (
            "INSERT INTO cluster_revisions VALUES (?, 1)",
            vec![CLUSTER.to_owned()],
        ),
        (
            "INSERT INTO departments VALUES (1, ?, 'd', '{}', 0, 'x')",
            vec![CLUSTER.to_owned()],
        ),
        (
            "INSERT INTO projects VALUES (1, ?, 1, 'p', 'reeve-p', FALSE, '{}', 0, 'x')",
            vec![CLUSTER.to_owned()],
        ),
        (
            "INSERT INTO workloads VALUES (?, ?, 1, 'large', 'a@b.co', '{\"image\":\"local.test/tools:1\"}', ?, 0)",
            vec![WORKLOAD.to_owned(), CLUSTER.to_owned(), desired.to_string()],
        ),
        (
            "INSERT INTO desired_objects VALUES (?, 'workload', ?, 1, ?)",
            vec![CLUSTER.to_owned(), WORKLOAD.to_owned(), body.to_string()],
        ),
        (
            "INSERT INTO installation VALUES ('signing-key-current', ?), ('signing-key-next', ?), ('account-created-at', ?)",
            vec![
                "sealed 1".to_owned(),
                "sealed 2".to_owned(),
                "1700000000000".to_owned(),
            ],
        ),
    ] {
        connection.execute(statement, params_from_iter(texts)).unwrap();
    }
}

#[tokio::test]
async fn what_was_accepted_before_the_bounds_stays_and_what_was_reported_is_pinned() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("reeve.db");
    version_4(&file);
    let store = crate::sqlite::open(&file).await;
    let directory = store.directory().await.unwrap();
    let endpoint = KubernetesEndpoint {
        server: "https://k8s.example".to_owned(),
        certificate_authority_data: "Q0E=".to_owned(),
    };
    assert_eq!(directory.clusters[0].endpoint, Some(endpoint));
    let cluster = CLUSTER.parse().unwrap();
    let (_, number) = store.link_verifier(cluster).await.unwrap().unwrap();
    assert_eq!(number, directory.clusters[0].credential);
    let link = Granted::bootstrap(BootstrapException::LinkStatus);
    let part = store.desired_all(&link, cluster, None, 1).await.unwrap().unwrap();
    let [only] = part.upserts.as_slice() else {
        panic!("{:?}", part.upserts.len())
    };
    let DesiredObject::Workload(workload) = &only.object else {
        panic!("{:?}", only.object.key())
    };
    assert_eq!((workload.environment.len(), part.next), (3900, None));
    // The signing keys are the same, and known since the account was made.
    let made = reeve_types::Timestamp::from_millis(1_700_000_000_000);
    let keys = store.signing_keys().await.unwrap().into_iter();
    let keys: Vec<_> = keys
        .map(|key| (key.facts.id, key.sealed, key.facts.usage, key.facts.since))
        .collect();
    let key = |id: &str, sealed: &str, usage| (id.to_owned(), sealed.to_owned(), usage, made);
    assert_eq!(
        keys,
        [
            key("signing-key-current", "sealed 1", KeyUse::Current),
            key("signing-key-next", "sealed 2", KeyUse::Next)
        ]
    );
    assert_eq!(
        store.installation_value("signing-key-current").await.unwrap(),
        None
    );
    // Its request and its image are where lists and answers look for them.
    store.close().await;
    let sql = "SELECT w.image, q.request FROM workloads w JOIN workload_requests q ON q.workload_id = w.id";
    let row: (String, String) = beside(&file)
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(
        row,
        (
            "local.test/tools:1".to_owned(),
            r#"{"image":"local.test/tools:1"}"#.to_owned()
        )
    );
}

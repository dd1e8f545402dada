//! What lists search, in rows of a version that did not keep it.

use std::sync::Arc;

use reeve_authz::{Entity, RoleId, Scope, SubjectKey};
use reeve_store::conformance::Organization;
use reeve_store::{AccessRuleFilter, AccessRules, Departments, Projects};
use reeve_types::list::ListQuery;

use crate::sqlite::{open, write_beside};

/// Planted fault: a store that does not fill in what is absent finds none of these.
#[tokio::test]
async fn rows_of_an_earlier_version_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("reeve.db");
    let store = Arc::new(open(&file).await);
    let mut organization = Organization::new(store.clone()).await;
    let cluster = organization.cluster(10, "Zürich").await.id;
    let department = organization.department(cluster, "vision").await.id;
    organization.project(department, "robots").await;
    let group = SubjectKey::Group("ÜBER".parse().unwrap());
    organization
        .rule(group, RoleId::VIEWER, Scope::Cluster(cluster))
        .await;
    store.close().await;
    for statement in [
        "UPDATE departments SET description_folded = NULL, details = '{\"description\": \"ÄRGER\"}'",
        "UPDATE projects SET description_folded = NULL, details = '{\"settings\": {\"description\": \"ÖFEN\"}}'",
        "UPDATE access_rules SET subject_folded = NULL, scope_name_folded = NULL",
    ] {
        write_beside(&file, statement);
    }

    let store = open(&file).await;
    fn search<C: reeve_types::list::Column>(text: &str) -> ListQuery<C> {
        ListQuery::parse(&[("search".to_owned(), text.to_owned())]).unwrap()
    }
    let departments = store
        .count_departments(&organization.sees(Entity::Department), &search("ärger"))
        .await;
    assert_eq!(departments.unwrap(), 1);
    let projects = store
        .count_projects(&organization.sees(Entity::Project), &search("öfen"))
        .await;
    assert_eq!(projects.unwrap(), 1);
    let (visible, all) = (
        organization.sees(Entity::AccessRules),
        AccessRuleFilter::default(),
    );
    for text in ["über", "ZÜRICH"] {
        let rules = store.count_access_rules(&visible, &search(text), &all).await;
        assert_eq!(rules.unwrap(), 1, "{text}");
    }
}

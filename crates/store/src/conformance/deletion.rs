//! What goes along with a deleted scope (control-plane 2.7).

use reeve_authz::{Action, Entity, RoleId, Scope};
use reeve_link::{DesiredObject, ObjectKey};
use reeve_types::list::ListQuery;
use reeve_types::{ClusterId, DepartmentId, ProjectId};

use super::organization::{NOW, Organization, entry, group, link};
use crate::{AuditAction, StoreError};

async fn furnished(organization: &mut Organization) -> (ClusterId, DepartmentId, ProjectId) {
    let cluster = organization.cluster(10, "a").await.id;
    let department = organization.department(cluster, "vision").await.id;
    let project = organization.project(department, "robots").await.id;
    for scope in [
        Scope::Cluster(cluster),
        Scope::Department(department),
        Scope::Project(project),
    ] {
        organization.rule(group("g"), RoleId::VIEWER, scope).await;
    }
    organization.try_workload(100, project, "train").await.unwrap();
    (cluster, department, project)
}

/// In one revision; rules of scopes above stay.
pub async fn deleting_a_project_takes_its_rules_and_workloads_along(mut organization: Organization) {
    let (cluster, _, project) = furnished(&mut organization).await;
    let before = organization.all(cluster).await.revision.0;
    let granted = organization.may(Action::Delete, Entity::Project, Scope::Project(project));
    let gone = organization
        .store
        .delete_project(&granted, project, NOW, entry(AuditAction::Delete))
        .await
        .unwrap();
    assert_eq!(gone.value.len(), 1);
    let batch = organization.since(cluster, before).await;
    assert_eq!(batch.revision.0, before + 1);
    let kinds: Vec<_> = batch
        .deletes
        .iter()
        .map(|key| match key {
            ObjectKey::AccessRule(_) => "rule",
            ObjectKey::Credential(_) => "credential",
            ObjectKey::Workload(_) => "workload",
            ObjectKey::Project(_) => "project",
        })
        .collect();
    assert_eq!(kinds, ["rule", "workload", "project"], "revocations first");
    let left = organization.all(cluster).await;
    assert_eq!(
        left.upserts.len(),
        3,
        "the administrator's rule, the cluster's and the department's"
    );
    assert!(
        left.upserts
            .iter()
            .all(|it| matches!(it.object, DesiredObject::AccessRule(_)))
    );
    assert!(
        organization
            .store
            .locate_workload(super::organization::id(100))
            .await
            .unwrap()
            .is_none()
    );
}

/// With their rules and workloads.
pub async fn deleting_a_department_takes_its_projects_along(mut organization: Organization) {
    let (cluster, department, _) = furnished(&mut organization).await;
    let granted = organization.may(Action::Delete, Entity::Department, Scope::Department(department));
    let gone = organization
        .store
        .delete_department(&granted, department, NOW, entry(AuditAction::Delete))
        .await
        .unwrap();
    assert_eq!((gone.value.len(), gone.revisions.len()), (2, 1));
    assert_eq!(organization.all(cluster).await.upserts.len(), 2);
    assert_eq!(
        organization
            .store
            .projects(&organization.sees(Entity::Project), &ListQuery::default())
            .await
            .unwrap()
            .items,
        []
    );
}

/// Nothing of its desired state is left, and its credential is worth nothing but to be told so.
pub async fn deleting_a_cluster_takes_everything_along(mut organization: Organization) {
    let (cluster, _, project) = furnished(&mut organization).await;
    let credential = organization
        .store
        .link_verifier(cluster)
        .await
        .unwrap()
        .map(|it| it.0);
    assert!(credential.is_some());
    assert_eq!(
        organization.store.deleted_link_verifier(cluster).await.unwrap(),
        None
    );
    let granted = organization.may(Action::Delete, Entity::Cluster, Scope::Cluster(cluster));
    let gone = organization
        .store
        .delete_cluster(&granted, cluster, NOW, entry(AuditAction::Delete))
        .await
        .unwrap();
    assert_eq!(gone.value.len(), 3);
    assert!(organization.store.link_verifier(cluster).await.unwrap().is_none());
    let kept = organization.store.deleted_link_verifier(cluster).await.unwrap();
    assert_eq!(kept, credential);
    assert!(
        organization
            .store
            .desired_all(&link(), cluster, None, 1)
            .await
            .unwrap()
            .is_none()
    );
    let directory = organization.store.directory().await.unwrap();
    assert_eq!(
        (
            directory.clusters.len(),
            directory.projects.len(),
            directory.rules.len()
        ),
        (0, 0, 1)
    );
    suspended_secret_still_tells(&mut organization).await;
    let lost = organization.try_workload(101, project, "late").await;
    assert!(matches!(lost, Err(StoreError::NotFound { .. })), "{lost:?}");
    let lost = organization
        .try_rule(group("g"), RoleId::VIEWER, Scope::Project(project))
        .await;
    assert!(matches!(lost, Err(StoreError::NotFound { .. })), "{lost:?}");
}

/// The secret of a cluster that was suspended when it was deleted is kept as it was before: its operator, too, is told.
async fn suspended_secret_still_tells(organization: &mut Organization) {
    let cluster = organization.cluster(12, "restored").await.id;
    let (credential, _) = organization.store.link_verifier(cluster).await.unwrap().unwrap();
    let fenced = crate::Fenced {
        head: organization.store.fence_news(0).await.unwrap().head,
        era: 0,
        numbers: Default::default(),
    };
    let recovery = super::organization::exception(reeve_authz::BootstrapException::Recovery);
    let recovered = organization
        .store
        .recover(&recovery, &fenced, &[], entry(AuditAction::Restore));
    recovered.await.unwrap();
    let (suspended, _) = organization.store.link_verifier(cluster).await.unwrap().unwrap();
    assert!(suspended.is_suspended());
    let granted = organization.may(Action::Delete, Entity::Cluster, Scope::Cluster(cluster));
    organization
        .store
        .delete_cluster(&granted, cluster, NOW, entry(AuditAction::Delete))
        .await
        .unwrap();
    let kept = organization.store.deleted_link_verifier(cluster).await.unwrap();
    assert_eq!(kept, Some(credential));
}

/// Its last project may be gone: what lies in it is not another department's, unless the maker may do that in the whole
/// cluster. In another cluster the same name is another namespace.
pub async fn a_namespace_stays_in_its_department(mut organization: Organization) {
    let (cluster, vision, robots) = furnished(&mut organization).await;
    let language = organization.department(cluster, "language").await.id;
    let elsewhere = organization.cluster(11, "b").await.id;
    let other = organization.department(elsewhere, "vision").await.id;
    let granted = organization.may(Action::Delete, Entity::Project, Scope::Project(robots));
    let delete = entry(AuditAction::Delete);
    organization
        .store
        .delete_project(&granted, robots, NOW, delete)
        .await
        .unwrap();
    for (name, namespace) in [("robots", "reeve-robots"), ("mine", "reeve-robots")] {
        let refused = organization.try_project(language, name, namespace).await;
        assert!(
            matches!(refused, Err(StoreError::NamespaceOfOthers { .. })),
            "{refused:?}"
        );
    }
    organization.project(other, "robots").await;
    let again = organization.project(vision, "robots").await.id;
    let granted = organization.may(Action::Delete, Entity::Department, Scope::Department(vision));
    organization
        .store
        .delete_department(&granted, vision, NOW, entry(AuditAction::Delete))
        .await
        .unwrap();
    assert!(again > robots);
    let refused = organization.try_project(language, "robots", "reeve-robots").await;
    assert!(
        matches!(refused, Err(StoreError::NamespaceOfOthers { .. })),
        "{refused:?}"
    );
    let granted = organization.may(Action::Create, Entity::Project, Scope::Department(language));
    let new = crate::NewProject {
        department_id: language,
        name: super::organization::parsed("robots"),
        namespace: "reeve-robots".to_owned(),
        namespace_requested: false,
        may_take_over: true,
        details: serde_json::json!({}),
        created_at: NOW,
        created_by: "admin".to_owned(),
    };
    organization
        .store
        .create_project(&granted, new, entry(AuditAction::Create))
        .await
        .unwrap();
    let granted = organization.may(Action::Delete, Entity::Cluster, Scope::Cluster(cluster));
    organization
        .store
        .delete_cluster(&granted, cluster, NOW, entry(AuditAction::Delete))
        .await
        .unwrap();
}

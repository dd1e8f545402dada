//! Desired state and its revisions.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use reeve_authz::{RoleId, Scope};
use reeve_link::{DesiredObject, ObjectKey};
use reeve_types::Revision;

use super::organization::{Organization, group, link};
use crate::StoreError;

/// The account's reach every cluster, also one that is made later; a cluster's, department's or project's reach theirs.
pub async fn a_rule_reaches_the_clusters_it_holds_in(mut organization: Organization) {
    let (a, b) = (
        organization.cluster(10, "a").await.id,
        organization.cluster(11, "b").await.id,
    );
    let department = organization.department(a, "vision").await.id;
    let project = organization.project(department, "robots").await.id;
    let everywhere = organization
        .rule(group("all"), RoleId::VIEWER, Scope::Account)
        .await;
    for scope in [
        Scope::Cluster(a),
        Scope::Department(department),
        Scope::Project(project),
    ] {
        organization.rule(group("some"), RoleId::VIEWER, scope).await;
    }
    let scopes = |batch: reeve_link::Batch| -> Vec<reeve_link::Scope> {
        let rule = |it: reeve_link::Versioned| match it.object {
            DesiredObject::AccessRule(rule) => Some(rule.scope),
            _ => None,
        };
        batch.upserts.into_iter().filter_map(rule).collect()
    };
    use reeve_link::Scope::{Cluster, Department, Project};
    let wanted = [
        Cluster,
        Cluster,
        Cluster,
        Department(department),
        Project(project),
    ];
    assert_eq!(scopes(organization.all(a).await), wanted);
    assert_eq!(scopes(organization.all(b).await), [Cluster, Cluster]);
    let c = organization.cluster(12, "c").await;
    assert_eq!(c.revision, Revision(1));
    assert_eq!(scopes(organization.all(c.id).await), [Cluster, Cluster]);
    let gone = organization.delete_rule(&everywhere).await.unwrap();
    let touched: Vec<_> = gone.revisions.iter().map(|(cluster, _)| *cluster).collect();
    assert_eq!(touched, [a, b, c.id], "in the order of their ids");
}

/// Whatever it writes there; others stay where they are.
pub async fn each_write_raises_a_touched_clusters_revision_by_one(mut organization: Organization) {
    let (a, b) = (
        organization.cluster(10, "a").await.id,
        organization.cluster(11, "b").await.id,
    );
    let (first, other) = (
        organization.all(a).await.revision.0,
        organization.all(b).await.revision.0,
    );
    let department = organization.department(a, "vision").await.id;
    assert_eq!(
        organization.all(a).await.revision.0,
        first,
        "a department is no object of a cluster"
    );
    let project = organization
        .try_project(department, "robots", "reeve-robots")
        .await
        .unwrap();
    assert_eq!(project.revisions, [(a, Revision(first + 1))]);
    let workload = organization.index.add_project(project.value.id, department);
    assert!(workload);
    let workload = organization
        .try_workload(100, project.value.id, "train")
        .await
        .unwrap();
    assert_eq!(workload.revisions, [(a, Revision(first + 2))]);
    assert_eq!(organization.all(b).await.revision.0, other);
}

/// Only that, each upsert with the revision that last changed it, ascending.
pub async fn what_changed_later_is_told_deletions_first(mut organization: Organization) {
    let cluster = organization.cluster(10, "a").await.id;
    let department = organization.department(cluster, "vision").await.id;
    let old = organization
        .rule(group("old"), RoleId::VIEWER, Scope::Cluster(cluster))
        .await;
    let start = organization.all(cluster).await.revision.0;
    organization.project(department, "robots").await;
    organization.delete_rule(&old).await.unwrap();
    let new = organization
        .rule(group("new"), RoleId::VIEWER, Scope::Cluster(cluster))
        .await;
    let batch = organization.since(cluster, start).await;
    assert!(!batch.complete);
    assert_eq!(batch.revision.0, start + 3);
    assert_eq!(batch.deletes, [ObjectKey::AccessRule(old.id)]);
    let seen: Vec<_> = batch.upserts.iter().map(|it| it.revision.0).collect();
    assert_eq!(seen, [start + 1, start + 3]);
    assert_eq!(organization.since(cluster, start + 2).await.upserts.len(), 1);
    let none = organization
        .store
        .deleted_since(&link(), cluster, Revision(start), 0)
        .await;
    assert_eq!(none.unwrap().unwrap().keys, None, "more than was asked for");
    let nothing = organization.since(cluster, start + 3).await;
    assert_eq!((nothing.upserts.len(), nothing.deletes.len()), (0, 0));
    let all = organization.all(cluster).await;
    assert!(all.complete && all.deletes.is_empty());
    assert_eq!(
        all.upserts.last().unwrap().object.key(),
        ObjectKey::AccessRule(new.id)
    );
}

/// 200 writers, 200 revisions, and every one of them can be told from the one before.
pub async fn writes_at_the_same_time_leave_no_gap(mut organization: Organization) {
    const WRITERS: usize = 200;
    let cluster = organization.cluster(10, "a").await.id;
    let start = organization.all(cluster).await.revision.0;
    let organization = &organization;
    let writes = (0..WRITERS).map(|number| async move {
        let name = format!("g{number}");
        loop {
            let written = organization.try_rule(group(&name), RoleId::VIEWER, Scope::Cluster(cluster));
            match written.await {
                // There was no connection in time: nothing has changed, and whoever is told so comes again.
                Err(StoreError::Unavailable { .. }) => {}
                written => return written.unwrap().revisions,
            }
        }
    });
    let mut seen: Vec<u64> = all(writes)
        .await
        .into_iter()
        .flatten()
        .map(|(_, revision)| revision.0)
        .collect();
    seen.sort_unstable();
    let wanted: Vec<u64> = (start + 1..=start + WRITERS as u64).collect();
    assert_eq!(seen, wanted);
    let told: Vec<_> = organization
        .since(cluster, start)
        .await
        .upserts
        .iter()
        .map(|it| it.revision.0)
        .collect();
    assert_eq!(told, wanted);
}

/// All futures at the same time, in one task.
pub(super) async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<Pin<Box<F>>> = futures.map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(move |context| {
        waiting.retain_mut(|future| match future.as_mut().poll(context) {
            Poll::Ready(value) => {
                done.push(value);
                false
            }
            Poll::Pending => true,
        });
        if waiting.is_empty() {
            Poll::Ready(std::mem::take(&mut done))
        } else {
            Poll::Pending
        }
    })
    .await
}

//! Tokens of revisions.

use reeve_authz::{Action, BootstrapException, Entity, RoleId, Scope};
use reeve_link::{ObjectKey, Resume, StatusReport};
use reeve_types::{ClusterId, Revision, RevisionToken};

use super::organization::{NOW, Organization, entry, exception, group, link, posix};
use crate::{AuditAction, EMAIL_RESTS_SECONDS, REVISIONS_KEPT, StoreError};

impl Organization {
    /// Where the cluster stands.
    async fn position(&self, cluster: ClusterId) -> Resume {
        let part = self.store.desired_all(&link(), cluster, None, 1).await;
        let part = part.unwrap().unwrap();
        Resume {
            revision: part.revision,
            token: part.token,
        }
    }

    async fn may_resume(&self, cluster: ClusterId, resume: Resume) -> bool {
        self.store.may_resume(&link(), cluster, &resume).await.unwrap()
    }

    /// What was deleted later, as far as it is known.
    async fn deleted(&self, cluster: ClusterId, since: Revision) -> Option<Vec<ObjectKey>> {
        let link = link();
        let deleted = self.store.deleted_since(&link, cluster, since, 5000);
        deleted.await.unwrap().unwrap().keys
    }

    /// Changes a cluster until its revision is this one.
    async fn raise_to(&mut self, cluster: ClusterId, revision: u64) {
        let scope = Scope::Cluster(cluster);
        while self.position(cluster).await.revision.0 < revision {
            let rule = self.rule(group("often"), RoleId::VIEWER, scope).await;
            self.delete_rule(&rule).await.unwrap();
        }
    }
}

/// From any that is kept, of whatever process, and from no other: not from one of another state of the same number.
///
/// Planted fault: a store that looks for the revision alone, and ignores the token.
pub async fn a_cluster_resumes_from_a_revision_by_its_token_alone(mut organization: Organization) {
    let cluster = organization.cluster(10, "a").await.id;
    let scope = Scope::Cluster(cluster);
    let mut positions = vec![organization.position(cluster).await];
    for name in ["a", "b", "c"] {
        organization.rule(group(name), RoleId::VIEWER, scope).await;
        positions.push(organization.position(cluster).await);
    }
    for (at, position) in positions.iter().enumerate() {
        assert!(organization.may_resume(cluster, *position).await, "{position:?}");
        let link = link();
        let deleted = organization
            .store
            .deleted_since(&link, cluster, position.revision, 9);
        let told = deleted.await.unwrap().unwrap();
        let last = *positions.last().unwrap();
        assert_eq!((told.revision, told.token), (last.revision, last.token));
        // The token of every other revision is no token of this one.
        for (other, resume) in positions.iter().enumerate() {
            let mixed = Resume {
                revision: position.revision,
                token: resume.token,
            };
            assert_eq!(
                organization.may_resume(cluster, mixed).await,
                at == other,
                "{mixed:?}"
            );
        }
    }
    let last = *positions.last().unwrap();
    let unknown = Resume {
        token: RevisionToken::from_bytes([7; 16]),
        ..last
    };
    assert!(!organization.may_resume(cluster, unknown).await, "another state");
    let future = Resume {
        revision: Revision(last.revision.0 + 1),
        ..last
    };
    assert!(!organization.may_resume(cluster, future).await, "from the future");

    // Another cluster has its own, also where the same is changed in both.
    let other = organization.cluster(11, "b").await.id;
    organization
        .rule(group("d"), RoleId::VIEWER, Scope::Account)
        .await;
    let of_other = organization.position(other).await;
    assert!(organization.may_resume(other, of_other).await);
    assert!(!organization.may_resume(cluster, of_other).await);
    assert!(
        !organization
            .may_resume(super::organization::id(99), of_other)
            .await
    );

    let wrong = exception(BootstrapException::SessionRecord);
    let refused = organization.store.may_resume(&wrong, cluster, &last).await;
    assert!(matches!(refused, Err(StoreError::Gate { .. })), "{refused:?}");
    let granted = organization.may(Action::Delete, Entity::Cluster, scope);
    let event = entry(AuditAction::Delete);
    let deleted = organization
        .store
        .delete_cluster(&granted, cluster, NOW, event)
        .await;
    deleted.unwrap();
    assert!(!organization.may_resume(cluster, last).await);
}

/// The last thousand are kept, and every tombstone that who comes from one of them needs. What is not known any more is not
/// passed over in silence: a stream that is slower than that must not keep a rule alive.
///
/// Planted fault: `deleted_since` without the comparison with what is forgotten tells only the late rule.
pub async fn old_revisions_are_forgotten_with_their_tombstones(mut organization: Organization) {
    let cluster = organization.cluster(10, "a").await.id;
    let scope = Scope::Cluster(cluster);
    let kept = u64::try_from(REVISIONS_KEPT).unwrap();
    let early = organization.rule(group("early"), RoleId::VIEWER, scope).await;
    organization.delete_rule(&early).await.unwrap();
    let old = organization.position(cluster).await;
    organization.raise_to(cluster, 150).await;
    let late = organization.rule(group("late"), RoleId::VIEWER, scope).await;
    organization.delete_rule(&late).await.unwrap();
    let reached = organization.position(cluster).await;
    organization.raise_to(cluster, 99 + kept).await;
    assert!(organization.may_resume(cluster, old).await, "not forgotten yet");
    // Just before the early rule was deleted.
    let since = Revision(old.revision.0 - 1);
    let told = organization.deleted(cluster, since).await.unwrap();
    let key = ObjectKey::AccessRule;
    assert!(told.contains(&key(early.id)) && told.contains(&key(late.id)));
    organization.raise_to(cluster, 100 + kept).await;
    assert!(!organization.may_resume(cluster, old).await);
    assert!(organization.may_resume(cluster, reached).await);
    assert_eq!(organization.deleted(cluster, since).await, None);
    assert_eq!(organization.deleted(cluster, Revision(100)).await, None);
    let told = organization.deleted(cluster, Revision(101)).await.unwrap();
    assert!(!told.contains(&key(early.id)) && told.contains(&key(late.id)));
}

/// Of a cluster that was away while the tombstones were forgotten nobody knows what runs there.
pub async fn a_uid_is_not_released_while_a_forgotten_workload_may_run(mut organization: Organization) {
    let cluster = organization.cluster(10, "a").await.id;
    let department = organization.department(cluster, "vision").await.id;
    let project = organization.project(department, "robots").await.id;
    let alice = organization
        .try_user(2, "alice@example.com", Some(posix(70012)))
        .await
        .unwrap();
    let update = organization.may(Action::Update, Entity::Users, Scope::Account);
    let posix_entry = entry(AuditAction::Update);
    let set = organization
        .store
        .set_posix(&update, alice.id, Some(posix(70013)), NOW, posix_entry);
    set.await.unwrap();
    let workload = organization.try_workload(100, project, "train").await.unwrap();
    let delete = organization.may(Action::Delete, Entity::Trainings, Scope::Project(project));
    organization
        .store
        .delete_workload(&delete, workload.value.summary.id, entry(AuditAction::Delete))
        .await
        .unwrap();
    let reached = organization.all(cluster).await.revision;
    let release = async |organization: &Organization| {
        let (uid, later) = (posix(70012).uid(), NOW.plus_seconds(EMAIL_RESTS_SECONDS));
        let entry = entry(AuditAction::Release);
        organization.store.release_uid(&update, uid, later, entry).await
    };
    let refused = |result: Result<(), StoreError>| {
        let said = result.unwrap_err().to_string();
        assert!(
            said.contains("cluster `a` has not yet said that workloads deleted here are gone there"),
            "{said}"
        );
    };
    refused(release(&organization).await);
    let kept = u64::try_from(REVISIONS_KEPT).unwrap();
    organization.raise_to(cluster, 100 + kept).await;
    assert_eq!(
        organization.deleted(cluster, reached).await,
        None,
        "it is forgotten"
    );
    refused(release(&organization).await);
    // Of a revision before what is forgotten it would say nothing.
    let report = StatusReport {
        revision: organization.position(cluster).await.revision,
        ..StatusReport::default()
    };
    let (granted, update) = (link(), entry(AuditAction::Update));
    let said = organization.store.report(&granted, cluster, &report, NOW, update);
    said.await.unwrap();
    release(&organization).await.unwrap();
}

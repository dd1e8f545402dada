//! Histories.

use reeve_authz::{Action, BootstrapException, Entity, RoleId, Scope};
use reeve_link::{ObjectKey, Resume, StatusReport};
use reeve_types::{ClusterId, HistoryId, Revision};

use super::world::{NOW, World, entry, exception, group, id, link, posix};
use crate::{AuditAction, EMAIL_RESTS_SECONDS, HISTORIES_KEPT, StoreError};

impl World {
    async fn begin(&self, number: u64) -> HistoryId {
        let history = id(number);
        self.store.begin_history(history, NOW).await.unwrap();
        history
    }

    async fn continues(&self, cluster: ClusterId, history: HistoryId, revision: u64) -> bool {
        let resume = Resume {
            history,
            revision: Revision(revision),
        };
        self.store.continues(&link(), cluster, &resume).await.unwrap()
    }
}

/// Up to where the next one began, of the present one up to now. What another history wrote after that is unknown here.
pub async fn a_history_goes_on_where_the_one_before_had_come_to(mut world: World) {
    let first = world.begin(1000).await;
    let cluster = world.cluster(10, "a").await.id;
    let scope = Scope::Cluster(cluster);
    let start = world.all(cluster).await.revision.0;
    for name in ["a", "b"] {
        world.rule(group(name), RoleId::VIEWER, scope).await;
    }
    assert!(world.continues(cluster, first, start).await);
    assert!(world.continues(cluster, first, start + 2).await);
    assert!(
        !world.continues(cluster, first, start + 3).await,
        "from the future"
    );

    let second = world.begin(1001).await;
    world.rule(group("c"), RoleId::VIEWER, scope).await;
    assert!(world.continues(cluster, first, start + 2).await);
    // The same revision was reached here too, by another way.
    assert!(!world.continues(cluster, first, start + 3).await);
    assert!(world.continues(cluster, second, start + 3).await);
    assert!(!world.continues(cluster, second, start + 4).await);
    assert!(
        !world.continues(cluster, second, start + 1).await,
        "before it began"
    );
    assert!(
        !world.continues(cluster, id(1009), start).await,
        "not one of ours"
    );
    let nowhere = id(99);
    assert!(!world.continues(nowhere, second, 0).await);

    // Another cluster has its own way, also one that came later.
    let other = world.cluster(11, "b").await.id;
    assert!(world.continues(other, second, 1).await && !world.continues(other, second, 2).await);
    let third = world.begin(1002).await;
    assert!(world.continues(other, second, 1).await && world.continues(other, third, 1).await);
    let again = world.store.begin_history(third, NOW).await;
    assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}");

    let wrong = exception(BootstrapException::SessionRecord);
    let resume = Resume {
        history: third,
        revision: Revision(1),
    };
    let refused = world.store.continues(&wrong, cluster, &resume).await;
    assert!(matches!(refused, Err(StoreError::Gate { .. })), "{refused:?}");
    // A cluster goes with its part of every history.
    let granted = world.may(Action::Delete, Entity::Cluster, scope);
    world
        .store
        .delete_cluster(&granted, cluster, NOW, entry(AuditAction::Delete))
        .await
        .unwrap();
    assert!(!world.continues(cluster, third, 1).await);
}

/// And with them the tombstones that nobody can need who comes from one that is kept.
pub async fn old_histories_are_forgotten(mut world: World) {
    let cluster = world.cluster(10, "a").await.id;
    let scope = Scope::Cluster(cluster);
    let oldest = world.begin(1000).await;
    let early = world.rule(group("early"), RoleId::VIEWER, scope).await;
    world.delete_rule(&early).await.unwrap();
    let second = world.begin(1001).await;
    let reached = world.all(cluster).await.revision.0;
    let late = world.rule(group("late"), RoleId::VIEWER, scope).await;
    world.delete_rule(&late).await.unwrap();
    let kept = u64::try_from(HISTORIES_KEPT).unwrap();
    for number in 1002..1000 + kept {
        world.begin(number).await;
    }
    let deleted = async |world: &World| world.since(cluster, 0).await.deletes;
    let keys = [ObjectKey::AccessRule(early.id), ObjectKey::AccessRule(late.id)];
    assert!(world.continues(cluster, oldest, reached).await);
    assert_eq!(deleted(&world).await, keys);
    world.begin(1000 + kept).await;
    assert!(!world.continues(cluster, oldest, reached).await);
    assert!(world.continues(cluster, second, reached).await);
    assert_eq!(deleted(&world).await, keys.get(1..).unwrap());
}

/// Of a cluster that was away while the tombstones were forgotten nobody knows what runs there.
pub async fn a_uid_is_not_released_while_a_forgotten_workload_may_run(mut world: World) {
    let cluster = world.cluster(10, "a").await.id;
    let department = world.department(cluster, "vision").await.id;
    let project = world.project(department, "robots").await.id;
    let alice = world
        .try_user(2, "alice@example.com", Some(posix(70012)))
        .await
        .unwrap();
    let update = world.may(Action::Update, Entity::Users, Scope::Account);
    let posix_entry = entry(AuditAction::Update);
    let set = world
        .store
        .set_posix(&update, alice.id, Some(posix(70013)), NOW, posix_entry);
    set.await.unwrap();
    let workload = world.try_workload(100, project, "train").await.unwrap();
    let delete = world.may(Action::Delete, Entity::Trainings, Scope::Project(project));
    world
        .store
        .delete_workload(&delete, workload.value.summary.id, entry(AuditAction::Delete))
        .await
        .unwrap();
    let reached = world.all(cluster).await.revision;
    let release = async |world: &World| {
        let (uid, later) = (posix(70012).uid(), NOW.plus_seconds(EMAIL_RESTS_SECONDS));
        let entry = entry(AuditAction::Release);
        world.store.release_uid(&update, uid, later, entry).await
    };
    let refused = |result: Result<(), StoreError>| {
        let said = result.unwrap_err().to_string();
        assert!(
            said.contains("cluster `a` has not yet said that workloads deleted here are gone there"),
            "{said}"
        );
    };
    refused(release(&world).await);
    for number in 1000..=1000 + u64::try_from(HISTORIES_KEPT).unwrap() {
        world.begin(number).await;
    }
    assert_eq!(world.since(cluster, 0).await.deletes, [], "it is forgotten");
    refused(release(&world).await);
    let report = StatusReport {
        revision: reached,
        ..StatusReport::default()
    };
    let (granted, update) = (link(), entry(AuditAction::Update));
    let said = world.store.report(&granted, cluster, &report, NOW, update);
    said.await.unwrap();
    release(&world).await.unwrap();
}

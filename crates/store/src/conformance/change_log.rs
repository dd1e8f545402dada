//! The change log tells everything that changes in the directory.

use reeve_authz::{RoleId, Scope, SubjectKey};
use reeve_types::{DepartmentId, ProjectId};

use super::organization::{Organization, group, parsed};
use super::random::RandomWrites;
use super::sorted::sorted;
use crate::{
    CHANGES_KEPT, CHANGES_TOGETHER, ChangeMark, ChangeNumber, ClusterFacts, DirectoryChange,
    DirectorySnapshot, LogAfter, LoggedChanges,
};

/// How many random writes there are.
const WRITES: usize = 240;

/// A directory that knows nothing but the log: the simplest one that there is.
#[derive(Default)]
struct Told(DirectorySnapshot);

async fn later(organization: &Organization, mark: &ChangeMark) -> Vec<LoggedChanges> {
    match organization.store.changes_since(mark, 1000).await.unwrap() {
        LogAfter::Entries(log) => log,
        other => panic!("{other:?}"),
    }
}

/// Replaces what has the same key, or adds it.
fn put<T, K: PartialEq>(all: &mut Vec<T>, new: &T, key: impl Fn(&T) -> K)
where
    T: Clone,
{
    all.retain(|known| key(known) != key(new));
    all.push(new.clone());
}

impl Told {
    async fn follow(&mut self, organization: &Organization) -> Vec<LoggedChanges> {
        let log = later(organization, &self.0.reached).await;
        for entry in &log {
            assert_eq!(
                entry.number,
                self.0.reached.number.next(),
                "no number is left out"
            );
            assert_eq!(entry.tag.len(), 32, "{}", entry.tag);
            assert!(entry.changes.len() <= CHANGES_TOGETHER);
            self.0.reached = entry.mark();
            for change in &entry.changes {
                if *change == DirectoryChange::Everything {
                    self.0 = organization.store.directory().await.unwrap();
                    return log;
                }
                self.apply(change);
            }
        }
        log
    }

    fn apply(&mut self, change: &DirectoryChange) {
        let all = &mut self.0;
        let clusters = &mut all.clusters;
        let cluster = |clusters: &mut Vec<ClusterFacts>, id, set: &dyn Fn(&mut ClusterFacts)| {
            clusters.iter_mut().filter(|it| it.id == id).for_each(set);
        };
        match change {
            DirectoryChange::Cluster(new) => put(clusters, new, |it| it.id),
            DirectoryChange::Applied(id, revision) => {
                cluster(clusters, *id, &|it| it.applied_revision = *revision);
            }
            DirectoryChange::Revisions(revisions) => {
                for (id, revision) in revisions {
                    cluster(clusters, *id, &|it| it.revision = *revision);
                }
            }
            DirectoryChange::Department(new) => put(&mut all.departments, new, |it| it.id),
            DirectoryChange::Project(new) => put(&mut all.projects, new, |it| it.id),
            DirectoryChange::User(new) => put(&mut all.users, new, |it| it.id),
            DirectoryChange::ServiceAccount(new) => put(&mut all.service_accounts, new, |it| it.id),
            DirectoryChange::Rule(new) => put(&mut all.rules, new, |it| it.id),
            DirectoryChange::Role(new) => put(&mut all.roles, new, |it| it.id),
            DirectoryChange::RoleDeleted(gone) => all.roles.retain(|it| it.id.number() != *gone),
            DirectoryChange::RulesDeleted(gone) => all.rules.retain(|it| !gone.contains(&it.id)),
            DirectoryChange::ScopeDeleted(scope) => self.delete(*scope),
            DirectoryChange::Policy(new) => put(&mut all.policies, new.as_ref(), |it| (it.scope, it.kind)),
            DirectoryChange::PolicyDeleted(scope, kind) => {
                all.policies.retain(|it| (it.scope, it.kind) != (*scope, *kind));
            }
            DirectoryChange::UserDeleted(id) => all.users.retain(|it| it.id != *id),
            DirectoryChange::ServiceAccountDeleted(id) => all.service_accounts.retain(|it| it.id != *id),
            DirectoryChange::Session(new) => put(&mut all.sessions, new, |it| it.id),
            DirectoryChange::SessionsEnded(gone) => all.sessions.retain(|it| !gone.contains(&it.id)),
            DirectoryChange::SigningKeys(keys) => all.signing_keys.clone_from(keys),
            DirectoryChange::Everything => {}
        }
    }

    fn delete(&mut self, scope: Scope) {
        let all = &mut self.0;
        let project = |it: &ProjectId| all.projects.iter().find(|known| known.id == *it);
        let department = |it: &DepartmentId| all.departments.iter().find(|known| known.id == *it);
        let inside = |it: Scope| match (scope, it) {
            (Scope::Cluster(gone), Scope::Cluster(it)) => it == gone,
            (Scope::Cluster(gone), Scope::Department(it)) => {
                department(&it).is_some_and(|it| it.cluster_id == gone)
            }
            (Scope::Cluster(gone), Scope::Project(it)) => {
                project(&it).is_some_and(|it| it.cluster_id == gone)
            }
            (Scope::Department(gone), Scope::Department(it)) => it == gone,
            (Scope::Department(gone), Scope::Project(it)) => {
                project(&it).is_some_and(|it| it.department_id == gone)
            }
            (Scope::Project(gone), Scope::Project(it)) => it == gone,
            _ => false,
        };
        let policies: Vec<_> = all
            .policies
            .iter()
            .filter(|it| !inside(it.scope))
            .cloned()
            .collect();
        let rules: Vec<_> = all.rules.iter().filter(|it| !inside(it.scope)).cloned().collect();
        let projects: Vec<_> = all
            .projects
            .iter()
            .filter(|it| !inside(Scope::Project(it.id)))
            .cloned()
            .collect();
        let departments: Vec<_> = all
            .departments
            .iter()
            .filter(|it| !inside(Scope::Department(it.id)))
            .cloned()
            .collect();
        let gone = scope;
        all.clusters.retain(|it| Scope::Cluster(it.id) != gone);
        (all.rules, all.policies, all.projects, all.departments) = (rules, policies, projects, departments);
    }
}

/// After each of many random writes a directory that only follows the log equals the one that is read anew. `store-sql` plants
/// the fault of an entry that is not written.
pub async fn the_change_log_tells_all_that_changes(mut organization: Organization) {
    let (mut writes, mut told) = (RandomWrites::new(5), Told::default());
    for step in 0..WRITES {
        told.follow(&organization).await;
        let fresh = sorted(organization.store.directory().await.unwrap());
        assert_eq!(sorted(told.0.clone()), fresh, "after {step} writes");
        writes.step(&mut organization).await;
    }
    assert!(told.0.reached.number > ChangeNumber(50), "{:?}", told.0.reached);
}

/// What is answered to whoever writes is what the log holds.
pub async fn a_write_answers_what_it_logged(mut organization: Organization) {
    let mut told = Told::default();
    told.follow(&organization).await;
    let cluster = organization.try_cluster(10, "a").await.unwrap();
    assert_eq!(told.follow(&organization).await, cluster.log);
    assert_eq!(cluster.log.len(), 1);
    let rule = organization
        .try_rule(group("g"), RoleId::VIEWER, Scope::Account)
        .await;
    let rule = rule.unwrap();
    assert_eq!(told.follow(&organization).await, rule.log);
    let gone = organization.delete_rule(&rule.value).await.unwrap();
    assert_eq!(told.follow(&organization).await, gone.log);
    let refused = organization.try_cluster(11, "a").await;
    assert!(refused.is_err());
    assert_eq!(
        told.follow(&organization).await,
        [],
        "what is refused changes nothing"
    );
    assert_eq!(
        organization
            .store
            .changes_since(&told.0.reached, 1)
            .await
            .unwrap(),
        LogAfter::Entries(vec![])
    );
    let mut beyond = told.0.reached.clone();
    beyond.number = beyond.number.next();
    let beyond = organization.store.changes_since(&beyond, 1).await.unwrap();
    assert_eq!(
        beyond,
        LogAfter::Unknown,
        "a log that has never come so far is another one"
    );
    // The same number, given to another entry: without its tag nobody would notice. Also where it is not the last one.
    for at in [&rule.log, &gone.log] {
        let mut other = at.first().unwrap().mark();
        other.tag = "of an entry that is lost".to_owned();
        let other = organization.store.changes_since(&other, 1).await.unwrap();
        assert_eq!(other, LogAfter::Unknown);
    }
}

/// A rule of the account over many clusters, and a user with many rules: in parts of a bounded size.
pub async fn wide_changes_are_logged_in_parts(mut organization: Organization) {
    let clusters = CHANGES_TOGETHER + 10;
    for number in 0..clusters {
        let number = u64::try_from(number).unwrap();
        organization.cluster(1000 + number, &format!("c{number}")).await;
    }
    let user = organization.try_user(2, "carol@example.com", None).await.unwrap();
    let mut told = Told::default();
    told.follow(&organization).await;
    let subject = SubjectKey::User(parsed("carol@example.com"));
    let rule = organization
        .try_rule(subject, RoleId::VIEWER, Scope::Account)
        .await
        .unwrap();
    assert_eq!(rule.revisions.len(), clusters);
    for entry in &rule.log {
        let most = entry.changes.iter().map(|change| match change {
            DirectoryChange::Revisions(some) => some.len(),
            _ => 1,
        });
        assert!(most.max().unwrap() <= CHANGES_TOGETHER);
    }
    organization.delete_user(user.id).await.unwrap();
    told.follow(&organization).await;
    assert_eq!(
        sorted(told.0),
        sorted(organization.store.directory().await.unwrap())
    );
}

/// The log has a bound; who is further behind is told to read anew.
pub async fn the_oldest_changes_are_forgotten(organization: Organization) {
    let granted = organization.may(
        reeve_authz::Action::Update,
        reeve_authz::Entity::Users,
        Scope::Account,
    );
    let reached = organization.store.directory().await.unwrap().reached;
    for _ in 0..CHANGES_KEPT {
        let ended = organization.store.end_sessions(
            &granted,
            organization.admin_row.id,
            super::organization::entry(crate::AuditAction::SignOut),
        );
        ended.await.unwrap();
    }
    let before = ChangeMark {
        number: ChangeNumber(reached.number.0 - 1),
        tag: "whatever it was".to_owned(),
    };
    let before = organization.store.changes_since(&before, 3).await.unwrap();
    assert_eq!(before, LogAfter::Forgotten);
    let since = organization.store.changes_since(&reached, 3).await.unwrap();
    assert!(
        matches!(&since, LogAfter::Entries(log) if log.len() == 3),
        "{since:?}"
    );
}

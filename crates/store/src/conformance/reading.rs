//! Reports, lists and the directory.

use reeve_authz::{Action, Entity, Principal, RoleId, Scope};
use reeve_link::{ClusterSettings, KubernetesEndpoint, ObjectKey, ObjectStatus, StatusPhase, StatusReport};
use reeve_types::Revision;
use reeve_types::list::ListQuery;

use super::world::{NOW, World, entry, group, id, link, parsed, posix};
use crate::{AccessRuleFilter, AuditAction, StoreError, Verifier};

/// Twice the same is written once; what the cluster is not to have is dropped.
pub async fn a_report_is_kept_when_it_says_something_new(mut world: World) {
    let cluster = world.cluster(10, "a").await.id;
    let department = world.department(cluster, "vision").await.id;
    let project = world.project(department, "robots").await.id;
    let rule = world
        .rule(group("g"), RoleId::VIEWER, Scope::Project(project))
        .await;
    let settings = ClusterSettings {
        enforce_run_as_user: true,
        enforce_prevent_privilege_escalation: false,
        kubernetes_version: "v1.37.2".to_owned(),
        operator_version: "0.1.0".to_owned(),
        kubernetes_endpoint: None,
        policy_alarms: Vec::new(),
    };
    let about = |key, phase, message: &str| ObjectStatus {
        key,
        phase,
        message: message.to_owned(),
    };
    let report = StatusReport {
        revision: Revision(2),
        settings: Some(settings.clone()),
        objects: vec![
            about(
                ObjectKey::Project(project),
                StatusPhase::NotReady,
                "the namespace is missing",
            ),
            about(ObjectKey::AccessRule(rule.id), StatusPhase::Ready, ""),
            about(
                ObjectKey::Workload(id(100)),
                StatusPhase::Running,
                "never heard of",
            ),
        ],
    };
    let told = async |report: &StatusReport, at| {
        let entry = entry(AuditAction::Update);
        world
            .store
            .report(&link(), cluster, report, at, entry)
            .await
            .unwrap()
            .value
    };
    let first = told(&report, NOW).await.unwrap();
    assert_eq!((first.applied_revision, first.endpoint), (Revision(2), None));
    assert_eq!(told(&report, NOW.plus_seconds(9)).await, None);
    let behind = StatusReport {
        revision: Revision(1),
        ..StatusReport::default()
    };
    assert_eq!(told(&behind, NOW).await, None, "it never goes back");
    let granted = world.may(Action::Read, Entity::Project, Scope::Project(project));
    let row = world.store.project(&granted, project).await.unwrap().unwrap();
    let status = row.status.unwrap();
    assert_eq!(
        (status.phase, status.message.as_str()),
        (StatusPhase::NotReady, "the namespace is missing")
    );
    assert_eq!(status.updated_at, NOW);
    let rules = world
        .store
        .access_rules(
            &world.sees(Entity::AccessRules),
            &ListQuery::default(),
            &AccessRuleFilter::default(),
        )
        .await
        .unwrap()
        .0
        .items;
    let statuses: Vec<_> = rules.iter().map(|row| row.statuses.len()).collect();
    assert_eq!(statuses, [0, 1]);
    let granted = world.may(Action::Read, Entity::Cluster, Scope::Cluster(cluster));
    let row = world.store.cluster(&granted, cluster).await.unwrap().unwrap();
    assert_eq!(
        (row.settings, row.applied_revision),
        (Some(settings), Revision(2))
    );
    world.delete_rule(&rule).await.unwrap();
    let entry = || entry(AuditAction::Update);
    let again = world.store.report(&link(), cluster, &report, NOW, entry()).await;
    assert_eq!(again.unwrap().value, None, "the rule is gone");
    let unknown = world.store.report(&link(), id(99), &report, NOW, entry()).await;
    assert!(matches!(unknown, Err(StoreError::NotFound { .. })), "{unknown:?}");
}

/// The first is pinned, another one waits beside it, an administrator's word replaces both; two audit events for whatever is
/// reported, and one for the word.
pub async fn an_address_that_is_reported_later_never_replaces_the_first(mut world: World) {
    let cluster = world.cluster(10, "a").await.id;
    let endpoint = |host: &str| KubernetesEndpoint {
        server: format!("https://{host}:6443"),
        certificate_authority_data: "Q0E=".to_owned(),
    };
    let report = async |host: Option<&str>| {
        let report = StatusReport {
            settings: Some(ClusterSettings {
                enforce_run_as_user: true,
                enforce_prevent_privilege_escalation: true,
                kubernetes_version: String::new(),
                operator_version: String::new(),
                kubernetes_endpoint: host.map(endpoint),
                policy_alarms: Vec::new(),
            }),
            ..StatusReport::default()
        };
        let entry = entry(AuditAction::Update);
        world
            .store
            .report(&link(), cluster, &report, NOW, entry)
            .await
            .unwrap();
        let granted = world.may(Action::Read, Entity::Cluster, Scope::Cluster(cluster));
        let row = world.store.cluster(&granted, cluster).await.unwrap().unwrap();
        (row.endpoint, row.reported_endpoint)
    };
    assert_eq!(report(None).await, (None, None));
    // The settings have been told of; from here on only the address differs.
    let before = world.audited().await;
    assert_eq!(report(Some("first")).await, (Some(endpoint("first")), None));
    assert_eq!(world.audited().await, before + 1);
    for host in ["thief", "first", "thief", "other"] {
        let (served, _) = report(Some(host)).await;
        assert_eq!(served, Some(endpoint("first")), "{host}");
    }
    assert_eq!(
        report(None).await,
        (Some(endpoint("first")), Some(endpoint("other")))
    );
    assert_eq!(
        world.audited().await,
        before + 2,
        "once, however often it is said"
    );
    let directory = world.store.directory().await.unwrap();
    let known = directory.clusters.iter().map(|it| it.endpoint.clone());
    assert_eq!(known.collect::<Vec<_>>(), [Some(endpoint("first"))]);
    let granted = world.may(Action::Update, Entity::Cluster, Scope::Cluster(cluster));
    let entry = entry(AuditAction::Update);
    let row = world
        .store
        .set_kubernetes_endpoint(&granted, cluster, endpoint("moved"), entry)
        .await
        .unwrap()
        .value;
    assert_eq!(
        (row.endpoint, row.reported_endpoint),
        (Some(endpoint("moved")), None)
    );
    assert_eq!(world.audited().await, before + 3);
}

/// And its number rises, so that tokens that the old one earned can be told from those of the new one.
pub async fn a_new_link_secret_replaces_the_old_one(mut world: World) {
    let (cluster, other) = (world.cluster(10, "a").await.id, world.cluster(11, "b").await.id);
    let kept = async |cluster| world.store.link_verifier(cluster).await.unwrap().unwrap();
    let (_, first) = kept(cluster).await;
    let granted = world.may(Action::Update, Entity::Cluster, Scope::Cluster(cluster));
    let number = world
        .store
        .set_cluster_credential(
            &granted,
            cluster,
            Verifier::new("new"),
            entry(AuditAction::Update),
        )
        .await
        .unwrap()
        .value;
    assert_ne!(number, first);
    assert_eq!(kept(cluster).await, (Verifier::new("new"), number));
    assert_eq!(kept(other).await.1, first, "another cluster's stays");
    let directory = world.store.directory().await.unwrap();
    let found = directory.clusters.iter().find(|it| it.id == cluster).unwrap();
    assert_eq!(found.credential, number);
    let refused = world
        .store
        .set_cluster_credential(&granted, other, Verifier::new("new"), entry(AuditAction::Update))
        .await;
    assert!(matches!(refused, Err(StoreError::Gate { .. })), "{refused:?}");
}

/// And nothing beside it.
pub async fn lists_show_what_is_visible(mut world: World) {
    let cluster = world.cluster(10, "a").await.id;
    let (vision, language) = (
        world.department(cluster, "vision").await.id,
        world.department(cluster, "language").await.id,
    );
    let robots = world.project(vision, "robots").await.id;
    let captions = world.project(language, "captions").await.id;
    world
        .rule(group("g"), RoleId::VIEWER, Scope::Department(language))
        .await;
    world.try_workload(100, robots, "train").await.unwrap();
    world.try_workload(101, captions, "train").await.unwrap();
    let bob = Principal {
        subject: reeve_authz::SubjectKey::User(parsed("bob@example.com")),
        groups: vec![parsed("g")],
    };
    let sees = |entity| world.index.visible(&bob, entity).unwrap();
    let departments = world
        .store
        .departments(&sees(Entity::Department), &ListQuery::default())
        .await
        .unwrap()
        .items;
    let projects = world
        .store
        .projects(&sees(Entity::Project), &ListQuery::default())
        .await
        .unwrap()
        .items;
    let workloads = world
        .store
        .workloads(&sees(Entity::Workloads), &ListQuery::default())
        .await
        .unwrap()
        .items;
    assert_eq!(departments.iter().map(|it| it.id).collect::<Vec<_>>(), [language]);
    assert_eq!(projects.iter().map(|it| it.id).collect::<Vec<_>>(), [captions]);
    assert_eq!(
        workloads.iter().map(|it| it.project_id).collect::<Vec<_>>(),
        [captions]
    );
    assert!(world.index.visible(&bob, Entity::AccessRules).is_err());
    assert_eq!(
        world
            .store
            .projects(&world.sees(Entity::Project), &ListQuery::default())
            .await
            .unwrap()
            .items
            .len(),
        2
    );
}

/// What was written can be loaded again, whole.
pub async fn the_directory_says_what_was_written(mut world: World) {
    let cluster = world.cluster(10, "a").await.id;
    let department = world.department(cluster, "vision").await.id;
    let project = world.project(department, "robots").await.id;
    let alice = world
        .try_user(2, "alice@example.com", Some(posix(70012)))
        .await
        .unwrap();
    let account = world.service_account(20, "ci").await;
    let rule = world
        .rule(group("g"), RoleId::L1_RESEARCHER, Scope::Project(project))
        .await;
    let gone = world.rule(group("h"), RoleId::VIEWER, Scope::Account).await;
    world.delete_rule(&gone).await.unwrap();
    let directory = world.store.directory().await.unwrap();
    assert_eq!(directory.rules, [world.admin_rule.rule(), rule.rule()]);
    assert_eq!(
        directory
            .clusters
            .iter()
            .map(|it| it.name.as_str())
            .collect::<Vec<_>>(),
        ["a"]
    );
    assert_eq!(
        directory
            .departments
            .iter()
            .map(|it| (it.id, it.cluster_id))
            .collect::<Vec<_>>(),
        [(department, cluster)]
    );
    let projects: Vec<_> = directory
        .projects
        .iter()
        .map(|it| (it.id, it.department_id, it.cluster_id))
        .collect();
    assert_eq!(projects, [(project, department, cluster)]);
    let found = directory.users.iter().find(|it| it.id == alice.id).unwrap();
    assert_eq!((&found.email, &found.posix), (&alice.email, &alice.posix));
    assert_eq!(
        directory
            .service_accounts
            .iter()
            .map(|it| it.id)
            .collect::<Vec<_>>(),
        [account.id]
    );
    assert_eq!(
        world.store.locate_access_rule(rule.id).await.unwrap(),
        Some(Scope::Project(project))
    );
    assert_eq!(
        world.store.locate_access_rule(gone.id).await.unwrap(),
        Some(Scope::Account)
    );
    let (id, _) = world
        .store
        .password_verifier(&alice.email)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(id, alice.id);
    assert!(
        world
            .store
            .secret_verifier(&parsed("nobody"))
            .await
            .unwrap()
            .is_none()
    );
}

/// To see departments is not to see what runs in them.
pub async fn a_list_is_cut_by_what_is_visible_of_its_own_kind(mut world: World) {
    let cluster = world.cluster(10, "a").await.id;
    let department = world.department(cluster, "vision").await.id;
    let gate = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::Gate { .. })), "{result:?}");
    };
    let (wrong, other) = (world.sees(Entity::Department), world.sees(Entity::Project));
    gate(
        world
            .store
            .workloads(&wrong, &ListQuery::default())
            .await
            .map(drop),
    );
    gate(
        world
            .store
            .projects(&wrong, &ListQuery::default())
            .await
            .map(drop),
    );
    gate(world.store.clusters(&wrong).await.map(drop));
    let (query, filter) = (ListQuery::default(), AccessRuleFilter::default());
    gate(world.store.access_rules(&wrong, &query, &filter).await.map(drop));
    gate(
        world
            .store
            .count_access_rules(&wrong, &query, &filter)
            .await
            .map(drop),
    );
    gate(
        world
            .store
            .departments(&other, &ListQuery::default())
            .await
            .map(drop),
    );
    gate(world.store.department_name(&other, department).await.map(drop));
    gate(world.store.cluster_name(&wrong, cluster).await.map(drop));
    gate(
        world
            .store
            .count_workloads(&wrong, &ListQuery::default())
            .await
            .map(drop),
    );
    gate(
        world
            .store
            .count_projects(&wrong, &ListQuery::default())
            .await
            .map(drop),
    );
    gate(
        world
            .store
            .count_departments(&other, &ListQuery::default())
            .await
            .map(drop),
    );
}

/// And nothing but the name and the id (control-plane 2.3).
pub async fn of_what_is_above_something_visible_the_name_is_shown(mut world: World) {
    let cluster = world.cluster(10, "a").await.id;
    world.cluster(11, "b").await;
    let vision = world.department(cluster, "vision").await.id;
    world.department(cluster, "language").await;
    let project = world.project(vision, "robots").await.id;
    let rule = world
        .rule(group("g"), RoleId::L1_RESEARCHER, Scope::Project(project))
        .await;
    world.index.add_rule(rule.rule());
    let somebody = Principal {
        subject: reeve_authz::SubjectKey::User(parsed("x@example.com")),
        groups: vec![parsed("g")],
    };
    let sees = |entity| world.index.visible(&somebody, entity).unwrap();
    let clusters = world.store.clusters(&sees(Entity::Cluster)).await.unwrap();
    assert_eq!(
        clusters.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(),
        ["a"]
    );
    assert!(clusters.iter().all(|it| it.name_only && it.created_by.is_empty()));
    let departments = world
        .store
        .departments(&sees(Entity::Department), &ListQuery::default())
        .await
        .unwrap()
        .items;
    assert_eq!(departments.iter().map(|it| it.id).collect::<Vec<_>>(), [vision]);
    assert!(
        departments
            .iter()
            .all(|it| it.name_only && it.created_by.is_empty())
    );
    assert!(departments.iter().all(|it| it.details == serde_json::json!({})));
    // One alone is the same.
    let store = &world.store;
    let named = store
        .department_name(&sees(Entity::Department), vision)
        .await
        .unwrap();
    assert_eq!(named.as_ref(), departments.first());
    let named = store.cluster_name(&sees(Entity::Cluster), cluster).await.unwrap();
    assert_eq!(named.as_ref(), clusters.first());
    let hidden = store.cluster_name(&sees(Entity::Cluster), id(11)).await.unwrap();
    assert_eq!(hidden, None);
    let whole = world
        .store
        .departments(&world.sees(Entity::Department), &ListQuery::default())
        .await
        .unwrap()
        .items;
    assert!(whole.iter().all(|it| !it.name_only && !it.created_by.is_empty()));
}

//! Reports, lists and the directory.

use reeve_authz::{Action, Entity, Principal, RoleId, Scope};
use reeve_link::{ClusterSettings, KubernetesEndpoint, ObjectKey, ObjectStatus, StatusPhase, StatusReport};
use reeve_types::Revision;
use reeve_types::list::{ListQuery, PageQuery};

use super::organization::{NOW, Organization, entry, group, id, link, parsed, posix};
use super::secret_assets::new_credential;
use crate::{AccessRuleFilter, AssetFilter, AuditAction, CredentialAssetFilter, CredentialHash, StoreError};

/// Twice the same is written once; what the cluster is not to have is dropped.
pub async fn a_report_is_kept_when_it_says_something_new(mut organization: Organization) {
    let cluster = organization.cluster(10, "a").await.id;
    let department = organization.department(cluster, "vision").await.id;
    let project = organization.project(department, "robots").await.id;
    let rule = organization
        .rule(group("g"), RoleId::VIEWER, Scope::Project(project))
        .await;
    let settings = ClusterSettings {
        enforce_run_as_user: true,
        enforce_prevent_privilege_escalation: false,
        kubernetes_version: "v1.37.2".to_owned(),
        operator_version: "0.1.0".to_owned(),
        kubernetes_endpoint: None,
        policy_alarms: Vec::new(),
        ..ClusterSettings::default()
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
        organization
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
    let granted = organization.may(Action::Read, Entity::Project, Scope::Project(project));
    let row = organization
        .store
        .project(&granted, project)
        .await
        .unwrap()
        .unwrap();
    let status = row.status.unwrap();
    assert_eq!(
        (status.phase, status.message.as_str()),
        (StatusPhase::NotReady, "the namespace is missing")
    );
    assert_eq!(status.updated_at, NOW);
    let rules = organization
        .store
        .access_rules(
            &organization.sees(Entity::AccessRules),
            &ListQuery::default(),
            &AccessRuleFilter::default(),
        )
        .await
        .unwrap()
        .0
        .items;
    let statuses: Vec<_> = rules.iter().map(|row| row.statuses.len()).collect();
    assert_eq!(statuses, [0, 1]);
    let granted = organization.may(Action::Read, Entity::Cluster, Scope::Cluster(cluster));
    let row = organization
        .store
        .cluster(&granted, cluster)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (row.settings, row.applied_revision),
        (Some(settings), Revision(2))
    );
    organization.delete_rule(&rule).await.unwrap();
    let entry = || entry(AuditAction::Update);
    let again = organization
        .store
        .report(&link(), cluster, &report, NOW, entry())
        .await;
    assert_eq!(again.unwrap().value, None, "the rule is gone");
    let unknown = organization
        .store
        .report(&link(), id(99), &report, NOW, entry())
        .await;
    assert!(matches!(unknown, Err(StoreError::NotFound { .. })), "{unknown:?}");
}

/// The first is pinned, another one waits beside it, an administrator's word replaces both; two audit events for whatever is
/// reported, and one for the word.
pub async fn an_address_that_is_reported_later_never_replaces_the_first(mut organization: Organization) {
    let cluster = organization.cluster(10, "a").await.id;
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
                ..ClusterSettings::default()
            }),
            ..StatusReport::default()
        };
        let entry = entry(AuditAction::Update);
        organization
            .store
            .report(&link(), cluster, &report, NOW, entry)
            .await
            .unwrap();
        let granted = organization.may(Action::Read, Entity::Cluster, Scope::Cluster(cluster));
        let row = organization
            .store
            .cluster(&granted, cluster)
            .await
            .unwrap()
            .unwrap();
        (row.endpoint, row.reported_endpoint)
    };
    assert_eq!(report(None).await, (None, None));
    // The settings have been told of; from here on only the address differs.
    let before = organization.audited().await;
    assert_eq!(report(Some("first")).await, (Some(endpoint("first")), None));
    assert_eq!(organization.audited().await, before + 1);
    for host in ["thief", "first", "thief", "other"] {
        let (served, _) = report(Some(host)).await;
        assert_eq!(served, Some(endpoint("first")), "{host}");
    }
    assert_eq!(
        report(None).await,
        (Some(endpoint("first")), Some(endpoint("other")))
    );
    assert_eq!(
        organization.audited().await,
        before + 2,
        "once, however often it is said"
    );
    let directory = organization.store.directory().await.unwrap();
    let known = directory.clusters.iter().map(|it| it.endpoint.clone());
    assert_eq!(known.collect::<Vec<_>>(), [Some(endpoint("first"))]);
    let granted = organization.may(Action::Update, Entity::Cluster, Scope::Cluster(cluster));
    let entry = entry(AuditAction::Update);
    let row = organization
        .store
        .set_kubernetes_endpoint(&granted, cluster, endpoint("moved"), entry)
        .await
        .unwrap()
        .value;
    assert_eq!(
        (row.endpoint, row.reported_endpoint),
        (Some(endpoint("moved")), None)
    );
    assert_eq!(organization.audited().await, before + 3);
}

/// And its number rises, so that tokens that the old one earned can be told from those of the new one.
pub async fn a_new_link_secret_replaces_the_old_one(mut organization: Organization) {
    let (cluster, other) = (
        organization.cluster(10, "a").await.id,
        organization.cluster(11, "b").await.id,
    );
    let kept = async |cluster| organization.store.link_verifier(cluster).await.unwrap().unwrap();
    let (_, first) = kept(cluster).await;
    let granted = organization.may(Action::Update, Entity::Cluster, Scope::Cluster(cluster));
    let number = organization
        .store
        .set_cluster_credential(
            &granted,
            cluster,
            CredentialHash::new("new").into(),
            entry(AuditAction::Update),
        )
        .await
        .unwrap()
        .value;
    assert_ne!(number, first);
    assert_eq!(kept(cluster).await, (CredentialHash::new("new"), number));
    assert_eq!(kept(other).await.1, first, "another cluster's stays");
    let directory = organization.store.directory().await.unwrap();
    let found = directory.clusters.iter().find(|it| it.id == cluster).unwrap();
    assert_eq!(found.credential, number);
    let refused = organization
        .store
        .set_cluster_credential(
            &granted,
            other,
            CredentialHash::new("new").into(),
            entry(AuditAction::Update),
        )
        .await;
    assert!(matches!(refused, Err(StoreError::Gate { .. })), "{refused:?}");
}

/// And nothing beside it.
pub async fn lists_show_what_is_visible(mut organization: Organization) {
    let cluster = organization.cluster(10, "a").await.id;
    let (vision, language) = (
        organization.department(cluster, "vision").await.id,
        organization.department(cluster, "language").await.id,
    );
    let robots = organization.project(vision, "robots").await.id;
    let captions = organization.project(language, "captions").await.id;
    organization
        .rule(group("g"), RoleId::VIEWER, Scope::Department(language))
        .await;
    organization.try_workload(100, robots, "train").await.unwrap();
    organization.try_workload(101, captions, "train").await.unwrap();
    let bob = Principal {
        subject: reeve_authz::SubjectKey::User(parsed("bob@example.com")),
        groups: vec![parsed("g")],
    };
    let sees = |entity| organization.index.visible(&bob, entity).unwrap();
    let departments = organization
        .store
        .departments(&sees(Entity::Department), &ListQuery::default())
        .await
        .unwrap()
        .items;
    let projects = organization
        .store
        .projects(&sees(Entity::Project), &ListQuery::default())
        .await
        .unwrap()
        .items;
    let workloads = organization
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
    assert!(organization.index.visible(&bob, Entity::AccessRules).is_err());
    assert_eq!(
        organization
            .store
            .projects(&organization.sees(Entity::Project), &ListQuery::default())
            .await
            .unwrap()
            .items
            .len(),
        2
    );
}

/// What was written can be loaded again, whole.
pub async fn the_directory_says_what_was_written(mut organization: Organization) {
    let cluster = organization.cluster(10, "a").await.id;
    let department = organization.department(cluster, "vision").await.id;
    let project = organization.project(department, "robots").await.id;
    let alice = organization
        .try_user(2, "alice@example.com", Some(posix(70012)))
        .await
        .unwrap();
    let account = organization.service_account(20, "ci").await;
    let rule = organization
        .rule(group("g"), RoleId::L1_RESEARCHER, Scope::Project(project))
        .await;
    let gone = organization
        .rule(group("h"), RoleId::VIEWER, Scope::Account)
        .await;
    organization.delete_rule(&gone).await.unwrap();
    let directory = organization.store.directory().await.unwrap();
    assert_eq!(directory.rules, [organization.admin_rule.rule(), rule.rule()]);
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
        organization.store.locate_access_rule(rule.id).await.unwrap(),
        Some(Scope::Project(project))
    );
    assert_eq!(
        organization.store.locate_access_rule(gone.id).await.unwrap(),
        Some(Scope::Account)
    );
    let (id, _) = organization
        .store
        .password_verifier(&alice.email)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(id, alice.id);
    assert!(
        organization
            .store
            .secret_verifier(&parsed("nobody"))
            .await
            .unwrap()
            .is_none()
    );
}

/// To see departments is not to see what runs in them.
pub async fn a_list_is_cut_by_what_is_visible_of_its_own_kind(mut organization: Organization) {
    let cluster = organization.cluster(10, "a").await.id;
    let department = organization.department(cluster, "vision").await.id;
    let gate = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::Gate { .. })), "{result:?}");
    };
    let (wrong, other) = (
        organization.sees(Entity::Department),
        organization.sees(Entity::Project),
    );
    gate(
        organization
            .store
            .workloads(&wrong, &ListQuery::default())
            .await
            .map(drop),
    );
    gate(
        organization
            .store
            .projects(&wrong, &ListQuery::default())
            .await
            .map(drop),
    );
    gate(
        organization
            .store
            .clusters(&wrong, PageQuery::default())
            .await
            .map(drop),
    );
    let (query, filter) = (ListQuery::default(), AccessRuleFilter::default());
    gate(
        organization
            .store
            .access_rules(&wrong, &query, &filter)
            .await
            .map(drop),
    );
    gate(
        organization
            .store
            .count_access_rules(&wrong, &query, &filter)
            .await
            .map(drop),
    );
    gate(
        organization
            .store
            .departments(&other, &ListQuery::default())
            .await
            .map(drop),
    );
    gate(
        organization
            .store
            .department_name(&other, department)
            .await
            .map(drop),
    );
    gate(organization.store.cluster_name(&wrong, cluster).await.map(drop));
    gate(
        organization
            .store
            .count_workloads(&wrong, &ListQuery::default())
            .await
            .map(drop),
    );
    gate(
        organization
            .store
            .count_projects(&wrong, &ListQuery::default())
            .await
            .map(drop),
    );
    gate(
        organization
            .store
            .count_departments(&other, &ListQuery::default())
            .await
            .map(drop),
    );
}

/// Pages of clusters and of secrets hold what may be seen, each once, in the order of names, however many are hidden in between. Planted
/// faults: `clusters-are-not-paged`, `assets-are-not-paged`.
pub async fn clusters_and_assets_are_read_in_pages(mut organization: Organization) {
    let mut all = Vec::new();
    for (number, name) in (10..).zip(["d", "b", "e", "a", "c"]) {
        all.push(organization.cluster(number, name).await.id);
    }
    for (number, cluster) in (200..).zip(&all) {
        let scope = Scope::Cluster(*cluster);
        let new = new_credential(number, &format!("credential-{number}"), scope);
        let granted = organization.may(Action::Create, Entity::Credentials, scope);
        let create = entry(AuditAction::Create);
        let kept = organization.store.create_credential_asset(&granted, new, create);
        kept.await.unwrap();
    }
    // Those called d, e and c.
    for at in [0, 2, 4] {
        let scope = Scope::Cluster(*all.get(at).unwrap());
        organization
            .rule(group("g"), RoleId::SYSTEM_ADMINISTRATOR, scope)
            .await;
    }
    let somebody = Principal {
        subject: reeve_authz::SubjectKey::User(parsed("x@example.com")),
        groups: vec![parsed("g")],
    };
    let store = &organization.store;
    for (caller, names) in [(&somebody, "cde"), (&organization.admin, "abcde")] {
        let clusters = organization.index.visible(caller, Entity::Cluster).unwrap();
        let credentials = organization.index.visible(caller, Entity::Credentials).unwrap();
        for limit in 1..=6 {
            let mut pages = (String::new(), Vec::new());
            for offset in (0..6).step_by(limit) {
                let page = PageQuery { offset, limit };
                let some = store.clusters(&clusters, page).await.unwrap();
                let filter = CredentialAssetFilter {
                    asset: AssetFilter {
                        page: Some(page),
                        ..AssetFilter::default()
                    },
                    ..CredentialAssetFilter::default()
                };
                let assets = store.credential_assets(&credentials, &filter).await.unwrap();
                assert!(some.len() <= limit && assets.len() == some.len(), "{page:?}");
                pages.0.extend(some.iter().map(|it| it.name.to_string()));
                pages.1.extend(assets.into_iter().map(|it| it.id));
            }
            assert_eq!(pages.0, names, "{limit} on a page");
            let everything = CredentialAssetFilter::default();
            let whole = store.credential_assets(&credentials, &everything).await;
            let whole: Vec<_> = whole.unwrap().into_iter().map(|it| it.id).collect();
            assert_eq!(pages.1, whole, "{limit} on a page");
        }
    }
}

/// And nothing but the name and the id (control-plane 2.3).
pub async fn of_what_is_above_something_visible_the_name_is_shown(mut organization: Organization) {
    let cluster = organization.cluster(10, "a").await.id;
    organization.cluster(11, "b").await;
    let vision = organization.department(cluster, "vision").await.id;
    organization.department(cluster, "language").await;
    let project = organization.project(vision, "robots").await.id;
    let rule = organization
        .rule(group("g"), RoleId::L1_RESEARCHER, Scope::Project(project))
        .await;
    organization.index.add_rule(rule.rule());
    let somebody = Principal {
        subject: reeve_authz::SubjectKey::User(parsed("x@example.com")),
        groups: vec![parsed("g")],
    };
    let sees = |entity| organization.index.visible(&somebody, entity).unwrap();
    let clusters = organization
        .store
        .clusters(&sees(Entity::Cluster), PageQuery::default())
        .await
        .unwrap();
    assert_eq!(
        clusters.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(),
        ["a"]
    );
    assert!(clusters.iter().all(|it| it.name_only && it.created_by.is_empty()));
    let departments = organization
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
    let store = &organization.store;
    let named = store
        .department_name(&sees(Entity::Department), vision)
        .await
        .unwrap();
    assert_eq!(named.as_ref(), departments.first());
    let named = store.cluster_name(&sees(Entity::Cluster), cluster).await.unwrap();
    assert_eq!(named.as_ref(), clusters.first());
    let hidden = store.cluster_name(&sees(Entity::Cluster), id(11)).await.unwrap();
    assert_eq!(hidden, None);
    let whole = organization
        .store
        .departments(&organization.sees(Entity::Department), &ListQuery::default())
        .await
        .unwrap()
        .items;
    assert!(whole.iter().all(|it| !it.name_only && !it.created_by.is_empty()));
}

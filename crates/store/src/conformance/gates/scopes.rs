//! Clusters, departments, projects, and what is in them.

use reeve_authz::{Action, Entity, GrantedRole, RoleId, Scope};
use reeve_link::KubernetesEndpoint;
use reeve_types::list::{ListQuery, PageQuery};
use reeve_types::workload_policy::Policy;
use reeve_types::{LowestId, PodRules, PolicyId, PolicyKind};

use super::super::organization::{NOW, Organization, entry, group, id, new_workload, parsed};
use super::{Fixture, Granted, Opens, Tried, Visible, account};
use crate::{
    AccessRuleFilter, AuditAction, CredentialAssetFilter, CredentialHash, NewAccessRule, NewCluster,
    NewDepartment, NewProject, PolicyFilter, SecretAssetFilter, SetDepartment, SetNetworking, SetPodRules,
    SetPolicy, SetProject, StoreError,
};

pub(super) async fn lists(tried: &mut Tried<'_>, fixture: &Fixture) {
    let store = &tried.organization.store;
    let rules = AccessRuleFilter::default();
    by_visible! { tried, store:
        clusters(PageQuery::default()) of Entity::Cluster;
        cluster_name(fixture.cluster) of Entity::Cluster;
        departments(&ListQuery::default()) of Entity::Department;
        count_departments(&ListQuery::default()) of Entity::Department;
        department_name(fixture.department) of Entity::Department;
        projects(&ListQuery::default()) of Entity::Project;
        count_projects(&ListQuery::default()) of Entity::Project;
        workloads(&ListQuery::default()) of Entity::Workloads;
        count_workloads(&ListQuery::default()) of Entity::Workloads;
        access_rules(&ListQuery::default(), &rules) of Entity::AccessRules;
        count_access_rules(&ListQuery::default(), &rules) of Entity::AccessRules;
        credential_assets(&CredentialAssetFilter::default()) of Entity::Credentials;
        secret_assets(&SecretAssetFilter::default()) of Entity::SecretVolumeAssets;
        workload_policies(&PolicyFilter::default()) of Entity::Policies;
    }
}

pub(super) async fn try_all(tried: &mut Tried<'_>, fixture: &Fixture) {
    clusters(tried, fixture).await;
    org_units(tried, fixture).await;
    policies(tried, fixture).await;
    rules(tried, fixture).await;
    workloads(tried, fixture).await;
}

async fn clusters(tried: &mut Tried<'_>, fixture: &Fixture) {
    let store = &tried.organization.store;
    let cluster = fixture.cluster;
    let here = |action| Opens::Rule(action, Entity::Cluster, Scope::Cluster(cluster));
    let event = || entry(AuditAction::Update);
    let new = || NewCluster {
        id: id(12),
        name: parsed("c"),
        domain: None,
        version: None,
        secret: CredentialHash::new("hash").into(),
        created_at: NOW,
        created_by: "admin".to_owned(),
    };
    let endpoint = || KubernetesEndpoint {
        server: "https://k8s.example.com:6443".to_owned(),
        certificate_authority_data: String::new(),
    };
    let lowest = LowestId::new(20).unwrap();
    by_granted! { tried, store:
        cluster(cluster) by [here(Action::Read)];
        create_cluster(new(), event()) by [account(Action::Create, Entity::Cluster)];
        rename_cluster(cluster, parsed("renamed"), event()) by [here(Action::Update)];
        set_lowest_id(cluster, lowest, event()) by [account(Action::Update, Entity::Cluster)];
        set_kubernetes_endpoint(cluster, endpoint(), event()) by [here(Action::Update)];
        set_cluster_credential(cluster, CredentialHash::new("new").into(), event()) by [here(Action::Update)];
        reveal_cluster_secret(cluster, event()) by [here(Action::Update)];
    }
}

async fn org_units(tried: &mut Tried<'_>, fixture: &Fixture) {
    let store = &tried.organization.store;
    let (cluster, department, project) = (fixture.cluster, fixture.department, fixture.project);
    let event = || entry(AuditAction::Update);
    let at = |action, entity, scope| Opens::Rule(action, entity, scope);
    let in_cluster = |action, entity| at(action, entity, Scope::Cluster(cluster));
    let in_department = |action, entity| at(action, entity, Scope::Department(department));
    let in_project = |action, entity| at(action, entity, Scope::Project(project));
    let (created_by, details) = (|| "admin".to_owned(), || serde_json::json!({}));
    let new_department = || NewDepartment {
        cluster_id: cluster,
        name: parsed("another"),
        details: details(),
        created_at: NOW,
        created_by: created_by(),
    };
    let set_department = || SetDepartment {
        details: details(),
        at: NOW,
        by: created_by(),
    };
    let new_project = || NewProject {
        department_id: department,
        name: parsed("another"),
        namespace: "reeve-another".to_owned(),
        namespace_requested: false,
        may_take_over: false,
        details: details(),
        created_at: NOW,
        created_by: created_by(),
    };
    let set_project = || SetProject {
        details: details(),
        at: NOW,
        by: created_by(),
    };
    let networking = || SetNetworking {
        allowed: true,
        at: NOW,
        by: created_by(),
    };
    let pod_rules = || SetPodRules {
        rules: PodRules::default(),
        at: NOW,
        by: created_by(),
    };
    by_granted! { tried, store:
        department(department) by [in_department(Action::Read, Entity::Department)];
        create_department(new_department(), event()) by [in_cluster(Action::Create, Entity::Department)];
        update_department(department, set_department(), event())
            by [in_department(Action::Update, Entity::Department)];
        project(project) by [in_project(Action::Read, Entity::Project)];
        create_project(new_project(), event()) by [in_department(Action::Create, Entity::Project)];
        update_project(project, set_project(), event()) by [in_project(Action::Update, Entity::Project)];
        set_project_networking(project, networking(), event()) by [in_cluster(Action::Update, Entity::Project)];
        set_project_pod_rules(project, pod_rules(), event()) by [in_cluster(Action::Update, Entity::Project)];
    }
}

async fn policies(tried: &mut Tried<'_>, fixture: &Fixture) {
    let store = &tried.organization.store;
    let (scope, kind) = (Scope::Department(fixture.department), PolicyKind::Training);
    let here = |action| Opens::Rule(action, Entity::Policies, scope);
    let event = || entry(AuditAction::Update);
    let set = || SetPolicy {
        id: id::<PolicyId>(900),
        scope,
        kind,
        name: "hardening".to_owned(),
        policy: Policy::default(),
        at: NOW,
        by: "admin".to_owned(),
    };
    by_granted! { tried, store:
        set_workload_policy(set(), event()) by [here(Action::Update)];
        workload_policy(scope, kind) by [here(Action::Read)];
        delete_workload_policy(scope, kind, event()) by [here(Action::Delete)];
    }
}

async fn rules(tried: &mut Tried<'_>, fixture: &Fixture) {
    let organization = tried.organization;
    let store = &organization.store;
    let (rule, scope) = (fixture.rule.id, fixture.rule.scope);
    let here = |action| Opens::Rule(action, Entity::AccessRules, scope);
    by_granted! { tried, store:
        access_rule(rule) by [here(Action::Read)];
        delete_access_rule(rule, NOW, entry(AuditAction::Delete)) by [here(Action::Delete)];
    }
    let wanted = (RoleId::L1_RESEARCHER, scope);
    let judged = |role, at| {
        organization
            .index
            .may_grant(&organization.admin, role, at)
            .unwrap()
    };
    let other_roles = [RoleId::VIEWER, RoleId::SYSTEM_ADMINISTRATOR].map(|role| judged(role, scope));
    let elsewhere = fixture.scopes.iter().filter(|other| **other != scope);
    let elsewhere = elsewhere.map(|other| judged(wanted.0, *other));
    let before = organization.audited().await;
    for wrong in other_roles.into_iter().chain(elsewhere) {
        let said = give(organization, &wrong, wanted).await;
        assert!(
            matches!(said, Err(StoreError::Gate { .. })),
            "{wrong:?}: {said:?}"
        );
    }
    assert_eq!(organization.audited().await, before);
    give(organization, &judged(wanted.0, scope), wanted)
        .await
        .unwrap();
    tried.methods.insert("create_access_rule");
}

async fn give(
    organization: &Organization,
    granted: &GrantedRole,
    (role, scope): (RoleId, Scope),
) -> Result<(), StoreError> {
    let new = NewAccessRule {
        subject: group("others"),
        role,
        scope,
        created_at: NOW,
        created_by: "admin".to_owned(),
    };
    let store = &organization.store;
    let made = store.create_access_rule(granted, new, entry(AuditAction::Create));
    made.await.map(drop)
}

async fn workloads(tried: &mut Tried<'_>, fixture: &Fixture) {
    let store = &tried.organization.store;
    let (workload, project) = (fixture.workload, fixture.project);
    let here = |action, entity| Opens::Rule(action, entity, Scope::Project(project));
    let trainings = |action| here(action, Entity::Trainings);
    let event = || entry(AuditAction::Update);
    by_granted! { tried, store:
        workload(workload) by [trainings(Action::Read), here(Action::Read, Entity::Workloads)];
        create_workload(new_workload(101, project, "again"), event()) by [trainings(Action::Create)];
        delete_workload(workload, event()) by [trainings(Action::Delete)];
    }
}

/// From the project up, with everything in them.
pub(super) async fn deletions(tried: &mut Tried<'_>, fixture: &Fixture) {
    let store = &tried.organization.store;
    let event = || entry(AuditAction::Delete);
    let gone = |entity, scope| [Opens::Rule(Action::Delete, entity, scope)];
    let (cluster, department, project) = (fixture.cluster, fixture.department, fixture.project);
    by_granted! { tried, store:
        delete_project(project, NOW, event()) by gone(Entity::Project, Scope::Project(project));
        delete_department(department, NOW, event()) by gone(Entity::Department, Scope::Department(department));
        delete_cluster(cluster, NOW, event()) by gone(Entity::Cluster, Scope::Cluster(cluster));
    }
}

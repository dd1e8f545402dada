//! One example of every answer, as it goes over the wire.

use reeve_api::access_rule::{
    AccessRule, AccessRulePhase, AccessRuleStatus, AccessRules, ScopeType, SubjectType,
};
use reeve_api::cluster::{Cluster, ClusterPlatform, ClusterState, ClusterStatus, CreatedCluster};
use reeve_api::org::{
    Department, OrgUnitSettings, ParentDepartment, Project, ProjectPhase, ProjectStatus, Projects,
    TotalResources,
};
use reeve_api::service_account::ServiceAccount;
use reeve_api::training::{DesiredPhase, Security, Training, TrainingSpec, UidGidSource};
use reeve_api::user::User;
use reeve_api::workload::{ActionsSupport, Phase, Source, Workload, Workloads};
use reeve_api::{ErrorBody, RevealedSecret};
use reeve_types::{AccessRuleId, DepartmentId, ProjectId, Secret, Timestamp};

const UUID: &str = "123e4567-e89b-12d3-a456-426614174000";

fn at() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

#[test]
fn a_cluster_that_was_just_made_shows_its_secret() {
    let cluster = Cluster {
        uuid: UUID.parse().unwrap(),
        tenant_id: 1,
        name: "demo".to_owned(),
        created_at: at(),
        domain: None,
        version: None,
        status: Some(ClusterStatus {
            state: ClusterState::WaitingToConnect,
            state_since: at(),
            state_reason: "NeverConnected".to_owned(),
            state_message: String::new(),
            dependencies: None,
            conditions: Vec::new(),
            platform: Some(ClusterPlatform {
                kind: None,
                kube_version: Some("v1.37.2".to_owned()),
            }),
        }),
        updated_at: None,
        deleted_at: None,
        last_liveness: None,
        delete_requested_at: None,
        lowest_id: Some(reeve_types::LowestId::default()),
    };
    insta::assert_json_snapshot!(CreatedCluster {
        cluster,
        client_secret: RevealedSecret::from(Secret::new("shown-once"))
    });
}

#[test]
fn a_department() {
    insta::assert_json_snapshot!(Department {
        id: DepartmentId::new(2).unwrap(),
        name: "vision".to_owned(),
        cluster_id: UUID.parse().unwrap(),
        settings: OrgUnitSettings::default(),
        total_resources: TotalResources::default(),
        created_at: at(),
        updated_at: at(),
        created_by: "admin@reeve.example".to_owned(),
        updated_by: "admin@reeve.example".to_owned(),
    });
}

#[test]
fn a_page_of_projects() {
    let settings = OrgUnitSettings::default();
    let project = Project {
        id: ProjectId::new(33).unwrap(),
        name: "robots".to_owned(),
        cluster_id: UUID.parse().unwrap(),
        parent_id: DepartmentId::new(2).unwrap(),
        parent: Some(ParentDepartment {
            id: DepartmentId::new(2).unwrap(),
            name: "vision".to_owned(),
        }),
        requested_namespace: None,
        enforce_runai_scheduler: true,
        allow_networking: None,
        pod_rules: reeve_types::PodRules::default(),
        effective: (&settings).into(),
        settings,
        status: ProjectStatus {
            namespace: Some("reeve-robots".to_owned()),
            phase: ProjectPhase::Ready,
            phase_message: None,
            last_updated_time: Some(at()),
        },
        total_resources: TotalResources::default(),
        created_at: at(),
        updated_at: at(),
        created_by: "admin@reeve.example".to_owned(),
        updated_by: "admin@reeve.example".to_owned(),
    };
    insta::assert_json_snapshot!(Projects {
        projects: vec![project],
        next: Some(50)
    });
}

#[test]
fn a_user_with_numbers() {
    let posix = serde_json::from_str(r#"{"uid":70012,"gid":5000,"supplementaryGroups":[5001]}"#).unwrap();
    insta::assert_json_snapshot!(User {
        id: UUID.parse().unwrap(),
        username: "alice@reeve.example".parse().unwrap(),
        created_by: "admin@reeve.example".to_owned(),
        created_at: Some(at()),
        updated_at: Some(at()),
        last_login: None,
        is_local: Some(true),
        temporary_password: Some(false),
        groups: None,
        posix: Some(posix),
    });
}

#[test]
fn a_service_account() {
    insta::assert_json_snapshot!(ServiceAccount {
        id: UUID.parse().unwrap(),
        name: "ci".parse().unwrap(),
        client_id: "ci".to_owned(),
        created_by: "admin@reeve.example".to_owned(),
        created_at: Some(at()),
        updated_at: Some(at()),
        enabled: true,
        tenant_id: "1".to_owned(),
        last_login: None,
    });
}

#[test]
fn a_page_of_access_rules() {
    let rule = AccessRule {
        id: AccessRuleId::new(7).unwrap(),
        subject_id: "alice@reeve.example".to_owned(),
        subject_type: SubjectType::User,
        role_id: 5,
        role_name: "L1 researcher".to_owned(),
        scope_id: "33".to_owned(),
        scope_type: ScopeType::Project,
        scope_name: "robots".to_owned(),
        cluster_id: Some(UUID.parse().unwrap()),
        tenant_id: 1,
        created_at: at(),
        updated_at: at(),
        deleted_at: None,
        created_by: "admin@reeve.example".to_owned(),
        status: Some(AccessRuleStatus {
            phase: AccessRulePhase::Ready,
            message: String::new(),
            details: None,
        }),
        scope_path: None,
    };
    insta::assert_json_snapshot!(AccessRules {
        total_records: 1,
        display_records: 1,
        access_rules: vec![rule]
    });
}

#[test]
fn a_training() {
    insta::assert_json_snapshot!(Training {
        name: "train".to_owned(),
        requested_name: "train".to_owned(),
        workload_id: UUID.parse().unwrap(),
        project_id: ProjectId::new(33).unwrap(),
        department_id: DepartmentId::new(2).unwrap(),
        cluster_id: UUID.parse().unwrap(),
        created_by: "alice@reeve.example".to_owned(),
        created_at: at(),
        deleted_at: None,
        desired_phase: DesiredPhase::Running,
        actual_phase: Phase::Creating,
        spec: TrainingSpec {
            image: "local.test/tools:1".to_owned(),
            security: Some(Security {
                uid_gid_source: Some(UidGidSource::FromIdpToken),
                allow_privilege_escalation: None
            }),
            ..TrainingSpec::default()
        },
    });
}

#[test]
fn a_page_of_workloads() {
    let workload = Workload {
        tenant_id: 1,
        id: UUID.parse().unwrap(),
        name: "train".to_owned(),
        kind: "Training".to_owned(),
        category: "Train".to_owned(),
        source: Source::ControlPlane,
        submitted_by: "alice@reeve.example".to_owned(),
        cluster_id: UUID.parse().unwrap(),
        project_id: ProjectId::new(33).unwrap(),
        project_name: "robots".to_owned(),
        department_id: DepartmentId::new(2).unwrap(),
        department_name: "vision".to_owned(),
        namespace: "reeve-robots".to_owned(),
        priority: None,
        priority_class_name: String::new(),
        created_at: at(),
        updated_at: at(),
        deleted_at: None,
        completed_at: None,
        phase: Phase::Running,
        phase_message: String::new(),
        phase_updated_at: at(),
        k8s_phase: "Running".to_owned(),
        k8s_phase_updated_at: at(),
        conditions: Vec::new(),
        running_pods: 1,
        images: vec!["local.test/tools:1".to_owned()],
        actions_support: Some(ActionsSupport {
            delete: true,
            suspend: false,
        }),
    };
    insta::assert_json_snapshot!(Workloads {
        workloads: vec![workload],
        next: None
    });
}

#[test]
fn an_error_has_details_only_when_there_are_some() {
    assert_eq!(
        serde_json::to_string(&ErrorBody::new(404, "no project `9`")).unwrap(),
        r#"{"code":404,"message":"no project `9`"}"#
    );
}

//! Every write method of the store leaves its event in the audit log: one, of that action, about that thing, with what was
//! before and after where the thing is numbers or settings.

mod org_units;
mod roles;
mod settings;

use reeve_authz::{Action, BootstrapException, Entity, Granted, RoleId, Scope};
use reeve_link::{ClusterSettings, KubernetesEndpoint, StatusReport};
use reeve_types::workload_policy::{Policy, Rule};
use reeve_types::{ClusterId, CredentialAssetKind, PodRules, PodSecurity, ProjectId, Revision};

use super::organization::{NOW, Organization, entry, exception, group, link, posix, signing_key};
use super::told::Log;
use crate::{
    AuditAction, AuditHead, ChangeCredentialAsset, CredentialHash, CredentialKind, EMAIL_RESTS_SECONDS,
    Evidence, Fenced, LinkSecret, NewCredentialAsset, NewValues, Resealed, SealedValues, SetNetworking,
    SetPodRules, SetPolicy, StoreError, SubjectId,
};

/// The write methods that are exercised below, in their order. A test in this crate compares them with the traits.
pub const AUDITED_WRITES: &[&str] = &[
    "first_start",
    "create_cluster",
    "report",
    "rename_cluster",
    "set_lowest_id",
    "set_kubernetes_endpoint",
    "set_cluster_credential",
    "reveal_cluster_secret",
    "create_department",
    "update_department",
    "create_project",
    "update_project",
    "set_project_networking",
    "set_project_pod_rules",
    "set_workload_policy",
    "delete_workload_policy",
    "create_access_rule",
    "create_workload",
    "create_credential_asset",
    "update_credential_asset",
    "reseal_credentials",
    "delete_credential_asset",
    "create_secret_asset",
    "update_secret_asset",
    "delete_secret_asset",
    "create_user",
    "set_posix",
    "release_uid",
    "begin_session",
    "renew_session",
    "end_session",
    "record",
    "record_attempts",
    "set_password",
    "change_own_password",
    "prune_attempts",
    "end_sessions",
    "create_service_account",
    "set_service_account_enabled",
    "set_service_account_secret",
    "recover",
    "recover_lost",
    "confirm",
    "recover_password",
    "delete_service_account",
    "delete_user",
    "delete_workload",
    "delete_access_rule",
    "delete_project",
    "delete_department",
    "delete_cluster",
    "rotate_signing_keys",
    "drop_signing_keys",
    "withdraw_signing_key",
    "create_identity_provider",
    "update_identity_provider",
    "set_security_setting",
    "provided_user",
    "end_provided_sessions",
    "delete_identity_provider",
    "create_custom_role",
    "update_custom_role",
    "delete_custom_role",
    "create_access_key",
    "set_access_key_secret",
    "delete_access_key",
    "delete_anybodys_access_key",
    "create_authenticator",
    "confirm_authenticator",
    "remove_authenticator",
    "create_passkey",
    "remove_passkey",
    "remove_passkeys",
    "renew_by_refresh_token",
    "decide_device_code",
];

async fn networking_is_told(
    organization: &Organization,
    log: &mut Log,
    cluster: ClusterId,
    project: ProjectId,
) {
    let set = |allowed| SetNetworking {
        allowed,
        at: NOW.plus_seconds(5),
        by: "bea".to_owned(),
    };
    // Who may change the project alone does not decide it.
    let granted = organization.may(Action::Update, Entity::Project, Scope::Project(project));
    let refused =
        organization
            .store
            .set_project_networking(&granted, project, set(true), entry(AuditAction::Update));
    assert!(matches!(refused.await, Err(StoreError::Gate { .. })));
    let granted = organization.may(Action::Update, Entity::Project, Scope::Cluster(cluster));
    let done =
        organization
            .store
            .set_project_networking(&granted, project, set(true), entry(AuditAction::Update));
    let row = done.await.unwrap().value;
    assert_eq!(row.allow_networking, Some(true));
    assert_eq!(
        (row.updated_at, row.updated_by.as_str()),
        (NOW.plus_seconds(5), "bea")
    );
    assert_eq!((row.created_at, row.created_by.as_str()), (NOW, "admin"));
    let objects = organization.all(cluster).await.upserts;
    let told = objects.iter().any(|object| matches!(&object.object, reeve_link::DesiredObject::Project(it) if it.allow_networking == Some(true)));
    assert!(told, "{objects:?}");
    let said = ["allow_networking_before=undecided", "allow_networking_after=true"];
    log.has(
        organization,
        "set_project_networking",
        AuditAction::Update,
        project,
        &said,
    )
    .await;
}

async fn pod_rules_are_told(
    organization: &Organization,
    log: &mut Log,
    cluster: ClusterId,
    project: ProjectId,
) {
    let rules = PodRules {
        pod_security: Some(PodSecurity::Restricted),
        node_pools: Some(vec!["gpu".parse().unwrap()]),
        ..PodRules::default()
    };
    let set = || SetPodRules {
        rules: rules.clone(),
        at: NOW.plus_seconds(6),
        by: "bea".to_owned(),
    };
    let write = async |granted: &Granted| {
        let entry = entry(AuditAction::Update);
        organization
            .store
            .set_project_pod_rules(granted, project, set(), entry)
            .await
    };
    // Who may change the project alone does not decide it.
    let granted = organization.may(Action::Update, Entity::Project, Scope::Project(project));
    assert!(matches!(write(&granted).await, Err(StoreError::Gate { .. })));
    let granted = organization.may(Action::Update, Entity::Project, Scope::Cluster(cluster));
    let row = write(&granted).await.unwrap().value;
    assert_eq!((&row.pod_rules, row.updated_by.as_str()), (&rules, "bea"));
    assert_eq!(row.allow_networking, Some(true));
    let objects = organization.all(cluster).await.upserts;
    let told = objects.iter().any(
        |object| matches!(&object.object, reeve_link::DesiredObject::Project(it) if it.pod_rules == rules),
    );
    assert!(told, "{objects:?}");
    let said = [
        "pod_rules_before={}",
        r#"pod_rules_after={"podSecurity":"restricted","nodePools":["gpu"]}"#,
    ];
    log.has(
        organization,
        "set_project_pod_rules",
        AuditAction::Update,
        project,
        &said,
    )
    .await;
}

/// A policy of the account comes to every project, and goes again.
async fn policies_are_told(
    organization: &Organization,
    log: &mut Log,
    cluster: ClusterId,
    project: ProjectId,
) {
    let kind = reeve_types::PolicyKind::Training;
    let mut policy = Policy::default();
    policy.rules.compute.gpu_devices_request = Some(Rule {
        max: Some(4),
        ..Rule::default()
    });
    let id: reeve_types::PolicyId = "00000000-0000-4000-8000-000000000900".parse().unwrap();
    let new = SetPolicy {
        id,
        scope: Scope::Account,
        kind,
        name: "hardening".to_owned(),
        policy: policy.clone(),
        at: NOW.plus_seconds(7),
        by: "bea".to_owned(),
    };
    let elsewhere = organization.may(Action::Update, Entity::Policies, Scope::Cluster(cluster));
    let refused = organization
        .store
        .set_workload_policy(&elsewhere, new.clone(), entry(AuditAction::Update))
        .await;
    assert!(matches!(refused, Err(StoreError::Gate { .. })));
    let granted = organization.may(Action::Update, Entity::Policies, Scope::Account);
    let set = organization
        .store
        .set_workload_policy(&granted, new, entry(AuditAction::Update));
    assert_eq!(set.await.unwrap().value.policy, policy);
    let told = async || {
        let objects = organization.all(cluster).await.upserts;
        objects.iter().any(|object| {
            matches!(&object.object, reeve_link::DesiredObject::Project(it)
                if it.id == project && it.workload_limits.training.to_string() == "gpus=0,4,1=tenant")
        })
    };
    assert!(told().await);
    let facts = organization.store.directory().await.unwrap().policies;
    assert_eq!(facts.len(), 1);
    let said = r#"policy_after={"rules":{"compute":{"gpuDevicesRequest":{"max":4}}}}"#;
    log.has(
        organization,
        "set_workload_policy",
        AuditAction::Update,
        id,
        &["policy_before=", said],
    )
    .await;
    let granted = organization.may(Action::Delete, Entity::Policies, Scope::Account);
    let deleted =
        organization
            .store
            .delete_workload_policy(&granted, Scope::Account, kind, entry(AuditAction::Delete));
    deleted.await.unwrap();
    assert!(!told().await);
    log.has(
        organization,
        "delete_workload_policy",
        AuditAction::Delete,
        id,
        &[],
    )
    .await;
}

/// All of [`AUDITED_WRITES`]. A store that forgets the event of one of them fails here: `store-sql` plants that fault for each.
pub async fn every_write_is_in_the_audit_log(mut organization: Organization) {
    use AuditAction::{Confirm, Create, Delete, Disable, ResetPassword, Restore, Update};
    let mut log = Log::default();
    let admin = organization.admin_row.id;
    log.has(&organization, "first_start", Create, admin, &[]).await;
    let cluster = organization.cluster(10, "a").await.id;
    log.has(&organization, "create_cluster", Create, cluster, &[])
        .await;
    settings_are_told(&organization, &mut log, cluster).await;
    let here = organization.may(Action::Update, Entity::Cluster, Scope::Cluster(cluster));
    let name = || "renamed".parse().unwrap();
    let renamed = organization
        .store
        .rename_cluster(&here, cluster, name(), entry(Update));
    assert_eq!(renamed.await.unwrap().value.name, name());
    let names = ["name_before=a", "name_after=renamed"];
    log.has(&organization, "rename_cluster", Update, cluster, &names)
        .await;
    let granted = organization.may(Action::Update, Entity::Cluster, Scope::Account);
    let lowest = reeve_types::LowestId::new(20).unwrap();
    let set = organization
        .store
        .set_lowest_id(&granted, cluster, lowest, entry(Update));
    assert_eq!(set.await.unwrap().value.lowest_id, lowest);
    let numbers = ["lowest_id_before=1000", "lowest_id_after=20"];
    log.has(&organization, "set_lowest_id", Update, cluster, &numbers)
        .await;
    let endpoint = KubernetesEndpoint {
        server: "https://k8s.example.com:6443".to_owned(),
        certificate_authority_data: String::new(),
    };
    let set = organization
        .store
        .set_kubernetes_endpoint(&here, cluster, endpoint, entry(Update));
    set.await.unwrap();
    log.has(&organization, "set_kubernetes_endpoint", Update, cluster, &[])
        .await;
    let secret = LinkSecret {
        credential: CredentialHash::new("new"),
        sealed: Some("sealed".to_owned()),
    };
    let set = organization
        .store
        .set_cluster_credential(&here, cluster, secret.clone(), entry(Update));
    set.await.unwrap();
    log.has(&organization, "set_cluster_credential", Update, cluster, &[])
        .await;
    let shown = organization
        .store
        .reveal_cluster_secret(&here, cluster, entry(Update));
    assert_eq!(shown.await.unwrap().value, secret);
    log.has(&organization, "reveal_cluster_secret", Update, cluster, &[])
        .await;
    let department = organization.department(cluster, "vision").await.id;
    log.has(&organization, "create_department", Create, department, &[])
        .await;
    org_units::department_changes_are_told(&organization, &mut log, department).await;
    let project = organization.project(department, "robots").await.id;
    log.has(&organization, "create_project", Create, project, &[])
        .await;
    org_units::project_changes_are_told(&organization, &mut log, cluster, project).await;
    networking_is_told(&organization, &mut log, cluster, project).await;
    pod_rules_are_told(&organization, &mut log, cluster, project).await;
    policies_are_told(&organization, &mut log, cluster, project).await;
    let rule = organization
        .rule(group("g"), RoleId::VIEWER, Scope::Project(project))
        .await;
    log.has(&organization, "create_access_rule", Create, rule.id, &[])
        .await;
    let workload = organization
        .try_workload(100, project, "train")
        .await
        .unwrap()
        .value
        .summary
        .id;
    log.has(&organization, "create_workload", Create, workload, &[])
        .await;
    credentials_are_told(&organization, &mut log, (cluster, project)).await;
    super::secret_assets::are_told(&organization, &mut log, project).await;
    let alice = people_are_told(&organization, &mut log).await;

    let account = organization.service_account(20, "ci").await.id;
    log.has(&organization, "create_service_account", Create, account, &[])
        .await;
    let store = &organization.store;
    let may = |action| organization.may(action, Entity::ServiceAccount, Scope::Account);
    let granted = may(Action::Update);
    let off = store.set_service_account_enabled(&granted, account, false, NOW, entry(Disable));
    off.await.unwrap();
    log.has(
        &organization,
        "set_service_account_enabled",
        Disable,
        account,
        &[],
    )
    .await;
    let secret = CredentialHash::new("other");
    let set = store.set_service_account_secret(&granted, account, secret, NOW, entry(Update));
    set.await.unwrap();
    log.has(&organization, "set_service_account_secret", Update, account, &[])
        .await;
    let recovery = exception(BootstrapException::Recovery);
    let fenced = Fenced {
        head: AuditHead {
            sequence: 99,
            mac: "lost".to_owned(),
        },
        era: 0,
        numbers: Default::default(),
    };
    store
        .recover(&recovery, &fenced, &[], entry(Restore))
        .await
        .unwrap();
    log.has(
        &organization,
        "recover",
        Restore,
        "",
        &["was=99:lost", "found", "era=1", "suspended_passwords=2"],
    )
    .await;
    let again = Fenced { era: 1, ..fenced };
    store
        .recover_lost(&recovery, &again, &[], &Evidence::Head, entry(Restore))
        .await
        .unwrap();
    log.has(
        &organization,
        "recover_lost",
        Restore,
        "",
        &["was=99:lost", "found", "era=2", "suspended_passwords=2"],
    )
    .await;
    store
        .confirm(&recovery, CredentialKind::Passwords, entry(Confirm))
        .await
        .unwrap();
    log.has(&organization, "confirm", Confirm, "", &["confirmed=2"])
        .await;
    let email = &organization.admin_row.email;
    let new = store.recover_password(
        &recovery,
        email,
        CredentialHash::new("new"),
        NOW,
        entry(ResetPassword),
    );
    new.await.unwrap();
    log.has(&organization, "recover_password", ResetPassword, admin, &[])
        .await;
    store
        .delete_service_account(&may(Action::Delete), account, NOW, entry(Delete))
        .await
        .unwrap();
    log.has(&organization, "delete_service_account", Delete, account, &[])
        .await;
    organization.delete_user(alice).await.unwrap();
    log.has(
        &organization,
        "delete_user",
        Delete,
        alice,
        &["posix_before=70013/5000/", "posix_after=none"],
    )
    .await;

    let store = organization.store.clone();
    let may = |organization: &Organization, entity, scope| -> Granted {
        organization.may(Action::Delete, entity, scope)
    };
    let granted = may(&organization, Entity::Trainings, Scope::Project(project));
    store
        .delete_workload(&granted, workload, entry(Delete))
        .await
        .unwrap();
    log.has(&organization, "delete_workload", Delete, workload, &[])
        .await;
    organization.delete_rule(&rule).await.unwrap();
    log.has(&organization, "delete_access_rule", Delete, rule.id, &[])
        .await;
    let granted = may(&organization, Entity::Project, Scope::Project(project));
    store
        .delete_project(&granted, project, NOW, entry(Delete))
        .await
        .unwrap();
    log.has(&organization, "delete_project", Delete, project, &[])
        .await;
    let granted = may(&organization, Entity::Department, Scope::Department(department));
    store
        .delete_department(&granted, department, NOW, entry(Delete))
        .await
        .unwrap();
    log.has(&organization, "delete_department", Delete, department, &[])
        .await;
    let granted = may(&organization, Entity::Cluster, Scope::Cluster(cluster));
    store
        .delete_cluster(&granted, cluster, NOW, entry(Delete))
        .await
        .unwrap();
    log.has(&organization, "delete_cluster", Delete, cluster, &[])
        .await;
    keys_are_told(&organization, &mut log).await;
    providers_are_told(&organization, &mut log).await;
    roles::are_told(&organization, &mut log).await;
    super::access_keys::are_told(&organization, &mut log).await;
    super::second_factors::are_told(&organization, &mut log).await;
    super::passkeys::are_told(&organization, &mut log).await;
    super::refresh_tokens::are_told(&organization, &mut log).await;
    super::device_codes::are_told(&organization, &mut log).await;
    assert_eq!(log.done, AUDITED_WRITES);
}

async fn credentials_are_told(
    organization: &Organization,
    log: &mut Log,
    (cluster, project): (ClusterId, ProjectId),
) {
    use AuditAction::{Create, Delete, Update};
    let store = &organization.store;
    let scope = Scope::Project(project);
    let id = super::organization::id(200);
    let values = |key_id, text: &str| NewValues {
        shown: serde_json::json!({"user": "u"}),
        sealed: SealedValues {
            key_id,
            text: text.to_owned(),
        },
        stamp: text.to_owned(),
    };
    let new = NewCredentialAsset {
        id,
        kind: CredentialAssetKind::Password,
        name: "registry".parse().unwrap(),
        description: None,
        scope,
        values: values(1, "one"),
        created_at: NOW,
        created_by: "bea".to_owned(),
    };
    let may = |action| organization.may(action, Entity::Credentials, scope);
    let (creates, updates, deletes) = (may(Action::Create), may(Action::Update), may(Action::Delete));
    let elsewhere = organization.may(Action::Create, Entity::Credentials, Scope::Cluster(cluster));
    let refused = store.create_credential_asset(&elsewhere, new.clone(), entry(Create));
    assert!(matches!(refused.await, Err(StoreError::Gate { .. })));
    let made = store.create_credential_asset(&creates, new.clone(), entry(Create));
    assert_eq!(made.await.unwrap().value.origin.cluster_id, Some(cluster));
    log.has(organization, "create_credential_asset", Create, id, &[])
        .await;
    let again = NewCredentialAsset {
        id: super::organization::id(201),
        ..new
    };
    let twice = store.create_credential_asset(&creates, again, entry(Create));
    assert!(matches!(twice.await, Err(StoreError::Conflict { .. })));
    let change = ChangeCredentialAsset {
        description: Some("of the build".to_owned()),
        values: Some(values(1, "two")),
        at: NOW.plus_seconds(1),
        by: "cleo".to_owned(),
    };
    let changed = store.update_credential_asset(&updates, id, change, entry(Update));
    let row = changed.await.unwrap().value;
    assert_eq!(
        (row.origin.update_count, row.origin.updated_by.as_str()),
        (1, "cleo")
    );
    log.has(
        organization,
        "update_credential_asset",
        Update,
        id,
        &["changed=values"],
    )
    .await;
    let told = organization.all(cluster).await.upserts;
    let stamp = told.iter().find_map(|it| match &it.object {
        reeve_link::DesiredObject::Credential(it) => Some((it.stamp.clone(), it.values.clone())),
        _ => None,
    });
    assert_eq!(stamp, Some(("two".to_owned(), None)), "no values are kept there");
    let rotation = exception(BootstrapException::KeyRotation);
    let others = store.sealed_with_other_keys(&rotation, 2, 10).await.unwrap();
    let resealed = others.into_iter().map(|before| Resealed {
        before,
        after: SealedValues {
            key_id: 2,
            text: "three".to_owned(),
        },
    });
    let resealed: Vec<_> = resealed.collect();
    let done = store.reseal_credentials(&rotation, &resealed, entry(Update).about("2", ""));
    assert_eq!(done.await.unwrap().value, 1);
    log.has(organization, "reseal_credentials", Update, "2", &["resealed=1"])
        .await;
    assert_eq!(store.credential_keys().await.unwrap(), [(2, 1)]);
    let gone = store.delete_credential_asset(&deletes, id, entry(Delete));
    assert_eq!(gone.await.unwrap().revisions.len(), 1);
    log.has(organization, "delete_credential_asset", Delete, id, &[])
        .await;
}

async fn providers_are_told(organization: &Organization, log: &mut Log) {
    use AuditAction::{Create, Delete, SignIn, SignOut, Update};
    let store = &organization.store;
    let may = |action| organization.may(action, Entity::SecuritySettings, Scope::Account);
    let row = super::provider("corp");
    store
        .create_identity_provider(&may(Action::Create), row.clone(), entry(Create))
        .await
        .unwrap();
    log.has(organization, "create_identity_provider", Create, "corp", &[])
        .await;
    let changed = crate::IdpRow {
        mappers: "{}".to_owned(),
        ..row
    };
    store
        .update_identity_provider(&may(Action::Update), changed, false, entry(Update))
        .await
        .unwrap();
    let told = ["settings_after", "mappers_after={}"];
    log.has(organization, "update_identity_provider", Update, "corp", &told)
        .await;
    let session = exception(BootstrapException::SessionRecord);
    settings::are_told(organization, log).await;
    let identity = super::identity("alice", "anna@example.com", 77);
    let made = store
        .provided_user(&session, identity, entry(Create))
        .await
        .unwrap();
    let told = ["identity_provider=corp", "issuer_subject=alice"];
    log.has(organization, "provided_user", Create, made.value, &told)
        .await;
    let new = crate::NewSession {
        provider: Some(crate::SessionProvider {
            alias: "corp".parse().unwrap(),
            renewal: None,
        }),
        ..organization.new_session(SubjectId::User(made.value))
    };
    organization.try_sign_in(new, None, NOW).await.unwrap();
    log.has(organization, "begin_session", SignIn, "", &[]).await;
    log.done.pop();
    store
        .end_provided_sessions(
            &session,
            &"corp".parse().unwrap(),
            "https://idp.test",
            "alice",
            entry(SignOut),
        )
        .await
        .unwrap();
    let told = ["identity_provider=corp", "sessions=1"];
    log.has(organization, "end_provided_sessions", SignOut, made.value, &told)
        .await;
    store
        .delete_identity_provider(&may(Action::Delete), &"corp".parse().unwrap(), entry(Delete))
        .await
        .unwrap();
    log.has(organization, "delete_identity_provider", Delete, "corp", &[])
        .await;
}

async fn keys_are_told(organization: &Organization, log: &mut Log) {
    use AuditAction::{Delete, Rotate};
    let granted = exception(BootstrapException::KeyRotation);
    let store = &organization.store;
    let rotated = store.rotate_signing_keys(&granted, "k1", signing_key("k3"), entry(Rotate));
    rotated.await.unwrap();
    let told = ["current_before=k1", "next_after=k3"];
    log.has(organization, "rotate_signing_keys", Rotate, "k2", &told)
        .await;
    let dropped = store.drop_signing_keys(&granted, NOW.plus_seconds(1), entry(Delete));
    assert_eq!(dropped.await.unwrap().value, 1);
    log.has(organization, "drop_signing_keys", Delete, "k1", &[])
        .await;
    let recovery = exception(BootstrapException::Recovery);
    let (current, next) = (signing_key("k4"), signing_key("k5"));
    let withdrawn = store.withdraw_signing_key(&recovery, "k2", current, next, entry(Delete));
    withdrawn.await.unwrap();
    let told = ["use_before=current", "current_after=k4"];
    log.has(organization, "withdraw_signing_key", Delete, "k2", &told)
        .await;
}

async fn settings_are_told(organization: &Organization, log: &mut Log, cluster: ClusterId) {
    let mut report = StatusReport {
        revision: Revision(0),
        settings: Some(ClusterSettings {
            enforce_run_as_user: true,
            enforce_prevent_privilege_escalation: true,
            kubernetes_version: "v1.37.2".to_owned(),
            operator_version: "0.1.0".to_owned(),
            kubernetes_endpoint: None,
            policy_alarms: Vec::new(),
            ..ClusterSettings::default()
        }),
        objects: Vec::new(),
    };
    let send = async |report: &StatusReport| {
        let granted = link();
        let sent = organization
            .store
            .report(&granted, cluster, report, NOW, entry(AuditAction::Update));
        assert!(sent.await.unwrap().value.is_some());
    };
    send(&report).await;
    let update = AuditAction::Update;
    let first = ["enforceRunAsUser_before=none", "enforceRunAsUser_after=true"];
    log.has(organization, "report", update, cluster, &first).await;
    if let Some(settings) = &mut report.settings {
        settings.enforce_run_as_user = false;
    }
    send(&report).await;
    let second = ["enforceRunAsUser_before=true", "enforceRunAsUser_after=false"];
    log.has(organization, "report", update, cluster, &second).await;
    log.done.pop();
    // What is no setting leaves none.
    report.settings = None;
    report.revision = Revision(1);
    send(&report).await;
    assert_eq!(organization.audited().await, log.seen);
}

async fn people_are_told(organization: &Organization, log: &mut Log) -> reeve_types::UserId {
    use AuditAction::{Create, Prune, Release, ResetPassword, SignIn, SignOut, Update};
    let alice = organization
        .try_user(2, "alice@example.com", Some(posix(70012)))
        .await
        .unwrap()
        .id;
    log.has(
        organization,
        "create_user",
        Create,
        alice,
        &["posix_after=70012/5000/"],
    )
    .await;
    let granted = organization.may(Action::Update, Entity::Users, Scope::Account);
    let store = &organization.store;
    store
        .set_posix(&granted, alice, Some(posix(70013)), NOW, entry(Update))
        .await
        .unwrap();
    let numbers = ["posix_before=70012/5000/", "posix_after=70013/5000/"];
    log.has(organization, "set_posix", Update, alice, &numbers).await;
    let later = NOW.plus_seconds(EMAIL_RESTS_SECONDS);
    let uid = posix(70012).uid();
    store
        .release_uid(&granted, uid, later, entry(Release))
        .await
        .unwrap();
    let owner = format!("owner_before={alice}");
    let told = [
        owner.as_str(),
        "owner_email_before=alice@example.com",
        "given_by_event",
    ];
    log.has(organization, "release_uid", Release, uid, &told).await;
    let signed_in = organization
        .sign_in(SubjectId::User(alice), CredentialHash::new("hash"), NOW)
        .await
        .unwrap();
    let which = format!("session={}", signed_in.id);
    log.has(organization, "begin_session", SignIn, "", &[&which])
        .await;
    let session = exception(BootstrapException::SessionRecord);
    let renewed = crate::RenewedSession {
        id: signed_in.id,
        groups: vec!["ml".parse().unwrap()],
        posix: None,
        renewal: "sealed".to_owned(),
        until: NOW.plus_seconds(100),
    };
    store
        .renew_session(&session, renewed, entry(Update))
        .await
        .unwrap();
    let told = [which.as_str(), "groups_before=0", "groups_after=1"];
    log.has(organization, "renew_session", Update, alice, &told).await;
    let out = store.end_session(&granted, signed_in.subject, signed_in.id, entry(SignOut));
    out.await.unwrap();
    log.has(organization, "end_session", SignOut, "", &[&which]).await;
    let session = exception(BootstrapException::SessionRecord);
    store.record(&session, entry(SignIn)).await.unwrap();
    log.has(organization, "record", SignIn, "", &[]).await;
    store
        .record_attempts(&session, vec![entry(SignIn)])
        .await
        .unwrap();
    log.has(organization, "record_attempts", SignIn, "", &[]).await;
    let password = CredentialHash::new("new");
    store
        .set_password(&granted, alice, password, NOW, entry(ResetPassword))
        .await
        .unwrap();
    log.has(organization, "set_password", ResetPassword, alice, &[])
        .await;
    let chosen = |proven: &str| crate::NewOwnPassword {
        password: CredentialHash::new("chosen"),
        proven: CredentialHash::new(proven),
        session: signed_in.id,
        at: NOW,
    };
    let refused = store
        .change_own_password(&granted, alice, chosen("new"), entry(ResetPassword))
        .await;
    assert!(matches!(refused, Err(StoreError::Gate { .. })));
    let stale = store
        .change_own_password(&session, alice, chosen("other"), entry(ResetPassword))
        .await;
    assert_eq!(stale.unwrap(), None);
    let changed = store
        .change_own_password(&session, alice, chosen("new"), entry(ResetPassword))
        .await;
    assert_eq!(changed.unwrap().map(|changed| changed.value), Some(0));
    log.has(organization, "change_own_password", ResetPassword, alice, &[])
        .await;
    let later = NOW.plus_seconds(1);
    let pruned = store
        .prune_attempts(&session, later, i64::MAX, 10, entry(Prune))
        .await;
    assert_eq!(pruned.unwrap(), 1);
    log.has(organization, "prune_attempts", Prune, "", &[crate::PRUNED])
        .await;
    store.end_sessions(&granted, alice, entry(SignOut)).await.unwrap();
    log.has(organization, "end_sessions", SignOut, alice, &[]).await;
    alice
}

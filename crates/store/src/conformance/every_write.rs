//! Every write method of the store leaves its event in the audit log: one, of that action, about that thing, with what was
//! before and after where the thing is numbers or settings.

use reeve_authz::{Action, BootstrapException, Entity, Granted, RoleId, Scope};
use reeve_link::{ClusterSettings, KubernetesEndpoint, StatusReport};
use reeve_types::{ClusterId, ProjectId, Revision};

use super::organization::{NOW, Organization, entry, exception, group, link, posix, signing_key};
use crate::{
    AuditAction, AuditEntry, AuditHead, CredentialHash, CredentialKind, EMAIL_RESTS_SECONDS, Evidence,
    Fenced, SetNetworking, StoreError, SubjectId,
};

/// The write methods that are exercised below, in their order. A test in this crate compares them with the traits.
pub const AUDITED_WRITES: &[&str] = &[
    "first_start",
    "create_cluster",
    "report",
    "set_lowest_id",
    "set_kubernetes_endpoint",
    "set_cluster_credential",
    "create_department",
    "create_project",
    "set_project_networking",
    "create_access_rule",
    "create_workload",
    "create_user",
    "set_posix",
    "release_uid",
    "begin_session",
    "end_session",
    "record",
    "record_attempts",
    "set_password",
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
];

/// Compares what a write left in the log with what it has to leave.
struct Log {
    seen: i64,
    done: Vec<&'static str>,
}

impl Log {
    /// One event since the last call, of `action`, about `about`, with all of `metadata`; each is `name` or `name=value`.
    async fn has(
        &mut self,
        organization: &Organization,
        method: &'static str,
        action: AuditAction,
        about: impl ToString,
        metadata: &[&str],
    ) {
        let granted = organization.may(Action::Read, Entity::EventsHistory, Scope::Account);
        let events = organization
            .store
            .audit_events(&granted, self.seen, 10)
            .await
            .unwrap();
        assert_eq!(events.len(), 1, "`{method}` leaves one event in the audit log");
        let AuditEntry {
            action: said,
            entity_id,
            metadata: told,
            ..
        } = &events.first().unwrap().entry;
        assert_eq!((*said, entity_id), (action, &about.to_string()), "{method}");
        for wanted in metadata {
            let (name, value) = wanted.split_once('=').unwrap_or((wanted, ""));
            let found = told.get(name);
            let fits = found.is_some_and(|found| value.is_empty() || found == value);
            assert!(fits, "`{method}` says `{wanted}`: {told:?}");
        }
        self.seen += 1;
        self.done.push(method);
        assert_eq!(
            organization.audited().await,
            self.seen,
            "the chain is whole after `{method}`"
        );
    }
}

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

/// All of [`AUDITED_WRITES`]. A store that forgets the event of one of them fails here: `store-sql` plants that fault for each.
pub async fn every_write_is_in_the_audit_log(mut organization: Organization) {
    use AuditAction::{Confirm, Create, Delete, Disable, ResetPassword, Restore, Update};
    let mut log = Log {
        seen: 0,
        done: Vec::new(),
    };
    let admin = organization.admin_row.id;
    log.has(&organization, "first_start", Create, admin, &[]).await;
    let cluster = organization.cluster(10, "a").await.id;
    log.has(&organization, "create_cluster", Create, cluster, &[])
        .await;
    settings_are_told(&organization, &mut log, cluster).await;
    let granted = organization.may(Action::Update, Entity::Cluster, Scope::Account);
    let lowest = reeve_types::LowestId::new(20).unwrap();
    let set = organization
        .store
        .set_lowest_id(&granted, cluster, lowest, entry(Update));
    assert_eq!(set.await.unwrap().value.lowest_id, lowest);
    let numbers = ["lowest_id_before=1000", "lowest_id_after=20"];
    log.has(&organization, "set_lowest_id", Update, cluster, &numbers)
        .await;
    let here = organization.may(Action::Update, Entity::Cluster, Scope::Cluster(cluster));
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
    let secret = CredentialHash::new("new");
    let set = organization
        .store
        .set_cluster_credential(&here, cluster, secret, entry(Update));
    set.await.unwrap();
    log.has(&organization, "set_cluster_credential", Update, cluster, &[])
        .await;
    let department = organization.department(cluster, "vision").await.id;
    log.has(&organization, "create_department", Create, department, &[])
        .await;
    let project = organization.project(department, "robots").await.id;
    log.has(&organization, "create_project", Create, project, &[])
        .await;
    networking_is_told(&organization, &mut log, cluster, project).await;
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
    assert_eq!(log.done, AUDITED_WRITES);
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

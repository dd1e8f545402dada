//! What the server does of itself, and what clusters are told: the audit log, desired state and reports, keys, the fence.

use reeve_authz::{Action, Entity};
use reeve_link::{Resume, StatusReport};
use reeve_types::list::ListQuery;
use reeve_types::{Revision, RevisionToken};

use super::super::organization::{NOW, entry, id, parsed, signing_key};
use super::{FIRST_START, Fixture, Granted, LINK, RECORD, RECOVERY, ROTATION, Tried, account};
use crate::{
    AuditAction, AuditHead, CredentialHash, CredentialKind, Evidence, Fenced, FirstStart, Later, NewUser,
};

pub(super) async fn try_all(tried: &mut Tried<'_>, fixture: &Fixture) {
    audit(tried).await;
    clusters(tried, fixture).await;
    keys(tried).await;
    installation(tried).await;
    recovery(tried).await;
}

async fn audit(tried: &mut Tried<'_>) {
    let store = &tried.organization.store;
    let reading = || [account(Action::Read, Entity::EventsHistory)];
    let event = || entry(AuditAction::SignIn);
    by_granted! { tried, store:
        record(event()) by [RECORD];
        record_attempts(vec![event()]) by [RECORD];
        prune_attempts(NOW, i64::MAX, 10, event()) by [RECORD];
        audit_events(0, 10) by reading();
        audit_log(&ListQuery::default(), (NOW, NOW)) by reading();
        verify_audit_chain() by reading();
    }
}

async fn clusters(tried: &mut Tried<'_>, fixture: &Fixture) {
    let store = &tried.organization.store;
    let cluster = fixture.cluster;
    let resume = Resume {
        revision: Revision(0),
        token: RevisionToken::from_bytes([0; 16]),
    };
    let since = Later {
        revision: Revision(0),
        object: None,
    };
    let report = StatusReport {
        revision: Revision(0),
        settings: None,
        objects: Vec::new(),
    };
    by_granted! { tried, store:
        may_resume(cluster, &resume) by [LINK];
        desired_all(cluster, None, 1) by [LINK];
        desired_since(cluster, since, 1) by [LINK];
        deleted_since(cluster, Revision(0), 10) by [LINK];
        report(cluster, &report, NOW, entry(AuditAction::Update)) by [LINK];
        heard_of(cluster, NOW, true) by [LINK];
        sealed_credentials(&[fixture.credential]) by [LINK];
    }
}

async fn keys(tried: &mut Tried<'_>) {
    let store = &tried.organization.store;
    let event = || entry(AuditAction::Rotate);
    let by_hand = account(Action::Update, Entity::SecuritySettings);
    by_granted! { tried, store:
        sealed_with_other_keys(2, 10) by [ROTATION];
        reseal_credentials(&[], event()) by [ROTATION];
        rotate_signing_keys("k1", signing_key("k3"), event()) by [ROTATION, by_hand];
        drop_signing_keys(NOW.plus_seconds(1), event()) by [ROTATION];
        withdraw_signing_key("k2", signing_key("k4"), signing_key("k5"), event()) by [RECOVERY];
    }
}

async fn installation(tried: &mut Tried<'_>) {
    let store = &tried.organization.store;
    let first = || FirstStart {
        administrator: NewUser {
            id: id(4),
            email: parsed("another@reeve.example"),
            password: None,
            temporary_password: false,
            posix: None,
            created_at: NOW,
            created_by: "system".to_owned(),
        },
        signing_keys: [signing_key("k6"), signing_key("k7")],
        values: Vec::new(),
    };
    by_granted! { tried, store:
        first_start(first(), entry(AuditAction::Create)) by [FIRST_START];
    }
}

async fn recovery(tried: &mut Tried<'_>) {
    let store = &tried.organization.store;
    let fenced = Fenced {
        head: AuditHead {
            sequence: 99_999,
            mac: "lost".to_owned(),
        },
        era: 0,
        numbers: Default::default(),
    };
    let email = &tried.organization.admin_row.email;
    let event = || entry(AuditAction::Restore);
    by_granted! { tried, store:
        recover(&fenced, &[], event()) by [RECOVERY];
        recover_lost(&fenced, &[], &Evidence::Head, event()) by [RECOVERY];
        confirm(CredentialKind::Passwords, event()) by [RECOVERY];
        recover_password(email, CredentialHash::new("new"), NOW, event()) by [RECOVERY];
    }
}

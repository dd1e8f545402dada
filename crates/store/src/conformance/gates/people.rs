//! Users, service accounts, roles that are made here, access keys.

use reeve_authz::{Action, Entity, RoleId};
use reeve_types::list::ListQuery;

use super::super::access_keys::new_key;
use super::super::organization::{NOW, entry, id, parsed, posix};
use super::{Fixture, Granted, OWN_KEY, RECORD, Tried, account};
use crate::{
    AccessKeyFilter, AuditAction, CredentialHash, NewOwnPassword, NewServiceAccount, NewUser, SetCustomRole,
};

pub(super) async fn try_all(tried: &mut Tried<'_>, fixture: &Fixture) {
    keys(tried, fixture).await;
    roles(tried).await;
    service_accounts(tried, fixture).await;
    users(tried, fixture).await;
}

async fn keys(tried: &mut Tried<'_>, fixture: &Fixture) {
    let store = &tried.organization.store;
    let user = fixture.user;
    let event = || entry(AuditAction::Update);
    let anybodys = |action| account(action, Entity::AccessKeys);
    let (key, hash) = (id(50), || CredentialHash::new("another"));
    by_granted! { tried, store:
        access_keys(user) by [OWN_KEY];
        all_access_keys(&AccessKeyFilter::default()) by [anybodys(Action::Read)];
        create_access_key(new_key(user, 50, "notebook"), event()) by [OWN_KEY];
        set_access_key_secret(user, key, hash(), event()) by [OWN_KEY];
        delete_access_key(user, key, event()) by [OWN_KEY];
        create_access_key(new_key(user, 51, "another"), event()) by [OWN_KEY];
        delete_anybodys_access_key(id(51), event()) by [anybodys(Action::Delete)];
    }
}

async fn roles(tried: &mut Tried<'_>) {
    let store = &tried.organization.store;
    let event = || entry(AuditAction::Update);
    let roles = |action| account(action, Entity::Roles);
    let set = || SetCustomRole {
        name: "Readers".to_owned(),
        description: String::new(),
        enabled: true,
        permission_sets: Vec::new(),
        in_clusters_as: None,
        at: NOW,
        by: "admin".to_owned(),
    };
    let role = RoleId::new(1001).unwrap();
    by_granted! { tried, store:
        create_custom_role(set(), event()) by [roles(Action::Create)];
        update_custom_role(role, set(), event()) by [roles(Action::Update)];
        delete_custom_role(role, NOW, event()) by [roles(Action::Delete)];
    }
}

async fn service_accounts(tried: &mut Tried<'_>, fixture: &Fixture) {
    let store = &tried.organization.store;
    let it = fixture.service_account;
    let event = || entry(AuditAction::Update);
    let accounts = |action| account(action, Entity::ServiceAccount);
    let new = || NewServiceAccount {
        id: id(21),
        name: parsed("another"),
        secret: CredentialHash::new("hash"),
        created_at: NOW,
        created_by: "admin".to_owned(),
    };
    let hash = || CredentialHash::new("another");
    by_granted! { tried, store:
        service_accounts(&ListQuery::default()) by [accounts(Action::Read)];
        service_accounts_made_by("admin") by [accounts(Action::Read)];
        service_account(it) by [accounts(Action::Read)];
        create_service_account(new(), event()) by [accounts(Action::Create)];
        set_service_account_enabled(it, false, NOW, event()) by [accounts(Action::Update)];
        set_service_account_secret(it, hash(), NOW, event()) by [accounts(Action::Update)];
        delete_service_account(it, NOW, event()) by [accounts(Action::Delete)];
    }
}

async fn users(tried: &mut Tried<'_>, fixture: &Fixture) {
    let store = &tried.organization.store;
    let user = fixture.user;
    let event = || entry(AuditAction::Update);
    let users = |action| account(action, Entity::Users);
    let new = || NewUser {
        id: id(3),
        email: parsed("bob@example.com"),
        password: None,
        temporary_password: false,
        posix: None,
        created_at: NOW,
        created_by: "admin".to_owned(),
    };
    let own_password = || NewOwnPassword {
        password: CredentialHash::new("chosen"),
        proven: CredentialHash::new("hash"),
        session: fixture.session,
        at: NOW,
    };
    let hash = || CredentialHash::new("another");
    let (given, uid) = (|| Some(posix(70_012)), posix(70_012).uid());
    by_granted! { tried, store:
        users(&ListQuery::default(), None) by [users(Action::Read)];
        count_users(&ListQuery::default(), None) by [users(Action::Read)];
        user(user) by [users(Action::Read)];
        create_user(new(), event()) by [users(Action::Create)];
        set_posix(user, given(), NOW, event()) by [users(Action::Update)];
        release_uid(uid, NOW, event()) by [users(Action::Update)];
        change_own_password(user, own_password(), event()) by [RECORD];
        set_password(user, hash(), NOW, event()) by [users(Action::Update)];
        end_sessions(user, event()) by [users(Action::Update)];
        delete_user(user, NOW, event()) by [users(Action::Delete)];
    }
}

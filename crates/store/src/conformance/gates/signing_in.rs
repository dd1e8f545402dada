//! Signing in: sessions, refresh tokens, devices, passkeys, second factors, identity providers and settings.

use reeve_authz::{Action, Entity};
use reeve_types::IdpAlias;

use super::super::identity_providers::{identity, provider};
use super::super::organization::{NOW, entry, id, parsed};
use super::super::passkeys::{new_passkey, used};
use super::{Fixture, Granted, Opens, RECORD, Tried, account};
use crate::{
    AuditAction, CredentialHash, DeviceDecision, NewDeviceCode, NewRefreshToken, RenewedSession,
    SetSecuritySetting, ShownRefreshToken, SubjectId, TypedUserCode,
};

pub(super) async fn try_all(tried: &mut Tried<'_>, fixture: &Fixture) {
    refresh_tokens(tried, fixture).await;
    devices(tried, fixture).await;
    passkeys(tried, fixture).await;
    second_factors(tried, fixture).await;
    providers(tried, fixture).await;
    sessions(tried, fixture).await;
}

fn hash(text: &str) -> CredentialHash {
    CredentialHash::new(text)
}

const fn users(action: Action) -> Opens {
    account(action, Entity::Users)
}

async fn sessions(tried: &mut Tried<'_>, fixture: &Fixture) {
    let organization = tried.organization;
    let store = &organization.store;
    let (user, session) = (SubjectId::User(fixture.user), fixture.session);
    let application = SubjectId::ServiceAccount(fixture.service_account);
    let applications = |action| account(action, Entity::ServiceAccount);
    let event = || entry(AuditAction::SignIn);
    by_granted! { tried, store:
        begin_session(organization.new_session(user), Some(&hash("hash")), event()) by [RECORD];
        note_wrong_passwords(&[(fixture.user, 1)], NOW) by [RECORD];
        sessions(user) by [users(Action::Read)];
        sessions(application) by [applications(Action::Read)];
        end_session(user, session, event()) by [RECORD, users(Action::Update)];
        end_session(application, session, event()) by [RECORD, applications(Action::Update)];
        prune_sessions(NOW, 1) by [RECORD];
    }
}

async fn refresh_tokens(tried: &mut Tried<'_>, fixture: &Fixture) {
    let store = &tried.organization.store;
    let session = fixture.session;
    let until = NOW.plus_seconds(600);
    let new = || NewRefreshToken {
        session,
        client: "reeve-cli".to_owned(),
        token: hash("token-1"),
        until,
    };
    let shown = || ShownRefreshToken {
        session,
        client: None,
        token: hash("token-1"),
        successor: hash("token-2"),
        until,
    };
    by_granted! { tried, store:
        give_refresh_token(new(), NOW) by [RECORD];
        renew_by_refresh_token(shown(), entry(AuditAction::SignIn)) by [RECORD];
    }
}

async fn devices(tried: &mut Tried<'_>, fixture: &Fixture) {
    let store = &tried.organization.store;
    let new = || NewDeviceCode {
        device_code: hash("device"),
        user_code: hash("user"),
        client: "reeve-cli".to_owned(),
        address: None,
        network: "n".to_owned(),
        at: NOW,
        until: NOW.plus_seconds(600),
    };
    let typed = || TypedUserCode {
        user_code: hash("user"),
        by: fixture.user,
        network: "n".to_owned(),
        at: NOW,
    };
    let decision = || DeviceDecision {
        user_code: hash("user"),
        session: None,
    };
    by_granted! { tried, store:
        begin_device_code(new()) by [RECORD];
        find_user_code(typed()) by [RECORD];
        decide_device_code(decision(), entry(AuditAction::SignIn)) by [RECORD];
        ask_device_code(&hash("device"), "reeve-cli", NOW) by [RECORD];
    }
}

async fn passkeys(tried: &mut Tried<'_>, fixture: &Fixture) {
    let store = &tried.organization.store;
    let user = fixture.user;
    let event = || entry(AuditAction::Update);
    let new = || new_passkey(user, 60, "Laptop");
    by_granted! { tried, store:
        create_passkey(new(), Vec::new(), event()) by [RECORD];
        passkeys(user) by [RECORD, users(Action::Read)];
        passkey_of_credential("credential 60") by [RECORD];
        session_began(fixture.session) by [RECORD];
        use_passkey(&used(id(60), 1)) by [RECORD];
        remove_passkey(user, id(60), event()) by [RECORD];
        create_passkey(new(), Vec::new(), event()) by [RECORD];
        remove_passkeys(user, event()) by [users(Action::Update)];
    }
}

async fn second_factors(tried: &mut Tried<'_>, fixture: &Fixture) {
    let store = &tried.organization.store;
    let user = fixture.user;
    let event = || entry(AuditAction::Update);
    by_granted! { tried, store:
        create_authenticator(user, "sealed".to_owned(), event()) by [RECORD];
        authenticator(user) by [RECORD];
        confirm_authenticator(user, 10, vec![hash("code")], event()) by [RECORD];
        use_step(user, 11) by [RECORD];
        use_recovery_code(user, &hash("code")) by [RECORD];
        note_wrong_code(user, NOW) by [RECORD];
        remove_authenticator(user, event()) by [RECORD, users(Action::Update)];
    }
}

async fn providers(tried: &mut Tried<'_>, fixture: &Fixture) {
    let store = &tried.organization.store;
    let settings = |action| account(action, Entity::SecuritySettings);
    let corp: IdpAlias = parsed("corp");
    let event = || entry(AuditAction::Update);
    let until = NOW.plus_seconds(600);
    let renewed = || RenewedSession {
        id: fixture.session,
        groups: Vec::new(),
        posix: None,
        renewal: "sealed".to_owned(),
        until,
    };
    let setting = || SetSecuritySetting::DeviceAuthorization(true);
    by_granted! { tried, store:
        create_identity_provider(provider("corp"), event()) by [settings(Action::Create)];
        identity_providers() by [RECORD, settings(Action::Read)];
        update_identity_provider(provider("corp"), false, event()) by [settings(Action::Update)];
        provided_user(identity("anna", "anna@example.com", 70), event()) by [RECORD];
        end_provided_sessions(&corp, "https://idp.test", "anna", event()) by [RECORD];
        use_once("something", NOW, until) by [RECORD];
        due_sessions(NOW, 10) by [RECORD];
        take_due_session(fixture.session, NOW, NOW) by [RECORD];
        renew_session(renewed(), event()) by [RECORD];
        delete_identity_provider(&corp, event()) by [settings(Action::Delete)];
        security_settings() by [RECORD, settings(Action::Read)];
        set_security_setting(setting(), event()) by [settings(Action::Update)];
    }
}

//! Settings of signing in.

use reeve_authz::{Action, BootstrapException, Entity, Scope};

use super::super::organization::{Organization, entry, exception};
use super::super::told::Log;
use crate::{AuditAction, AutoRedirect, SetSecuritySetting, StoreError};

/// Set by whoever may change them; read by whoever signs in.
pub(super) async fn are_told(organization: &Organization, log: &mut Log) {
    let store = &organization.store;
    let may = |action| organization.may(action, Entity::SecuritySettings, Scope::Account);
    let redirect = || {
        let idp_alias = Some("corp".parse().unwrap());
        SetSecuritySetting::AutoRedirect(AutoRedirect {
            enabled: true,
            idp_alias,
        })
    };
    let update = || entry(AuditAction::Update);
    let refused = store
        .set_security_setting(&may(Action::Create), redirect(), update())
        .await;
    assert!(matches!(refused, Err(StoreError::Gate { .. })));
    store
        .set_security_setting(&may(Action::Update), redirect(), update())
        .await
        .unwrap();
    let session = exception(BootstrapException::SessionRecord);
    let kept = store.security_settings(&session).await.unwrap();
    assert!(kept.auto_redirect.enabled && kept.logout_redirect_uri.is_none());
    assert!(!kept.device_authorization, "off until it is set");
    let after = r#"setting_after={"enabled":true,"idpAlias":"corp"}"#;
    let told = ["setting_before=not set", after];
    log.has(
        organization,
        "set_security_setting",
        AuditAction::Update,
        "autoRedirectSSO",
        &told,
    )
    .await;
}

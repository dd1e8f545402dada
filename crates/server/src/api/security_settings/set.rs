//! `PUT /api/v1/security/settings/{key}`: 200. It holds for whoever comes to a page from then on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::setting::SetSecuritySetting;
use reeve_authz::{Action, Entity};
use reeve_store::{AuditAction, AutoRedirect};
use url::Url;

use super::{Key, SettingRefusal};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{JsonBody, PathId};

/// Sets it.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    JsonBody(body): JsonBody<SetSecuritySetting>,
) -> Result<StatusCode, ApiError> {
    let key: Key = segment.id("security setting")?;
    let new = wanted(key, body)?;
    app.change(caller.asker(), move |app| async move {
        let granted = app
            .directory()
            .allow_in_account(&caller, Action::Update, Entity::SecuritySettings)?;
        if let reeve_store::SetSecuritySetting::AutoRedirect(AutoRedirect {
            idp_alias: Some(alias),
            ..
        }) = &new
            && app.idp(alias).await?.is_none()
        {
            return Err(SettingRefusal::NoProvider(alias.clone()).into());
        }
        let entry = call.entry(&caller, &granted, AuditAction::Update);
        Ok(app.store.set_security_setting(&granted, new, entry).await?)
    })
    .await?;
    Ok(StatusCode::OK)
}

/// A body as what is kept: with the fields of this setting alone.
fn wanted(key: Key, body: SetSecuritySetting) -> Result<reeve_store::SetSecuritySetting, SettingRefusal> {
    use reeve_store::SetSecuritySetting as Set;
    let given: [(_, &[Key], _); 3] = [
        (
            "enabled",
            &[Key::AutoRedirectSso, Key::DeviceAuthorization],
            body.enabled.is_some(),
        ),
        ("idpAlias", &[Key::AutoRedirectSso], body.idp_alias.is_some()),
        ("uri", &[Key::LogoutRedirectUri], body.uri.is_some()),
    ];
    for (field, of, given) in given {
        if given && !of.contains(&key) {
            return Err(SettingRefusal::NotOfIt { field, key });
        }
    }
    match key {
        Key::AutoRedirectSso => {
            let enabled = body.enabled.unwrap_or(false);
            if enabled && body.idp_alias.is_none() {
                return Err(SettingRefusal::NoAlias);
            }
            let idp_alias = body.idp_alias;
            Ok(Set::AutoRedirect(AutoRedirect { enabled, idp_alias }))
        }
        Key::LogoutRedirectUri => Ok(Set::LogoutRedirectUri(body.uri.map(address).transpose()?)),
        // Nobody turns it off by saying nothing.
        Key::DeviceAuthorization => body
            .enabled
            .map(Set::DeviceAuthorization)
            .ok_or(SettingRefusal::NotSaid),
    }
}

/// An address that a browser may be sent to, and whose origin says nothing more in a Content-Security-Policy than where a form may be
/// sent.
fn address(text: String) -> Result<String, SettingRefusal> {
    let url = Url::parse(&text).map_err(|_| SettingRefusal::Address)?;
    let plain = |origin: &str| {
        origin
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b":/.-_[]".contains(&byte))
    };
    let bare = url.username().is_empty() && url.password().is_none();
    let fits =
        url.scheme() == "https" && url.has_host() && bare && plain(&url.origin().ascii_serialization());
    // As it is understood: nobody is sent to what a browser would read in another way.
    fits.then(|| url.to_string()).ok_or(SettingRefusal::Address)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Planted fault: an origin that ends the directive of the policy that it is put into.
    #[test]
    fn nobody_is_sent_where_a_policy_could_not_say() {
        for good in ["https://intranet.example", "https://a.example:8443/bye?x=1"] {
            assert!(address(good.to_owned()).is_ok(), "{good}");
        }
        for wrong in [
            "http://intranet.example/",
            "intranet.example",
            "//intranet.example",
            "javascript:alert(1)",
            "https://user@intranet.example/",
            "https://a;b.example/",
            "https://*.example/",
            "https://a'b.example/",
            "https:",
        ] {
            assert!(address(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}

//! `reeve settings`: settings of signing in with a browser.

use reeve_api::setting::SecuritySettings;
use serde_json::{Value, json};

use crate::Context;
use crate::args::SignInSettings;
use crate::failure::Failure;
use crate::http::Api;

const BASE: &str = "/api/v1/security/settings";

pub(super) async fn run(context: &mut Context, command: SignInSettings) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    match command {
        SignInSettings::List => {}
        SignInSettings::AutoRedirect(arguments) => {
            let body = json!({"enabled": !arguments.off, "idpAlias": arguments.alias});
            set(&api, "autoRedirectSSO", &body).await?;
        }
        SignInSettings::LogoutRedirect(arguments) => {
            set(&api, "logoutRedirectUri", &json!({"uri": arguments.address})).await?;
        }
        SignInSettings::DeviceAuthorization(arguments) => {
            set(&api, "deviceAuthorization", &json!({"enabled": !arguments.off})).await?;
        }
    }
    let found: SecuritySettings = api
        .get(BASE, &[])
        .await
        .map_err(|error| error.explain("cannot show the settings of signing in"))?;
    context.printer.answer(&found, || text(&found))
}

async fn set(api: &Api, key: &str, body: &Value) -> Result<(), Failure> {
    let set = api.put(&format!("{BASE}/{key}"), body).await;
    set.map_err(|error| error.explain(format!("cannot set `{key}`")))
}

fn text(found: &SecuritySettings) -> String {
    let redirect = &found.auto_redirect_sso;
    let sent = match redirect.idp_alias.as_ref().filter(|_| redirect.enabled) {
        Some(alias) => format!("is left at once for the identity provider `{alias}`"),
        None => "is shown".to_owned(),
    };
    let end = match found.logout_redirect_uri.uri.as_str() {
        "" => "the control plane's own page",
        uri => uri,
    };
    let devices = match found.device_authorization.enabled {
        true => "may be signed in by a person elsewhere",
        false => "are not signed in",
    };
    format!("the sign-in page   {sent}\nsigning out        ends at {end}\ndevices            {devices}")
}

//! `GET /api/v1/idps/{idp}/test`: how a provider's set-up stands, step by step, so that nobody sets one up by guessing.
//!
//! The first steps are done here; what only a sign-in shows is seen on the page of an address that is given at the end.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::identity_provider::{IdpTest, IdpTestName, IdpTestOutcome, IdpTestStep};
use reeve_saml::{Binding, IdentityProvider};
use reeve_types::Timestamp;
use url::Url;

use super::readable;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::PathId;
use crate::providers::{Failure, Idp, OidcIdp, OpenshiftIdp, SamlIdp};

/// Where a certificate is said to be worth replacing, in seconds before its end.
const SOON_SECONDS: i64 = 30 * 86_400;

/// Walks through it.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<Json<IdpTest>, ApiError> {
    let idp = readable(&app, &caller, &segment).await?;
    let mut steps = Steps(Vec::new());
    match &idp {
        Idp::Oidc(idp) => oidc(&app, idp, call.at, &mut steps).await,
        Idp::Openshift(idp) => openshift(&app, idp, call.at, &mut steps).await,
        Idp::Saml(idp) => saml(&app, idp, call.at, &mut steps).await,
    }
    let whole = steps.0.iter().all(|it| it.outcome == IdpTestOutcome::Ok);
    let sign_in_url = match whole {
        true => Some(app.test_address(idp.alias(), call.at)?),
        false => None,
    };
    if whole {
        steps.0.push(IdpTestStep {
            step: IdpTestName::SignIn,
            outcome: IdpTestOutcome::Open,
            found: "which claims arrive, and what they come to, is seen when somebody signs in".to_owned(),
            to_do: Some(
                "open `signInUrl` in a browser and sign in there; nobody is signed in here by it".to_owned(),
            ),
        });
    }
    Ok(Json(IdpTest {
        alias: idp.alias().clone(),
        steps: steps.0,
        sign_in_url,
    }))
}

/// What was walked so far.
struct Steps(Vec<IdpTestStep>);

impl Steps {
    fn ok(&mut self, step: IdpTestName, found: String, to_do: Option<String>) {
        self.0.push(IdpTestStep {
            step,
            outcome: IdpTestOutcome::Ok,
            found,
            to_do,
        });
    }

    /// Takes what a step came to; none where it failed.
    fn take<T>(&mut self, step: IdpTestName, outcome: Result<T, Failure>, to_do: &str) -> Option<T> {
        outcome
            .inspect_err(|failure| {
                self.0.push(IdpTestStep {
                    step,
                    outcome: IdpTestOutcome::Failed,
                    found: failure.to_string(),
                    to_do: Some(to_do.to_owned()),
                });
            })
            .ok()
    }
}

async fn oidc(app: &App, idp: &OidcIdp, now: Timestamp, steps: &mut Steps) {
    // What is kept of it would say how it stood up to an hour ago.
    app.providers.forget(&idp.alias);
    let read = app.providers.provider(idp, now).await;
    let to_do = "correct `oidcData.discoverDocumentUrl`, or let this server reach it: routes, DNS, and `--idp-ca-file` for a \
                 certificate of your own authority";
    let Some(provider) = steps.take(IdpTestName::Metadata, read, to_do) else {
        return;
    };
    steps.ok(
        IdpTestName::Metadata,
        format!("the issuer is `{}`", provider.issuer),
        None,
    );
    let keys = app.providers.keys(idp, &provider, now, false).await;
    let to_do = "let this server reach the address under `jwks_uri` of the discovery document, and the provider publish its keys there";
    if steps.take(IdpTestName::Keys, keys, to_do).is_none() {
        return;
    }
    steps.ok(
        IdpTestName::Keys,
        format!("keys are published at `{}`", provider.jwks_uri),
        None,
    );
    let to_do = format!(
        "have the redirect address `{}` registered with that client there",
        app.redirect_uri(&idp.alias)
    );
    let to = &provider.authorization_endpoint;
    redirect(to, &idp.settings.client_id, to_do, steps);
}

async fn openshift(app: &App, idp: &OpenshiftIdp, now: Timestamp, steps: &mut Steps) {
    app.providers.forget(&idp.alias);
    let read = app.providers.authorization_server(idp, now).await;
    let to_do = "correct `ocpData.idpBaseUrl`, which is the address of the cluster's API server, or let this server reach it: routes, \
                 DNS, and `--idp-ca-file` for the certificate authority of the API server";
    let Some(server) = steps.take(IdpTestName::Metadata, read, to_do) else {
        return;
    };
    steps.ok(
        IdpTestName::Metadata,
        format!("the OAuth server is `{}`", server.issuer),
        None,
    );
    let reached = app.providers.reaches_token_endpoint(&server).await;
    let to_do = "let this server reach the route of the OAuth server: DNS, and in the file of `--idp-ca-file` the certificate authority of \
                 the cluster's routes beside that of its API server";
    if steps.take(IdpTestName::TokenEndpoint, reached, to_do).is_none() {
        return;
    }
    steps.ok(
        IdpTestName::TokenEndpoint,
        format!("codes become tokens at `{}`", server.token_endpoint),
        None,
    );
    let to_do = format!(
        "have an OAuthClient of that name in the cluster, with the secret that was given here and `{}` in its `redirectURIs`",
        app.redirect_uri(&idp.alias)
    );
    let to = &server.authorization_endpoint;
    redirect(to, &idp.settings.client_id, to_do, steps);
}

/// Where people are sent, as which client.
fn redirect(to: &Url, client: &str, to_do: String, steps: &mut Steps) {
    let found = format!("people are sent to `{to}` as client `{client}`");
    steps.ok(IdpTestName::Redirect, found, Some(to_do));
}

async fn saml(app: &App, idp: &SamlIdp, now: Timestamp, steps: &mut Steps) {
    app.providers.forget(&idp.alias);
    let read = app.providers.metadata(idp, now, true).await;
    let to_do = "correct `samlData`, or let this server reach the address: routes, DNS, and `--idp-ca-file` for a certificate of \
                 your own authority";
    let Some(provider) = steps.take(IdpTestName::Metadata, read, to_do) else {
        return;
    };
    let until = provider.valid_until();
    steps.ok(
        IdpTestName::Metadata,
        match until {
            Some(end) => format!(
                "the provider is `{}`; its metadata is valid to {end}",
                provider.entity_id()
            ),
            None => format!("the provider is `{}`", provider.entity_id()),
        },
        None,
    );
    if !keys(&provider, now, steps) {
        return;
    }
    let acs = app.redirect_uri(&idp.alias);
    let us = idp.us(&app.issuer(), &acs);
    let Some(us) = steps.take(
        IdpTestName::Redirect,
        us,
        "remove the provider here and make it anew",
    ) else {
        return;
    };
    let binding = provider.preferred_binding();
    let way = match binding {
        Binding::Redirect => "by redirect",
        Binding::Post => "by a form",
    };
    let to = provider.sign_on_url(binding).unwrap_or_default();
    steps.ok(
        IdpTestName::Redirect,
        format!(
            "people are sent to `{to}` {way}, with a signed request of `{}`",
            us.entity_id()
        ),
        Some(format!("have our metadata loaded there, from `{acs}/descriptor`")),
    );
}

/// Whether a certificate of the provider is good now; one that ends soon is named.
fn keys(provider: &IdentityProvider, now: Timestamp, steps: &mut Steps) -> bool {
    let all = provider.signing_certificates();
    let listed: Vec<_> = all
        .iter()
        .map(|it| format!("SHA-256 {} to {}", it.fingerprint(), it.not_after()))
        .collect();
    let found = format!("signs with one of: {}", listed.join("; "));
    let lasts = |seconds: i64| {
        let at = now.plus_seconds(seconds);
        all.iter().any(|it| it.not_before() <= at && at < it.not_after())
    };
    if !lasts(0) {
        steps.0.push(IdpTestStep {
            step: IdpTestName::Keys,
            outcome: IdpTestOutcome::Failed,
            found,
            to_do: Some("none of these certificates is valid now: have it replaced at the provider, and give its metadata anew".to_owned()),
        });
        return false;
    }
    let to_do = (!lasts(SOON_SECONDS))
        .then(|| "no certificate lasts another 30 days: ask when it is replaced".to_owned());
    steps.ok(IdpTestName::Keys, found, to_do);
    true
}

//! To an identity provider and back.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use reeve_oidc::Callback;
use reeve_types::IdpAlias;

use super::code_flow::CodeProvider;
use super::cookie;
use super::finish;
use super::page::{problem, redirect, refused};
use super::request::Pairs;
use super::saml;
use super::seen;
use super::spoken::{Came, signed_in};
use super::ticket::{ATTEMPT_SECONDS, AtProvider, Attempt};
use crate::app::App;
use crate::caller::Call;
use crate::error::ApiError;
use crate::providers::{Failure, Grant, Idp, random_text};

/// `GET …/broker/{alias}/login`.
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    call: Call,
    Path(alias): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    match to_provider(&app, &call, &alias, &query.unwrap_or_default(), &headers).await? {
        Ok(response) => Ok(response),
        Err(failure) => Ok(refused(&app, &call, &alias, &failure)),
    }
}

async fn to_provider(
    app: &App,
    call: &Call,
    alias: &str,
    query: &str,
    headers: &HeaderMap,
) -> Result<Result<Response, Failure>, ApiError> {
    let begun = cookie::get(headers, cookie::ATTEMPT).and_then(|text| app.opened::<Attempt>(text, call.at));
    let pairs = Pairs::read(query.as_bytes());
    let Some(attempt) = begun.filter(|attempt| pairs.get("attempt") == Some(&attempt.id)) else {
        return Ok(Err(Failure::Attempt));
    };
    let idp = match alias.parse::<IdpAlias>() {
        Ok(alias) => app.idp(&alias).await?,
        Err(_) => None,
    };
    match idp {
        Some(idp) => leave(app, call, idp, attempt).await,
        None => Ok(Err(Failure::NoProvider)),
    }
}

/// `GET …/broker/{alias}/test`: from the address that `reeve idp test` gives.
pub(super) async fn test(
    State(app): State<Arc<App>>,
    call: Call,
    Path(alias): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let pairs = Pairs::read(query.unwrap_or_default().as_bytes());
    let known = alias.parse::<IdpAlias>().ok();
    let asked = known.filter(|alias| {
        let ticket = pairs.get("ticket").unwrap_or_default();
        app.is_test(alias, ticket, call.at)
    });
    let Some(asked) = asked else {
        let text = "The link is not one of this installation, or older than ten minutes. Run `reeve idp test` again.";
        return Ok(problem(&app, &call, 400, text));
    };
    let attempt = Attempt {
        test: true,
        ..Attempt::begun(&app, call.at)?
    };
    let left = match app.idp(&asked).await? {
        Some(idp) => leave(&app, &call, idp, attempt).await?,
        None => Err(Failure::NoProvider),
    };
    Ok(left.unwrap_or_else(|failure| seen::failed(&alias, &failure)))
}

/// Sends the browser to the provider.
async fn leave(
    app: &App,
    call: &Call,
    idp: Idp,
    attempt: Attempt,
) -> Result<Result<Response, Failure>, ApiError> {
    if let Idp::Saml(idp) = &idp {
        return saml::to_provider(app, call, idp, attempt).await;
    }
    let provider = match CodeProvider::found(app, idp, call.at).await {
        Ok(provider) => provider,
        Err(failure) => return Ok(Err(failure)),
    };
    let random = || random_text(&app.security.random);
    let at = AtProvider {
        alias: provider.alias().clone(),
        state: random()?,
        nonce: match provider.has_nonce() {
            true => Some(random()?),
            false => None,
        },
        verifier: random()?,
    };
    let address = provider.address(&app.redirect_uri(&at.alias), &at);
    let mut response = redirect(address.as_str());
    let attempt = Attempt {
        id: random()?,
        provider: Some(at),
        ..attempt
    };
    cookie::set(
        response.headers_mut(),
        cookie::ATTEMPT,
        &app.ticket(&attempt)?,
        ATTEMPT_SECONDS,
    );
    Ok(Ok(response))
}

/// `GET …/broker/{alias}/endpoint`.
pub(super) async fn finish(
    State(app): State<Arc<App>>,
    call: Call,
    Path(alias): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let begun = cookie::get(&headers, cookie::ATTEMPT).and_then(|text| app.opened::<Attempt>(text, call.at));
    let Some(attempt) = begun else {
        return Ok(refused(&app, &call, &alias, &Failure::Attempt));
    };
    match from_provider(&app, &call, &alias, &query.unwrap_or_default(), &attempt).await? {
        Ok(Came::SignedIn(session)) => finish::finish(&app, &call, &attempt, &session),
        Ok(Came::Seen(page)) => Ok(page),
        Err(failure) if attempt.test => Ok(seen::failed(&alias, &failure)),
        Err(failure) => Ok(refused(&app, &call, &alias, &failure)),
    }
}

async fn from_provider(
    app: &App,
    call: &Call,
    alias: &str,
    query: &str,
    attempt: &Attempt,
) -> Result<Result<Came, Failure>, ApiError> {
    // One redirect address for each provider: what one began is not finished at another's.
    let Some(at) = attempt.provider.as_ref().filter(|at| at.alias.as_str() == alias) else {
        return Ok(Err(Failure::Attempt));
    };
    let Some(idp) = app.idp(&at.alias).await? else {
        return Ok(Err(Failure::NoProvider));
    };
    let provider = match CodeProvider::found(app, idp, call.at).await {
        Ok(provider) => provider,
        Err(failure) => return Ok(Err(failure)),
    };
    let callback = Callback::read(query);
    let code = match callback.code(&at.state, provider.sender()) {
        Ok(code) => code,
        Err(error) => return Ok(Err(error.into())),
    };
    let granted = crate::audit::session_record();
    if !app
        .store
        .use_once(&granted, &attempt.id, call.at, attempt.until)
        .await?
    {
        return Ok(Err(Failure::Attempt));
    }
    let redirect_uri = app.redirect_uri(&at.alias);
    let grant = Grant::Code {
        code,
        redirect_uri: &redirect_uri,
        verifier: &at.verifier,
    };
    let answer = match provider.redeem(app, grant, at, call.at).await {
        Ok(answer) => answer,
        Err(failure) => return Ok(Err(failure)),
    };
    if attempt.test {
        let page = seen::shown(&at.alias, &answer.seen, &answer.mapped);
        return Ok(Ok(Came::Seen(page)));
    }
    let spoken = match answer.spoken() {
        Ok(spoken) => spoken,
        Err(failure) => return Ok(Err(failure)),
    };
    let session = signed_in(app, call, &at.alias, spoken).await?;
    Ok(session.map(Came::SignedIn))
}

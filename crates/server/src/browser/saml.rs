//! To a provider of SAML 2.0 and back: a signed request by redirect or form, and its response, which comes by a form.
//!
//! **Which browser it was.** The response is a form of the provider's site, with which no `Lax` cookie comes. So the attempt is in a
//! cookie of its own with `SameSite=None`. That cookie is sealed, lasts ten minutes, is read at this one address and says nobody's name;
//! it is good only together with a response to the very request in it, whose 160 random bits no other site learns, and with the relay
//! state. Another site that sends a form here therefore brings nobody in, also not as somebody else.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use reeve_saml::{
    AuthnRequest, OneUse, Pending, PostForm, RelayState, ReplayCache, RequestId, SamlError, Seen, SignIn,
};
use reeve_types::{IdpAlias, Timestamp};
use url::Url;

use super::cookie;
use super::finish;
use super::page::{escape, page, problem, redirect, refused};
use super::request::Pairs;
use super::seen;
use super::spoken::{Came, Spoken, signed_in};
use super::ticket::{ATTEMPT_SECONDS, AtSaml, Attempt};
use crate::app::App;
use crate::caller::Call;
use crate::error::ApiError;
use crate::extract::read_form;
use crate::providers::{Failure, Idp, SamlIdp, mapped, random_text};

/// The largest form: the largest response in base64, each `+`, `/` and `=` of it as three characters, and the relay state.
const MAX_FORM_BYTES: usize = 2 * reeve_saml::limits::MAX_RESPONSE_BYTES;

/// Sends the browser to the provider with a signed request.
pub(super) async fn to_provider(
    app: &App,
    call: &Call,
    idp: &SamlIdp,
    attempt: Attempt,
) -> Result<Result<Response, Failure>, ApiError> {
    let bits = app.security.random.bytes().map_err(ApiError::internal)?;
    let (id, relay_state) = (RequestId::from_random(bits), random_text(&app.security.random)?);
    let request = match request(app, call, idp, &id, &relay_state).await {
        Ok(request) => request,
        Err(failure) => return Ok(Err(failure)),
    };
    let mut response = match request {
        AuthnRequest::Redirect(address) => redirect(&address),
        AuthnRequest::Post(form) => send_form(&form, &idp.alias)?,
    };
    let attempt = Attempt {
        id: random_text(&app.security.random)?,
        provider: None,
        saml: Some(AtSaml {
            alias: idp.alias.clone(),
            relay_state,
            request: id.as_str().to_owned(),
            sent: call.at,
        }),
        ..attempt
    };
    cookie::set_for_forms(
        response.headers_mut(),
        cookie::ATTEMPT_BY_FORM,
        &app.ticket(&attempt)?,
        ATTEMPT_SECONDS,
    );
    Ok(Ok(response))
}

async fn request(
    app: &App,
    call: &Call,
    idp: &SamlIdp,
    id: &RequestId,
    relay_state: &str,
) -> Result<AuthnRequest, Failure> {
    let provider = app.providers.metadata(idp, call.at, false).await?;
    let us = idp.us(&app.issuer(), &app.redirect_uri(&idp.alias))?;
    let relay_state = RelayState::new(relay_state)?;
    let binding = provider.preferred_binding();
    Ok(us.authn_request(&provider, binding, id, &relay_state, call.at)?)
}

/// A page that sends the request on when the person presses its button: there is no script here that could.
fn send_form(form: &PostForm, alias: &IdpAlias) -> Result<Response, ApiError> {
    let origin = Url::parse(&form.action).map_err(ApiError::internal)?.origin();
    let body = format!(
        "<p>You go on at your organization's identity provider.</p>\
         <form method=\"post\" action=\"{}\"><input type=\"hidden\" name=\"SAMLRequest\" value=\"{}\">\
         <input type=\"hidden\" name=\"RelayState\" value=\"{}\"><button type=\"submit\">Go on to {}</button></form>",
        escape(&form.action),
        escape(&form.saml_request),
        escape(&form.relay_state),
        escape(alias.as_str()),
    );
    let to = origin.ascii_serialization();
    Ok(page(StatusCode::OK, "Sign in", &body, Some(&to)))
}

/// `POST …/broker/{alias}/endpoint`: the assertion consumer service.
pub(super) async fn finish(
    State(app): State<Arc<App>>,
    call: Call,
    Path(alias): Path<String>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    // Looked at before anything of the body is: whoever did not begin here makes us read nothing.
    let begun = cookie::get(request.headers(), cookie::ATTEMPT_BY_FORM)
        .and_then(|text| app.opened::<Attempt>(text, call.at));
    let Some(attempt) = begun else {
        return Ok(refused(&app, &call, &alias, &Failure::Attempt));
    };
    let form = Pairs::read(&read_form(MAX_FORM_BYTES, request).await?);
    match from_provider(&app, &call, &alias, &form, &attempt).await? {
        Ok(Came::Seen(page)) => Ok(page),
        Err(failure) if attempt.test => Ok(seen::failed(&alias, &failure)),
        Ok(Came::SignedIn(session)) => {
            let mut response = finish::finish(&app, &call, &attempt, &session)?;
            cookie::remove(response.headers_mut(), cookie::ATTEMPT_BY_FORM);
            Ok(response)
        }
        Err(failure) => Ok(refused(&app, &call, &alias, &failure)),
    }
}

async fn from_provider(
    app: &App,
    call: &Call,
    alias: &str,
    form: &Pairs,
    attempt: &Attempt,
) -> Result<Result<Came, Failure>, ApiError> {
    let Some(at) = attempt.saml.as_ref().filter(|at| at.alias.as_str() == alias) else {
        return Ok(Err(Failure::Attempt));
    };
    let Some(Idp::Saml(idp)) = app.idp(&at.alias).await? else {
        return Ok(Err(Failure::NoProvider));
    };
    let Some(response) = form
        .get("SAMLResponse")
        .filter(|_| form.get("RelayState") == Some(&at.relay_state))
    else {
        return Ok(Err(Failure::Attempt));
    };
    let granted = crate::audit::session_record();
    if !app
        .store
        .use_once(&granted, &attempt.id, call.at, attempt.until)
        .await?
    {
        return Ok(Err(Failure::Attempt));
    }
    let sign_in = match verified(app, call, &idp, at, response).await {
        Ok(sign_in) => sign_in,
        Err(failure) => return Ok(Err(failure)),
    };
    let mapped = mapped(&sign_in, &idp.mapper);
    if attempt.test {
        let page = seen::shown(&idp.alias, &seen::attributes(&sign_in), &mapped);
        return Ok(Ok(Came::Seen(page)));
    }
    let spoken = match mapped {
        Ok(mapped) => Spoken {
            issuer: issuer(&sign_in),
            subject: sign_in
                .name_id
                .subject(&sign_in.issuer, idp.entity_id(&app.issuer())),
            mapped,
            ends: sign_in.session_ends,
            renewal: None,
        },
        Err(failure) => return Ok(Err(failure)),
    };
    let session = signed_in(app, call, &idp.alias, spoken).await?;
    Ok(session.map(Came::SignedIn))
}

/// What a verified response says, which nobody used before.
async fn verified(
    app: &App,
    call: &Call,
    idp: &SamlIdp,
    at: &AtSaml,
    response: &str,
) -> Result<SignIn, Failure> {
    let us = idp.us(&app.issuer(), &app.redirect_uri(&idp.alias))?;
    let pending = Pending {
        id: &at.request,
        sent: at.sent,
    };
    let provider = app.providers.metadata(idp, call.at, false).await?;
    let unspent = match us.verify_response(&provider, response, pending, call.at) {
        // The provider may have another key since its metadata was read.
        Err(SamlError::UnknownKey { .. } | SamlError::CertificateExpired { .. }) => {
            let provider = app.providers.metadata(idp, call.at, true).await?;
            us.verify_response(&provider, response, pending, call.at)?
        }
        outcome => outcome?,
    };
    Ok(unspent.redeem(&UsedAssertions { app, now: call.at }).await?)
}

/// By which name the people of a provider of SAML are known here. Some products give their SAML and their OpenID Connect one name; what
/// is a subject in the one need not be the same person's in the other.
fn issuer(sign_in: &SignIn) -> String {
    format!("saml:{}", sign_in.issuer)
}

/// The assertions that were used, for all processes: rows of what may be used once, swept when their time is over.
struct UsedAssertions<'a> {
    app: &'a App,
    now: Timestamp,
}

impl ReplayCache for UsedAssertions<'_> {
    type Error = reeve_store::StoreError;

    async fn remember(&self, one: &OneUse) -> Result<Seen, Self::Error> {
        let granted = crate::audit::session_record();
        let id = format!("saml-assertion:{}", one.key());
        let first = self
            .app
            .store
            .use_once(&granted, &id, self.now, one.until())
            .await?;
        Ok(if first { Seen::First } else { Seen::Before })
    }
}

/// `GET …/broker/{alias}/endpoint/descriptor`: our metadata for one provider. It says nothing that is secret.
pub(super) async fn metadata(
    State(app): State<Arc<App>>,
    call: Call,
    Path(alias): Path<String>,
) -> Result<Response, ApiError> {
    let idp = match alias.parse::<IdpAlias>() {
        Ok(alias) => app.idp(&alias).await?,
        Err(_) => None,
    };
    let Some(Idp::Saml(idp)) = idp else {
        return Ok(problem(
            &app,
            &call,
            404,
            "There is no such identity provider of SAML.",
        ));
    };
    let us = match idp.us(&app.issuer(), &app.redirect_uri(&idp.alias)) {
        Ok(us) => us,
        Err(failure) => return Err(ApiError::internal(failure)),
    };
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (header::CONTENT_TYPE, "application/samlmetadata+xml"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok((headers, us.metadata()).into_response())
}

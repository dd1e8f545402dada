//! `POST /api/v1/token`: credentials for an access token (control-plane 1.8). Bad credentials are 400, never 401: the
//! reference's client would retry (control-plane 0.3, trap 2).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::token::{TokenRequest, TokenResponse};
use reeve_identity::{LoginAttempt, VerifiedIdentity};
use reeve_store::{AuditAction, AuditSubject, CredentialHash, Outcome, SubjectId};
use reeve_types::{Email, Secret, ServiceAccountName};

use crate::app::App;
use crate::caller::Call;
use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::failures::Kind;

/// One sentence for every way to fail, so that nobody learns who exists.
const REFUSED: &str = "the credentials are not valid";

/// Who asks, as far as that is known, and whether she proved it.
struct Attempt {
    kind: AuditSubject,
    /// Whether the account must be reachable whatever happens.
    break_glass: bool,
    known: Option<(SubjectId, String)>,
    /// What it was proven against.
    proven: Option<CredentialHash>,
}

/// Checks the credentials, records the sign-in, and only then gives the token.
pub async fn handle(
    State(app): State<Arc<App>>,
    call: Call,
    JsonBody(body): JsonBody<TokenRequest>,
) -> Result<Json<TokenResponse>, ApiError> {
    let attempt = match body {
        TokenRequest::Password { username, password } => {
            by_password(&app, &call, &username, &password).await?
        }
        TokenRequest::ClientCredentials {
            client_id,
            client_secret,
        } => by_secret(&app, &client_id, &client_secret).await?,
    };
    let mut entry = call.event(AuditAction::SignIn, "users");
    entry.subject_type = attempt.kind;
    if let Some((id, name)) = &attempt.known {
        // Only a name that exists: what was typed into the wrong field may be a password.
        entry.subject.clone_from(name);
        entry = match id {
            SubjectId::User(id) => entry.about(id, name),
            SubjectId::ServiceAccount(id) => entry.about(id, name),
        };
    }
    if let Some(((id, _), proven)) = attempt.known.zip(attempt.proven) {
        let identity = match id {
            SubjectId::User(id) => VerifiedIdentity::by_password(id),
            SubjectId::ServiceAccount(id) => VerifiedIdentity::by_client_secret(id),
        };
        // None when the password was changed while its hash was computed, or the service account is disabled.
        let begun = app
            .sign_in(&identity, Some(&proven), attempt.break_glass, entry.clone())
            .await?;
        if let Some(session) = begun {
            let (access_token, expires_in) = app.security.rest_token(&session, &app.directory(), call.at)?;
            return Ok(Json(TokenResponse {
                access_token: access_token.into(),
                expires_in,
            }));
        }
    }
    // After the answer, and summed up: under no name where the name does not exist.
    entry.result = Outcome::Failed;
    entry.http_status_code = 400;
    app.failures.note(Kind::SignIn, entry);
    Err(ApiError::Invalid(REFUSED.to_owned()))
}

async fn by_password(app: &App, call: &Call, username: &str, password: &Secret) -> Result<Attempt, ApiError> {
    let email = username.parse::<Email>().ok();
    let kept = match &email {
        Some(email) => app.store.password_verifier(email).await?,
        None => None,
    };
    // Unknown names cost the same work as known ones.
    let verifier = kept.as_ref().map(|(_, verifier)| verifier);
    let name = email.as_ref().map_or(username, Email::as_str);
    // Who can mend everything can sign in whatever floods the queue (design 11). Asked for every name alike.
    let administers = email
        .as_ref()
        .is_some_and(|email| app.directory().administers_the_account(email));
    let break_glass = kept.is_some() && administers;
    let asking = LoginAttempt {
        name,
        from: call.source.map(|address| address.ip()),
        break_glass,
    };
    let proven = app.security.check_password(&asking, password, verifier).await?;
    let (known, verifier) = kept.unzip();
    let known = known
        .zip(email)
        .map(|(id, email)| (SubjectId::User(id), email.to_string()));
    Ok(Attempt {
        kind: AuditSubject::User,
        break_glass,
        known,
        proven: verifier.filter(|_| proven),
    })
}

async fn by_secret(app: &App, client_id: &str, secret: &Secret) -> Result<Attempt, ApiError> {
    let name = client_id.parse::<ServiceAccountName>().ok();
    let kept = match &name {
        Some(name) => app.store.secret_verifier(name).await?,
        None => None,
    };
    let proven = app
        .security
        .check_secret(secret, kept.as_ref().map(|(_, verifier)| verifier));
    let (id, verifier) = kept.unzip();
    let known = id
        .zip(name)
        .map(|(id, name)| (SubjectId::ServiceAccount(id), name.to_string()));
    Ok(Attempt {
        kind: AuditSubject::App,
        break_glass: false,
        known,
        proven: verifier.filter(|_| proven),
    })
}

//! `POST /api/v1/token`: credentials for an access token (control-plane 1.8). Bad credentials are 400, never 401: the
//! reference's client would retry (control-plane 0.3, trap 2).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::token::{TokenRequest, TokenResponse};
use reeve_identity::{LoginAttempt, VerifiedIdentity};
use reeve_store::{
    AuditAction, AuditSubject, CredentialHash, Outcome, PasswordCheck, SessionFacts, SubjectId,
};
use reeve_types::{AccessKeyId, Email, Secret, ServiceAccountName};

use crate::api::access_keys;
use crate::app::App;
use crate::caller::Call;
use crate::error::{ApiError, Refusal};
use crate::extract::JsonBody;
use crate::failures::Kind;
use crate::refresh::Tokens;
use crate::second_factor::{Needed, SecondFactor};
use crate::sign_in_rate::EACH_SECONDS;

/// Why nobody is given a token: 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum GrantRefusal {
    /// One sentence for every way to fail, so that nobody learns who exists.
    #[error("the credentials are not valid")]
    Credentials,
    /// The password was right, and that is not enough.
    #[error(
        "this user has an authenticator: send the code that it shows, or a recovery code, as `totp` beside the password (`reeve login user -u EMAIL --code CODE`)"
    )]
    CodeNeeded,
    /// As well.
    #[error(
        "this user has a passkey, which takes a browser (`reeve login`): sign in there, or send a recovery code as `totp` beside the password"
    )]
    PasskeyNeeded,
    /// The same for every refresh token that gives nothing.
    #[error("the refresh token is not valid, was replaced before, or its session is over: sign in again")]
    RefreshToken,
}

impl Refusal for GrantRefusal {}

/// What came of a sign-in.
pub(crate) enum Begun {
    /// A session.
    Session(SessionFacts),
    /// The password is right, and a second factor is needed besides.
    Needed(Needed),
    /// Nothing, for every wrong attempt alike.
    No,
}

/// Who administers the account is not counted: that sign-in must always work.
pub(crate) const TOO_OFTEN: ApiError = ApiError::TooMany {
    what: "this user signs in with a password more often than a session is good for",
    after: EACH_SECONDS,
    instead: "use the token of the last sign-in until it expires; programs sign in as applications (service accounts), as often as they like",
};

/// Who asks, as far as that is known, and whether she proved it.
struct Attempt {
    kind: AuditSubject,
    /// Whether the account must be reachable whatever happens.
    break_glass: bool,
    known: Option<(SubjectId, String)>,
    /// The access key that was shown, if it was one.
    access_key: Option<AccessKeyId>,
    /// The one-time code that came with a password.
    code: Option<Secret>,
    /// The client that is to renew the session.
    client: Option<String>,
    /// What it was proven against.
    proven: Option<CredentialHash>,
}

/// Checks the credentials, records the sign-in, and only then gives the token.
pub async fn handle(
    State(app): State<Arc<App>>,
    call: Call,
    JsonBody(body): JsonBody<TokenRequest>,
) -> Result<Json<TokenResponse>, ApiError> {
    let tokens = grant(&app, &call, body).await??;
    Ok(Json(TokenResponse {
        access_token: tokens.access.into(),
        expires_in: tokens.expires_in,
        refresh_token: tokens.refresh.map(Into::into),
        must_change_password: tokens.temporary_password,
    }))
}

/// What both versions of the route do.
///
/// # Errors
/// [`ApiError`]; inside of it what the two say in words of their own.
pub(super) async fn grant(
    app: &Arc<App>,
    call: &Call,
    request: TokenRequest,
) -> Result<Result<Tokens, GrantRefusal>, ApiError> {
    let attempt = match request {
        TokenRequest::Password {
            username,
            password,
            code,
            client,
        } => Attempt {
            client,
            ..by_password(app, call, &username, &password, code).await?
        },
        TokenRequest::ClientCredentials {
            client_id,
            client_secret,
        } => by_secret(app, &client_id, &client_secret).await?,
        TokenRequest::RefreshToken { token, client } => {
            return by_refresh_token(app, call, &token, client).await;
        }
    };
    let client = attempt.client.clone();
    let session = match session(app, call, attempt).await? {
        Begun::Session(session) => session,
        Begun::Needed(Needed::Code) => return Ok(Err(GrantRefusal::CodeNeeded)),
        Begun::Needed(Needed::Passkey) => return Ok(Err(GrantRefusal::PasskeyNeeded)),
        Begun::No => return Ok(Err(GrantRefusal::Credentials)),
    };
    if let Some(client) = client {
        return app.renewable_tokens(&session, &client, call.at).await.map(Ok);
    }
    let (access, expires_in) = app.security.rest_token(&session, &app.directory(), call.at)?;
    Ok(Ok(Tokens {
        access,
        expires_in,
        refresh: None,
        temporary_password: app.directory().has_temporary_password(&session),
    }))
}

async fn by_refresh_token(
    app: &Arc<App>,
    call: &Call,
    token: &Secret,
    client: Option<String>,
) -> Result<Result<Tokens, GrantRefusal>, ApiError> {
    if let Some(tokens) = app.renewed_tokens(call, token, client).await? {
        return Ok(Ok(tokens));
    }
    app.note_refused_renewal(call);
    Ok(Err(GrantRefusal::RefreshToken))
}

async fn session(app: &App, call: &Call, attempt: Attempt) -> Result<Begun, ApiError> {
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
    if attempt.break_glass && attempt.proven.is_some() {
        entry.metadata.insert("break_glass".to_owned(), "true".to_owned());
    }
    let mut proven = attempt.proven;
    if let (Some((SubjectId::User(id), _)), None, Some(_)) = (&attempt.known, attempt.access_key, &proven) {
        let code = attempt.code.as_ref();
        match app.second_factor(*id, code, attempt.break_glass, call.at).await? {
            SecondFactor::None => {}
            SecondFactor::Shown(what) => {
                entry.metadata.insert("second_factor".to_owned(), what.to_owned());
            }
            SecondFactor::Missing(needed) => return Ok(Begun::Needed(needed)),
            SecondFactor::Wrong => {
                entry
                    .metadata
                    .insert("second_factor".to_owned(), "wrong".to_owned());
                proven = None;
            }
        }
    }
    if let Some(((id, _), proven)) = attempt.known.zip(proven) {
        // Not of an attempt that fails: it may be a secret in the wrong field.
        let mut begins = entry.clone();
        if let Some(client) = attempt.client {
            begins.metadata.insert("client".to_owned(), client);
        }
        // None when the password was changed while its hash was computed, or the service account is disabled.
        let begun = match (id, attempt.access_key) {
            (SubjectId::User(id), Some(key)) => app.access_key_signs_in(id, key, &proven, begins).await?,
            (SubjectId::User(id), None)
                if !attempt.break_glass && !app.sign_in_rate.may_begin(id, call.at) =>
            {
                return Err(TOO_OFTEN);
            }
            (SubjectId::User(id), None) => {
                let identity = VerifiedIdentity::by_password(id);
                app.sign_in(&identity, Some(&proven), attempt.break_glass, begins)
                    .await?
            }
            (SubjectId::ServiceAccount(id), _) => app.application_signs_in(id, &proven, begins).await?,
        };
        if let Some(begun) = begun {
            if let (SubjectId::User(id), None) = (id, attempt.access_key) {
                app.guesses.begin_anew(id);
            }
            if attempt.break_glass {
                app.metrics.break_glass_signed_in();
            }
            return Ok(Begun::Session(begun));
        }
    }
    // After the answer, and summed up: under no name where the name does not exist.
    entry.result = Outcome::Failed;
    entry.http_status_code = 400;
    app.failures.note(Kind::SignIn, entry);
    Ok(Begun::No)
}

/// The session of a local user who gave the right password by a form, and a one-time code: as by the token route, with its bounds and
/// events.
///
/// # Errors
/// [`ApiError::TooMany`], and those of [`App::sign_in`].
pub(crate) async fn password(
    app: &App,
    call: &Call,
    username: &str,
    password: &Secret,
    code: Option<Secret>,
) -> Result<Begun, ApiError> {
    let attempt = by_password(app, call, username, password, code).await?;
    session(app, call, attempt).await
}

async fn by_password(
    app: &App,
    call: &Call,
    username: &str,
    password: &Secret,
    code: Option<Secret>,
) -> Result<Attempt, ApiError> {
    let email = username.parse::<Email>().ok();
    let kept = match &email {
        Some(email) => app.store.password_check(email).await?,
        None => None,
    };
    let name = email.as_ref().map_or(username, Email::as_str);
    // Who can mend everything can sign in whatever floods the queue (design 11). Asked for every name alike.
    let administers = email
        .as_ref()
        .is_some_and(|email| app.directory().administers_the_account(email));
    let break_glass = kept.is_some() && administers;
    let from = call.source.map(|address| address.ip());
    // Of a user at whom somebody guesses no password is looked at for a while. Unknown names cost the same work as known ones.
    let may_try = |kept: &&PasswordCheck| {
        app.guesses
            .may_try(kept.user, kept.wrong, break_glass, from, call.at)
    };
    let looked_at = kept.as_ref().filter(may_try);
    let asking = LoginAttempt {
        name,
        from,
        break_glass,
    };
    let verifier = looked_at.map(|kept| &kept.verifier);
    let proven = app.security.check_password(&asking, password, verifier).await?;
    if let Some(kept) = looked_at.filter(|_| !proven) {
        app.guesses.note(kept.user);
    }
    let (known, verifier) = kept.map(|kept| (kept.user, kept.verifier)).unzip();
    let known = known
        .zip(email)
        .map(|(id, email)| (SubjectId::User(id), email.to_string()));
    Ok(Attempt {
        kind: AuditSubject::User,
        break_glass,
        known,
        access_key: None,
        code,
        client: None,
        proven: verifier.filter(|_| proven),
    })
}

async fn by_secret(app: &App, client_id: &str, secret: &Secret) -> Result<Attempt, ApiError> {
    if let Some(key) = access_keys::key_of(client_id) {
        return by_access_key(app, key, secret).await;
    }
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
        access_key: None,
        code: None,
        client: None,
        proven: verifier.filter(|_| proven),
    })
}

/// Somebody's program, as that person.
async fn by_access_key(app: &App, key: AccessKeyId, secret: &Secret) -> Result<Attempt, ApiError> {
    let kept = app.store.access_key_verifier(key).await?;
    let proven = app
        .security
        .check_secret(secret, kept.as_ref().map(|(_, verifier)| verifier));
    let (owner, verifier) = kept.unzip();
    let known = owner.and_then(|owner| {
        let email = app.directory().user(owner)?.email.to_string();
        Some((SubjectId::User(owner), email))
    });
    Ok(Attempt {
        kind: AuditSubject::User,
        break_glass: false,
        access_key: known.as_ref().map(|_| key),
        known,
        code: None,
        client: None,
        proven: verifier.filter(|_| proven),
    })
}

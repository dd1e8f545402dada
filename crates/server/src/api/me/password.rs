//! `POST /api/v1/me/password`: 200. The caller's other sessions end, those of access keys too; the one that asks goes on.
//!
//! **Promises.** A token alone changes no password: the one until now is asked for, and counts as a guess like one at a sign-in when it
//! is wrong. What is kept is only replaced while it is what was shown, so that of two changes at once one is refused.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::me::ChangePassword;
use reeve_identity::{LoginAttempt, WeakPassword, check_password};
use reeve_store::{AuditAction, NewOwnPassword, SubjectId, WRONG_PASSWORDS_SECONDS};

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::{ApiError, Refusal, RefusalKind};
use crate::extract::JsonBody;

/// Why a password stays as it is.
#[derive(Debug, thiserror::Error)]
enum PasswordRefusal {
    /// 403: there is none here.
    #[error("you have no password here: it is kept where you sign in")]
    NoPassword,
    /// 403: whoever found a key would shut its owner out.
    #[error("an access key changes no password: sign in yourself (`reeve login user`)")]
    ByAKey,
    /// 400: too easy to guess.
    #[error("`newPassword`: {0}")]
    Weak(WeakPassword),
    /// 400: nothing would change.
    #[error("`newPassword` is the password until now: choose another")]
    Same,
    /// 400: not the password until now.
    #[error("`currentPassword` is not the password until now")]
    Wrong,
}

impl Refusal for PasswordRefusal {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::NoPassword | Self::ByAKey => RefusalKind::Forbidden,
            Self::Weak(_) | Self::Same | Self::Wrong => RefusalKind::Invalid,
        }
    }
}

/// As at a sign-in: somebody guesses.
const TOO_OFTEN: ApiError = ApiError::TooMany {
    what: "the password of this user was given wrongly too often",
    after: WRONG_PASSWORDS_SECONDS,
    instead: "an administrator of the account can give you a new one",
};

/// Changes it.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<ChangePassword>,
) -> Result<StatusCode, ApiError> {
    let SubjectId::User(id) = caller.id else {
        return Err(PasswordRefusal::NoPassword.into());
    };
    if caller.access_key.is_some() {
        return Err(PasswordRefusal::ByAKey.into());
    }
    check_password(&body.new_password).map_err(PasswordRefusal::Weak)?;
    if body.new_password.expose() == body.current_password.expose() {
        return Err(PasswordRefusal::Same.into());
    }
    let email = app.directory().user(id).map(|user| user.email.clone());
    let email = email.ok_or(ApiError::SIGNED_OUT)?;
    let kept = app.store.password_check(&email).await?;
    let kept = kept.ok_or(PasswordRefusal::NoPassword)?;
    let break_glass = app.directory().administers_the_account(&email);
    let from = call.source.map(|address| address.ip());
    if !app.guesses.may_try(id, kept.wrong, break_glass, from, call.at) {
        return Err(TOO_OFTEN);
    }
    let asking = LoginAttempt {
        name: email.as_str(),
        from,
        break_glass,
    };
    let current = &body.current_password;
    if !app
        .security
        .check_password(&asking, current, Some(&kept.verifier))
        .await?
    {
        app.guesses.note(id);
        return Err(PasswordRefusal::Wrong.into());
    }
    let password = app.security.password_verifier(&body.new_password).await?;
    app.revoke(caller.asker(), move |app| async move {
        // Nobody needs a right to it.
        let granted = crate::audit::session_record();
        let entry = call
            .by(&caller, AuditAction::ResetPassword, "users")
            .about(id, &caller.name);
        let new = NewOwnPassword {
            password,
            proven: kept.verifier,
            session: caller.session,
            at: app.clock.now(),
        };
        let changed = app.store.change_own_password(&granted, id, new, entry).await?;
        Ok(changed.ok_or(PasswordRefusal::Wrong)?)
    })
    .await?;
    app.guesses.begin_anew(id);
    Ok(StatusCode::OK)
}

//! An authenticator of one's own: one-time codes beside the password, for local users.
//!
//! **Promises.** It is set up in two steps, so that nobody is asked for a code that their authenticator does not show. It is taken away by
//! whoever shows a code of it or a recovery code, not by a token alone; and by whoever may change users, for one that is lost.

pub mod confirm;
pub mod create;
pub mod get;
pub mod remove;

use reeve_store::{AuditAction, AuditEntry, SubjectId};
use reeve_types::{Email, UserId};

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::{ApiError, Refusal, RefusalKind};

/// What authenticators call us.
const ISSUER: &str = "Reeve";

/// Why there is no authenticator for the caller, or not this way.
#[derive(Debug, thiserror::Error)]
enum AuthenticatorRefusal {
    /// 403: there is no password beside which a code could be asked for.
    #[error(
        "an authenticator is for local users, beside their password: whoever comes by an identity provider has a second factor there"
    )]
    NoPassword,
    /// 403: whoever found a key would shut its owner out.
    #[error("an access key changes no authenticator: sign in yourself (`reeve login user`)")]
    ByAKey,
    /// 409: none was begun, or it is confirmed.
    #[error(
        "there is no authenticator that waits for its first code: begin with `POST /api/v1/me/authenticator`"
    )]
    NoneWaits,
    /// 409: there is none.
    #[error("there is no authenticator")]
    None,
    /// 400: another authenticator, or a clock that is wrong, or used before.
    #[error(
        "the code is not right, or was used before: wait for the next one, and see that the clocks agree"
    )]
    Wrong,
}

impl Refusal for AuthenticatorRefusal {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::NoPassword | Self::ByAKey => RefusalKind::Forbidden,
            Self::NoneWaits | Self::None => RefusalKind::Conflict,
            Self::Wrong => RefusalKind::Invalid,
        }
    }
}

/// A local user, there in person.
async fn local(app: &App, caller: &Caller) -> Result<(UserId, Email), ApiError> {
    let SubjectId::User(id) = caller.id else {
        return Err(AuthenticatorRefusal::NoPassword.into());
    };
    if caller.access_key.is_some() {
        return Err(AuthenticatorRefusal::ByAKey.into());
    }
    let email = app.directory().user(id).map(|user| user.email.clone());
    let email = email.ok_or(ApiError::SIGNED_OUT)?;
    match app.store.password_verifier(&email).await? {
        Some(_) => Ok((id, email)),
        None => Err(AuthenticatorRefusal::NoPassword.into()),
    }
}

fn event(call: &Call, caller: &Caller, what: &str) -> AuditEntry {
    let mut entry = call.by(caller, AuditAction::Update, "users");
    entry.metadata.insert("authenticator".to_owned(), what.to_owned());
    entry
}

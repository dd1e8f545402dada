//! Somebody chooses another password of their own: by REST, or on the page that follows a sign-in with a temporary one.
//!
//! **Promises.** A token alone changes no password: the one until now is asked for, and counts as a guess like one at a sign-in when it
//! is wrong. Only in a session that began with a temporary password, and is good for nothing else, it is not asked for again. What is
//! kept is only replaced while it is what was shown, so that of two changes at once one is refused.

use std::sync::Arc;

use reeve_identity::{LoginAttempt, WeakPassword, check_password};
use reeve_store::{AuditAction, NewOwnPassword, PasswordCheck, SubjectId, WRONG_PASSWORDS_SECONDS};
use reeve_types::{Email, Secret, UserId};

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::{ApiError, Refusal, RefusalKind};

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

/// How it is known that the password until now is.
pub(crate) enum Current<'a> {
    /// It is shown.
    Shown(&'a Secret),
    /// The session began with it, and it is a temporary one.
    BeganWith,
}

impl App {
    /// Changes it; the caller's other sessions end. An event says so.
    ///
    /// # Errors
    /// 403 for whoever has none or comes by an access key, 400 for a new one that cannot be or a current one that is not, 429 for too
    /// many wrong ones; and those of the store.
    pub(crate) async fn change_own_password(
        self: &Arc<Self>,
        caller: Caller,
        call: Call,
        current: Current<'_>,
        new: &Secret,
    ) -> Result<(), ApiError> {
        let SubjectId::User(id) = caller.id else {
            return Err(PasswordRefusal::NoPassword.into());
        };
        if caller.access_key.is_some() {
            return Err(PasswordRefusal::ByAKey.into());
        }
        check_password(new).map_err(PasswordRefusal::Weak)?;
        let email = self.directory().user(id).map(|user| user.email.clone());
        let email = email.ok_or(ApiError::SIGNED_OUT)?;
        let kept = self.store.password_check(&email).await?;
        let kept = kept.ok_or(PasswordRefusal::NoPassword)?;
        match current {
            Current::Shown(shown) if shown.expose() == new.expose() => {
                return Err(PasswordRefusal::Same.into());
            }
            Current::Shown(shown) => self.is_current(&call, &email, &kept, shown).await?,
            Current::BeganWith if !caller.has_temporary_password => {
                return Err(PasswordRefusal::Wrong.into());
            }
            // Nobody guesses here: the session's owner has shown it.
            Current::BeganWith if self.matches(&call, &email, &kept, new).await? => {
                return Err(PasswordRefusal::Same.into());
            }
            Current::BeganWith => {}
        }
        let password = self.security.password_verifier(new).await?;
        self.revoke(caller.asker(), move |app| async move {
            // Nobody needs a right to it.
            let granted = crate::audit::session_record();
            let mut entry = call
                .by(&caller, AuditAction::ResetPassword, "users")
                .about(id, &caller.name);
            if caller.has_temporary_password {
                entry
                    .metadata
                    .insert("temporary_password".to_owned(), "replaced".to_owned());
            }
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
        self.guesses.begin_anew(id);
        Ok(())
    }

    /// Refuses what is not the password until now, and counts it.
    async fn is_current(
        &self,
        call: &Call,
        email: &Email,
        kept: &PasswordCheck,
        shown: &Secret,
    ) -> Result<(), ApiError> {
        let id: UserId = kept.user;
        let break_glass = self.directory().administers_the_account(email);
        let from = call.source.map(|address| address.ip());
        if !self.guesses.may_try(id, kept.wrong, break_glass, from, call.at) {
            return Err(TOO_OFTEN);
        }
        if self.matches(call, email, kept, shown).await? {
            return Ok(());
        }
        self.guesses.note(id);
        Err(PasswordRefusal::Wrong.into())
    }

    async fn matches(
        &self,
        call: &Call,
        email: &Email,
        kept: &PasswordCheck,
        password: &Secret,
    ) -> Result<bool, ApiError> {
        let asking = LoginAttempt {
            name: email.as_str(),
            from: call.source.map(|address| address.ip()),
            break_glass: self.directory().administers_the_account(email),
        };
        let verifier = Some(&kept.verifier);
        self.security.check_password(&asking, password, verifier).await
    }
}

//! An authenticator of one's own: one-time codes beside the password, for local users; by REST, or on the page of one's account.
//!
//! **Promises.** It is set up in two steps, so that nobody is asked for a code that their authenticator does not show. It is taken away by
//! whoever shows a code of it or a recovery code, not by a token alone; and by whoever may change users, for one that is lost.

use std::sync::Arc;

use reeve_identity::totp::TotpSecret;
use reeve_store::{AuditAction, AuditEntry, AuthenticatorRow, SubjectId};
use reeve_types::{Email, Secret, UserId};

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::{ApiError, Refusal, RefusalKind};
use crate::recovery_codes::RecoveryCodes;
use crate::second_factor::SecondFactor;

/// What authenticators call us.
const ISSUER: &str = "Reeve";

/// Why there is no authenticator for the caller, or not this way.
#[derive(Debug, thiserror::Error)]
enum AuthenticatorRefusal {
    /// 403: there is no password beside which a code could be asked for.
    #[error(
        "authenticators and passkeys are for local users, beside their password: whoever comes by an identity provider has a second factor there"
    )]
    NoPassword,
    /// 403: whoever found a key would shut its owner out.
    #[error("an access key changes no second factor: sign in yourself (`reeve login`)")]
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

/// What an authenticator is given.
#[derive(Debug)]
pub(crate) struct Setup {
    /// To be typed, in base 32.
    pub(crate) secret: Secret,
    /// The same as an address, which a QR code may hold.
    pub(crate) address: Secret,
}

impl Setup {
    fn new(secret: &TotpSecret, email: &Email) -> Self {
        let secret = secret.text();
        let label: String = url::form_urlencoded::byte_serialize(email.as_str().as_bytes()).collect();
        let address = format!(
            "otpauth://totp/{ISSUER}:{label}?secret={}&issuer={ISSUER}&algorithm=SHA1&digits=6&period=30",
            secret.expose()
        );
        Self {
            secret,
            address: Secret::new(address),
        }
    }
}

impl App {
    /// Somebody's authenticator, whether or not it was confirmed.
    ///
    /// # Errors
    /// 403 for whoever can have none, or comes by an access key; and those of the store.
    pub(crate) async fn own_authenticator(
        &self,
        caller: &Caller,
    ) -> Result<Option<AuthenticatorRow>, ApiError> {
        let (user, _) = self.local_user(caller).await?;
        Ok(self.authenticator(user).await?)
    }

    /// Begins one, in the place of one that was not confirmed. Its codes are not asked for before that. An event says so.
    ///
    /// # Errors
    /// As [`App::own_authenticator`]; 409 when there is one.
    pub(crate) async fn begin_authenticator(
        self: &Arc<Self>,
        caller: Caller,
        call: Call,
    ) -> Result<Setup, ApiError> {
        let (user, email) = self.local_user(&caller).await?;
        let secret = TotpSecret::generate(&self.security.random).map_err(ApiError::internal)?;
        let sealed = self.sealed_totp_secret(user, &secret)?;
        self.change(caller.asker(), move |app| async move {
            let granted = crate::audit::session_record();
            let entry = event(&call, &caller, "begun");
            Ok(app
                .store
                .create_authenticator(&granted, user, sealed, entry)
                .await?)
        })
        .await?;
        Ok(Setup::new(&secret, &email))
    }

    /// What the one that waits for its first code was given: whoever begins it sees it until then.
    ///
    /// # Errors
    /// As [`App::own_authenticator`]; 409 when none waits.
    pub(crate) async fn waiting_authenticator(&self, caller: &Caller) -> Result<Setup, ApiError> {
        let (user, email) = self.local_user(caller).await?;
        let kept = self.authenticator(user).await?.filter(|kept| !kept.confirmed);
        let kept = kept.ok_or(AuthenticatorRefusal::NoneWaits)?;
        Ok(Setup::new(&self.totp_secret(user, &kept)?, &email))
    }

    /// From now on a code is asked for; the recovery codes, which nobody sees again. An event says so.
    ///
    /// # Errors
    /// As [`App::own_authenticator`]; 400 for a wrong code, 409 when none waits.
    pub(crate) async fn confirm_authenticator(
        self: &Arc<Self>,
        caller: Caller,
        call: Call,
        code: &Secret,
    ) -> Result<Vec<Secret>, ApiError> {
        let (user, _) = self.local_user(&caller).await?;
        let kept = self.authenticator(user).await?.filter(|kept| !kept.confirmed);
        let kept = kept.ok_or(AuthenticatorRefusal::NoneWaits)?;
        // Whoever begins it has seen the secret: there is nothing to guess.
        let step = self
            .totp_secret(user, &kept)?
            .step_of(code.expose(), self.clock.now())
            .ok_or(AuthenticatorRefusal::Wrong)?;
        let RecoveryCodes { shown, hashes } = self.new_recovery_codes()?;
        self.change(caller.asker(), move |app| async move {
            let granted = crate::audit::session_record();
            let entry = event(&call, &caller, "confirmed");
            Ok(app
                .store
                .confirm_authenticator(&granted, user, step, hashes, entry)
                .await?)
        })
        .await?;
        Ok(shown)
    }

    /// Takes it away, for a code of it or a recovery code: on a full disk, too. An event says so.
    ///
    /// # Errors
    /// As [`App::own_authenticator`]; 400 for a wrong code, 409 without an authenticator, 429 after too many wrong codes.
    pub(crate) async fn remove_own_authenticator(
        self: &Arc<Self>,
        caller: Caller,
        call: Call,
        code: &Secret,
    ) -> Result<(), ApiError> {
        let (user, _) = self.local_user(&caller).await?;
        // Of passkeys alone a recovery code would be used for nothing.
        let kept = self.authenticator(user).await?;
        kept.filter(|kept| kept.confirmed)
            .ok_or(AuthenticatorRefusal::None)?;
        match self
            .second_factor(user, Some(code), true, self.clock.now())
            .await?
        {
            SecondFactor::Shown(_) => {}
            SecondFactor::None => return Err(AuthenticatorRefusal::None.into()),
            SecondFactor::Missing(_) | SecondFactor::Wrong => return Err(AuthenticatorRefusal::Wrong.into()),
        }
        let asker = caller.asker();
        let removal = move |app: Arc<Self>| async move {
            let granted = crate::audit::session_record();
            let entry = event(&call, &caller, "removed");
            Ok(app.store.remove_authenticator(&granted, user, entry).await?)
        };
        self.revoke(asker, removal).await
    }

    /// A local user, there in person.
    ///
    /// # Errors
    /// 403 for whoever has no password here, or comes by an access key.
    pub(crate) async fn local_user(&self, caller: &Caller) -> Result<(UserId, Email), ApiError> {
        let SubjectId::User(id) = caller.id else {
            return Err(AuthenticatorRefusal::NoPassword.into());
        };
        if caller.access_key.is_some() {
            return Err(AuthenticatorRefusal::ByAKey.into());
        }
        let email = self.directory().user(id).map(|user| user.email.clone());
        let email = email.ok_or(ApiError::SIGNED_OUT)?;
        match self.store.password_verifier(&email).await? {
            Some(_) => Ok((id, email)),
            None => Err(AuthenticatorRefusal::NoPassword.into()),
        }
    }
}

fn event(call: &Call, caller: &Caller, what: &str) -> AuditEntry {
    let mut entry = call.by(caller, AuditAction::Update, "users");
    entry.metadata.insert("authenticator".to_owned(), what.to_owned());
    entry
}

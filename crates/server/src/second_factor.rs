//! What is asked for beside a local user's password: the one-time code of an authenticator (RFC 6238), or a recovery code.
//!
//! **Promises.** It is asked for after the password was right, and only of who has an authenticator or a passkey. A passkey signs in
//! without the password (`passkey_sign_in.rs`); whoever has no authenticator beside it is let in by the password with a recovery code alone. A code is good once, whichever server is
//! asked. After five wrong ones in a row no code is looked at for fifteen minutes: whoever came so far has the password, and keeps its owner
//! out for no longer; a recovery code is taken all the same. What makes the codes is sealed under the master key, for its owner.

use reeve_identity::totp::{self, TotpSecret};
use reeve_store::{AuthenticatorRow, StoreError, WRONG_CODES_REST_SECONDS};
use reeve_types::{Secret, Timestamp, UserId};

use crate::app::App;
use crate::error::ApiError;

/// What is sealed.
const SEALED: &str = "authenticators.sealed";

const TOO_MANY_WRONG: ApiError = ApiError::TooMany {
    what: "this user's authenticator was given too many wrong codes",
    after: WRONG_CODES_REST_SECONDS,
    instead: "meanwhile sign in with a recovery code",
};

/// What came of a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecondFactor {
    /// None is set up.
    None,
    /// It was shown; as the audit log calls it.
    Shown(&'static str),
    /// It is set up and was not shown.
    Missing(Needed),
    /// What was shown is not right, or was used before.
    Wrong,
}

/// What somebody has who gave the password alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needed {
    /// An authenticator, whose code is needed.
    Code,
    /// Passkeys and no authenticator.
    Passkey,
}

impl App {
    /// Looks at the second factor of somebody who gave the right password, or is signed in. `on_full_disk`: that it was shown is remembered
    /// on a full disk, too.
    ///
    /// # Errors
    /// [`ApiError::TooMany`] after too many wrong codes.
    pub(crate) async fn second_factor(
        &self,
        user: UserId,
        code: Option<&Secret>,
        on_full_disk: bool,
        now: Timestamp,
    ) -> Result<SecondFactor, ApiError> {
        let kept = self.authenticator(user).await?;
        let kept = kept.filter(|kept| kept.confirmed);
        let kept = kept.as_ref();
        if kept.is_none() && !self.has_passkeys(user).await? {
            return Ok(SecondFactor::None);
        }
        let Some(code) = code.filter(|code| !code.expose().trim().is_empty()) else {
            let needed = kept.map_or(Needed::Passkey, |_| Needed::Code);
            return Ok(SecondFactor::Missing(needed));
        };
        match self.use_code(user, kept, code, now).await {
            Err(ApiError::Full) if on_full_disk && self.reserve.give_back() => {
                self.use_code(user, kept, code, now).await
            }
            outcome => outcome,
        }
    }

    async fn use_code(
        &self,
        user: UserId,
        kept: Option<&AuthenticatorRow>,
        code: &Secret,
        now: Timestamp,
    ) -> Result<SecondFactor, ApiError> {
        let granted = crate::audit::session_record();
        if let Some(typed) = totp::recovery_code(code.expose()) {
            let hash = self.security.secret_verifier(&typed);
            if self.store.use_recovery_code(&granted, user, &hash).await? {
                return Ok(SecondFactor::Shown("recovery-code"));
            }
        }
        let Some(kept) = kept else {
            return Ok(SecondFactor::Wrong);
        };
        if kept.rests_until(now).is_some() {
            return Err(TOO_MANY_WRONG);
        }
        let step = self.totp_secret(user, kept)?.step_of(code.expose(), now);
        if let Some(step) = step
            && self.store.use_step(&granted, user, step).await?
        {
            return Ok(SecondFactor::Shown("one-time-code"));
        }
        self.store.note_wrong_code(&granted, user, now).await?;
        Ok(SecondFactor::Wrong)
    }

    /// What makes somebody's codes.
    ///
    /// # Errors
    /// [`ApiError::Internal`] for one that was sealed with another key or for somebody else.
    pub(crate) fn totp_secret(&self, user: UserId, kept: &AuthenticatorRow) -> Result<TotpSecret, ApiError> {
        let text = self.security.unsealed(SEALED, &user.to_string(), &kept.sealed)?;
        TotpSecret::from_text(&text).map_err(ApiError::internal)
    }

    /// It, as it is kept.
    ///
    /// # Errors
    /// [`ApiError::Internal`].
    pub(crate) fn sealed_totp_secret(&self, user: UserId, secret: &TotpSecret) -> Result<String, ApiError> {
        self.security
            .sealed(SEALED, &user.to_string(), secret.text().expose())
    }

    /// Whether somebody has a passkey; one that is suspended counts as well, so that nobody gets in with less.
    async fn has_passkeys(&self, user: UserId) -> Result<bool, StoreError> {
        let granted = crate::audit::session_record();
        let of_user = self.store.passkeys(&granted, user).await?;
        Ok(!of_user.passkeys.is_empty())
    }

    /// Somebody's authenticator.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn authenticator(&self, user: UserId) -> Result<Option<AuthenticatorRow>, StoreError> {
        let granted = crate::audit::session_record();
        self.store.authenticator(&granted, user).await
    }
}

//! New recovery codes: what is shown, once, and what is kept.

use reeve_identity::totp;
use reeve_store::CredentialHash;
use reeve_types::Secret;

use crate::app::App;
use crate::error::ApiError;

/// Ten of them.
#[derive(Debug)]
pub(crate) struct RecoveryCodes {
    /// For their owner.
    pub(crate) shown: Vec<Secret>,
    /// In the same order.
    pub(crate) hashes: Vec<CredentialHash>,
}

impl App {
    /// New ones.
    ///
    /// # Errors
    /// [`ApiError::Internal`] without randomness.
    pub(crate) fn new_recovery_codes(&self) -> Result<RecoveryCodes, ApiError> {
        let (mut shown, mut hashes) = (Vec::new(), Vec::new());
        for _ in 0..totp::RECOVERY_CODES {
            let code = totp::generate_recovery_code(&self.security.random).map_err(ApiError::internal)?;
            let read =
                totp::recovery_code(code.expose()).ok_or_else(|| ApiError::internal("an unreadable code"))?;
            hashes.push(self.security.secret_verifier(&read));
            shown.push(code);
        }
        Ok(RecoveryCodes { shown, hashes })
    }
}

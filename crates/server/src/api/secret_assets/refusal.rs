//! What secret assets refuse of their own.

use crate::error::Refusal;

/// Why a secret asset is not kept as asked: 400.
#[derive(Debug, thiserror::Error)]
pub(super) enum SecretAssetRefusal {
    /// The credential does not come to every project that the asset is for.
    #[error("`spec.credentialAssetId`: a credential of the asset's own scope, or of a wider one, is needed")]
    CredentialElsewhere,
}

impl Refusal for SecretAssetRefusal {}

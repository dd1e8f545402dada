//! The identity providers that are set up, read from the store at each use: what one process changes, the others use at once.

use reeve_authz::Granted;
use reeve_store::IdpRow;
use reeve_types::IdpAlias;

use crate::app::App;
use crate::error::ApiError;
use crate::providers::Idp;

impl App {
    /// All providers, for whoever signs in.
    pub(crate) async fn idps(&self) -> Result<Vec<Idp>, ApiError> {
        self.idps_for(&crate::audit::session_record()).await
    }

    /// All providers, understood. One that cannot be is left out and logged: the others still work.
    pub(crate) async fn idps_for(&self, granted: &Granted) -> Result<Vec<Idp>, ApiError> {
        let rows = self.store.identity_providers(granted).await?;
        let read = |row: IdpRow| {
            let alias = row.alias.clone();
            let idp = Idp::read(&row, &self.security);
            if let Err(error) = &idp {
                tracing::error!(alias = %alias, cause = %error, "an identity provider cannot be used");
            }
            idp.ok()
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// One provider.
    pub(crate) async fn idp(&self, alias: &IdpAlias) -> Result<Option<Idp>, ApiError> {
        Ok(self.idps().await?.into_iter().find(|idp| idp.alias() == alias))
    }

    /// What this installation calls itself.
    pub(crate) fn issuer(&self) -> String {
        format!("{}{}", self.settings.public_url, reeve_api::realm::ISSUER_PATH)
    }

    /// Where a provider sends people back to.
    pub(crate) fn redirect_uri(&self, alias: &IdpAlias) -> String {
        format!("{}/broker/{alias}/endpoint", self.issuer())
    }
}

//! The identity providers that are set up, read from the store at each use: what one process changes, the others use at once.

use reeve_authz::Granted;
use reeve_store::IdpRow;
use reeve_types::{IdpAlias, Timestamp};

use crate::app::App;
use crate::error::ApiError;
use crate::providers::Idp;

/// What the sealed part of an address for tests is called.
const TEST: &str = "sign_in.test";
/// How long such an address is good, in seconds.
const TEST_SECONDS: i64 = 600;

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

    /// Where an administrator looks at what a provider says of whoever signs in; good for [`TEST_SECONDS`], for this provider alone.
    ///
    /// # Errors
    /// [`ApiError::Internal`].
    pub(crate) fn test_address(&self, alias: &IdpAlias, now: Timestamp) -> Result<String, ApiError> {
        let until = now.plus_seconds(TEST_SECONDS).as_seconds().to_string();
        let ticket = self.security.sealed(TEST, alias.as_str(), &until)?;
        Ok(format!("{}/broker/{alias}/test?ticket={ticket}", self.issuer()))
    }

    /// Whether this came from such an address.
    pub(crate) fn is_test(&self, alias: &IdpAlias, ticket: &str, now: Timestamp) -> bool {
        let until = self.security.unsealed(TEST, alias.as_str(), ticket).ok();
        until.is_some_and(|text| {
            text.expose()
                .parse()
                .is_ok_and(|until: i64| now.as_seconds() <= until)
        })
    }

    /// Where a provider sends people back to.
    pub(crate) fn redirect_uri(&self, alias: &IdpAlias) -> String {
        format!("{}/broker/{alias}/endpoint", self.issuer())
    }
}

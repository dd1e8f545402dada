//! The server's side of the link. Its own credential, its own tokens: nothing of REST is accepted here, nothing of this
//! there.

pub mod status;
pub mod token;
pub mod watch;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::middleware::from_fn_with_state;
use axum::routing::post;
use reeve_types::{ClusterId, Timestamp};
use serde::de::{DeserializeOwned, Error as _};

use crate::app::App;
use crate::connections::Connection;
use crate::error::ApiError;
use crate::guard;
use crate::load::Place;

/// The three paths.
pub fn router(app: &Arc<App>) -> Router<Arc<App>> {
    let guard = |name: &'static str| from_fn_with_state((Arc::clone(app), name), guard::link);
    Router::new()
        .route("/link/v1/token", post(token::handle).layer(guard("link_token")))
        .route("/link/v1/watch", post(watch::handle).layer(guard("link_watch")))
        .route(
            "/link/v1/status",
            post(status::handle).layer(guard("link_status")),
        )
}

/// A message of an operator. It must be an object: the parser alone would take an array of its fields as well.
fn message<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if first.is_some_and(|byte| *byte != b'{') {
        return Err(serde_json::Error::custom("an object is needed"));
    }
    serde_json::from_slice(bytes)
}

/// A cluster whose link token was verified and which is still there.
#[derive(Debug)]
pub struct LinkCaller {
    /// Which.
    pub cluster: ClusterId,
    /// When its token ends.
    pub expires: Timestamp,
    /// Until the request is answered; a stream that it opens holds none.
    _place: Place,
}

impl FromRequestParts<Arc<App>> for LinkCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let (cluster, expires) = app
            .security
            .verify_link(guard::bearer(&parts.headers)?, app.clock.now())?;
        app.up_to_date().await?;
        if app.directory().cluster(cluster).is_none() {
            return Err(ApiError::Unauthenticated(
                "the token's cluster does not exist any more",
            ));
        }
        if let Some(connection) = parts.extensions.get::<Arc<Connection>>() {
            connection.prove();
        }
        let place = app.load.clusters.enter(&cluster.to_string())?;
        Ok(Self {
            cluster,
            expires,
            _place: place,
        })
    }
}

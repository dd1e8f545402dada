//! The server's side of the link. Its own credential, its own tokens: nothing of REST is accepted here, nothing of this
//! there.

mod refusal;
pub mod status;
pub mod token;
pub mod watch;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::middleware::from_fn_with_state;
use axum::routing::post;
use reeve_store::CredentialNumber;
use reeve_types::{ClusterId, Timestamp};
use serde::de::{DeserializeOwned, Error as _};

use crate::app::App;
use crate::caller::LinkCall;
use crate::connections::Connection;
use crate::error::ApiError;
use crate::load::Place;
use crate::middleware;

/// The routes of the link. Each takes a `POST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkRoute {
    /// A cluster's secret for a token.
    Token,
    /// The stream of its desired state.
    Watch,
    /// Its news.
    Status,
}

impl LinkRoute {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Token, Self::Watch, Self::Status];

    /// Where it is.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Token => "/link/v1/token",
            Self::Watch => "/link/v1/watch",
            Self::Status => "/link/v1/status",
        }
    }

    /// What logs and metrics call it.
    const fn name(self) -> &'static str {
        match self {
            Self::Token => "link_token",
            Self::Watch => "link_watch",
            Self::Status => "link_status",
        }
    }
}

/// The routes with their handlers.
pub fn router(app: &Arc<App>) -> Router<Arc<App>> {
    let mut router = Router::new();
    for route in LinkRoute::ALL {
        let handler = match route {
            LinkRoute::Token => post(token::handle),
            LinkRoute::Watch => post(watch::handle),
            LinkRoute::Status => post(status::handle),
        };
        let guard = from_fn_with_state((Arc::clone(app), route.name()), middleware::link);
        router = router.route(route.path(), handler.layer(guard));
    }
    router
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
    /// Which of its secrets earned the token.
    pub credential: CredentialNumber,
    /// When its token ends.
    pub expires: Timestamp,
    /// Until the request is answered; a stream that it opens holds none.
    _place: Place,
}

impl FromRequestParts<Arc<App>> for LinkCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let (cluster, credential, expires) = app
            .security
            .verify_link(middleware::bearer(&parts.headers)?, app.clock.now())?;
        app.up_to_date().await?;
        if app.directory().cluster(cluster).is_none() && app.settings.shared_database {
            // Made through another process a moment ago, perhaps: the token is ours.
            app.catch_up().await?;
        }
        match app.directory().cluster(cluster) {
            Some(facts) if facts.credential != credential => {
                return Err(ApiError::Unauthenticated(
                    "the secret that earned this token was replaced: get a token with the new one",
                ));
            }
            Some(_) => {}
            None => {
                return Err(ApiError::Unauthenticated(
                    "the token's cluster does not exist any more",
                ));
            }
        }
        if let Some(connection) = parts.extensions.get::<Arc<Connection>>() {
            connection.prove();
        }
        let place = app.load.clusters.enter(&cluster.to_string())?;
        Ok(Self {
            cluster,
            credential,
            expires,
            _place: place,
        })
    }
}

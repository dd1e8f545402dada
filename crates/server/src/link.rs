//! The server's side of the link. Its own credential, its own tokens: nothing of REST is accepted here, nothing of this
//! there.

pub mod status;
pub mod token;
pub mod watch;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::middleware::from_fn_with_state;
use axum::routing::post;
use reeve_store::{AuditAction, AuditEntry, CredentialNumber};
use reeve_types::{ClusterId, Timestamp};
use serde::de::{DeserializeOwned, Error as _};

use crate::app::App;
use crate::connections::Connection;
use crate::error::ApiError;
use crate::load::Place;
use crate::middleware;

/// The three paths.
pub fn router(app: &Arc<App>) -> Router<Arc<App>> {
    let guard = |name: &'static str| from_fn_with_state((Arc::clone(app), name), middleware::link);
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

/// What the audit log says of a request of the link.
#[derive(Debug, Clone)]
pub struct LinkCall {
    /// Its id, drawn here.
    pub id: String,
    /// From where.
    pub source: Option<SocketAddr>,
    /// When it arrived.
    pub at: Timestamp,
}

impl LinkCall {
    /// An event of this request, by a cluster and about it.
    pub fn entry(&self, action: AuditAction, url: &str, cluster: ClusterId, name: String) -> AuditEntry {
        let mut entry = AuditEntry::of_the_system(action, "cluster", self.id.clone(), self.at);
        entry.source_ip = self.source.map(|address| address.ip().to_string());
        "POST".clone_into(&mut entry.http_method);
        url.clone_into(&mut entry.url);
        entry.cluster_id = Some(cluster);
        entry.http_status_code = 200;
        entry.subject.clone_from(&name);
        entry.about(cluster, name)
    }
}

impl<S: Sync> FromRequestParts<S> for LinkCall {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let call = parts.extensions.get::<Self>().cloned();
        call.ok_or_else(|| ApiError::internal("the route has no guard"))
    }
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

//! What handlers take from a request. Every refusal here has the one error shape.

use std::time::Duration;

use axum::body::Body as HttpBody;
use axum::extract::{FromRequest, FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{Request, header};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use reeve_api::Body;
use reeve_api::list::{Column, InvalidQuery, ListQuery, PageQuery};

use crate::error::{ApiError, Refusal};

/// The largest body.
pub const BODY_LIMIT: usize = 1024 * 1024;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);
/// The largest body of credentials.
pub const CREDENTIALS_LIMIT: usize = 8 * 1024;
/// How long one may take to arrive: whoever sends it is not known yet.
const CREDENTIALS_PATIENCE: Duration = Duration::from_secs(10);

/// Why a request cannot be read, whatever operation it asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    /// A body that would be ignored.
    #[error("this request takes no body: leave it out")]
    NeedlessBody,
    /// A body that is too slow.
    #[error("the request body did not arrive within {seconds} seconds: send it again")]
    SlowBody {
        /// How long was waited for it.
        seconds: u64,
    },
    /// A body whose sender stopped.
    #[error("the request body ended too early")]
    CutBody,
    /// A query string whose pairs cannot be decoded.
    #[error("the query string cannot be read")]
    Query,
    /// A path whose segment cannot be decoded.
    #[error("the path cannot be read")]
    Path,
    /// A parameter with a value of its own.
    #[error("parameter `{name}`: one of {} is needed", .values.join(", "))]
    NoneOf {
        /// The parameter.
        name: &'static str,
        /// What it may be.
        values: Vec<&'static str>,
    },
    /// A parameter that is no number.
    #[error("parameter `{0}`: a number is needed")]
    NoNumber(&'static str),
    /// A parameter that is no id.
    #[error("parameter `{0}`: an id is needed")]
    NoId(&'static str),
    /// A parameter that is no moment.
    #[error("parameter `{0}`: a moment like `2026-01-31T12:00:00Z` is needed")]
    NoMoment(&'static str),
}

impl Refusal for InvalidRequest {}

/// A body, parsed by its own parser.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: Body, S: Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request<HttpBody>, _state: &S) -> Result<Self, ApiError> {
        let bytes = if T::CREDENTIALS {
            read_credentials(request).await?
        } else {
            read(request).await?
        };
        Ok(Self(T::parse(&bytes)?))
    }
}

/// A request that says all in its path: its body is empty, `{}` or `null`. What would be ignored is refused, for whoever sent it
/// expected something of it.
#[derive(Debug)]
pub struct NoBody;

impl<S: Sync> FromRequest<S> for NoBody {
    type Rejection = ApiError;

    async fn from_request(request: Request<HttpBody>, _state: &S) -> Result<Self, ApiError> {
        match read(request).await?.trim_ascii() {
            b"" | b"{}" | b"null" => Ok(Self),
            _ => Err(InvalidRequest::NeedlessBody.into()),
        }
    }
}

/// Reads a body of at most [`BODY_LIMIT`] bytes, within half a minute.
///
/// # Errors
/// [`ApiError::TooLarge`], or [`InvalidRequest`] when the sender stopped or is too slow.
pub async fn read(request: Request<HttpBody>) -> Result<Bytes, ApiError> {
    read_within(PATIENCE, BODY_LIMIT, request).await
}

/// Reads a body of credentials: at most [`CREDENTIALS_LIMIT`] bytes, within ten seconds.
///
/// # Errors
/// As [`read`].
pub async fn read_credentials(request: Request<HttpBody>) -> Result<Bytes, ApiError> {
    read_within(CREDENTIALS_PATIENCE, CREDENTIALS_LIMIT, request).await
}

/// Reads a form of at most so many bytes, within ten seconds: whoever sends it is not known yet.
///
/// # Errors
/// As [`read`].
pub async fn read_form(limit: usize, request: Request<HttpBody>) -> Result<Bytes, ApiError> {
    read_within(CREDENTIALS_PATIENCE, limit, request).await
}

async fn read_within(
    patience: Duration,
    limit: usize,
    request: Request<HttpBody>,
) -> Result<Bytes, ApiError> {
    tokio::time::timeout(patience, read_all(limit, request))
        .await
        .unwrap_or_else(|_| {
            let seconds = patience.as_secs();
            Err(InvalidRequest::SlowBody { seconds }.into())
        })
}

async fn read_all(limit: usize, request: Request<HttpBody>) -> Result<Bytes, ApiError> {
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(ApiError::TooLarge { limit });
    }
    let mut stream = request.into_body().into_data_stream();
    let mut bytes = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| InvalidRequest::CutBody)?;
        if bytes.len().saturating_add(chunk.len()) > limit {
            return Err(ApiError::TooLarge { limit });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// The query string as decoded pairs.
#[derive(Debug)]
pub struct QueryPairs(pub Vec<(String, String)>);

impl QueryPairs {
    /// As the query of a list.
    ///
    /// # Errors
    /// [`InvalidQuery`].
    pub fn list<C: Column>(&self) -> Result<ListQuery<C>, InvalidQuery> {
        ListQuery::parse(&self.0)
    }

    /// As the page of a list without columns; the other parameters are its own.
    ///
    /// # Errors
    /// [`InvalidQuery::Wrong`].
    pub fn page(&self) -> Result<PageQuery, InvalidQuery> {
        PageQuery::parse(&self.0)
    }

    /// Refuses every parameter but these.
    ///
    /// # Errors
    /// [`InvalidQuery::Unknown`] naming the first other one.
    pub fn only(&self, known: &[&str]) -> Result<(), InvalidQuery> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(InvalidQuery::Unknown {
                name: name.chars().take(80).collect(),
            }),
            None => Ok(()),
        }
    }

    /// A parameter's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Refuses a parameter whose value is none of these.
    ///
    /// # Errors
    /// [`InvalidRequest::NoneOf`].
    pub fn one_of(&self, name: &'static str, values: &[&'static str]) -> Result<(), InvalidRequest> {
        match self.get(name) {
            Some(value) if !value.is_empty() && !values.contains(&value) => Err(InvalidRequest::NoneOf {
                name,
                values: values.to_vec(),
            }),
            _ => Ok(()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for QueryPairs {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let axum::extract::Query(pairs) =
            axum::extract::Query::<Vec<(String, String)>>::from_request_parts(parts, state)
                .await
                .map_err(|_| InvalidRequest::Query)?;
        Ok(Self(pairs))
    }
}

/// The one path parameter of a route, still text.
#[derive(Debug)]
pub struct PathId(String);

impl PathId {
    /// As an id; 404 for text that no object can have as its id: there is none of that name.
    ///
    /// # Errors
    /// [`ApiError::NotFound`].
    pub fn id<T: std::str::FromStr>(&self, what: &'static str) -> Result<T, ApiError> {
        self.0.parse().map_err(|_| ApiError::not_found(what, &self.0))
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| InvalidRequest::Path)?;
        Ok(Self(text))
    }
}

/// A JSON body whose bytes are ready.
pub fn json_bytes(status: http::StatusCode, bytes: impl Into<Bytes>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], bytes.into()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let first = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{"))]);
        let body = HttpBody::from_stream(first.chain(futures::stream::pending()));
        let read = read_within(Duration::from_millis(20), BODY_LIMIT, Request::new(body)).await;
        let why = read.unwrap_err().to_string();
        assert!(why.contains("did not arrive"), "{why}");
    }
}

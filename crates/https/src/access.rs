//! Who may read metrics.

mod kubernetes;

use std::path::PathBuf;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kube::Client;
use subtle::ConstantTimeEq;

use kubernetes::Reviews;

/// Who may read metrics.
#[derive(Debug)]
pub struct MetricsAccess(By);

#[derive(Debug)]
enum By {
    /// Whoever shows a token of the cluster that may `get` the path `/metrics`.
    Cluster(Reviews),
    /// Whoever shows the token in this file, which is read each time.
    Token(PathBuf),
    /// Whoever reaches the port.
    Anybody,
}

/// Why metrics are not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// No token, or not one of this cluster.
    NoToken,
    /// Known, and not allowed.
    NotAllowed,
    /// Too many ask at a time.
    Busy,
    /// Who asks cannot be found out: the API server does not answer, or the file with the token cannot be read.
    Unknown,
}

impl MetricsAccess {
    /// For who has a token of this cluster that may `get` the path `/metrics`: its API server is asked by TokenReview and
    /// SubjectAccessReview, and the token goes there and nowhere else. Needs what `system:auth-delegator` allows.
    pub fn of_cluster(client: Client) -> Self {
        Self(By::Cluster(Reviews::new(client)))
    }

    /// The same for the cluster that this process runs in, or the one that KUBECONFIG names.
    ///
    /// # Errors
    /// No cluster is named, or its description cannot be used.
    pub async fn of_this_cluster() -> Result<Self, kube::Error> {
        Client::try_default().await.map(Self::of_cluster)
    }

    /// For who shows the token in this file. It is read each time, so it can be exchanged; while it is empty or not there, nobody
    /// is shown anything.
    pub const fn token_in(file: PathBuf) -> Self {
        Self(By::Token(file))
    }

    /// For whoever reaches the port: for a loopback address.
    pub const fn anybody() -> Self {
        Self(By::Anybody)
    }

    /// Whether these headers are of somebody who may.
    ///
    /// # Errors
    /// Why not.
    pub async fn check(&self, headers: &HeaderMap) -> Result<(), Refused> {
        match &self.0 {
            By::Anybody => Ok(()),
            By::Cluster(reviews) => reviews.check(bearer(headers).ok_or(Refused::NoToken)?).await,
            By::Token(file) => {
                let shown = bearer(headers).ok_or(Refused::NoToken)?;
                let text = tokio::fs::read_to_string(file).await.map_err(|error| {
                    tracing::error!(file = %file.display(), %error, "the file with the token for metrics cannot be read");
                    Refused::Unknown
                })?;
                let right = text.trim();
                if right.is_empty() {
                    tracing::error!(file = %file.display(), "the file with the token for metrics is empty");
                    return Err(Refused::Unknown);
                }
                let same = shown.as_bytes().ct_eq(right.as_bytes());
                bool::from(same).then_some(()).ok_or(Refused::NoToken)
            }
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::NoToken => (
                StatusCode::UNAUTHORIZED,
                "show a token that counts here as `Authorization: Bearer …`: in a cluster a ServiceAccount's, else the one of \
                 --metrics-token-file\n",
            ),
            Self::NotAllowed => (
                StatusCode::FORBIDDEN,
                "this token may not get the path /metrics; bind the chart's ClusterRole for readers of metrics \
                 (`reeve-metrics-reader`, or the server's) to its ServiceAccount\n",
            ),
            Self::Busy => (StatusCode::TOO_MANY_REQUESTS, "too many ask at a time\n"),
            Self::Unknown => (
                StatusCode::SERVICE_UNAVAILABLE,
                "who you are cannot be found out now; the log says why\n",
            ),
        };
        let mut response = (status, text).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;

    #[test]
    fn only_a_bearer_token_is_a_token() {
        let of = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(of("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(of("bearer  abc ").as_deref(), Some("abc"));
        for none in ["Basic abc", "Bearer ", "Bearer", ""] {
            assert_eq!(of(none), None, "{none}");
        }
        assert_eq!(bearer(&HeaderMap::new()), None);
    }

    #[tokio::test]
    async fn the_token_of_a_file_is_the_only_one_and_a_file_without_one_lets_nobody_in() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        let ask = async |token: Option<&str>| {
            let router =
                crate::metrics::router(MetricsAccess::token_in(file.clone()), || Ok("# EOF\n".to_owned()));
            let mut request = Request::get("/metrics");
            if let Some(token) = token {
                request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
            }
            let request = request.body(Body::empty()).unwrap();
            router.oneshot(request).await.unwrap().status().as_u16()
        };
        assert_eq!(ask(None).await, 401);
        assert_eq!(ask(Some("first")).await, 503, "there is no file");
        std::fs::write(&file, "\n").unwrap();
        assert_eq!(ask(Some("first")).await, 503, "it is empty");
        std::fs::write(&file, "first\n").unwrap();
        assert_eq!(ask(Some("first")).await, 200);
        for wrong in ["firs", "first1", "FIRST"] {
            assert_eq!(ask(Some(wrong)).await, 401, "{wrong}");
        }
        std::fs::write(&file, "second").unwrap();
        assert_eq!(ask(Some("first")).await, 401, "the token was exchanged");
        assert_eq!(ask(Some("second")).await, 200);
    }
}

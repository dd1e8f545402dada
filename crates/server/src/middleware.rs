//! What happens around every operation: request id, authentication, the right that the operation table asks for, panics,
//! log, metrics, and the audit of refused changes.

mod request_scope;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Extensions, HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use reeve_api::{Access, Operation, Recorded};
use reeve_authz::{Denial, Scope};
use reeve_store::{AuditAction, Outcome};
use tracing::Instrument;

use crate::app::App;
use crate::caller::{Call, Caller, LinkCall, source};
use crate::connections::{Connection, hold};
use crate::directory::{Directory, DirectoryRefusal, WhoCouldGrant, entity_of};
use crate::error::ApiError;
use crate::failures::Kind;
use crate::load::{Place, place_of_origin};

/// For how long another process's sign-in may not have been heard of here, in seconds.
const UNHEARD_SECONDS: i64 = 30;

/// The header that carries a request's id to its sender.
pub const REQUEST_ID: &str = "x-request-id";

/// A request under way: what each guard does around its handler.
pub struct Begun {
    /// The request's id, as the sender reads it.
    pub id: String,
    name: &'static str,
    started: tokio::time::Instant,
    span: tracing::Span,
}

impl Begun {
    /// Of the operation of this name; the answer where there is no randomness for an id.
    pub fn new(app: &App, name: &'static str) -> Result<Self, ApiError> {
        let started = tokio::time::Instant::now();
        let id = app
            .security
            .random
            .uuid()
            .map_err(ApiError::internal)?
            .to_string();
        let span = tracing::info_span!("request", request_id = id, operation = name);
        Ok(Self {
            id,
            name,
            started,
            span,
        })
    }

    /// What the handler answers; 500 where it ends in a panic.
    pub async fn answer(&self, handler: impl Future<Output = Response>) -> Response {
        AssertUnwindSafe(handler.instrument(self.span.clone()))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| self.refuse(ApiError::internal("the handler ended in a panic")))
    }

    /// The answer without a handler; what is logged of it bears the request's id.
    pub fn refuse(&self, error: ApiError) -> Response {
        self.span.in_scope(|| error.into_response())
    }

    /// Counts the answer, and says how many milliseconds it took.
    pub fn counted(&self, app: &App, status: StatusCode) -> u64 {
        let elapsed = self.started.elapsed();
        app.metrics
            .answered(self.name, status.as_u16(), elapsed.as_secs_f64());
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }

    /// Counts and logs the answer, and puts the id on it.
    pub fn end(self, app: &App, response: Response) -> Response {
        let status = response.status();
        let duration_ms = self.counted(app, status);
        let (request_id, operation, status) = (&self.id, self.name, status.as_u16());
        tracing::info!(request_id, operation, status, duration_ms, "request");
        with_id(response, &self.id)
    }
}

/// The guard of an operation of the table.
pub async fn operation(
    State((app, operation)): State<(Arc<App>, &'static Operation)>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    let begun = match Begun::new(&app, operation.name) {
        Ok(begun) => begun,
        Err(error) => return error.into_response(),
    };
    let call = Call {
        id: begun.id.clone(),
        source: source(request.extensions()),
        operation,
        at: app.clock.now(),
    };
    // Whether the process lives is answered whatever the database does; whether it is ready asks for itself.
    let known = match operation.path {
        "/healthz" | "/readyz" => Ok(()),
        _ => app.up_to_date().await,
    };
    let (caller, refusal) = match known {
        Err(error) if operation.access != Access::Public => (None, Some(Refusal::Said(error))),
        _ => {
            let token = bearer(request.headers()).map(str::to_owned);
            admit(&app, operation, token).await
        }
    };
    if let (Some(_), Some(connection)) = (&caller, request.extensions().get::<Arc<Connection>>()) {
        connection.prove();
    }
    let (place, refusal) = match refusal {
        Some(Refusal::Said(error)) => (None, Some(Refusal::Said(error))),
        refusal => match place(&app, operation, caller.as_ref(), request.extensions()) {
            Ok(place) => (Some(place), refusal),
            Err(error) => (None, Some(Refusal::Said(error))),
        },
    };
    let object = request_scope::segment(operation, &request)
        .unwrap_or_default()
        .to_owned();
    let subject = caller.as_ref().map(|caller| caller.name.clone());
    let response = match refusal {
        None => {
            request.extensions_mut().insert(call.clone());
            if let Some(caller) = caller.clone() {
                request.extensions_mut().insert(caller);
            }
            begun.answer(next.run(request)).await
        }
        Some(Refusal::Said(error)) => begun.refuse(error),
        Some(Refusal::HeldNowhere(denial)) => {
            let scope = request_scope::scope(&app, operation, request).await;
            let directory = app.directory();
            begun.refuse(held_nowhere(&directory, caller.as_ref(), &denial, scope))
        }
    };
    let status = response.status();
    if let Some(caller) = &caller {
        note_refusal(&app, &call, caller, status, object);
    }
    let duration_ms = begun.counted(&app, status);
    if operation.access != Access::Public {
        app.metrics.decided(operation.name, status.as_u16());
    }
    tracing::info!(
        request_id = begun.id,
        operation = operation.name,
        method = operation.method.as_str(),
        route = operation.path,
        status = status.as_u16(),
        subject,
        duration_ms,
        "request"
    );
    hold(with_id(response, &begun.id), place)
}

/// A place among the requests in flight.
fn place(
    app: &App,
    operation: &Operation,
    caller: Option<&Caller>,
    extensions: &Extensions,
) -> Result<Place, ApiError> {
    match caller {
        Some(caller) => app.load.callers.enter(&format!("{:?}", caller.id)),
        None if operation.body.holds_credentials() => app.load.sign_ins.enter(&place_of_origin(extensions)),
        None => app.load.public.enter(&place_of_origin(extensions)),
    }
}

/// The guard of a path of the link: all of the above but authentication, which its handlers do.
pub async fn link(
    State((app, name)): State<(Arc<App>, &'static str)>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    let begun = match Begun::new(&app, name) {
        Ok(begun) => begun,
        Err(error) => return error.into_response(),
    };
    let call = LinkCall {
        id: begun.id.clone(),
        source: source(request.extensions()),
        at: app.clock.now(),
    };
    request.extensions_mut().insert(call);
    let response = begun.answer(next.run(request)).await;
    begun.end(&app, response)
}

/// Puts the request id on an answer, and forbids to keep it: it may hold a token.
fn with_id(mut response: Response, id: &str) -> Response {
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Why a request goes no further than the guard.
enum Refusal {
    /// The answer is known.
    Said(ApiError),
    /// The caller holds the permission nowhere; what can be said of that depends on what she may see.
    HeldNowhere(Box<Denial>),
}

/// Who calls, when the operation asks that, and whether she holds its permission anywhere: 403 before anything is looked
/// up (decision 16).
async fn admit(
    app: &App,
    operation: &Operation,
    token: Result<String, ApiError>,
) -> (Option<Caller>, Option<Refusal>) {
    if operation.access == Access::Public {
        return (None, None);
    }
    let authenticated = match token {
        Ok(token) => authenticate(app, &token).await,
        Err(error) => Err(error),
    };
    let caller = match authenticated {
        Ok(caller) => caller,
        Err(error) => return (None, Some(Refusal::Said(error))),
    };
    if caller.has_temporary_password && !operation.with_temporary_password {
        let refusal = Refusal::Said(ApiError::TemporaryPassword);
        return (Some(caller), Some(refusal));
    }
    let directory = app.directory();
    let refusal = match operation.access {
        Access::Requires(action, entity) => {
            let decided = directory
                .index()
                .decide(&caller.principal, action, entity, Scope::Account);
            decided
                .err()
                .filter(|denial| denial.held_nowhere)
                .map(|denial| Refusal::HeldNowhere(Box::new(denial)))
        }
        _ => None,
    };
    (Some(caller), refusal)
}

/// 403 for who holds a permission in no scope at all. Where it would be needed is named when the request names it and the
/// caller may see it: then also the nearest scope at which somebody could grant it, and who. Otherwise the answer is the
/// same for what is hidden and what is not there.
pub(crate) fn held_nowhere(
    directory: &Directory,
    caller: Option<&Caller>,
    denial: &Denial,
    scope: Option<Scope>,
) -> ApiError {
    let seen = scope
        .zip(caller)
        .filter(|(scope, caller)| directory.sees(caller, entity_of(*scope), *scope));
    let there = seen.map(|(scope, caller)| {
        directory
            .index()
            .decide(&caller.principal, denial.action, denial.entity, scope)
    });
    match there {
        Some(Err(there)) => directory.forbidden(&there),
        // Given a moment ago: the next request finds it.
        Some(Ok(_)) | None => DirectoryRefusal::HeldNowhere {
            missing: denial.missing(),
            who: WhoCouldGrant::of(denial),
        }
        .into(),
    }
}

/// A token may name a session that another process has begun and this one has not heard of. So for one that is as young as
/// that, the change log is read once more; only who has a token of ours can ask for it.
async fn authenticate(app: &App, token: &str) -> Result<Caller, ApiError> {
    let now = app.clock.now();
    let token = app.security.verify_rest(token, now)?;
    let known = |app: &App| app.directory().authenticate(token.subject, token.session, now);
    if let Some(caller) = known(app) {
        return Ok(caller);
    }
    if token.given.plus_seconds(UNHEARD_SECONDS) < now {
        return Err(ApiError::SIGNED_OUT);
    }
    app.catch_up().await?;
    known(app).ok_or(ApiError::SIGNED_OUT)
}

/// The bearer token of a request (RFC 6750, section 2.1).
///
/// # Errors
/// [`ApiError::Unauthenticated`].
pub fn bearer(headers: &HeaderMap) -> Result<&str, ApiError> {
    let value = headers
        .get(header::AUTHORIZATION)
        .ok_or(ApiError::Unauthenticated("a bearer token is needed"))?;
    let text = value
        .to_str()
        .map_err(|_| ApiError::Unauthenticated("the authorization header cannot be read"))?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(ApiError::Unauthenticated(
            "the authorization header holds no bearer token",
        )),
    }
}

/// Changes that were refused are recorded too, later and summed up; a change that was made recorded itself.
pub(crate) fn note_refusal(app: &App, call: &Call, caller: &Caller, status: StatusCode, object: String) {
    let Some((recorded, entity)) = call.operation.recorded() else {
        return;
    };
    let action = match recorded {
        Recorded::Create => AuditAction::Create,
        Recorded::Update => AuditAction::Update,
        Recorded::Delete => AuditAction::Delete,
        Recorded::SignIn => AuditAction::SignIn,
        Recorded::SignOut => AuditAction::SignOut,
    };
    if !matches!(
        status,
        StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::CONFLICT
    ) {
        return;
    }
    let mut entry = call.by(caller, action, entity.wire_name());
    entry.entity_id = object;
    entry.result = Outcome::Failed;
    entry.http_status_code = status.as_u16();
    app.failures.note(Kind::Change, entry);
}

//! `POST …/auth/device`: a device asks (RFC 8628, section 3.1); and `GET /device`, where a person begins.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use reeve_identity::UserCode;
use reeve_store::{DeviceCodeBegun, NewDeviceCode, PAUSE_SECONDS};
use serde_json::json;

use super::{LIFE_SECONDS, OFF, device_hash, is_on, network_of, user_hash};
use crate::app::App;
use crate::browser::page::problem;
use crate::browser::request::{CLIENTS, Pairs};
use crate::browser::ticket::Attempt;
use crate::browser::{DEVICE, authorize};
use crate::caller::Call;
use crate::error::ApiError;
use crate::extract::read_credentials;
use crate::providers::random_text;

/// How often another code is drawn where somebody else has the same.
const DRAWS: usize = 4;
/// After how many seconds whoever was one too many may try again.
const FULL_SECONDS: HeaderValue = HeaderValue::from_static("60");

/// Lets a device wait.
pub(in crate::browser) async fn begin(
    State(app): State<Arc<App>>,
    call: Call,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let pairs = Pairs::read(&read_credentials(request).await?);
    if !is_on(&app).await? {
        return Ok(refused(StatusCode::BAD_REQUEST, "unauthorized_client", OFF));
    }
    let client = pairs.get("client_id").unwrap_or_default();
    if !CLIENTS.contains(&client) {
        let text = "`client_id` is not one of this installation";
        return Ok(refused(StatusCode::BAD_REQUEST, "invalid_client", text));
    }
    if app.reserve.is_given() {
        return Err(ApiError::Full);
    }
    let device_code = random_text(&app.security.random)?;
    for _ in 0..DRAWS {
        let user_code = UserCode::generate(&app.security.random).map_err(ApiError::internal)?;
        let new = NewDeviceCode {
            device_code: device_hash(&app, &device_code),
            user_code: user_hash(&app, &user_code),
            client: client.to_owned(),
            address: call.source.map(|address| address.ip().to_string()),
            network: network_of(&call),
            at: call.at,
            until: call.at.plus_seconds(LIFE_SECONDS),
        };
        let granted = crate::audit::session_record();
        match app.store.begin_device_code(&granted, new).await? {
            DeviceCodeBegun::Begun => return Ok(given(&app, &device_code, &user_code)),
            DeviceCodeBegun::Taken => {}
            DeviceCodeBegun::TooMany => {
                let text = "too many devices wait to be signed in: try again in a minute";
                let mut response = refused(StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", text);
                response.headers_mut().insert(header::RETRY_AFTER, FULL_SECONDS);
                return Ok(response);
            }
        }
    }
    Err(ApiError::internal("no user code is free"))
}

/// Without an address that holds the code: whoever is sent one would have nothing to compare.
fn given(app: &App, device_code: &str, user_code: &UserCode) -> Response {
    let body = json!({
        "device_code": device_code,
        "user_code": user_code.shown(),
        "verification_uri": format!("{}{DEVICE}", app.settings.public_url),
        "expires_in": LIFE_SECONDS,
        "interval": PAUSE_SECONDS,
    });
    Json(body).into_response()
}

fn refused(status: StatusCode, error: &str, text: &str) -> Response {
    let body = json!({"error": error, "error_description": text});
    (status, Json(body)).into_response()
}

/// The sign-in page, for a person who has read a code on a device.
pub(in crate::browser) async fn page(
    State(app): State<Arc<App>>,
    call: Call,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    if !is_on(&app).await? {
        return Ok(problem(&app, &call, 404, OFF));
    }
    let attempt = Attempt {
        device: true,
        ..Attempt::begun(&app, call.at)?
    };
    // A code in the address is not looked at.
    let pairs = Pairs::read(query.unwrap_or_default().as_bytes());
    authorize::begin(&app, attempt, &pairs, call.at).await
}

//! Devices: a program without a browser shows a code, and a person signs it in with a browser elsewhere (RFC 8628).
//!
//! **Promises.**
//! - It is off until an administrator turns it on (`deviceAuthorization`), and what waits when it is turned off gets nothing.
//! - Whoever sends somebody else a code gets nothing by that alone: no link holds a code, the person signs in first, types the code, and
//!   confirms it on a page that names the program, its address, when it asked, and the code (RFC 8628, section 5.4).
//! - A code is good for ten minutes and for one decision; what the device gets is the session of that sign-in, once.
//! - After [`reeve_store::WRONG_USER_CODES`] wrong codes of one account, or [`reeve_store::WRONG_USER_CODES_OF_A_NETWORK`] of one network,
//!   none of theirs is looked at for a quarter of an hour. Nobody types a code before signing in, so strangers do not guess at all.
//! - All of it is in the database, which has hashes of both codes: every process of the server says the same, after a restart too.

mod begin;
mod decided;
mod tokens;
mod typed;

use reeve_identity::{UserCode, network};
use reeve_store::CredentialHash;
use reeve_types::Secret;

pub(super) use begin::{begin, page};
pub(super) use decided::decided;
pub(super) use tokens::tokens;
pub(super) use typed::{form, typed};

use crate::app::App;
use crate::caller::Call;
use crate::error::ApiError;

/// How long a device waits for a person, in seconds.
const LIFE_SECONDS: i64 = 600;

/// What whoever comes to a page is told.
const OFF: &str = "Devices are not signed in here: an administrator would have to turn it on. Programs on a machine with a browser use `reeve login`, \
                   others `reeve login remote-browser`.";

/// Whether devices may be signed in.
async fn is_on(app: &App) -> Result<bool, ApiError> {
    Ok(app.security_settings().await?.device_authorization)
}

/// What is kept of the code that a device keeps.
fn device_hash(app: &App, code: &str) -> CredentialHash {
    app.security
        .secret_verifier(&Secret::new(format!("device-code:{code}")))
}

/// What is kept of the code that a person types.
fn user_hash(app: &App, code: &UserCode) -> CredentialHash {
    let text = format!("user-code:{}", code.letters().expose());
    app.security.secret_verifier(&Secret::new(text))
}

/// The network of whoever asks, as bounds are counted.
fn network_of(call: &Call) -> String {
    let network = network(call.source.map(|address| address.ip()));
    network.map_or_else(|| "unknown".to_owned(), |network| network.to_string())
}

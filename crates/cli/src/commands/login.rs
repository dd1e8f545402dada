//! Ways to sign in.

pub(super) mod browser;
mod code;
pub(super) mod remote;
pub(super) mod user;

use serde_json::json;

use crate::Context;
use crate::args::At;
use crate::failure::Failure;
use crate::settings::{ControlPlane, SignIn};

/// The address and authority that were given, or those used last.
fn control_plane(context: &Context, at: &At) -> Result<ControlPlane, Failure> {
    let last = context.settings.control_plane()?;
    let url = match (&at.url, &last) {
        (Some(url), _) => crate::http::parse_address(url)?
            .as_str()
            .trim_end_matches('/')
            .to_owned(),
        (None, Some(last)) => last.url.clone(),
        (None, None) => {
            return Err(
                Failure::failed("the address of the control plane is not known yet")
                    .hint("give it once: `--url URL`"),
            );
        }
    };
    let certificate_authority = match &at.ca_file {
        Some(path) => {
            let read = std::fs::read_to_string(path);
            let pem = read.map_err(|error| {
                Failure::failed(format!("cannot read `{}`", path.display())).because(error)
            })?;
            Some(pem)
        }
        // An authority is trusted for the address it was given for.
        None => last
            .filter(|last| last.url == url)
            .and_then(|last| last.certificate_authority),
    };
    Ok(ControlPlane {
        url,
        certificate_authority,
    })
}

/// Keeps the sign-in and says so.
fn kept(context: &mut Context, control_plane: &ControlPlane, sign_in: &SignIn) -> Result<(), Failure> {
    context.settings.keep(control_plane, sign_in)?;
    let shown =
        json!({ "username": sign_in.username, "url": control_plane.url, "expiresAt": sign_in.expires_at });
    context.printer.answer(&shown, || {
        format!(
            "signed in as `{}` at `{}` until {}",
            sign_in.username, control_plane.url, sign_in.expires_at
        )
    })
}

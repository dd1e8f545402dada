//! Ways to sign in.

pub(super) mod browser;
mod code;
pub(super) mod device;
pub(super) mod remote;
pub(super) mod user;

use serde_json::json;

use crate::Context;
use crate::args::At;
use crate::failure::Failure;
use crate::settings::{ControlPlane, Place, SignIn};

/// What a sign-in is for, and where it is going to be kept: found out before anybody signs in.
async fn begin(context: &Context, at: &At) -> Result<(ControlPlane, Place), Failure> {
    Ok((control_plane(context, at)?, at.token_store.place().await?))
}

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
async fn kept(
    context: &mut Context,
    control_plane: &ControlPlane,
    place: Place,
    sign_in: &SignIn,
) -> Result<(), Failure> {
    let kept = context.settings.keep(control_plane, sign_in, place).await?;
    let renewed = sign_in.refresh_token.is_some();
    let shown = json!({
        "username": sign_in.username, "url": control_plane.url, "expiresAt": sign_in.expires_at, "renewed": renewed,
        "tokenStore": kept.word(), "leftInKeyring": kept.leaves_another(),
    });
    context.printer.answer(&shown, || {
        let until = if renewed {
            "; it is renewed by itself until the session ends".to_owned()
        } else {
            format!(" until {}", sign_in.expires_at)
        };
        format!(
            "signed in as `{}` at `{}`{until}\n{}",
            sign_in.username,
            control_plane.url,
            kept.sentence()
        )
    })
}

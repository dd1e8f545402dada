//! A code and what proves that it was asked for here (RFC 7636), and the token for both.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reeve_api::RevealedSecret;
use reeve_api::me::Me;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::Context;
use crate::failure::Failure;
use crate::http::{Api, CLIENT};
use crate::random;
use crate::settings::{ControlPlane, SignIn};

/// The realm's addresses.
pub(super) const PROTOCOL: &str = "/auth/realms/runai/protocol/openid-connect";

/// What only this process knows.
pub(super) struct Proof {
    pub(super) verifier: String,
    pub(super) state: String,
}

impl Proof {
    /// Fresh ones, of 256 random bits each.
    pub(super) fn new() -> Result<Self, Failure> {
        Ok(Self {
            verifier: random::text()?,
            state: random::text()?,
        })
    }

    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()))
    }

    /// What the control plane is asked for.
    pub(super) fn request(&self, redirect_uri: &str) -> Vec<(&'static str, String)> {
        vec![
            ("client_id", CLIENT.to_owned()),
            ("response_type", "code".to_owned()),
            ("redirect_uri", redirect_uri.to_owned()),
            ("scope", "openid".to_owned()),
            ("state", self.state.clone()),
            ("code_challenge", self.challenge()),
            ("code_challenge_method", "S256".to_owned()),
        ]
    }
}

/// The answer of the token endpoint.
#[derive(Debug, Deserialize)]
pub(super) struct Token {
    access_token: RevealedSecret,
    expires_in: i64,
    refresh_token: Option<RevealedSecret>,
}

/// The sign-in for a code.
pub(super) async fn redeem(
    context: &Context,
    control_plane: &ControlPlane,
    proof: &Proof,
    redirect_uri: &str,
    code: &str,
) -> Result<SignIn, Failure> {
    let what = format!("cannot sign in at `{}`", control_plane.url);
    let form = [
        ("grant_type", "authorization_code".to_owned()),
        ("client_id", CLIENT.to_owned()),
        ("redirect_uri", redirect_uri.to_owned()),
        ("code", code.to_owned()),
        ("code_verifier", proof.verifier.clone()),
    ];
    let path = format!("{PROTOCOL}/token");
    let token: Token = Api::anonymous(control_plane)?
        .form(&path, &form)
        .await
        .map_err(|error| error.explain(&what))?;
    signed_in(context, control_plane, token).await
}

/// The sign-in that a token is of.
pub(super) async fn signed_in(
    context: &Context,
    control_plane: &ControlPlane,
    token: Token,
) -> Result<SignIn, Failure> {
    let what = format!("cannot sign in at `{}`", control_plane.url);
    let expires_at = context.clock.now().plus_seconds(token.expires_in);
    let api = Api::with_token(control_plane, token.access_token.clone())?;
    let me: Me = api
        .get("/api/v1/me", &[])
        .await
        .map_err(|error| error.explain(what))?;
    Ok(SignIn {
        username: me.username,
        access_token: token.access_token,
        expires_at,
        refresh_token: token.refresh_token,
    })
}

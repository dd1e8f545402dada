//! The request by which a person is sent to a provider: authorization code with PKCE (RFC 7636).

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

/// What it is made of.
#[derive(Debug, Clone, Copy)]
pub struct AuthorizationRequest<'a> {
    /// This client.
    pub client_id: &'a str,
    /// Where the person comes back to: exactly as it was registered.
    pub redirect_uri: &'a str,
    /// The scope that is always asked for: `openid`, where an ID token is wanted.
    pub scope: &'a str,
    /// What is asked for beside it.
    pub scopes: &'a [String],
    /// Comes back in the redirect.
    pub state: &'a str,
    /// Comes back in the ID token; none where there is no such token.
    pub nonce: Option<&'a str>,
    /// What is shown to the token endpoint later.
    pub verifier: &'a str,
}

/// The challenge of a verifier: `S256`.
pub fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()).as_ref())
}

impl AuthorizationRequest<'_> {
    /// The address to send the person to, at this authorization endpoint.
    pub fn address(&self, endpoint: &Url) -> Url {
        let mut scope = self.scope.to_owned();
        for more in self.scopes.iter().filter(|it| *it != self.scope) {
            scope.push(' ');
            scope.push_str(more);
        }
        let mut url = endpoint.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", self.client_id)
            .append_pair("redirect_uri", self.redirect_uri)
            .append_pair("scope", &scope)
            .append_pair("state", self.state)
            .append_pair("code_challenge", &challenge_of(self.verifier))
            .append_pair("code_challenge_method", "S256");
        if let Some(nonce) = self.nonce {
            url.query_pairs_mut().append_pair("nonce", nonce);
        }
        url
    }
}

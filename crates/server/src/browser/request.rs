//! What a command line asks for (OAuth 2.1: authorization code with PKCE), and which of that is taken.

use url::{Host, Url, form_urlencoded};

use super::ticket::ClientRequest;
use crate::app::App;
use crate::caller::Call;

/// The clients without a secret that may ask (control-plane 1.2).
pub(super) const CLIENTS: [&str; 2] = ["runai-cli", "reeve-cli"];
const MAX_STATE: usize = 512;

/// Decoded pairs of a query or a form. A name that comes twice has no value.
#[derive(Debug)]
pub(super) struct Pairs(Vec<(String, String)>);

impl Pairs {
    pub(super) fn read(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut all = self
            .0
            .iter()
            .filter(|(its, _)| its == name)
            .map(|(_, value)| value.as_str());
        let first = all.next()?;
        all.next().is_none().then_some(first)
    }
}

/// An address of the machine on which the browser runs: any port, since nobody knows before which is free (RFC 8252, section 7.3).
fn is_own_machine(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let own = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    url.scheme() == "http" && own && bare && text.len() <= 256
}

impl ClientRequest {
    /// What is asked for, or what is wrong with it, which the page says: nobody is sent to an address that was not looked at.
    pub(super) fn read(app: &App, call: &Call, pairs: &Pairs, pushed: bool) -> Result<Self, &'static str> {
        let get = |name| pairs.get(name).unwrap_or_default();
        let client = get("client_id");
        if !CLIENTS.contains(&client) {
            return Err("`client_id` is not one of this installation.");
        }
        if get("response_type") != "code" {
            return Err("`response_type` has to be `code`.");
        }
        let challenge = get("code_challenge");
        let encoded = challenge.len() == 43
            && challenge
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if get("code_challenge_method") != "S256" || !encoded {
            return Err("`code_challenge` has to be one of the method `S256`.");
        }
        let redirect_uri = get("redirect_uri");
        let shown = redirect_uri == format!("{}{}", app.settings.public_url, super::CODE);
        if shown && !pushed {
            return Err(
                "a code is shown only to a command line that asked for it itself: use `reeve login remote-browser`.",
            );
        }
        if !shown && !is_own_machine(redirect_uri) {
            return Err("`redirect_uri` has to be an http address of your own machine.");
        }
        let state = pairs.get("state").filter(|state| state.len() <= MAX_STATE);
        Ok(Self {
            client: client.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            shown,
            state: state.map(str::to_owned),
            challenge: challenge.to_owned(),
            from: call.source.map(|address| address.ip().to_string()),
            at: call.at,
        })
    }

    /// The origin to which a form that ends in the redirect is sent on.
    pub(super) fn origin(&self) -> Option<String> {
        let url = Url::parse(&self.redirect_uri).ok().filter(|_| !self.shown)?;
        Some(url.origin().ascii_serialization())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_sent_to_the_persons_own_machine_alone() {
        for good in [
            "http://127.0.0.1:43121/",
            "http://localhost:8000/callback",
            "http://[::1]:9/",
        ] {
            assert!(is_own_machine(good), "{good}");
        }
        for bad in [
            "http://evil.test/",
            "https://127.0.0.1/",
            "http://127.0.0.1.evil.test/",
            "http://localhost.evil.test:1/",
            "http://a@127.0.0.1/",
            "http://127.0.0.1/?x",
            "http://127.0.0.1/#x",
            "javascript:alert(1)",
            "",
            "http://0.0.0.0:1/",
        ] {
            assert!(!is_own_machine(bad), "{bad}");
        }
    }

    #[test]
    fn what_comes_twice_says_nothing() {
        let pairs = Pairs::read(b"a=1&b=2&a=3");
        assert_eq!(
            (pairs.get("a"), pairs.get("b"), pairs.get("c")),
            (None, Some("2"), None)
        );
    }
}

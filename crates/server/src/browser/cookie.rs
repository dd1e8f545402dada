//! Cookies: for this host alone, over TLS alone, for no script, and for no form of another site, except the one by which a response
//! of SAML is recognised: that one comes by a form of the provider.

use axum::http::{HeaderMap, HeaderValue, header};
use reeve_types::cookie::{self, SameSite};

/// A sign-in that was begun.
pub(super) const ATTEMPT: &str = "__Host-reeve-sign-in";
/// A sign-in that was begun and comes back by a form of a provider of SAML.
pub(super) const ATTEMPT_BY_FORM: &str = "__Host-reeve-saml";
/// Who is signed in in this browser.
pub(super) const SESSION: &str = "__Host-reeve-session";

/// The value of a cookie; none when it comes twice, since nobody knows then which is ours.
pub(super) fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE);
    cookie::value(all.iter().filter_map(|value| value.to_str().ok()), name)
}

/// Sets one for so many seconds; none takes it away. `Lax`, so that it comes along when a provider sends the person back.
pub(super) fn set(headers: &mut HeaderMap, name: &str, value: &str, seconds: i64) {
    write(headers, name, value, seconds, SameSite::Lax);
}

/// As [`set`], one that comes along with a form of another site. It must be good for nothing without what that form holds.
pub(super) fn set_for_forms(headers: &mut HeaderMap, name: &str, value: &str, seconds: i64) {
    write(headers, name, value, seconds, SameSite::None);
}

fn write(headers: &mut HeaderMap, name: &str, value: &str, seconds: i64, same_site: SameSite) {
    if let Ok(value) = HeaderValue::from_str(&cookie::set(name, value, seconds, same_site)) {
        headers.append(header::SET_COOKIE, value);
    }
}

/// Takes one away.
pub(super) fn remove(headers: &mut HeaderMap, name: &str) {
    set(headers, name, "", 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_that_comes_twice_is_none() {
        let read = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_static(text));
            get(&headers, ATTEMPT).map(str::to_owned)
        };
        assert_eq!(read("a=b; __Host-reeve-sign-in=x; c=d").as_deref(), Some("x"));
        assert_eq!(read("__Host-reeve-sign-in=x; __Host-reeve-sign-in=y"), None);
        assert_eq!(read("x__Host-reeve-sign-in=x; reeve-sign-in=y"), None);
    }

    #[test]
    fn every_cookie_has_every_guard() {
        let mut headers = HeaderMap::new();
        set(&mut headers, SESSION, "x", 60);
        remove(&mut headers, ATTEMPT);
        for value in headers.get_all(header::SET_COOKIE) {
            let text = value.to_str().unwrap();
            for guard in ["__Host-", "Path=/;", "Secure", "HttpOnly", "SameSite=Lax"] {
                assert!(text.contains(guard), "{text}");
            }
            assert!(!text.contains("Domain"), "{text}");
        }
    }
}

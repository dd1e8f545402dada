//! Pages: plain HTML, and nothing from anywhere else. None has a script in it; two kinds name the one file of ours (`script.rs`), and do
//! everything but passkeys without it.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::caller::Call;
use crate::failures::Kind;
use crate::providers::Failure;
use reeve_store::{AuditAction, Outcome};

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;margin:0;color:#1b1b1b;background:#f4f4f4}\
main{max-width:26rem;margin:2rem auto;padding:1.5rem;background:#fff;border:1px solid #767676;border-radius:.5rem}\
h1{font-size:1.4rem;margin-top:0}label{display:block;margin-top:1rem}\
input{box-sizing:border-box;width:100%;font:inherit;padding:.5rem;border:1px solid #595959;border-radius:.25rem}\
button,a.button{display:block;box-sizing:border-box;width:100%;margin-top:1rem;padding:.6rem;font:inherit;text-align:center;\
color:#fff;background:#0b5394;border:0;border-radius:.25rem;text-decoration:none;cursor:pointer}\
:focus-visible{outline:3px solid #b45f06;outline-offset:2px}code{font-size:1.1rem;overflow-wrap:anywhere}\
dt{font-weight:600}dd{margin:0 0 .5rem;overflow-wrap:anywhere}.problem{border-left:4px solid #a61c00;padding-left:.75rem}";

/// Text as it may stand in HTML, in an attribute with quotes, too.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// What was wrong with the form before, for everybody, and what its field is described by: that, and the paragraph `rule`.
pub(super) fn said(wrong: Option<&str>) -> (String, &'static str) {
    match wrong {
        Some(wrong) => (
            format!(
                "<p role=\"alert\" class=\"problem\" id=\"wrong\">{}</p>",
                escape(wrong)
            ),
            "wrong rule",
        ),
        None => (String::new(), "rule"),
    }
}

/// A page. `body` is HTML; forms may only be sent here, and to `form_to`, an origin, when they end in a redirect there.
pub(super) fn page(status: StatusCode, title: &str, body: &str, form_to: Option<&str>) -> Response {
    written(status, title, body, form_to, None)
}

/// As [`page`], with the script of passkeys, where browsers allow these; nothing else may run.
pub(super) fn page_with_script(
    app: &App,
    status: StatusCode,
    title: &str,
    body: &str,
    form_to: Option<&str>,
) -> Response {
    let script = format!("{}{}", app.settings.public_url, super::SCRIPT);
    let script = app.relying_party().map(|_| script);
    written(status, title, body, form_to, script.as_deref())
}

fn written(
    status: StatusCode,
    title: &str,
    body: &str,
    form_to: Option<&str>,
    script: Option<&str>,
) -> Response {
    let title = escape(title);
    let run = script.map(|script| format!("<script src=\"{}\" defer></script>", escape(script)));
    let run = run.unwrap_or_default();
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title} · Reeve</title>\
         <style>{STYLE}</style>{run}</head><body><main><h1>{title}</h1>{body}</main></body></html>\n"
    );
    let mut response = (status, html).into_response();
    guard(response.headers_mut(), form_to, script);
    response
}

fn guard(headers: &mut HeaderMap, form_to: Option<&str>, script: Option<&str>) {
    let style = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let more = form_to.map(|origin| format!(" {origin}")).unwrap_or_default();
    // These two end a source (Content Security Policy Level 3, section 2.3.1).
    let run = script.map(|script| script.replace(';', "%3B").replace(',', "%2C"));
    let run = run
        .map(|script| format!(" script-src {script};"))
        .unwrap_or_default();
    let policy = format!(
        "default-src 'none';{run} style-src 'sha256-{style}'; form-action 'self'{more}; frame-ancestors 'none'; base-uri 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Sends the browser somewhere; what the page before asked for does not go along.
pub(super) fn redirect(to: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    guard(response.headers_mut(), None, None);
    if let Ok(value) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

/// The page of a sign-in that failed: what to do, and the reference under which the log says which check it was.
pub(super) fn problem(app: &App, call: &Call, status: u16, text: &str) -> Response {
    let body = format!(
        "<div role=\"alert\" class=\"problem\"><p>{}</p><p>If it happens again, tell your administrator the reference \
         <code>{}</code>.</p></div><a class=\"button\" href=\"{}{}\">Sign in again</a>",
        escape(text),
        escape(&call.id),
        escape(&app.settings.public_url),
        super::SIGN_IN,
    );
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    page(status, "Sign-in failed", &body, None)
}

/// As [`problem`], of a provider: logged and recorded.
pub(super) fn refused(app: &App, call: &Call, alias: &str, failure: &Failure) -> Response {
    let (status, text) = failure.shown();
    tracing::warn!(reference = call.id, alias, check = %failure, "a sign-in through an identity provider failed");
    let mut entry = call.event(AuditAction::SignIn, "users");
    entry.result = Outcome::Failed;
    entry.http_status_code = status;
    app.failures.note(Kind::SignIn, entry);
    problem(app, call, status, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_shown_becomes_html() {
        assert_eq!(
            escape("<a href='x' title=\"y\">&"),
            "&lt;a href=&#39;x&#39; title=&quot;y&quot;&gt;&amp;"
        );
    }

    #[test]
    fn no_page_may_run_anything() {
        let response = page(StatusCode::OK, "<script>", "", None);
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(response.headers()["x-frame-options"], "DENY");
    }
}

//! What a provider said of somebody, and what it comes to: the last steps of a provider's test. Nobody is signed in by it, no user is
//! made, and what is shown was sent by this person's own browser or asked for with it.

use axum::http::StatusCode;
use axum::response::Response;
use reeve_oidc::openshift::User;
use reeve_oidc::{Claims, Mapped};
use reeve_saml::SignIn;
use reeve_types::IdpAlias;
use serde_json::Value;

use super::page::{escape, page};
use crate::providers::Failure;

/// How much of a value is shown, in characters.
const SHOWN: usize = 300;

/// The claims of OpenID Connect, by name.
pub(super) fn claims(claims: &Claims) -> Vec<(String, String)> {
    claims
        .iter()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

fn text(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => value.to_string(),
    }
}

/// The User object of OpenShift: its members, those of its metadata one by one, since mappers name them.
pub(super) fn user(user: &User) -> Vec<(String, String)> {
    let members = |(name, value): (&String, &Value)| match (name.as_str(), value.as_object()) {
        ("metadata", Some(members)) => members
            .iter()
            .map(|(name, value)| (format!("metadata.{name}"), text(value)))
            .collect(),
        _ => vec![(name.clone(), text(value))],
    };
    user.claims().iter().flat_map(members).collect()
}

/// The name and attributes of SAML.
pub(super) fn attributes(sign_in: &SignIn) -> Vec<(String, String)> {
    let format = sign_in.name_id.format.as_deref().unwrap_or("no format");
    let name = (
        "NameID".to_owned(),
        format!("{} ({format})", sign_in.name_id.value),
    );
    let rest = sign_in
        .attributes()
        .map(|(name, values)| (name.to_owned(), values.join(", ")));
    std::iter::once(name).chain(rest).collect()
}

/// The page.
pub(super) fn shown(
    alias: &IdpAlias,
    seen: &[(String, String)],
    mapped: &Result<Mapped, Failure>,
) -> Response {
    let mut body = String::from("<h2>What the provider sent</h2><dl id=\"claims\">");
    for (name, value) in seen {
        let short: String = value.chars().take(SHOWN).collect();
        let more = if short.len() < value.len() { " …" } else { "" };
        body.push_str(&format!(
            "<dt>{}</dt><dd>{}{more}</dd>",
            escape(name),
            escape(&short)
        ));
    }
    body.push_str("</dl><h2>What it comes to</h2>");
    match mapped {
        Ok(mapped) => {
            let groups: Vec<_> = mapped.groups.iter().map(ToString::to_string).collect();
            let posix = mapped.posix.as_ref().map(ToString::to_string);
            body.push_str(&format!(
                "<dl><dt>Email</dt><dd id=\"user\">{}</dd><dt>Groups</dt><dd id=\"groups\">{}</dd>\
                 <dt>Groups left out, with names of the system's own</dt><dd>{}</dd>\
                 <dt>Numbers in containers (uid/gid/supplementary groups)</dt><dd id=\"posix\">{}</dd></dl>\
                 <p>Somebody with these claims can sign in. You were not signed in by this test.</p>",
                escape(mapped.email.as_str()),
                escape(&if groups.is_empty() {
                    "none".to_owned()
                } else {
                    groups.join(", ")
                }),
                mapped.reserved_groups,
                escape(posix.as_deref().unwrap_or("none")),
            ));
        }
        Err(failure) => body.push_str(&problem(failure)),
    }
    page(StatusCode::OK, &format!("Test of {alias}"), &body, None)
}

/// The page of a test that did not come so far: which check it was, since an administrator asked.
pub(super) fn failed(alias: &str, failure: &Failure) -> Response {
    page(
        StatusCode::OK,
        &format!("Test of {alias}"),
        &problem(failure),
        None,
    )
}

fn problem(failure: &Failure) -> String {
    format!(
        "<div role=\"alert\" class=\"problem\"><p>Nobody could sign in so: {}</p></div>",
        escape(&failure.to_string())
    )
}

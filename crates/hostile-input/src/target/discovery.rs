//! A provider's discovery document.

use reeve_oidc::{ClientAuthentication, Provider, discovery_address};
use serde_json::{Value, json};
use url::Url;

use super::{Broken, Outcome, Target, holds, judged, texts};
use crate::json::has_a_member_twice;
use crate::script::expand;

pub(super) const TARGET: Target = Target {
    name: "discovery",
    promise: "a document that is taken is of the issuer that its address says, sends nothing anywhere but over TLS, or to this \
              machine where the provider is, and printed again reads the same",
    words: &[
        "https://evil.test",
        "http://127.0.0.1:6443",
        "http://localhost",
        "http://[::1]/",
        "http://idp.test",
        "javascript:alert(1)",
        "https://user:pass@idp.test",
        "https://idp.test/realm",
        "https://idp.test/realm/",
        "#f",
        "?a=1",
        "\\u002f",
        "\"none\"",
        "\"HS256\"",
        "\"PS256\",",
        "null",
        "\"token_endpoint_auth_methods_supported\":[\"client_secret_post\"],",
        "\"authorization_response_iss_parameter_supported\":true,",
        "\"userinfo_endpoint\":",
    ],
    seeds,
    found: include_str!("../../corpus/discovery.txt"),
    check: |input| check(input, |from, text| Provider::read(from, text.as_bytes()).ok()),
    naive: |input| check(input, unchecked),
};

/// The first byte says where it was found.
const FROM: [&str; 2] = ["https://idp.test/realm", "http://127.0.0.1:9/realm"];

fn seeds() -> Vec<Vec<u8>> {
    let document = |from: &str| {
        format!(
            r#"{{"issuer":"{from}","authorization_endpoint":"{from}/auth?tenant=1","token_endpoint":"{from}/token","jwks_uri":"{from}/jwks","userinfo_endpoint":"{from}/me","id_token_signing_alg_values_supported":["HS256","RS256","ES256","none"]}}"#
        )
    };
    let [away, here] = FROM.map(document);
    texts(&[
        format!("0{away}"),
        format!("1{here}"),
        format!("0{here}"),
        format!("1{away}"),
        format!(
            "0{}",
            away.replace(
                "\"issuer\":\"https://idp.test/realm",
                "\"issuer\":\"https://idp.test/realm/"
            )
        ),
        format!(
            "0{}",
            away.replace("https://idp.test/realm/token", "http://127.0.0.1:6443/token")
        ),
        format!("0{}", away.replace("/jwks", "/jwks#f")),
        format!(
            "0{}",
            away.replace("{\"issuer\"", "{\"issuer\":\"https://evil.test\",\"issuer\"")
        ),
        format!("0{}", away.replace("\"RS256\",\"ES256\"", "\"HS512\"")),
    ])
}

/// Takes what the document says.
fn unchecked(_: &Url, text: &str) -> Option<Provider> {
    let document: Value = serde_json::from_str(text).ok()?;
    let said = |name: &str| document.get(name).and_then(Value::as_str);
    let address = |name: &str| Url::parse(said(name)?).ok();
    Some(Provider {
        issuer: said("issuer")?.to_owned(),
        authorization_endpoint: address("authorization_endpoint")?,
        token_endpoint: address("token_endpoint")?,
        jwks_uri: address("jwks_uri")?,
        userinfo_endpoint: None,
        authentication: ClientAuthentication::Basic,
        says_issuer: false,
        algorithms: vec!["RS256".to_owned()],
    })
}

fn check(input: &[u8], read: impl Fn(&Url, &str) -> Option<Provider>) -> Result<Outcome, Broken> {
    let text = expand::<&str>(input, &[]);
    let here = text.starts_with('1');
    let [away, local] = FROM;
    let issuer = if here { local } else { away };
    let from = discovery_address(issuer).unwrap();
    let text = text.get(1..).unwrap_or_default();
    judged(read(&from, text), |provider| {
        holds(!has_a_member_twice(text.as_bytes()), "a member comes twice")?;
        holds(
            provider.issuer.strip_suffix('/').unwrap_or(&provider.issuer) == issuer,
            "of another issuer",
        )?;
        let (sign_in, token, keys) = (
            &provider.authorization_endpoint,
            &provider.token_endpoint,
            &provider.jwks_uri,
        );
        for url in [sign_in, token, keys]
            .into_iter()
            .chain(&provider.userinfo_endpoint)
        {
            holds(is_safe(url, here), &format!("something is sent to {url}"))?;
        }
        holds(
            !provider.algorithms.is_empty()
                && provider
                    .algorithms
                    .iter()
                    .all(|it| it != "none" && !it.starts_with("HS")),
            "an algorithm that anybody can sign by",
        )?;
        let again = Provider::read(&from, printed(&provider).as_bytes());
        holds(
            again.as_ref() == Ok(&provider),
            &format!("{provider:?} is read again as {again:?}"),
        )
    })
}

/// Whether something may be sent there: over TLS, or to this machine by a provider that is `here`.
pub(super) fn is_safe(url: &Url, here: bool) -> bool {
    let text = url.as_str();
    let host = url.host_str().unwrap_or_default();
    let local = ["localhost", "[::1]"].contains(&host) || host.starts_with("127.");
    let authority = text.split('/').nth(2).unwrap_or_default();
    !host.is_empty()
        && !text.contains('#')
        && !authority.contains('@')
        && (text.starts_with("https://") || (text.starts_with("http://") && here && local))
}

fn printed(provider: &Provider) -> String {
    let authentication = match provider.authentication {
        ClientAuthentication::Basic => "client_secret_basic",
        ClientAuthentication::Post => "client_secret_post",
    };
    let mut document = json!({
        "issuer": provider.issuer,
        "authorization_endpoint": provider.authorization_endpoint.as_str(),
        "token_endpoint": provider.token_endpoint.as_str(),
        "jwks_uri": provider.jwks_uri.as_str(),
        "token_endpoint_auth_methods_supported": [authentication],
        "authorization_response_iss_parameter_supported": provider.says_issuer,
        "id_token_signing_alg_values_supported": provider.algorithms,
    });
    if let (Some(url), Some(members)) = (&provider.userinfo_endpoint, document.as_object_mut()) {
        members.insert("userinfo_endpoint".to_owned(), url.as_str().into());
    }
    document.to_string()
}

//! What an OpenShift cluster's API server says of its OAuth server.

use reeve_oidc::openshift::{ApiServer, AuthorizationServer};
use serde_json::{Value, json};
use url::Url;

use super::discovery::is_safe;
use super::{Broken, Outcome, Target, holds, judged, texts};
use crate::json::has_a_member_twice;
use crate::script::expand;

pub(super) const TARGET: Target = Target {
    name: "oauth_metadata",
    promise: "a document that is taken is of one server, takes PKCE, sends nothing anywhere but over TLS, or to this machine where the \
              cluster is, and printed again reads the same",
    words: &[
        "https://evil.test",
        "http://127.0.0.1:6443",
        "http://localhost",
        "http://oauth.test",
        "javascript:alert(1)",
        "https://user:pass@oauth.test",
        "https://oauth.test:8443",
        "https://OAUTH.test",
        "/oauth/token",
        "#f",
        "?a=1",
        "\\u002f",
        "\"plain\"",
        "\"S256\",",
        "null",
        "\"authorization_response_iss_parameter_supported\":true,",
    ],
    seeds,
    found: include_str!("../../corpus/oauth_metadata.txt"),
    check: |input| {
        check(input, |from, text| {
            AuthorizationServer::read(from, text.as_bytes()).ok()
        })
    },
    naive: |input| check(input, unchecked),
};

/// The first byte says where it was found.
const FROM: [&str; 2] = ["https://api.test:6443", "http://127.0.0.1:9"];

fn seeds() -> Vec<Vec<u8>> {
    let document = |at: &str| {
        format!(
            r#"{{"issuer":"{at}","authorization_endpoint":"{at}/oauth/authorize","token_endpoint":"{at}/oauth/token","code_challenge_methods_supported":["plain","S256"]}}"#
        )
    };
    let away = document("https://oauth.test");
    texts(&[
        format!("0{away}"),
        format!("1{away}"),
        format!("1{}", document("http://127.0.0.1:8")),
        format!("0{}", document("http://127.0.0.1:8")),
        format!("0{}", document("https://oauth.test:443")),
        format!("0{}", document("https://oauth.test/below")),
        format!(
            "0{}",
            away.replace("https://oauth.test/oauth/token", "https://evil.test/oauth/token")
        ),
        format!(
            "0{}",
            away.replace(
                "\"issuer\":\"https://oauth.test",
                "\"issuer\":\"https://evil.test"
            )
        ),
        format!("0{}", away.replace(",\"S256\"", "")),
        format!(
            "0{}",
            away.replace("{\"issuer\"", "{\"issuer\":\"https://evil.test\",\"issuer\"")
        ),
    ])
}

/// Takes what the document says.
fn unchecked(_: &ApiServer, text: &str) -> Option<AuthorizationServer> {
    let document: Value = serde_json::from_str(text).ok()?;
    let said = |name: &str| document.get(name).and_then(Value::as_str);
    Some(AuthorizationServer {
        issuer: said("issuer")?.to_owned(),
        authorization_endpoint: Url::parse(said("authorization_endpoint")?).ok()?,
        token_endpoint: Url::parse(said("token_endpoint")?).ok()?,
        says_issuer: false,
    })
}

fn check(
    input: &[u8],
    read: impl Fn(&ApiServer, &str) -> Option<AuthorizationServer>,
) -> Result<Outcome, Broken> {
    let text = expand::<&str>(input, &[]);
    let here = text.starts_with('1');
    let [away, local] = FROM;
    let from = ApiServer::at(if here { local } else { away }).unwrap();
    let text = text.get(1..).unwrap_or_default();
    judged(read(&from, text), |server| {
        holds(!has_a_member_twice(text.as_bytes()), "a member comes twice")?;
        let issuer = Url::parse(&server.issuer).map_err(|_| "an issuer that is no address".to_owned())?;
        for url in [&issuer, &server.authorization_endpoint, &server.token_endpoint] {
            holds(is_safe(url, here), &format!("something is sent to {url}"))?;
            holds(url.origin() == issuer.origin(), "an endpoint of another server")?;
        }
        let again = AuthorizationServer::read(&from, printed(&server).as_bytes());
        holds(
            again.as_ref() == Ok(&server),
            &format!("{server:?} is read again as {again:?}"),
        )
    })
}

fn printed(server: &AuthorizationServer) -> String {
    let document = json!({
        "issuer": server.issuer,
        "authorization_endpoint": server.authorization_endpoint.as_str(),
        "token_endpoint": server.token_endpoint.as_str(),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": server.says_issuer,
    });
    document.to_string()
}

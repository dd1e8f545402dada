//! The relying-party modules of the OpenID Foundation's conformance suite that are about tokens and documents, by their names
//! (without `oidcc-client-test-`). Each bad token is first taken by a naive receiver.

use reeve_oidc::{
    Callback, CallbackError, ClientAuthentication, IdTokenError as E, Keys, KeysError, Provider,
    ProviderError, discovery_address,
};
use serde_json::{Value, json};

use crate::signer::{
    ACCESS, NONCE, NOW, SignsAnything, SignsByRsa, encode, good, keys, naive, ours, provider, with,
};

/// Refused for this reason, and taken by whoever does not check.
fn refused(token: &str, keys: &Keys, reason: E) {
    assert!(naive(token).is_some(), "the attack is no token at all");
    assert_eq!(ours(token, keys).unwrap_err(), reason);
}

fn refused_claims(claims: &Value, reason: E) {
    let signer = SignsAnything::new("a");
    let token = signer.sign(&signer.header(), claims);
    refused(&token, &keys(&[&signer]), reason);
}

#[test]
fn client_test() {
    let signer = SignsAnything::new("a");
    let token = signer.sign(&signer.header(), &good());
    assert_eq!(ours(&token, &keys(&[&signer])).unwrap()["sub"], "alice");
    for also_good in [
        with("aud", json!(["reeve"])),
        with("azp", json!("reeve")),
        with("at_hash", Value::Null),
        with("exp", json!(NOW as f64 + 0.5)),
    ] {
        let token = signer.sign(&signer.header(), &also_good);
        assert!(ours(&token, &keys(&[&signer])).is_ok(), "{also_good}");
    }
}

#[test]
fn idtoken_sig_none() {
    let signer = SignsAnything::new("a");
    for header in [
        json!({"alg": "none"}),
        json!({"alg": "None", "kid": "a"}),
        json!({"kid": "a"}),
        json!({"alg": ["ES256"]}),
    ] {
        for signature in ["", "AAAA"] {
            let token = format!("{}.{}.{signature}", encode(&header), encode(&good()));
            refused(&token, &keys(&[&signer]), E::Algorithm);
        }
    }
}

/// The public key as the secret of an HMAC, and an algorithm that the provider did not announce.
#[test]
fn invalid_sig_hs256() {
    let signer = SignsAnything::new("a");
    for alg in ["HS256", "HS384", "HS512", "ES384", "PS256", "EdDSA"] {
        let token = signer.sign(&json!({"alg": alg, "kid": "a"}), &good());
        refused(&token, &keys(&[&signer]), E::Algorithm);
    }
}

#[test]
fn invalid_sig_es256() {
    let (signer, other) = (SignsAnything::new("a"), SignsAnything::new("a"));
    let token = other.sign(&other.header(), &good());
    refused(&token, &keys(&[&signer]), E::Signature);
    // The claims of one token under the signature of another.
    let token = signer.sign(&signer.header(), &good());
    let signature = token.rsplit('.').next().unwrap();
    let forged = format!(
        "{}.{}.{signature}",
        encode(&signer.header()),
        encode(&with("sub", json!("admin")))
    );
    refused(&forged, &keys(&[&signer]), E::Signature);
    for cut in ["", "A"] {
        let forged = format!("{}.{cut}", token.rsplit_once('.').unwrap().0);
        refused(&forged, &keys(&[&signer]), E::Signature);
    }
}

/// Claims whose access token is bound by the hash of RS256.
fn good_by_rs256() -> Value {
    with("at_hash", json!(reeve_oidc::id_token::half_hash("RS256", ACCESS)))
}

#[test]
fn idtoken_sig_rs256() {
    let signer = SignsByRsa::new("r");
    let token = signer.sign(&json!({"alg": "RS256", "kid": "r"}), &good_by_rs256());
    let set = Keys::read(json!({ "keys": [signer.jwk()] }).to_string().as_bytes()).unwrap();
    assert_eq!(ours(&token, &set).unwrap()["sub"], "alice");
}

/// By another key, over other claims, and with a key of the other family of the same id, which does not fit.
#[test]
fn invalid_sig_rs256() {
    let (signer, other) = (SignsByRsa::new("r"), SignsByRsa::new("r"));
    let header = json!({"alg": "RS256", "kid": "r"});
    let set = Keys::read(json!({ "keys": [signer.jwk()] }).to_string().as_bytes()).unwrap();
    refused(&other.sign(&header, &good_by_rs256()), &set, E::Signature);
    let token = signer.sign(&header, &good_by_rs256());
    let signature = token.rsplit('.').next().unwrap();
    let forged = format!(
        "{}.{}.{signature}",
        encode(&header),
        encode(&with("sub", json!("admin")))
    );
    refused(&forged, &set, E::Signature);
    let signer = SignsAnything::new("a");
    let token = signer.sign(&json!({"alg": "RS256", "kid": "a"}), &good());
    refused(&token, &keys(&[&signer]), E::Key(KeysError::Unknown));
}

#[test]
fn invalid_iss() {
    for other in [
        json!("https://evil.test"),
        json!("https://idp.test/"),
        json!(["https://idp.test"]),
        Value::Null,
    ] {
        refused_claims(&with("iss", other), E::Issuer);
    }
}

#[test]
fn invalid_aud() {
    for other in [
        json!("other"),
        json!(["other"]),
        json!([]),
        json!(["reeve", 1]),
        json!({"reeve": 1}),
    ] {
        refused_claims(&with("aud", other), E::Audience);
    }
    // Ours and another's, without a word who may use it; and with a word for the other.
    refused_claims(&with("aud", json!(["reeve", "other"])), E::Audience);
    let mut both = with("aud", json!(["reeve", "other"]));
    both["azp"] = json!("other");
    refused_claims(&both, E::Audience);
    refused_claims(&with("azp", json!("other")), E::Audience);
    refused_claims(&with("azp", json!(["reeve"])), E::Audience);
}

#[test]
fn missing_aud() {
    refused_claims(&with("aud", Value::Null), E::Audience);
}

#[test]
fn missing_iat() {
    for wrong in [Value::Null, json!(NOW.to_string()), json!(true)] {
        refused_claims(&with("iat", wrong), E::Times);
    }
}

/// Also as text, which a library took for "no end" once (CVE-2026-25537).
#[test]
fn missing_exp() {
    for wrong in [Value::Null, json!((NOW + 300).to_string()), json!([NOW + 300])] {
        refused_claims(&with("exp", wrong), E::Times);
    }
    refused_claims(&with("nbf", json!("0")), E::Times);
}

#[test]
fn times_with_one_skew() {
    let signer = SignsAnything::new("a");
    let all = keys(&[&signer]);
    let at = |name: &str, value: i64| {
        ours(&signer.sign(&signer.header(), &with(name, json!(value))), &all).map(drop)
    };
    assert_eq!(
        (at("exp", NOW - 59), at("exp", NOW - 60)),
        (Ok(()), Err(E::Expired))
    );
    assert_eq!(
        (at("iat", NOW + 60), at("iat", NOW + 61)),
        (Ok(()), Err(E::NotYet))
    );
    assert_eq!(
        (at("nbf", NOW + 60), at("nbf", NOW + 61)),
        (Ok(()), Err(E::NotYet))
    );
    assert_eq!(
        (at("iat", NOW - 660), at("iat", NOW - 661)),
        (Ok(()), Err(E::Expired))
    );
    assert_eq!(at("exp", i64::MIN), Err(E::Expired));
    assert_eq!(at("iat", i64::MAX), Err(E::NotYet));
}

#[test]
fn missing_sub() {
    for wrong in [Value::Null, json!(""), json!(7), json!("a".repeat(256))] {
        refused_claims(&with("sub", wrong), E::Subject);
    }
}

#[test]
fn nonce_invalid() {
    for wrong in [Value::Null, json!("other"), json!(""), json!([NONCE])] {
        refused_claims(&with("nonce", wrong), E::Nonce);
    }
}

#[test]
fn invalid_at_hash() {
    for wrong in [json!("AAAAAAAAAAAAAAAAAAAAAA"), json!(""), json!(1)] {
        refused_claims(&with("at_hash", wrong), E::AccessToken);
    }
}

/// In the code flow it may be left out (Core 1.0, section 3.1.3.6).
#[test]
fn missing_at_hash() {
    let signer = SignsAnything::new("a");
    let token = signer.sign(&signer.header(), &with("at_hash", Value::Null));
    assert!(ours(&token, &keys(&[&signer])).is_ok());
}

#[test]
fn kid_absent_single_jwks() {
    let signer = SignsAnything::new("a");
    let token = signer.sign(&json!({"alg": "ES256"}), &good());
    assert!(ours(&token, &keys(&[&signer])).is_ok());
}

#[test]
fn kid_absent_multiple_jwks() {
    let (signer, other) = (SignsAnything::new("a"), SignsAnything::new("b"));
    let token = signer.sign(&json!({"alg": "ES256"}), &good());
    refused(&token, &keys(&[&signer, &other]), E::Key(KeysError::Ambiguous));
    // Two of one id are as bad.
    let twin = SignsAnything::new("a");
    let token = signer.sign(&signer.header(), &good());
    refused(&token, &keys(&[&signer, &twin]), E::Key(KeysError::Ambiguous));
}

#[test]
fn signing_key_rotation() {
    let (before, after) = (SignsAnything::new("a"), SignsAnything::new("b"));
    let token = after.sign(&after.header(), &good());
    // The word on which the keys are read again.
    refused(&token, &keys(&[&before]), E::Key(KeysError::Unknown));
    assert!(ours(&token, &keys(&[&before, &after])).is_ok());
}

#[test]
fn header_of_another_kind() {
    let signer = SignsAnything::new("a");
    for (name, value) in [
        ("typ", json!("at+jwt")),
        ("typ", json!(1)),
        ("crit", json!(["x"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
    ] {
        let mut header = signer.header();
        header[name] = value;
        refused(&signer.sign(&header, &good()), &keys(&[&signer]), E::Header);
    }
    // A key that the token brings along is not looked at.
    let other = SignsAnything::new("b");
    let mut header = other.header();
    header["jwk"] = other.jwk();
    header["jku"] = json!("https://evil.test/jwks");
    refused(
        &other.sign(&header, &good()),
        &keys(&[&signer]),
        E::Key(KeysError::Unknown),
    );
}

#[test]
fn tokens_that_are_none() {
    let signer = SignsAnything::new("a");
    let token = signer.sign(&signer.header(), &good());
    for wrong in [
        String::new(),
        "a.b".to_owned(),
        format!("{token}.x"),
        format!(" {token}"),
        token.replace('.', ".."),
    ] {
        assert!(ours(&wrong, &keys(&[&signer])).is_err(), "{wrong}");
    }
    let twice = r#"{"alg":"ES256","alg":"none","kid":"a"}"#;
    let header: Value = serde_json::from_str(twice).unwrap();
    assert_eq!(header["alg"], "none");
}

#[test]
fn discovery_issuer_mismatch() {
    let mut document = json!({
        "issuer": "https://evil.test", "authorization_endpoint": "https://idp.test/auth", "token_endpoint": "https://idp.test/token",
        "jwks_uri": "https://idp.test/jwks", "id_token_signing_alg_values_supported": ["RS256"],
    });
    let from = discovery_address("https://idp.test").unwrap();
    let read = |document: &Value| Provider::read(&from, document.to_string().as_bytes());
    assert!(matches!(read(&document), Err(ProviderError::Issuer { .. })));
    document["issuer"] = json!("https://idp.test");
    assert!(read(&document).is_ok());
}

/// Members that nobody here knows are passed over.
#[test]
fn discovery_openid_config() {
    let document = json!({
        "issuer": "https://idp.test", "authorization_endpoint": "https://login.test/auth", "token_endpoint": "https://idp.test/token",
        "jwks_uri": "https://keys.test/jwks", "userinfo_endpoint": "https://idp.test/me",
        "id_token_signing_alg_values_supported": ["RS256", "HS256"], "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "response_types_supported": ["code"], "subject_types_supported": ["public"], "claims_supported": ["sub", {"a": 1}],
    });
    let from = discovery_address("https://idp.test").unwrap();
    assert_eq!(from.as_str(), "https://idp.test/.well-known/openid-configuration");
    let provider = Provider::read(&from, document.to_string().as_bytes()).unwrap();
    assert_eq!(
        [
            provider.authorization_endpoint.as_str(),
            provider.token_endpoint.as_str(),
            provider.jwks_uri.as_str(),
            provider.userinfo_endpoint.as_ref().unwrap().as_str(),
        ],
        [
            "https://login.test/auth",
            "https://idp.test/token",
            "https://keys.test/jwks",
            "https://idp.test/me"
        ]
    );
    assert_eq!(provider.algorithms, ["RS256"]);
    assert_eq!(provider.authentication, ClientAuthentication::Post);
    assert!(!provider.says_issuer);
}

/// What a key says that it is for (RFC 7517, section 4.3). Planted fault: it is passed over.
#[test]
fn keys_that_are_for_something_else() {
    let signer = SignsAnything::new("a");
    let token = signer.sign(&signer.header(), &good());
    let set = |uses: Value| {
        let mut key = signer.jwk();
        key.as_object_mut().unwrap().remove("use");
        key["key_ops"] = uses;
        Keys::read(json!({ "keys": [key] }).to_string().as_bytes()).unwrap()
    };
    assert!(ours(&token, &set(json!(["sign", "verify"]))).is_ok());
    for uses in [
        json!(["encrypt"]),
        json!(["sign"]),
        json!([]),
        json!("verify"),
        Value::Null,
    ] {
        refused(&token, &set(uses), E::Key(KeysError::Unknown));
    }
}

#[test]
fn discovery_jwks_uri_keys() {
    let signer = SignsAnything::new("a");
    assert!(
        Keys::read(br#"{"keys":[{"kty":"oct","k":"AA"},{"kty":"RSA","use":"enc","n":"AQAB","e":"AQAB"}]}"#)
            .is_ok()
    );
    let mut private = signer.jwk();
    private["d"] = json!("AA");
    let many = vec![signer.jwk(); 101];
    for wrong in [
        json!({ "keys": [private] }),
        json!({ "keys": many }),
        json!([]),
        json!({"keys": {}}),
    ] {
        assert_eq!(
            Keys::read(wrong.to_string().as_bytes()).unwrap_err(),
            KeysError::NotKeys
        );
    }
    let mut encrypts = signer.jwk();
    encrypts["use"] = json!("enc");
    let set = Keys::read(json!({ "keys": [encrypts] }).to_string().as_bytes()).unwrap();
    let token = signer.sign(&signer.header(), &good());
    refused(&token, &set, E::Key(KeysError::Unknown));
}

#[test]
fn mix_up() {
    let provider = provider();
    let code = |query: &str| {
        Callback::read(query)
            .code("s1", provider.sender())
            .map(str::to_owned)
    };
    assert_eq!(code("code=c&state=s1&iss=https%3A%2F%2Fidp.test").unwrap(), "c");
    for (query, wrong) in [
        ("code=c&state=s1", CallbackError::Issuer),
        (
            "code=c&state=s1&iss=https%3A%2F%2Fevil.test",
            CallbackError::Issuer,
        ),
        (
            "error=access_denied&state=s1&iss=https%3A%2F%2Fevil.test",
            CallbackError::Issuer,
        ),
        ("code=c&state=s2&iss=https%3A%2F%2Fidp.test", CallbackError::State),
        (
            "code=c&iss=https%3A%2F%2Fidp.test",
            CallbackError::Parameter("state"),
        ),
        (
            "code=c&state=s1&state=s1&iss=https%3A%2F%2Fidp.test",
            CallbackError::Parameter("state"),
        ),
        (
            "code=c&code=d&state=s1&iss=https%3A%2F%2Fidp.test",
            CallbackError::Parameter("code"),
        ),
        (
            "code=&state=s1&iss=https%3A%2F%2Fidp.test",
            CallbackError::Parameter("code"),
        ),
        (
            "error=%3Cscript%3E&state=s1&iss=https%3A%2F%2Fidp.test",
            CallbackError::Refused("script".to_owned()),
        ),
    ] {
        assert_eq!(code(query), Err(wrong), "{query}");
    }
}

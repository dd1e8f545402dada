//! A provider that signs whatever it is told, named so; and a naive receiver that has one hole at a time.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reeve_oidc::{Claims, Expected, IdTokenError, Keys, Provider, discovery_address, verify};
use serde_json::{Value, json};

pub(crate) const NOW: i64 = 1_700_000_000;
pub(crate) const CLIENT: &str = "reeve";
pub(crate) const NONCE: &str = "n-0S6_WzA2Mj";
pub(crate) const ACCESS: &str = "an access token";

pub(crate) struct SignsAnything {
    pair: EcdsaKeyPair,
    pub(crate) kid: &'static str,
}

impl SignsAnything {
    pub(crate) fn new(kid: &'static str) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).unwrap();
        Self { pair, kid }
    }

    pub(crate) fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let part = |from: usize| URL_SAFE_NO_PAD.encode(&point[from..from + 32]);
        json!({"kty": "EC", "crv": "P-256", "x": part(1), "y": part(33), "kid": self.kid, "use": "sig", "alg": "ES256"})
    }

    pub(crate) fn header(&self) -> Value {
        json!({"alg": "ES256", "typ": "JWT", "kid": self.kid})
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The same by RSA.
pub(crate) struct SignsByRsa {
    pair: RsaKeyPair,
    kid: &'static str,
}

impl SignsByRsa {
    pub(crate) fn new(kid: &'static str) -> Self {
        let pair =
            rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
        Self {
            pair: RsaKeyPair::from_pkcs8(&pair.serialize_der()).unwrap(),
            kid,
        }
    }

    pub(crate) fn jwk(&self) -> Value {
        // PKCS #1 in DER: the headers of the sequence and the number, a zero, 256 bytes of modulus, and 65537.
        let der = self.pair.public_key().as_ref();
        let modulus = URL_SAFE_NO_PAD.encode(&der[9..265]);
        json!({"kty": "RSA", "n": modulus, "e": "AQAB", "kid": self.kid, "use": "sig", "alg": "RS256"})
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        self.pair
            .sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature)
            .unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

pub(crate) fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

pub(crate) fn keys(signers: &[&SignsAnything]) -> Keys {
    let list: Vec<_> = signers.iter().map(|signer| signer.jwk()).collect();
    Keys::read(json!({ "keys": list }).to_string().as_bytes()).unwrap()
}

pub(crate) fn provider() -> Provider {
    let document = json!({
        "issuer": "https://idp.test", "authorization_endpoint": "https://idp.test/auth", "token_endpoint": "https://idp.test/token",
        "jwks_uri": "https://idp.test/jwks", "id_token_signing_alg_values_supported": ["ES256", "RS256", "none", "HS256"],
        "authorization_response_iss_parameter_supported": true,
    });
    Provider::read(
        &discovery_address("https://idp.test").unwrap(),
        document.to_string().as_bytes(),
    )
    .unwrap()
}

/// Claims that count.
pub(crate) fn good() -> Value {
    json!({
        "iss": "https://idp.test", "aud": CLIENT, "sub": "alice", "nonce": NONCE, "iat": NOW, "exp": NOW + 300,
        "at_hash": reeve_oidc::id_token::half_hash("ES256", ACCESS), "email": "alice@example.com",
    })
}

/// Those with one claim changed, or taken away.
pub(crate) fn with(name: &str, value: Value) -> Value {
    let mut claims = good();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

pub(crate) fn ours(token: &str, keys: &Keys) -> Result<Claims, IdTokenError> {
    let provider = provider();
    let expected = Expected {
        provider: &provider,
        client_id: CLIENT,
        nonce: Some(NONCE),
        access_token: Some(ACCESS),
        now: NOW,
    };
    verify(token, keys, &expected)
}

/// A receiver that decodes and checks nothing at all: whatever ours refuses, it takes, so that the attack is live.
pub(crate) fn naive(token: &str) -> Option<Value> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<Value>(&payload)
        .ok()
        .filter(Value::is_object)
}

//! An issuer of tokens with a key of the test's own, so that a token can say what the server would never sign.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use axum::routing::get;
use axum::{Json, Router};
use axum_server::tls_rustls::RustlsConfig;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp};
use serde_json::{Value, json};

const KEY_ID: &str = "test-key";

/// Discovery and keys over HTTPS on loopback, for as long as the test's runtime lives.
pub(crate) struct TestIssuer {
    pub(crate) url: String,
    /// The certificate that the API server is told to trust.
    pub(crate) ca_pem: String,
    key: EncodingKey,
    signed: AtomicU32,
}

impl TestIssuer {
    pub(crate) async fn start() -> Result<Self> {
        // Another test may have been first.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let tls = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        let ca_pem = tls.cert.pem();
        let config = RustlsConfig::from_pem(
            ca_pem.clone().into_bytes(),
            tls.signing_key.serialize_pem().into_bytes(),
        )
        .await?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let url = format!("https://{}/realms/test", listener.local_addr()?);

        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        // 4 and then x and y, 32 bytes each: the point as it is, without compression.
        let point = pair.public_key_raw();
        let (x, y) = point.get(1..).context("an empty point")?.split_at(32);
        let keys = json!({"keys": [{
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": KEY_ID,
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        }]});
        let discovery = json!({
            "issuer": url,
            "jwks_uri": format!("{url}/keys"),
            "id_token_signing_alg_values_supported": ["ES256"],
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
        });
        let router = Router::new()
            .route(
                "/realms/test/.well-known/openid-configuration",
                get(async || Json(discovery)),
            )
            .route("/realms/test/keys", get(async || Json(keys)));
        let server = axum_server::from_tcp_rustls(listener, config)?;
        tokio::spawn(server.serve(router.into_make_service()));
        Ok(Self {
            url,
            ca_pem,
            key: EncodingKey::from_ec_der(pair.serialized_der()),
            signed: AtomicU32::new(0),
        })
    }

    /// Signs alice's claims with some of them changed (`null` removes). No two tokens are alike: the API server remembers for
    /// some seconds that it accepted one.
    pub(crate) fn token(&self, audience: &str, changes: &Value) -> Result<String> {
        let now = get_current_timestamp();
        let mut claims = json!({
            "iss": self.url,
            "aud": audience,
            "sub": "123e4567-e89b-12d3-a456-426614174000",
            "email": "alice@example.com",
            "email_verified": true,
            "groups": ["reeve-group/ml team"],
            "uid": "70012",
            "gid": "5000",
            "supplementaryGroups": ["5001", "5002"],
            "iat": now,
            "exp": now + 300,
            "jti": self.signed.fetch_add(1, Ordering::SeqCst).to_string(),
        });
        crate::fixture::merge(&mut claims, changes);
        let header = Header {
            kid: Some(KEY_ID.to_owned()),
            ..Header::new(Algorithm::ES256)
        };
        jsonwebtoken::encode(&header, &claims, &self.key).context("cannot sign a token")
    }
}

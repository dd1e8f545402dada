//! Authentication requests: always signed, by the redirect binding in the query and by the POST binding in the document.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use miniz_oxide::deflate::compress_to_vec;
use reeve_types::Timestamp;
use url::form_urlencoded::byte_serialize;

use crate::algorithm::{DIGEST_SHA256, ENVELOPED, RSA_SHA256, digest};
use crate::canonical::canonicalize;
use crate::limits::MESSAGE;
use crate::tree::{self, EXCLUSIVE, SIGNATURE};
use crate::write::{escaped, hex};
use crate::{Binding, IdentityProvider, SamlError, ServiceProvider};

/// What the bindings allow for a relay state.
const MAX_RELAY_STATE_BYTES: usize = 80;
/// Deflate's usual middle between time and size.
const COMPRESSION: u8 = 6;

/// The id of a request, which the response has to name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(String);

impl RequestId {
    /// From 160 random bits, which nobody guesses.
    pub fn from_random(bits: [u8; 20]) -> Self {
        // An XML id begins with no digit.
        Self(format!("_{}", hex(&bits)))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What comes back with the response as it was sent. It is a word by which we find something that we kept, and never an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayState(String);

impl RelayState {
    /// At most 80 letters, digits, `-`, `_` and `.`.
    ///
    /// # Errors
    /// [`SamlError::RelayState`].
    pub fn new(text: &str) -> Result<Self, SamlError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if text.is_empty() || text.len() > MAX_RELAY_STATE_BYTES || !text.bytes().all(plain) {
            return Err(SamlError::RelayState {
                max: MAX_RELAY_STATE_BYTES,
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a browser brings a request to the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthnRequest {
    /// It is sent to this address.
    Redirect(String),
    /// It posts this form.
    Post(PostForm),
}

/// A form with hidden fields that a page of ours holds. Values are not escaped for HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostForm {
    /// Where to.
    pub action: String,
    /// The field `SAMLRequest`.
    pub saml_request: String,
    /// The field `RelayState`.
    pub relay_state: String,
}

impl ServiceProvider {
    /// A signed request by that binding.
    ///
    /// # Errors
    /// [`SamlError::NoBinding`] if the provider's metadata has no address for it.
    pub fn authn_request(
        &self,
        provider: &IdentityProvider,
        binding: Binding,
        id: &RequestId,
        relay_state: &RelayState,
        now: Timestamp,
    ) -> Result<AuthnRequest, SamlError> {
        let address = provider
            .sign_on_url(binding)
            .ok_or_else(|| SamlError::NoBinding {
                binding: binding.uri(),
                entity: provider.entity_id().to_owned(),
            })?;
        match binding {
            Binding::Redirect => {
                let request = self.request(address, id, now, "");
                self.redirect(address, &request, relay_state)
                    .map(AuthnRequest::Redirect)
            }
            Binding::Post => Ok(AuthnRequest::Post(PostForm {
                action: address.to_owned(),
                saml_request: STANDARD.encode(self.signed_request(address, id, now)?),
                relay_state: relay_state.0.clone(),
            })),
        }
    }

    fn request(&self, address: &str, id: &RequestId, now: Timestamp, signature: &str) -> String {
        format!(
            "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"{}\" Version=\"2.0\" \
             IssueInstant=\"{now}\" Destination=\"{}\" AssertionConsumerServiceURL=\"{}\" ProtocolBinding=\"{}\" \
             ForceAuthn=\"false\"><saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{}</saml:Issuer>\
             {signature}<samlp:NameIDPolicy Format=\"{}\" AllowCreate=\"true\"/></samlp:AuthnRequest>",
            id.0,
            escaped(address),
            escaped(self.acs_url()),
            Binding::Post.uri(),
            escaped(self.entity_id()),
            self.name_id_format().uri(),
        )
    }

    /// Bindings 3.4.4.1: the signature is over the query as it is sent, so it is made once and used as it is.
    fn redirect(&self, address: &str, request: &str, relay_state: &RelayState) -> Result<String, SamlError> {
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let deflated = STANDARD.encode(compress_to_vec(request.as_bytes(), COMPRESSION));
        let query = format!(
            "SAMLRequest={}&RelayState={}&SigAlg={}",
            encoded(&deflated),
            encoded(relay_state.as_str()),
            encoded(RSA_SHA256)
        );
        let signature = STANDARD.encode(self.signing_key()?.sign(query.as_bytes())?);
        let separator = if address.contains('?') { '&' } else { '?' };
        Ok(format!(
            "{address}{separator}{query}&Signature={}",
            encoded(&signature)
        ))
    }

    /// The request with an enveloped signature after its issuer.
    fn signed_request(&self, address: &str, id: &RequestId, now: Timestamp) -> Result<String, SamlError> {
        let key = self.signing_key()?;
        let unsigned = self.request(address, id, now, "");
        let document = tree::parse(&unsigned, &MESSAGE)?;
        let octets = canonicalize(document.root_element(), &[], None)?;
        let digest = STANDARD.encode(digest(DIGEST_SHA256, octets.as_bytes())?);
        let info = format!(
            "<ds:SignedInfo xmlns:ds=\"{SIGNATURE}\"><ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/>\
             <ds:SignatureMethod Algorithm=\"{RSA_SHA256}\"/><ds:Reference URI=\"#{}\"><ds:Transforms>\
             <ds:Transform Algorithm=\"{ENVELOPED}\"/><ds:Transform Algorithm=\"{EXCLUSIVE}\"/></ds:Transforms>\
             <ds:DigestMethod Algorithm=\"{DIGEST_SHA256}\"/><ds:DigestValue>{digest}</ds:DigestValue>\
             </ds:Reference></ds:SignedInfo>",
            id.0
        );
        let document = tree::parse(&info, &MESSAGE)?;
        let signature = key.sign(canonicalize(document.root_element(), &[], None)?.as_bytes())?;
        let certificate = STANDARD.encode(key.certificate().der());
        let signature = format!(
            "<ds:Signature xmlns:ds=\"{SIGNATURE}\">{info}<ds:SignatureValue>{}</ds:SignatureValue><ds:KeyInfo>\
             <ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>",
            STANDARD.encode(signature)
        );
        Ok(self.request(address, id, now, &signature))
    }
}

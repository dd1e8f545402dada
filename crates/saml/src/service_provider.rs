//! Ourselves, as identity providers see us.

use std::fmt;

use aws_lc_rs::rsa::{OaepPrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use crate::certificate::Certificate;
use crate::write::escaped;
use crate::{Binding, SamlError};

/// An RSA key of ours with its certificate: it signs requests and decrypts assertions.
pub struct ServiceProviderKey {
    signing: RsaKeyPair,
    decrypting: OaepPrivateDecryptingKey,
    certificate: Certificate,
}

impl fmt::Debug for ServiceProviderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceProviderKey")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

impl ServiceProviderKey {
    /// A private key in PKCS#8 and its X.509 certificate, both DER.
    ///
    /// # Errors
    /// [`SamlError::Key`]: no RSA key of 2048 bits or more, or the certificate of another one.
    pub fn new(pkcs8: &[u8], certificate: Vec<u8>) -> Result<Self, SamlError> {
        let refused = || SamlError::Key {
            reason: "it is no RSA key in PKCS#8",
        };
        let certificate = Certificate::from_der(certificate)?;
        let signing = RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| refused())?;
        let decrypting = PrivateDecryptingKey::from_pkcs8(pkcs8)
            .map_err(|_| refused())
            .and_then(|key| OaepPrivateDecryptingKey::new(key).map_err(|_| refused()))?;
        if signing.public_key().as_ref() != certificate.key.octets {
            return Err(SamlError::Key {
                reason: "the certificate is that of another key",
            });
        }
        Ok(Self {
            signing,
            decrypting,
            certificate,
        })
    }

    /// Its certificate.
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(crate) const fn decrypting(&self) -> &OaepPrivateDecryptingKey {
        &self.decrypting
    }

    /// RSA-SHA256 over `octets`.
    pub(crate) fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, SamlError> {
        let mut signature = vec![0; self.signing.public_modulus_len()];
        let random = aws_lc_rs::rand::SystemRandom::new();
        self.signing
            .sign(
                &aws_lc_rs::signature::RSA_PKCS1_SHA256,
                &random,
                octets,
                &mut signature,
            )
            .map_err(|_| SamlError::Key {
                reason: "it does not sign",
            })?;
        Ok(signature)
    }
}

/// What of a response has to be signed. What is signed is verified, whether it has to be or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignedParts {
    /// The response or the assertion.
    #[default]
    Either,
    /// The assertion.
    Assertion,
    /// The response.
    Response,
    /// Both.
    Both,
}

/// Which kind of name requests ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NameIdFormat {
    /// One that stays the same and is nobody else's later.
    #[default]
    Persistent,
    /// The email address.
    Email,
    /// What the provider likes.
    Unspecified,
}

impl NameIdFormat {
    pub(crate) const fn uri(self) -> &'static str {
        match self {
            Self::Persistent => "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
            Self::Email => "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
            Self::Unspecified => "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
        }
    }
}

/// The service provider: its names and keys.
#[derive(Debug)]
pub struct ServiceProvider {
    entity_id: String,
    acs_url: String,
    keys: Vec<ServiceProviderKey>,
    signed_parts: SignedParts,
    name_id_format: NameIdFormat,
}

impl ServiceProvider {
    /// `entity_id` is what providers call us, `acs_url` where they send responses. The first key signs; all decrypt, so that one
    /// that is replaced is kept while providers may still use it.
    ///
    /// # Errors
    /// An empty or overlong entity id, an address that is no `http` or `https` URL, no key.
    pub fn new(entity_id: &str, acs_url: &str, keys: Vec<ServiceProviderKey>) -> Result<Self, SamlError> {
        if entity_id.is_empty() || entity_id.len() > MAX_ENTITY_ID_BYTES {
            return Err(SamlError::EntityId {
                max: MAX_ENTITY_ID_BYTES,
            });
        }
        check_address(acs_url, "the assertion consumer service")?;
        if keys.is_empty() {
            return Err(SamlError::Key {
                reason: "there is none",
            });
        }
        Ok(Self {
            entity_id: entity_id.to_owned(),
            acs_url: acs_url.to_owned(),
            keys,
            signed_parts: SignedParts::default(),
            name_id_format: NameIdFormat::default(),
        })
    }

    /// The same, asking for these parts to be signed.
    #[must_use]
    pub const fn requiring(mut self, signed_parts: SignedParts) -> Self {
        self.signed_parts = signed_parts;
        self
    }

    /// The same, asking for names of this kind.
    #[must_use]
    pub const fn naming(mut self, format: NameIdFormat) -> Self {
        self.name_id_format = format;
        self
    }

    /// What providers call us.
    pub fn entity_id(&self) -> &str {
        &self.entity_id
    }

    /// Where providers send responses.
    pub fn acs_url(&self) -> &str {
        &self.acs_url
    }

    pub(crate) fn keys(&self) -> &[ServiceProviderKey] {
        &self.keys
    }

    pub(crate) const fn signed_parts(&self) -> SignedParts {
        self.signed_parts
    }

    pub(crate) const fn name_id_format(&self) -> NameIdFormat {
        self.name_id_format
    }

    pub(crate) fn signing_key(&self) -> Result<&ServiceProviderKey, SamlError> {
        self.keys.first().ok_or(SamlError::Key {
            reason: "there is none",
        })
    }

    /// Our metadata, for the provider's administrator: every key to verify with, the first to encrypt for.
    pub fn metadata(&self) -> String {
        let mut descriptors = String::new();
        for (place, key) in self.keys.iter().enumerate() {
            let certificate = STANDARD.encode(key.certificate.der());
            // One that is only kept to decrypt what is under way is not offered for more.
            let uses: &[&str] = if place == 0 {
                &["signing", "encryption"]
            } else {
                &["signing"]
            };
            for key_use in uses {
                descriptors.push_str(&key_descriptor(key_use, &certificate));
            }
        }
        format!(
            "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{}\">\
             <md:SPSSODescriptor AuthnRequestsSigned=\"true\" WantAssertionsSigned=\"{}\" \
             protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{descriptors}\
             <md:NameIDFormat>{}</md:NameIDFormat>\
             <md:AssertionConsumerService Binding=\"{}\" Location=\"{}\" index=\"0\" isDefault=\"true\"/>\
             </md:SPSSODescriptor></md:EntityDescriptor>",
            escaped(&self.entity_id),
            self.signed_parts != SignedParts::Response,
            self.name_id_format.uri(),
            Binding::Post.uri(),
            escaped(&self.acs_url),
        )
    }
}

/// What the reference takes at most for an entity id, and SAML allows half of.
const MAX_ENTITY_ID_BYTES: usize = 2048;

fn key_descriptor(key_use: &str, certificate: &str) -> String {
    let methods = if key_use == "encryption" {
        "<md:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#aes256-gcm\"/>\
         <md:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#aes128-gcm\"/>\
         <md:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/>"
    } else {
        ""
    };
    format!(
        "<md:KeyDescriptor use=\"{key_use}\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data>\
         <ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>{methods}</md:KeyDescriptor>"
    )
}

/// Refuses what a browser must not be sent to.
pub(crate) fn check_address(address: &str, what: &'static str) -> Result<(), SamlError> {
    let parsed = Url::parse(address).ok();
    if parsed.is_some_and(|url| {
        matches!(url.scheme(), "https" | "http") && url.has_host() && url.fragment().is_none()
    }) {
        return Ok(());
    }
    Err(SamlError::BadAddress {
        what,
        text: crate::tree::shortened(address),
    })
}

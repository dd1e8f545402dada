//! Encrypted assertions: RSA-OAEP for the key, AES-GCM for the data.
//!
//! Both say nothing but yes or no, and whatever fails is one and the same error, so that nobody learns a plaintext by asking.
//! CBC cannot be had that way and is refused by name.

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512, OaepAlgorithm,
};
use roxmltree::Node;
use zeroize::Zeroizing;

use crate::SamlError;
use crate::limits::{self, MESSAGE, Rules};
use crate::service_provider::ServiceProviderKey;
use crate::tree::{self, ASSERTION, ENCRYPTION, ENCRYPTION_11, SIGNATURE, shortened};
use crate::write::escaped;

/// Keys for different recipients, or copies of one.
const MAX_KEYS: usize = 8;
const RULES: Rules = Rules {
    what: "the decrypted assertion",
    ..MESSAGE
};

/// Decrypts an `EncryptedAssertion` and answers a document whose root holds the assertion, with the namespaces that it stood
/// among (XML Encryption 4.2: what is decrypted is read where it stood).
pub(crate) fn decrypt(encrypted: Node<'_, '_>, keys: &[ServiceProviderKey]) -> Result<String, SamlError> {
    let data = tree::exactly_one(encrypted, ENCRYPTION, "EncryptedData")?;
    let algorithm = DataAlgorithm::of(data)?;
    let ciphertext = cipher_value(data)?;
    let wrapped = wrapped_keys(encrypted, data)?;
    let plaintext = keys
        .iter()
        .flat_map(|key| wrapped.iter().map(move |wrapped| (key, wrapped)))
        .find_map(|(key, wrapped)| algorithm.open(&wrapped.unwrap_with(key)?, &ciphertext))
        .ok_or(SamlError::CannotDecrypt { keys: keys.len() })?;
    let plaintext = String::from_utf8(plaintext).map_err(|_| SamlError::NotUtf8 { what: RULES.what })?;
    // Alone first: what closes the element around it would stand beside it.
    limits::check(&plaintext, &RULES)?;
    let mut document = String::from("<decrypted");
    for namespace in encrypted
        .namespaces()
        .filter(|namespace| namespace.name() != Some("xml"))
    {
        let prefix = namespace
            .name()
            .map(|name| format!(":{name}"))
            .unwrap_or_default();
        document.push_str(&format!(" xmlns{prefix}=\"{}\"", escaped(namespace.uri())));
    }
    document.push('>');
    document.push_str(&plaintext);
    document.push_str("</decrypted>");
    check(&document)?;
    Ok(document)
}

/// The plaintext is one assertion and nothing beside it.
fn check(document: &str) -> Result<(), SamlError> {
    // A parser's words would repeat what was secret on the way.
    let hidden = |_| SamlError::Malformed {
        what: RULES.what,
        reason: "it cannot be parsed".to_owned(),
    };
    let document = tree::parse(document, &RULES).map_err(hidden)?;
    let root = document.root_element();
    let others = root
        .children()
        .filter(|node| !(node.is_text() && is_blank(node.text())))
        .count();
    tree::exactly_one(root, ASSERTION, "Assertion")?;
    if others != 1 {
        return Err(SamlError::Unexpected {
            name: "text or element".to_owned(),
            within: "EncryptedAssertion".to_owned(),
        });
    }
    Ok(())
}

fn is_blank(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}

struct DataAlgorithm {
    cipher: &'static aead::Algorithm,
}

impl DataAlgorithm {
    fn of(data: Node<'_, '_>) -> Result<Self, SamlError> {
        let method = tree::exactly_one(data, ENCRYPTION, "EncryptionMethod")?;
        let cipher = match tree::attribute(method, "Algorithm")? {
            "http://www.w3.org/2009/xmlenc11#aes128-gcm" => &aead::AES_128_GCM,
            "http://www.w3.org/2009/xmlenc11#aes192-gcm" => &aead::AES_192_GCM,
            "http://www.w3.org/2009/xmlenc11#aes256-gcm" => &aead::AES_256_GCM,
            other => {
                return Err(SamlError::Algorithm {
                    purpose: "encryption (use AES-GCM)",
                    uri: shortened(other),
                });
            }
        };
        Ok(Self { cipher })
    }

    /// The plaintext, if the key is the right one and nothing was changed.
    fn open(&self, key: &[u8], ciphertext: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = ciphertext.split_at_checked(aead::NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let key = LessSafeKey::new(UnboundKey::new(self.cipher, key).ok()?);
        let mut sealed = sealed.to_vec();
        let opened = key.open_in_place(nonce, Aad::empty(), &mut sealed).ok()?.len();
        sealed.truncate(opened);
        Some(sealed)
    }
}

/// A key for the data, encrypted for somebody.
struct WrappedKey {
    padding: &'static OaepAlgorithm,
    label: Option<Vec<u8>>,
    ciphertext: Vec<u8>,
}

/// The `EncryptedKey`s, which stand in the data's `KeyInfo` or beside the data.
fn wrapped_keys(encrypted: Node<'_, '_>, data: Node<'_, '_>) -> Result<Vec<WrappedKey>, SamlError> {
    let key_info = tree::at_most_one(data, SIGNATURE, "KeyInfo")?;
    let nodes: Vec<_> = key_info
        .into_iter()
        .chain([encrypted])
        .flat_map(|parent| tree::children(parent, ENCRYPTION, "EncryptedKey"))
        .collect();
    if nodes.is_empty() {
        return Err(SamlError::Missing {
            name: "EncryptedKey",
            within: "EncryptedAssertion".to_owned(),
        });
    }
    if nodes.len() > MAX_KEYS {
        return Err(SamlError::TooMany {
            what: MESSAGE.what,
            of: "encrypted keys",
            max: MAX_KEYS,
        });
    }
    nodes.into_iter().map(WrappedKey::read).collect()
}

impl WrappedKey {
    fn read(node: Node<'_, '_>) -> Result<Self, SamlError> {
        let method = tree::exactly_one(node, ENCRYPTION, "EncryptionMethod")?;
        let label = tree::at_most_one(method, ENCRYPTION, "OAEPparams")?
            .map(|label| tree::base64(&tree::value(label)?, "OAEPparams"))
            .transpose()?;
        Ok(Self {
            padding: padding(method)?,
            label,
            ciphertext: cipher_value(node)?,
        })
    }

    fn unwrap_with(&self, key: &ServiceProviderKey) -> Option<Zeroizing<Vec<u8>>> {
        let decrypting = key.decrypting();
        let mut output = Zeroizing::new(vec![0; decrypting.min_output_size()]);
        let label = self.label.as_deref();
        let length = decrypting
            .decrypt(self.padding, &self.ciphertext, &mut output, label)
            .ok()?
            .len();
        output.truncate(length);
        Some(output)
    }
}

/// OAEP by SHA-1 is the default of XML Encryption and what most providers send; nothing of it depends on collisions.
fn padding(method: Node<'_, '_>) -> Result<&'static OaepAlgorithm, SamlError> {
    const SHA1: &str = "http://www.w3.org/2000/09/xmldsig#sha1";
    let uri = tree::attribute(method, "Algorithm")?;
    let digest = tree::at_most_one(method, SIGNATURE, "DigestMethod")?;
    let digest = digest
        .map(|digest| tree::attribute(digest, "Algorithm"))
        .transpose()?
        .unwrap_or(SHA1);
    let mask = tree::at_most_one(method, ENCRYPTION_11, "MGF")?;
    let mask = mask.map(|mask| tree::attribute(mask, "Algorithm")).transpose()?;
    let mask = match uri {
        "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p" => "mgf1sha1",
        "http://www.w3.org/2009/xmlenc11#rsa-oaep" => match mask {
            None => "mgf1sha1",
            Some(mask) => mask.strip_prefix(ENCRYPTION_11).unwrap_or(mask),
        },
        other => {
            return Err(SamlError::Algorithm {
                purpose: "key encryption (use RSA-OAEP)",
                uri: shortened(other),
            });
        }
    };
    match (digest, mask) {
        (SHA1, "mgf1sha1") => Ok(&OAEP_SHA1_MGF1SHA1),
        ("http://www.w3.org/2001/04/xmlenc#sha256", "mgf1sha256") => Ok(&OAEP_SHA256_MGF1SHA256),
        ("http://www.w3.org/2001/04/xmldsig-more#sha384", "mgf1sha384") => Ok(&OAEP_SHA384_MGF1SHA384),
        ("http://www.w3.org/2001/04/xmlenc#sha512", "mgf1sha512") => Ok(&OAEP_SHA512_MGF1SHA512),
        (digest, mask) => Err(SamlError::Algorithm {
            purpose: "key encryption (use the same digest for RSA-OAEP and its mask)",
            uri: shortened(&format!("{digest} with {mask}")),
        }),
    }
}

fn cipher_value(node: Node<'_, '_>) -> Result<Vec<u8>, SamlError> {
    let data = tree::exactly_one(node, ENCRYPTION, "CipherData")?;
    let value = tree::exactly_one(data, ENCRYPTION, "CipherValue")?;
    tree::base64(&tree::value(value)?, "CipherValue")
}

//! The algorithms that are accepted; what is not in these tables is refused by name.

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};

use crate::SamlError;
use crate::certificate::{KeyKind, PublicKey};
use crate::tree::shortened;

pub(crate) const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
pub(crate) const DIGEST_SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
pub(crate) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// A signature algorithm: its name, the kind of key it needs, how it is verified.
pub(crate) struct SignatureAlgorithm {
    uri: &'static str,
    key: KeyKind,
    verification: &'static dyn VerificationAlgorithm,
}

/// ECDSA signatures are the two numbers side by side (RFC 4050, 6931), not ASN.1; each curve comes with its own digest.
static SIGNATURES: [SignatureAlgorithm; 9] = [
    SignatureAlgorithm {
        uri: RSA_SHA256,
        key: KeyKind::Rsa,
        verification: &signature::RSA_PKCS1_2048_8192_SHA256,
    },
    SignatureAlgorithm {
        uri: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
        key: KeyKind::Rsa,
        verification: &signature::RSA_PKCS1_2048_8192_SHA384,
    },
    SignatureAlgorithm {
        uri: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
        key: KeyKind::Rsa,
        verification: &signature::RSA_PKCS1_2048_8192_SHA512,
    },
    SignatureAlgorithm {
        uri: "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
        key: KeyKind::Rsa,
        verification: &signature::RSA_PSS_2048_8192_SHA256,
    },
    SignatureAlgorithm {
        uri: "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1",
        key: KeyKind::Rsa,
        verification: &signature::RSA_PSS_2048_8192_SHA384,
    },
    SignatureAlgorithm {
        uri: "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1",
        key: KeyKind::Rsa,
        verification: &signature::RSA_PSS_2048_8192_SHA512,
    },
    SignatureAlgorithm {
        uri: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        key: KeyKind::P256,
        verification: &signature::ECDSA_P256_SHA256_FIXED,
    },
    SignatureAlgorithm {
        uri: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
        key: KeyKind::P384,
        verification: &signature::ECDSA_P384_SHA384_FIXED,
    },
    SignatureAlgorithm {
        uri: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
        key: KeyKind::P521,
        verification: &signature::ECDSA_P521_SHA512_FIXED,
    },
];

impl SignatureAlgorithm {
    pub(crate) fn named(uri: &str) -> Result<&'static Self, SamlError> {
        SIGNATURES
            .iter()
            .find(|algorithm| algorithm.uri == uri)
            .ok_or_else(|| SamlError::Algorithm {
                purpose: "signing",
                uri: shortened(uri),
            })
    }

    /// Whether `key` made this signature. A key of another kind made none.
    pub(crate) fn verifies(&self, key: &PublicKey, octets: &[u8], signature: &[u8]) -> bool {
        key.kind == self.key
            && UnparsedPublicKey::new(self.verification, &key.octets)
                .verify(octets, signature)
                .is_ok()
    }
}

/// The digest of `octets` by the algorithm of that name.
pub(crate) fn digest(uri: &str, octets: &[u8]) -> Result<Vec<u8>, SamlError> {
    let algorithm = match uri {
        DIGEST_SHA256 => &SHA256,
        "http://www.w3.org/2001/04/xmldsig-more#sha384" => &SHA384,
        "http://www.w3.org/2001/04/xmlenc#sha512" => &SHA512,
        other => {
            return Err(SamlError::Algorithm {
                purpose: "digests",
                uri: shortened(other),
            });
        }
    };
    Ok(digest::digest(algorithm, octets).as_ref().to_vec())
}

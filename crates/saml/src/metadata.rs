//! Identity providers' metadata.

use reeve_types::Timestamp;
use roxmltree::Node;
use url::{Host, Url};

use crate::limits::METADATA as RULES;
use crate::service_provider::check_address;
use crate::time::{check_not_past, instant};
use crate::tree::{self, METADATA, PROTOCOL, SIGNATURE, shortened};
use crate::{Certificate, SamlError};

/// How many entity ids an error lists.
const LISTED: usize = 20;
/// What errors call the end of its validity.
const VALIDITY: &str = "validUntil of the metadata";

/// How a browser carries a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// In the address.
    Redirect,
    /// In a form.
    Post,
}

impl Binding {
    /// The binding's name in SAML.
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Redirect => "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
            Self::Post => "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
        }
    }
}

/// An identity provider, as its metadata says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityProvider {
    entity_id: String,
    signing: Vec<Certificate>,
    encryption: Vec<Certificate>,
    redirect: Option<String>,
    post: Option<String>,
    valid_until: Option<Timestamp>,
}

impl IdentityProvider {
    /// Reads metadata. Of a document of several entities it takes the one that is `entity`; without `entity`, the only identity
    /// provider in it. A signature of the document is not verified: whoever configures it answers for where it came from.
    ///
    /// # Errors
    /// Metadata that is no longer valid or not of one identity provider with signing certificates and an address to sign on at.
    pub fn from_metadata(xml: &[u8], entity: Option<&str>, now: Timestamp) -> Result<Self, SamlError> {
        RULES.check_size(xml.len())?;
        let text = std::str::from_utf8(xml).map_err(|_| SamlError::NotUtf8 { what: RULES.what })?;
        let document = tree::parse(text.strip_prefix('\u{feff}').unwrap_or(text).trim(), &RULES)?;
        let chosen = choose(document.root_element(), entity)?;
        let entity_id = tree::attribute(chosen, "entityID")?.to_owned();
        let descriptor = descriptor(chosen, &entity_id)?;
        let mut provider = Self {
            signing: Vec::new(),
            encryption: Vec::new(),
            redirect: sign_on(descriptor, Binding::Redirect)?,
            post: sign_on(descriptor, Binding::Post)?,
            valid_until: valid_until(descriptor)?,
            entity_id,
        };
        provider.check_valid(now)?;
        provider.read_keys(descriptor)?;
        if provider.signing.is_empty() {
            return Err(SamlError::NoSigningKey {
                entity: shortened(&provider.entity_id),
            });
        }
        if provider.redirect.is_none() && provider.post.is_none() {
            return Err(SamlError::NoBinding {
                binding: Binding::Post.uri(),
                entity: shortened(&provider.entity_id),
            });
        }
        Ok(provider)
    }

    /// The provider's name.
    pub fn entity_id(&self) -> &str {
        &self.entity_id
    }

    /// The certificates whose keys sign: while the provider replaces one, there are two.
    pub fn signing_certificates(&self) -> &[Certificate] {
        &self.signing
    }

    /// The certificates that one would encrypt for.
    pub fn encryption_certificates(&self) -> &[Certificate] {
        &self.encryption
    }

    /// Where a browser signs on by that binding.
    pub fn sign_on_url(&self, binding: Binding) -> Option<&str> {
        match binding {
            Binding::Redirect => self.redirect.as_deref(),
            Binding::Post => self.post.as_deref(),
        }
    }

    /// The binding to use: the redirect, where the provider has it. A form would be sent by a script, which our pages have none of, or by
    /// one more press of a button.
    pub const fn preferred_binding(&self) -> Binding {
        if self.redirect.is_some() {
            Binding::Redirect
        } else {
            Binding::Post
        }
    }

    /// Until when the metadata may be used, if it says.
    pub const fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }

    pub(crate) fn check_valid(&self, now: Timestamp) -> Result<(), SamlError> {
        self.valid_until
            .map_or(Ok(()), |end| check_not_past(end, now, VALIDITY))
    }

    /// A key without `use` is for both.
    fn read_keys(&mut self, descriptor: Node<'_, '_>) -> Result<(), SamlError> {
        for key in tree::children(descriptor, METADATA, "KeyDescriptor") {
            let Some(certificate) = certificate(key)? else {
                continue;
            };
            let (signs, encrypts) = match tree::optional(key, "use") {
                None => (true, true),
                Some("signing") => (true, false),
                Some("encryption") => (false, true),
                Some(other) => {
                    return Err(SamlError::KeyUse {
                        found: shortened(other),
                    });
                }
            };
            if signs && !self.signing.contains(&certificate) {
                self.signing.push(certificate.clone());
            }
            if encrypts && !self.encryption.contains(&certificate) {
                self.encryption.push(certificate);
            }
        }
        Ok(())
    }
}

/// The entity to use.
fn choose<'a, 'i>(root: Node<'a, 'i>, entity: Option<&str>) -> Result<Node<'a, 'i>, SamlError> {
    let single = tree::is(root, METADATA, "EntityDescriptor");
    if !single && !tree::is(root, METADATA, "EntitiesDescriptor") {
        return Err(SamlError::NotMetadata {
            name: shortened(root.tag_name().name()),
        });
    }
    let entities: Vec<_> = root
        .descendants()
        .filter(|node| tree::is(*node, METADATA, "EntityDescriptor"))
        .collect();
    let providers = || entities.iter().copied().filter(|node| is_provider(*node));
    let named = |name: &str| {
        entities
            .iter()
            .copied()
            .filter(move |n| tree::optional(*n, "entityID") == Some(name))
            .collect::<Vec<_>>()
    };
    let found = match entity {
        Some(name) => named(name),
        None if single => vec![root],
        None => providers().collect(),
    };
    match (found.as_slice(), entity) {
        (&[one], _) => Ok(one),
        ([], Some(wanted)) => Err(SamlError::NoSuchEntity {
            wanted: shortened(wanted),
            listed: listed(providers()),
        }),
        ([], None) => Err(SamlError::NoProvider {
            entity: listed(entities.iter().copied()),
        }),
        (_, Some(wanted)) => Err(SamlError::Several {
            name: "EntityDescriptor",
            within: shortened(wanted),
        }),
        (_, None) => Err(SamlError::SeveralEntities {
            listed: listed(providers()),
        }),
    }
}

fn is_provider(entity: Node<'_, '_>) -> bool {
    tree::children(entity, METADATA, "IDPSSODescriptor")
        .next()
        .is_some()
}

fn listed<'a, 'i: 'a>(entities: impl Iterator<Item = Node<'a, 'i>>) -> String {
    let mut ids: Vec<_> = entities
        .map(|node| shortened(tree::optional(node, "entityID").unwrap_or_default()))
        .collect();
    let more = ids.len().saturating_sub(LISTED);
    ids.truncate(LISTED);
    let ids = ids.join(", ");
    if more == 0 {
        ids
    } else {
        format!("{ids} and {more} more")
    }
}

/// The entity's part that speaks SAML 2.0 as an identity provider.
fn descriptor<'a, 'i>(entity: Node<'a, 'i>, entity_id: &str) -> Result<Node<'a, 'i>, SamlError> {
    let speaks = |node: &Node<'_, '_>| {
        let protocols = tree::optional(*node, "protocolSupportEnumeration").unwrap_or_default();
        protocols
            .split_ascii_whitespace()
            .any(|protocol| protocol == PROTOCOL)
    };
    let mut found = tree::children(entity, METADATA, "IDPSSODescriptor").filter(speaks);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(SamlError::NoProvider {
            entity: shortened(entity_id),
        }),
        (Some(_), Some(_)) => Err(SamlError::Several {
            name: "IDPSSODescriptor",
            within: shortened(entity_id),
        }),
    }
}

/// The earliest end that the part or anything around it states.
fn valid_until(descriptor: Node<'_, '_>) -> Result<Option<Timestamp>, SamlError> {
    let mut earliest: Option<Timestamp> = None;
    for node in descriptor.ancestors().filter(Node::is_element) {
        if let Some(text) = tree::optional(node, "validUntil") {
            let end = instant(text, VALIDITY)?;
            earliest = Some(earliest.map_or(end, |known| known.min(end)));
        }
    }
    Ok(earliest)
}

fn sign_on(descriptor: Node<'_, '_>, binding: Binding) -> Result<Option<String>, SamlError> {
    let service = tree::children(descriptor, METADATA, "SingleSignOnService")
        .find(|service| tree::optional(*service, "Binding") == Some(binding.uri()));
    let Some(service) = service else { return Ok(None) };
    let address = tree::attribute(service, "Location")?;
    check_sign_on(address)?;
    Ok(Some(address.to_owned()))
}

/// Refuses what our pages must not send a browser to: besides what [`check_address`] refuses, plain http that leaves the machine,
/// and an origin that would say more in a Content-Security-Policy than where a form may be sent.
fn check_sign_on(address: &str) -> Result<(), SamlError> {
    const WHAT: &str = "SingleSignOnService";
    check_address(address, WHAT)?;
    let wrong = || SamlError::SignOnAddress {
        text: shortened(address),
    };
    let url = Url::parse(address).map_err(|_| wrong())?;
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let origin = url.origin().ascii_serialization();
    let is_plain = origin
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b":/.-_[]".contains(&byte));
    if is_plain && (url.scheme() == "https" || is_loopback) {
        Ok(())
    } else {
        Err(wrong())
    }
}

/// The certificate of a key. Several have to be of one key: a chain's other certificates are nobody that signs here.
fn certificate(key: Node<'_, '_>) -> Result<Option<Certificate>, SamlError> {
    let mut found: Option<Certificate> = None;
    for info in tree::children(key, SIGNATURE, "KeyInfo") {
        for data in tree::children(info, SIGNATURE, "X509Data") {
            for node in tree::children(data, SIGNATURE, "X509Certificate") {
                let one = Certificate::from_der(tree::base64(&tree::value(node)?, "X509Certificate")?)?;
                match &found {
                    Some(first) if first.key != one.key => return Err(SamlError::SeveralKeys),
                    Some(_) => {}
                    None => found = Some(one),
                }
            }
        }
    }
    Ok(found)
}

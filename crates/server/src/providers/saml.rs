//! A provider of SAML 2.0: its settings, our keys for it, and what its attributes come to.
//!
//! **Promises.** Our private keys for a provider, and the metadata that was given as a file, are sealed with the master key for its
//! alias: whoever can write to the database cannot make another's certificate count. Keys are made with the provider and stay
//! through every change of it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use reeve_api::identity_provider::{
    IdpType, Mappers, MetadataType, NameIdFormat, SamlData, SetSamlData, SignedParts,
};
use reeve_oidc::{GroupsError, Mapped, Mapper, MapperError, ProviderError, groups};
use reeve_saml::{IdentityProvider, Person, SamlError, ServiceProvider, ServiceProviderKey, SignIn};
use reeve_store::IdpRow;
use reeve_types::{IdpAlias, PosixIdentity, Secret, Timestamp};
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};
use url::Url;
use zeroize::Zeroizing;

use super::Failure;
use super::mappers::{mapper, shown};
use crate::error::ApiError;
use crate::security::Security;

/// What a row of one says.
pub(super) const KIND: &str = "saml";
/// What the sealed keys and metadata are called.
const SEALED: &str = "identity_provider.saml";
/// What Entra ID sends in place of more than 150 groups.
const GROUPS_ELSEWHERE: &str = "http://schemas.microsoft.com/claims/groups.link";
/// How long our certificates last, in years. Nobody checks who signed them: it is their key that providers are given.
const CERTIFICATE_YEARS: i32 = 20;

/// What is kept as text, and shown in the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SamlSettings {
    /// The address of the metadata; without one it is a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) metadata_url: Option<String>,
    /// What the file was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file_name: Option<String>,
    /// The SHA-256 of the file, so that the audit log says which it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) metadata_sha256: Option<String>,
    /// What we are called there, if something of its own was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) entity_id: Option<String>,
    /// Which entity of the metadata it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) provider_entity_id: Option<String>,
    pub(crate) signed_parts: SignedParts,
    pub(crate) name_id_format: NameIdFormat,
}

/// What is kept sealed.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Sealed {
    /// The metadata that was given as a file.
    metadata: Option<String>,
    /// The first signs, all decrypt.
    keys: Vec<SealedKey>,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed")
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct SealedKey {
    /// The private key in PKCS#8, in base64. This is the one place where it is stored.
    #[serde(serialize_with = "exposed")]
    pkcs8: Secret,
    /// Its certificate, in base64.
    certificate: String,
}

fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

/// Why there is no provider of these settings: 400.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoMetadata {
    /// A new one with a file that is not there.
    #[error("`samlData.metadataXmlFile`: the provider's metadata is needed")]
    NoFile,
    /// Neither XML nor base64 of it.
    #[error("`samlData.metadataXmlFile`: XML, or base64 of XML, is needed")]
    NoXml,
    /// No address that may be asked.
    #[error("`samlData.metadataXmlUrl`: {0}")]
    Address(ProviderError),
    /// Metadata that cannot be used.
    #[error("`samlData.metadataXmlFile`: {0}")]
    Unusable(SamlError),
}

impl crate::error::Refusal for NoMetadata {}

/// A provider of SAML 2.0, ready for use.
#[derive(Debug, Clone)]
pub(crate) struct SamlIdp {
    pub(crate) alias: IdpAlias,
    pub(crate) settings: SamlSettings,
    pub(super) sealed: Sealed,
    pub(crate) mapper: Mapper,
    pub(crate) mappers: Mappers,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// Where its metadata comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    Url(&'a str),
    File(&'a str),
}

/// An address of metadata that may be read; the reference's clients may leave `https://` out.
pub(super) fn address(text: &str) -> Result<Url, ProviderError> {
    let what = "the address of the metadata";
    if text.contains("://") {
        reeve_oidc::document_address(what, text)
    } else {
        reeve_oidc::document_address(what, &format!("https://{text}"))
    }
}

impl SamlSettings {
    /// Of a request, and the file that came with it, as XML.
    ///
    /// # Errors
    /// [`NoMetadata::Address`], [`NoMetadata::NoXml`].
    pub(crate) fn of(data: &SetSamlData) -> Result<(Self, Option<String>), NoMetadata> {
        let is_url = data.source() == MetadataType::Url;
        let given = |text: &Option<String>| text.clone().filter(|it| !it.is_empty());
        let url = data.address().filter(|_| is_url).map(str::to_owned);
        if let Some(url) = &url {
            address(url).map_err(NoMetadata::Address)?;
        }
        let file = data.file().filter(|_| !is_url).map(xml).transpose()?;
        let settings = Self {
            metadata_url: url,
            file_name: given(&data.file_name).filter(|_| !is_url),
            metadata_sha256: None,
            entity_id: given(&data.entity_id),
            provider_entity_id: given(&data.identity_provider_entity_id),
            signed_parts: data.signed_parts,
            name_id_format: data.name_id_format,
        };
        Ok((settings, file))
    }
}

/// A file as it was given: XML, or that in base64.
fn xml(file: &str) -> Result<String, NoMetadata> {
    if file.trim_start_matches('\u{feff}').trim_start().starts_with('<') {
        return Ok(file.to_owned());
    }
    let joined: String = file.split_ascii_whitespace().collect();
    let bytes = STANDARD.decode(joined).map_err(|_| NoMetadata::NoXml)?;
    String::from_utf8(bytes).map_err(|_| NoMetadata::NoXml)
}

/// A new key and its certificate.
fn new_key(alias: &IdpAlias, now: Timestamp) -> Result<SealedKey, ApiError> {
    let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072).map_err(ApiError::internal)?;
    let mut params = CertificateParams::new(Vec::new()).map_err(ApiError::internal)?;
    params
        .distinguished_name
        .push(DnType::CommonName, format!("Reeve, for {alias}"));
    let year = jiff::Timestamp::from_second(now.as_seconds())
        .map_err(ApiError::internal)?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .year();
    let year = i32::from(year);
    params.not_before = rcgen::date_time_ymd(year.saturating_sub(1), 1, 1);
    params.not_after = rcgen::date_time_ymd(year.saturating_add(CERTIFICATE_YEARS), 1, 1);
    let certificate = params.self_signed(&pair).map_err(ApiError::internal)?;
    let pkcs8 = Zeroizing::new(pair.serialize_der());
    Ok(SealedKey {
        pkcs8: Secret::new(STANDARD.encode(&*pkcs8)),
        certificate: STANDARD.encode(certificate.der()),
    })
}

impl SamlIdp {
    /// A new one, with a key of its own, which takes some tenths of a second to make. Metadata that cannot be used costs no key.
    ///
    /// # Errors
    /// [`NoMetadata`].
    pub(crate) fn new(
        alias: IdpAlias,
        data: &SetSamlData,
        mappers: Mappers,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        let (settings, file) = SamlSettings::of(data)?;
        if settings.metadata_url.is_none() && file.is_none() {
            return Err(NoMetadata::NoFile.into());
        }
        let sealed = Sealed {
            metadata: None,
            keys: Vec::new(),
        };
        let understood = Self {
            alias,
            settings: settings.clone(),
            sealed,
            mapper: mapper(&mappers, Mapper::default()),
            mappers,
            created_at: now,
            updated_at: now,
        };
        let mut idp = understood.with(settings, file, now)?;
        idp.sealed.keys.push(new_key(&idp.alias, now)?);
        Ok(idp)
    }

    /// The same with other settings; a file that is left out stays.
    ///
    /// # Errors
    /// [`NoMetadata`].
    pub(crate) fn changed(
        &self,
        data: &SetSamlData,
        mappers: Mappers,
        now: Timestamp,
    ) -> Result<Self, NoMetadata> {
        let (settings, file) = SamlSettings::of(data)?;
        let file = match (&settings.metadata_url, file) {
            (Some(_), _) => None,
            (None, Some(file)) => Some(file),
            (None, None) => Some(self.sealed.metadata.clone().ok_or(NoMetadata::NoFile)?),
        };
        let mapped = Self {
            mapper: mapper(&mappers, Mapper::default()),
            mappers,
            ..self.clone()
        };
        mapped.with(settings, file, now)
    }

    fn with(
        self,
        mut settings: SamlSettings,
        file: Option<String>,
        now: Timestamp,
    ) -> Result<Self, NoMetadata> {
        settings.metadata_sha256 = file.as_ref().map(|file| {
            let digest = Sha256::digest(file.as_bytes());
            digest.iter().map(|byte| format!("{byte:02x}")).collect()
        });
        let idp = Self {
            settings,
            sealed: Sealed {
                metadata: file,
                keys: self.sealed.keys,
            },
            updated_at: now,
            ..self
        };
        if let Some(file) = &idp.sealed.metadata {
            idp.understood(file.as_bytes(), now)
                .map_err(NoMetadata::Unusable)?;
        }
        Ok(idp)
    }

    pub(super) fn read(row: &IdpRow, security: &Security) -> Result<Self, ApiError> {
        let mappers: Mappers = serde_json::from_str(&row.mappers).map_err(ApiError::internal)?;
        let sealed = security.unsealed(SEALED, row.alias.as_str(), &row.sealed)?;
        Ok(Self {
            alias: row.alias.clone(),
            settings: serde_json::from_str(&row.settings).map_err(ApiError::internal)?,
            sealed: serde_json::from_str(sealed.expose()).map_err(ApiError::internal)?,
            mapper: mapper(&mappers, Mapper::default()),
            mappers,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }

    pub(super) fn row(&self, security: &Security) -> Result<IdpRow, ApiError> {
        let sealed = Zeroizing::new(serde_json::to_string(&self.sealed).map_err(ApiError::internal)?);
        Ok(IdpRow {
            alias: self.alias.clone(),
            kind: KIND.to_owned(),
            settings: serde_json::to_string(&self.settings).map_err(ApiError::internal)?,
            sealed: security.sealed(SEALED, self.alias.as_str(), &sealed)?,
            mappers: serde_json::to_string(&self.mappers).map_err(ApiError::internal)?,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }

    pub(super) fn source(&self) -> Source<'_> {
        match (&self.settings.metadata_url, &self.sealed.metadata) {
            (Some(url), _) => Source::Url(url),
            // A row without either has a file that says nothing.
            (None, file) => Source::File(file.as_deref().unwrap_or_default()),
        }
    }

    /// The provider that its metadata describes.
    pub(super) fn understood(&self, xml: &[u8], now: Timestamp) -> Result<IdentityProvider, SamlError> {
        IdentityProvider::from_metadata(xml, self.settings.provider_entity_id.as_deref(), now)
    }

    /// What we are called there: what was set, or `issuer`, that of this installation.
    pub(crate) fn entity_id<'a>(&'a self, issuer: &'a str) -> &'a str {
        self.settings.entity_id.as_deref().unwrap_or(issuer)
    }

    /// Ourselves, as this provider sees us.
    ///
    /// # Errors
    /// [`Failure::Saml`]: the kept keys cannot be used.
    pub(crate) fn us(&self, issuer: &str, acs_url: &str) -> Result<ServiceProvider, Failure> {
        let unusable = || SamlError::Key {
            reason: "what is kept of it is not base64",
        };
        let keys = self.sealed.keys.iter().map(|key| {
            let pkcs8 = STANDARD.decode(key.pkcs8.expose()).map_err(|_| unusable())?;
            let certificate = STANDARD.decode(&key.certificate).map_err(|_| unusable())?;
            ServiceProviderKey::new(&Zeroizing::new(pkcs8), certificate)
        });
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        let parts = match self.settings.signed_parts {
            SignedParts::Either => reeve_saml::SignedParts::Either,
            SignedParts::Assertion => reeve_saml::SignedParts::Assertion,
            SignedParts::Response => reeve_saml::SignedParts::Response,
            SignedParts::Both => reeve_saml::SignedParts::Both,
        };
        let format = match self.settings.name_id_format {
            NameIdFormat::Persistent => reeve_saml::NameIdFormat::Persistent,
            NameIdFormat::Email => reeve_saml::NameIdFormat::Email,
            NameIdFormat::Unspecified => reeve_saml::NameIdFormat::Unspecified,
        };
        let us = ServiceProvider::new(self.entity_id(issuer), acs_url, keys)?;
        Ok(us.requiring(parts).naming(format))
    }

    /// As it is shown, with what is at hand of its metadata.
    pub(crate) fn to_wire(
        &self,
        issuer: &str,
        redirect_uri: String,
        metadata: Option<&IdentityProvider>,
    ) -> reeve_api::identity_provider::Idp {
        let settings = &self.settings;
        let certificate = metadata.and_then(|it| it.signing_certificates().first());
        let source = match self.source() {
            Source::Url(_) => MetadataType::Url,
            Source::File(_) => MetadataType::File,
        };
        reeve_api::identity_provider::Idp {
            alias: self.alias.clone(),
            kind: IdpType::Saml,
            oidc_data: None,
            ocp_data: None,
            saml_data: Some(SamlData {
                metadata_xml_type: source,
                metadata_xml_url: settings.metadata_url.clone(),
                file_name: settings.file_name.clone(),
                entity_id: self.entity_id(issuer).to_owned(),
                identity_provider_entity_id: settings.provider_entity_id.clone(),
                signed_parts: settings.signed_parts,
                name_id_format: settings.name_id_format,
                service_provider_metadata_url: format!("{redirect_uri}/descriptor"),
                signing_certificate: certificate.map(|it| STANDARD.encode(it.der())),
                signing_certificate_expires_at: certificate.map(reeve_saml::Certificate::not_after),
                single_sign_on_service_url: metadata
                    .and_then(|it| it.sign_on_url(it.preferred_binding()))
                    .map(str::to_owned),
            }),
            redirect_uri,
            mappers: shown(&self.mapper),
        }
    }
}

/// What somebody's attributes come to, by these mappers.
///
/// # Errors
/// [`Failure::Saml`], and [`Failure::Mapper`] of groups and numbers that nobody can have.
pub(crate) fn mapped(sign_in: &SignIn, mapper: &Mapper) -> Result<Mapped, Failure> {
    let person = sign_in.person(&reeve_saml::Mappers {
        email: mapper.email.clone(),
        groups: mapper.groups.clone(),
        uid: mapper.uid.clone(),
        gid: mapper.gid.clone(),
        supplementary_groups: mapper.supplementary_groups.clone(),
        ..reeve_saml::Mappers::default()
    })?;
    // Never read as "no groups".
    if sign_in.attributes().any(|(name, _)| name == GROUPS_ELSEWHERE) {
        let claim = mapper.groups.clone();
        return Err(MapperError::from(GroupsError::Overage { claim }).into());
    }
    let names: Vec<_> = person.groups.iter().map(String::as_str).collect();
    let groups = groups::named(&mapper.groups, &names).map_err(MapperError::from)?;
    Ok(Mapped {
        posix: posix(&person, mapper)?,
        email: person.email,
        groups: groups.names,
        reserved_groups: groups.reserved,
    })
}

/// uid and gid belong together.
fn posix(person: &Person, mapper: &Mapper) -> Result<Option<PosixIdentity>, MapperError> {
    let half = |there: &str, missing: &str| MapperError::Half {
        there: there.to_owned(),
        missing: missing.to_owned(),
    };
    let more = &person.supplementary_groups;
    match (person.uid, person.gid) {
        (Some(uid), Some(gid)) => PosixIdentity::new(uid, gid, more.clone())
            .map(Some)
            .map_err(|error| MapperError::Posix(error.to_string())),
        (None, None) if more.is_empty() => Ok(None),
        (None, None) => Err(half(&mapper.supplementary_groups, &mapper.uid)),
        (Some(_), None) => Err(half(&mapper.uid, &mapper.gid)),
        (None, Some(_)) => Err(half(&mapper.gid, &mapper.uid)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For this moment no certificate can be made, so whichever comes first is what is said. Planted fault: the key is made first.
    #[test]
    fn metadata_is_read_before_a_key_is_made() {
        let never = Timestamp::from_millis(i64::MAX);
        let file = serde_json::json!({"metadataXmlType": "file", "metadataXmlFile": "<html/>"});
        let data: SetSamlData = serde_json::from_value(file).unwrap();
        let alias = "saml".parse().unwrap();
        let refused = SamlIdp::new(alias, &data, Mappers::default(), never).unwrap_err();
        assert_eq!(refused.status().as_u16(), 400, "{refused}");
    }
}

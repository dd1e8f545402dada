//! Identity providers and their mappers (control-plane 1.3, 1.4 and 4.2).

mod openshift;

pub use openshift::{OcpData, SetOcpData};

use reeve_authz::{Action, Entity};
use reeve_types::{IdpAlias, Secret, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::body::{InvalidBody, TypedBody};
use crate::operation::{delete, get, may, operations, post, put};

operations! {
    /// Operations on identity providers.
    OPERATIONS: IdpOperation as Idp, "Identity providers";
    /// List identity providers.
    GetIdps = get("get_idps", "/api/v1/idps", may(Action::Read, Entity::SecuritySettings))
        .answers::<Vec<Idp>>(200);
    /// Set up an identity provider.
    CreateIdp = post("create_idp", "/api/v1/idps", may(Action::Create, Entity::SecuritySettings))
        .takes::<SetIdp>().answers::<CreatedIdp>(201).also(&[409]);
    /// Get an identity provider.
    GetIdp = get("get_idp", "/api/v1/idps/{idp}", may(Action::Read, Entity::SecuritySettings))
        .answers::<Idp>(200);
    /// Set up an identity provider anew; when it is another one from now on, its sessions end.
    UpdateIdp = put("update_idp", "/api/v1/idps/{idp}", may(Action::Update, Entity::SecuritySettings))
        .takes::<SetIdp>().answers_nothing(200);
    /// Remove an identity provider; its sessions end.
    DeleteIdp = delete("delete_idp", "/api/v1/idps/{idp}", may(Action::Delete, Entity::SecuritySettings))
        .answers_nothing(200);
    /// Get which claim is what.
    GetIdpMappers = get("get_idp_mappers", "/api/v1/idps/{idp}/mappers", may(Action::Read, Entity::SecuritySettings))
        .answers::<Mappers>(200);
    /// Say which claim is what.
    UpdateIdpMappers = put("update_idp_mappers", "/api/v1/idps/{idp}/mappers", may(Action::Update, Entity::SecuritySettings))
        .takes::<Mappers>().answers_nothing(202);
    /// Walk through a provider's set-up step by step; the last step is somebody's sign-in, for which there is an address.
    TestIdp = get("test_idp", "/api/v1/idps/{idp}/test", may(Action::Read, Entity::SecuritySettings))
        .answers::<IdpTest>(200);
}

/// What stands in place of a secret. Sent back, it leaves the secret as it is.
pub const MASK: &str = "*******";
/// The longest name or id, in characters (control-plane 1.3).
const MAX_NAME: usize = 255;
const MAX_SECRET: usize = 500;
const MAX_ADDRESS: usize = 2048;
const MAX_SCOPES: usize = 50;
const MAX_VALUES: usize = 100;
/// Of a metadata file, in characters.
const MAX_METADATA: usize = 100_000;

/// How a provider is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IdpType {
    /// OpenID Connect.
    Oidc,
    /// SAML 2.0.
    Saml,
    /// The OAuth server of an OpenShift cluster.
    #[serde(rename = "openshift-v4")]
    OpenshiftV4,
}

/// `POST /api/v1/idps`, `PUT /api/v1/idps/{idp}`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"type": "oidc", "oidcData": {"clientId": "reeve", "clientSecret": "the secret", "discoverDocumentUrl": "https://idp.example.com/realms/corp", "scopes": ["email", "groups"]}, "mappers": {"groups": "groups"}}))]
pub struct SetIdp {
    /// Its alias, which names it in addresses and on the sign-in page; the type where it is left out. Cannot be changed.
    #[serde(default)]
    pub name: Option<IdpAlias>,
    /// How it is spoken to: `oidc`, `saml` or `openshift-v4`. Cannot be changed.
    #[serde(rename = "type")]
    pub kind: IdpType,
    /// What is needed for `oidc`.
    #[serde(default)]
    pub oidc_data: Option<SetOidcData>,
    /// What is needed for `saml`.
    #[serde(default)]
    pub saml_data: Option<SetSamlData>,
    /// What is needed for `openshift-v4`.
    #[serde(default)]
    pub ocp_data: Option<SetOcpData>,
    /// Which claim is what; the usual names where it is left out.
    #[serde(default)]
    pub mappers: Option<Mappers>,
}

/// A client at a provider of OpenID Connect.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetOidcData {
    /// The client's id there.
    pub client_id: String,
    /// The client's secret there; `*******` leaves it as it is.
    pub client_secret: Secret,
    /// The issuer's address, or that of its discovery document.
    pub discover_document_url: String,
    /// What is asked for beside `openid`; `email` and `profile` where it is left out.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// Nobody is let in without one of these values.
    #[serde(default)]
    pub mandatory_claim: Option<MandatoryClaim>,
}

/// Where the metadata of a provider of SAML comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MetadataType {
    /// Read from an address, again each hour.
    Url,
    /// Given with the request.
    File,
}

/// What of a response has to be signed. Whatever is signed is verified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SignedParts {
    /// The response or the assertion has to be signed.
    #[default]
    Either,
    /// The assertion has to be signed.
    Assertion,
    /// The response has to be signed.
    Response,
    /// Response and assertion have to be signed, each by itself.
    Both,
}

/// Which kind of name a provider is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NameIdFormat {
    /// One that stays the same and is nobody else's later.
    #[default]
    Persistent,
    /// The email address.
    Email,
    /// What the provider likes.
    Unspecified,
}

/// A provider of SAML 2.0.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetSamlData {
    /// Where its metadata comes from; `url` where that is given, and else `file`.
    #[serde(default)]
    pub metadata_xml_type: Option<MetadataType>,
    /// Of `url`: the address of its metadata.
    #[serde(default)]
    pub metadata_xml_url: Option<String>,
    /// Of `file`: its metadata, as XML or as base64 of that. Left out in a change, the metadata stays as it is.
    #[serde(default)]
    pub metadata_xml_file: Option<String>,
    /// What the file was called, for people.
    #[serde(default)]
    pub file_name: Option<String>,
    /// What we are called there; the issuer of this installation where it is left out.
    #[serde(default)]
    pub entity_id: Option<String>,
    /// The provider's own entity id: needed where the metadata names several.
    #[serde(default)]
    pub identity_provider_entity_id: Option<String>,
    /// What has to be signed; `either` where it is left out.
    #[serde(default)]
    pub signed_parts: SignedParts,
    /// Which kind of name the provider is asked for; `persistent` where it is left out.
    #[serde(default)]
    pub name_id_format: NameIdFormat,
}

/// A claim that has to have one of these values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MandatoryClaim {
    /// Its name, or a path with dots.
    pub claim: String,
    /// The values, compared exactly.
    pub values: Vec<String>,
}

/// Which claim is what. A name may be a path with dots. Where one is left out the usual name counts: of `oidc` and `saml` the one that is
/// said here, of `openshift-v4` `metadata.name`, `groups`, `metadata.uid`, `metadata.gid` and `supplementarygroups`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"groups": "groups", "uid": "uid", "gid": "gid"}))]
pub struct Mappers {
    /// The email; `email` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The groups; `GROUPS` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<String>,
    /// The uid in containers; `UID` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// The gid in containers; `GID` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<String>,
    /// More gids in containers; `SUPPLEMENTARYGROUPS` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplementary_groups: Option<String>,
    /// Ignored: the reference's document asks for it and says nothing of it.
    #[serde(default, skip_serializing)]
    pub alias: Option<String>,
}

/// An identity provider. Its secret is never readable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Idp {
    /// Its name in addresses.
    pub alias: IdpAlias,
    /// How it is spoken to.
    #[serde(rename = "type")]
    pub kind: IdpType,
    /// Where people come back to: what is registered there as the redirect address.
    pub redirect_uri: String,
    /// What `oidc` needs; absent for another type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oidc_data: Option<OidcData>,
    /// What `saml` needs; absent for another type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saml_data: Option<SamlData>,
    /// What `openshift-v4` needs; absent for another type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ocp_data: Option<OcpData>,
    /// Which claim is what, all of them.
    pub mappers: Mappers,
}

/// A client at a provider of OpenID Connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OidcData {
    /// The client's id there.
    pub client_id: String,
    /// Always `*******`: the secret is never shown.
    pub client_secret: String,
    /// The issuer's address, or that of its discovery document.
    pub discover_document_url: String,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// Nobody is let in without one of these values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mandatory_claim: Option<MandatoryClaim>,
}

/// A provider of SAML 2.0. What its metadata says is absent where it comes from an address that this process of the server has not
/// read in the last hour: a sign-in reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SamlData {
    /// Where its metadata comes from.
    pub metadata_xml_type: MetadataType,
    /// Of `url`: the address of its metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_xml_url: Option<String>,
    /// Of `file`: what it was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// What we are called there.
    pub entity_id: String,
    /// The entity id that was chosen of several in the metadata, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_provider_entity_id: Option<String>,
    /// What has to be signed.
    pub signed_parts: SignedParts,
    /// Which kind of name the provider is asked for.
    pub name_id_format: NameIdFormat,
    /// Where our own metadata is, which the provider's administrator loads.
    pub service_provider_metadata_url: String,
    /// The certificate, in base64, with which the provider signs: the first, where it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_certificate: Option<String>,
    /// When that certificate ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_certificate_expires_at: Option<Timestamp>,
    /// Where people sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub single_sign_on_service_url: Option<String>,
}

/// How a provider's set-up stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdpTest {
    /// Its name in addresses.
    pub alias: IdpAlias,
    /// The steps, in the order of a sign-in. After one that failed there is none.
    pub steps: Vec<IdpTestStep>,
    /// Where somebody signs in to see which claims arrive and what they come to; nobody is signed in here by it. Good for ten minutes;
    /// absent when a step failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in_url: Option<String>,
}

/// A step of a sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdpTestStep {
    /// Which step of the sign-in it is.
    pub step: IdpTestName,
    /// How it went.
    pub outcome: IdpTestOutcome,
    /// What was found, or which check failed.
    pub found: String,
    /// What to do about it, or with it; absent where there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_do: Option<String>,
}

/// The steps of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum IdpTestName {
    /// What the provider says of itself: the discovery document, or the metadata.
    Metadata,
    /// The keys with which it signs.
    Keys,
    /// That the address is reached at which a code becomes a token: of `openshift-v4`, where it is another server than the first one.
    TokenEndpoint,
    /// That people can be sent there, and what has to be known there of us.
    Redirect,
    /// Which claims arrive, and what they come to.
    SignIn,
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum IdpTestOutcome {
    /// What the step asks for is so.
    Ok,
    /// What the step asks for is not so; `found` says which check failed.
    Failed,
    /// It is for somebody to do.
    Open,
}

/// The 201 of a creation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreatedIdp {
    /// Its name in addresses.
    pub alias: IdpAlias,
}

fn text(path: &str, text: &str, most: usize) -> Result<(), InvalidBody> {
    let good = (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if good {
        return Ok(());
    }
    let problem = format!("1 to {most} characters without control characters are needed");
    Err(InvalidBody::wrong(path, problem))
}

/// RFC 6749, section 3.3, without what would end an attribute or a header.
fn check_scopes(path: &str, scopes: &[String]) -> Result<(), InvalidBody> {
    let good = |scope: &String| {
        (1..=MAX_NAME).contains(&scope.len())
            && scope
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._:/".contains(&byte))
    };
    if scopes.len() <= MAX_SCOPES && scopes.iter().all(good) {
        return Ok(());
    }
    let problem = format!(
        "at most {MAX_SCOPES} scopes are possible, each of letters, digits, `-`, `.`, `_`, `:` and `/`"
    );
    Err(InvalidBody::wrong(path, problem))
}

impl TypedBody for SetIdp {
    fn check(&self) -> Result<(), InvalidBody> {
        let all = [
            (IdpType::Oidc, "oidcData", self.oidc_data.is_some()),
            (IdpType::Saml, "samlData", self.saml_data.is_some()),
            (IdpType::OpenshiftV4, "ocpData", self.ocp_data.is_some()),
        ];
        for (kind, path, is_there) in all {
            if is_there && kind != self.kind {
                let problem = "this is of providers of another `type`: leave it out";
                return Err(InvalidBody::wrong(path, problem));
            }
            if !is_there && kind == self.kind {
                return Err(InvalidBody::Missing {
                    path: path.to_owned(),
                });
            }
        }
        self.oidc_data.as_ref().map_or(Ok(()), SetOidcData::check)?;
        self.saml_data.as_ref().map_or(Ok(()), SetSamlData::check)?;
        self.ocp_data.as_ref().map_or(Ok(()), SetOcpData::check)?;
        self.mappers.as_ref().map_or(Ok(()), |it| it.check_at("mappers."))
    }
}

impl SetSamlData {
    /// Where the metadata comes from. The reference's clients send an empty address with a file.
    pub fn source(&self) -> MetadataType {
        let has_address = self.address().is_some();
        self.metadata_xml_type.unwrap_or(match has_address {
            true => MetadataType::Url,
            false => MetadataType::File,
        })
    }

    /// The address of the metadata, if one is given.
    pub fn address(&self) -> Option<&str> {
        self.metadata_xml_url.as_deref().filter(|it| !it.is_empty())
    }

    /// The file, if one is given.
    pub fn file(&self) -> Option<&str> {
        self.metadata_xml_file.as_deref().filter(|it| !it.is_empty())
    }

    fn check(&self) -> Result<(), InvalidBody> {
        let optional = |path: &str, value: Option<&str>, most| match value {
            Some(value) if !value.is_empty() => text(path, value, most),
            _ => Ok(()),
        };
        optional("samlData.metadataXmlUrl", self.address(), MAX_ADDRESS)?;
        optional("samlData.fileName", self.file_name.as_deref(), MAX_NAME)?;
        optional("samlData.entityId", self.entity_id.as_deref(), MAX_ADDRESS)?;
        let other = self.identity_provider_entity_id.as_deref();
        optional("samlData.identityProviderEntityId", other, MAX_ADDRESS)?;
        if self.source() == MetadataType::Url && self.address().is_none() {
            return Err(InvalidBody::Missing {
                path: "samlData.metadataXmlUrl".to_owned(),
            });
        }
        let length = self.file().map_or(0, |file| file.chars().count());
        if length > MAX_METADATA {
            let problem = format!("at most {MAX_METADATA} characters are possible");
            return Err(InvalidBody::wrong("samlData.metadataXmlFile", problem));
        }
        Ok(())
    }
}

impl SetOidcData {
    fn check(&self) -> Result<(), InvalidBody> {
        text("oidcData.clientId", &self.client_id, MAX_NAME)?;
        text("oidcData.clientSecret", self.client_secret.expose(), MAX_SECRET)?;
        text(
            "oidcData.discoverDocumentUrl",
            &self.discover_document_url,
            MAX_ADDRESS,
        )?;
        check_scopes("oidcData.scopes", self.scopes.as_deref().unwrap_or_default())?;
        self.mandatory_claim
            .as_ref()
            .map_or(Ok(()), MandatoryClaim::check)
    }
}

impl MandatoryClaim {
    fn check(&self) -> Result<(), InvalidBody> {
        text("oidcData.mandatoryClaim.claim", &self.claim, MAX_NAME)?;
        if !(1..=MAX_VALUES).contains(&self.values.len()) {
            let problem = format!("1 to {MAX_VALUES} values are needed");
            return Err(InvalidBody::wrong("oidcData.mandatoryClaim.values", problem));
        }
        self.values
            .iter()
            .try_for_each(|value| text("oidcData.mandatoryClaim.values", value, MAX_NAME))
    }
}

impl Mappers {
    fn check_at(&self, prefix: &str) -> Result<(), InvalidBody> {
        let all = [
            ("email", &self.email),
            ("groups", &self.groups),
            ("uid", &self.uid),
            ("gid", &self.gid),
            ("supplementaryGroups", &self.supplementary_groups),
        ];
        all.into_iter().try_for_each(|(name, value)| match value {
            Some(value) => text(&format!("{prefix}{name}"), value, MAX_NAME),
            None => Ok(()),
        })
    }
}

impl TypedBody for Mappers {
    fn check(&self) -> Result<(), InvalidBody> {
        self.check_at("")
    }
}

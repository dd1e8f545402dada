//! A client of OCI registries (distribution specification 1.1): what the labels of an image say, which tags and repositories there
//! are.
//!
//! | module | what |
//! |---|---|
//! | [`address`] | which addresses may be asked |
//! | `fetch`, `challenge` | requests, bounded; tokens |
//! | `list` | tags, catalogues, the lists of Docker Hub and GitHub |
//! | `document` | indices, manifests, configurations, digests |
//! | [`credentials`] | names and passwords out of pull secrets |
//!
//! **Promises.** Whoever may write a model chooses the host, and no more: HTTPS only, no loopback, link-local or metadata address,
//! checked after names are looked up and after each redirect, by the very connection that is made. Answers are bounded in bytes,
//! pages, redirects and time. What has a digest is checked against it. Credentials go to the origin they are for, and to the token
//! endpoint that it names; not to where a redirect leads. Nothing that a registry wrote is in an error.
//!
//! **Limits.** No proxy is used: name an endpoint instead. Identity tokens of `docker login` are not used; SHA-256 only.

pub mod address;
mod challenge;
pub mod credentials;
mod document;
mod error;
mod fetch;
mod list;

use std::collections::BTreeMap;
use std::time::Duration;

use reeve_serving::image::ImageReference;
use url::Url;

use self::credentials::Keyring;
use self::document::{Digest, Document, Next};
pub use self::error::RegistryError;
use self::fetch::{Answer, Fetch, Session, Wanted, name};

/// How long it may take to ask an image what it is.
const IMAGE: Duration = Duration::from_secs(30);
/// How long it may take to list tags or repositories.
const LIST: Duration = Duration::from_secs(120);
/// The largest labels of an image: they go into a status.
const LABELS: usize = 256 << 10;

/// What whoever runs the operator says of registries.
#[derive(Debug, Clone)]
pub struct RegistrySettings {
    /// What is asked in the place of a registry. Loopback, private networks and plain HTTP are theirs to choose here.
    pub endpoints: BTreeMap<String, Url>,
    /// Authorities beside the usual ones, as PEM.
    pub authority: Option<String>,
    /// Whether registries in private networks may be asked that nobody named here.
    pub private_addresses: bool,
    /// How long one question may take; `None` for the usual bounds.
    pub patience: Option<Duration>,
}

impl Default for RegistrySettings {
    fn default() -> Self {
        Self {
            endpoints: BTreeMap::new(),
            authority: None,
            private_addresses: true,
            patience: None,
        }
    }
}

/// Asks registries.
#[derive(Debug)]
pub struct Registry {
    fetch: Fetch,
    patience: Option<Duration>,
}

impl Registry {
    /// A client.
    ///
    /// # Errors
    /// [`RegistryError::Client`].
    pub fn new(settings: &RegistrySettings) -> Result<Self, RegistryError> {
        Ok(Self {
            fetch: Fetch::new(settings)?,
            patience: settings.patience,
        })
    }

    /// The labels of an image, of its variant for linux/amd64.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub async fn labels(
        &self,
        image: &str,
        keyring: &Keyring,
    ) -> Result<BTreeMap<String, String>, RegistryError> {
        let image = ImageReference::parse(image)?;
        self.within(&image.registry, IMAGE, self.labels_of(&image, keyring))
            .await
    }

    /// The tags of a repository.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub async fn tags(
        &self,
        registry: &str,
        repository: &str,
        keyring: &Keyring,
    ) -> Result<Vec<String>, RegistryError> {
        self.within(registry, LIST, list::tags(self, registry, repository, keyring))
            .await
    }

    /// The repositories of a registry among which are those of a pattern; there may be others.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub async fn repositories(
        &self,
        registry: &str,
        pattern: &str,
        keyring: &Keyring,
    ) -> Result<Vec<String>, RegistryError> {
        self.within(
            registry,
            LIST,
            list::repositories(self, registry, pattern, keyring),
        )
        .await
    }

    async fn within<T>(
        &self,
        host: &str,
        usual: Duration,
        asking: impl Future<Output = Result<T, RegistryError>>,
    ) -> Result<T, RegistryError> {
        let patience = self.patience.unwrap_or(usual);
        match tokio::time::timeout(patience, asking).await {
            Ok(answer) => answer,
            Err(_) => Err(RegistryError::Late {
                host: host.to_owned(),
                seconds: patience.as_secs(),
            }),
        }
    }

    async fn labels_of(
        &self,
        image: &ImageReference,
        keyring: &Keyring,
    ) -> Result<BTreeMap<String, String>, RegistryError> {
        let (mut session, repository) = self.session(&image.registry, &image.repository, keyring)?;
        let digest = match &image.digest {
            Some(text) => Some(Digest::parse(text).ok_or_else(|| RegistryError::Unreadable {
                host: image.registry.clone(),
                what: "the digest of the reference",
            })?),
            None => None,
        };
        let which = digest
            .as_ref()
            .map(Digest::as_str)
            .or(image.tag.as_deref())
            .unwrap_or("latest");
        if !list::is_path(which.trim_start_matches("sha256:")) || which.contains('/') {
            return Err(RegistryError::Unreadable {
                host: image.registry.clone(),
                what: "the tag of the reference",
            });
        }
        let mut next = manifest(&mut session, &repository, which, digest.as_ref()).await?;
        if let Next::Manifest(of_platform) = &next {
            let of_platform = of_platform.clone();
            next = manifest(
                &mut session,
                &repository,
                of_platform.as_str(),
                Some(&of_platform),
            )
            .await?;
        }
        let unreadable = |what| RegistryError::Unreadable {
            host: image.registry.clone(),
            what,
        };
        let config = match next {
            Next::Config(digest) => digest,
            Next::NoPlatform => return Err(RegistryError::NoPlatform),
            Next::Manifest(_) | Next::Unreadable => return Err(unreadable("the manifest")),
        };
        let url = session.address(&repository, &format!("blobs/{}", config.as_str()));
        let answer = session.get(&url, Wanted::config()).await?;
        check(&answer, &url, Some(&config), "the configuration")?;
        let labels = document::labels(&answer.bytes).ok_or_else(|| unreadable("the configuration"))?;
        let size: usize = labels.iter().map(|(key, value)| key.len() + value.len()).sum();
        if size > LABELS {
            return Err(RegistryError::TooLarge {
                host: image.registry.clone(),
                what: "the labels of an image",
                most: LABELS,
            });
        }
        Ok(labels)
    }
}

async fn manifest(
    session: &mut Session<'_>,
    repository: &str,
    which: &str,
    digest: Option<&Digest>,
) -> Result<Next, RegistryError> {
    let url = session.address(repository, &format!("manifests/{which}"));
    let answer = session.get(&url, Wanted::manifest()).await?;
    let said = answer
        .headers
        .get("docker-content-digest")
        .and_then(|said| said.to_str().ok());
    let said = said.and_then(Digest::parse);
    check(&answer, &url, digest.or(said.as_ref()), "the manifest")?;
    let document: Document =
        serde_json::from_slice(&answer.bytes).map_err(|_| RegistryError::Unreadable {
            host: name(&url),
            what: "the manifest",
        })?;
    Ok(document.next())
}

fn check(
    answer: &Answer,
    url: &Url,
    digest: Option<&Digest>,
    what: &'static str,
) -> Result<(), RegistryError> {
    if digest.is_some_and(|digest| !digest.is_of(&answer.bytes)) {
        return Err(RegistryError::WrongDigest {
            host: name(url),
            what,
        });
    }
    Ok(())
}

/// Images of Docker Hub that are nobody's are `library`'s.
fn hub_name(registry: &str, repository: &str) -> String {
    if registry == "docker.io" && !repository.is_empty() && !repository.contains('/') {
        format!("library/{repository}")
    } else {
        repository.to_owned()
    }
}

//! References to images.

use crate::hash::Hash;
use crate::names;

/// A text is no reference to an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{reference}` is no image: {problem}")]
pub struct InvalidImageReference {
    /// What was given.
    pub reference: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// The parts of a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageReference {
    /// The registry's host; `docker.io` when none is named.
    pub registry: String,
    /// The repository.
    pub repository: String,
    /// The tag.
    pub tag: Option<String>,
    /// The digest, `sha256:…`.
    pub digest: Option<String>,
}

impl ImageReference {
    /// Splits a reference.
    ///
    /// # Errors
    /// [`InvalidImageReference`].
    pub fn parse(reference: &str) -> Result<Self, InvalidImageReference> {
        let invalid = |problem| InvalidImageReference {
            reference: reference.to_owned(),
            problem,
        };
        if reference.is_empty() || reference.contains(char::is_whitespace) {
            return Err(invalid("it is empty or has spaces"));
        }
        let (rest, digest) = match reference.split_once('@') {
            Some((rest, digest)) => {
                let good = digest
                    .split_once(':')
                    .is_some_and(|(kind, hash)| !kind.is_empty() && !hash.is_empty());
                if !good {
                    return Err(invalid("its digest has no algorithm or no hash"));
                }
                (rest, Some(digest.to_owned()))
            }
            None => (reference, None),
        };
        let is_registry = |first: &str| first.contains(['.', ':']) || first == "localhost";
        let (registry, path) = match rest.split_once('/') {
            Some((first, path)) if is_registry(first) => (first, path),
            _ => ("docker.io", rest),
        };
        let (repository, tag) = match path.split_once(':') {
            Some((_, "")) => return Err(invalid("its tag is empty")),
            Some((repository, tag)) => (repository, Some(tag.to_owned())),
            None => (path, None),
        };
        if repository.is_empty() || repository.split('/').any(str::is_empty) {
            return Err(invalid("it names no repository"));
        }
        Ok(Self {
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            tag,
            digest,
        })
    }

    /// The name of the model that is made of this image, `reference` being how it was written.
    pub fn model_name(&self, reference: &str) -> String {
        let base = self.repository.rsplit('/').next().unwrap_or_default();
        let hash_of_digest = self
            .digest
            .as_deref()
            .and_then(|d| d.split_once(':'))
            .map(|(_, hash)| hash);
        let version = match hash_of_digest {
            Some(hash) => hash.chars().take(6).collect(),
            None => self.tag.clone().unwrap_or_else(|| "latest".to_owned()),
        };
        names::derived(&[base, &version], Some(&Hash::default().text(reference).hex(8)))
    }
}

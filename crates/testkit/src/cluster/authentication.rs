//! Whom the API server believes, changed while it runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::api::{Api, PostParams};
use reeve_files::Readers;

use super::Cluster;
use crate::wait::wait_for;

/// The API server refuses a reload that changes this section, so every text has the same one.
const ANONYMOUS: &str = "
anonymous:
  enabled: true
  conditions:
  - path: /livez
  - path: /readyz
  - path: /healthz
";

/// A changed file is looked at within a minute if the file watch misses it; a new issuer must answer first.
const RELOAD: Duration = Duration::from_secs(90);

/// Writes the text into a cluster's folder, for its start. Gives back the file.
///
/// A text that does not speak of `anonymous` gets the restriction to health paths added.
///
/// # Errors
///
/// When the file cannot be written.
pub fn write_authentication(dir: &Path, text: &str) -> Result<PathBuf> {
    let file = dir.join("authentication.initial.yaml");
    fs::create_dir_all(dir).with_context(|| format!("cannot make `{}`", dir.display()))?;
    fs::write(&file, complete(text)).with_context(|| format!("cannot write `{}`", file.display()))?;
    Ok(file)
}

fn complete(text: &str) -> String {
    let speaks = text.lines().any(|line| line.starts_with("anonymous:"));
    if speaks {
        text.to_owned()
    } else {
        format!("{}{ANONYMOUS}", text.trim_end())
    }
}

impl Cluster {
    /// Gives the running API server another `AuthenticationConfiguration`. It takes some seconds to be used, and a
    /// faulty one is only logged; see [`Cluster::wait_until_token_accepted`].
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn set_authentication(&self, yaml: &str) -> Result<()> {
        replace_authentication(&self.line.authentication_config, yaml)
    }

    /// Waits until the API server knows who the bearer of this token is, and says who.
    ///
    /// # Errors
    ///
    /// When it does not within 90 seconds.
    pub async fn wait_until_token_accepted(&self, token: &str) -> Result<SelfSubjectReview> {
        let client = self.client_with_token(token).await?;
        let reviews: Api<SelfSubjectReview> = Api::all(client);
        wait_for(RELOAD, "the API server to accept a token", async || {
            Ok(Some(
                reviews
                    .create(&PostParams::default(), &SelfSubjectReview::default())
                    .await?,
            ))
        })
        .await
    }
}

/// Replaces the live authentication file of a cluster, whole or not at all.
fn replace_authentication(file: &Path, yaml: &str) -> Result<()> {
    reeve_files::replace(file, complete(yaml).as_bytes(), Readers::Usual)
        .with_context(|| format!("cannot write `{}`", file.display()))
}

#[cfg(test)]
mod tests {
    use super::{ANONYMOUS, complete};

    #[test]
    fn a_text_without_anonymous_gets_the_restriction_and_another_is_left_alone() {
        assert_eq!(complete("jwt: []\n"), format!("jwt: []{ANONYMOUS}"));
        assert_eq!(
            complete("anonymous:\n  enabled: false\n"),
            "anonymous:\n  enabled: false\n"
        );
    }
}

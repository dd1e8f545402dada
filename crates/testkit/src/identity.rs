//! A real identity provider, and a person with a browser who signs in there.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use crate::process::KillOnDrop;
use crate::skip::skipped_without;

/// The npm package `oidc-provider`, or `samlp`, running. It ends when dropped.
#[derive(Debug)]
pub struct IdentityProvider {
    folder: PathBuf,
    issuer: String,
    _process: KillOnDrop,
}

/// The provider of OpenID Connect that the tests of a process share; none, and a loud `SKIPPED`, where it cannot be had.
///
/// # Panics
/// Under `TESTBED=require`, where it cannot be had.
pub fn identity_provider() -> Option<&'static IdentityProvider> {
    static SHARED: OnceLock<Result<IdentityProvider, String>> = OnceLock::new();
    shared(&SHARED, "provider.mjs")
}

/// As [`identity_provider`], one of SAML 2.0. Its metadata is below its address at `/metadata`.
///
/// # Panics
/// Under `TESTBED=require`, where it cannot be had.
pub fn saml_provider() -> Option<&'static IdentityProvider> {
    static SHARED: OnceLock<Result<IdentityProvider, String>> = OnceLock::new();
    shared(&SHARED, "saml-provider.mjs")
}

fn shared(
    one: &'static OnceLock<Result<IdentityProvider, String>>,
    script: &str,
) -> Option<&'static IdentityProvider> {
    let shared = one.get_or_init(|| IdentityProvider::start(script).map_err(|error| format!("{error:#}")));
    match shared {
        Ok(provider) => Some(provider),
        Err(why) => skipped_without("identity provider", why),
    }
}

/// What a script of this repository has installed, which prints the folder of it. Relative to the repository's root.
pub(crate) fn installed_by(script: &str, arguments: &[&str]) -> Result<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(script);
    let output = Command::new(&script)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run `{}`", script.display()))?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().into())
}

impl IdentityProvider {
    /// Installs and starts it.
    ///
    /// # Errors
    /// Without Node, or when npm's registry cannot be reached.
    fn start(script: &str) -> Result<Self> {
        let folder = installed_by("testbed/identity/install.sh", &[])?;
        let mut child: Child = Command::new("node")
            .arg(folder.join(script))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start `node`")?;
        let out = child.stdout.take().ok_or_else(|| anyhow!("no output"))?;
        let mut issuer = String::new();
        BufReader::new(out)
            .read_line(&mut issuer)
            .context("the identity provider said nothing")?;
        let issuer = issuer.trim().to_owned();
        if issuer.is_empty() {
            bail!("the identity provider ended at once");
        }
        Ok(Self {
            folder,
            issuer,
            _process: KillOnDrop(child),
        })
    }

    /// Its address, which is the name of one of OpenID Connect.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where a test says what it says of somebody: `PUT` the claims, or `DELETE`.
    pub fn user(&self, name: &str) -> String {
        format!("{}/test/users/{name}", self.issuer)
    }

    /// Somebody opens `url` in a headless Chromium and signs in with what the page calls `provider` as `login`; or, with `-`, types
    /// `local` (email, password) into the form. What is shown at the end.
    ///
    /// # Errors
    /// When there is no Chromium, or it does not come to an end.
    pub fn sign_in(
        &self,
        url: &str,
        provider: &str,
        login: &str,
        local: Option<(&str, &str)>,
    ) -> Result<Value> {
        let mut arguments = vec![url, provider, login];
        arguments.extend(local.iter().flat_map(|(email, password)| [*email, *password]));
        self.browse("sign-in.mjs", &arguments)
    }

    /// A local user opens `url`, the sign-in page, in a headless Chromium, and sets up an authenticator on the page of the account. What
    /// was shown.
    ///
    /// # Errors
    /// As [`IdentityProvider::sign_in`].
    pub fn set_up_authenticator(&self, url: &str, email: &str, password: &str) -> Result<Value> {
        self.browse("authenticator.mjs", &[url, email, password])
    }

    /// A local user opens `url`, the sign-in page, in a headless Chromium with an authenticator of its own, makes a passkey on the page of
    /// the account, signs in with it, and takes it away. What was shown.
    ///
    /// # Errors
    /// As [`IdentityProvider::sign_in`].
    pub fn use_passkey(&self, url: &str, email: &str, password: &str) -> Result<Value> {
        self.browse("passkeys.mjs", &[url, email, password])
    }

    /// What a script with a browser says.
    fn browse(&self, script: &str, arguments: &[&str]) -> Result<Value> {
        let output = Command::new("node")
            .arg(self.folder.join(script))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .context("cannot start `node`")?;
        if !output.status.success() {
            bail!("the browser failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        serde_json::from_slice(&output.stdout).context("the browser said something else")
    }
}

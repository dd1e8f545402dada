//! Values from files and standard input.

use std::io::Read;
use std::path::Path;

use reeve_types::{CredentialAssetKind, Secret};
use serde_json::{Value, json};

use crate::args::CredentialInput;
use crate::failure::Failure;

/// More than any value may have.
const MOST: u64 = 1024 * 1024;

/// What is needed for a kind.
pub(super) const fn needed(kind: CredentialAssetKind) -> &'static str {
    match kind {
        CredentialAssetKind::AccessKey => "--access-key-id ID and --secret-file FILE are needed",
        CredentialAssetKind::Password => "--user USER and --secret-file FILE are needed",
        CredentialAssetKind::DockerRegistry => "--url ADDRESS, --user USER and --secret-file FILE are needed",
        CredentialAssetKind::GenericSecret => "--pair KEY=FILE is needed",
        CredentialAssetKind::NgcApiKey => "--secret-file FILE is needed",
    }
}

/// The values; `None` when none were given.
pub(super) fn spec(
    kind: CredentialAssetKind,
    input: &CredentialInput,
    what: &str,
) -> Result<Option<Value>, Failure> {
    let CredentialInput {
        url,
        user,
        access_key_id,
        secret_file,
        pairs,
    } = input;
    if url.is_none() && user.is_none() && access_key_id.is_none() && secret_file.is_none() && pairs.is_empty()
    {
        return Ok(None);
    }
    let given = [
        ("--url", url.is_some()),
        ("--user", user.is_some()),
        ("--access-key-id", access_key_id.is_some()),
        ("--secret-file", secret_file.is_some()),
        ("--pair", !pairs.is_empty()),
    ];
    if let Some((flag, _)) = given
        .iter()
        .find(|(flag, given)| *given && !needed(kind).contains(flag))
    {
        let cause = format!(
            "`{flag}` says nothing of a credential of the kind {}",
            kind.slug()
        );
        return Err(Failure::failed(what).cause(cause).hint(needed(kind)));
    }
    let missing = || Failure::failed(what).cause(needed(kind));
    let secret = || -> Result<Secret, Failure> {
        let file = secret_file.as_deref().ok_or_else(missing)?;
        read(file, what)
    };
    let text = |given: &Option<String>| given.clone().ok_or_else(missing);
    let spec = match kind {
        CredentialAssetKind::AccessKey => {
            json!({"accessKeyId": text(access_key_id)?, "secretAccessKey": secret()?.expose()})
        }
        CredentialAssetKind::Password => json!({"user": text(user)?, "password": secret()?.expose()}),
        CredentialAssetKind::DockerRegistry => {
            json!({"url": text(url)?, "user": text(user)?, "password": secret()?.expose()})
        }
        CredentialAssetKind::NgcApiKey => json!({"ngc_api_key": secret()?.expose()}),
        CredentialAssetKind::GenericSecret => {
            if pairs.is_empty() {
                return Err(missing());
            }
            let mut all = Vec::new();
            for (key, file) in pairs {
                all.push(json!({"key": key, "value": read(file, what)?.expose()}));
            }
            json!({ "keyValuePairs": all })
        }
    };
    Ok(Some(spec))
}

/// A value, without the line's end that editors and `echo` leave behind it.
fn read(file: &Path, what: &str) -> Result<Secret, Failure> {
    let mut text = String::new();
    let failed = |error: std::io::Error| {
        Failure::failed(what)
            .cause(format!("cannot read the value from `{}`", file.display()))
            .hint(error.to_string())
    };
    if file == Path::new("-") {
        let read = std::io::stdin().take(MOST).read_to_string(&mut text);
        read.map_err(failed)?;
    } else {
        let opened = std::fs::File::open(file).map_err(failed)?;
        opened.take(MOST).read_to_string(&mut text).map_err(failed)?;
    }
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok(Secret::new(text))
}

//! S3: which objects are under a prefix, and signed addresses for them (Signature Version 4, by `rusty-s3`).

use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use rusty_s3::actions::ListObjectsV2;
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use url::Url;

use crate::args::Args;
use crate::failure::{Failure, Kind};
use crate::listing::{Digest, Origin, Remote, under};
use crate::web;

/// How long a signed address is good for.
const SIGNED: Duration = Duration::from_secs(3600);
/// How many pages of a list are read, of a thousand objects each.
const PAGES: usize = 1000;

/// A bucket and who asks.
#[derive(Debug)]
pub(crate) struct Store {
    bucket: Bucket,
    credentials: Option<Credentials>,
}

impl Store {
    pub(crate) fn new(arguments: &Args, bucket: &str) -> Result<Self, Failure> {
        let region = arguments.aws_region.clone().filter(|region| !region.is_empty());
        let region = region.unwrap_or_else(|| arguments.aws_default_region.clone());
        let endpoint = match arguments
            .aws_endpoint_url
            .as_deref()
            .filter(|url| !url.is_empty())
        {
            Some(url) if url.contains("://") => url.to_owned(),
            Some(host) if arguments.s3_no_ssl.as_deref() == Some("true") => format!("http://{host}"),
            Some(host) => format!("https://{host}"),
            None => format!("https://s3.{region}.amazonaws.com"),
        };
        let wrong = || {
            Failure::new(
                Kind::Usage,
                format!("`{endpoint}` and `{bucket}` are no bucket's address"),
            )
        };
        let url = Url::parse(&endpoint).map_err(|_| wrong())?;
        let bucket = Bucket::new(url, UrlStyle::Path, bucket.to_owned(), region).map_err(|_| wrong())?;
        let key = arguments
            .aws_access_key_id
            .as_ref()
            .filter(|key| !key.expose().is_empty());
        let credentials = key
            .zip(arguments.aws_secret_access_key.as_ref())
            .map(|(key, secret)| {
                let (key, secret) = (key.expose(), secret.expose());
                match arguments
                    .aws_session_token
                    .as_ref()
                    .filter(|token| !token.expose().is_empty())
                {
                    Some(token) => Credentials::new_with_token(key, secret, token.expose()),
                    None => Credentials::new(key, secret),
                }
            });
        Ok(Self { bucket, credentials })
    }

    /// The objects under a prefix, or the one that is called so.
    pub(crate) async fn list(
        &self,
        client: &Client,
        arguments: &Args,
        prefix: &str,
    ) -> Result<Vec<Remote>, Failure> {
        let (mut files, mut token) = (Vec::new(), None);
        for _ in 0..PAGES {
            let mut action = self.bucket.list_objects_v2(self.credentials.as_ref());
            if !prefix.is_empty() {
                action.with_prefix(prefix.to_owned());
            }
            if let Some(token) = &token {
                action.with_continuation_token(String::clone(token));
            }
            let response =
                web::send(client.get(action.sign(SIGNED)), arguments, "the list of objects").await?;
            let status = response.status();
            let bytes = web::read_small(response, arguments).await?;
            let text = String::from_utf8_lossy(&bytes);
            if !status.is_success() {
                return Err(self.refused(status, &text));
            }
            let page = ListObjectsV2::parse_response(&text)
                .map_err(|_| Failure::new(Kind::Unreachable, "S3's list of objects cannot be read"))?;
            for object in page.contents {
                let (key, size) = (object.key, object.size.unwrap_or_default());
                let Some(path) = relative(&key, prefix) else {
                    continue;
                };
                files.push(Remote {
                    path: under(path)?,
                    size,
                    digest: object.etag.as_deref().map_or(Digest::None, digest),
                    origin: Origin::Key(key),
                });
            }
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(files);
            }
        }
        Err(Failure::new(
            Kind::Unreachable,
            "S3's list of objects does not end",
        ))
    }

    /// An address at which the object is read by whoever has it, for an hour.
    pub(crate) fn address(&self, key: &str) -> Url {
        self.bucket
            .get_object(self.credentials.as_ref(), key)
            .sign(SIGNED)
    }

    pub(crate) fn refused(&self, status: StatusCode, body: &str) -> Failure {
        let code = body
            .split_once("<Code>")
            .and_then(|(_, rest)| rest.split_once("</Code>"));
        let code = code
            .map(|(code, _)| code)
            .filter(|code| code.bytes().all(|b| b.is_ascii_alphanumeric()));
        let code = code.unwrap_or("no reason");
        let bucket = self.bucket.name();
        match status {
            StatusCode::NOT_FOUND => {
                let code = if code == "no reason" { "NoSuchKey" } else { code };
                Failure::new(
                    Kind::Missing,
                    format!("s3 404 {code}: {bucket}, or what is asked for in it, is not there"),
                )
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let number = status.as_u16();
                Failure::new(
                    Kind::Auth,
                    format!("s3 {number} access denied by s3 ({code}): the keys may not read {bucket}"),
                )
            }
            StatusCode::MOVED_PERMANENTLY | StatusCode::BAD_REQUEST => {
                let number = status.as_u16();
                Failure::new(
                    Kind::Usage,
                    format!("s3 answered {number} ({code}): is AWS_REGION the bucket's?"),
                )
            }
            status => Failure::new(
                Kind::Unreachable,
                format!("s3 answered {} ({code})", status.as_u16()),
            ),
        }
    }
}

/// The path of an object under a prefix; a folder's placeholder and what only begins alike have none.
fn relative<'a>(key: &'a str, prefix: &str) -> Option<&'a str> {
    if key == prefix {
        return key.rsplit('/').next();
    }
    let rest = match prefix {
        "" => key,
        prefix => key.strip_prefix(prefix)?.strip_prefix('/')?,
    };
    (!rest.is_empty() && !rest.ends_with('/')).then_some(rest)
}

/// The tag of an object that was written in one piece is its MD5; one of several pieces has a dash.
fn digest(tag: &str) -> Digest {
    let tag = tag.trim_matches('"');
    let is_md5 = tag.len() == 32 && tag.bytes().all(|b| b.is_ascii_hexdigit());
    if is_md5 {
        Digest::Md5(tag.to_ascii_lowercase())
    } else {
        Digest::None
    }
}

/// Whether the tag of an object says nothing of its bytes: it is encrypted with a key that S3 keeps elsewhere.
pub(crate) fn is_opaque(response: &Response) -> bool {
    let headers = response.headers();
    let encryption = headers
        .get("x-amz-server-side-encryption")
        .and_then(|how| how.to_str().ok());
    encryption.is_some_and(|how| how.starts_with("aws:kms"))
        || headers.contains_key("x-amz-server-side-encryption-customer-algorithm")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_under_a_prefix_keep_the_rest_of_their_path() {
        assert_eq!(relative("m/tiny/a/b.bin", "m/tiny"), Some("a/b.bin"));
        assert_eq!(relative("m/tiny", "m/tiny"), Some("tiny"));
        assert_eq!(relative("m/tiny-2/a", "m/tiny"), None);
        assert_eq!(relative("m/tiny/", "m/tiny"), None);
        assert_eq!(relative("a/b", ""), Some("a/b"));
    }

    #[test]
    fn only_the_tag_of_one_piece_is_a_digest() {
        assert_eq!(
            digest("\"D41D8CD98F00B204E9800998ECF8427E\""),
            Digest::Md5("d41d8cd98f00b204e9800998ecf8427e".to_owned())
        );
        assert_eq!(digest("\"d41d8cd98f00b204e9800998ecf8427e-3\""), Digest::None);
    }
}

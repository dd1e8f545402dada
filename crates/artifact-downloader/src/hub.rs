//! The Hugging Face Hub: which files a revision has, and where they are.

use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use url::Url;

use crate::args::Args;
use crate::failure::{Failure, Kind};
use crate::listing::{Digest, Origin, Remote, under};
use crate::web;

#[derive(Debug, Deserialize)]
struct Model {
    sha: String,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    blob_id: Option<String>,
    lfs: Option<Large>,
}

#[derive(Debug, Deserialize)]
struct Large {
    sha256: Option<String>,
    size: Option<u64>,
}

/// The files of a revision. They are asked for by the commit that it is now, so that all are of one.
pub(crate) async fn list(
    client: &Client,
    arguments: &Args,
    repository: &str,
    revision: &str,
) -> Result<Vec<Remote>, Failure> {
    let endpoint = arguments.hf_endpoint.as_str().trim_end_matches('/');
    let address = |rest: &str| {
        Url::parse(&format!("{endpoint}/{rest}"))
            .map_err(|_| Failure::new(Kind::Usage, format!("`{endpoint}` of HF_ENDPOINT is no address")))
    };
    let mut url = address("api/models")?;
    extend(&mut url, repository.split('/').chain(["revision", revision]));
    url.set_query(Some("blobs=true"));
    let request = authorized(client.get(url), arguments);
    let response = web::send(request, arguments, "the list of files").await?;
    if !response.status().is_success() {
        return Err(refused(&response, repository));
    }
    let bytes = web::read_small(response, arguments).await?;
    let model: Model = serde_json::from_slice(&bytes)
        .map_err(|_| Failure::new(Kind::Unreachable, "the Hub's list of files cannot be read"))?;
    let mut files = Vec::with_capacity(model.siblings.len());
    for file in model.siblings {
        let path = under(&file.rfilename)?;
        let (large, large_size) = file.lfs.map_or((None, None), |large| (large.sha256, large.size));
        let size = file.size.or(large_size).ok_or_else(|| {
            Failure::new(
                Kind::Unreachable,
                format!("the Hub does not say how large {:?} is", file.rfilename),
            )
        })?;
        let mut url = address("")?;
        let parts = repository.split('/').chain(["resolve", &model.sha]);
        extend(&mut url, parts.chain(file.rfilename.split('/')));
        let digest = match (large, file.blob_id) {
            (Some(sha256), _) => Digest::Sha256(sha256.to_ascii_lowercase()),
            (None, Some(blob)) => Digest::GitBlob(blob.to_ascii_lowercase()),
            (None, None) => Digest::None,
        };
        files.push(Remote {
            path,
            size,
            digest,
            origin: Origin::Web(url),
        });
    }
    Ok(files)
}

fn extend<'a>(url: &mut Url, parts: impl Iterator<Item = &'a str>) {
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(parts);
    }
}

/// With the token, which goes to the Hub and to no host that it leads to.
pub(crate) fn authorized(request: reqwest::RequestBuilder, arguments: &Args) -> reqwest::RequestBuilder {
    match arguments
        .hf_token
        .as_ref()
        .filter(|token| !token.expose().is_empty())
    {
        Some(token) => request.bearer_auth(token.expose()),
        None => request,
    }
}

/// What the Hub's refusal means. It answers 401 for what is not there to who has no token; the header tells.
pub(crate) fn refused(response: &Response, repository: &str) -> Failure {
    let code = response
        .headers()
        .get("x-error-code")
        .and_then(|code| code.to_str().ok());
    match (response.status(), code) {
        (_, Some("GatedRepo" | "DisabledRepo")) => Failure::new(
            Kind::Auth,
            format!(
                "Cannot access gated repo {repository}: its owners decide who may, and HF_TOKEN says who asks"
            ),
        ),
        (_, Some("RepoNotFound" | "RevisionNotFound" | "EntryNotFound")) | (StatusCode::NOT_FOUND, _) => {
            Failure::new(
                Kind::Missing,
                format!("Repository Not Found: {repository}, or this revision or file of it"),
            )
        }
        (status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN), _) => Failure::new(
            Kind::Auth,
            format!(
                "{} Unauthorized by hf.co: {repository} needs a token that may read it",
                status.as_u16()
            ),
        ),
        (status, _) => Failure::new(
            Kind::Unreachable,
            format!("the Hub answered {} for {repository}", status.as_u16()),
        ),
    }
}

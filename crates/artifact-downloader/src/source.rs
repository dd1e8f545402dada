//! Where files come from, and how they are asked for there.

use reqwest::{Client, RequestBuilder, Response};

use crate::args::Args;
use crate::failure::{Failure, Kind};
use crate::listing::{Origin, Remote};
use crate::s3::Store;
use crate::{hub, web};

/// A place, ready to be asked.
#[derive(Debug)]
pub(crate) enum Source {
    /// The Hub.
    Hub(String),
    /// S3.
    S3(Store),
    /// A mounted claim.
    Claim,
}

impl Source {
    /// The request for a file.
    pub(crate) fn request(
        &self,
        client: &Client,
        arguments: &Args,
        remote: &Remote,
    ) -> Result<RequestBuilder, Failure> {
        match (self, &remote.origin) {
            (Self::Hub(_), Origin::Web(url)) => Ok(hub::authorized(client.get(url.clone()), arguments)),
            (Self::S3(store), Origin::Key(key)) => Ok(client.get(store.address(key))),
            _ => Err(Failure::new(Kind::Usage, "a file of another place")),
        }
    }

    /// What a refusal means.
    pub(crate) async fn refused(&self, response: Response, arguments: &Args) -> Failure {
        match self {
            Self::Hub(repository) => hub::refused(&response, repository),
            Self::S3(store) => {
                let status = response.status();
                let body = web::read_small(response, arguments).await.unwrap_or_default();
                store.refused(status, &String::from_utf8_lossy(&body))
            }
            Self::Claim => Failure::new(Kind::Usage, "a claim refuses nothing"),
        }
    }

    /// What it is called in a status.
    pub(crate) const fn protocol(&self) -> &'static str {
        match self {
            Self::Hub(_) => "HTTP",
            Self::S3(_) => "S3",
            Self::Claim => "COPY",
        }
    }
}

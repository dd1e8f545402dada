//! The API server says whose a token is (TokenReview) and whether that may read metrics (SubjectAccessReview).

use std::fmt;
use std::time::Duration;

use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, UserInfo};
use k8s_openapi::api::authorization::v1::{
    NonResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::Client;
use kube::api::{Api, PostParams};
use reeve_types::ErrorChain;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::Refused;

/// How many questions the API server is asked at a time: somebody who sends made-up tokens must not keep it busy.
const AT_A_TIME: usize = 4;
/// How long both answers may take together.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the API server. The token goes there and nowhere else.
pub(super) struct Reviews {
    client: Client,
    turns: Semaphore,
}

impl fmt::Debug for Reviews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reviews")
    }
}

impl Reviews {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            turns: Semaphore::new(AT_A_TIME),
        }
    }

    pub(super) async fn check(&self, token: &str) -> Result<(), Refused> {
        let _turn = self.turns.try_acquire().map_err(|_| Refused::Busy)?;
        let asked = async {
            let user = self.user(token).await?.ok_or(Refused::NoToken)?;
            match self.may_read(user).await? {
                true => Ok(()),
                false => Err(Refused::NotAllowed),
            }
        };
        timeout(PATIENCE, asked).await.unwrap_or_else(|_| {
            tracing::warn!("the API server does not say in time who reads metrics");
            Err(Refused::Unknown)
        })
    }

    async fn user(&self, token: &str) -> Result<Option<UserInfo>, Refused> {
        let review = TokenReview {
            spec: TokenReviewSpec {
                token: token.to_owned(),
                ..TokenReviewSpec::default()
            },
            ..TokenReview::default()
        };
        let answer = Api::<TokenReview>::all(self.client.clone())
            .create(&PostParams::default(), &review)
            .await
            .map_err(unknown)?;
        let status = answer.status.unwrap_or_default();
        Ok(status.user.filter(|_| status.authenticated == Some(true)))
    }

    async fn may_read(&self, user: UserInfo) -> Result<bool, Refused> {
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: user.username,
                groups: user.groups,
                uid: user.uid,
                extra: user.extra,
                non_resource_attributes: Some(NonResourceAttributes {
                    path: Some("/metrics".to_owned()),
                    verb: Some("get".to_owned()),
                }),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        };
        let answer = Api::<SubjectAccessReview>::all(self.client.clone())
            .create(&PostParams::default(), &review)
            .await
            .map_err(unknown)?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }
}

fn unknown(error: kube::Error) -> Refused {
    tracing::warn!(error = %ErrorChain(&error), "cannot ask the API server who reads metrics");
    Refused::Unknown
}

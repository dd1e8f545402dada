//! Writing objects whose content nothing may repeat: Secrets.
//!
//! The client logs answers that it cannot read, and a refusal can quote what was sent: an admission webhook of somebody else may say
//! whatever it likes. So answers are read here, nothing of them is logged or kept but the status code, its reason and the names of
//! fields, and success is believed without looking at the object.

use std::fmt::{self, Debug, Formatter};

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Request as HttpRequest, StatusCode};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::client::Body;
use kube::core::Request;
use kube::{Client, Resource, ResourceExt};
use serde::Serialize;
use serde_json::Value;

use super::FieldManager;
use crate::cache::ObjectName;

/// Why such a write failed, with nothing in it that the API server or anybody it asked said in words.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfidentialFailure {
    /// The API server, or what it asked, refused.
    #[error(
        "the API server refused with {code} ({reason}); its words are not repeated, since they could quote the values: its audit \
         log has them"
    )]
    Refused {
        /// The HTTP status.
        code: u16,
        /// One word of Kubernetes, as `Forbidden`.
        reason: String,
        /// What it said: to be compared with, never to be shown.
        words: Box<Words>,
    },
    /// No answer came.
    #[error("cannot reach the API server, or no answer came in time")]
    NoAnswer,
}

/// What the API server said. It cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Words {
    message: String,
    fields: Vec<String>,
}

impl Debug for Words {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("[not shown]")
    }
}

impl Debug for ConfidentialFailure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl ConfidentialFailure {
    /// Whether a refusal holds this text.
    pub fn says(&self, text: &str) -> bool {
        matches!(self, Self::Refused { words, .. } if words.message.contains(text))
    }

    /// Whether the object is not there.
    pub fn is_not_found(&self) -> bool {
        self.code() == Some(404)
    }

    /// Whether an object of that name is there already.
    pub fn is_already_exists(&self) -> bool {
        self.code() == Some(409) && matches!(self, Self::Refused { reason, .. } if reason == "AlreadyExists")
    }

    /// Whether a test of the patch failed: what is there is not what was expected.
    pub fn is_failed_test(&self) -> bool {
        self.code() == Some(422) && matches!(self, Self::Refused { words, .. } if words.fields.is_empty())
    }

    /// Whether it was refused because of this field.
    pub fn is_about(&self, field: &str) -> bool {
        matches!(self, Self::Refused { words, .. } if words.fields.iter().any(|known| known == field))
    }

    /// The HTTP status of a refusal.
    pub const fn code(&self) -> Option<u16> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            Self::NoAnswer => None,
        }
    }

    /// Whether the same may succeed later.
    pub fn is_transient(&self) -> bool {
        self.code()
            .is_none_or(|code| matches!(code, 401 | 409 | 429) || code >= 500)
    }

    fn of(code: StatusCode, body: &[u8]) -> Self {
        let status: Status = serde_json::from_slice(body).unwrap_or_default();
        let causes = status
            .details
            .and_then(|details| details.causes)
            .unwrap_or_default();
        let is_word = |text: &String| text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        Self::Refused {
            code: code.as_u16(),
            reason: status
                .reason
                .filter(is_word)
                .unwrap_or_else(|| "no reason given".to_owned()),
            words: Box::new(Words {
                message: status.message.unwrap_or_default(),
                fields: causes.into_iter().filter_map(|cause| cause.field).collect(),
            }),
        }
    }
}

impl FieldManager {
    /// Makes an object that holds secrets. Nothing of it or of the answer is repeated anywhere.
    ///
    /// # Errors
    /// [`ConfidentialFailure`], with the status 409 when one of its name is there.
    pub async fn create_confidential<K>(&self, client: &Client, object: &K) -> Result<(), ConfidentialFailure>
    where
        K: Resource<DynamicType = ()> + Serialize,
    {
        let path = K::url_path(&(), object.namespace().as_deref());
        let parameters = PostParams {
            field_manager: Some(self.name.to_owned()),
            ..PostParams::default()
        };
        let body = serde_json::to_vec(object).map_err(|_| ConfidentialFailure::NoAnswer)?;
        let request = Request::new(path).create(&parameters, body);
        self.send(client, request.map_err(drop)).await
    }

    /// Applies a JSON patch (RFC 6902) to an object that holds secrets, as [`FieldManager::create_confidential`].
    ///
    /// # Errors
    /// [`ConfidentialFailure`]; where the patch's own tests fail, with the status 422 and no field.
    pub async fn patch_confidential<K>(
        &self,
        client: &Client,
        object: &ObjectName,
        patch: &Value,
    ) -> Result<(), ConfidentialFailure>
    where
        K: Resource<DynamicType = ()>,
    {
        let path = K::url_path(&(), Some(&object.namespace));
        let request = HttpRequest::patch(format!("{path}/{}?fieldManager={}", object.name, self.name))
            .header(CONTENT_TYPE, "application/json-patch+json")
            .header(ACCEPT, "application/json")
            .body(patch.to_string().into_bytes());
        self.send(client, request.map_err(drop)).await
    }

    /// Deletes what the selectors select of a namespace, without reading what that was. No right to list is needed for it.
    ///
    /// # Errors
    /// [`ConfidentialFailure`]; some may be deleted then.
    pub async fn delete_confidential<K>(
        &self,
        client: &Client,
        namespace: &str,
        labels: &str,
        fields: &str,
    ) -> Result<(), ConfidentialFailure>
    where
        K: Resource<DynamicType = ()>,
    {
        let which = ListParams::default().labels(labels).fields(fields);
        let path = K::url_path(&(), Some(namespace));
        let request = Request::new(path).delete_collection(&DeleteParams::default(), &which);
        self.send(client, request.map_err(drop)).await
    }

    async fn send(
        &self,
        client: &Client,
        request: Result<HttpRequest<Vec<u8>>, ()>,
    ) -> Result<(), ConfidentialFailure> {
        let sending = async {
            let request = request.map_err(|()| ConfidentialFailure::NoAnswer)?;
            let answer = client.send(request.map(Body::from)).await;
            let answer = answer.map_err(|_| ConfidentialFailure::NoAnswer)?;
            let code = answer.status();
            let read = answer.into_body().collect_bytes().await;
            if code.is_success() {
                return Ok(());
            }
            Err(ConfidentialFailure::of(code, &read.unwrap_or_default()))
        };
        tokio::time::timeout(self.patience, sending)
            .await
            .unwrap_or(Err(ConfidentialFailure::NoAnswer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_api_server_says_is_compared_and_never_printed() {
        let body = serde_json::json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden",
            "message": "webhook: value canary is weak", "code": 403,
            "details": {"causes": [{"field": "type", "message": "canary"}]}});
        let failure = ConfidentialFailure::of(StatusCode::FORBIDDEN, body.to_string().as_bytes());
        let printed = format!("{failure} {failure:?} {:?}", [&failure]);
        assert!(!printed.contains("canary"), "{printed}");
        assert!(printed.contains("403 (Forbidden)"), "{printed}");
        assert!(failure.says("value canary") && failure.is_about("type") && !failure.is_transient());
    }

    #[test]
    fn a_reason_that_is_no_word_is_not_repeated() {
        let body =
            serde_json::json!({"kind": "Status", "apiVersion": "v1", "reason": "canary 1", "code": 500});
        let failure = ConfidentialFailure::of(StatusCode::INTERNAL_SERVER_ERROR, body.to_string().as_bytes());
        assert!(!failure.to_string().contains("canary"), "{failure}");
        assert!(ConfidentialFailure::of(StatusCode::BAD_GATEWAY, b"<html>canary").is_transient());
    }
}

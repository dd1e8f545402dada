//! `AdmissionReview` v1: from the API server's words to a request of the rules, and back. Pure.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use json_patch::Patch;
use reeve_admission::{Check, Operation, Parameters, Request, User};
use serde::Deserialize;
use serde_json::{Value, json};

const VERSION: &str = "admission.k8s.io/v1";
const KIND: &str = "AdmissionReview";

/// What the API server sends.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Review {
    api_version: String,
    kind: String,
    request: Asked,
}

/// The request in it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// What the answer has to repeat.
    pub uid: String,
    kind: Kind,
    #[serde(default)]
    sub_resource: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
    operation: String,
    user_info: UserInfo,
    #[serde(default)]
    object: Value,
    #[serde(default)]
    old_object: Value,
    #[serde(default)]
    options: Value,
}

#[derive(Debug, Deserialize)]
struct Kind {
    kind: String,
}

#[derive(Debug, Deserialize)]
struct UserInfo {
    #[serde(default)]
    username: String,
    #[serde(default)]
    uid: String,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    extra: BTreeMap<String, Vec<String>>,
}

/// What was sent is no question.
#[derive(Debug, thiserror::Error)]
pub enum NotAReview {
    /// It is not JSON, or misses a field.
    #[error("the body is no AdmissionReview")]
    Form(#[source] serde_json::Error),
    /// Another kind or version.
    #[error(
        "the body is `{kind}` of `{version}`, and only AdmissionReview of admission.k8s.io/v1 is answered"
    )]
    Version {
        /// The kind that it says.
        kind: String,
        /// The version that it says.
        version: String,
    },
    /// Something that no rule speaks of.
    #[error("the operation `{0}` is none of CREATE, UPDATE, DELETE and CONNECT")]
    Operation(String),
}

impl Asked {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// [`NotAReview`].
    pub fn read(body: &[u8]) -> Result<Self, NotAReview> {
        let review: Review = serde_json::from_slice(body).map_err(NotAReview::Form)?;
        if review.api_version != VERSION || review.kind != KIND {
            return Err(NotAReview::Version {
                kind: review.kind,
                version: review.api_version,
            });
        }
        Ok(review.request)
    }

    /// The namespace whose settings count. A Namespace is in none, although the API server names it as its own.
    pub fn namespace(&self) -> Option<&str> {
        let lies_in_one = self.kind.kind != "Namespace" && !self.namespace.is_empty();
        lies_in_one.then_some(self.namespace.as_str())
    }

    /// The pod that is to be stepped into, if this is a connection to one that is judged by whose it is.
    pub fn stepped_into(&self) -> Option<&str> {
        let options = ["PodExecOptions", "PodAttachOptions", "PodPortForwardOptions"];
        options
            .contains(&self.kind.kind.as_str())
            .then_some(self.name.as_str())
    }

    /// The request as the rules see it, with what was read beside it.
    ///
    /// # Errors
    /// [`NotAReview::Operation`].
    pub fn request(self, beside: Beside) -> Result<Request, NotAReview> {
        let operation = match self.operation.as_str() {
            "CREATE" => Operation::Create,
            "UPDATE" => Operation::Update,
            "DELETE" => Operation::Delete,
            "CONNECT" => Operation::Connect,
            _ => return Err(NotAReview::Operation(self.operation)),
        };
        let kind = &self.kind.kind;
        let field_manager = self.options.get("fieldManager").and_then(Value::as_str);
        Ok(Request {
            operation,
            field_manager: field_manager.unwrap_or_default().to_owned(),
            name: self.name,
            subresource: self.sub_resource,
            user: User {
                username: self.user_info.username,
                uid: self.user_info.uid,
                groups: self.user_info.groups,
                extra: self.user_info.extra,
            },
            object: with_kind(self.object, kind),
            old_object: Some(with_kind(self.old_object, kind)).filter(|old| !old.is_null()),
            namespace: self.namespace,
            namespace_labels: beside.labels,
            namespace_annotations: beside.annotations,
            parameters: beside.parameters,
        })
    }
}

/// What a verdict depends on beside the request.
#[derive(Debug, Default)]
pub struct Beside {
    /// The labels of the namespace.
    pub labels: BTreeMap<String, String>,
    /// The annotations of the namespace.
    pub annotations: BTreeMap<String, String>,
    /// Whose the pods are, for a connection.
    pub parameters: Parameters,
}

/// The rules go by the kind, which the API server writes into every object that it sends.
fn with_kind(mut object: Value, kind: &str) -> Value {
    if let Value::Object(fields) = &mut object {
        fields.entry("kind").or_insert_with(|| json!(kind));
    }
    object
}

/// The answer that lets a request pass, with what is filled in.
pub fn allowed(uid: &str, patch: Option<&Patch>) -> Value {
    let mut response = json!({"uid": uid, "allowed": true});
    if let (Some(patch), Some(fields)) = (patch, response.as_object_mut()) {
        fields.insert("patchType".to_owned(), json!("JSONPatch"));
        fields.insert(
            "patch".to_owned(),
            json!(STANDARD.encode(json!(patch).to_string())),
        );
    }
    json!({"apiVersion": VERSION, "kind": KIND, "response": response})
}

/// The answer that refuses it, with the sentence of the check.
pub fn refused(uid: &str, check: &Check, username: &str) -> Value {
    let message = format!(
        "reeve: {}: {}: {}",
        check.rule,
        check.problem,
        check.remedy_for(username)
    );
    let status = json!({"code": 403, "reason": "Forbidden", "status": "Failure", "message": message});
    json!({"apiVersion": VERSION, "kind": KIND, "response": {"uid": uid, "allowed": false, "status": status}})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(change: &dyn Fn(&mut Value)) -> Vec<u8> {
        let mut review = json!({"apiVersion": VERSION, "kind": KIND, "request": {
            "uid": "u-1", "kind": {"group": "", "version": "v1", "kind": "Pod"}, "operation": "UPDATE", "name": "p",
            "namespace": "team", "userInfo": {"username": "alice@example.com", "extra": {"a": ["b"]}},
            "object": {"metadata": {"name": "p"}}, "oldObject": null, "options": {"fieldManager": "kubectl-edit"}}});
        change(&mut review);
        serde_json::to_vec(&review).unwrap()
    }

    #[test]
    fn a_review_becomes_a_request_with_kind_and_field_manager() {
        let asked = Asked::read(&review(&|_| ())).unwrap();
        assert_eq!(asked.namespace(), Some("team"));
        let request = asked.request(Beside::default()).unwrap();
        assert_eq!(
            (request.kind(), request.field_manager.as_str()),
            ("Pod", "kubectl-edit")
        );
        assert_eq!(request.operation, Operation::Update);
        assert!(request.old_object.is_none());
        assert_eq!(request.user.extra("a"), ["b"]);
    }

    #[test]
    fn a_namespace_is_judged_by_no_settings_of_its_own() {
        let body = review(&|review| review["request"]["kind"]["kind"] = json!("Namespace"));
        assert_eq!(Asked::read(&body).unwrap().namespace(), None);
    }

    #[test]
    fn what_is_no_review_is_an_error_that_says_what_it_is() {
        let cases: [(&str, Vec<u8>); 4] = [
            ("no AdmissionReview", b"{".to_vec()),
            ("no AdmissionReview", review(&|r| r["request"] = json!({}))),
            (
                "v1beta1",
                review(&|r| r["apiVersion"] = json!("admission.k8s.io/v1beta1")),
            ),
            ("`Review`", review(&|r| r["kind"] = json!("Review"))),
        ];
        for (said, body) in cases {
            let error = Asked::read(&body).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        let asked = Asked::read(&review(&|r| r["request"]["operation"] = json!("PATCH"))).unwrap();
        assert!(asked.request(Beside::default()).is_err());
    }
}

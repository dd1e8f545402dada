//! Pull secrets: read by name, only where an object that we ask a registry about references them, and forgotten after.

use k8s_openapi::api::core::v1::{LocalObjectReference, Secret};
use kube::Client;
use kube::api::Api;
use reeve_kube_kit::ClientError;
use reeve_serving::fault::{Category, Fault};
use reeve_serving::rights;

use crate::registry::credentials::Keyring;

/// What the referenced Secrets of a namespace say of registries. A reference without a name is none. `own` is the operator's namespace.
pub(crate) async fn keyring(
    client: &Client,
    own: &str,
    namespace: &str,
    references: &[LocalObjectReference],
) -> Result<Keyring, Fault> {
    let mut keyring = Keyring::default();
    let api = Api::<Secret>::namespaced(client.clone(), namespace);
    for reference in references.iter().filter(|reference| !reference.name.is_empty()) {
        let name = &reference.name;
        let secret = api
            .get(name)
            .await
            .map_err(|error| refused(own, namespace, name, error))?;
        keyring.add(&secret).map_err(|invalid| {
            let message = format!("the pull secret `{namespace}/{name}` cannot be used: {invalid}");
            Fault::new(Category::Infrastructure, "SecretInvalid", message)
        })?;
    }
    Ok(keyring)
}

/// Nobody told us to come back when a Secret or a right is made: all but the missing Secret is of the kind that is tried again.
fn refused(own: &str, namespace: &str, name: &str, error: kube::Error) -> Fault {
    let error = ClientError::from(error);
    match error.status() {
        Some(404) => Fault::new(
            Category::MissingUpstream,
            "SecretNotFound",
            format!("the pull secret `{namespace}/{name}` is not there"),
        ),
        Some(403) => Fault::new(
            Category::Infrastructure,
            "SecretAccessDenied",
            format!(
                "the operator may not read the pull secret `{namespace}/{name}`. Whoever may, lets it: kubectl create role \
                 aim-pull-secrets --namespace={namespace} --verb=get --resource=secrets --resource-name={name}, and kubectl \
                 create rolebinding aim-pull-secrets --namespace={namespace} --role=aim-pull-secrets \
                 --serviceaccount={own}:{}",
                rights::SERVICE_ACCOUNT
            ),
        ),
        _ => Fault::new(
            Category::Infrastructure,
            "SecretAccessFailed",
            format!("the pull secret `{namespace}/{name}` cannot be read: {error}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use reeve_serving_specs::conditions::OF_REGISTRIES;
    use serde_json::json;

    use super::*;

    /// A client whose server answers everything so.
    fn answering(status: u16, body: serde_json::Value) -> Client {
        let answer = move |_: http::Request<kube::client::Body>| {
            let body = body.to_string().into_bytes();
            async move {
                let response = http::Response::builder().status(status);
                response.body(kube::client::Body::from(body))
            }
        };
        Client::new(tower::service_fn(answer), "default")
    }

    // Planted fault: an arm that is taken away gives a 403 the reason of any other failure.
    #[tokio::test]
    async fn whatever_is_wrong_with_a_pull_secret_has_a_reason_of_its_own() {
        let refusal = |status: u16, reason: &str| {
            let body = json!({"kind": "Status", "status": "Failure", "code": status, "reason": reason, "message": "m"});
            answering(status, body)
        };
        let clients = [
            refusal(404, "NotFound"),
            refusal(403, "Forbidden"),
            refusal(500, "InternalError"),
            answering(
                200,
                json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {}}),
            ),
        ];
        let references = [LocalObjectReference { name: "s".to_owned() }];
        let mut reasons = BTreeSet::new();
        for client in &clients {
            let fault = keyring(client, "aim-system", "ns", &references)
                .await
                .unwrap_err();
            assert!(fault.message.contains("`ns/s`"), "{fault}");
            reasons.insert(fault.reason);
        }
        let declared = OF_REGISTRIES.iter().filter(|reason| reason.starts_with("Secret"));
        let declared: BTreeSet<String> = declared.map(|reason| (*reason).to_owned()).collect();
        assert_eq!(reasons, declared);
    }
}

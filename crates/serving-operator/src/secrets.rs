//! Pull secrets: read by name, only where an object that we ask a registry about references them, and forgotten after.

use k8s_openapi::api::core::v1::{LocalObjectReference, Secret};
use kube::api::Api;
use reeve_kube_kit::ClientError;
use reeve_serving::fault::{Category, Fault};
use reeve_serving::rights;

use crate::registry::credentials::Keyring;
use crate::shared::Shared;

/// What the referenced Secrets of a namespace say of registries. A reference without a name is none.
pub(crate) async fn keyring(
    shared: &Shared,
    namespace: &str,
    references: &[LocalObjectReference],
) -> Result<Keyring, Fault> {
    let mut keyring = Keyring::default();
    let api = Api::<Secret>::namespaced(shared.context.client.clone(), namespace);
    for reference in references.iter().filter(|reference| !reference.name.is_empty()) {
        let name = &reference.name;
        let secret = api
            .get(name)
            .await
            .map_err(|error| refused(shared, namespace, name, error))?;
        keyring.add(&secret).map_err(|invalid| {
            let message = format!("the pull secret `{namespace}/{name}` cannot be used: {invalid}");
            Fault::new(Category::Infrastructure, "SecretInvalid", message)
        })?;
    }
    Ok(keyring)
}

/// Nobody told us to come back when a Secret or a right is made: all but the missing Secret is of the kind that is tried again.
fn refused(shared: &Shared, namespace: &str, name: &str, error: kube::Error) -> Fault {
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
                 --serviceaccount={}:{}",
                shared.settings.namespace,
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

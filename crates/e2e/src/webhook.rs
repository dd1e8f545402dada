//! The rules as a webhook, as on a cluster without `MutatingAdmissionPolicy`: the program as a process beside the API server.

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject};
use kube::core::GroupVersionKind;
use kube::{Client, ResourceExt};
use reeve_admission::webhooks::{NAME, Reach, rights, webhooks};
use reeve_admission::{names, policies, policies_yaml};
use reeve_testkit::{apply_yaml, binary};
use serde_json::Value;

use crate::arguments::flags;
use crate::kubeconfig::{kubeconfig, write_private};
use crate::process::Process;
use crate::servers::free_port;
use crate::stack::{Stack, TOKEN_SECONDS};

/// The program, running under its own ServiceAccount, and what an installer does to have it asked in the place of the policies. What is
/// written here counts a moment later, when the API server has read it.
pub struct Webhook {
    installer: Client,
    configurations: Vec<Value>,
    _process: Process,
}

impl Webhook {
    /// Starts the program. The API server asks it nothing before [`Webhook::install`].
    ///
    /// # Errors
    /// Its rights are refused, or it cannot be started.
    pub async fn start(stack: &Stack) -> Result<Self> {
        let installer = stack.cluster.installer_client().await?;
        for right in rights() {
            apply_yaml(&installer, &right.to_string()).await?;
        }
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        let certificate = made.cert.pem();
        let token = stack
            .cluster
            .service_account_token(names::SYSTEM_NAMESPACE, NAME, TOKEN_SECONDS)
            .await?;
        let file = |name: &str, text: &str| -> Result<String> {
            let file = stack.dir().join(name);
            write_private(&file, text)?;
            Ok(file.display().to_string())
        };
        let address = format!("127.0.0.1:{}", free_port()?);
        let arguments = flags(&[
            ("--listen", &address),
            ("--tls-certificate", &file("webhook.crt", &certificate)?),
            (
                "--tls-key",
                &file("webhook.key", &made.signing_key.serialize_pem())?,
            ),
            (
                "--kubeconfig",
                &file("webhook.kubeconfig", &kubeconfig(&stack.cluster, &token, None))?,
            ),
        ]);
        let log = stack.dir().join("webhook.log");
        Ok(Self {
            installer,
            configurations: webhooks(
                &Reach::Url(format!("https://{address}")),
                &STANDARD.encode(certificate),
            ),
            _process: Process::start("reeve-webhook", &binary("reeve-webhook")?, &arguments, &log)?,
        })
    }

    /// Has the API server ask the program.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn install(&self) -> Result<()> {
        for configuration in &self.configurations {
            apply_yaml(&self.installer, &configuration.to_string()).await?;
        }
        Ok(())
    }

    /// The program is asked no more.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn remove(&self) -> Result<()> {
        delete(&self.installer, &self.configurations).await
    }

    /// Takes the policies away, bindings included.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn remove_policies(&self) -> Result<()> {
        delete(&self.installer, &policies()).await
    }

    /// Puts the policies back.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn install_policies(&self) -> Result<()> {
        apply_yaml(&self.installer, &policies_yaml()).await.map(drop)
    }
}

/// Deletes objects that are in no namespace.
async fn delete(client: &Client, objects: &[Value]) -> Result<()> {
    for object in objects {
        let object: DynamicObject = serde_json::from_value(object.clone())?;
        let types = object.types.clone().context("an object without a kind")?;
        let resource = ApiResource::from_gvk(&GroupVersionKind::try_from(&types)?);
        let name = object.name_any();
        Api::<DynamicObject>::all_with(client.clone(), &resource)
            .delete(&name, &DeleteParams::default())
            .await
            .with_context(|| format!("cannot delete {} `{name}`", types.kind))?;
    }
    Ok(())
}

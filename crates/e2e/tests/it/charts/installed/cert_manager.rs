//! Certificates of the real cert-manager, as the chart asks for them: issued, their authority written into the webhooks, left alone by an
//! upgrade, renewed.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_e2e::cert_manager::{CertManager, ISSUER};
use reeve_e2e::in_pods::SYSTEM_NAMESPACE;
use reeve_testkit::{wait_for, wait_until};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use super::{FAIL_OVER, Installed, certificates, webhook};

/// Each program that has one, and the Secret it is in.
const CERTIFICATES: [(&str, &str); 2] = [
    ("reeve-operator", "reeve-operator-tls"),
    ("reeve-webhook", "reeve-webhook-tls"),
];
const CONFIGURATIONS: [&str; 2] = [
    "mutatingwebhookconfigurations/reeve",
    "validatingwebhookconfigurations/reeve",
];

/// Planted faults: with `cert-manager.io/inject-ca-from` naming another Certificate no webhook gets the authority; with `caBundle: ""` in the
/// chart an upgrade writes over it; with `rotationPolicy: Never` a renewed certificate has the key of before.
pub(super) async fn issues_and_renews_what_the_chart_asks_for(installed: &Installed<'_>) -> Result<()> {
    let dir = installed.stack.dir();
    let manager = CertManager::start(&installed.stack.cluster, &installed.kubectl, dir).await?;
    let done = async {
        manager.issuer(&installed.kubectl, SYSTEM_NAMESPACE)?;
        installed.upgrade(asking)?;
        are_ready(installed)?;
        are_shown_and_believed(installed).await?;
        are_renewed_without_a_restart(installed).await
    };
    done.await
        .with_context(|| format!("cert-manager's log:\n{}", manager.log()))?;
    drop(manager);
    an_upgrade_leaves_the_authority_while_cert_manager_is_away(installed).await
}

fn asking(values: &mut Value) {
    let asked = json!({"enabled": true, "issuerRef": {"name": ISSUER}});
    values["metrics"] = json!({"tls": {"certManager": asked}});
    values["admission"] = json!({"mode": "webhook", "webhook": {"certManager": asked}});
}

fn are_ready(installed: &Installed<'_>) -> Result<()> {
    for (_, name) in CERTIFICATES {
        let certificate = format!("certificates.cert-manager.io/{name}");
        let ready = ["wait", "--for=condition=Ready", &certificate, "--timeout=90s"];
        installed
            .kubectl
            .must(&[&["-n", SYSTEM_NAMESPACE], &ready[..]].concat())?;
    }
    Ok(())
}

/// A certificate as it lies in its Secret.
struct Issued {
    authority: String,
    certificate: Vec<u8>,
    key: String,
}

impl Issued {
    /// `None` while the Secret has none that is whole.
    fn read(installed: &Installed<'_>, secret: &str) -> Result<Option<Self>> {
        let text = installed.get(&["secret", secret, "-n", SYSTEM_NAMESPACE, "-o=json"])?;
        let found: Value = serde_json::from_str(&text)?;
        let of = |name: &str| -> Result<Vec<u8>> {
            let value = found["data"][name].as_str().unwrap_or_default();
            STANDARD
                .decode(value)
                .with_context(|| format!("`{name}` of `{secret}`"))
        };
        let (authority, certificate) = (of("ca.crt")?, of("tls.crt")?);
        if authority.is_empty() || certificate.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            authority: String::from_utf8(authority)?,
            certificate: CertificateDer::from_pem_slice(&certificate)?.to_vec(),
            key: String::from_utf8(of("tls.key")?)?,
        }))
    }
}

/// Every pod shows what is in the Secret, whoever trusts the authority alone believes it by the Service's name, and the webhook's is
/// believed by the API server.
async fn are_shown_and_believed(installed: &Installed<'_>) -> Result<()> {
    for (program, secret) in CERTIFICATES {
        let issued = wait_until("the Secret", async || Issued::read(installed, secret)).await?;
        certificates::shows(installed, SYSTEM_NAMESPACE, program, &issued.certificate).await?;
        for (_, address) in installed.pods(SYSTEM_NAMESPACE, program)? {
            is_believed(program, (address, 8443).into(), &issued.authority).await?;
        }
    }
    let webhook = Issued::read(installed, "reeve-webhook-tls")?.context("the webhook's Secret is empty")?;
    wait_for(FAIL_OVER, "the authority in every webhook", async || {
        for authority in authorities(installed)? {
            ensure!(
                authority == STANDARD.encode(&webhook.authority),
                "a webhook has `{authority}`"
            );
        }
        Ok(Some(()))
    })
    .await?;
    webhook::refuses_somebody_elses_uid(installed).await
}

/// Without a token the answer is 401: it comes after the handshake.
async fn is_believed(program: &str, address: SocketAddr, authority: &str) -> Result<()> {
    let host = format!("{program}.{SYSTEM_NAMESPACE}.svc");
    let http = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(authority.as_bytes())?])
        .resolve(&host, address)
        .build()?;
    let url = format!("https://{host}:{}/metrics", address.port());
    let answer = http.get(&url).send().await.with_context(|| url.clone())?;
    ensure!(answer.status() == 401, "{url} answers {}", answer.status());
    Ok(())
}

/// What every webhook checks the certificate by, base64; empty where nothing is written.
fn authorities(installed: &Installed<'_>) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for configuration in CONFIGURATIONS {
        let found: Value = serde_json::from_str(&installed.get(&[configuration, "-o=json"])?)?;
        let webhooks = found["webhooks"].as_array().context("no webhooks")?;
        all.extend(webhooks.iter().map(|webhook| {
            let bundle = webhook["clientConfig"]["caBundle"].as_str();
            bundle.unwrap_or_default().to_owned()
        }));
    }
    ensure!(all.len() > 10, "only {} webhooks", all.len());
    Ok(all)
}

/// Nobody would put it back now.
async fn an_upgrade_leaves_the_authority_while_cert_manager_is_away(installed: &Installed<'_>) -> Result<()> {
    let before = authorities(installed)?;
    installed.upgrade(asking)?;
    ensure!(
        before == authorities(installed)?,
        "an upgrade wrote over the authority of webhooks"
    );
    webhook::refuses_somebody_elses_uid(installed).await
}

/// As `cmctl renew` asks for it: by a condition.
async fn are_renewed_without_a_restart(installed: &Installed<'_>) -> Result<()> {
    let starts = certificates::starts(installed)?;
    let asked = json!([{"op": "add", "path": "/status/conditions/-", "value": {
        "type": "Issuing", "status": "True", "reason": "ManuallyTriggered", "message": "asked by a test"}}])
    .to_string();
    for (_, secret) in CERTIFICATES {
        let before = Issued::read(installed, secret)?.context("an empty Secret")?;
        installed.kubectl.must(&[
            "-n",
            SYSTEM_NAMESPACE,
            "patch",
            &format!("certificates.cert-manager.io/{secret}"),
            "--subresource=status",
            "--type=json",
            "-p",
            &asked,
        ])?;
        let after = wait_until("another certificate", async || {
            let now = Issued::read(installed, secret)?;
            Ok(now.filter(|now| now.certificate != before.certificate))
        })
        .await?;
        ensure!(after.key != before.key, "`{secret}` was renewed with its old key");
    }
    are_shown_and_believed(installed).await?;
    let now = certificates::starts(installed)?;
    ensure!(now == starts, "a pod was started again: {starts:#?}{now:#?}");
    Ok(())
}

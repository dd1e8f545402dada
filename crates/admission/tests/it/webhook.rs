//! The case table on a real API server that has no policy of ours: the webhook alone, as a process beside the API server and
//! with the rights of its ServiceAccount. It judges by the predicates, which every run holds against every row without an API
//! server (`offline.rs`); through one it is asked a row of four, and each with `ROWS=all` (`make random-pods`).

use std::net::{SocketAddr, TcpListener};

use anyhow::{Result, bail};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_admission::webhooks::{NAME, Reach, rights, webhooks};
use reeve_admission::{checks, names};
use reeve_admission_webhook::cluster::Cluster as Reads;
use reeve_admission_webhook::serve::Webhook;
use reeve_admission_webhook::verdict::Rules;
use reeve_testkit::{Cluster, Impersonate, apply_yaml, is_whole};
use serde_json::Value;

use crate::fixture::{self, send};
use crate::mutants::{candidates, misses};
use crate::table::{Row, rows};
use crate::test_cluster::{TestCluster, create_request, namespace};

/// The webhook, serving on loopback, and what tells the API server of it.
pub(crate) struct Running {
    pub(crate) rules: Rules,
    pub(crate) configurations: Vec<Value>,
    handle: Handle<SocketAddr>,
}

impl Running {
    /// Starts it, reading the cluster as its ServiceAccount.
    pub(crate) async fn start(cluster: &Cluster) -> Result<Self> {
        let installer = cluster.installer_client().await?;
        let system = format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {}}}\n",
            names::SYSTEM_NAMESPACE
        );
        apply_yaml(&installer, &system).await?;
        for right in rights() {
            apply_yaml(&installer, &right.to_string()).await?;
        }
        let account = format!(
            "{}{}:{NAME}",
            names::SERVICE_ACCOUNT_PREFIX,
            names::SYSTEM_NAMESPACE
        );
        let client = cluster.client_as(&Impersonate::user(&account)).await?;
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        let certificate = made.cert.pem();
        let tls = RustlsConfig::from_pem(
            certificate.clone().into_bytes(),
            made.signing_key.serialize_pem().into_bytes(),
        )
        .await?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let url = format!("https://{}", listener.local_addr()?);
        let (rules, handle) = (Rules::default(), Handle::new());
        let webhook = Webhook::new(Reads::new(client), rules.clone());
        tokio::spawn(webhook.serve(listener, tls, handle.clone(), None));
        Ok(Self {
            rules,
            configurations: webhooks(&Reach::Url(url), &STANDARD.encode(certificate)),
            handle,
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_webhook_alone_judges_rows_as_the_table_says_and_each_fault_in_it_shows() -> Result<()> {
    let Some(cluster) = fixture::api_server().await else {
        return Ok(());
    };
    let running = Running::start(&cluster).await?;
    let rows = rows()?;
    let levels = ["privileged", "restricted"];
    let stage = TestCluster::set_with(&cluster, &rows, &levels, &running.configurations).await?;
    let one_of = if is_whole("ROWS") { 1 } else { 4 };
    let asked: Vec<&Row> = rows.iter().step_by(one_of).collect();
    let mut wrong = stage.try_rows(&asked, "privileged").await?;
    let templates: Vec<&Row> = asked.into_iter().filter(|r| r.makes_pods()).collect();
    wrong.extend(stage.try_rows(&templates, "restricted").await?);
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
    let filled = crate::filled_in::wrong(&stage).await?;
    assert!(filled.is_empty(), "filled in otherwise:\n{}", filled.join("\n"));

    each_fault_shows(&stage, &running.rules, &rows).await?;
    nothing_starts_without_it(&stage, &running).await
}

/// Every check left out once, and the filling in.
async fn each_fault_shows(stage: &TestCluster, rules: &Rules, rows: &[Row]) -> Result<()> {
    let mut survived = Vec::new();
    for check in checks() {
        rules.plant(Some(check.id));
        let mut noticed = false;
        for row in candidates(rows, check.id) {
            let (_, answer) = stage.try_row(&row, "privileged").await?;
            if misses(&row, &answer)? {
                noticed = true;
                break;
            }
        }
        if !noticed {
            survived.push(check.id);
        }
    }
    rules.plant(Some("fill"));
    if crate::filled_in::wrong(stage).await?.is_empty() {
        survived.push("fill");
    }
    rules.plant(None);
    assert!(
        survived.is_empty(),
        "no row notices that these are gone: {survived:?}"
    );
    Ok(())
}

/// A webhook that does not answer lets nobody start anything in a project, and holds up nobody else.
async fn nothing_starts_without_it(stage: &TestCluster, running: &Running) -> Result<()> {
    running.handle.shutdown();
    let request = create_request("alice", "strict", fixture::minimal("Pod", "without"));
    let answer = send(&stage.client, &namespace("privileged", "strict"), &request, true).await?;
    if answer.admitted() || !answer.message().contains("failed calling webhook") {
        bail!("{} {}", answer.code, answer.message());
    }
    let answer = send(&stage.client, "outside", &request, true).await?;
    assert!(answer.admitted(), "{} {}", answer.code, answer.message());
    Ok(())
}

//! Metrics of pods: the API server says who may read them.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use reeve_e2e::in_pods::{SERVER_NAMESPACE, SYSTEM_NAMESPACE};

use super::Installed;

/// Where the pods of a program show their metrics.
fn ports(installed: &Installed<'_>, namespace: &str, program: &str, port: u16) -> Result<Vec<SocketAddr>> {
    let pods = installed.pods(namespace, program)?;
    ensure!(!pods.is_empty(), "no pod of {program}");
    Ok(pods
        .into_iter()
        .map(|(_, address)| (address, port).into())
        .collect())
}

/// A token of the cluster, by ServiceAccount of namespace `default`.
fn token(installed: &Installed<'_>, name: &str) -> Result<String> {
    let token = installed
        .kubectl
        .must(&["create", "token", name, "-n", "default"])?;
    Ok(token.trim().to_owned())
}

/// Operator and server: nobody without a token, with a wrong one, or with one that may not; and who may.
pub(super) async fn are_for_who_may(installed: &Installed<'_>) -> Result<()> {
    for name in ["stranger", "monitoring"] {
        installed
            .kubectl
            .must(&["create", "serviceaccount", name, "-n", "default"])?;
    }
    let before = status(
        ports(installed, SERVER_NAMESPACE, "reeve-server", 9443)?[0],
        Some(&token(installed, "monitoring")?),
    )
    .await?;
    ensure!(before == 403, "without a role it is {before}");
    for (binding, role) in [
        ("operators-metrics", "reeve-metrics-reader"),
        ("servers-metrics", "reeve-reeve-server-metrics-reader"),
    ] {
        let role = format!("--clusterrole={role}");
        installed.kubectl.must(&[
            "create",
            "clusterrolebinding",
            binding,
            &role,
            "--serviceaccount=default:monitoring",
        ])?;
    }
    for (namespace, program, port) in [
        (SERVER_NAMESPACE, "reeve-server", 9443),
        (SYSTEM_NAMESPACE, "reeve-operator", 8443),
    ] {
        of(installed, namespace, program, port).await?;
    }
    // Nobody's port shows them besides.
    let people = ports(installed, SERVER_NAMESPACE, "reeve-server", 8443)?[0];
    let there = status(people, Some(&token(installed, "monitoring")?)).await?;
    ensure!(there == 404, "the port of people answers {there}");
    Ok(())
}

/// 401, 401, 403, 200, of each pod of a program.
pub(super) async fn of(installed: &Installed<'_>, namespace: &str, program: &str, port: u16) -> Result<()> {
    let (stranger, monitoring) = (token(installed, "stranger")?, token(installed, "monitoring")?);
    for port in ports(installed, namespace, program, port)? {
        let cases = [
            (None, 401),
            (Some("made-up"), 401),
            (Some(stranger.as_str()), 403),
            (Some(monitoring.as_str()), 200),
        ];
        for (token, expected) in cases {
            let status = status(port, token).await?;
            ensure!(status == expected, "{program} answers {status}, not {expected}");
        }
    }
    Ok(())
}

/// The pod's own certificate is checked nowhere here: who may read is what is looked at.
async fn status(port: SocketAddr, token: Option<&str>) -> Result<u16> {
    let http = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .build()?;
    let request = http.get(format!("https://{port}/metrics"));
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    Ok(request.send().await?.status().as_u16())
}

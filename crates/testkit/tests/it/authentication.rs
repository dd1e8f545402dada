use anyhow::Result;
use reeve_testkit::{Options, Tier, own_cluster, wait_for};

const BROKEN: &str = "
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer: {url: 'http://plain.example', audiences: [a]}
  claimMappings: {username: {claim: sub, prefix: ''}}
";

const EMPTY: &str = "
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt: []
";

#[tokio::test]
async fn nobody_without_a_name_comes_further_than_health() -> Result<()> {
    let options = Options { authentication_config: Some(EMPTY.to_owned()), ..Options::default() };
    let Some(cluster) = own_cluster(options).await else { return Ok(()) };
    let code = |path: &str| {
        // A kubeconfig without user: kubectl sends no credential at all.
        let text = std::fs::read_to_string(cluster.kubeconfig())?;
        let anonymous = cluster.dir().join("anonymous.kubeconfig");
        let kept: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("client-")).collect();
        std::fs::write(&anonymous, kept.join("\n").replace("  user:", "  user: {}"))?;
        let kubectl = reeve_testkit::Kubectl::new(cluster.kubectl_path(), &anonymous);
        anyhow::Ok(kubectl.run(&["get", "--raw", path])?)
    };
    assert!(code("/readyz")?.status.success());
    let refused = code("/version")?;
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("Unauthorized") || said.contains("provide credentials"), "{said}");
    Ok(())
}

#[tokio::test]
async fn the_authentication_file_is_read_again_while_the_api_server_runs() -> Result<()> {
    let Some(cluster) = own_cluster(Options { tier: Tier::ApiServer, ..Options::default() }).await else {
        return Ok(());
    };
    cluster.set_authentication(BROKEN)?;
    let log = cluster.dir().join("logs/kube-apiserver.log");
    wait_for(std::time::Duration::from_secs(90), "the API server to look at the file", async || {
        let log = std::fs::read_to_string(&log)?;
        Ok(log.contains("failed to validate authentication config").then_some(()))
    })
    .await
}

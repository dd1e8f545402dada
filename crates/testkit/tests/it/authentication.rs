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
    let options = Options {
        authentication_config: Some(EMPTY.to_owned()),
        ..Options::default()
    };
    let Some(cluster) = own_cluster(options).await else {
        return Ok(());
    };
    // Also sets the process up for TLS.
    cluster.client().await?;
    let authority = reqwest::Certificate::from_pem(cluster.ca_pem()?.as_bytes())?;
    let nobody = reqwest::Client::builder().tls_certs_only([authority]).build()?;
    for (path, expected) in [
        ("/livez", 200),
        ("/readyz", 200),
        ("/version", 401),
        ("/api", 401),
    ] {
        let answer = nobody.get(format!("{}{path}", cluster.server())).send().await?;
        assert_eq!(answer.status().as_u16(), expected, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn the_authentication_file_is_read_again_while_the_api_server_runs() -> Result<()> {
    let Some(cluster) = own_cluster(Options {
        tier: Tier::ApiServer,
        ..Options::default()
    })
    .await
    else {
        return Ok(());
    };
    cluster.set_authentication(BROKEN)?;
    let log = cluster.dir().join("logs/kube-apiserver.log");
    wait_for(
        std::time::Duration::from_secs(90),
        "the API server to look at the file",
        async || {
            let log = std::fs::read_to_string(&log)?;
            Ok(log
                .contains("failed to validate authentication config")
                .then_some(()))
        },
    )
    .await
}

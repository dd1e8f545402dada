//! Tokens: of ServiceAccounts (R5), and of one thing used for another (R14).

use anyhow::{Context, ensure};
use reeve_testkit::wait_until;
use serde_json::json;

use super::{attackers, kubectl_of, kubectl_refused};
use crate::harness::{Team, bare_job, create, fresh, must_be, must_be_refused, on_the_stack, patch, refusal};

#[test]
fn r5_a_service_accounts_token_starts_nothing() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let installer = stack.cluster.installer_client().await?;
        create(
            &installer,
            &team.namespace,
            json!({"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": "runner"}}),
        )
        .await?;
        // Somebody with the right to do so bound it; identity is still missing.
        stack.kubectl(stack.cluster.installer_kubeconfig()).must(&[
            "create",
            "rolebinding",
            "runner",
            "-n",
            &team.namespace,
            "--clusterrole=edit",
            &format!("--serviceaccount={}:runner", team.namespace),
        ])?;
        let token = stack
            .cluster
            .service_account_token(&team.namespace, "runner", 600)
            .await?;
        let client = stack.kubernetes(&token).await?;
        wait_until("the binding to count", async || {
            let (code, message) =
                refusal(create(&client, &team.namespace, bare_job("deputy", &["id"])).await)?;
            ensure!(code == 403, "{code}: {message}");
            Ok(message.contains("R5").then_some(()))
        })
        .await?;
        // And she may not ask for such a token at all.
        let alice = team.researcher.kubernetes(stack).await?;
        let accounts: kube::Api<k8s_openapi::api::core::v1::ServiceAccount> =
            kube::Api::namespaced(alice, &team.namespace);
        let request = serde_json::from_value(json!({"spec": {"audiences": [], "expirationSeconds": 600}}))?;
        must_be_refused(
            accounts
                .create_token_request("runner", &kube::api::PostParams::default(), &request)
                .await,
            &["cannot create resource \"serviceaccounts/token\""],
        )
    });
}

#[test]
fn r5_nobody_but_an_installer_gets_a_lasting_token_by_a_secret() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let kubectl = kubectl_of(stack, &team, &team.researcher).await?;
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
            "metadata": {"name": "satok", "annotations": {"kubernetes.io/service-account.name": "default"}}});
        let manifest = secret.to_string();
        let words = ["R5", "never expires", "reeve kubeconfig set", "reeve:installers"];
        kubectl_refused(
            &kubectl.run_with_input(&["create", "-f", "-"], &manifest)?,
            &words,
        )?;
        kubectl_refused(
            &kubectl.run_with_input(&["apply", "--server-side", "-f", "-"], &manifest)?,
            &words,
        )?;
        // Not even an administrator, who has every right of RBAC.
        let attackers = attackers(stack, &team).await?;
        let (installers, others): (Vec<_>, Vec<_>) = attackers
            .iter()
            .partition(|attacker| attacker.who == "an installer");
        for attacker in &others {
            let refused = create(&attacker.client, &team.namespace, secret.clone()).await;
            attacker.must_break(refused, &["R5"], false)?;
        }
        // An installer may, and the controller of Kubernetes fills it in.
        let installer = installers.first().context("no installer")?;
        create(&installer.client, &team.namespace, secret).await?;
        wait_until("the token to be filled in", async || {
            let token = kubectl.must(&["get", "secret", "satok", "-o", "jsonpath={.data.token}"])?;
            Ok((!token.is_empty()).then_some(()))
        })
        .await?;
        let pointed = json!({"metadata": {"annotations": {"kubernetes.io/service-account.name": "other"}}});
        for attacker in &others {
            let refused = patch(
                &attacker.client,
                &team.namespace,
                "Secret",
                "satok",
                pointed.clone(),
            )
            .await;
            attacker.must_break(refused, &["R5"], false)?;
        }
        // She may label it, and not point it at another account.
        kubectl.must(&["label", "secret", "satok", "team=vision"])?;
        kubectl_refused(
            &kubectl.run(&[
                "annotate",
                "secret",
                "satok",
                "--overwrite",
                "kubernetes.io/service-account.name=other",
            ])?,
            &["R5"],
        )?;
        kubectl.must(&["delete", "secret", "satok"])?;
        Ok(())
    });
}

#[test]
fn an_ordinary_secret_of_hers_goes_on_working() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let kubectl = kubectl_of(stack, &team, &team.researcher).await?;
        kubectl.must(&["create", "secret", "generic", "mine", "--from-literal=key=first"])?;
        kubectl.must(&[
            "patch",
            "secret",
            "mine",
            "-p",
            r#"{"stringData":{"key":"second"}}"#,
        ])?;
        let value = kubectl.must(&["get", "secret", "mine", "-o", "jsonpath={.data.key}"])?;
        ensure!(value.trim() == "c2Vjb25k", "{value}");
        kubectl.must(&["delete", "secret", "mine"])?;
        Ok(())
    });
}

#[test]
fn r14_a_token_is_good_for_one_thing() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let rest_token = team.researcher.rest.token().context("she signed in")?.to_owned();
        let cluster_token = stack.kubernetes_token(&team.researcher.rest).await?;
        // REST's on the API server.
        let (code, _) = refusal(
            create(
                &stack.kubernetes(&rest_token).await?,
                &team.namespace,
                bare_job("x", &["id"]),
            )
            .await,
        )?;
        ensure!(code == 401, "the API server answered {code}");
        // The cluster's on REST and on the link.
        let caller = stack.admin.with_token(Some(&cluster_token));
        ensure!(caller.get("/api/v1/me").await?.status == 401);
        let hello = json!({"protocol": 6, "operatorVersion": "test"});
        for token in [&cluster_token, &rest_token] {
            let answer = stack
                .admin
                .with_token(Some(token))
                .post("/link/v1/watch", hello.clone())
                .await?;
            ensure!(answer.status == 401, "{answer:?}");
        }
        // The link's on REST and on the API server; the cluster's secret as an application's.
        let body = json!({"clusterId": stack.cluster_id, "clientSecret": stack.link_secret});
        let link = stack
            .admin
            .with_token(None)
            .post("/link/v1/token", body)
            .await?
            .expect(200)?;
        let link = link["accessToken"].as_str().context("no accessToken")?.to_owned();
        ensure!(
            stack
                .admin
                .with_token(Some(&link))
                .get("/api/v1/me")
                .await?
                .status
                == 401
        );
        let (code, _) = refusal(
            create(
                &stack.kubernetes(&link).await?,
                &team.namespace,
                bare_job("x", &["id"]),
            )
            .await,
        )?;
        ensure!(code == 401, "the API server answered {code}");
        let body = json!({"grantType": "client_credentials", "clientID": stack.cluster_id, "clientSecret": stack.link_secret});
        let nobody = stack.admin.with_token(None);
        must_be(
            &nobody.post("/api/v1/token", body).await?,
            400,
            "credentials are not valid",
        )?;
        // Another cluster's token, and another cluster's secret.
        let other = stack
            .admin
            .post("/api/v1/clusters", json!({"name": fresh("other")}))
            .await?
            .expect(201)?;
        let (other_id, other_secret) = (
            other["uuid"].as_str().unwrap_or_default(),
            other["clientSecret"].as_str().unwrap_or_default(),
        );
        let foreign = stack
            .admin
            .post(
                &format!("/api/v1/clusters/{other_id}/kubernetes-token"),
                json!({}),
            )
            .await?
            .expect(200)?;
        let foreign = stack
            .kubernetes(foreign["token"].as_str().unwrap_or_default())
            .await?;
        ensure!(refusal(create(&foreign, &team.namespace, bare_job("x", &["id"])).await)?.0 == 401);
        let body = json!({"clusterId": stack.cluster_id, "clientSecret": other_secret});
        let answer = nobody.post("/link/v1/token", body).await?;
        must_be(&answer, 400, "the cluster's credentials are not valid")?;
        let path = format!("/api/v1/clusters/{other_id}?force=true");
        stack.admin.delete(&path).await?.expect(204)?;
        Ok(())
    });
}

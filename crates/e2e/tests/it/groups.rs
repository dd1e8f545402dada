//! Groups from a sign-in into a cluster, and signing keys under it: on a real API server.
//!
//! No identity provider runs beside these tests: a sign-in by one is written into the database as the server writes it, by the
//! server's own code, while the server is stopped. Real ones sign people in in the server's own tests (`identity/real.rs`).

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use base64::Engine;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};
use reeve_authz::{BootstrapException, Granted};
use reeve_e2e::{Rest, Stack, organization};
use reeve_identity::{Random, VerifiedIdentity};
use reeve_server::bootstrap::{DataDir, installed};
use reeve_server::directory::Directory;
use reeve_server::security::Security;
use reeve_store::{AuditAction, AuditEntry, Directory as _, NewSession, Sessions};
use reeve_testkit::{Tier, wait_until};
use reeve_types::{Clock, SessionId};
use serde_json::{Value, json};

use crate::harness::{Team, fresh, metrics, on_a_stack_of_its_own};

/// Signs somebody in by an identity provider that names these groups, and answers a token of the session.
async fn signed_in(data: &Path, url: &str, user: &str, groups: &[&str]) -> Result<String> {
    let (random, clock) = (Random::system(), Clock::system());
    let dir = DataDir::open(data)?;
    let _lock = dir.lock()?;
    let master = dir.master_key(&random, true)?;
    let store = dir.store(&master, clock.now()).await?;
    let groups = groups
        .iter()
        .map(|group| group.parse())
        .collect::<Result<_, _>>()?;
    let identity = VerifiedIdentity::by_provider(user.parse()?, groups, None)?;
    let entry = AuditEntry::of_the_system(
        AuditAction::SignIn,
        "users",
        random.uuid()?.to_string(),
        clock.now(),
    );
    let new = NewSession {
        id: SessionId::from_uuid(random.uuid()?),
        subject: identity.subject(),
        method: identity.method(),
        groups: identity.groups().to_vec(),
        posix: None,
        until: clock.now().plus_seconds(3600),
        go_on_until: None,
        provider: None,
        access_key: None,
    };
    let granted = Granted::bootstrap(BootstrapException::SessionRecord);
    let begun = store.begin_session(&granted, new, None, entry).await?;
    let session = begun.value.context("the user is not there")?;
    let keys = installed(&store, &master).await?.keys;
    let directory = Directory::load(store.directory().await?);
    let security = Security::new(&master, keys, url, random)?;
    let (token, _) = security.rest_token(&session, &directory, clock.now())?;
    store.close().await;
    Ok(token.expose().to_owned())
}

fn groups_in(token: &str) -> Result<Value> {
    let payload = token.split('.').nth(1).context("no token")?;
    let bytes = base64::engine::general_purpose::STANDARD_NO_PAD.decode(payload)?;
    Ok(serde_json::from_slice::<Value>(&bytes)?["groups"].clone())
}

/// What the API server answers to whoever lists pods: 200, or how it refuses.
async fn lists_pods(stack: &Stack, token: &str, namespace: &str) -> Result<u16> {
    let pods: Api<Pod> = Api::namespaced(stack.kubernetes(token).await?, namespace);
    match pods.list(&ListParams::default()).await {
        Ok(_) => Ok(200),
        Err(kube::Error::Api(status)) => Ok(status.code),
        Err(other) => Err(other.into()),
    }
}

/// A binding that somebody else made in the cluster, to a group as an identity provider calls it.
fn bind_to_everything(stack: &Stack, name: &str, group: &str) -> Result<()> {
    let kubectl = stack.kubectl(stack.cluster.installer_kubeconfig());
    let group = format!("--group={group}");
    kubectl.must(&[
        "create",
        "clusterrolebinding",
        name,
        "--clusterrole=cluster-admin",
        &group,
    ])?;
    Ok(())
}

/// Planted faults: the same user in a session without the group; a binding of the cluster's own to the group's bare name and to
/// one with a colon; both are of no use.
#[test]
fn a_rule_for_a_group_lets_its_members_into_the_cluster_and_its_end_ends_that() {
    on_a_stack_of_its_own("groups", Tier::Controllers, |mut stack| async move {
        let team = Team::form(&stack).await?;
        let person = organization::create_user(&stack.admin, &fresh("carol"), None).await?;
        stack.kill_server()?;
        let (data, url) = (stack.dir().join("server"), stack.admin.url().to_owned());
        let token = signed_in(&data, &url, &person.id, &["ml", "vpn", "oidc:ml"]).await?;
        let dropped = signed_in(&data, &url, &person.id, &[]).await?;
        stack.start_server().await?;
        let as_member = stack.admin.with_token(Some(&token));
        let without = stack.admin.with_token(Some(&dropped));
        let me = as_member.get("/api/v1/me").await?.expect(200)?;
        ensure!(me["groups"] == json!(["ml", "oidc:ml", "vpn"]), "{me}");
        // Bound to the user in another project, so that both sessions get tokens for the cluster.
        let elsewhere = Team::form(&stack).await?;
        let admin = &stack.admin;
        let name = &person.username;
        organization::create_rule(admin, "user", name, "Viewer", "project", &elsewhere.project).await?;
        bind_to_everything(&stack, "bare", "ml")?;
        bind_to_everything(&stack, "colon", "oidc:ml")?;
        bind_to_everything(&stack, "other", "vpn")?;
        let rule =
            organization::create_rule(admin, "group", "ml", "Viewer", "project", &team.project).await?;
        organization::create_rule(
            admin,
            "group",
            "oidc:ml",
            "L1 researcher",
            "project",
            &team.project,
        )
        .await?;
        team.wait_until_bound(&stack, "viewer", "reeve-group/ml").await?;
        let researchers = team.subjects(&stack, "l1-researcher").await?.unwrap_or_default();
        ensure!(
            researchers == [team.researcher.person.username.clone()],
            "{researchers:?}"
        );

        let in_cluster = stack.kubernetes_token(&as_member).await?;
        ensure!(
            groups_in(&in_cluster)? == json!(["reeve-group/ml"]),
            "{}",
            groups_in(&in_cluster)?
        );
        stack.cluster.wait_until_token_accepted(&in_cluster).await?;
        wait_until("the group to be let in", async || {
            Ok((lists_pods(&stack, &in_cluster, &team.namespace).await? == 200).then_some(()))
        })
        .await?;
        ensure!(lists_pods(&stack, &in_cluster, "kube-system").await? == 403);
        let without = stack.kubernetes_token(&without).await?;
        ensure!(groups_in(&without)? == Value::Null);
        ensure!(lists_pods(&stack, &without, &team.namespace).await? == 403);

        rotated_under_a_stream_of_requests(&stack, &as_member, &team.namespace).await?;

        let path = format!("/api/v1/authorization/access-rules/{rule}");
        stack.admin.delete(&path).await?.expect(204)?;
        // The token is good for minutes; what it names is bound to nothing any more.
        wait_until("the group to be shut out", async || {
            Ok((lists_pods(&stack, &in_cluster, &team.namespace).await? == 403).then_some(()))
        })
        .await?;
        stack.down().await;
        Ok(())
    });
}

/// Requests with tokens of the key that signs at that moment, and with older ones, while the keys are rotated twice: each is
/// answered, and the API server reads the published keys once for each key that it did not know.
async fn rotated_under_a_stream_of_requests(stack: &Stack, caller: &Rest, namespace: &str) -> Result<()> {
    const JWKS: &str = "reeve_requests_total{operation=\"get_jwks\",status=\"200\"}";
    let read = async || Ok::<_, anyhow::Error>(metrics(stack).await?.get(JWKS).copied().unwrap_or(0.0));
    let (stop, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    let old = stack.kubernetes_token(caller).await?;
    let stream = async |fresh: bool| {
        while !stop.load(Ordering::SeqCst) {
            let token = if fresh {
                stack.kubernetes_token(caller).await?
            } else {
                old.clone()
            };
            let code = lists_pods(stack, &token, namespace).await?;
            ensure!(code == 200, "the API server answered {code}");
            asked.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    };
    let before = read().await?;
    let rotations = async {
        let outcome = async {
            for _ in 0..2 {
                let reached = asked.load(Ordering::SeqCst);
                wait_until("requests to go on", async || {
                    Ok((asked.load(Ordering::SeqCst) > reached + 20).then_some(()))
                })
                .await?;
                let rotate = "/api/v1/security/signing-keys/rotate";
                stack
                    .admin
                    .post(rotate, json!({"atOnce": true}))
                    .await?
                    .expect(200)?;
            }
            let reached = asked.load(Ordering::SeqCst);
            wait_until("requests with the last key", async || {
                Ok((asked.load(Ordering::SeqCst) > reached + 20).then_some(()))
            })
            .await
        }
        .await;
        stop.store(true, Ordering::SeqCst);
        outcome
    };
    let (one, two, three) = tokio::join!(stream(true), stream(false), rotations);
    one.and(two).and(three)?;
    let reads = read().await? - before;
    // The first key after the start knew the next one already: one read at most for each rotation, and none without.
    ensure!(
        (1.0..=2.0).contains(&reads),
        "the published keys were read {reads} times"
    );
    Ok(())
}

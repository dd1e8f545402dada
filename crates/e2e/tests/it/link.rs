//! The link, read by a second operator of our own: what is sent, when, and what is not.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Api;
use reeve_crds::ReeveConfig;
use reeve_e2e::simulated::LINK_PROTOCOL;
use reeve_e2e::{ADMINISTRATOR, CommandLine, Rest, Stack, organization};
use reeve_testkit::{Tier, binary, wait_until};
use serde_json::{Value, json};

use crate::harness::{fresh, metrics, must_be, on_a_stack_of_its_own, revision_lag};

/// The lines of a watch stream.
struct Lines {
    bytes: Pin<Box<dyn Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    rest: Vec<u8>,
}

impl Lines {
    /// From nothing, or from what an earlier stream had reached.
    async fn open(stack: &Stack, resume: Option<(&Value, u64)>) -> Result<Self> {
        let token = token(stack).await?;
        let pem = std::fs::read(&stack.ca_file)?;
        let client = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(&pem)?])
            .build()?;
        let mut hello = json!({"protocol": LINK_PROTOCOL, "operatorVersion": "test"});
        if let Some((token, revision)) = resume {
            hello["resume"] = json!({"revision": revision, "token": token});
        }
        let response = client
            .post(format!("{}/link/v1/watch", stack.admin.url()))
            .bearer_auth(token)
            .json(&hello)
            .send()
            .await?;
        ensure!(response.status() == 200, "{}", response.status());
        Ok(Self {
            bytes: Box::pin(response.bytes_stream()),
            rest: Vec::new(),
        })
    }

    /// The next message that is no heartbeat.
    async fn next(&mut self) -> Result<Value> {
        loop {
            if let Some(end) = self.rest.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                let message: Value = serde_json::from_slice(&line)?;
                if message["type"] != "heartbeat" {
                    return Ok(message);
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(30), self.bytes.next())
                .await
                .context("nothing came")?;
            self.rest.extend_from_slice(&chunk.context("the stream ended")??);
        }
    }

    /// Everything until the given revision is reached: (deletes, upserts) in the order they came.
    async fn until(&mut self, revision: u64) -> Result<(Vec<Value>, Vec<Value>)> {
        let (mut deletes, mut upserts) = (Vec::new(), Vec::new());
        loop {
            let message = self.next().await?;
            match message["type"].as_str() {
                Some("welcome") if message["revision"].as_u64() >= Some(revision) && revision == 0 => {
                    return Ok((deletes, upserts));
                }
                Some("welcome") => (),
                Some("batch") => {
                    deletes.extend(message["deletes"].as_array().cloned().unwrap_or_default());
                    upserts.extend(message["upserts"].as_array().cloned().unwrap_or_default());
                    if message["more"] != true && message["revision"].as_u64() >= Some(revision) {
                        return Ok((deletes, upserts));
                    }
                }
                other => bail!("an unknown message: {other:?}"),
            }
        }
    }

    /// Fails if anything but heartbeats comes within the time.
    async fn silent_for(&mut self, time: Duration) -> Result<()> {
        match tokio::time::timeout(time, self.next()).await {
            Err(_) => Ok(()),
            Ok(message) => bail!("nothing had changed, yet this came: {:?}", message?),
        }
    }
}

/// A token of the link, as the operator gets it.
pub(crate) async fn token(stack: &Stack) -> Result<String> {
    let body = json!({"clusterId": stack.cluster_id, "clientSecret": stack.link_secret});
    let nobody = stack.admin.with_token(None);
    let token = nobody.post("/link/v1/token", body).await?.expect(200)?;
    let token = token["accessToken"].as_str().context("no accessToken")?;
    Ok(token.to_owned())
}

/// Where the cluster's desired state stands: the token and the revision of the mark at the end of the complete state.
pub(crate) async fn position(stack: &Stack) -> Result<(Value, u64)> {
    let mut lines = Lines::open(stack, None).await?;
    loop {
        let message = lines.next().await?;
        if message["type"] == "batch" && message["more"] != true {
            let revision = message["revision"]
                .as_u64()
                .context("no revision in the end mark")?;
            return Ok((message["token"].clone(), revision));
        }
    }
}

async fn rules(admin: &Rest, project: &str, count: usize) -> Result<Vec<i64>> {
    let mut ids = Vec::with_capacity(count);
    for _ in 0..count {
        let body = json!({"subjectType": "group", "subjectId": fresh("group"), "roleId": 5, "scopeType": "project", "scopeId": project});
        let made = admin
            .post("/api/v1/authorization/access-rules", body)
            .await?
            .expect(201)?;
        ids.push(made["id"].as_i64().context("no id")?);
    }
    Ok(ids)
}

/// How many requests each path of the link has answered so far.
async fn asked(stack: &Stack) -> Result<BTreeMap<&'static str, f64>> {
    let all = metrics(stack).await?;
    let of = |operation: &str| {
        let begin = format!("reeve_requests_total{{operation=\"{operation}\"");
        all.iter()
            .filter(|(name, _)| name.starts_with(&begin))
            .map(|(_, count)| count)
            .sum()
    };
    let paths = ["link_token", "link_watch", "link_status"];
    Ok(paths.map(|path| (path, of(path))).into())
}

/// Waits until the cluster has applied everything and has nothing more to say.
async fn until_all_is_said(stack: &Stack) -> Result<()> {
    wait_until("the operator to have said everything", async || {
        let before = asked(stack).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        ensure!(revision_lag(stack).await? == 0.0, "it has not applied everything");
        Ok((asked(stack).await? == before).then_some(()))
    })
    .await
}

#[test]
fn one_change_among_a_thousand_rules_sends_one_object_and_a_resume_only_later_revisions() {
    on_a_stack_of_its_own("link", Tier::ApiServer, async |stack| {
        let department = organization::create_department(&stack, &fresh("dept")).await?;
        let project = organization::create_project(&stack, &fresh("proj"), &department).await?;
        let ids = rules(&stack.admin, &project, 1000).await?;
        let (token, start) = position(&stack).await?;

        let mut lines = Lines::open(&stack, Some((&token, start))).await?;
        ensure!(lines.next().await?["type"] == "welcome");
        until_all_is_said(&stack).await?;
        let before = asked(&stack).await?;
        let made = rules(&stack.admin, &project, 1).await?;
        let (deletes, upserts) = lines.until(start + 1).await?;
        ensure!(
            deletes.is_empty() && upserts.len() == 1,
            "{deletes:?} {upserts:?}"
        );
        ensure!(
            upserts[0]["object"]["spec"]["id"] == json!(made[0]),
            "{upserts:?}"
        );
        // The operator asks for nothing because of it, it only says how it went: that it has the revision and how the rule
        // stands, in two reports or in as many as it takes to gather that.
        until_all_is_said(&stack).await?;
        let after = asked(&stack).await?;
        let more = |path: &str| after[path] - before[path];
        ensure!(
            more("link_token") == 0.0 && more("link_watch") == 0.0,
            "the operator asked because of one change: {before:?} {after:?}"
        );
        ensure!((1.0..=4.0).contains(&more("link_status")), "{before:?} {after:?}");
        // And then nobody says anything: nothing comes on the stream, nobody asks whether there is something.
        lines.silent_for(Duration::from_secs(20)).await?;
        ensure!(
            asked(&stack).await? == after,
            "somebody polled: {after:?} {:?}",
            asked(&stack).await?
        );
        drop(lines);
        let (token, reached) = position(&stack).await?;
        ensure!(reached == start + 1, "{reached}");

        // While nobody listens: two rules go, one comes.
        for id in ids.iter().take(2) {
            stack
                .admin
                .delete(&format!("/api/v1/authorization/access-rules/{id}"))
                .await?
                .expect(204)?;
        }
        let late = rules(&stack.admin, &project, 1).await?;
        let mut lines = Lines::open(&stack, Some((&token, reached))).await?;
        let (deletes, upserts) = lines.until(start + 4).await?;
        ensure!(
            deletes.len() == 2 && upserts.len() == 1,
            "{deletes:?} {upserts:?}"
        );
        ensure!(
            upserts[0]["object"]["spec"]["id"] == json!(late[0]),
            "{upserts:?}"
        );

        // From nothing: the whole state, marked complete.
        let mut lines = Lines::open(&stack, None).await?;
        ensure!(lines.next().await?["type"] == "welcome");
        // A thousand rules (two gone, two come), the administrator's own and the project, in as many parts as it takes.
        let mut objects = 0;
        loop {
            let part = lines.next().await?;
            ensure!(part["complete"] == json!(true), "{part}");
            objects += part["upserts"].as_array().map_or(0, Vec::len);
            if part["more"] != json!(true) {
                break;
            }
        }
        ensure!(objects == 1002, "{objects} objects");
        Ok(())
    });
}

#[test]
fn another_protocol_version_is_refused_by_name() {
    on_a_stack_of_its_own("protocol", Tier::ApiServer, async |stack| {
        let caller = stack.admin.with_token(Some(&token(&stack).await?));
        let answer = caller
            .post(
                "/link/v1/watch",
                json!({"protocol": 99, "operatorVersion": "test"}),
            )
            .await?;
        must_be(&answer, 400, "`99`")?;
        must_be(&answer, 400, &format!("this server speaks {LINK_PROTOCOL}"))
    });
}

#[test]
fn in_a_cluster_deleted_on_the_control_plane_rights_end_and_namespaces_stay() {
    on_a_stack_of_its_own("deleted", Tier::ApiServer, async |stack| {
        let department = organization::create_department(&stack, &fresh("dept")).await?;
        let name = fresh("proj");
        let project = organization::create_project(&stack, &name, &department).await?;
        organization::wait_until_ready(&stack.admin, &project).await?;
        organization::create_rule(&stack.admin, "group", "people", "Viewer", "project", &project).await?;
        let client = stack.cluster.client().await?;
        let namespace = format!("reeve-{name}");
        let bindings: Api<RoleBinding> = Api::namespaced(client.clone(), &namespace);
        wait_until("the rule to be bound", async || {
            Ok(bindings.get_opt("reeve-viewer").await?)
        })
        .await?;
        stack
            .admin
            .delete(&format!("/api/v1/clusters/{}", stack.cluster_id))
            .await?
            .expect(204)?;
        wait_until("the binding to go", async || {
            Ok(bindings.get_opt("reeve-viewer").await?.is_none().then_some(()))
        })
        .await?;
        let configs: Api<ReeveConfig> = Api::all(client.clone());
        wait_until("the settings to say so", async || {
            let status = configs.get("reeve").await?.status.unwrap_or_default();
            Ok(status
                .conditions
                .into_iter()
                .find(|condition| condition.type_ == "DeletedOnControlPlane" && condition.status == "True"))
        })
        .await?;
        let namespaces: Api<Namespace> = Api::all(client);
        let left = namespaces.get(&namespace).await?;
        ensure!(left.metadata.deletion_timestamp.is_none(), "{left:?}");
        Ok(())
    });
}

/// Planted fault: a server that serves what was reported last hands out the thief's address, and the command sends a token there.
#[test]
fn a_stolen_link_secret_sends_nobody_elsewhere() {
    on_a_stack_of_its_own("stolen", Tier::ApiServer, async |stack| {
        let settings = tempfile::tempdir()?;
        let kubeconfig = settings.path().join("kubeconfig");
        let reeve = CommandLine::new(&binary("reeve")?, settings.path());
        reeve.sign_in(
            stack.admin.url(),
            &stack.ca_file,
            ADMINISTRATOR,
            &stack.admin_password,
        )?;
        let file = kubeconfig.display().to_string();
        let set = [
            "kubeconfig",
            "set",
            "--cluster",
            &stack.cluster_id,
            "--kubeconfig",
            &file,
        ];
        reeve.must(&set)?;
        let first = std::fs::read_to_string(&kubeconfig)?;
        ensure!(first.contains(stack.cluster.server()), "{first}");

        // The thief hears of everybody who calls.
        let thief = std::net::TcpListener::bind("127.0.0.1:0")?;
        thief.set_nonblocking(true)?;
        let address = format!("https://{}", thief.local_addr()?);
        let with_the_secret = stack.admin.with_token(Some(&token(&stack).await?));
        let lie = json!({"settings": {"enforceRunAsUser": false, "enforcePreventPrivilegeEscalation": false,
            "kubernetesVersion": "v1", "operatorVersion": "1", "policyAlarms": [],
            "kubernetesEndpoint": {"server": address, "certificateAuthorityData": ""}}});
        with_the_secret.post("/link/v1/status", lie).await?.expect(204)?;
        reeve.must(&set)?;
        ensure!(std::fs::read_to_string(&kubeconfig)? == first);
        let cluster = format!("/api/v1/clusters/{}", stack.cluster_id);
        let shown = stack.admin.get(&cluster).await?.expect(200)?;
        let shown = shown["status"]["conditions"].to_string();
        ensure!(
            shown.contains("ReportedAnother") && shown.contains(&address),
            "{shown}"
        );

        // Even an administrator who is talked into it moves nobody who was here before.
        reeve.must(&["cluster", "set-endpoint", &stack.cluster_id, "--server", &address])?;
        let output = reeve.run(&set, "")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.code() == Some(1) && said.contains("--accept-new-endpoint"),
            "{said}"
        );
        ensure!(std::fs::read_to_string(&kubeconfig)? == first);
        ensure!(thief.accept().is_err(), "somebody called the thief");

        // With another secret the thief is out; the operator, which reads its file anew, is back.
        let secret = reeve.must(&["cluster", "new-secret", &stack.cluster_id])?;
        let answer = with_the_secret.post("/link/v1/status", json!({})).await?;
        must_be(&answer, 401, "was replaced")?;
        std::fs::write(stack.dir().join("link-secret"), secret)?;
        let department = organization::create_department(&stack, &fresh("dept")).await?;
        let project = organization::create_project(&stack, &fresh("proj"), &department).await?;
        organization::wait_until_ready(&stack.admin, &project).await
    });
}

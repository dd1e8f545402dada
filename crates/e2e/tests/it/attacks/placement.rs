//! Where a pod runs and before whom (R20), and what the node does, as root, to the files of its volumes (R21) and in their
//! folders (R25).

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, Patch, PatchParams};
use reeve_e2e::Stack;
use reeve_testkit::{apply_yaml, wait_until};
use serde_json::{Value, json};

use super::attackers;
use crate::harness::{
    Team, bare_job, create, deployment, fresh, must_be_refused, on_the_stack, patch, refusal,
};

/// A Job of one line of shell, with something more in its pod's spec.
fn job(name: &str, script: &str, more: &Value) -> Value {
    let mut job = bare_job(name, &["sh", "-c", script]);
    let spec = job["spec"]["template"]["spec"].as_object_mut().expect("a spec");
    for (key, value) in more.as_object().into_iter().flatten() {
        spec.insert(key.clone(), value.clone());
    }
    job
}

/// How a Job ended.
async fn succeeded(client: &kube::Client, namespace: &str, name: &str) -> Result<bool> {
    let jobs = Api::<Job>::namespaced(client.clone(), namespace);
    wait_until("the Job to end", async || {
        let status = jobs.get(name).await?.status.unwrap_or_default();
        let ended = (status.succeeded.unwrap_or(0), status.failed.unwrap_or(0));
        Ok((ended != (0, 0)).then_some(ended.0 > 0))
    })
    .await
}

/// Jobs that choose what nobody may choose.
pub(super) fn placed(stack: &Stack) -> Vec<Value> {
    let node = stack.cluster.node_name().unwrap_or("node");
    let choices = [
        json!({"priorityClassName": "system-node-critical"}),
        json!({"priorityClassName": "system-cluster-critical"}),
        json!({"nodeName": node}),
        json!({"tolerations": [{"operator": "Exists"}]}),
        json!({"tolerations": [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}]}),
    ];
    choices.iter().map(|more| job("placed", "id", more)).collect()
}

/// Planted faults: the checks `priority-class`, `node-name` and `tolerations`, each replaced by `true`.
#[test]
fn r20_nobody_chooses_node_priority_or_the_nodes_of_the_control_plane() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let client = team.researcher.kubernetes(stack).await?;
        let attackers = attackers(stack, &team).await?;
        for attack in placed(stack) {
            let about = || attack["spec"]["template"]["spec"].to_string();
            let refused = create(&client, &team.namespace, attack.clone()).await;
            must_be_refused(refused, &["R20"]).with_context(about)?;
            for attacker in &attackers {
                let refused = create(&attacker.client, &team.namespace, attack.clone()).await;
                attacker.must_break(refused, &["R20"], true).with_context(about)?;
            }
        }
        // Nor by a change of what is there already.
        create(&client, &team.namespace, deployment("service", 0)).await?;
        for attacker in &attackers {
            let change =
                json!({"spec": {"template": {"spec": {"priorityClassName": "system-node-critical"}}}});
            let refused = patch(&attacker.client, &team.namespace, "Deployment", "service", change).await;
            attacker.must_break(refused, &["R7", "R20"], true)?;
        }
        // What everybody may say.
        let own = json!({"tolerations": [{"key": "example.com/gpu", "operator": "Exists"}], "nodeSelector": {"kubernetes.io/os": "linux"}});
        create(&client, &team.namespace, job("placed", "id", &own)).await?;
        Ok(())
    });
}

/// Fails unless the API server itself refused a pod for Windows, whose numbers were filled in.
fn must_be_no_pod_for_windows(refused: kube::Result<Value>) -> Result<()> {
    let (code, message) = refusal(refused)?;
    let said = message.contains("securityContext.runAsUser: Forbidden: cannot be set for a windows pod");
    ensure!(code == 422 && said, "{code} {message}");
    Ok(())
}

/// The kubelet of a Windows node would run a pod without uid and gid; that of a Linux node takes no other. Whoever has numbers is
/// refused by the API server, since they are filled in; a user of Windows instead of them is R6's. Planted faults: the filling in
/// of `runAsUser` left out where a pod says Windows; the check `windows-user` replaced by `true`.
#[test]
fn r20_a_pod_for_windows_is_refused_and_every_other_is_for_linux() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let (client, namespace) = (team.researcher.kubernetes(stack).await?, &team.namespace);
        let attackers = attackers(stack, &team).await?;
        let user = json!({"windowsOptions": {"runAsUserName": "ContainerAdministrator"}});
        let windows = json!({"os": {"name": "windows"}});
        let both = json!({"os": {"name": "windows"}, "securityContext": user});
        for attack in [&windows, &both].map(|more| job("windows", "id", more)) {
            must_be_no_pod_for_windows(create(&client, namespace, attack.clone()).await)?;
            for attacker in &attackers {
                let refused = create(&attacker.client, namespace, attack.clone()).await;
                match attacker.person {
                    true => must_be_no_pod_for_windows(refused).context(attacker.who)?,
                    false => attacker.must_break(refused, &["R20"], true)?,
                }
            }
        }
        let attack = job("windows", "id", &json!({"securityContext": user}));
        let refused = create(&client, namespace, attack.clone()).await;
        must_be_refused(refused, &["R6", "windowsOptions choose a user of Windows"])?;
        for attacker in &attackers {
            let refused = create(&attacker.client, namespace, attack.clone()).await;
            attacker.must_break(refused, &["R6"], true)?;
        }
        let made = create(&client, namespace, job("linux", "id", &json!({}))).await?;
        let os = &made["spec"]["template"]["spec"]["os"]["name"];
        ensure!(os == "linux", "{os}");
        Ok(())
    });
}

/// A volume on the node's disk, bound to the claim `shared` of the namespace.
async fn volume(stack: &Stack, team: &Team, folder: &Path) -> Result<()> {
    let name = fresh("volume");
    let node = stack.cluster.node_name().context("a node")?;
    let size = json!({"storage": "1Gi"});
    let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": {
        "capacity": size, "accessModes": ["ReadWriteOnce"], "storageClassName": "", "persistentVolumeReclaimPolicy": "Retain",
        "local": {"path": folder}, "claimRef": {"namespace": team.namespace, "name": "shared"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
            {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}]}}}});
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "shared", "namespace": team.namespace}, "spec": {
        "accessModes": ["ReadWriteOnce"], "storageClassName": "", "volumeName": name, "resources": {"requests": size}}});
    let client = stack.cluster.installer_client().await?;
    apply_yaml(&client, &volume.to_string()).await?;
    apply_yaml(&client, &claim.to_string()).await?;
    Ok(())
}

/// As an installer allows something to a project, until `first` is done: policies see a namespace a moment later than it is changed.
pub(super) async fn allow<T>(
    stack: &Stack,
    team: &Team,
    label: &str,
    mut first: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let namespaces = Api::<Namespace>::all(stack.cluster.installer_client().await?);
    let labels = Patch::Merge(json!({"metadata": {"labels": {label: "true"}}}));
    namespaces
        .patch(&team.namespace, &PatchParams::default(), &labels)
        .await
        .with_context(|| format!("cannot set {label}"))?;
    wait_until("the label to count", async || first().await.map(Some)).await
}

/// Planted fault: with the label set from the start the first Job is admitted, and what it reads is shown by the rest of the test.
#[test]
fn r21_other_peoples_files_are_regrouped_only_where_the_namespace_allows_it() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let client = team.researcher.kubernetes(stack).await?;
        let folder = stack.dir().join(fresh("files"));
        std::fs::create_dir(&folder)?;
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755))?;
        let file = folder.join("private");
        std::fs::write(&file, "of root\n")?;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?;
        let owner = |path: &Path| -> Result<(u32, u32, u32)> {
            let found = std::fs::metadata(path)?;
            Ok((found.uid(), found.gid(), found.mode() & 0o777))
        };
        let before = owner(&file)?;
        volume(stack, &team, &folder).await?;

        let mounted = |context: Value| {
            let mut more =
                json!({"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "shared"}}]});
            if !context.is_null() {
                more["securityContext"] = context;
            }
            more
        };
        let reading = |name: &str, context: Value| {
            let mut job = job(name, "cat /data/private", &mounted(context));
            job["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] =
                json!([{"name": "data", "mountPath": "/data"}]);
            job
        };
        let regrouped = json!({"fsGroup": 5001});
        let refused = create(&client, &team.namespace, reading("regrouped", regrouped.clone())).await;
        must_be_refused(refused, &["R21", "docs/security/volumes.md"])?;
        for attacker in attackers(stack, &team).await? {
            let refused = create(
                &attacker.client,
                &team.namespace,
                reading("regrouped", regrouped.clone()),
            )
            .await;
            attacker.must_break(refused, &["R21"], true)?;
        }
        // She mounts it, and the file's mode decides.
        create(&client, &team.namespace, reading("plain", Value::Null)).await?;
        ensure!(
            !succeeded(&client, &team.namespace, "plain").await?,
            "she read a file of root's"
        );
        ensure!(owner(&file)? == before, "{:?}", owner(&file)?);

        // Where an installer allows it, the node does what the page says: for good, and to every file.
        allow(stack, &team, "reeve.dev/allow-fs-group", async || {
            let job = reading("regrouped", regrouped.clone());
            Ok(create(&client, &team.namespace, job).await?)
        })
        .await?;
        ensure!(
            succeeded(&client, &team.namespace, "regrouped").await?,
            "it was allowed, and she could not read"
        );
        let after = owner(&file)?;
        ensure!(after == (before.0, 5001, 0o660), "{after:?}");
        Ok(())
    });
}

/// A StatefulSet of hers may have an `fsGroup` with claims that its controller makes: so nobody else makes one under their names,
/// dresses one up as such, or gives one a volume that is there already. Planted faults: the checks `claim-name`, `claim-owner`
/// and `claim-volume`, each replaced by `true`.
#[test]
fn r21_nobody_makes_a_claim_that_is_taken_for_one_of_hers() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let namespace = &team.namespace;
        let claim = |name: &str, owners: Value| {
            json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "ownerReferences": owners},
                "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "",
                "resources": {"requests": {"storage": "1Gi"}}}})
        };
        let hers = format!("data-u{}-web-0", team.researcher.uid);
        let owner =
            json!([{"apiVersion": "v1", "kind": "Pod", "name": "web-0", "uid": "u-1", "controller": true}]);
        let volume = json!({"spec": {"volumeName": "somebodys"}});
        for attacker in attackers(stack, &team).await? {
            let refused = create(&attacker.client, namespace, claim(&hers, json!([]))).await;
            attacker.must_break(refused, &["R21"], false)?;
            let plain = fresh("plain");
            create(&attacker.client, namespace, claim(&plain, json!([]))).await?;
            // RBAC and this rule leave it to the installers to give a volume by hand.
            if attacker.who == "an installer" {
                continue;
            }
            let refused = create(&attacker.client, namespace, claim("owned", owner.clone())).await;
            attacker.must_break(refused, &["R21"], false)?;
            let kind = "PersistentVolumeClaim";
            let owning = json!({"metadata": {"ownerReferences": owner}});
            for change in [volume.clone(), owning] {
                let refused = patch(&attacker.client, namespace, kind, &plain, change).await;
                attacker.must_break(refused, &["R21"], false)?;
            }
        }
        Ok(())
    });
}

/// The node looks up `subPath` as root. Planted fault: with the label the same Job is admitted, and it reads the file and writes
/// into the folder of somebody else.
#[test]
fn r25_a_folder_that_its_owner_alone_may_enter_is_mounted_only_where_the_namespace_allows_it() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let client = team.researcher.kubernetes(stack).await?;
        let folder = stack.dir().join(fresh("files"));
        let hers = folder.join("hers");
        std::fs::create_dir_all(hers.join("project"))?;
        std::fs::write(hers.join("project/results"), "secret\n")?;
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777))?;
        std::fs::set_permissions(&hers, std::fs::Permissions::from_mode(0o700))?;
        volume(stack, &team, &folder).await?;

        let mounting = |name: &str, script: &str, mount: Value| {
            let volumes =
                json!({"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "shared"}}]});
            let mut job = job(name, script, &volumes);
            let container = &mut job["spec"]["template"]["spec"]["containers"][0];
            container["env"] = json!([{"name": "WHO", "value": "hers"}]);
            container["volumeMounts"] = json!([mount]);
            job
        };
        let read = |name: &str| {
            let mount = json!({"name": "data", "mountPath": "/data", "subPath": "hers/project"});
            mounting(name, "cat /data/results", mount)
        };
        let write = |name: &str| {
            let mount = json!({"name": "data", "mountPath": "/data", "subPathExpr": "$(WHO)/bin"});
            mounting(name, "echo echo mine > /data/nvidia-smi", mount)
        };
        let attackers = attackers(stack, &team).await?;
        for (attack, name) in [(read("read"), "read"), (write("write"), "write")] {
            let refused = create(&client, &team.namespace, attack.clone()).await;
            must_be_refused(refused, &["R25", "docs/security/volumes.md"]).context(name)?;
            for attacker in &attackers {
                let refused = create(&attacker.client, &team.namespace, attack.clone()).await;
                attacker.must_break(refused, &["R25"], true).context(name)?;
            }
        }
        // She mounts the whole of it, and the folder's mode decides.
        let whole = json!({"name": "data", "mountPath": "/data"});
        let plain = mounting("plain", "cat /data/hers/project/results", whole);
        create(&client, &team.namespace, plain).await?;
        ensure!(
            !succeeded(&client, &team.namespace, "plain").await?,
            "she read what is in a folder of somebody else"
        );

        allow(stack, &team, "reeve.dev/allow-sub-path", async || {
            Ok(create(&client, &team.namespace, read("read")).await?)
        })
        .await?;
        ensure!(succeeded(&client, &team.namespace, "read").await?, "read");
        create(&client, &team.namespace, write("write")).await?;
        ensure!(succeeded(&client, &team.namespace, "write").await?, "write");
        ensure!(hers.join("bin/nvidia-smi").exists());
        Ok(())
    });
}

//! A person's name in a container, for what she applies with `kubectl`: written once, followed later.

use anyhow::{Context, Result, bail};
use reeve_admission::{names, policies};
use reeve_testkit::{Kubectl, apply_yaml, wait_until};
use serde_json::{Value, json};

use crate::fixture::{self, AS_ALICE, ROBOTS};

fn manifest(image: &str, named: &str) -> String {
    let mut object = fixture::minimal("Deployment", "web");
    let template = fixture::template(&mut object, "Deployment");
    template["metadata"]["annotations"] = json!({names::PASSWD_ENTRY: named});
    let container = |name: &str| json!({"name": name, "image": image});
    template["spec"]["containers"] = json!([container("main"), container("other")]);
    object.to_string()
}

struct Web {
    kubectl: Kubectl,
}

impl Web {
    fn alice(&self, words: &[&str], input: &str) -> Result<String> {
        self.kubectl
            .must_with_input(&[&AS_ALICE[..], words].concat(), input)
    }

    fn get(&self) -> Result<Value> {
        let text = self
            .kubectl
            .must(&["-n", ROBOTS, "get", "deployment", "web", "-o", "json"])?;
        Ok(serde_json::from_str(&text)?)
    }

    /// The image of the init container, and the containers that have its files.
    fn state(&self) -> Result<(String, Vec<String>)> {
        let object = self.get()?;
        let spec = &object["spec"]["template"]["spec"];
        let init = spec["initContainers"].as_array().context("no init containers")?;
        let [ours] = init.as_slice() else {
            bail!("not one init container: {init:?}")
        };
        let all = spec["containers"].as_array().context("no containers")?;
        let mounts = |c: &&Value| c["volumeMounts"].to_string().contains("reeve-names");
        let named = all.iter().filter(mounts);
        Ok((
            ours["image"].as_str().context("no image")?.to_owned(),
            named.map(|c| c["name"].as_str().unwrap().to_owned()).collect(),
        ))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_written_once_follows_the_image_and_moves_with_a_replacement() -> Result<()> {
    let Some(cluster) = fixture::api_server().await else {
        return Ok(());
    };
    let installer = cluster.installer_client().await?;
    apply_yaml(&installer, &fixture::ground()).await?;
    let labels = json!({names::PROJECT: "robots", names::POD_SECURITY_ENFORCE: "restricted"});
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ROBOTS, "labels": labels}});
    apply_yaml(&installer, &namespace.to_string()).await?;
    let list = json!({"apiVersion": "v1", "kind": "List", "items": policies()}).to_string();
    let web = Web {
        kubectl: cluster.kubectl(),
    };
    web.kubectl
        .must_with_input(&["apply", "--server-side", "-f", "-"], &list)?;
    let first = manifest("local.test/x:1", "main");
    let main = vec!["main".to_owned()];
    wait_until("a name in the container", async || {
        web.alice(&["delete", "deployment", "web", "--ignore-not-found"], "")?;
        web.alice(&["apply", "-f", "-"], &first)?;
        Ok((web.state()? == ("local.test/x:1".to_owned(), main.clone())).then_some(()))
    })
    .await?;

    // Applied again, by client and by server, nothing changes and nothing differs.
    let before = web.get()?["spec"].clone();
    let server_side = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    web.alice(&["apply", "-f", "-"], &first)?;
    web.alice(&server_side, &first)?;
    web.alice(&server_side, &first)?;
    assert_eq!(web.get()?["spec"], before);
    web.alice(&["diff", "--server-side", "--force-conflicts", "-f", "-"], &first)?;

    web.alice(&server_side, &manifest("local.test/x:2", "main"))?;
    assert_eq!(web.state()?, ("local.test/x:2".to_owned(), main));
    web.alice(&["set", "image", "deployment/web", "main=local.test/x:3"], "")?;
    assert_eq!(web.state()?.0, "local.test/x:3");

    // Her own file in place of everything: the other container has it, and only that.
    web.alice(&["delete", "deployment", "web"], "")?;
    web.alice(&["create", "-f", "-"], &first)?;
    let mut moved: Value = serde_json::from_str(&manifest("local.test/x:1", "other"))?;
    let selector = web.get()?["spec"]["selector"].clone();
    moved["spec"]["selector"] = selector;
    web.alice(&["replace", "-f", "-"], &moved.to_string())?;
    assert_eq!(
        web.state()?,
        ("local.test/x:1".to_owned(), vec!["other".to_owned()])
    );
    Ok(())
}

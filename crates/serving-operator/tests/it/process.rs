//! The operator as a process.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use reeve_testkit::{Cluster, KillOnDrop, wait_until};
use serde_json::{Value, json};

pub(crate) struct Operator {
    _process: KillOnDrop,
    log: PathBuf,
}

impl Operator {
    /// Starts it with this token of its ServiceAccount, under the flags of the chart.
    pub(crate) fn start(cluster: &Cluster, dir: &Path, token: &str, more: &[&str]) -> Self {
        let kubeconfig = dir.join("kubeconfig.json");
        std::fs::write(&kubeconfig, kubeconfig_text(cluster, token)).unwrap();
        let log = dir.join("operator.log");
        let process = Command::new(env!("CARGO_BIN_EXE_reeve-serving"))
            .arg("--kubeconfig")
            .arg(&kubeconfig)
            .args(["--leader-elect", "--metrics-bind-address=127.0.0.1:0"])
            .args(["-health-probe-bind-address=127.0.0.1:0", "--zap-log-level=info"])
            .args(more)
            .env("AIM_SYSTEM_NAMESPACE", crate::rig::SYSTEM)
            .stdin(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self {
            _process: KillOnDrop(process),
            log,
        }
    }

    /// The address that a line of its log with this message names.
    pub(crate) async fn address(&self, message: &str) -> String {
        wait_until("the operator to listen", async || {
            let lines = self.lines();
            let mut told = lines.iter().filter(|line| line["message"] == message);
            Ok(told
                .next()
                .map(|line| line["address"].as_str().unwrap().to_owned()))
        })
        .await
        .unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        let text = self.log();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

fn kubeconfig_text(cluster: &Cluster, token: &str) -> String {
    let named = |key: &str, value: Value| json!({"name": "it", key: value});
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [named("cluster", json!({"server": cluster.server(), "certificate-authority": cluster.ca_file()}))],
        "users": [named("user", json!({"token": token}))],
        "contexts": [named("context", json!({"cluster": "it", "user": "it"}))],
        "current-context": "it",
    })
    .to_string()
}

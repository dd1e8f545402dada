//! The definitions of KServe and Gateway API, from the Go modules that `testbed/serving` pins.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const FILES: [(&str, &str); 2] = [
    (
        "github.com/kserve/kserve",
        "config/crd/full/serving.kserve.io_inferenceservices.yaml",
    ),
    (
        "sigs.k8s.io/gateway-api",
        "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
    ),
];

/// InferenceService and HTTPRoute as YAML, whole: a field that they do not know is refused or pruned.
pub(crate) fn foreign() -> Vec<String> {
    let read = |(module, file): &(&str, &str)| std::fs::read_to_string(folder(module).join(file)).unwrap();
    FILES.iter().map(read).collect()
}

fn folder(module: &str) -> PathBuf {
    let pinned = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testbed/serving");
    let answer = Command::new("go")
        .args(["mod", "download", "-json", module])
        .env("GOFLAGS", "-mod=readonly")
        .current_dir(pinned)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "cannot download {module}: {errors}");
    let told: Value = serde_json::from_slice(&answer.stdout).unwrap();
    told["Dir"].as_str().unwrap().into()
}

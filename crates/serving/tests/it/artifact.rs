use reeve_serving::artifact::{Artifact, DOWNLOAD_IMAGE, claim_size, size_of_log};
use reeve_serving::labels::Controller;
use serde_json::{Value, json};

use crate::things::{of, parent};

fn parts(spec: Value, config: Value) -> (Value, Value, Value) {
    let owner = parent("AIMArtifact", "my-art", Controller::Artifact);
    let (spec, config) = (of(spec), of(config));
    let artifact = Artifact {
        parent: &owner,
        namespace: "ns",
        spec: &spec,
        config: &config,
        service_account: Some("downloads"),
        download_image: None,
    };
    let value = |object: &dyn erased::Object| object.value();
    (
        value(&artifact.claim(1 << 30)),
        value(&artifact.check_size_job()),
        value(&artifact.download_job(1 << 30)),
    )
}

mod erased {
    pub(crate) trait Object {
        fn value(&self) -> serde_json::Value;
    }
    impl<T: serde::Serialize> Object for T {
        fn value(&self) -> serde_json::Value {
            serde_json::to_value(self).unwrap()
        }
    }
}

#[test]
fn the_claim_is_for_the_files_with_headroom() {
    let gib = 1_i64 << 30;
    for (bytes, headroom, size) in [
        (gib, 10, "2Gi"),
        (gib, 0, "1Gi"),
        (10 * gib, 10, "11Gi"),
        (1, 0, "1Gi"),
        (0, 0, "1Gi"),
    ] {
        assert_eq!(claim_size(bytes, headroom).0, size, "{bytes} {headroom}");
    }
    let (claim, ..) = parts(
        json!({"sourceUri": "hf://Org/Model"}),
        json!({"storage": {"defaultStorageClassName": "fast", "pvcHeadroomPercent": 0}}),
    );
    assert_eq!(claim["metadata"]["name"], "my-art-cache-16b81fda");
    assert_eq!(
        claim["metadata"]["labels"]["aim.eai.amd.com/source-model"],
        "org_model"
    );
    assert_eq!(
        claim["spec"],
        json!({"accessModes": ["ReadWriteMany"], "storageClassName": "fast", "resources": {"requests": {"storage": "1Gi"}}})
    );
    let (claim, ..) = parts(
        json!({"sourceUri": "hf://a/b", "storageClassName": "own"}),
        json!({"storage": {"defaultStorageClassName": "fast"}}),
    );
    assert_eq!(claim["spec"]["storageClassName"], "own");
    let (claim, ..) = parts(
        json!({"sourceUri": "hf://a/b", "storageClassName": ""}),
        json!({}),
    );
    assert_eq!(
        claim["spec"].get("storageClassName"),
        None,
        "the cluster's default"
    );
}

#[test]
fn the_jobs_are_made_as_the_contract_says() {
    let token = json!([{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}, {"name": "STALL_TIMEOUT", "value": "9"}]);
    let spec = json!({"sourceUri": "hf://a/b", "env": token, "imagePullSecrets": [{"name": "p"}], "modelDownloadImage": "d:1"});
    let (_, check, download) = parts(spec, json!({"env": [{"name": "HTTPS_PROXY", "value": "x"}]}));
    assert_eq!(
        (
            &check["spec"]["ttlSecondsAfterFinished"],
            &download["spec"]["ttlSecondsAfterFinished"]
        ),
        (&json!(300), &json!(600))
    );
    for job in [&check, &download] {
        assert_eq!(job["spec"]["backoffLimit"], 2);
        let pod = &job["spec"]["template"]["spec"];
        assert_eq!(pod["imagePullSecrets"], json!([{"name": "p"}]));
        assert_eq!(
            (&pod["containers"][0]["image"], &pod["containers"][0]["args"]),
            (&json!("d:1"), &json!(["hf://a/b"]))
        );
        assert!(
            pod["containers"][0]["env"]
                .as_array()
                .unwrap()
                .contains(&token[0]),
            "a reference stays a reference"
        );
    }
    let container = &download["spec"]["template"]["spec"]["containers"][0];
    let env: Vec<String> = container["env"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| {
            format!(
                "{}={}",
                v["name"].as_str().unwrap(),
                v["value"].as_str().unwrap_or("ref")
            )
        })
        .collect();
    assert_eq!(
        env.join(" "),
        "AIM_DOWNLOADER_PROTOCOL=XET,HF_TRANSFER TMPDIR=/tmp/ HF_HOME=/tmp/.hf EXPECTED_SIZE_BYTES=1073741824 \
        MOUNT_PATH=/cache ARTIFACT_NAME=my-art ARTIFACT_NAMESPACE=ns STALL_TIMEOUT=9 TARGET_DIR=/cache HTTPS_PROXY=x HF_TOKEN=ref"
    );
    assert_eq!(
        container["volumeMounts"][0],
        json!({"name": "cache", "mountPath": "/cache"})
    );
    let labels = &download["spec"]["template"]["metadata"]["labels"];
    assert_eq!(
        (
            &labels["aim.eai.amd.com/component"],
            &labels["aim.eai.amd.com/cache.name"]
        ),
        (&json!("download"), &json!("my-art"))
    );
}

#[test]
fn the_size_is_the_last_line_of_the_check() {
    let line = |n: &str| format!("{{\"url\":\"hf://a/b\",\"sizeBytes\":{n}}}");
    assert_eq!(size_of_log(&format!("noise\n{}\n\n", line("17"))), Ok(17));
    for bad in [
        String::new(),
        "17".to_owned(),
        line("0"),
        line("-1"),
        line("1125899906842625"),
        format!("{}\nmore", line("17")),
    ] {
        assert!(size_of_log(&bad).is_err(), "{bad}");
    }
}

/// Planted fault: with the account of downloads, which is made only with the first download, the size is never found out.
#[test]
fn a_size_check_needs_no_account_and_a_download_has_its_own() {
    let (_, check, download) = parts(json!({"sourceUri": "hf://Org/Model"}), json!({}));
    let of = |job: &Value| job["spec"]["template"]["spec"].clone();
    assert_eq!(of(&check)["serviceAccountName"], Value::Null);
    assert_eq!(of(&check)["automountServiceAccountToken"], false);
    assert_eq!(of(&download)["serviceAccountName"], "downloads");
    assert_eq!(of(&download)["automountServiceAccountToken"], Value::Null);
}

#[test]
fn the_operators_image_downloads_unless_the_artifact_names_another() {
    let owner = parent("AIMArtifact", "my-art", Controller::Artifact);
    let image = |named: Value, ours: Option<&str>| {
        let (spec, config) = (
            of(json!({"sourceUri": "hf://a/b", "modelDownloadImage": named})),
            of(json!({})),
        );
        let artifact = Artifact {
            parent: &owner,
            namespace: "ns",
            spec: &spec,
            config: &config,
            service_account: None,
            download_image: ours,
        };
        let job = serde_json::to_value(artifact.download_job(1)).unwrap();
        job["spec"]["template"]["spec"]["containers"][0]["image"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(image(json!(null), Some("ours:1")), "ours:1");
    assert_eq!(image(json!(DOWNLOAD_IMAGE), Some("ours:1")), "ours:1");
    assert_eq!(image(json!("theirs:1"), Some("ours:1")), "theirs:1");
    assert_eq!(image(json!(null), None), DOWNLOAD_IMAGE);
}

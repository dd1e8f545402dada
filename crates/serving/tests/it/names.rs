//! The names of the contract, computed there by an independent implementation.

use reeve_serving::hash::Hash;
use reeve_serving::image::ImageReference;
use reeve_serving::names::{self, ArtifactPart};
use reeve_serving::{artifact, model, service};
use reeve_serving_crds::CacheMode;
use serde_json::json;

use crate::things::{IMAGE, UID, env, of};

#[test]
fn names_are_those_of_the_contract() {
    let part = |what| names::artifact_part("my-art", UID, what);
    let source = of(json!({"modelId": "sshleifer/tiny-gpt2", "sourceUri": "hf://sshleifer/tiny-gpt2"}));
    let artifact =
        |variables: &[(&str, &str)], mode| artifact::name(&source, &env(variables), "", mode, "tc1");
    let cases = [
        (
            names::inference_service("test-service", "default").unwrap(),
            "test-service-1080a608",
        ),
        (
            names::inference_service(
                "a-rather-long-service-name-for-testing-purposes",
                "team-namespace",
            )
            .unwrap(),
            "a-rather-long-service-name-fo-b401f269",
        ),
        (
            names::shared_cache("test-template", "default"),
            "test-template-1080a608",
        ),
        (
            names::dedicated_cache("test-template", "test-service", UID),
            "test-template-test-service-16b81fda",
        ),
        (part(ArtifactPart::Cache), "my-art-cache-16b81fda"),
        (part(ArtifactPart::Download), "my-art-download-16b81fda"),
        (part(ArtifactPart::CheckSize), "my-art-check-size-16b81fda"),
        (
            ImageReference::parse(IMAGE).unwrap().model_name(IMAGE),
            "aim-dummy-0-1-10-9bf80281",
        ),
        (
            artifact(&[], CacheMode::Shared),
            "hf---sshleifer-tiny-gpt2-fc6a9647bb",
        ),
        (
            artifact(&[("HF_TOKEN", "my-token")], CacheMode::Shared),
            "hf---sshleifer-tiny-gpt2-8b6a4bfd16",
        ),
        (
            artifact(&[], CacheMode::Dedicated),
            "hf---sshleifer-tiny-gpt2-21800f0cbd",
        ),
        (
            names::cluster_model("ghcr.io", "silogen/llama-3-8b", "v1.2.0"),
            "silogen-llama-3-8b-v1-2-0-ed2f74",
        ),
        (
            service::derived_template_name(
                "my-template",
                Some(&of(json!({"precision": "fp16", "metric": "latency"}))),
            ),
            "my-template-ovr-fp16-latency-34c3",
        ),
        (
            service::derived_template_name("my-template", Some(&of(json!({})))),
            "my-template",
        ),
        (service::derived_template_name("my-template", None), "my-template"),
        (names::route("test-service", "default"), "test-service-1080a608"),
    ];
    for (name, expected) in cases {
        assert_eq!(name, expected);
    }
}

#[test]
fn templates_are_named_as_the_contract_says() {
    let name = |spec: serde_json::Value| model::templates("m", &of(spec), None, true)[0].name.clone();
    let recommended = json!({"image": IMAGE, "imageMetadata": {"model": {"recommendedDeployments": [
        {"gpuModel": "MI300X", "gpuCount": 1, "metric": "latency", "precision": "fp16"}]}}});
    assert_eq!(
        name(recommended),
        "ghcr-io-silogen-aim-dummy-0-1-10-1x-mi300x-lat-fp16-0823"
    );
    let sources = json!([{"modelId": "a/b", "sourceUri": "hf://a/b"}]);
    assert_eq!(
        name(json!({"image": IMAGE, "modelSources": sources})),
        "m-custom-860212ff"
    );
    let second = of(
        json!({"image": IMAGE, "modelSources": sources, "customTemplates": [
        {"hardware": {"gpu": {"requests": 1}}},
        {"name": "fast", "profile": {"precision": "fp16", "metric": "latency"},
         "hardware": {"gpu": {"requests": 2, "model": "MI300X"}}}]}),
    );
    assert_eq!(
        model::templates("m", &second, None, true)[1].name,
        "m-custom-fast-fp16-mi300x-4df036bf"
    );
    let nothing = json!({"image": "a:1", "imageMetadata": {"model": {"recommendedDeployments": [{}]}}});
    assert!(
        name(nothing).starts_with("a-1-part-"),
        "an empty suffix has a placeholder"
    );
}

#[test]
fn hashes_are_of_json_as_go_writes_it() {
    let token = of(
        json!([{"name": "T", "valueFrom": {"secretKeyRef": {"key": "k", "name": "s", "optional": false}}},
        {"name": "D", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
        {"name": "E", "value": "<a&\"b\">\u{2028}"}]),
    );
    let token: Vec<_> = token;
    let text = r#"[{"name":"T","valueFrom":{"secretKeyRef":{"name":"s","key":"k","optional":false}}},{"name":"D","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu","divisor":"0"}}},{"name":"E","value":"\u003ca\u0026\"b\"\u003e\u2028"}]"#;
    assert_eq!(
        Hash::default().env(&token).hex(64),
        reeve_serving::hash::hex(text, 64)
    );
    assert_eq!(
        Hash::default().env(&[]).hex(64),
        reeve_serving::hash::hex("null", 64)
    );
    let joined = Hash::default().text("a").number(1).hex(64);
    assert_eq!(joined, reeve_serving::hash::hex("\"a\"|1", 64));
}

#[test]
fn a_namespace_that_leaves_no_room_is_an_error_that_names_it() {
    let longest = "n".repeat(42);
    assert_eq!(names::inference_service("service", &longest).unwrap().len(), 10);
    let error = names::inference_service("service", &"n".repeat(43)).unwrap_err();
    assert!(error.to_string().contains(&"n".repeat(43)), "{error}");
}

#[test]
fn images_are_split_and_refused_as_the_contract_says() {
    let split = |text: &str| {
        let image = ImageReference::parse(text).unwrap();
        format!(
            "{} {} {:?} {:?}",
            image.registry, image.repository, image.tag, image.digest
        )
    };
    assert_eq!(split("busybox"), "docker.io busybox None None");
    assert_eq!(split("org/a:1"), "docker.io org/a Some(\"1\") None");
    assert_eq!(split("localhost/a"), "localhost a None None");
    assert_eq!(split("host:5000/a/b"), "host:5000 a/b None None");
    let digest = "r.example/a@sha256:abcdef0123";
    assert_eq!(split(digest), "r.example a None Some(\"sha256:abcdef0123\")");
    assert!(
        ImageReference::parse(digest)
            .unwrap()
            .model_name(digest)
            .starts_with("a-abcdef-")
    );
    assert!(
        ImageReference::parse("a")
            .unwrap()
            .model_name("a")
            .starts_with("a-latest-")
    );
    for bad in [
        "",
        "a:",
        "a@sha256",
        "a@sha256:",
        "a@:x",
        "a b",
        "r.example/",
        "r.example//a",
    ] {
        let error = ImageReference::parse(bad).unwrap_err();
        assert!(error.to_string().contains(&format!("`{bad}`")), "{error}");
    }
}

#[test]
fn label_values_are_cleaned_as_the_contract_says() {
    for (text, value) in [
        ("Org/Name 1", "org_name_1"),
        ("a//b", "a_b"),
        ("__a..", "a"),
        ("", ""),
        ("a.b-c_d", "a.b-c_d"),
    ] {
        assert_eq!(names::label_value(text), value);
    }
    assert_eq!(names::label_value(&format!("{}/b", "a".repeat(62))).len(), 62);
}

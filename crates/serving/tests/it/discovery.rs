use reeve_serving::discovery::{
    Discovery, count_failure, hardware_summary, inline_profile, next_attempt, read_log, resolved_hardware,
};
use reeve_serving::labels::Controller;
use serde_json::{Value, json};

use crate::things::{IMAGE, of, parent, time};

const ANSWER: &str = r#"[{"filename": "f.yaml", "profile": {"model": "m", "quantized_model": "q",
  "metadata": {"engine": "vllm", "gpu": "MI300X", "precision": "fp16", "gpu_count": 1, "metric": "latency", "type": "optimized"},
  "engine_args": {"a": 1}, "env_vars": {"B": "2", "N": 3}}, "models": [{"name": "org/m", "source": "hf://org/m", "size_gb": 0.5}]}]"#;

#[test]
fn the_job_is_named_and_made_as_the_contract_says() {
    let template = of(json!({"modelName": "m", "hardware": {"gpu": {"model": "MI300X", "requests": 1}}}));
    let model = of(json!({"image": IMAGE}));
    let discovery = Discovery {
        template: &template,
        model: &model,
        in_namespace: true,
    };
    assert_eq!(
        discovery.job_name("test-template"),
        "discover-test-template-b9cfcdbf"
    );
    assert_eq!(discovery.spec_hash(), "b9cfcdbfebf807a2");
    let job = discovery.job(
        &parent("AIMServiceTemplate", "test-template", Controller::ServiceTemplate),
        "ns",
    );
    let job = serde_json::to_value(job).unwrap();
    assert_eq!(job["spec"]["backoffLimit"], 0);
    assert_eq!(job["spec"]["ttlSecondsAfterFinished"], 60);
    let pod = &job["spec"]["template"]["spec"];
    assert_eq!(pod["restartPolicy"], "Never");
    assert_eq!(
        pod["automountServiceAccountToken"], false,
        "what an image says needs no token"
    );
    assert_eq!(pod["securityContext"]["runAsUser"], 65532);
    let container = &pod["containers"][0];
    assert_eq!(container["args"], json!(["dry-run", "--format=json"]));
    assert_eq!(
        container["env"],
        json!([
        {"name": "AIM_LOG_LEVEL_ROOT", "value": "CRITICAL"}, {"name": "AIM_LOG_LEVEL", "value": "CRITICAL"},
        {"name": "AIM_GPU_MODEL", "value": "MI300X"}, {"name": "AIM_GPU_COUNT", "value": "1"}])
    );
    assert_eq!(
        job["metadata"]["labels"],
        json!({
        "app.kubernetes.io/name": "aim-discovery", "app.kubernetes.io/component": "discovery",
        "app.kubernetes.io/managed-by": "aim-controller", "aim.eai.amd.com/template": "test-template",
        "aim.eai.amd.com/service-template.name": "test-template"})
    );
    let owner = &job["metadata"]["ownerReferences"][0];
    assert_eq!(
        (&owner["controller"], owner.get("blockOwnerDeletion")),
        (&json!(true), None)
    );
}

#[test]
fn pull_secrets_and_account_come_from_the_model_and_variables_from_the_namespaces_template() {
    let template = of(
        json!({"modelName": "m", "serviceAccountName": "no", "imagePullSecrets": [{"name": "no"}], "profileId": "p",
        "metric": "latency", "precision": "fp8", "env": [{"name": "X", "value": "1"}]}),
    );
    let model = of(json!({"image": IMAGE, "serviceAccountName": "sa", "imagePullSecrets": [{"name": "s"}]}));
    let pod = |in_namespace| {
        let discovery = Discovery {
            template: &template,
            model: &model,
            in_namespace,
        };
        let job = discovery.job(
            &parent("AIMServiceTemplate", "t", Controller::ServiceTemplate),
            "ns",
        );
        serde_json::to_value(job.spec.unwrap().template.spec.unwrap()).unwrap()
    };
    let own = pod(true);
    assert_eq!(
        (&own["serviceAccountName"], &own["imagePullSecrets"]),
        (&json!("sa"), &json!([{"name": "s"}]))
    );
    let names = |pod: &Value| {
        let env = pod["containers"][0]["env"].as_array().unwrap().clone();
        env.iter()
            .map(|v| v["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        names(&own),
        "AIM_LOG_LEVEL_ROOT AIM_LOG_LEVEL X AIM_METRIC AIM_PRECISION AIM_PROFILE_ID"
    );
    assert_eq!(
        names(&pod(false)),
        "AIM_LOG_LEVEL_ROOT AIM_LOG_LEVEL AIM_METRIC AIM_PRECISION AIM_PROFILE_ID"
    );
}

#[test]
fn an_answer_is_found_in_the_log() {
    let found = read_log(ANSWER).unwrap();
    assert_eq!(
        serde_json::to_value(&found.model_sources).unwrap(),
        json!([{"modelId": "org/m", "sourceUri": "hf://org/m", "size": "512Mi"}])
    );
    assert_eq!(
        serde_json::to_value(&found.profile).unwrap(),
        json!({
        "engine_args": {"a": 1}, "env_vars": {"B": "2", "N": "3"},
        "metadata": {"engine": "vllm", "gpu": "MI300X", "gpuCount": 1, "metric": "latency", "precision": "fp16", "type": "optimized"}})
    );
    let noisy = format!("[INFO] starting [1]\n{ANSWER}\ndone\n");
    assert_eq!(read_log(&noisy).unwrap(), found);
}

#[test]
fn failures_are_counted_once_and_pauses_double_up_to_an_hour() {
    let at = |minute: i32| time(&format!("2026-01-01T00:{minute:02}:00Z"));
    let first = count_failure(None, "h", &at(0), "JobFailed");
    assert_eq!(
        count_failure(Some(&first), "h", &at(0), "JobFailed"),
        first,
        "the same Job is one failure"
    );
    let second = count_failure(Some(&first), "h", &at(5), "JobFailed");
    assert_eq!((first.attempts, second.attempts), (Some(1), Some(2)));
    assert_eq!(
        count_failure(Some(&second), "other", &at(6), "JobFailed").attempts,
        Some(1)
    );
    let pause = |attempts: i32| {
        let status =
            of(json!({"attempts": attempts, "lastAttemptTime": "2026-01-01T00:00:00Z", "specHash": "h"}));
        let next = next_attempt(Some(&status), "h", at(0).0).unwrap();
        next.duration_since(at(0).0).as_secs()
    };
    assert_eq!(
        [1, 2, 3, 6, 7, 99, i32::MAX].map(pause),
        [60, 120, 240, 1920, 3600, 3600, 3600]
    );
    assert_eq!(
        next_attempt(Some(&first), "other", at(0).0),
        None,
        "another spec begins anew"
    );
    assert_eq!(
        next_attempt(Some(&first), "h", at(1).0),
        None,
        "the pause is over"
    );
}

#[test]
fn what_a_template_needs_is_as_discovered_and_never_empty() {
    let resolve = |asked: Option<Value>, found: Option<Value>| {
        resolved_hardware(asked.map(of).as_ref(), found.map(of).as_ref())
            .map(|h| serde_json::to_value(h).unwrap())
    };
    assert_eq!(resolve(None, None), None);
    assert_eq!(resolve(None, Some(json!({"gpuCount": 0}))), None);
    assert_eq!(
        resolve(
            Some(json!({"gpu": {"requests": 4, "model": "MI210", "resourceName": "r"}})),
            Some(json!({"gpuCount": 0, "gpu": "MI300X"}))
        ),
        Some(json!({"gpu": {"requests": 0, "model": "MI300X", "resourceName": "r"}}))
    );
    let asked = json!({"gpu": {"minVram": "64G", "resourceName": "amd.com/gpu"}, "cpu": {"requests": "1"}});
    assert_eq!(
        resolve(Some(asked.clone()), None),
        Some(json!({
        "gpu": {"requests": 0, "minVram": "64G", "resourceName": "amd.com/gpu"}, "cpu": {"requests": "1"}}))
    );
    assert_eq!(
        resolve(Some(asked), Some(json!({"gpu": "MI300X", "gpuCount": 1}))).unwrap()["gpu"].get("minVram"),
        None,
        "the schema refuses a model together with the memory it is to have"
    );
}

#[test]
fn hardware_is_summarized_for_people() {
    let summary = |hardware: Value| hardware_summary(Some(&of(hardware)));
    assert_eq!(
        summary(json!({"gpu": {"requests": 2, "model": "MI300X"}})),
        "2 x MI300X"
    );
    assert_eq!(summary(json!({"gpu": {"requests": 2}})), "2 x GPU");
    assert_eq!(summary(json!({"gpu": {"model": "MI300X"}})), "MI300X");
    assert_eq!(summary(json!({"cpu": {"requests": "1"}})), "CPU");
    assert_eq!(hardware_summary(None), "");
    let inline = inline_profile(&of(
        json!({"modelName": "m", "metric": "latency", "hardware": {"gpu": {"requests": 1, "model": "X"}}}),
    ));
    assert_eq!(
        serde_json::to_value(inline).unwrap(),
        json!({"metadata": {"gpu": "X", "gpuCount": 1, "metric": "latency"}})
    );
}

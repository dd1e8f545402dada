//! A minimal and a full object of each kind.

use serde_json::{Value, json};

pub(crate) const KINDS: &[&str] = &[
    "AIMArtifact",
    "AIMClusterModel",
    "AIMClusterModelSource",
    "AIMClusterRuntimeConfig",
    "AIMClusterServiceTemplate",
    "AIMModel",
    "AIMRuntimeConfig",
    "AIMService",
    "AIMServiceTemplate",
    "AIMTemplateCache",
];

/// The least that is accepted.
pub(crate) fn minimal(kind: &str) -> Value {
    let spec = match kind {
        "AIMArtifact" => json!({"sourceUri": "hf://org/name"}),
        "AIMClusterModel" | "AIMModel" => json!({"image": "registry.example/aim:1"}),
        "AIMClusterModelSource" => json!({"filters": [{"image": "aim-*"}]}),
        "AIMClusterServiceTemplate" | "AIMServiceTemplate" => json!({"modelName": "m"}),
        "AIMService" => json!({"model": {"name": "m"}}),
        "AIMTemplateCache" => json!({"templateName": "t", "templateScope": "Unknown"}),
        _ => json!({}),
    };
    object(kind, "minimal", spec)
}

pub(crate) fn object(kind: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": "aim.eai.amd.com/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

fn env() -> Value {
    json!([
        {"name": "PLAIN", "value": "1"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": true}}},
        {"name": "SETTING", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "spec.nodeName"}}},
        {"name": "FILE", "valueFrom": {"fileKeyRef": {"volumeName": "v", "path": "p", "key": "k", "optional": false}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"containerName": "c", "resource": "limits.cpu", "divisor": "1"}}},
    ])
}

fn gpu() -> Value {
    json!({"gpu": {"requests": 0, "model": "MI300X", "resourceName": "amd.com/gpu"}, "cpu": {"requests": "4", "limits": "8"}})
}

fn source() -> Value {
    json!({"modelId": "org/name", "sourceUri": "s3://bucket/path", "size": "0", "env": env()})
}

fn resources() -> Value {
    json!({"requests": {"cpu": 1, "memory": "1Gi"}, "limits": {"amd.com/gpu": 1}, "claims": [{"name": "c", "request": "r"}]})
}

fn routing() -> Value {
    json!({
        "enabled": true, "pathTemplate": "/{.metadata.name}", "requestTimeout": "30s", "annotations": {"a": "b"},
        "gatewayRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "g", "namespace": "gw",
                       "sectionName": "http", "port": 80},
    })
}

fn runtime_config() -> Value {
    json!({
        "storage": {"defaultStorageClassName": "fast", "pvcHeadroomPercent": 0}, "routing": routing(), "env": env(),
        "model": {"autoDiscovery": false}, "labelPropagation": {"enabled": true, "match": ["team/*"]},
        "defaultStorageClassName": "slow", "pvcHeadroomPercent": 20,
    })
}

fn model() -> Value {
    json!({
        "image": "registry.example/aim:1", "discovery": {"extractMetadata": false, "createServiceTemplates": false},
        "defaultServiceTemplate": "t", "custom": {"hardware": gpu(), "type": "preview"},
        "customTemplates": [{"name": "fast", "type": "optimized", "env": env(), "hardware": gpu(),
                             "profile": {"metric": "latency", "precision": "fp8"}}],
        "modelSources": [source()], "runtimeConfigName": "r", "imagePullSecrets": [{"name": "s"}], "env": env(),
        "serviceAccountName": "sa", "resources": {}, "imageMetadata": {
            "model": {"canonicalName": "org/name", "source": "x", "tags": ["a"], "versions": ["1"], "variants": ["v"],
                      "hfTokenRequired": true, "title": "t", "descriptionFull": "d", "releaseNotes": "n",
                      "recommendedDeployments": [{"gpuModel": "MI300X", "gpuCount": 1, "precision": "anything", "metric": "any",
                                                  "profileId": "p", "description": "d"}]},
            "oci": {"title": "t", "description": "d", "licenses": "l", "vendor": "v", "authors": "a", "source": "s",
                    "documentation": "d", "created": "c", "revision": "r", "version": "v"},
            "originalLabels": {"a": "b"},
        },
    })
}

fn template() -> Value {
    json!({
        "modelName": "m", "metric": "throughput", "precision": "bf16", "hardware": gpu(), "runtimeConfigName": "r",
        "imagePullSecrets": [{"name": "s"}], "serviceAccountName": "sa", "resources": resources(), "modelSources": [source()],
        "profileId": "p", "type": "unoptimized", "env": env(),
    })
}

fn service() -> Value {
    json!({
        "model": {"custom": {"baseImage": "b:1", "modelSources": [source()], "hardware": gpu()}},
        "template": {"name": "t", "allowUnoptimized": true}, "caching": {"mode": "Never"}, "cacheModel": true, "replicas": 0,
        "minReplicas": 1, "maxReplicas": 3, "autoScaling": {"metrics": [{"type": "PodMetric", "podmetric": {
            "metric": {"backend": "opentelemetry", "serverAddress": "a:1", "metricNames": ["m"], "query": "q", "operationOverTime": "avg"},
            "target": {"type": "Value", "value": 1, "averageValue": "2", "averageUtilization": 3}}}]},
        "runtimeConfigName": "r", "storage": {"defaultStorageClassName": "fast", "pvcHeadroomPercent": 5}, "routing": routing(),
        "env": env(), "resources": resources(),
        "overrides": {"metric": "latency", "precision": "int4", "hardware": {"cpu": {"requests": "1"}}},
        "imagePullSecrets": [{"name": "s"}], "serviceAccountName": "sa",
    })
}

/// One with every field of the spec.
pub(crate) fn full(kind: &str) -> Value {
    let spec = match kind {
        "AIMArtifact" => json!({
            "sourceUri": "s3://bucket/path", "modelId": "org/name", "storageClassName": "fast", "size": 17, "env": env(),
            "modelDownloadImage": "d:1", "imagePullSecrets": [{"name": "s"}], "runtimeConfigName": "r",
        }),
        "AIMClusterModel" | "AIMModel" => model(),
        "AIMClusterModelSource" => json!({
            "registry": "ghcr.io", "imagePullSecrets": [{"name": "s"}], "syncInterval": "5m", "versions": [">=1.0"],
            "filters": [{"image": "org/aim-*", "exclude": ["org/aim-base"], "versions": [">=0.8"]}], "maxModels": 10000,
        }),
        "AIMClusterServiceTemplate" => template(),
        "AIMServiceTemplate" => {
            let mut spec = template();
            spec["caching"] = json!({"enabled": true, "env": env()});
            spec
        }
        "AIMService" => service(),
        "AIMTemplateCache" => json!({
            "templateName": "t", "templateScope": "Namespace", "env": env(), "imagePullSecrets": [{"name": "s"}],
            "storageClassName": "fast", "downloadImage": "d:1", "modelSources": [source()], "runtimeConfigName": "r",
            "mode": "Dedicated",
        }),
        _ => runtime_config(),
    };
    object(kind, "full", spec)
}

fn conditions() -> Value {
    json!([{"type": "Ready", "status": "False", "reason": "Progressing", "message": "", "lastTransitionTime": "2026-01-02T03:04:05Z"}])
}

/// A status with every field.
pub(crate) fn status(kind: &str) -> Value {
    let reference = json!({"name": "n", "namespace": "ns", "scope": "Merged", "kind": "K", "uid": "u"});
    let common = json!({"observedGeneration": 1, "conditions": conditions()});
    let more = match kind {
        "AIMArtifact" => json!({
            "status": "Ready", "progress": {"totalBytes": 1, "downloadedBytes": 1, "percentage": 100, "displayPercentage": "100 %"},
            "download": {"protocol": "HTTP", "attempt": 1, "totalAttempts": 2, "protocolSequence": "XET,HTTP", "message": "m"},
            "displaySize": "1 B", "lastUsed": "2026-01-02T03:04:05Z", "persistentVolumeClaim": "p", "mode": "Shared",
            "discoveredSizeBytes": 1, "allocatedSize": "1Gi", "headroomPercent": 10, "resolvedRuntimeConfig": reference,
        }),
        "AIMClusterModel" | "AIMModel" => json!({
            "status": "NotAvailable", "resolvedRuntimeConfig": reference, "imageMetadata": model()["imageMetadata"],
            "sourceType": "Custom",
        }),
        "AIMClusterModelSource" => json!({
            "status": "Running", "lastSyncTime": "2026-01-02T03:04:05Z", "discoveredModels": 1, "availableModels": 2,
            "modelsLimitReached": true,
        }),
        "AIMClusterServiceTemplate" | "AIMServiceTemplate" => json!({
            "status": "Ready", "resolvedRuntimeConfig": reference, "resolvedModel": reference, "resolvedCache": reference,
            "resolvedHardware": gpu(), "hardwareSummary": "1 x MI300X", "modelSources": [source()],
            "resolvedNodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "amd.com/gpu.device-id", "operator": "In", "values": ["74a1"]}]}]}},
            "profile": {"engine_args": {"a": [1, {"b": false}]}, "env_vars": {"A": "B"}, "originalDiscoveryOutput": {"x": 1},
                        "metadata": {"engine": "vllm", "gpu": "MI300X", "gpuCount": 1, "metric": "latency", "precision": "fp16",
                                     "type": "optimized"}},
            "discoveryJob": reference, "discovery": {"attempts": 1, "lastAttemptTime": "2026-01-02T03:04:05Z",
                                                     "lastFailureReason": "r", "specHash": "h"},
        }),
        "AIMService" => json!({
            "status": "Running", "resolvedRuntimeConfig": reference, "resolvedModel": reference, "resolvedTemplate": reference,
            "routing": {"path": "/a"}, "cache": {"templateCacheRef": reference, "retryAttempts": 1},
            "runtime": {"currentReplicas": 1, "desiredReplicas": 1, "minReplicas": 1, "maxReplicas": 1, "replicas": "1"},
        }),
        "AIMTemplateCache" => json!({
            "status": "Ready", "resolvedRuntimeConfig": reference, "resolvedTemplateKind": "AIMServiceTemplate",
            "artifacts": {"a": {"uid": "u", "name": "a", "model": "org/name", "status": "Ready", "persistentVolumeClaim": "p",
                                "mountPoint": "/m"}},
        }),
        _ => json!({}),
    };
    let mut status = common;
    for (key, value) in more.as_object().unwrap() {
        status[key] = value.clone();
    }
    status
}

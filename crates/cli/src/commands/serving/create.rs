//! `reeve service|model|artifact create`.

use k8s_openapi::api::core::v1::{EnvVar, EnvVarSource, LocalObjectReference, SecretKeySelector};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use reeve_serving_crds::{
    AimArtifactSpec, AimModelSpec, AimServiceSpec, CachingMode, GROUP, GatewayReference, GpuRequirements,
    HardwareRequirements, Metric, Precision, RoutingConfig, RuntimeParameters, ServiceCaching, ServiceModel,
    ServiceTemplateChoice, StorageConfig, VERSION,
};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::kind::{ARTIFACT, CLUSTER_MODEL, Kind, MODEL, SERVICE};
use super::server::Server;
use super::wait;
use crate::Context;
use crate::args::{
    CachingWord, CreateArtifact, CreateModel, CreateService, Gateway, MetricWord, PatienceWithFailures,
    PrecisionWord, Variables, Within,
};
use crate::failure::Failure;

/// What is made, and how.
struct Wanted<'a> {
    kind: &'static Kind,
    name: &'a str,
    spec: Value,
    within: &'a Within,
    dry_run: bool,
    patience: &'a PatienceWithFailures,
}

pub(super) async fn service(context: &mut Context, arguments: &CreateService) -> Result<(), Failure> {
    let wanted = Wanted {
        kind: &SERVICE,
        name: &arguments.name,
        spec: value(&service_spec(arguments))?,
        within: &arguments.within,
        dry_run: arguments.dry_run,
        patience: &arguments.patience,
    };
    make(context, wanted).await
}

pub(super) async fn model(context: &mut Context, arguments: &CreateModel) -> Result<(), Failure> {
    let spec = AimModelSpec {
        image: arguments.image.clone(),
        image_pull_secrets: pull_secrets(&arguments.pull_secret),
        service_account_name: arguments.service_account.clone(),
        env: variables(&arguments.variables),
        ..AimModelSpec::default()
    };
    let wanted = Wanted {
        kind: if arguments.of_cluster {
            &CLUSTER_MODEL
        } else {
            &MODEL
        },
        name: &arguments.name,
        spec: value(&spec)?,
        within: &arguments.within,
        dry_run: arguments.dry_run,
        patience: &arguments.patience,
    };
    make(context, wanted).await
}

pub(super) async fn artifact(context: &mut Context, arguments: &CreateArtifact) -> Result<(), Failure> {
    let spec = AimArtifactSpec {
        source_uri: arguments.source.clone(),
        model_id: arguments.model_id.clone(),
        size: arguments.size.clone().map(Quantity),
        storage_class_name: arguments.storage_class.clone(),
        image_pull_secrets: pull_secrets(&arguments.pull_secret),
        env: variables(&arguments.variables),
        ..AimArtifactSpec::default()
    };
    let wanted = Wanted {
        kind: &ARTIFACT,
        name: &arguments.name,
        spec: value(&spec)?,
        within: &arguments.within,
        dry_run: arguments.dry_run,
        patience: &arguments.patience,
    };
    make(context, wanted).await
}

async fn make(context: &mut Context, wanted: Wanted<'_>) -> Result<(), Failure> {
    let Wanted { kind, name, .. } = wanted;
    let what = format!("cannot create the {} `{name}`", kind.command);
    let server = Server::connect(wanted.within, &what).await?;
    let metadata = if kind.namespaced {
        json!({"name": name, "namespace": server.namespace})
    } else {
        json!({"name": name})
    };
    let object = json!({
        "apiVersion": format!("{GROUP}/{VERSION}"), "kind": kind.kind, "metadata": metadata, "spec": wanted.spec,
    });
    let made = server
        .create(&server.path(kind, false), &object, wanted.dry_run)
        .await;
    let made = made.map_err(|error| server.explain(error, kind, Some(name), &what))?;
    let place = if kind.namespaced {
        format!("in the namespace `{}`", server.namespace)
    } else {
        "of the cluster".to_owned()
    };
    if wanted.patience.patience.wait {
        context.printer.note(&format!(
            "the {} `{name}` {place} is made; waiting for it\n",
            kind.command
        ))?;
        let patience = wait::Patience {
            deadline: Instant::now() + wanted.patience.patience.timeout,
            failed_for: wanted.patience.failed_for,
        };
        let what = format!("the {} `{name}` is made, and not ready", kind.command);
        let object = wait::ready(&server, kind, name, patience, &what).await?;
        return wait::say_ready(context, kind, &object);
    }
    let said = if wanted.dry_run {
        format!(
            "the cluster would take the {} `{name}` {place}; nothing was made",
            kind.command
        )
    } else {
        format!(
            "the {word} `{name}` {place} is made; `reeve {word} wait {name}` waits until it is {ready}",
            word = kind.command,
            ready = kind.ready.to_lowercase()
        )
    };
    context.printer.named(&made, [kind.named(&made)], || said)
}

fn service_spec(arguments: &CreateService) -> AimServiceSpec {
    let template = ServiceTemplateChoice {
        name: arguments.template.clone(),
        allow_unoptimized: arguments.allow_unoptimized.then_some(true),
    };
    let gpu = GpuRequirements {
        requests: arguments.gpus,
        model: arguments.gpu_model.clone(),
        ..GpuRequirements::default()
    };
    let overrides = RuntimeParameters {
        metric: arguments.metric.map(metric),
        precision: arguments.precision.map(precision),
        hardware: some(gpu).map(|gpu| HardwareRequirements {
            gpu: Some(gpu),
            cpu: None,
        }),
    };
    AimServiceSpec {
        model: ServiceModel {
            name: arguments.model.clone(),
            image: arguments.image.clone(),
            custom: None,
        },
        template: some(template),
        caching: arguments.caching.map(|caching| ServiceCaching {
            mode: Some(match caching {
                CachingWord::Shared => CachingMode::Shared,
                CachingWord::Dedicated => CachingMode::Dedicated,
            }),
        }),
        replicas: arguments.replicas,
        storage: arguments.storage_class.clone().map(|class| StorageConfig {
            default_storage_class_name: Some(class),
            ..StorageConfig::default()
        }),
        routing: arguments.gateway.as_ref().map(routing),
        env: variables(&arguments.variables),
        overrides: some(overrides),
        image_pull_secrets: pull_secrets(&arguments.pull_secret),
        service_account_name: arguments.service_account.clone(),
        ..AimServiceSpec::default()
    }
}

fn routing(gateway: &Gateway) -> RoutingConfig {
    match gateway {
        Gateway::None => RoutingConfig {
            enabled: Some(false),
            ..RoutingConfig::default()
        },
        Gateway::Named { namespace, name } => RoutingConfig {
            enabled: Some(true),
            gateway_ref: Some(GatewayReference {
                name: name.clone(),
                namespace: namespace.clone(),
                ..GatewayReference::default()
            }),
            ..RoutingConfig::default()
        },
    }
}

/// What nothing was asked of stays away.
fn some<T: Default + PartialEq>(value: T) -> Option<T> {
    (value != T::default()).then_some(value)
}

fn pull_secrets(names: &[String]) -> Vec<LocalObjectReference> {
    names
        .iter()
        .map(|name| LocalObjectReference { name: name.clone() })
        .collect()
}

fn variables(variables: &Variables) -> Vec<EnvVar> {
    let plain = variables.environment.iter().map(|(name, value)| EnvVar {
        name: name.clone(),
        value: Some(value.clone()),
        value_from: None,
    });
    let secret = variables.secret_environment.iter().map(|from| EnvVar {
        name: from.variable.clone(),
        value: None,
        value_from: Some(EnvVarSource {
            secret_key_ref: Some(SecretKeySelector {
                name: from.secret.clone(),
                key: from.item.clone(),
                optional: None,
            }),
            ..EnvVarSource::default()
        }),
    });
    plain.chain(secret).collect()
}

const fn metric(word: MetricWord) -> Metric {
    match word {
        MetricWord::Latency => Metric::Latency,
        MetricWord::Throughput => Metric::Throughput,
    }
}

const fn precision(word: PrecisionWord) -> Precision {
    match word {
        PrecisionWord::Auto => Precision::Auto,
        PrecisionWord::Fp4 => Precision::Fp4,
        PrecisionWord::Fp8 => Precision::Fp8,
        PrecisionWord::Fp16 => Precision::Fp16,
        PrecisionWord::Fp32 => Precision::Fp32,
        PrecisionWord::Bf16 => Precision::Bf16,
        PrecisionWord::Int4 => Precision::Int4,
        PrecisionWord::Int8 => Precision::Int8,
    }
}

fn value(spec: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(spec).map_err(|error| Failure::failed("cannot write what is wanted").because(error))
}

//! Arguments of the commands about served models.

use std::time::Duration;

use clap::{ArgAction, Args, Subcommand, ValueEnum};

use super::by_kubeconfig::{ByKubeconfig, namespace, object_name};
use super::running::duration;

/// `reeve service`
#[derive(Debug, Subcommand)]
pub enum Service {
    /// List the services of a namespace
    List(ListServed),
    /// Show how a service stands, and why
    Describe(OneServed),
    /// Show what the container of a service prints
    Logs(LogsOfServed),
    /// Serve a model: from an image, or one that is there by its name
    Create(Box<CreateService>),
    /// Wait until a service runs, or is gone
    Wait(WaitForServed),
    /// Delete services
    Delete(DeleteServed),
}

/// `reeve model`
#[derive(Debug, Subcommand)]
pub enum Model {
    /// List the models of a namespace and those of the cluster
    List(ListServed),
    /// Show how a model stands, and the ways to run it
    Describe(OneModel),
    /// Show what the image said of itself: the log of its discovery
    Logs(LogsOfModel),
    /// Make a model of an image
    Create(CreateModel),
    /// Wait until a model can be served, or is gone
    Wait(WaitForModel),
    /// Delete models
    Delete(DeleteModels),
}

/// `reeve artifact`
#[derive(Debug, Subcommand)]
pub enum Artifact {
    /// List the stored models of a namespace
    List(ListServed),
    /// Show how far a stored model is, and why
    Describe(OneServed),
    /// Show what its download prints
    Logs(LogsOfServed),
    /// Download a model's files into a claim
    Create(CreateArtifact),
    /// Wait until the files are there, or the artifact is gone
    Wait(WaitForServed),
    /// Delete stored models, with their files
    Delete(DeleteServed),
}

/// Where.
#[derive(Debug, Args)]
pub struct Within {
    /// In which namespace [default: the one of the kubeconfig's context]
    #[arg(short, long, value_parser = namespace)]
    pub namespace: Option<String>,
    /// Which cluster
    #[command(flatten)]
    pub cluster: ByKubeconfig,
}

/// `… list`
#[derive(Debug, Args)]
pub struct ListServed {
    /// Those of all namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub all_namespaces: bool,
    /// Where
    #[command(flatten)]
    pub within: Within,
}

/// Names one.
#[derive(Debug, Args)]
pub struct OneServed {
    /// Its name
    #[arg(value_parser = object_name)]
    pub name: String,
    /// Where
    #[command(flatten)]
    pub within: Within,
}

/// Names one model.
#[derive(Debug, Args)]
pub struct OneModel {
    /// Which one
    #[command(flatten)]
    pub one: OneServed,
    /// The one of the cluster, which every namespace can serve [default: the namespace's, else the cluster's]
    #[arg(long)]
    pub of_cluster: bool,
}

/// `… wait`
#[derive(Debug, Args)]
pub struct WaitForServed {
    /// Which one
    #[command(flatten)]
    pub one: OneServed,
    /// How long, and for what
    #[command(flatten)]
    pub until: Until,
}

/// `reeve model wait`
#[derive(Debug, Args)]
pub struct WaitForModel {
    /// Which one
    #[command(flatten)]
    pub model: OneModel,
    /// How long, and for what
    #[command(flatten)]
    pub until: Until,
}

/// For what to wait.
#[derive(Debug, Clone, Args)]
pub struct Until {
    /// For what
    #[arg(long = "for", value_enum, default_value_t, value_name = "WHAT")]
    pub goal: Goal,
    /// How long
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    pub timeout: Duration,
    /// How long something may be failed before it is given up: the operator tries some failures again by itself
    #[arg(long, hide = true, value_name = "DURATION", default_value = "20s", value_parser = duration)]
    pub failed_for: Duration,
}

/// What one can wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Goal {
    /// It is ready as it is written now.
    #[default]
    Ready,
    /// It is no more.
    Deleted,
}

/// Whether a command that made or deletes something waits.
#[derive(Debug, Args)]
pub struct Patience {
    /// Wait until it is done
    #[arg(long)]
    pub wait: bool,
    /// How long --wait waits
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration, requires = "wait")]
    pub timeout: Duration,
}

/// Whether a command that made something waits until it is ready.
#[derive(Debug, Args)]
pub struct PatienceWithFailures {
    /// Whether to wait
    #[command(flatten)]
    pub patience: Patience,
    /// How long something may be failed before it is given up: the operator tries some failures again by itself
    #[arg(long, hide = true, value_name = "DURATION", default_value = "20s", value_parser = duration, requires = "wait")]
    pub failed_for: Duration,
}

/// `… delete`
#[derive(Debug, Args)]
pub struct DeleteServed {
    /// Their names
    #[arg(required = true, value_name = "NAME", value_parser = object_name)]
    pub names: Vec<String>,
    /// Where
    #[command(flatten)]
    pub within: Within,
    /// Whether to wait
    #[command(flatten)]
    pub patience: Patience,
}

/// `reeve model delete`
#[derive(Debug, Args)]
pub struct DeleteModels {
    /// Which ones
    #[command(flatten)]
    pub models: DeleteServed,
    /// Those of the cluster, not the namespace's
    #[arg(long)]
    pub of_cluster: bool,
}

/// `… logs`
#[derive(Debug, Args)]
pub struct LogsOfServed {
    /// Which one
    #[command(flatten)]
    pub one: OneServed,
    /// What of it
    #[command(flatten)]
    pub part: LogPart,
}

/// `reeve model logs`
#[derive(Debug, Args)]
pub struct LogsOfModel {
    /// Which one
    #[command(flatten)]
    pub model: OneModel,
    /// What of it
    #[command(flatten)]
    pub part: LogPart,
}

/// What of a log.
#[derive(Debug, Args)]
pub struct LogPart {
    /// Go on until the container ends
    #[arg(short, long)]
    pub follow: bool,
    /// Only the last lines; -1: all
    #[arg(short, long, value_name = "N", default_value_t = -1, allow_negative_numbers = true,
          hide_default_value = true, value_parser = clap::value_parser!(i64).range(-1..))]
    pub tail: i64,
    /// Only what is younger than this, like 90s, 5m or 1h30m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub since: Option<Duration>,
    /// Begin each line with its time
    #[arg(long)]
    pub timestamps: bool,
    /// Those of the container's run before this one
    #[arg(long)]
    pub previous: bool,
    /// Which of its pods [default: the newest]
    #[arg(long, value_name = "POD", value_parser = object_name)]
    pub pod: Option<String>,
    /// Which container of the pod [default: the one that does the work]
    #[arg(short, long, value_parser = namespace)]
    pub container: Option<String>,
    /// Do not make control characters visible when they go to a terminal
    #[arg(long)]
    pub raw: bool,
}

/// Environment variables.
#[derive(Debug, Args)]
pub struct Variables {
    /// Set an environment variable; may be repeated
    #[arg(short, long = "environment", value_name = "KEY=VALUE", value_parser = variable, action = ArgAction::Append)]
    pub environment: Vec<(String, String)>,
    /// Set one from a Secret of the namespace, whose value nobody but the container sees; may be repeated
    #[arg(long, value_name = "KEY=SECRET/ITEM", value_parser = from_secret, action = ArgAction::Append)]
    pub secret_environment: Vec<FromSecret>,
}

/// A variable whose value lies in a Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromSecret {
    /// The variable.
    pub variable: String,
    /// The Secret.
    pub secret: String,
    /// The item of it.
    pub item: String,
}

/// `reeve service create`
#[derive(Debug, Args)]
pub struct CreateService {
    /// Its name
    #[arg(value_parser = object_name)]
    pub name: String,
    /// The image that serves the model; a model is made of it when there is none
    #[arg(short, long, value_parser = image, required_unless_present = "model")]
    pub image: Option<String>,
    /// A model that is there: the namespace's, else the cluster's
    #[arg(short, long, value_name = "NAME", value_parser = object_name, conflicts_with = "image")]
    pub model: Option<String>,
    /// Which of the model's templates [default: the best that fits]
    #[arg(long, value_name = "NAME", value_parser = object_name)]
    pub template: Option<String>,
    /// A template that nobody has measured on this hardware may be chosen, too
    #[arg(long)]
    pub allow_unoptimized: bool,
    /// What it is to be tuned for
    #[arg(long, value_enum)]
    pub metric: Option<MetricWord>,
    /// The number format, such as fp16
    #[arg(long, value_enum)]
    pub precision: Option<PrecisionWord>,
    /// How many GPUs each replica has [default: what the template says]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    pub gpus: Option<i32>,
    /// Of which model, such as MI300X
    #[arg(long, value_name = "MODEL")]
    pub gpu_model: Option<String>,
    /// How many replicas
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    pub replicas: Option<i32>,
    /// Where the files lie: shared by the namespace's services, or this one's alone
    #[arg(long, value_enum)]
    pub caching: Option<CachingWord>,
    /// The class of the claim that stores the files [default: what the runtime configuration says]
    #[arg(long, value_name = "NAME", value_parser = object_name)]
    pub storage_class: Option<String>,
    /// Reach it through this Gateway; `none`: through none [default: what the runtime configuration says]
    #[arg(long, value_name = "[NAMESPACE/]NAME", value_parser = gateway)]
    pub gateway: Option<Gateway>,
    /// For the image; may be repeated
    #[arg(long, value_name = "NAME", value_parser = object_name, action = ArgAction::Append)]
    pub pull_secret: Vec<String>,
    /// The account of its pods
    #[arg(long, value_name = "NAME", value_parser = object_name)]
    pub service_account: Option<String>,
    /// Variables of its container
    #[command(flatten)]
    pub variables: Variables,
    /// Only ask the cluster whether it would take it
    #[arg(long, conflicts_with = "wait")]
    pub dry_run: bool,
    /// Whether to wait
    #[command(flatten)]
    pub patience: PatienceWithFailures,
    /// Where
    #[command(flatten)]
    pub within: Within,
}

/// `reeve model create`
#[derive(Debug, Args)]
pub struct CreateModel {
    /// Its name
    #[arg(value_parser = object_name)]
    pub name: String,
    /// The image that serves it
    #[arg(short, long, value_parser = image)]
    pub image: String,
    /// For every namespace of the cluster
    #[arg(long, conflicts_with = "namespace")]
    pub of_cluster: bool,
    /// For the image; may be repeated
    #[arg(long, value_name = "NAME", value_parser = object_name, action = ArgAction::Append)]
    pub pull_secret: Vec<String>,
    /// The account of pods that ask the image
    #[arg(long, value_name = "NAME", value_parser = object_name)]
    pub service_account: Option<String>,
    /// Variables of its containers
    #[command(flatten)]
    pub variables: Variables,
    /// Only ask the cluster whether it would take it
    #[arg(long, conflicts_with = "wait")]
    pub dry_run: bool,
    /// Whether to wait
    #[command(flatten)]
    pub patience: PatienceWithFailures,
    /// Where
    #[command(flatten)]
    pub within: Within,
}

/// `reeve artifact create`
#[derive(Debug, Args)]
pub struct CreateArtifact {
    /// Its name
    #[arg(value_parser = object_name)]
    pub name: String,
    /// From where: hf://ORGANIZATION/NAME or s3://BUCKET/PATH
    #[arg(short, long, value_name = "URI", value_parser = source)]
    pub source: String,
    /// ORGANIZATION/NAME, where it is not what the source says
    #[arg(long, value_name = "ID")]
    pub model_id: Option<String>,
    /// Bytes of all files, such as 16Gi [default: found out]
    #[arg(long, value_name = "QUANTITY")]
    pub size: Option<String>,
    /// The class of the claim [default: what the runtime configuration says]
    #[arg(long, value_name = "NAME", value_parser = object_name)]
    pub storage_class: Option<String>,
    /// For the image that downloads; may be repeated
    #[arg(long, value_name = "NAME", value_parser = object_name, action = ArgAction::Append)]
    pub pull_secret: Vec<String>,
    /// Variables of the download, such as HF_TOKEN
    #[command(flatten)]
    pub variables: Variables,
    /// Only ask the cluster whether it would take it
    #[arg(long, conflicts_with = "wait")]
    pub dry_run: bool,
    /// Whether to wait
    #[command(flatten)]
    pub patience: PatienceWithFailures,
    /// Where
    #[command(flatten)]
    pub within: Within,
}

/// What a deployment is tuned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MetricWord {
    /// Short answers.
    Latency,
    /// Many answers.
    Throughput,
}

/// A number format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the words say it")]
pub enum PrecisionWord {
    Auto,
    Fp4,
    Fp8,
    Fp16,
    Fp32,
    Bf16,
    Int4,
    Int8,
}

/// Whose the files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CachingWord {
    /// The namespace's.
    Shared,
    /// This service's.
    Dedicated,
}

/// How a service is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gateway {
    /// By no Gateway.
    None,
    /// By this one.
    Named {
        /// Its namespace; absent: the service's.
        namespace: Option<String>,
        /// Its name.
        name: String,
    },
}

/// The text is not repeated by us: it may be a value without its name.
fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if is_variable(name) => Ok((name.to_owned(), value.to_owned())),
        _ => Err("KEY=VALUE is needed".to_owned()),
    }
}

fn from_secret(text: &str) -> Result<FromSecret, String> {
    let parts = text
        .split_once('=')
        .and_then(|(variable, rest)| Some((variable, rest.split_once('/')?)));
    match parts {
        Some((variable, (secret, item)))
            if is_variable(variable) && object_name(secret).is_ok() && !item.is_empty() =>
        {
            Ok(FromSecret {
                variable: variable.to_owned(),
                secret: secret.to_owned(),
                item: item.to_owned(),
            })
        }
        _ => Err("KEY=SECRET/ITEM is needed, as in HF_TOKEN=hugging-face/token".to_owned()),
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(char::is_whitespace)
}

/// A reference, not an address: what a browser shows is a usual mistake.
fn image(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(char::is_whitespace) || text.contains("://") {
        return Err("an image is needed, as in registry.example/team/model:1.0".to_owned());
    }
    Ok(text.to_owned())
}

fn source(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("hf://").or_else(|| text.strip_prefix("s3://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.contains(char::is_whitespace) => Ok(text.to_owned()),
        _ => Err("hf://ORGANIZATION/NAME or s3://BUCKET/PATH is needed".to_owned()),
    }
}

fn gateway(text: &str) -> Result<Gateway, String> {
    if text == "none" {
        return Ok(Gateway::None);
    }
    let (of, name) = match text.split_once('/') {
        Some((of, name)) => (Some(namespace(of)?), name),
        None => (None, text),
    };
    Ok(Gateway::Named {
        namespace: of,
        name: object_name(name)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_name_image_or_source_is_refused_before_anybody_is_asked() {
        for wrong in ["", "a b", "../pods", "A", "a..b", "-a", &"a".repeat(64)] {
            assert!(object_name(wrong).is_err(), "{wrong}");
        }
        assert!(object_name("tiny-1.0").is_ok());
        for wrong in ["", "https://registry.example/x", "a b"] {
            assert!(image(wrong).is_err(), "{wrong}");
        }
        for wrong in ["org/name", "hf://", "s3:// x", "https://hf.co/x"] {
            assert!(source(wrong).is_err(), "{wrong}");
        }
        for wrong in ["=x", "x", "a b=c"] {
            assert!(variable(wrong).is_err(), "{wrong}");
        }
        for wrong in ["HF_TOKEN", "HF_TOKEN=secret", "HF_TOKEN=secret/", "=s/i", "X=S/i"] {
            assert!(from_secret(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_gateway_is_named_with_or_without_its_namespace_or_is_none() {
        let named = |of: Option<&str>, name: &str| Gateway::Named {
            namespace: of.map(str::to_owned),
            name: name.to_owned(),
        };
        assert_eq!(gateway("main"), Ok(named(None, "main")));
        assert_eq!(gateway("gateways/main"), Ok(named(Some("gateways"), "main")));
        assert_eq!(gateway("none"), Ok(Gateway::None));
        assert!(gateway("a/b/c").is_err() && gateway("/b").is_err());
    }
}

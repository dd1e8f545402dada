//! The command line: the flags of the reference operator, in the syntax of Go: one dash or two, `--flag=false` for booleans.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgAction, Parser, ValueEnum};
use url::Url;

/// How the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Encoder {
    /// One JSON object a line.
    Json,
    /// For people.
    Console,
}

/// Where something listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    /// Nowhere: `0`.
    Off,
    /// Here; `:8443` is every address.
    At(SocketAddr),
}

/// Reeve's model-serving operator: runs the kinds of aim.eai.amd.com.
#[derive(Debug, Parser)]
#[command(name = "reeve-serving", version)]
pub struct Args {
    /// Where metrics are served; 0 for nowhere.
    #[arg(long, default_value = "0", value_parser = listen)]
    pub metrics_bind_address: Listen,
    /// Where /healthz and /readyz are served, over HTTP.
    #[arg(long, default_value = ":8081", value_parser = listen)]
    pub health_probe_bind_address: Listen,
    /// Wait for the lease and stop when it is lost. Needed with more than one replica.
    #[arg(long, default_value_t = false, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = go_bool)]
    pub leader_elect: bool,
    /// Serve metrics over HTTPS, to who has a token of the cluster that may `get` the path /metrics.
    #[arg(long, default_value_t = true, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = go_bool)]
    pub metrics_secure: bool,
    /// Folder of the certificate for metrics, read again when it changes; without it one is made at every start.
    #[arg(long)]
    pub metrics_cert_path: Option<PathBuf>,
    /// The certificate's file in that folder.
    #[arg(long, default_value = "tls.crt")]
    pub metrics_cert_name: String,
    /// The key's file in that folder.
    #[arg(long, default_value = "tls.key")]
    pub metrics_cert_key: String,
    /// Taken and not used: there are no webhooks.
    #[arg(long, hide = true)]
    pub webhook_cert_path: Option<PathBuf>,
    /// Taken and not used: there are no webhooks.
    #[arg(long, hide = true)]
    pub webhook_cert_name: Option<String>,
    /// Taken and not used: there are no webhooks.
    #[arg(long, hide = true)]
    pub webhook_cert_key: Option<String>,
    /// Taken and not used.
    #[arg(long, default_value_t = false, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = go_bool, hide = true)]
    pub enable_http2: bool,
    /// Log for people, and more of it.
    #[arg(long, default_value_t = false, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = go_bool)]
    pub zap_devel: bool,
    /// How the log looks.
    #[arg(long, value_enum)]
    pub zap_encoder: Option<Encoder>,
    /// What is logged: debug, info, error, panic, or a number for more than debug.
    #[arg(long, value_parser = level)]
    pub zap_log_level: Option<&'static str>,
    /// Taken and not used.
    #[arg(long, hide = true)]
    pub zap_stacktrace_level: Option<String>,
    /// Taken and not used.
    #[arg(long, hide = true)]
    pub zap_time_encoding: Option<String>,
    /// Kubeconfig of the cluster; without it KUBECONFIG, or the pod's own ServiceAccount.
    #[arg(long)]
    pub kubeconfig: Option<PathBuf>,
    /// The operator's namespace; without it that of the pod's ServiceAccount, or aim-system.
    #[arg(long, env = "AIM_SYSTEM_NAMESPACE")]
    pub system_namespace: Option<String>,
    /// What this process is called in leases; without it a name is made up.
    #[arg(long, env = "POD_NAME")]
    pub pod_name: Option<String>,
    /// What is asked in the place of a registry: `docker.io=https://mirror.example/hub`. May be given more than once. Only a
    /// registry that is named here may be asked over plain HTTP or at a loopback address; a path comes before the repository.
    #[arg(long, value_name = "REGISTRY=URL", value_parser = endpoint)]
    pub registry_endpoint: Vec<(String, Url)>,
    /// A file of certificates (PEM): authorities of registries, beside the usual ones.
    #[arg(long, value_name = "FILE")]
    pub registry_ca: Option<PathBuf>,
    /// Ask registries in private networks that --registry-endpoint does not name. Loopback, link-local and metadata addresses are
    /// never asked for a user.
    #[arg(long, default_value_t = true, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = go_bool)]
    pub registry_private_addresses: bool,
    /// The image that downloads artifacts which name none of their own; without it the reference's.
    #[arg(long, env = "AIM_ARTIFACT_DOWNLOADER_IMAGE", value_name = "IMAGE")]
    pub artifact_downloader_image: Option<String>,
}

impl Args {
    /// Reads the command line, and ends the process with a message where it cannot be read.
    pub fn read(arguments: impl Iterator<Item = String>) -> Self {
        Self::parse_from(two_dashes(arguments))
    }

    /// The same, for who wants to see the message.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn try_read(arguments: impl Iterator<Item = String>) -> Result<Self, clap::Error> {
        Self::try_parse_from(two_dashes(arguments))
    }

    /// How the log looks.
    pub fn encoder(&self) -> Encoder {
        let usual = if self.zap_devel {
            Encoder::Console
        } else {
            Encoder::Json
        };
        self.zap_encoder.unwrap_or(usual)
    }

    /// What is logged.
    pub fn log_level(&self) -> &'static str {
        let usual = if self.zap_devel { "debug" } else { "info" };
        self.zap_log_level.unwrap_or(usual)
    }
}

/// Go's flags may have one dash.
fn two_dashes(arguments: impl Iterator<Item = String>) -> impl Iterator<Item = String> {
    arguments.map(|argument| match argument.strip_prefix('-') {
        Some(flag) if flag.len() > 1 && flag.starts_with(|c: char| c.is_ascii_lowercase()) => {
            format!("--{flag}")
        }
        _ => argument,
    })
}

fn go_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err("say true or false".to_owned()),
    }
}

fn level(text: &str) -> Result<&'static str, String> {
    match text {
        "debug" => Ok("debug"),
        "info" => Ok("info"),
        "warn" => Ok("warn"),
        "error" | "dpanic" | "panic" | "fatal" => Ok("error"),
        number if number.parse::<u32>().is_ok_and(|number| number > 0) => Ok("debug"),
        _ => Err("say debug, info, error, panic, or a number".to_owned()),
    }
}

fn endpoint(text: &str) -> Result<(String, Url), String> {
    let wrong = || "say `registry=https://host/path`, or `http://` for a registry without TLS".to_owned();
    let (registry, url) = text.split_once('=').ok_or_else(wrong)?;
    let url: Url = url.parse().map_err(|_| wrong())?;
    let good = matches!(url.scheme(), "http" | "https")
        && url.host().is_some()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if good && !registry.is_empty() {
        Ok((registry.to_owned(), url))
    } else {
        Err(wrong())
    }
}

fn listen(text: &str) -> Result<Listen, String> {
    if text == "0" {
        return Ok(Listen::Off);
    }
    let full = if text.starts_with(':') {
        format!("0.0.0.0{text}")
    } else {
        text.to_owned()
    };
    let address = full.parse::<SocketAddr>();
    address
        .map(Listen::At)
        .map_err(|_| "say `address:port`, `:port`, or 0 for nowhere".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Args, clap::Error> {
        let all = ["reeve-serving"].iter().chain(arguments);
        Args::try_read(all.map(|argument| (*argument).to_owned()))
    }

    #[test]
    fn flags_are_read_as_go_reads_them() {
        let read_all = read(&[
            "--leader-elect",
            "--metrics-secure=false",
            "-metrics-bind-address=:8443",
            "-health-probe-bind-address",
            "127.0.0.1:0",
            "--zap-log-level=2",
        ]);
        let arguments = read_all.unwrap();
        assert!(arguments.leader_elect && !arguments.metrics_secure);
        assert_eq!(
            arguments.metrics_bind_address,
            Listen::At(([0, 0, 0, 0], 8443).into())
        );
        assert_eq!(
            arguments.health_probe_bind_address,
            Listen::At(([127, 0, 0, 1], 0).into())
        );
        assert_eq!(
            (arguments.log_level(), arguments.encoder()),
            ("debug", Encoder::Json)
        );
        let endpoints = read(&[
            "--registry-endpoint=docker.io=https://a.example/hub",
            "--registry-private-addresses=false",
        ]);
        let arguments = endpoints.unwrap();
        assert_eq!(arguments.registry_endpoint[0].0, "docker.io");
        assert_eq!(arguments.registry_endpoint[0].1.as_str(), "https://a.example/hub");
        assert!(!arguments.registry_private_addresses);
        let usual = read(&[]).unwrap();
        assert!(usual.metrics_secure && !usual.leader_elect);
        assert_eq!(usual.metrics_bind_address, Listen::Off);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for wrong in [
            "--metrics-secure=perhaps",
            "--metrics-bind-address=8443",
            "--zap-log-level=loud",
            "--registry-endpoint=docker.io",
            "--registry-endpoint=docker.io=ftp://a",
            "--registry-endpoint=docker.io=https://user:pass@a",
            "--nonsense",
        ] {
            let message = read(&[wrong]).unwrap_err().to_string();
            let flag = wrong.split('=').next().unwrap();
            assert!(message.contains(flag), "{message}");
        }
    }
}

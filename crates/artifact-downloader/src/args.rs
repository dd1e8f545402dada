//! The command line and the environment, as the image of the reference takes them.

use std::convert::Infallible;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use reeve_types::Secret;
use url::Url;

/// Downloads the files of a model: `hf://org/name[@revision]`, `s3://bucket/prefix`, `pvc://claim/path`.
#[derive(Debug, Parser)]
#[command(name = "reeve-artifact-downloader", version)]
pub struct Args {
    /// Where the files are.
    pub uri: String,
    /// Where they go; TARGET_DIR counts where this is absent.
    pub destination: Option<PathBuf>,
    /// Only say how large they are: one line of JSON.
    #[arg(long)]
    pub check_size: bool,
    /// Where the files go.
    #[arg(long, env = "TARGET_DIR", default_value = "/cache")]
    pub target_dir: PathBuf,
    /// How large they are, for the progress.
    #[arg(long, env = "EXPECTED_SIZE_BYTES")]
    pub expected_size_bytes: Option<u64>,
    /// After how many seconds without a byte the download counts as stalled.
    #[arg(long, env = "STALL_TIMEOUT", default_value = "120", value_parser = seconds)]
    pub stall_timeout: Duration,
    /// How often progress is told, in seconds.
    #[arg(long, env = "PROGRESS_INTERVAL", default_value = "5", value_parser = seconds)]
    pub progress_interval: Duration,
    /// How long the first of several attempts waits after a broken connection, in seconds; each later one twice as long.
    #[arg(long, env = "RETRY_PAUSE", default_value = "1", value_parser = seconds)]
    pub retry_pause: Duration,
    /// The artifact in whose status progress is told.
    #[arg(long, env = "ARTIFACT_NAME")]
    pub artifact_name: Option<String>,
    /// Its namespace.
    #[arg(long, env = "ARTIFACT_NAMESPACE")]
    pub artifact_namespace: Option<String>,
    /// The API server; without it the pod's own.
    #[arg(long, env = "KUBERNETES_URL")]
    pub kubernetes_url: Option<Url>,
    /// Host of the pod's own API server.
    #[arg(long, env = "KUBERNETES_SERVICE_HOST", hide = true)]
    pub kubernetes_service_host: Option<String>,
    /// Port of the pod's own API server.
    #[arg(long, env = "KUBERNETES_SERVICE_PORT", hide = true)]
    pub kubernetes_service_port: Option<String>,
    /// Where the pod's account is.
    #[arg(
        long,
        env = "SERVICE_ACCOUNT_DIR",
        default_value = "/var/run/secrets/kubernetes.io/serviceaccount"
    )]
    pub service_account_dir: PathBuf,
    /// The Hub.
    #[arg(long, env = "HF_ENDPOINT", default_value = "https://huggingface.co")]
    pub hf_endpoint: Url,
    /// A token of the Hub.
    #[arg(long, env = "HF_TOKEN", hide_env_values = true, value_parser = secret)]
    pub hf_token: Option<Secret>,
    /// S3's address; without it AWS's of the region. Without a scheme it is HTTPS, unless S3_NO_SSL says otherwise.
    #[arg(long, env = "AWS_ENDPOINT_URL")]
    pub aws_endpoint_url: Option<String>,
    /// `true`: S3's address without a scheme is HTTP.
    #[arg(long, env = "S3_NO_SSL")]
    pub s3_no_ssl: Option<String>,
    /// S3's region.
    #[arg(long, env = "AWS_REGION")]
    pub aws_region: Option<String>,
    /// S3's region, where AWS_REGION is absent.
    #[arg(long, env = "AWS_DEFAULT_REGION", default_value = "us-east-1")]
    pub aws_default_region: String,
    /// Without it requests to S3 are not signed.
    #[arg(long, env = "AWS_ACCESS_KEY_ID", hide_env_values = true, value_parser = secret)]
    pub aws_access_key_id: Option<Secret>,
    /// The key's secret.
    #[arg(long, env = "AWS_SECRET_ACCESS_KEY", hide_env_values = true, value_parser = secret)]
    pub aws_secret_access_key: Option<Secret>,
    /// Of temporary keys.
    #[arg(long, env = "AWS_SESSION_TOKEN", hide_env_values = true, value_parser = secret)]
    pub aws_session_token: Option<Secret>,
    /// Where a claim that files are copied from is mounted.
    #[arg(long, env = "PVC_MOUNT", default_value = "/mnt/pvc")]
    pub pvc_mount: PathBuf,
}

impl Args {
    /// Reads the command line; under the name `check-size.sh` the program only says how large the files are.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Self {
        let mut arguments = arguments.into_iter().peekable();
        let checks = arguments
            .peek()
            .and_then(|program| Path::new(program).file_name())
            .is_some_and(|name| name == "check-size.sh");
        let mut read = Self::parse_from(arguments);
        read.check_size |= checks;
        read
    }

    /// Where the files go.
    pub fn target(&self) -> &Path {
        self.destination.as_deref().unwrap_or(&self.target_dir)
    }
}

fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: Option<f64> = text.parse().ok();
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "say a number of seconds".to_owned())
}

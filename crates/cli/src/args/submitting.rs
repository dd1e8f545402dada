//! Arguments of `reeve submit`.

use std::time::Duration;

use clap::{ArgAction, Args};
use reeve_api::training::SecretVolume;
use reeve_types::{
    CpuCores, ImagePullPolicy, InvalidFileMode, InvalidMountPath, InvalidName, MemoryAmount, OrgUnitName,
    WorkloadName,
};

use super::job::Job;
use super::running::duration;

/// `reeve submit`
#[derive(Debug, Args)]
pub struct Submit {
    /// Its name, unique in the project
    #[arg(
        value_name = "NAME",
        required_unless_present = "name",
        conflicts_with = "name"
    )]
    pub positional_name: Option<WorkloadName>,
    /// The same
    #[arg(id = "name", long = "name", value_name = "NAME")]
    pub named: Option<WorkloadName>,
    /// In which project
    #[arg(short, long)]
    pub project: OrgUnitName,
    /// The container image
    #[arg(short, long)]
    pub image: String,
    /// When the node gets the image: Always, IfNotPresent or Never [default: as Kubernetes has it]
    #[arg(long, value_name = "POLICY")]
    pub image_pull_policy: Option<ImagePullPolicy>,
    /// How many whole GPUs
    #[arg(short, long = "gpu-devices-request", visible_alias = "gpu", value_name = "N", value_parser = gpus)]
    pub gpus: Option<u32>,
    /// Processor cores that the node has to have free for it, as 0.5 or 2
    #[arg(long = "cpu-core-request", alias = "cpu", value_name = "CORES")]
    pub cpu_request: Option<CpuCores>,
    /// Processor cores that it may use at most
    #[arg(long = "cpu-core-limit", alias = "cpu-limit", value_name = "CORES")]
    pub cpu_limit: Option<CpuCores>,
    /// Memory that the node has to have free for it, as 512Mi or 2G
    #[arg(long = "cpu-memory-request", alias = "memory", value_name = "AMOUNT")]
    pub memory_request: Option<MemoryAmount>,
    /// Memory that it may use at most
    #[arg(long = "cpu-memory-limit", alias = "memory-limit", value_name = "AMOUNT")]
    pub memory_limit: Option<MemoryAmount>,
    /// Run as yourself: with your uid, gid and groups
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false",
          hide_default_value = true, value_name = "BOOL", action = ArgAction::Set)]
    pub run_as_user: bool,
    /// Forbid the container to gain privileges
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub prevent_privilege_escalation: Option<bool>,
    /// The same the other way round; only `=false` can be asked for
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL", hide = true)]
    pub allow_privilege_escalation: Option<bool>,
    /// Make a writable home, and set HOME, USER and LOGNAME [default: with --run-as-user]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub create_home_dir: Option<bool>,
    /// Put you into the container's /etc/passwd and /etc/group, for `id`, `whoami` and ssh; the image needs /bin/sh
    #[arg(long)]
    pub passwd_entry: bool,
    /// Set an environment variable; may be repeated
    #[arg(short, long = "environment", alias = "environment-variable", value_name = "KEY=VALUE",
          value_parser = variable, action = ArgAction::Append)]
    pub environment: Vec<(String, String)>,
    /// Expand `$(NAME)` and halve `$$` in words and values, as Kubernetes does; otherwise they arrive as typed
    #[arg(long)]
    pub expand_variables: bool,
    /// Start in this folder of the container
    #[arg(long, value_name = "PATH")]
    pub working_dir: Option<String>,
    /// Memory at /dev/shm, without the usual limit of 64 MiB
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false",
          hide_default_value = true, value_name = "BOOL", action = ArgAction::Set)]
    pub large_shm: bool,
    /// Mount a Secret of the project as files, by a secret asset (`reeve secret-asset list`); may be repeated. Path and mode are the
    /// asset's where they are left out
    #[arg(long = "secret-volume", value_name = "name=SECRET[,path=PATH][,default-mode=MODE]", value_parser = secret_volume,
          action = ArgAction::Append)]
    pub secret_volumes: Vec<SecretVolume>,
    /// One pod that is tried once and not preempted: what a workload here is unless it asks for more pods
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub interactive: Option<bool>,
    /// What its Job and pods are told besides.
    #[command(flatten)]
    pub job: Job,
    /// Keep standard input open, so that `reeve attach` can type
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub stdin: Option<bool>,
    /// Give the container a terminal; needs standard input
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub tty: Option<bool>,
    /// With --stdin and --tty, and join it as soon as it runs
    #[arg(long)]
    pub attach: bool,
    /// How long --attach waits for it to run
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration, requires = "attach")]
    pub pod_running_timeout: Duration,
    /// The words after `--` replace the image's entry point instead of becoming its arguments
    #[arg(short, long)]
    pub command: bool,
    /// What runs in the container
    #[arg(last = true, value_name = "WORD")]
    pub words: Vec<String>,
}

impl Submit {
    /// The name, wherever it was given. The parser makes sure that there is one.
    pub fn name(&self) -> Option<&WorkloadName> {
        self.positional_name.as_ref().or(self.named.as_ref())
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((_, value)) if value.starts_with("SECRET:") && value.contains(',') => Err(
            "`SECRET:` cannot be asked for here: a value comes from a Secret only in a Job of your own (`kubectl apply`, \
             `valueFrom.secretKeyRef`)"
                .to_owned(),
        ),
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        // The text is not repeated by us: it may be a value without its name.
        _ => Err("KEY=VALUE is needed".to_owned()),
    }
}

/// The reference's words (cluster-and-cli 8): `path=…,name=…`.
fn secret_volume(text: &str) -> Result<SecretVolume, String> {
    const FORM: &str = "`name=SECRET` is needed, with `path=PATH` and `default-mode=MODE` after commas where they are to be others than \
                        those of the secret asset";
    let (mut secret, mut mount_path, mut default_mode) = (None, None, None);
    for part in text.split(',') {
        let (key, value) = part.split_once('=').ok_or(FORM)?;
        let again = match key {
            "name" => secret
                .replace(
                    value
                        .parse()
                        .map_err(|error: InvalidName| format!("name: {error}"))?,
                )
                .is_some(),
            "path" => mount_path
                .replace(
                    value
                        .parse()
                        .map_err(|error: InvalidMountPath| format!("path: {error}"))?,
                )
                .is_some(),
            "default-mode" => default_mode
                .replace(
                    value
                        .parse()
                        .map_err(|error: InvalidFileMode| format!("default-mode: {error}"))?,
                )
                .is_some(),
            _ => return Err(FORM.to_owned()),
        };
        if again {
            return Err(format!("`{key}=` is given twice"));
        }
    }
    Ok(SecretVolume {
        secret: secret.ok_or(FORM)?,
        mount_path,
        default_mode,
    })
}

/// Whole devices; the reference's scripts also write them as `1.0`.
fn gpus(text: &str) -> Result<u32, String> {
    let whole = text.split_once('.').map_or(text, |(whole, rest)| {
        if rest.bytes().all(|b| b == b'0') {
            whole
        } else {
            text
        }
    });
    whole.parse().map_err(|_| match text.parse::<f64>() {
        Ok(part) if part > 0.0 => {
            "parts of a GPU cannot be asked for here: ask for whole ones (`-g 1`)".to_owned()
        }
        _ => "a whole number is needed".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command, Works};

    fn parsed(words: &[&str]) -> Option<Submit> {
        let all = ["reeve", "submit", "-p", "robots", "-i", "image"]
            .iter()
            .chain(words);
        match Cli::try_parse_from(all).ok()?.command {
            Command::Works(Works::Submit(submit)) => Some(*submit),
            other => panic!("{other:?}"),
        }
    }

    fn submit(words: &[&str]) -> Submit {
        parsed(&[&["x"], words].concat()).unwrap()
    }

    #[test]
    fn a_name_stands_alone_or_after_its_flag_and_not_both() {
        assert_eq!(parsed(&["x"]).unwrap().name().unwrap().as_str(), "x");
        assert_eq!(parsed(&["--name", "x"]).unwrap().name().unwrap().as_str(), "x");
        assert!(parsed(&["x", "--name", "x"]).is_none() && parsed(&[]).is_none());
    }

    #[test]
    fn a_home_can_be_asked_for_and_refused() {
        assert_eq!(submit(&[]).create_home_dir, None);
        assert_eq!(submit(&["--create-home-dir"]).create_home_dir, Some(true));
        assert_eq!(submit(&["--create-home-dir=false"]).create_home_dir, Some(false));
        assert!(submit(&["--run-as-user"]).run_as_user && !submit(&["--run-as-user=false"]).run_as_user);
    }

    #[test]
    fn gpus_are_whole() {
        for (text, number) in [("2", 2), ("1.0", 1), ("0", 0)] {
            assert_eq!(gpus(text), Ok(number), "{text}");
        }
        assert!(gpus("0.5").unwrap_err().contains("whole ones"));
        for wrong in ["", "many", "-1", "1.5", "1e3"] {
            assert!(gpus(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_mounted_by_name_where_it_is_said_or_where_its_asset_says() {
        let volume = |text: &str| secret_volume(text).map(|it| serde_json::to_value(it).unwrap());
        for (text, asked) in [
            ("name=token", serde_json::json!({"secret": "token"})),
            (
                "path=/etc/keys,name=token",
                serde_json::json!({"secret": "token", "mountPath": "/etc/keys"}),
            ),
            (
                "name=token,default-mode=0440",
                serde_json::json!({"secret": "token", "defaultMode": "0440"}),
            ),
        ] {
            assert_eq!(volume(text), Ok(asked), "{text}");
        }
        for wrong in [
            "",
            "token",
            "path=/a",
            "name=Token",
            "name=a,path=b",
            "name=a,name=b",
            "name=a,mode=0444",
            "name=a,default-mode=4755",
            "name=a,",
        ] {
            assert!(secret_volume(wrong).is_err(), "{wrong}");
        }
        let both = submit(&["--secret-volume", "name=a", "--secret-volume=name=b"]).secret_volumes;
        assert_eq!(both.len(), 2);
    }

    #[test]
    fn words_after_the_dashes_are_not_looked_at() {
        let words = [
            "-g",
            "2",
            "-e",
            "A=1",
            "-e",
            "B=x=y",
            "--",
            "sh",
            "-c",
            "id -u",
            "--run-as-user",
        ];
        let parsed = submit(&words);
        assert_eq!(parsed.words, ["sh", "-c", "id -u", "--run-as-user"]);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(parsed.environment, [pair("A", "1"), pair("B", "x=y")]);
        assert!(!parsed.run_as_user && parsed.gpus == Some(2));
    }
}

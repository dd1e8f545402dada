//! Arguments of the commands that look into a running workload.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use clap::{ArgAction, Args};
use k8s_openapi::jiff::SignedDuration;

use super::Which;

/// Names one pod of a workload.
#[derive(Debug, Args)]
pub struct Target {
    /// Which workload
    #[command(flatten)]
    pub which: Which,
    /// Which of its pods [default: the newest]
    #[arg(long, value_name = "POD")]
    pub pod: Option<String>,
}

/// Names one container of a pod.
#[derive(Debug, Args)]
pub struct Container {
    /// Which pod
    #[command(flatten)]
    pub target: Target,
    /// Which container of the pod [default: the workload's own]
    #[arg(short, long)]
    pub container: Option<String>,
}

/// `reeve logs`
#[derive(Debug, Args)]
pub struct Logs {
    /// Of which container
    #[command(flatten)]
    pub place: Container,
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
    /// Do not make control characters visible when they go to a terminal
    #[arg(long)]
    pub raw: bool,
    /// How long one stream may last; for tests
    #[arg(long, hide = true, default_value = "270s", value_parser = stream_duration)]
    pub reopen_after: Duration,
}

/// `reeve exec`
#[derive(Debug, Args)]
pub struct Exec {
    /// In which container
    #[command(flatten)]
    pub place: Container,
    /// Pass standard input on
    #[arg(short = 'i', long)]
    pub stdin: bool,
    /// Give the command a terminal
    #[arg(short, long)]
    pub tty: bool,
    /// How long the container may take to start
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub pod_running_timeout: Duration,
    /// The command; `--` before it is needed when one of its words begins with a dash
    #[arg(required = true, value_name = "COMMAND")]
    pub words: Vec<String>,
}

/// `reeve bash`
#[derive(Debug, Args)]
pub struct Bash {
    /// In which container
    #[command(flatten)]
    pub place: Container,
}

/// `reeve attach`
#[derive(Debug, Args)]
pub struct Attach {
    /// To which container
    #[command(flatten)]
    pub place: Container,
    /// Do not pass standard input on, although the container takes it
    #[arg(long)]
    pub no_stdin: bool,
    /// Use no terminal, although the container has one
    #[arg(long)]
    pub no_tty: bool,
    /// Fail when the container has no terminal, instead of going without
    #[arg(short, long, conflicts_with = "no_tty")]
    pub tty: bool,
    /// How long the container may take to start
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub pod_running_timeout: Duration,
}

/// `reeve port-forward`
#[derive(Debug, Args)]
pub struct PortForward {
    /// Of which pod
    #[command(flatten)]
    pub target: Target,
    /// Which port here leads to which port there; may be repeated; 0 here: any that is free
    #[arg(long = "port", required = true, value_name = "LOCAL[:REMOTE]", value_parser = ports, action = ArgAction::Append)]
    pub ports: Vec<Forward>,
    /// At which address of this machine to listen; everybody who reaches it acts as you
    #[arg(long, default_value = "localhost", value_parser = address)]
    pub address: IpAddr,
}

/// One port here that leads to one port there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forward {
    /// Here; 0: any that is free.
    pub local: u16,
    /// There.
    pub remote: u16,
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a duration like 30s, 5m or 1h30m is needed".to_owned();
    let parsed: SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(parsed).map_err(|_| wrong())
}

/// Never longer than a token lives.
fn stream_duration(text: &str) -> Result<Duration, String> {
    duration(text).map(|duration| duration.min(Duration::from_secs(270)))
}

fn ports(text: &str) -> Result<Forward, String> {
    let wrong = || "LOCAL or LOCAL:REMOTE is needed, both ports of 65535 at most".to_owned();
    let (local, remote) = text.split_once(':').unwrap_or((text, text));
    let local = local.parse().map_err(|_| wrong())?;
    match remote.parse().map_err(|_| wrong())? {
        0 => Err("the port of the pod must not be 0".to_owned()),
        remote => Ok(Forward { local, remote }),
    }
}

fn address(text: &str) -> Result<IpAddr, String> {
    if text == "localhost" {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    text.parse()
        .map_err(|_| "an IP address or `localhost` is needed".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command, Works};

    fn parsed(words: &[&str]) -> Option<Command> {
        let all = ["reeve"].iter().chain(words);
        Cli::try_parse_from(all).ok().map(|cli| cli.command)
    }

    fn exec(words: &[&str]) -> Option<Exec> {
        let all: Vec<_> = ["exec", "first", "-p", "robots"]
            .into_iter()
            .chain(words.iter().copied())
            .collect();
        match parsed(&all) {
            Some(Command::Works(Works::Exec(exec))) => Some(exec),
            _ => None,
        }
    }

    #[test]
    fn a_command_needs_dashes_only_when_its_words_have_some() {
        assert_eq!(exec(&["ls", "/tmp"]).unwrap().words, ["ls", "/tmp"]);
        let with_dashes = exec(&["-it", "-c", "side", "--", "ls", "-l", "--tty"]).unwrap();
        assert_eq!(with_dashes.words, ["ls", "-l", "--tty"]);
        assert!(with_dashes.stdin && with_dashes.tty);
        assert_eq!(with_dashes.place.container.as_deref(), Some("side"));
        assert!(exec(&["ls", "-l"]).is_none(), "`-l` is no flag of ours");
        assert!(exec(&[]).is_none() && exec(&["--"]).is_none());
    }

    #[test]
    fn durations_are_written_as_in_the_reference() {
        for (text, seconds) in [("30s", 30), ("5m", 300), ("1h30m", 5_400), ("0s", 0)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "30", "-5s", "soon", "5s ago"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!(stream_duration("1h"), Ok(Duration::from_secs(270)));
    }

    #[test]
    fn ports_come_in_pairs_or_alone() {
        assert_eq!(
            ports("8080"),
            Ok(Forward {
                local: 8080,
                remote: 8080
            })
        );
        assert_eq!(ports("0:80"), Ok(Forward { local: 0, remote: 80 }));
        for wrong in ["", ":", "80:", "0", "80:0", "65536", "a:b", "1:2:3"] {
            assert!(ports(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn addresses_are_looked_up_nowhere() {
        assert_eq!(address("localhost"), Ok(Ipv4Addr::LOCALHOST.into()));
        assert!(address("::1").is_ok() && address("example.org").is_err());
    }

    #[test]
    fn contradictions_are_wrong_usage() {
        assert!(parsed(&["attach", "first", "-p", "robots", "--tty", "--no-tty"]).is_none());
        assert!(parsed(&["port-forward", "first", "-p", "robots"]).is_none());
        assert!(parsed(&["logs", "first", "-p", "robots", "--tail", "-2"]).is_none());
        assert!(parsed(&["logs", "first", "-p", "robots", "--tail", "-1"]).is_some());
    }
}

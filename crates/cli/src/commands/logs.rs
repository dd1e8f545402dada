//! `reeve logs`: straight from the cluster's API server.
//!
//! **Limits.** A log that the node rotates away while no stream is open is not shown. Nobody is cut off by this program
//! alone: whoever asks the API server by other means keeps her stream, and this cannot be prevented from here.

mod follow;
mod lines;
mod visible;

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use reqwest::Response;

use crate::Context;
use crate::args::Logs;
use crate::commands::pod::{self, Found, State, Wanted};
use crate::failure::Failure;
use crate::http::Api;
use crate::printer::Printer;
use visible::Visible;

/// How long a container may take to start before the command gives up. With `--follow` it waits on.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where lines go to.
pub(super) struct Screen<'a> {
    printer: &'a mut Printer,
    visible: Option<Visible>,
}

pub(super) async fn run(context: &mut Context, arguments: Logs) -> Result<(), Failure> {
    let which = &arguments.place.target.which;
    let what = format!(
        "cannot show the logs of `{}` in project `{}`",
        which.name, which.project
    );
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let wanted = Wanted {
        target: &arguments.place.target,
        container: arguments.place.container.as_deref(),
        // What ran before is there whatever the container does now.
        state: if arguments.previous {
            State::Any
        } else {
            State::Started
        },
        patience: (!arguments.follow).then_some(PATIENCE),
        hint: "try again later, or wait with `--follow`",
    };
    let mut found = pod::find(&api, &wanted, &what).await?;
    let mut screen = Screen::of(context, arguments.raw);
    if arguments.follow {
        follow::follow(&mut found, &arguments, &mut screen, &what).await?;
    } else {
        let mut stream = open(&found, &query(&arguments, None), &what).await?;
        while let Some(bytes) = chunk(&found, &mut stream, &what).await? {
            screen.show(&bytes)?;
        }
    }
    screen.finish()
}

async fn open(found: &Found, query: &[(&str, String)], what: &str) -> Result<Response, Failure> {
    let path = [
        "api",
        "v1",
        "namespaces",
        &found.namespace,
        "pods",
        &found.name,
        "log",
    ];
    let mut pairs = vec![("container", found.container.as_str())];
    pairs.extend(query.iter().map(|(key, value)| (*key, value.as_str())));
    let opened = found.server.open(&path, &pairs).await;
    opened.map_err(|error| error.explain(what))
}

async fn chunk(found: &Found, stream: &mut Response, what: &str) -> Result<Option<Vec<u8>>, Failure> {
    match stream.chunk().await {
        Ok(bytes) => Ok(bytes.map(Vec::from)),
        Err(error) => Err(found.server.lost(error).explain(what)),
    }
}

/// What the API server is asked for; `since` when the stream is opened again.
fn query(arguments: &Logs, since: Option<Timestamp>) -> Vec<(&'static str, String)> {
    let mut query = Vec::new();
    let mut flag = |name, wanted: bool| query.extend(wanted.then(|| (name, "true".to_owned())));
    flag("follow", arguments.follow);
    flag("previous", arguments.previous);
    // Stamps tell which lines were shown already.
    flag("timestamps", arguments.timestamps || arguments.follow);
    if let Some(since) = since {
        query.push(("sinceTime", since.to_string()));
        return query;
    }
    if arguments.tail >= 0 {
        query.push(("tailLines", arguments.tail.to_string()));
    }
    if let Some(since) = arguments.since {
        // Whole seconds only, and at least one: a line too many is better than one too few.
        let seconds = since.as_secs() + u64::from(since.subsec_nanos() > 0);
        query.push(("sinceSeconds", seconds.max(1).to_string()));
    }
    query
}

impl<'a> Screen<'a> {
    /// That of the command. Control characters are made visible on a terminal, unless they are asked for.
    pub(super) fn of(context: &'a mut Context, raw: bool) -> Self {
        let escapes = context.to_terminal && !raw;
        Self {
            printer: &mut context.printer,
            visible: escapes.then(Visible::default),
        }
    }

    /// Shows what came.
    pub(super) fn show(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match &mut self.visible {
            Some(visible) => self.printer.raw(visible.push(bytes).as_bytes()),
            None => self.printer.raw(bytes),
        }
    }

    /// Shows what is left at the end.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self.visible {
            Some(visible) => self.printer.raw(visible.finish().as_bytes()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command, Works};

    fn asked(words: &[&str], since: Option<Timestamp>) -> String {
        let all = ["reeve", "logs", "first", "-p", "robots"].iter().chain(words);
        let Command::Works(Works::Logs(logs)) = Cli::try_parse_from(all).unwrap().command else {
            panic!("other arguments");
        };
        let pairs = query(&logs, since);
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        pairs.join("&")
    }

    /// Planted fault: a default of ten minutes lets who lost her rights read on past the five minutes that SECURITY.md promises.
    #[test]
    fn a_stream_is_opened_again_before_a_token_is_five_minutes_old() {
        let all = ["reeve", "logs", "first", "-p", "robots", "-f"];
        let Command::Works(Works::Logs(logs)) = Cli::try_parse_from(all).unwrap().command else {
            panic!("other arguments");
        };
        assert!(
            logs.reopen_after < Duration::from_secs(300),
            "{:?}",
            logs.reopen_after
        );
    }

    #[test]
    fn flags_become_parameters() {
        assert_eq!(asked(&[], None), "");
        assert_eq!(
            asked(&["--tail", "0", "--previous"], None),
            "previous=true&tailLines=0"
        );
        assert_eq!(
            asked(&["--timestamps", "--since", "1500ms"], None),
            "timestamps=true&sinceSeconds=2"
        );
        assert_eq!(asked(&["--since", "0s"], None), "sinceSeconds=1");
    }

    #[test]
    fn a_stream_that_goes_on_is_not_cut_short_again() {
        let since = Some("2026-01-01T00:00:09Z".parse().unwrap());
        assert_eq!(
            asked(&["-f", "--tail", "1", "--since", "1h"], since),
            "follow=true&timestamps=true&sinceTime=2026-01-01T00:00:09Z"
        );
    }
}

//! The log: structured, on standard error. Events are written with fields of fixed names; nothing hands it a header, a
//! query, a body or a secret.

use std::panic::PanicHookInfo;

use clap::ValueEnum;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Forms of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Checks what is to go into the log.
///
/// # Errors
/// What is wrong with it, for people.
pub fn filter(text: &str) -> Result<String, String> {
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!(
            "{error}; a level (`error`, `warn`, `info`, `debug`) is needed, or `module=level`, separated by commas"
        )),
    }
}

/// Starts the log of the process. The filter is one that [`filter`] let through.
pub fn start(directives: &str, format: LogFormat) {
    let filter = EnvFilter::new(directives);
    // A second start in one process keeps the first log.
    let _ = match format {
        LogFormat::Json => tracing::subscriber::set_global_default(json(filter, std::io::stderr)),
        LogFormat::Text => tracing::subscriber::set_global_default(
            tracing_subscriber::fmt()
                .with_ansi(false)
                .with_env_filter(filter)
                .with_writer(std::io::stderr)
                .finish(),
        ),
    };
    std::panic::set_hook(Box::new(report_panic));
}

/// The log in JSON, one object a line, written to `writer`.
pub fn json<W>(filter: EnvFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .finish()
}

/// Where, not what: a panic's message may hold a value.
fn report_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string);
    tracing::error!(place, "a task ended in a panic");
}

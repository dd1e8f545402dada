//! The log: structured, on standard error. Events are written with fields of fixed names; nothing hands it a header, a
//! query, a body or a secret.

use std::panic::PanicHookInfo;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::cli::LogFormat;

/// Starts the log of the process.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_env("REEVE_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
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

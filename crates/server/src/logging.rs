//! The log: structured, on standard error. Events are written with fields of fixed names; nothing hands it a header, a
//! query, a body or a secret.

use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;

/// Starts the log of the process.
pub fn start(format: LogFormat) {
    let filter = || EnvFilter::try_from_env("REEVE_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let base = tracing_subscriber::fmt().with_env_filter(filter()).with_writer(std::io::stderr);
    // A second start in one process keeps the first log.
    let _ = match format {
        LogFormat::Json => base.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
        LogFormat::Text => base.with_ansi(false).try_init(),
    };
    std::panic::set_hook(Box::new(report_panic));
}

/// Where, not what: a panic's message may hold a value.
fn report_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string);
    tracing::error!(place, "a task ended in a panic");
}

//! The log: structured, on stderr. Secrets cannot reach it: they are kept in a type that prints `[secret]`.

use tracing_subscriber::EnvFilter;

use crate::args::LogFormat;

/// Starts the log. A filter that cannot be read is replaced by `info`, and the log says so.
pub fn start(filter: &str, format: LogFormat) {
    let (parsed, problem) = match filter.parse::<EnvFilter>() {
        Ok(parsed) => (parsed, None),
        Err(problem) => (EnvFilter::new("info"), Some(problem)),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Json => builder.json().flatten_event(true).init(),
        LogFormat::Text => builder.init(),
    }
    if let Some(problem) = problem {
        tracing::warn!(filter, error = %problem, "the log filter cannot be read; logging `info`");
    }
}

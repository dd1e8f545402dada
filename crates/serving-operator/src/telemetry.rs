//! The log: structured, on stderr.

use tracing_subscriber::EnvFilter;

use crate::args::{Args, Encoder};

/// Starts the log, as the flags of zap say.
pub fn start(arguments: &Args) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(arguments.log_level()))
        .with_writer(std::io::stderr);
    match arguments.encoder() {
        Encoder::Json => builder.json().flatten_event(true).init(),
        Encoder::Console => builder.init(),
    }
}

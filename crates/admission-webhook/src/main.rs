//! `reeve-webhook`.

use std::process::ExitCode;

use clap::Parser;
use reeve_admission_webhook::args::Args;
use reeve_admission_webhook::serve;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Args::parse();
    arguments.start_logging();
    match serve::run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the webhook stopped");
            ExitCode::from(2)
        }
    }
}

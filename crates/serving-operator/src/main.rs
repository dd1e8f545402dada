//! `reeve-serving`.

use std::process::ExitCode;

use reeve_serving_operator::args::Args;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Args::read(std::env::args());
    reeve_serving_operator::telemetry::start(&arguments);
    match reeve_serving_operator::run::run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the operator stopped");
            ExitCode::from(2)
        }
    }
}

//! `reeve-artifact-downloader`.

use std::io::Write;
use std::process::ExitCode;

use reeve_artifact_downloader::args::Args;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Args::read(std::env::args_os());
    match reeve_artifact_downloader::run::run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // The last line is what the operator looks for.
            let _ = writeln!(std::io::stderr(), "{failure}");
            ExitCode::from(failure.kind.exit_code())
        }
    }
}

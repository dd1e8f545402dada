//! How a download stands, for the status of its artifact.

use reeve_serving_crds::{AimArtifactStatus, DownloadProgress};

use crate::engine::Said;

/// What became of the download Job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It ended well.
    Succeeded,
    /// It, or a pod of it, failed.
    Failed,
    /// It runs.
    Running,
}

/// The condition `DownloadComplete`, and what of the status is ours to write. Progress during the run is the downloader's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// The condition.
    pub condition: Said,
    /// The progress to write; `None`: as the downloader wrote it.
    pub progress: Option<DownloadProgress>,
    /// The message to write into a `download` that is there.
    pub message: Option<&'static str>,
}

/// Judges a download of so many bytes by its Job and by what the downloader wrote last. `why` is the failure's text.
pub fn download(outcome: Outcome, bytes: i64, status: &AimArtifactStatus, why: &str) -> Download {
    let progress = status.progress.as_ref();
    let whole = progress.and_then(|p| p.percentage).unwrap_or(0) >= 100;
    let said = |holds, reason: &str, message: &str| Said::new("DownloadComplete", holds, reason, message);
    match outcome {
        Outcome::Succeeded => Download {
            condition: said(true, "Verified", "the files are there and were verified"),
            progress: Some(DownloadProgress {
                total_bytes: Some(bytes),
                downloaded_bytes: Some(bytes),
                percentage: Some(100),
                display_percentage: Some("100 %".to_owned()),
            }),
            message: status.download.as_ref().map(|_| "Complete"),
        },
        Outcome::Failed => Download {
            condition: said(
                false,
                if whole {
                    "VerificationFailed"
                } else {
                    "Downloading"
                },
                why,
            ),
            progress: Some(DownloadProgress {
                display_percentage: Some("N/A".to_owned()),
                ..progress.cloned().unwrap_or_default()
            }),
            message: None,
        },
        Outcome::Running => Download {
            condition: if whole {
                said(true, "Verifying", "the files are there and are being verified")
            } else {
                said(false, "Downloading", "the files are being downloaded")
            },
            progress: None,
            message: None,
        },
    }
}

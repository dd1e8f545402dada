//! A certificate that is exchanged while it is shown.
//!
//! Promises: a new pair is shown without a restart, some seconds after its files have changed; certificate and key are of one
//! generation where a kubelet mounts them (it exchanges the link `..data`, through which it leads the files' links); a pair that
//! cannot be read or does not fit is told of once, and the one before is shown on; how long the shown one lasts is a metric.

mod files;
mod metrics;

use std::fmt;
use std::io;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

pub use files::CertificateFiles;
use files::Told;
pub use metrics::CertificateMetrics;

/// How often the files are looked at. A kubelet exchanges a mounted Secret within about a minute.
pub const EVERY: Duration = Duration::from_secs(10);

/// A certificate chain and its key in PEM, as they were read or made together.
#[derive(Clone, PartialEq, Eq)]
pub struct Pair {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[certificate and key]")
    }
}

impl Pair {
    /// Of both texts, in PEM.
    pub const fn new(certificate: Vec<u8>, key: Vec<u8>) -> Self {
        Self { certificate, key }
    }

    /// One that nobody vouches for, with these names and addresses in it.
    ///
    /// # Errors
    /// A name that cannot stand in a certificate.
    pub fn self_signed(names: Vec<String>) -> Result<Self, rcgen::Error> {
        let made = rcgen::generate_simple_self_signed(names)?;
        Ok(Self {
            certificate: made.cert.pem().into_bytes(),
            key: made.signing_key.serialize_pem().into_bytes(),
        })
    }

    /// The chain, in PEM.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// When the first certificate of the chain ends that does, in seconds since 1970; `None` where there is no certificate.
    pub fn not_after(&self) -> Option<i64> {
        let end = |der: CertificateDer<'_>| {
            let (_, certificate) = X509Certificate::from_der(&der).ok()?;
            Some(certificate.validity().not_after.timestamp())
        };
        CertificateDer::pem_slice_iter(&self.certificate)
            .filter_map(Result::ok)
            .filter_map(end)
            .min()
    }
}

/// A certificate that is shown.
#[derive(Debug)]
pub struct Certificate {
    config: RustlsConfig,
    shown: Pair,
    files: Option<CertificateFiles>,
    metrics: CertificateMetrics,
}

impl Certificate {
    /// One that stays as it is.
    ///
    /// # Errors
    /// The two do not fit, or are none.
    pub async fn fixed(pair: Pair) -> io::Result<Self> {
        let config = RustlsConfig::from_pem(pair.certificate.clone(), pair.key.clone()).await?;
        let metrics = CertificateMetrics::default();
        metrics.shows(&pair);
        Ok(Self {
            config,
            shown: pair,
            files: None,
            metrics,
        })
    }

    /// The one in these files, which were read as this pair, until they change: see [`Certificate::renew`].
    ///
    /// # Errors
    /// The two do not fit, or are none.
    pub async fn read_as(files: CertificateFiles, pair: Pair) -> io::Result<Self> {
        let fixed = Self::fixed(pair).await?;
        Ok(Self {
            files: Some(files),
            ..fixed
        })
    }

    /// The one in these files.
    ///
    /// # Errors
    /// They cannot be read, or do not fit.
    pub async fn of(files: CertificateFiles) -> io::Result<Self> {
        let pair = files.read().await?;
        Self::read_as(files, pair).await
    }

    /// Counts there from now on.
    #[must_use]
    pub fn counted_in(self, metrics: CertificateMetrics) -> Self {
        metrics.shows(&self.shown);
        Self { metrics, ..self }
    }

    /// What a listener shows; it follows every renewal.
    pub fn config(&self) -> RustlsConfig {
        self.config.clone()
    }

    /// The pair that was shown first, or was last renewed to.
    pub const fn shown(&self) -> &Pair {
        &self.shown
    }

    /// Looks at the files again and again, and shows the new pair when they differ from what is shown. Never ends.
    pub async fn renew(mut self, every: Duration) {
        let Some(files) = self.files.take() else {
            return std::future::pending().await;
        };
        let mut told = Told::default();
        let mut unfit = String::new();
        loop {
            tokio::time::sleep(every).await;
            let read = files.read_again(&mut told).await;
            let problem = match read {
                Some(pair) if pair != self.shown => self.show(pair).await.err(),
                _ => None,
            };
            let problem = problem.map(|error| error.to_string()).unwrap_or_default();
            if problem != unfit && !problem.is_empty() {
                tracing::error!(
                    file = %files.certificate.display(),
                    error = problem,
                    "a new certificate could not be loaded: the old one is shown on"
                );
            }
            unfit = problem;
            self.metrics.fails(told.is_any() || !unfit.is_empty());
        }
    }

    async fn show(&mut self, pair: Pair) -> io::Result<()> {
        self.config
            .reload_from_pem(pair.certificate.clone(), pair.key.clone())
            .await?;
        self.metrics.renewed(&pair);
        self.shown = pair;
        tracing::info!(not_after = self.shown.not_after(), "the certificate was renewed");
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! Where a certificate and its key are, and how both are read as of one moment.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::Pair;

/// How often a pair is read before a mount that changes meanwhile is left for the next look.
const READS: usize = 3;

/// Where a certificate chain and its key are, in PEM. Links are kept as links: who renews may exchange them.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    /// The chain that is shown.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// What is not shown and all the same has to be readable, such as the authority that others are told to trust.
    pub beside: Vec<PathBuf>,
}

impl CertificateFiles {
    /// Of these two.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificate: certificate.into(),
            key: key.into(),
            beside: Vec::new(),
        }
    }

    /// Both, for the first time.
    ///
    /// # Errors
    /// One cannot be read; the error names it.
    pub async fn read(&self) -> io::Result<Pair> {
        let named = |file: &Path, read: io::Result<Vec<u8>>| {
            read.map_err(|error| {
                io::Error::new(error.kind(), format!("cannot read `{}`: {error}", file.display()))
            })
        };
        let Both { certificate, key } = self.both().await.ok_or_else(|| {
            let folder = self.certificate.display();
            io::Error::other(format!(
                "`{folder}` is exchanged again and again while it is read"
            ))
        })?;
        Ok(Pair::new(
            named(&self.certificate, certificate)?,
            named(&self.key, key)?,
        ))
    }

    /// Both, as of one generation of the mount; `None` when it changed during each of some reads.
    async fn both(&self) -> Option<Both> {
        for _ in 0..READS {
            let before = self.generation().await;
            let certificate = tokio::fs::read(&self.certificate).await;
            let key = tokio::fs::read(&self.key).await;
            if before == self.generation().await {
                return Some(Both { certificate, key });
            }
        }
        None
    }

    /// The folder that a kubelet has mounted now: it writes each state of a Secret into a new one and exchanges one link.
    async fn generation(&self) -> Option<PathBuf> {
        let link = self.certificate.parent()?.join("..data");
        tokio::fs::read_link(link).await.ok()
    }

    /// Both, unless a file cannot be read, which is told of.
    pub(super) async fn read_again(&self, told: &mut Told) -> Option<Pair> {
        for file in &self.beside {
            let _ = told.of(file, tokio::fs::read(file).await);
        }
        let Both { certificate, key } = self.both().await?;
        // One after the other, so that both are told of.
        let (certificate, key) = (told.of(&self.certificate, certificate), told.of(&self.key, key));
        Some(Pair::new(certificate?, key?))
    }
}

/// What reading both gave.
struct Both {
    certificate: io::Result<Vec<u8>>,
    key: io::Result<Vec<u8>>,
}

/// Which files could not be read when they were looked at last. Told of each once, and once more when it can be read again.
#[derive(Debug, Default)]
pub(super) struct Told(BTreeSet<PathBuf>);

impl Told {
    /// Whether one cannot be read.
    pub(super) fn is_any(&self) -> bool {
        !self.0.is_empty()
    }

    fn of(&mut self, file: &Path, read: io::Result<Vec<u8>>) -> Option<Vec<u8>> {
        match read {
            Ok(bytes) => {
                if self.0.remove(file) {
                    tracing::info!(file = %file.display(), "a file of the certificate can be read again");
                }
                Some(bytes)
            }
            Err(error) => {
                if self.0.insert(file.to_owned()) {
                    tracing::error!(
                        file = %file.display(),
                        %error,
                        "a file of the certificate cannot be read, so no renewal is seen: put it back or start again with another"
                    );
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::*;

    /// Exchanges the mount between any two reads: without the look at the link in `both`, halves of two generations are read here.
    #[tokio::test]
    async fn of_a_mount_that_changes_certificate_and_key_are_of_one_generation() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().to_owned();
        let exchange = move |generation: u32| {
            let name = format!("..{generation}");
            fs::create_dir(at.join(&name)).unwrap();
            for file in ["tls.crt", "tls.key"] {
                fs::write(at.join(&name).join(file), &name).unwrap();
            }
            symlink(&name, at.join("..data_tmp")).unwrap();
            fs::rename(at.join("..data_tmp"), at.join("..data")).unwrap();
        };
        exchange(0);
        for file in ["tls.crt", "tls.key"] {
            symlink(format!("..data/{file}"), dir.path().join(file)).unwrap();
        }
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let exchanging = std::thread::spawn(move || {
            let mut generation = 0;
            while !stopped.load(Ordering::Relaxed) {
                generation += 1;
                exchange(generation);
                std::thread::sleep(Duration::from_micros(300));
            }
        });
        let files = CertificateFiles::new(dir.path().join("tls.crt"), dir.path().join("tls.key"));
        for _ in 0..500 {
            if let Some(both) = files.both().await {
                assert_eq!(both.certificate.unwrap(), both.key.unwrap());
            }
        }
        stop.store(true, Ordering::Relaxed);
        exchanging.join().unwrap();
        assert!(files.both().await.is_some(), "at rest both are read");
    }
}

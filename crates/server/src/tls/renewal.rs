//! A given certificate that is exchanged while it is shown.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;

use super::{Files, Pair};

/// Which files could not be read when they were looked at last. Told of each once, and once more when it can be read again.
#[derive(Debug, Default)]
struct Unreadable(BTreeSet<PathBuf>);

impl Unreadable {
    fn read(&mut self, file: &Path) -> Option<Vec<u8>> {
        match fs::read(file) {
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

/// Looks at the files of a given certificate again and again, and shows the new one when they differ from what is `shown`: a
/// renewal needs no restart. Files that cannot be read and a pair that does not fit (yet) are reported, the old one shown on,
/// and tried again. Never ends.
pub async fn renew(files: Files, mut shown: Pair, config: RustlsConfig, every: Duration) {
    let mut unreadable = Unreadable::default();
    loop {
        tokio::time::sleep(every).await;
        // Not shown, but `authentication-config` reads it.
        let _ = unreadable.read(&files.ca);
        let read = (unreadable.read(&files.certificate), unreadable.read(&files.key));
        let (Some(certificate), Some(key)) = read else {
            continue;
        };
        let now = Pair { certificate, key };
        if now == shown {
            continue;
        }
        let Pair { certificate, key } = now.clone();
        match config.reload_from_pem(certificate, key).await {
            Ok(()) => {
                tracing::info!(file = %files.certificate.display(), "the certificate was renewed");
                shown = now;
            }
            Err(error) => tracing::error!(
                file = %files.certificate.display(),
                %error,
                "a new certificate could not be loaded: the old one is shown on"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::MakeWriter;

    use super::super::given;
    use super::super::tests::pair;
    use super::*;

    /// A server with the certificate in a directory, `tls.crt` and `tls.key`, which may be a link.
    struct Shown {
        config: RustlsConfig,
        first: Arc<rustls::ServerConfig>,
        files: Files,
        pair: Pair,
        log: Log,
    }

    impl Shown {
        async fn of(dir: &Path) -> Self {
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
            let (certificate, key, ca) = (dir.join("tls.crt"), dir.join("tls.key"), dir.join("ca.crt"));
            let (files, pair) = given(dir, &certificate, &key, Some(&ca)).unwrap();
            let config = pair.config().await.unwrap();
            let first = config.get_inner();
            Self {
                config,
                first,
                files,
                pair,
                log: Log::default(),
            }
        }

        /// Renews, and meanwhile does this; what was logged.
        async fn while_renewing(&self, act: impl AsyncFnOnce(&Self)) -> String {
            let filter = tracing_subscriber::EnvFilter::new("info");
            let _logged = tracing::subscriber::set_default(crate::logging::json(filter, self.log.clone()));
            let every = Duration::from_millis(5);
            let renewing = renew(self.files.clone(), self.pair.clone(), self.config.clone(), every);
            tokio::select! {
                () = renewing => {}
                () = act(self) => {}
            }
            self.log.text()
        }

        async fn another_is_shown(&self) -> bool {
            self.soon(|| !Arc::ptr_eq(&self.first, &self.config.get_inner()))
                .await
        }

        async fn soon(&self, done: impl Fn() -> bool) -> bool {
            for _ in 0..100 {
                if done() {
                    return true;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            false
        }
    }

    /// What was logged.
    #[derive(Debug, Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Log {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Log {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    #[tokio::test]
    async fn a_renewed_certificate_is_shown_once_its_key_is_there_too() {
        let dir = tempfile::tempdir().unwrap();
        let live = pair(&dir.path().join("live"));
        let next = pair(&dir.path().join("next"));
        let shown = Shown::of(&dir.path().join("live")).await;
        let act = async |shown: &Shown| {
            fs::copy(next.certificate, live.certificate).unwrap();
            assert!(!shown.another_is_shown().await, "the key is still the old one's");
            fs::copy(next.key, live.key).unwrap();
            assert!(shown.another_is_shown().await);
        };
        let log = shown.while_renewing(act).await;
        assert!(log.contains("could not be loaded"), "{log}");
    }

    #[tokio::test]
    async fn a_renewal_by_exchanged_links_is_seen() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        pair(&at("2026-01"));
        pair(&at("2026-02"));
        // As the kubelet lays out a Secret: the files are links through a link to a directory.
        symlink("2026-01", at("data")).unwrap();
        fs::create_dir(at("mount")).unwrap();
        for file in ["tls.crt", "tls.key", "ca.crt"] {
            symlink(format!("../data/{file}"), at("mount").join(file)).unwrap();
        }
        let shown = Shown::of(&at("mount")).await;
        let act = async |shown: &Shown| {
            symlink("2026-02", at("fresh")).unwrap();
            fs::rename(at("fresh"), at("data")).unwrap();
            fs::remove_dir_all(at("2026-01")).unwrap();
            assert!(shown.another_is_shown().await);
        };
        shown.while_renewing(act).await;
        // What is remembered of the authority leads to the new one, too.
        assert_eq!(
            fs::read(&shown.files.ca).unwrap(),
            fs::read(at("2026-02").join("ca.crt")).unwrap()
        );
    }

    #[tokio::test]
    async fn a_pair_that_was_exchanged_before_the_first_look_is_not_lost() {
        let dir = tempfile::tempdir().unwrap();
        let live = pair(&dir.path().join("live"));
        let next = pair(&dir.path().join("next"));
        let shown = Shown::of(&dir.path().join("live")).await;
        fs::copy(next.certificate, live.certificate).unwrap();
        fs::copy(next.key, live.key).unwrap();
        let act = async |shown: &Shown| assert!(shown.another_is_shown().await);
        shown.while_renewing(act).await;
    }

    #[tokio::test]
    async fn files_that_cannot_be_read_are_told_of_once_and_once_when_they_can() {
        let dir = tempfile::tempdir().unwrap();
        let live = pair(&dir.path().join("live"));
        let shown = Shown::of(&dir.path().join("live")).await;
        let act = async |shown: &Shown| {
            for file in [&live.key, &live.ca] {
                let away = dir.path().join("away");
                fs::rename(file, &away).unwrap();
                let told = || shown.log.text().contains(&format!("{}", file.display()));
                assert!(shown.soon(told).await, "{}", shown.log.text());
                // Many looks more.
                tokio::time::sleep(Duration::from_millis(50)).await;
                fs::rename(&away, file).unwrap();
                let again = || shown.log.text().matches(&format!("{}", file.display())).count() == 2;
                assert!(shown.soon(again).await, "{}", shown.log.text());
            }
        };
        let log = shown.while_renewing(act).await;
        assert_eq!(log.matches("cannot be read").count(), 2, "{log}");
        assert_eq!(log.matches("can be read again").count(), 2, "{log}");
    }
}

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::{Arc, Mutex};

use prometheus_client::registry::Registry;
use tracing_subscriber::fmt::MakeWriter;

use super::*;

/// A certificate of its own that ends in this year, in a directory: `tls.crt`, `tls.key` and `ca.crt`.
fn pair(dir: &Path, year: i32) -> CertificateFiles {
    fs::create_dir_all(dir).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(year, 1, 1);
    let certificate = params.self_signed(&key).unwrap().pem();
    let files = files(dir);
    fs::write(&files.certificate, &certificate).unwrap();
    fs::write(&files.beside[0], &certificate).unwrap();
    fs::write(&files.key, key.serialize_pem()).unwrap();
    files
}

fn files(dir: &Path) -> CertificateFiles {
    CertificateFiles {
        beside: vec![dir.join("ca.crt")],
        ..CertificateFiles::new(dir.join("tls.crt"), dir.join("tls.key"))
    }
}

/// A certificate that is shown, of a directory which may be a mount.
struct Shown {
    certificate: Option<Certificate>,
    config: RustlsConfig,
    first: Arc<rustls::ServerConfig>,
    registry: Registry,
    log: Log,
}

impl Shown {
    async fn of(dir: &Path) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (metrics, mut registry) = (CertificateMetrics::default(), Registry::default());
        metrics.register(&mut registry);
        let certificate = Certificate::of(files(dir)).await.unwrap().counted_in(metrics);
        let config = certificate.config();
        Self {
            first: config.get_inner(),
            certificate: Some(certificate),
            config,
            registry,
            log: Log::default(),
        }
    }

    /// Renews, and meanwhile does this; what was logged.
    async fn while_renewing(mut self, act: impl AsyncFnOnce(&Self)) -> String {
        let log = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(self.log.clone());
        let _logged = tracing::subscriber::set_default(log.finish());
        let renewing = self.certificate.take().unwrap().renew(Duration::from_millis(5));
        tokio::select! {
            () = renewing => {}
            () = act(&self) => {}
        }
        self.log.text()
    }

    fn is_another(&self) -> bool {
        !Arc::ptr_eq(&self.first, &self.config.get_inner())
    }

    fn counted(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| format!("{line}\n"))
            .collect()
    }

    async fn soon(&self, what: &str, done: impl Fn() -> bool) {
        for _ in 0..6_000 {
            if done() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{what}: {}\n{}", self.counted(), self.log.text());
    }

    /// Some looks at the files.
    async fn looks(&self) {
        tokio::time::sleep(Duration::from_millis(100)).await;
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

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
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
async fn half_a_rotation_keeps_the_old_pair_and_says_so_once() {
    let dir = tempfile::tempdir().unwrap();
    let live = pair(&dir.path().join("live"), 2040);
    let next = pair(&dir.path().join("next"), 2050);
    let shown = Shown::of(&dir.path().join("live")).await;
    let act = async |shown: &Shown| {
        fs::copy(&next.certificate, &live.certificate).unwrap();
        shown
            .soon("told", || shown.counted().contains("renewal_failing 1"))
            .await;
        shown.looks().await;
        assert!(!shown.is_another(), "the key is still the old one's");
        assert!(
            shown.counted().contains("timestamp_seconds 2208988800"),
            "{}",
            shown.counted()
        );
        fs::copy(&next.key, &live.key).unwrap();
        shown.soon("the new one", || shown.is_another()).await;
        let counted = "certificate_not_after_timestamp_seconds 2524608000\ncertificate_renewals_total 1\n\
                       certificate_renewal_failing 0\n";
        shown.soon("counted", || shown.counted() == counted).await;
    };
    let log = shown.while_renewing(act).await;
    assert_eq!(log.matches("could not be loaded").count(), 1, "{log}");
}

/// As the kubelet lays out a Secret: each state in a folder of its own, the link `..data` to the newest, and the files as links
/// through that one.
fn mount(at: &Path, generation: &str) {
    for file in ["tls.crt", "tls.key", "ca.crt"] {
        if !at.join(file).is_symlink() {
            symlink(format!("..data/{file}"), at.join(file)).unwrap();
        }
    }
    symlink(generation, at.join("..data_tmp")).unwrap();
    fs::rename(at.join("..data_tmp"), at.join("..data")).unwrap();
}

#[tokio::test]
async fn a_renewal_as_the_kubelet_makes_it_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    pair(&at.join("..2026_01"), 2040);
    mount(at, "..2026_01");
    let shown = Shown::of(at).await;
    let act = async |shown: &Shown| {
        pair(&at.join("..2026_02"), 2050);
        mount(at, "..2026_02");
        fs::remove_dir_all(at.join("..2026_01")).unwrap();
        shown.soon("the new one", || shown.is_another()).await;
    };
    let log = shown.while_renewing(act).await;
    assert!(!log.contains("ERROR"), "{log}");
}

#[tokio::test]
async fn a_pair_that_was_exchanged_before_the_first_look_is_not_lost() {
    let dir = tempfile::tempdir().unwrap();
    let live = pair(&dir.path().join("live"), 2040);
    let next = pair(&dir.path().join("next"), 2050);
    let shown = Shown::of(&dir.path().join("live")).await;
    fs::copy(&next.certificate, &live.certificate).unwrap();
    fs::copy(&next.key, &live.key).unwrap();
    let act = async |shown: &Shown| shown.soon("the new one", || shown.is_another()).await;
    shown.while_renewing(act).await;
}

#[tokio::test]
async fn files_that_cannot_be_read_are_told_of_once_and_once_when_they_can() {
    let dir = tempfile::tempdir().unwrap();
    let live = pair(&dir.path().join("live"), 2040);
    let shown = Shown::of(&dir.path().join("live")).await;
    let act = async |shown: &Shown| {
        for file in [&live.key, &live.beside[0]] {
            let away = dir.path().join("away");
            fs::rename(file, &away).unwrap();
            let name = file.display().to_string();
            let told = |times| move || shown.log.text().matches(&name.clone()).count() == times;
            shown.soon("told", told.clone()(1)).await;
            shown.looks().await;
            fs::rename(&away, file).unwrap();
            shown.soon("told again", told(2)).await;
        }
    };
    let log = shown.while_renewing(act).await;
    assert_eq!(log.matches("cannot be read").count(), 2, "{log}");
    assert_eq!(log.matches("can be read again").count(), 2, "{log}");
}

#[tokio::test]
async fn a_file_that_is_missing_at_the_start_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let error = Certificate::of(files(dir.path())).await.unwrap_err();
    assert!(error.to_string().contains("tls.crt"), "{error}");
}

//! `reeve-server serve`.

mod flags;

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum_server::Handle;
use reeve_https::Certificate;
use reeve_https::certificate::EVERY;
use reeve_identity::Random;
use reeve_store::Store;
use reeve_types::{Clock, ReservedNamespaces};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::{App, Settings};
use crate::bootstrap::{Reach, first_password, first_start, installed, write_whole};
use crate::connections::{Bounded, Connections};
use crate::http_bounds::set_bounds;
use crate::installation::Charts;
use crate::outgoing::Patience;
use crate::public_url::PublicUrl;
use crate::security::Security;
use crate::{audit_log, follow, logging, renewal, restored, router, tls, upkeep};

pub use flags::Serve;

/// How long open requests may go on after SIGTERM. Link streams end at once.
const GRACE: Duration = Duration::from_secs(10);

/// How often the head of the audit log is told, when it moved.
const HEADS: Duration = Duration::from_secs(60);

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot start.
pub fn run(flags: Serve) -> anyhow::Result<()> {
    logging::start(&flags.log, flags.log_format);
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("another crypto provider is installed"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(flags, Clock::system(), Random::system()))
}

async fn serve(flags: Serve, clock: Clock, random: Random) -> anyhow::Result<()> {
    let dir = flags.database.at(&flags.data_dir)?;
    let _lock = dir.lock()?;
    let initialized = dir.is_initialized().await?;
    let master = dir.master_key(&random, initialized)?;
    let store = Arc::new(dir.store(&master, clock.now()).await?);
    if !initialized {
        let first = first_password(flags.admin_password_file.as_deref(), &random)?;
        if first.made {
            // Before it is kept: a password that nobody was told would lock everybody out.
            let line = format!(
                "administrator {} password: {}\n",
                flags.admin_username,
                first.password.expose()
            );
            let mut out = std::io::stdout();
            out.write_all(line.as_bytes())
                .and_then(|()| out.flush())
                .context("failed to print the password")?;
        }
        first_start(
            store.as_ref(),
            &master,
            &random,
            &flags.admin_username,
            &first.password,
            flags.admin_password_temporary,
            clock.now(),
        )
        .await?;
    }
    let installed = installed(store.as_ref(), &master).await?;
    let fence = restored::open_fence(&dir, store.as_ref(), initialized, &random, clock.now()).await?;

    let listener =
        TcpListener::bind(flags.listen).with_context(|| format!("failed to listen on `{}`", flags.listen))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let public = match flags.public_url.clone() {
        Some(given) => given,
        None => PublicUrl::of_address(address).with_context(|| format!("`{address}` makes no URL"))?,
    };
    let public_url = public.to_string();
    let (files, shown) = match (&flags.tls_certificate, &flags.tls_key) {
        (Some(certificate), Some(key)) => tls::given(&dir.tls(), certificate, key, flags.tls_ca.as_deref())?,
        _ => tls::made(&dir.tls(), address, public.host().as_deref(), clock.now())?,
    };
    let certificate = match flags.tls_certificate {
        Some(_) => Certificate::read_as(files.watched(), shown).await,
        None => Certificate::fixed(shown).await,
    };
    let certificate = certificate.context("failed to load the certificate")?;
    let metrics_listener = flags.metrics.listen().await?;
    dir.remember(&Reach {
        public_url: public_url.clone(),
        ca_file: files.ca.clone(),
    })?;

    let reserve = Arc::new(dir.reserve(random.clone()));
    let credentials = dir.credential_sealer(&master, store.as_ref()).await?;
    let security = Security::new(&master, installed.keys, &public_url, random)?.sealing_with(credentials);
    let authority = match &flags.idp_ca_file {
        Some(file) => Some(std::fs::read_to_string(file).with_context(|| {
            format!(
                "failed to read the identity providers' authority in `{}`",
                file.display()
            )
        })?),
        None => None,
    };
    let settings = Settings {
        public_url: public_url.clone(),
        namespace_prefix: flags.namespace_prefix.clone(),
        reserved_namespaces: ReservedNamespaces::new(flags.reserved_namespaces.clone()),
        workloads_per_project: flags.workloads_per_project,
        account_created_at: installed.created_at,
        heartbeat: Duration::from_secs(reeve_link::HEARTBEAT_SECONDS),
        link_patience: Patience::default(),
        shared_database: dir.is_shared(),
        failed_attempts_days: Some(flags.failed_attempts_days).filter(|days| *days > 0),
        session_seconds: i64::from(flags.session_hours) * 3600,
        refresh_idle_seconds: i64::from(flags.refresh_idle_hours) * 3600,
        custom_roles: flags.custom_roles,
        charts: Charts {
            repository: flags.chart_repository.clone(),
            image_registry: flags.image_registry.clone(),
            ca_file: Some(files.ca.clone()),
        },
        idp_certificate_authority: authority,
        signing_key_days: Some(flags.signing_key_days).filter(|days| *days > 0),
    };
    let app = App::new(
        Arc::clone(&store) as Arc<dyn Store>,
        clock,
        security,
        settings,
        reserve,
    )
    .await?;
    app.keep_fence(fence);
    let certificate = certificate.counted_in(app.metrics.certificate());
    let config = certificate.config();
    tokio::spawn(certificate.renew(EVERY));
    let metrics_url = match metrics_listener {
        Some(listener) => Some(listener.serve(&app, config.clone())?),
        None => None,
    };
    let heads = tokio::spawn(audit_log::tell_heads(Arc::clone(&app), HEADS));
    tokio::spawn(upkeep::run(Arc::clone(&app)));
    tokio::spawn(renewal::run(Arc::clone(&app)));
    tokio::spawn(follow::run(Arc::clone(&app)));
    let handle = Handle::new();
    tokio::spawn(stop_on_signal(Arc::clone(&app), handle.clone()));
    if let Some(file) = flags.announce_file.clone() {
        let mut word = json!({"url": public_url, "caFile": files.ca, "adminUsername": flags.admin_username});
        if let (Some(url), Some(fields)) = (metrics_url, word.as_object_mut()) {
            fields.insert("metricsUrl".to_owned(), url.into());
        }
        let handle = handle.clone();
        tokio::spawn(async move {
            if handle.listening().await.is_some()
                && let Err(error) = write_whole(&file, word.to_string().as_bytes())
            {
                tracing::error!(
                    cause = format!("{error:#}"),
                    "the announce file could not be written"
                );
            }
        });
    }
    tracing::info!(url = public_url, address = %address, "serving");
    let router: Router = router::router(Arc::clone(&app));
    let connections = Connections::new(flags.bounds());
    let mut listening = axum_server::from_tcp_rustls(listener, config)?
        .handle(handle)
        .map(|acceptor| Bounded::new(acceptor, connections));
    set_bounds(&mut listening);
    listening
        .serve(router.into_make_service_with_connect_info::<SocketAddr>())
        .await
        .context("failed to serve")?;
    heads.abort();
    upkeep::record_guesses(&app).await;
    upkeep::record_failures(&app, true).await;
    upkeep::record_successes(&app, true).await;
    audit_log::tell_head(&app, &mut None).await;
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

async fn stop_on_signal(app: Arc<App>, handle: Handle<SocketAddr>) {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
        tracing::error!("signals cannot be heard: the server will not stop gracefully");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    app.stopping.send_replace(true);
    handle.graceful_shutdown(Some(GRACE));
}

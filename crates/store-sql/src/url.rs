//! The address of a PostgreSQL database.

use std::fmt;
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

/// `postgres://user:password@host:port/database`, with the parameters of libpq. It is printed without its password, by any way.
///
/// Where the address does not say otherwise by `sslmode`, the connection is encrypted and the server's certificate is checked,
/// except to this machine itself.
#[derive(Clone)]
pub struct DatabaseUrl(Box<PgConnectOptions>);

/// The parameters that are understood, as a sentence names them.
const PARAMETERS: &str = "sslmode, sslrootcert, sslcert, sslkey, application_name, host, port, user, dbname";

/// Why a text is no such address. It does not repeat the text, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDatabaseUrl {
    /// Another kind of database, or none.
    #[error("the database's address has to begin with `postgres://` or `postgresql://`")]
    Scheme,
    /// Not to be understood.
    #[error(
        "the database's address cannot be read: it is `postgres://user:password@host:port/database?sslmode=verify-full`"
    )]
    Unreadable,
    /// A parameter that would not be honoured.
    #[error(
        "the database's address has the parameter `{0}`, which is not known here: possible are {PARAMETERS}"
    )]
    Parameter(String),
    /// A value that a parameter cannot have.
    #[error(
        "the database's address says `sslmode={0}`: possible are disable, allow, prefer, require, verify-ca and verify-full"
    )]
    SslMode(String),
    /// An authority that nothing is compared with.
    #[error(
        "the database's address names an authority (`sslrootcert`), and `sslmode={0}` compares the server's certificate with \
         none: say `sslmode=verify-full`, or leave `sslmode` out"
    )]
    Unverified(String),
    /// A file that cannot be used.
    #[error("the database's address has `{parameter}={file}`: {reason}")]
    File {
        /// Which parameter.
        parameter: &'static str,
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// One of a client certificate and its key.
    #[error("the database's address has one of `sslcert` and `sslkey`: a client certificate needs both")]
    HalfClient,
}

/// What the parameters say of encryption.
#[derive(Default)]
struct Said {
    ssl_mode: Option<String>,
    root: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
}

impl Said {
    /// sqlx drops parameters that it does not know: somebody who misspelt `sslmode` would not be protected by it.
    fn read(url: &Url) -> Result<Self, InvalidDatabaseUrl> {
        let mut said = Self::default();
        for (name, value) in url.query_pairs() {
            let value = value.into_owned();
            match &*name {
                "sslmode" | "ssl-mode" => said.ssl_mode = Some(value),
                "sslrootcert" | "ssl-root-cert" | "ssl-ca" => said.root = Some(value),
                "sslcert" | "ssl-cert" => said.certificate = Some(value),
                "sslkey" | "ssl-key" => said.key = Some(value),
                "host" | "hostaddr" | "port" | "dbname" | "user" | "password" | "application_name" => {}
                other => return Err(InvalidDatabaseUrl::Parameter(other.chars().take(40).collect())),
            }
        }
        said.check()?;
        Ok(said)
    }

    fn check(&self) -> Result<(), InvalidDatabaseUrl> {
        if let Some(mode) = &self.ssl_mode {
            if mode.parse::<PgSslMode>().is_err() {
                return Err(InvalidDatabaseUrl::SslMode(mode.chars().take(40).collect()));
            }
            if self.root.is_some() && !mode.starts_with("verify-") {
                return Err(InvalidDatabaseUrl::Unverified(mode.clone()));
            }
        }
        if self.certificate.is_some() != self.key.is_some() {
            return Err(InvalidDatabaseUrl::HalfClient);
        }
        for (parameter, file, label) in [
            ("sslrootcert", &self.root, "CERTIFICATE"),
            ("sslcert", &self.certificate, "CERTIFICATE"),
            ("sslkey", &self.key, "PRIVATE KEY"),
        ] {
            if let Some(file) = file {
                check_file(parameter, file, label)?;
            }
        }
        Ok(())
    }
}

/// Looked at now: sqlx would only say that the database cannot be reached.
fn check_file(parameter: &'static str, file: &str, label: &str) -> Result<(), InvalidDatabaseUrl> {
    let refuse = |reason: String| InvalidDatabaseUrl::File {
        parameter,
        file: file.to_owned(),
        reason,
    };
    let text =
        std::fs::read_to_string(file).map_err(|error| refuse(format!("it cannot be read: {error}")))?;
    let begins = text
        .lines()
        .any(|line| line.starts_with("-----BEGIN ") && line.contains(label));
    if begins {
        return Ok(());
    }
    Err(refuse(format!(
        "it holds no PEM block of a {}",
        label.to_lowercase()
    )))
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(InvalidDatabaseUrl::Scheme);
        }
        let url = Url::parse(text).map_err(|_| InvalidDatabaseUrl::Unreadable)?;
        // A `#` in a password that was not written as `%23` would end the address there.
        if url.fragment().is_some() {
            return Err(InvalidDatabaseUrl::Unreadable);
        }
        let said = Said::read(&url)?;
        let options: PgConnectOptions = text.parse().map_err(|_| InvalidDatabaseUrl::Unreadable)?;
        let here = options.get_socket().is_some()
            || options.get_host().starts_with('/')
            || ["localhost", "127.0.0.1", "::1", "[::1]"].contains(&options.get_host());
        let options = if said.ssl_mode.is_some() || here && said.root.is_none() {
            options
        } else {
            options.ssl_mode(PgSslMode::VerifyFull)
        };
        let named = url.query_pairs().any(|(name, _)| name == "application_name");
        Ok(Self(Box::new(match named {
            true => options,
            false => options.application_name("reeve-server"),
        })))
    }
}

impl DatabaseUrl {
    pub(crate) fn options(&self) -> PgConnectOptions {
        // Nothing at the start of a session that a pooler would refuse or pass to the next one, and no statement kept in it.
        (*self.0)
            .clone()
            .extra_float_digits(None::<i8>)
            .statement_cache_capacity(0)
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (self.0.get_host(), self.0.get_port());
        let database = self.0.get_database().unwrap_or_default();
        write!(f, "postgres://{host}:{port}/{database}")
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_encrypted_unless_it_says_otherwise_and_never_shows_its_password() {
        let mode = |text: &str| text.parse::<DatabaseUrl>().unwrap().options().get_ssl_mode();
        assert!(matches!(
            mode("postgres://u:p@db.example/reeve"),
            PgSslMode::VerifyFull
        ));
        assert!(matches!(
            mode("postgres://u:p@localhost/reeve"),
            PgSslMode::Prefer
        ));
        assert!(matches!(
            mode("postgres://u:sslmode=x@db.example/reeve"),
            PgSslMode::VerifyFull
        ));
        let said = "postgres://u:p@db.example/reeve?sslmode=require";
        assert!(matches!(mode(said), PgSslMode::Require));
        let url: DatabaseUrl = "postgres://u:secret-word@db.example:5433/reeve".parse().unwrap();
        for shown in [url.to_string(), format!("{url:?}")] {
            assert_eq!(shown, "postgres://db.example:5433/reeve");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for (text, why) in [
            ("sqlite:secret-word", InvalidDatabaseUrl::Scheme),
            (
                "postgres://u:secret-word@h:port/x",
                InvalidDatabaseUrl::Unreadable,
            ),
        ] {
            let refused = text.parse::<DatabaseUrl>().unwrap_err();
            assert_eq!(refused, why);
            assert!(!refused.to_string().contains("secret-word"));
        }
    }

    #[test]
    fn what_would_not_be_honoured_is_refused_and_says_what_is_possible() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let ca = file("ca.pem", "-----BEGIN CERTIFICATE-----\n");
        let other = file("other.pem", "no certificate");
        for (parameters, why) in [
            ("sslmod=disable".to_owned(), "`sslmod`"),
            ("statement-cache-capacity=9".to_owned(), "possible are sslmode"),
            ("options=-c%20x".to_owned(), "`options`"),
            ("sslmode=verify".to_owned(), "`sslmode=verify`"),
            (format!("sslmode=require&sslrootcert={ca}"), "with none"),
            (
                "sslrootcert=/nowhere/ca.pem".to_owned(),
                "sslrootcert=/nowhere/ca.pem",
            ),
            (format!("sslrootcert={other}"), "no PEM block of a certificate"),
            (format!("sslcert={ca}"), "needs both"),
        ] {
            let url = format!("postgres://u:secret-word@db.example/reeve?{parameters}");
            let said = url.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(said.contains(why) && !said.contains("secret-word"), "{said}");
        }
        let url = format!("postgres://u:p@localhost/reeve?sslrootcert={ca}");
        let url: DatabaseUrl = url.parse().unwrap();
        let mode = url.options().get_ssl_mode();
        assert!(
            matches!(mode, PgSslMode::VerifyFull),
            "who names an authority wants it asked, of this machine too"
        );
    }
}

//! The address of a PostgreSQL database.

use std::fmt;
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// `postgres://user:password@host:port/database`, with the parameters of libpq. It is printed without its password, by any way.
///
/// Where the address does not say otherwise by `sslmode`, the connection is encrypted and the server's certificate is checked,
/// except to this machine itself.
#[derive(Clone)]
pub struct DatabaseUrl(Box<PgConnectOptions>);

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
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(InvalidDatabaseUrl::Scheme);
        }
        let options: PgConnectOptions = text.parse().map_err(|_| InvalidDatabaseUrl::Unreadable)?;
        // Of the parameters: a password may hold the same letters.
        let parameters = text.split_once('?').map_or("", |(_, parameters)| parameters);
        let said = parameters
            .split('&')
            .any(|one| one.starts_with("sslmode=") || one.starts_with("ssl-mode="));
        let here = options.get_socket().is_some()
            || options.get_host().starts_with('/')
            || ["localhost", "127.0.0.1", "::1", "[::1]"].contains(&options.get_host());
        let options = if said || here {
            options
        } else {
            options.ssl_mode(PgSslMode::VerifyFull)
        };
        Ok(Self(Box::new(options.application_name("reeve-server"))))
    }
}

impl DatabaseUrl {
    pub(crate) fn options(&self) -> PgConnectOptions {
        (*self.0).clone()
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
}

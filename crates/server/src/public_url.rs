//! How people, operators and API servers reach the server: the issuer of its tokens begins with it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use url::{Host, Url};

/// `https://host[:port][/path]`, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(Url);

/// Why an address cannot be the server's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPublicUrl {
    /// No URL at all, or none with a host.
    #[error("`https://host[:port]` is needed")]
    NoUrl,
    /// Kubernetes takes no issuer of another scheme (KEP-3331, `issuer.url`).
    #[error("`https` is needed: API servers trust no issuer without it")]
    NotHttps,
    /// A user, a query or a fragment.
    #[error("it must be scheme, host, port and path alone: no user, `?` or `#`")]
    More,
}

impl FromStr for PublicUrl {
    type Err = InvalidPublicUrl;

    fn from_str(text: &str) -> Result<Self, InvalidPublicUrl> {
        let url = Url::parse(text).map_err(|_| InvalidPublicUrl::NoUrl)?;
        if url.scheme() != "https" {
            return Err(InvalidPublicUrl::NotHttps);
        }
        let user = !url.username().is_empty() || url.password().is_some();
        if user || url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidPublicUrl::More);
        }
        Ok(Self(url))
    }
}

impl PublicUrl {
    /// Of a server that nobody gave an address: the one it listens on, or this machine's own where it listens on all.
    ///
    /// # Errors
    /// None for an address that can be bound.
    pub fn of_address(address: SocketAddr) -> Result<Self, InvalidPublicUrl> {
        let reached = if address.ip().is_unspecified() {
            SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port())
        } else {
            address
        };
        format!("https://{reached}").parse()
    }

    /// The host alone, an IPv6 address without brackets.
    pub fn host(&self) -> Option<String> {
        self.0.host().map(|host| match host {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<(String, Option<String>), InvalidPublicUrl> {
        text.parse::<PublicUrl>().map(|url| (url.to_string(), url.host()))
    }

    #[test]
    fn an_address_is_kept_without_the_slash_at_its_end() {
        for (given, kept, host) in [
            (
                "https://reeve.example.org:8443",
                "https://reeve.example.org:8443",
                "reeve.example.org",
            ),
            (
                "https://Reeve.example.org/",
                "https://reeve.example.org",
                "reeve.example.org",
            ),
            (
                "https://reeve.example.org/at/",
                "https://reeve.example.org/at",
                "reeve.example.org",
            ),
            ("https://[::1]:8443", "https://[::1]:8443", "::1"),
            ("https://10.0.0.7", "https://10.0.0.7", "10.0.0.7"),
        ] {
            assert_eq!(
                parsed(given),
                Ok((kept.to_owned(), Some(host.to_owned()))),
                "{given}"
            );
        }
    }

    #[test]
    fn what_no_api_server_takes_as_an_issuer_is_refused() {
        assert_eq!(parsed("reeve.example.org"), Err(InvalidPublicUrl::NoUrl));
        assert_eq!(parsed("https://"), Err(InvalidPublicUrl::NoUrl));
        assert_eq!(
            parsed("http://reeve.example.org"),
            Err(InvalidPublicUrl::NotHttps)
        );
        for more in ["https://me:pw@host", "https://host?a", "https://host/#a"] {
            assert_eq!(parsed(more), Err(InvalidPublicUrl::More), "{more}");
        }
    }

    #[test]
    fn without_one_it_is_where_the_server_listens() {
        for (address, url) in [
            ("127.0.0.1:8443", "https://127.0.0.1:8443"),
            ("0.0.0.0:8443", "https://127.0.0.1:8443"),
            ("[::]:9", "https://127.0.0.1:9"),
            ("[::1]:9", "https://[::1]:9"),
        ] {
            let found = PublicUrl::of_address(address.parse().unwrap()).unwrap();
            assert_eq!(found.to_string(), url);
        }
    }
}

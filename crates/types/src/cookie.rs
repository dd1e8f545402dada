//! Cookies as browsers send them and as they are set (RFC 6265).

/// Whether a cookie comes along with what another site starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// With a link, and with no form.
    Lax,
    /// With everything.
    None,
}

impl SameSite {
    const fn word(self) -> &'static str {
        match self {
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
}

/// The value of the cookie of this name in the values of `Cookie` headers; none when it comes twice, since nobody knows then which is
/// ours.
pub fn value<'a>(headers: impl IntoIterator<Item = &'a str>, name: &str) -> Option<&'a str> {
    let mut values = headers
        .into_iter()
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(its, _)| *its == name)
        .map(|(_, value)| value);
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

/// The value of a `Set-Cookie` header: for this host alone, over TLS alone, for no script, and for so many seconds. What a name with
/// `__Host-` before it asks for is in it.
pub fn set(name: &str, value: &str, seconds: i64, same_site: SameSite) -> String {
    let same_site = same_site.word();
    format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite={same_site}")
}

//! The certificate: given, or made once by an authority of our own in the data directory.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};
use reeve_https::{CertificateFiles, Pair};
use reeve_types::Timestamp;

use crate::bootstrap::{write_private, write_whole};

/// How long the authority lasts, in days.
const CA_DAYS: i64 = 3650;
/// How long a certificate lasts, in days: it is made anew at every start.
const CERTIFICATE_DAYS: i64 = 397;

/// Where certificate, key and authority are.
#[derive(Debug, Clone)]
pub struct Files {
    /// The chain that is shown.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// What clients are to trust.
    pub ca: PathBuf,
}

impl Files {
    /// Where a renewal shows. The authority is not shown, but `authentication-config` reads it.
    pub fn watched(&self) -> CertificateFiles {
        CertificateFiles {
            beside: vec![self.ca.clone()],
            ..CertificateFiles::new(&self.certificate, &self.key)
        }
    }
}

/// A given certificate and where it is. Clients are to trust `ca`, or else the last certificate of the chain, which is
/// written to the directory: the chain's first ones change with every renewal. Links are kept as links: who renews may
/// exchange them.
///
/// # Errors
/// When a file cannot be read or written, or the chain holds no certificate.
pub fn given(dir: &Path, certificate: &Path, key: &Path, ca: Option<&Path>) -> anyhow::Result<(Files, Pair)> {
    let there = |file: &Path| {
        let context = || format!("failed to read `{}`", file.display());
        let bytes = fs::read(file).with_context(context)?;
        anyhow::Ok((std::path::absolute(file).with_context(context)?, bytes))
    };
    let (certificate, chain) = there(certificate)?;
    let (key, key_bytes) = there(key)?;
    let ca = match ca {
        Some(ca) => there(ca)?.0,
        None => {
            let last = std::str::from_utf8(&chain)
                .ok()
                .and_then(last_certificate)
                .with_context(|| format!("`{}` holds no certificate in PEM", certificate.display()))?;
            fs::create_dir_all(dir).with_context(|| format!("failed to make `{}`", dir.display()))?;
            let file = dir.join("given-ca.crt");
            write_whole(&file, last.as_bytes())?;
            file
        }
    };
    Ok((Files { certificate, key, ca }, Pair::new(chain, key_bytes)))
}

/// The last one of a chain, as text.
fn last_certificate(chain: &str) -> Option<&str> {
    const END: &str = "-----END CERTIFICATE-----";
    let rest = chain.get(chain.rfind("-----BEGIN CERTIFICATE-----")?..)?;
    rest.get(..rest.find(END)? + END.len())
}

/// Makes the authority on the first start and a certificate for this address on every one. The authority's file never
/// changes, so whoever trusts it goes on trusting.
///
/// # Errors
/// When a file cannot be written.
pub fn made(
    dir: &Path,
    address: SocketAddr,
    public_host: Option<&str>,
    now: Timestamp,
) -> anyhow::Result<(Files, Pair)> {
    fs::create_dir_all(dir).with_context(|| format!("failed to make `{}`", dir.display()))?;
    let (ca_file, ca_key_file) = (dir.join("ca.crt"), dir.join("ca.key"));
    if !ca_key_file.exists() {
        let issuer = authority(KeyPair::generate()?, now)?;
        write_private(&ca_key_file, issuer.key().serialize_pem().as_bytes())?;
        fs::write(&ca_file, issuer.as_ref().pem()).context("failed to write the certificate authority")?;
    }
    let text = fs::read_to_string(&ca_key_file).context("failed to read the certificate authority's key")?;
    let issuer = authority(KeyPair::from_pem(&text)?, now)?;
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.subject_alt_names = names(address, public_host)?;
    params.distinguished_name.push(DnType::CommonName, "reeve-server");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    lasting(&mut params, now, CERTIFICATE_DAYS)?;
    let certificate = params.signed_by(&key, &issuer)?;
    let files = Files {
        certificate: dir.join("tls.crt"),
        key: dir.join("tls.key"),
        ca: ca_file,
    };
    let (chain, key) = (certificate.pem(), key.serialize_pem());
    write_private(&files.key, key.as_bytes())?;
    fs::write(&files.certificate, &chain).context("failed to write the certificate")?;
    Ok((files, Pair::new(chain.into_bytes(), key.into_bytes())))
}

fn authority(key: KeyPair, now: Timestamp) -> anyhow::Result<CertifiedIssuer<'static, KeyPair>> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "Reeve");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    lasting(&mut params, now, CA_DAYS)?;
    Ok(CertifiedIssuer::self_signed(params, key)?)
}

/// The names under which the server is reached.
fn names(address: SocketAddr, public_host: Option<&str>) -> anyhow::Result<Vec<SanType>> {
    let mut names = vec![
        SanType::DnsName("localhost".try_into()?),
        SanType::IpAddress(IpAddr::from([127, 0, 0, 1])),
        SanType::IpAddress(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])),
    ];
    let mut add = |name: SanType| {
        if !names.contains(&name) {
            names.push(name);
        }
    };
    if !address.ip().is_unspecified() {
        add(SanType::IpAddress(address.ip()));
    }
    if let Some(host) = public_host {
        add(match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(ip) => SanType::IpAddress(ip),
            Err(_) => SanType::DnsName(host.try_into()?),
        });
    }
    Ok(names)
}

/// Valid from yesterday, for clocks that are behind, and for so many days.
fn lasting(params: &mut CertificateParams, now: Timestamp, days: i64) -> anyhow::Result<()> {
    let date = |days: i64| -> anyhow::Result<(i32, u8, u8)> {
        let moment =
            jiff::Timestamp::from_second(now.plus_seconds(days.saturating_mul(86_400)).as_seconds())?;
        let date = moment.to_zoned(jiff::tz::TimeZone::UTC).date();
        Ok((
            i32::from(date.year()),
            u8::try_from(date.month())?,
            u8::try_from(date.day())?,
        ))
    };
    let (year, month, day) = date(-1)?;
    params.not_before = rcgen::date_time_ymd(year, month, day);
    let (year, month, day) = date(days)?;
    params.not_after = rcgen::date_time_ymd(year, month, day);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate of its own, in a directory: `tls.crt`, `tls.key` and `ca.crt`.
    fn pair(dir: &Path) -> Files {
        let now = Timestamp::from_millis(1_700_000_000_000);
        made(dir, "127.0.0.1:1".parse().unwrap(), None, now).unwrap().0
    }

    #[test]
    fn of_a_chain_the_last_certificate_is_trusted_unless_another_is_given() {
        let dir = tempfile::tempdir().unwrap();
        let Files {
            certificate: leaf,
            key,
            ca,
        } = pair(&dir.path().join("made"));
        let ca = fs::read_to_string(ca).unwrap();
        let chain = dir.path().join("chain.crt");
        fs::write(&chain, format!("{}\n{ca}", fs::read_to_string(&leaf).unwrap())).unwrap();
        let (tls, none) = (dir.path().join("tls"), dir.path().join("none"));
        let given = |ca| given(&tls, &chain, &key, ca);
        let (files, _) = given(None).unwrap();
        assert_eq!(fs::read_to_string(files.ca).unwrap(), ca.trim_end());
        let (files, _) = given(Some(&leaf)).unwrap();
        assert_eq!(files.ca, leaf);
        let error = given(Some(&none)).unwrap_err();
        assert!(error.to_string().contains("failed to read"), "{error}");
        fs::write(&chain, "nothing").unwrap();
        let error = given(None).unwrap_err();
        assert!(error.to_string().contains("holds no certificate"), "{error}");
    }
}

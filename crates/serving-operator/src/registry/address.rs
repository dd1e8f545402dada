//! Which addresses a registry may have. Whoever may write a model chooses the host that the operator asks: it must not become
//! their way to the node's metadata service, to the operator's own ports, or to a link that only it has.

use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Why an address is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedAddress {
    /// A link of this machine, or the metadata service of a cloud.
    LinkLocal,
    /// This machine.
    Loopback,
    /// A private network, where those are switched off.
    Private,
    /// No address of one machine: unspecified, multicast, broadcast, reserved.
    NoHost,
}

impl Display for RefusedAddress {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LinkLocal => "a link-local or metadata address",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address, and those are not asked",
            Self::NoHost => "no address of a host",
        })
    }
}

/// What may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressPolicy {
    /// Whether private networks may be asked (RFC 1918, RFC 4193, RFC 6598).
    pub private: bool,
    /// Whether the host was named by whoever runs the operator: then loopback and private networks are theirs to choose.
    pub named: bool,
}

/// Metadata services outside the link-local networks, and networks for protocols.
const METADATA_V4: [Ipv4Net; 3] = [
    Ipv4Net::new_assert(Ipv4Addr::new(100, 100, 100, 200), 32),
    Ipv4Net::new_assert(Ipv4Addr::new(168, 63, 129, 16), 32),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 0, 0), 24),
];
const LINK_LOCAL_V6: [Ipv6Net; 3] = [
    Ipv6Net::new_assert(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
    Ipv6Net::new_assert(Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10),
    Ipv6Net::new_assert(Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0), 32),
];
const PRIVATE_V4: [Ipv4Net; 5] = [
    Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16),
    Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10),
    Ipv4Net::new_assert(Ipv4Addr::new(198, 18, 0, 0), 15),
];
const NO_HOST_V4: [Ipv4Net; 3] = [
    Ipv4Net::new_assert(Ipv4Addr::new(0, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 4),
    Ipv4Net::new_assert(Ipv4Addr::new(240, 0, 0, 0), 4),
];
const PRIVATE_V6: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7);
/// Addresses that carry an IPv4 address in their last 32 bits: mapped, compatible, NAT64 of both kinds.
const CARRIES_V4: [Ipv6Net; 4] = [
    Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96),
    Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0, 0, 0), 96),
    Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96),
    Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48),
];
/// 6to4 and Teredo: tunnels to an IPv4 address that stands elsewhere in the address. Nobody's registry is there.
const TUNNELS: [Ipv6Net; 2] = [
    Ipv6Net::new_assert(Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32),
];

impl AddressPolicy {
    /// Whether an address may be asked.
    ///
    /// # Errors
    /// Why not.
    pub fn check(self, address: IpAddr) -> Result<(), RefusedAddress> {
        match address {
            IpAddr::V4(address) => self.check_v4(address),
            IpAddr::V6(address) if address.is_loopback() => self.chosen(RefusedAddress::Loopback, self.named),
            IpAddr::V6(address) if CARRIES_V4.iter().any(|net| net.contains(&address)) => {
                let [.., a, b, c, d] = address.octets();
                self.check_v4(Ipv4Addr::new(a, b, c, d))
            }
            IpAddr::V6(address) => self.check_v6(address),
        }
    }

    fn check_v4(self, address: Ipv4Addr) -> Result<(), RefusedAddress> {
        let within = |nets: &[Ipv4Net]| nets.iter().any(|net| net.contains(&address));
        if address.is_link_local() || within(&METADATA_V4) {
            Err(RefusedAddress::LinkLocal)
        } else if within(&NO_HOST_V4) {
            Err(RefusedAddress::NoHost)
        } else if address.is_loopback() {
            self.chosen(RefusedAddress::Loopback, self.named)
        } else if within(&PRIVATE_V4) {
            self.chosen(RefusedAddress::Private, self.named || self.private)
        } else {
            Ok(())
        }
    }

    fn check_v6(self, address: Ipv6Addr) -> Result<(), RefusedAddress> {
        let within = |nets: &[Ipv6Net]| nets.iter().any(|net| net.contains(&address));
        if within(&LINK_LOCAL_V6) {
            Err(RefusedAddress::LinkLocal)
        } else if address.is_multicast() || within(&TUNNELS) {
            Err(RefusedAddress::NoHost)
        } else if PRIVATE_V6.contains(&address) {
            self.chosen(RefusedAddress::Private, self.named || self.private)
        } else {
            Ok(())
        }
    }

    const fn chosen(self, why: RefusedAddress, allowed: bool) -> Result<(), RefusedAddress> {
        if allowed { Ok(()) } else { Err(why) }
    }
}

/// A name leads to an address that is not asked.
#[derive(Debug, thiserror::Error)]
#[error("its name leads to {0}")]
pub(super) struct LedAstray(pub(super) RefusedAddress);

/// A name leads nowhere.
#[derive(Debug, thiserror::Error)]
#[error("its name is not known")]
pub(super) struct UnknownName(#[source] Option<std::io::Error>);

/// Resolves names and refuses what the policy does. The connection is made to the very addresses that were checked: a name that
/// answers differently the second time gains nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct GuardedResolver(pub(super) AddressPolicy);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found: Vec<SocketAddr> = found.map_err(|error| UnknownName(Some(error)))?.collect();
            if found.is_empty() {
                return Err(UnknownName(None).into());
            }
            for address in &found {
                policy.check(address.ip()).map_err(LedAstray)?;
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: AddressPolicy = AddressPolicy {
        private: true,
        named: false,
    };

    fn check(policy: AddressPolicy, address: &str) -> Result<(), RefusedAddress> {
        policy.check(address.parse().unwrap())
    }

    // Planted fault: without the arm for addresses that carry an IPv4 address, `::ffff:169.254.169.254` passes.
    #[test]
    fn what_a_user_may_not_choose_is_refused_in_every_spelling() {
        use RefusedAddress::{LinkLocal, Loopback, NoHost};
        for (address, why) in [
            ("169.254.169.254", LinkLocal),
            ("::ffff:169.254.169.254", LinkLocal),
            ("::169.254.169.254", LinkLocal),
            ("64:ff9b::a9fe:a9fe", LinkLocal),
            ("64:ff9b:1::a9fe:a9fe", LinkLocal),
            ("2002:a9fe:a9fe::1", NoHost),
            ("fe80::1", LinkLocal),
            ("fd00:ec2::254", LinkLocal),
            ("100.100.100.200", LinkLocal),
            ("168.63.129.16", LinkLocal),
            ("127.0.0.1", Loopback),
            ("127.9.9.9", Loopback),
            ("::1", Loopback),
            ("::ffff:127.0.0.1", Loopback),
            ("0.0.0.0", NoHost),
            ("::", NoHost),
            ("224.0.0.1", NoHost),
            ("255.255.255.255", NoHost),
            ("ff02::1", NoHost),
        ] {
            assert_eq!(check(USERS, address), Err(why), "{address}");
        }
        for address in [
            "192.0.2.1",
            "10.1.2.3",
            "fc00::1",
            "2606:4700::1111",
            "::ffff:192.0.2.1",
        ] {
            assert_eq!(check(USERS, address), Ok(()), "{address}");
        }
    }

    #[test]
    fn whoever_runs_the_operator_chooses_private_and_loopback_but_no_metadata() {
        let strict = AddressPolicy {
            private: false,
            named: false,
        };
        for address in ["10.1.2.3", "172.31.0.1", "192.168.0.1", "100.64.0.1", "fd12::1"] {
            assert_eq!(check(strict, address), Err(RefusedAddress::Private), "{address}");
        }
        let named = AddressPolicy {
            private: false,
            named: true,
        };
        for address in ["10.1.2.3", "127.0.0.1", "::1", "fd12::1"] {
            assert_eq!(check(named, address), Ok(()), "{address}");
        }
        assert_eq!(check(named, "169.254.169.254"), Err(RefusedAddress::LinkLocal));
    }
}

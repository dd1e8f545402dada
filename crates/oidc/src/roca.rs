//! RSA keys of a library that made primes of a small set (CVE-2017-15361, "ROCA"): whoever knows the public half computes the
//! private one.

/// Small primes. Such a modulus is, by each of them, a power of 65537; another one is so by all of them once in 2^27 times or less.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
    107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// Whether a modulus, in big-endian octets, is one of those.
pub(crate) fn has_fingerprint(modulus: &[u8]) -> bool {
    PRIMES.into_iter().all(|prime| {
        let rest = modulus
            .iter()
            .fold(0, |rest, octet| (rest * 256 + u32::from(*octet)) % prime);
        is_power(rest, prime)
    })
}

/// Whether `rest` is a power of 65537 modulo `prime`.
fn is_power(rest: u32, prime: u32) -> bool {
    let next = |power: &u32| Some(power * (65537 % prime) % prime);
    std::iter::successors(Some(1), next)
        .take(prime as usize)
        .any(|power| power == rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The least number above 1 that is a power of 65537 by each of the primes is 65537 itself; its neighbours are not. The vectors
    /// of Wycheproof have a whole key of that library.
    #[test]
    fn a_power_of_65537_has_the_fingerprint_and_its_neighbours_have_not() {
        for (octets, expected) in [
            ([1, 0, 1].as_slice(), true),
            (&[1, 0, 2, 0, 1], true),
            (&[1, 0, 0], false),
            (&[1, 0, 3], false),
            (&[1, 0, 2, 0, 3], false),
        ] {
            assert_eq!(has_fingerprint(octets), expected, "{octets:?}");
        }
    }
}

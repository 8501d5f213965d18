//! An address range in CIDR form: whom the server answers at all.
//! Checked before a byte of the handshake is read. A range with host bits set, or an address without a prefix, is
//! refused rather than guessed at: it decides who may knock.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// An address range, `10.8.0.0/24` or `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

impl Network {
    /// Whether `address` lies in it. An IPv4 address mapped into IPv6, as a dual-stack socket shows it, counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (own, own_length) = bits(self.address);
        let (other, other_length) = bits(address.to_canonical());
        own_length == other_length
            && masked(own, self.prefix_bits) == masked(other, self.prefix_bits)
    }
}

/// An address as 128 bits from the left, and how many of them count.
fn bits(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

/// The first `prefix_bits` of them.
fn masked(bits: u128, prefix_bits: u8) -> u128 {
    let rest = 128_u32.saturating_sub(u32::from(prefix_bits));
    bits.checked_shr(rest).unwrap_or(0)
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("not a network such as 10.8.0.0/24: {text:?}: {why}");
        // An address alone is refused: whether the host or its network is meant, the administrator says.
        let (address, digits) = text
            .split_once('/')
            .ok_or_else(|| wrong("no prefix; one host is /32 or /128"))?;
        let address: IpAddr = address
            .parse()
            .map_err(|_| wrong("no address before the slash"))?;
        let (all, length) = bits(address);
        let number =
            Some(digits).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
        let prefix_bits = number
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| wrong("no number after the slash"))?;
        if prefix_bits > length {
            return Err(wrong("more bits than an address has"));
        }
        // A host address with a network's prefix is a slip of the pen: 10.8.0.7/8 would open a hundred networks.
        let own = Self {
            address,
            prefix_bits,
        };
        let rest = all.checked_shl(u32::from(prefix_bits)).unwrap_or(0);
        if rest == 0 {
            Ok(own)
        } else {
            Err(wrong("bits are set beyond the prefix"))
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        for (range, inside, outside) in [
            ("10.8.0.0/24", "10.8.0.255", "10.8.1.0"),
            ("10.8.0.1/32", "10.8.0.1", "10.8.0.2"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("::/0", "2001:db8::1", "10.0.0.1"),
            ("10.8.0.0/24", "::ffff:10.8.0.9", "::10.8.0.9"),
            ("2001:db8::1/128", "2001:db8::1", "2001:db8::2"),
        ] {
            assert!(
                network(range).contains(inside.parse().unwrap()),
                "{range} {inside}"
            );
            assert!(
                !network(range).contains(outside.parse().unwrap()),
                "{range} {outside}"
            );
            assert_eq!(network(&network(range).to_string()), network(range));
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for wrong in [
            "",
            "10.8.0.1",
            "/24",
            "10.8.0.0/",
            "10.8.0.0/33",
            "10.8.0.7/24",
            "fd00::/129",
            "10.8.0/24",
            "10.8.0.0/+8",
            "host/8",
            "10.8.0.0/8/8",
            "10.0.0.0/256",
        ] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}

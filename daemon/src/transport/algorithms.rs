//! Which cryptography a session may use, and the sizes that both ends share. Both ends are ours or OpenSSH's, so the
//! lists are short: no compression, no RSA, no NIST curves, no ciphers without authentication.

use std::borrow::Cow;
use std::time::Duration;

use russh::keys::Algorithm;
use russh::{Preferred, SshId, cipher, compression, kex, mac};

use super::client::PostQuantum;

/// What we say we are: no version, which would only tell an attacker what to try.
pub(super) const IDENTIFICATION: &str = "SSH-2.0-amanah";
/// Bytes a channel may send before the other side must have read: 40 MB/s at a round trip of 100 ms, while five
/// channels stay within the daemon's 16 MiB for SSH (only lanes that move bytes fill theirs).
pub(super) const WINDOW_BYTES: u32 = 4 << 20;
/// Largest channel packet: what russh allows; fewer, larger packets cost less.
pub(super) const PACKET_BYTES_MAX: u32 = 65_535;
/// Messages a channel of our client may hold unread. Answers are taken off at once, so it is never full for long.
pub(super) const CHANNEL_MESSAGES_MAX: usize = 1024;
/// A silent connection is asked for a sign of life this often …
pub(super) const KEEPALIVE: Duration = Duration::from_secs(15);
/// … and given up after this many questions without an answer.
pub(super) const KEEPALIVES_MAX: usize = 3;
/// Ends a connection on which not even the answers to keepalives come, or whose peer does not read what we write.
pub(super) const INACTIVITY_MAX: Duration = Duration::from_secs(120);
/// Largest SFTP packet either way, and the largest read or write in one: what OpenSSH has.
pub(super) const SFTP_PACKET_BYTES_MAX: u32 = 256 * 1024;
/// Largest read or write in one request: leaves 1 KiB of a packet for its fields.
pub(super) const SFTP_CHUNK_BYTES_MAX: u32 = 255 * 1024;

/// RFC 8308 and the strict key exchange of OpenSSH (against CVE-2023-48795) are switched on by markers in this list.
const MARKERS: [kex::Name; 4] = [
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_SUPPORT_AS_SERVER,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
];

/// The lists for one end. Debian 12's OpenSSH has no ML-KEM: against it a session is curve25519, unless that is refused.
pub(super) fn preferred(post_quantum: PostQuantum) -> Preferred {
    let mut exchanges = vec![kex::MLKEM768X25519_SHA256];
    if post_quantum == PostQuantum::Preferred {
        exchanges.extend([kex::CURVE25519, kex::CURVE25519_PRE_RFC_8731]);
    }
    exchanges.extend(MARKERS);
    Preferred {
        kex: Cow::Owned(exchanges),
        key: Cow::Borrowed(&[Algorithm::Ed25519]),
        host_key_certificates: Cow::Borrowed(&[]),
        cipher: Cow::Borrowed(&[cipher::AES_256_GCM, cipher::CHACHA20_POLY1305]),
        // Never used, both ciphers authenticate by themselves; but the list must not be empty.
        mac: Cow::Borrowed(&[mac::HMAC_SHA512_ETM, mac::HMAC_SHA256_ETM]),
        compression: Cow::Borrowed(&[compression::NONE]),
    }
}

/// The identification line.
pub(super) fn identification() -> SshId {
    SshId::Standard(Cow::Borrowed(IDENTIFICATION))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn post_quantum_comes_first_and_may_be_the_only_one() {
        let offered = preferred(PostQuantum::Preferred);
        let names: Vec<&str> = offered.kex.iter().map(AsRef::as_ref).collect();
        assert_eq!(
            names[..3],
            [
                "mlkem768x25519-sha256",
                "curve25519-sha256",
                "curve25519-sha256@libssh.org"
            ]
        );
        let required = preferred(PostQuantum::Required);
        assert!(!required.kex.contains(&kex::CURVE25519));
        assert!(
            required
                .kex
                .contains(&kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT)
        );
    }
}

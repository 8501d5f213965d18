//! Which host key is the peer's: pinned from its card, never trust on first use, never a known_hosts file.
//! What is compared is the key itself, not a name or an address. A certificate is refused: nobody stands above the two
//! parties.

use amanah_format::signature::PublicKey;
use russh::keys::PublicKeyOrCertificate;

/// The host that answered is not the one on the card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Fingerprint of what it showed.
    pub found: String,
    /// Fingerprints of the card's transport keys that are valid now.
    pub expected: String,
}

/// Whether `shown` is one of the transport keys of the peer's card. A certificate never is: its authority is nobody we
/// know.
///
/// # Errors
/// The fingerprints of both.
pub fn pinned(shown: &PublicKeyOrCertificate, pins: &[PublicKey]) -> Result<(), Mismatch> {
    let mismatch = |found| Mismatch {
        found,
        expected: expected(pins),
    };
    let key = match shown {
        PublicKeyOrCertificate::PublicKey { key, .. } => key,
        PublicKeyOrCertificate::Certificate(_) => return Err(mismatch("a certificate".to_owned())),
    };
    match ed25519(key) {
        Some(key) if pins.contains(&key) => Ok(()),
        _ => Err(mismatch(
            key.fingerprint(russh::keys::HashAlg::Sha256).to_string(),
        )),
    }
}

fn expected(pins: &[PublicKey]) -> String {
    if pins.is_empty() {
        return "no transport key that is valid now".to_owned();
    }
    let fingerprints: Vec<String> = pins.iter().map(PublicKey::fingerprint).collect();
    fingerprints.join(" or ")
}

/// An SSH key as one of ours, if it is of the one type that we use.
pub(super) fn ed25519(key: &russh::keys::PublicKey) -> Option<PublicKey> {
    PublicKey::from_bytes(key.key_data().ed25519()?.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use amanah_format::signature::SecretKey;

    fn key(seed: u8) -> PublicKey {
        SecretKey::from_seed(&[seed; 32]).public()
    }

    fn shown(key: &PublicKey) -> PublicKeyOrCertificate {
        let key = russh::keys::PublicKey::from_openssh(&key.to_string()).unwrap();
        PublicKeyOrCertificate::from(key)
    }

    #[test]
    fn each_of_the_cards_keys_is_the_peers() {
        let pins = [key(1), key(2)];
        assert_eq!(pinned(&shown(&pins[0]), &pins), Ok(()));
        assert_eq!(pinned(&shown(&pins[1]), &pins), Ok(()));
    }

    #[test]
    fn any_other_key_is_refused_with_both_fingerprints() {
        let mismatch = pinned(&shown(&key(3)), &[key(1)]).unwrap_err();
        assert_eq!(mismatch.found, key(3).fingerprint());
        assert_eq!(mismatch.expected, key(1).fingerprint());
        assert!(pinned(&shown(&key(1)), &[]).is_err());
    }
}

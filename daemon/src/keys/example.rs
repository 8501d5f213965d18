//! The keys of `keys-example/`: their secret halves are public, so a daemon refuses them unless its configuration says
//! `example_keys = true`, which it may say only on loopback. Never used to sign, only to recognise.

use amanah_format::card::CardKeys;
use amanah_format::recipient::Recipient;
use amanah_format::signature::PublicKey;

/// Fingerprints of signing, transport and ledger keys, as `ssh-keygen -lf` prints them.
const FINGERPRINTS: [&str; 6] = [
    "SHA256:qE7hNQ9XwnTS3KpL1EWH87CYwcu3lJdhfhurjyE5IAA", // kemenhaj
    "SHA256:JghZFzvobFPoKUqv+bWL3nuE6D+8ujabb9DiV4q8skI",
    "SHA256:IQD+DWMgwUc/2ZToTUQCW65iQAyWMY6DYk1zHUCfY+8",
    "SHA256:R9ajiDt7EujUjQCYEjLDFfmaWtw22UBBhbi6pO4oXqg", // imigrasi
    "SHA256:tgPbx5LJr1SwetpMNTDhsSBuh0q5f6HK3RU4OWQ11J4",
    "SHA256:88vLvitSbGy3cGd4rFgCvb1DfaNgFrwzUA5rYnbbckU",
];
/// Public halves of the decryption identities, kemenhaj's and imigrasi's.
const RECIPIENTS: [&str; 2] = [
    "age1e36zmseq3q7taqjg4e4rpwtqlkjcaphmytf2jkphk33gz3qfaeksywn7x4",
    "age1arsk4z4yfukvzmtcl9229gcef7d08j65whevevv7wc894lw3p9lsvcpma2",
];

/// Whether everybody has the secret half of this key.
#[must_use]
pub fn is_example(key: &PublicKey) -> bool {
    FINGERPRINTS.contains(&key.fingerprint().as_str())
}

/// The same of a decryption key.
#[must_use]
pub fn is_example_recipient(key: &Recipient) -> bool {
    RECIPIENTS.contains(&key.as_str())
}

/// Whether a card holds any of them, in whatever role.
#[must_use]
pub fn on_card(keys: &CardKeys) -> bool {
    let of_ssh = [&keys.signing, &keys.transport, &keys.ledger];
    let mut of_ssh = of_ssh.into_iter().flatten();
    of_ssh.any(|valid| is_example(&valid.key))
        || keys
            .decryption
            .iter()
            .any(|valid| is_example_recipient(&valid.key))
}

//! Cosignatures: a line that another party adds to a checkpoint's note when it has seen that the ledger only grew. C2SP
//! tlog-cosignature, `cosignature/v1` with Ed25519, under the cosigner's own origin as the key's name. FORMAT.md §15.4.
//! The line says when; it covers the note's text and nothing of its other lines.

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signature, VerifyingKey};

use super::checkpoint::{SIGNATURE_START, SignatureLine, hash_of, split};
use super::{Checkpoint, LedgerError, parse_origin};
use crate::id::PartyId;
use crate::signature::{PublicKey, SecretKey};
use crate::time::UtcTime;

/// C2SP signed-note: the signature type of a timestamped Ed25519 cosignature, part of the key's hash.
const COSIGNATURE: u8 = 0x04;

/// Who has seen a checkpoint, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// The party whose ledger key signed.
    pub party: PartyId,
    /// The moment that its line states.
    pub at: UtcTime,
}

/// What is signed: the moment, then the note's text.
fn message(text: &str, at: UtcTime) -> String {
    format!("cosignature/v1\ntime {}\n{text}", at.unix())
}

impl Checkpoint {
    /// The note of this checkpoint, `note`, with the line by which `own` (the signer's origin) cosigns it, in the place of an
    /// older one.
    ///
    /// # Errors
    /// The note is not this checkpoint's.
    pub fn cosign(
        &self,
        note: &str,
        (own, key): (&str, &SecretKey),
        at: UtcTime,
    ) -> Result<String, LedgerError> {
        let (text, lines) = split(note)?;
        if text != self.to_text() {
            return Err(LedgerError("the note is of another checkpoint".into()));
        }
        let signature = key.sign_raw(message(&text, at).as_bytes());
        let moment = at.unix().to_be_bytes();
        let hash = hash_of(own, COSIGNATURE, &key.public());
        let bytes = [&hash[..], &moment, &signature].concat();
        let mut cosigned = format!("{text}\n");
        let older = format!("{SIGNATURE_START}{own} ");
        for line in lines.split('\n').filter(|line| !line.starts_with(&older)) {
            cosigned.push_str(line);
            cosigned.push('\n');
        }
        let digits = Base64::encode_string(&bytes);
        cosigned.push_str(&format!("{SIGNATURE_START}{own} {digits}\n"));
        Ok(cosigned)
    }
}

/// The parties that cosigned a note, by the ledger keys that `keys` knows of each. A line under a known key that does not verify
/// spoils the note; lines of parties or keys that are not known are skipped.
///
/// # Errors
/// The note is malformed, or such a line is wrong.
pub fn cosigners(
    note: &str,
    keys: &dyn Fn(&PartyId) -> Vec<PublicKey>,
) -> Result<Vec<Cosigned>, LedgerError> {
    let (text, lines) = split(note)?;
    let mut found = Vec::new();
    for line in lines.split('\n') {
        let line = SignatureLine::parse(line)
            .ok_or_else(|| LedgerError("checkpoint: a malformed signature".into()))?;
        let Some((party, _)) = parse_origin(line.name) else {
            continue;
        };
        let is_its = |key: &PublicKey| line.hash == hash_of(line.name, COSIGNATURE, key);
        for key in keys(&party).iter().filter(|key| is_its(key)) {
            let at = verified(&line, &text, key).ok_or_else(|| {
                LedgerError(format!("the cosignature of {party} does not verify"))
            })?;
            found.push(Cosigned {
                party: party.clone(),
                at,
            });
        }
    }
    Ok(found)
}

fn verified(line: &SignatureLine<'_>, text: &str, key: &PublicKey) -> Option<UtcTime> {
    let (moment, signature) = line.signature.split_first_chunk::<8>()?;
    let at = UtcTime::from_unix(i64::from_be_bytes(*moment)).ok()?;
    let signature = Signature::from_slice(signature).ok()?;
    let key = VerifyingKey::from_bytes(key.as_bytes()).ok()?;
    let message = message(text, at);
    key.verify_strict(message.as_bytes(), &signature).ok()?;
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed(&[seed; 32])
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            origin: "amanah/imigrasi/1".into(),
            size: 7,
            root: Digest::of(b"root"),
        }
    }

    fn at(secs: i64) -> UtcTime {
        UtcTime::from_unix(1_795_379_520 + secs).unwrap()
    }

    const OWN: &str = "amanah/kemenhaj/1";

    fn cosigned(secs: i64) -> String {
        let note = checkpoint().sign(&key(1));
        checkpoint()
            .cosign(&note, (OWN, &key(2)), at(secs))
            .unwrap()
    }

    /// Who cosigned, where the key of `seed` is the ledger key of whoever asks.
    fn by(note: &str, seed: u8) -> Result<Vec<Cosigned>, LedgerError> {
        cosigners(note, &move |_| vec![key(seed).public()])
    }

    #[test]
    fn a_cosigned_note_is_still_its_signers_and_says_who_saw_it_when() {
        let note = cosigned(0);
        assert_eq!(
            Checkpoint::verify(&note, &[key(1).public()]),
            Ok(checkpoint())
        );
        let party: PartyId = "kemenhaj".parse().unwrap();
        let seen = Cosigned { party, at: at(0) };
        assert_eq!(by(&note, 2), Ok(vec![seen.clone()]));
        assert_eq!(by(&note, 3), Ok(vec![]), "a key that is not known");
        assert_eq!(
            by(&checkpoint().sign(&key(1)), 1),
            Ok(vec![]),
            "its own line is none"
        );
        // Seen again: one line, the newer.
        let again = checkpoint().cosign(&note, (OWN, &key(2)), at(60)).unwrap();
        assert_eq!(again, cosigned(60));
        assert_eq!(by(&again, 2).unwrap()[0].at, at(60));
    }

    #[test]
    fn a_cosignature_does_not_move_to_another_text_or_moment() {
        let note = cosigned(0);
        for (from, to) in [
            ("\n7\n", "\n8\n"),
            ("amanah/imigrasi/1\n7", "amanah/imigrasi/2\n7"),
        ] {
            assert!(by(&note.replacen(from, to, 1), 2).is_err(), "{to}");
        }
        let (start, line) = note.trim_end().rsplit_once(' ').unwrap();
        let mut bytes = Base64::decode_vec(line).unwrap();
        for at in 4..bytes.len() {
            bytes[at] ^= 1;
            let changed = format!("{start} {}\n", Base64::encode_string(&bytes));
            assert!(by(&changed, 2).is_err(), "byte {at}");
            bytes[at] ^= 1;
        }
        let other = Checkpoint {
            size: 8,
            ..checkpoint()
        };
        assert!(other.cosign(&note, (OWN, &key(2)), at(0)).is_err());
    }
}

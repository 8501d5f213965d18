//! Looks at an age header before `age` parses it: its parser takes quadratic time and any length. C2SP age, FORMAT.md §7.
//!
//! Accepted: the `v1` line, exactly as many X25519 stanzas as the manifest names recipients, at most one grease stanza
//! (a type that ends in `-grease`), the MAC line; at most 64 KiB. No passphrase, plugin or armour.

use std::io::{self, BufRead, Read};

use crate::limits::AGE_HEADER_BYTES_MAX;

/// The first line of every age file.
const VERSION: &[u8] = b"age-encryption.org/v1\n";

/// The header's exact bytes, up to and with the MAC's line; `None` where it breaks a rule.
pub(super) fn read(source: &mut impl BufRead, recipients: usize) -> io::Result<Option<Vec<u8>>> {
    let mut limited = source.take(AGE_HEADER_BYTES_MAX);
    let mut header = Vec::new();
    let (mut keys, mut grease) = (0, 0);
    loop {
        let start = header.len();
        limited.read_until(b'\n', &mut header)?;
        let line = header.get(start..).unwrap_or_default();
        if !line.ends_with(b"\n") || (start == 0 && line != VERSION) {
            return Ok(None);
        }
        if line.starts_with(b"--- ") {
            return Ok((keys == recipients && grease <= 1).then_some(header));
        }
        match stanza_type(line) {
            Some(b"X25519") => keys += 1,
            Some(kind) if kind.ends_with(b"-grease") => grease += 1,
            Some(_) => return Ok(None),
            // A body line: `age` judges it.
            None => {}
        }
        if keys > recipients || grease > 1 {
            return Ok(None);
        }
    }
}

/// The first argument of a stanza's line.
fn stanza_type(line: &[u8]) -> Option<&[u8]> {
    let arguments = line.strip_prefix(b"-> ")?;
    arguments.split(|byte| matches!(byte, b' ' | b'\n')).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(header: &str, recipients: usize) -> bool {
        let mut source = header.as_bytes();
        read(&mut source, recipients).unwrap().is_some()
    }

    const KEY: &str = "-> X25519 abc\nbody\n";
    const GREASE: &str = "-> x-grease 1 2\n\n";

    #[test]
    fn keys_and_one_grease_are_accepted() {
        let mac = "--- mac\nrest";
        assert!(accepted(&format!("age-encryption.org/v1\n{KEY}{mac}"), 1));
        assert!(accepted(
            &format!("age-encryption.org/v1\n{KEY}{GREASE}{KEY}{mac}"),
            2
        ));
    }

    #[test]
    fn what_follows_the_header_stays_in_the_source() {
        let text = format!("age-encryption.org/v1\n{KEY}--- mac\nrest");
        let mut source = text.as_bytes();
        assert_eq!(read(&mut source, 1).unwrap().unwrap().len(), text.len() - 4);
        assert_eq!(source, b"rest");
    }

    #[test]
    fn any_other_header_is_refused() {
        let mac = "--- mac\n";
        for (header, recipients) in [
            (format!("age-encryption.org/v1\n{KEY}{KEY}{mac}"), 1),
            (format!("age-encryption.org/v1\n{KEY}{mac}"), 2),
            (
                format!("age-encryption.org/v1\n{KEY}{GREASE}{GREASE}{mac}"),
                1,
            ),
            (
                format!("age-encryption.org/v1\n{KEY}-> scrypt a 18\nb\n{mac}"),
                1,
            ),
            (
                format!("age-encryption.org/v1\n-> scrypt a 18\nb\n{mac}"),
                1,
            ),
            (
                format!("age-encryption.org/v1\n{KEY}-> ssh-ed25519 a\nb\n{mac}"),
                1,
            ),
            (format!("age-encryption.org/v2\n{KEY}{mac}"), 1),
            (format!("age-encryption.org/v1\r\n{KEY}{mac}"), 1),
            (format!("-----BEGIN AGE ENCRYPTED FILE-----\n{KEY}{mac}"), 1),
            (format!("{KEY}{mac}"), 1),
            (format!("age-encryption.org/v1\n{KEY}"), 1),
            (String::new(), 0),
        ] {
            assert!(!accepted(&header, recipients), "{header}");
        }
    }

    #[test]
    fn a_header_beyond_64_kib_is_refused() {
        let body = "x\n".repeat(32 * 1024);
        let text = format!("age-encryption.org/v1\n-> X25519 a\n{body}--- mac\n");
        assert!(!accepted(&text, 1));
    }
}

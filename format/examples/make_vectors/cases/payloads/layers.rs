//! The outer layers of a payload, age and zstd, each rule broken once.
//! FORMAT.md section 7, numbers 1 and 2: recipients and stanzas, truncation and damage, frames, windows, checksums.

use std::io::Write;

use super::{
    super::{
        parties::{IDENTITY_OWN, RECIPIENT, RECIPIENT_OWN},
        tape::put,
    },
    Case, Made, Maker, damaged, encrypt, frame, hello,
};

/// The age header: for whom.
pub(super) fn ciphertexts() -> Vec<(&'static str, Maker)> {
    vec![
        ("payload/other-identity", |name| {
            Ok(hello()
                .seal(name, "decryption-failed")?
                .instead("identity", IDENTITY_OWN))
        }),
        ("payload/recipient-unsaid", |name| {
            let plan = hello();
            let payload = encrypt(&[RECIPIENT, RECIPIENT_OWN], &frame(&plan.tar())?)?;
            Ok(plan.vector(name, "decryption-failed", &[RECIPIENT], payload))
        }),
        ("payload/recipient-missing", |name| {
            let plan = hello();
            let payload = encrypt(&[RECIPIENT], &frame(&plan.tar())?)?;
            Ok(plan.vector(
                name,
                "decryption-failed",
                &[RECIPIENT, RECIPIENT_OWN],
                payload,
            ))
        }),
        ("payload/passphrase", |name| {
            let plan = hello();
            let mut out =
                age::Encryptor::with_user_passphrase("rahasia".into()).wrap_output(Vec::new())?;
            out.write_all(&frame(&plan.tar())?)?;
            Ok(plan.vector(name, "decryption-failed", &[RECIPIENT], out.finish()?))
        }),
    ]
}

/// The age file itself.
pub(super) fn damages() -> Vec<(&'static str, Maker)> {
    vec![
        ("payload/age-version", |name| {
            damaged(name, |age| put(age, 20, b"2"))
        }),
        ("payload/age-mac", |name| {
            damaged(name, |age| {
                let mac = age.windows(4).position(|four| four == b"--- ").unwrap_or(0) + 4;
                let other = if age.get(mac) == Some(&b'A') {
                    b"B"
                } else {
                    b"A"
                };
                put(age, mac, other);
            })
        }),
        ("payload/age-last-byte", |name| {
            damaged(name, |age| flip_last(age))
        }),
        ("payload/age-cut-short", |name| {
            damaged(name, |age| age.truncate(age.len() - 1))
        }),
        ("payload/age-byte-after", |name| {
            damaged(name, |age| age.push(0))
        }),
        ("payload/age-empty", |name| damaged(name, Vec::clear)),
        ("payload/age-long-header", |name| {
            damaged(name, |age| {
                let stanza = format!(
                    "-> X25519 a\n{}",
                    format!("{}\n", "A".repeat(64)).repeat(1100)
                );
                age.splice(22..22, stanza.into_bytes());
            })
        }),
    ]
}

/// The vector whose payload is what `compress` makes of a good tar.
fn framed(name: &str, compress: fn(&[u8]) -> Made<Vec<u8>>) -> Made<Case> {
    let plan = hello();
    plan.around(name, "payload-malformed", &compress(&plan.tar())?)
}

/// A skippable frame of one byte (RFC 8878 section 3.1.2).
const SKIPPABLE: &[u8] = b"\x50\x2a\x4d\x18\x01\x00\x00\x00x";

/// The zstd layer.
pub(super) fn frames() -> Vec<(&'static str, Maker)> {
    vec![
        ("payload/zstd-no-checksum", |name| {
            framed(name, |tar| Ok(zstd::encode_all(tar, 3)?))
        }),
        ("payload/zstd-two-frames", |name| {
            framed(name, |tar| {
                let (first, second) = tar.split_at(1024);
                Ok([frame(first)?, frame(second)?].concat())
            })
        }),
        ("payload/zstd-frame-after", |name| {
            framed(name, |tar| Ok([frame(tar)?, frame(b"")?].concat()))
        }),
        ("payload/zstd-skippable-before", |name| {
            framed(name, |tar| Ok([SKIPPABLE, &frame(tar)?].concat()))
        }),
        ("payload/zstd-skippable-after", |name| {
            framed(name, |tar| Ok([&frame(tar)?, SKIPPABLE].concat()))
        }),
        ("payload/zstd-window", |name| {
            framed(name, |tar| {
                let mut encoder = zstd::Encoder::new(Vec::new(), 3)?;
                encoder.include_checksum(true)?;
                encoder.window_log(24)?;
                encoder.write_all(tar)?;
                Ok(encoder.finish()?)
            })
        }),
        ("payload/zstd-checksum-wrong", |name| {
            framed(name, |tar| {
                let mut compressed = frame(tar)?;
                flip_last(&mut compressed);
                Ok(compressed)
            })
        }),
        ("payload/zstd-cut-short", |name| {
            framed(name, |tar| {
                let mut compressed = frame(tar)?;
                compressed.truncate(compressed.len() / 2);
                Ok(compressed)
            })
        }),
        ("payload/not-compressed", |name| {
            framed(name, |tar| Ok(tar.to_vec()))
        }),
        ("payload/nothing", |name| framed(name, |_| Ok(Vec::new()))),
    ]
}

fn flip_last(bytes: &mut [u8]) {
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
}

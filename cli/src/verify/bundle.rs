//! Judging a bundle: its head, then every byte of its payload against the digest that the head signs. Streaming.
//! The payload is not decrypted: what it holds is not judged. FORMAT.md §9.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use amanah_format::{
    container::{HeadParts, bundle_bytes, check_tail, read_head},
    digest::HashingReader,
    document,
    keyring::Keyring,
    limits::BUNDLE_HEAD_BYTES,
    manifest::{Manifest, UnverifiedHead, VerifiedHead},
    refusal::Refusal,
    time::UtcTime,
};
use amanahd::catalogue::faces::proof as face;
use indicatif::ProgressBar;

use super::{
    kind::Kind,
    trust::{Bench, Finding, Proof},
};
use crate::{
    exit::{Failure, Outcome},
    screen::Screen,
};

/// Below this a bar would only flicker.
const BAR_BYTES_MIN: u64 = 64 * 1024 * 1024;

pub(super) fn judge(path: &Path, bench: &Bench<'_>, screen: &Screen<'_>) -> Outcome<Finding> {
    let (mut file, head) = open(path)?;
    let (head, proof) = match verify_head(&head, bench.keyring, bench.now) {
        Ok(verified) => verified,
        Err(refusal) => {
            let meaning = amanahd::catalogue::refusals::explain(refusal.code());
            let meaning = meaning.map_or("", |found| found.meaning.in_language(screen.language));
            return Ok(Finding::bad(
                Kind::Bundle,
                format_args!("{refusal}: {meaning}"),
            ));
        }
    };
    let bar = bar(head.manifest().payload.bytes, screen);
    let payload = payload(&mut file, path, &head, &bar);
    bar.finish_and_clear();
    if let Some(reason) = payload? {
        return Ok(Finding::bad(Kind::Bundle, screen.text(reason, &[])));
    }
    Ok(finding(&head, proof, bench))
}

/// Opens a bundle and reads its head.
pub(crate) fn open(path: &Path) -> Outcome<(File, Vec<u8>)> {
    let io = |error: std::io::Error| Failure::io(path, &error);
    let mut file = File::open(path).map_err(io)?;
    let mut head = Vec::new();
    (&mut file)
        .take(BUNDLE_HEAD_BYTES)
        .read_to_end(&mut head)
        .map_err(io)?;
    Ok((file, head))
}

/// Verifies a head now, or at its own time.
pub(crate) fn verify_head(
    head: &[u8],
    keyring: &Keyring,
    now: UtcTime,
) -> Result<(VerifiedHead, Proof), Refusal> {
    let verify = |at| UnverifiedHead::parse(head).map(|head| head.verify(keyring, at));
    match verify(now)? {
        Ok(verified) => Ok((verified, Proof::Valid)),
        Err(error) if error.refusal == Refusal::SignerNotValid => {
            let created = manifest(head).map(|manifest| manifest.created);
            let then = created.filter(|created| *created <= now).map(verify);
            match then {
                Some(Ok(Ok(verified))) => Ok((verified, Proof::TimeNotProven)),
                Some(_) | None => Err(error.refusal),
            }
        }
        Err(error) => Err(error.refusal),
    }
}

/// What an unverified head says.
pub(crate) fn manifest(head: &[u8]) -> Option<Manifest> {
    let HeadParts { manifest, .. } = read_head(head).ok()?;
    document::parse(&manifest).ok()
}

/// Why the bytes after the head are not those that were signed; none when they are.
fn payload(
    file: &mut File,
    path: &Path,
    head: &VerifiedHead,
    bar: &ProgressBar,
) -> Outcome<Option<amanahd::catalogue::Text>> {
    let io = |error: std::io::Error| Failure::io(path, &error);
    let expected = head.manifest().payload;
    let length = file.metadata().map_err(io)?.len();
    if length < bundle_bytes(expected.bytes) {
        return Ok(Some(face::CUT_SHORT));
    }
    file.seek(SeekFrom::Start(BUNDLE_HEAD_BYTES)).map_err(io)?;
    let mut reader = HashingReader::new(bar.wrap_read(&mut *file).take(expected.bytes));
    std::io::copy(&mut reader, &mut std::io::sink()).map_err(io)?;
    let (_, digest, _) = reader.finish();
    if digest != expected.digest {
        return Ok(Some(face::PAYLOAD_DIFFERS));
    }
    let mut tail = Vec::new();
    // A foreign tar may fill its last record with zeros; more than that is no tail.
    file.take(64 * 1024).read_to_end(&mut tail).map_err(io)?;
    Ok(check_tail(expected.bytes, &tail)
        .err()
        .map(|_| face::TAIL_WRONG))
}

/// A progress bar for what takes long, on a terminal.
pub(crate) fn bar(bytes: u64, screen: &Screen<'_>) -> ProgressBar {
    if screen.shows_progress() && bytes >= BAR_BYTES_MIN {
        crate::send::bar(bytes, screen.language)
    } else {
        ProgressBar::hidden()
    }
}

fn finding(head: &VerifiedHead, proof: Proof, bench: &Bench<'_>) -> Finding {
    let manifest = head.manifest();
    let wib = |time| bench.wib(time);
    Finding {
        kind: Kind::Bundle,
        proof: Ok(proof),
        signers: vec![manifest.from.to_string()],
        digest: Some(head.digest()),
        sentences: vec![
            (
                face::BUNDLE_IS,
                vec![
                    manifest.from.to_string(),
                    manifest.to.to_string(),
                    manifest.flow.to_string(),
                    manifest.sequence.to_string(),
                ],
            ),
            (
                face::BUNDLE_CREATED,
                vec![wib(manifest.created), wib(manifest.expires)],
            ),
            (
                face::BUNDLE_AGREEMENT,
                vec![
                    manifest.agreement.id.to_string(),
                    manifest.agreement.version.to_string(),
                    manifest.agreement.digest.to_string(),
                ],
            ),
            (
                face::BUNDLE_PAYLOAD,
                vec![manifest.payload.bytes.to_string()],
            ),
        ],
        not_proven: vec![face::BUNDLE_NOT_PROVEN],
        facts: serde_json::to_value(manifest).unwrap_or_default(),
        unread: None,
    }
}

//! Documents on disk: their names in the configuration's folder, reading them under a bound, writing new ones.
//! Nothing here judges a document; what is written is written durably or not at all.

use std::io::Read;
use std::path::{Path, PathBuf};

use amanah_format::{
    agreement::{Agreement, AgreementFile},
    card::VerifiedCard,
    id::{AgreementId, PartyId},
    time::UtcTime,
};
use amanahd::durable;

use crate::exit::{Exit, Failure, Outcome};

/// Ends of names in `cards/` and `agreements/`.
pub(crate) const CARD: &str = ".card.amanah";
pub(crate) const AGREEMENT: &str = ".agreement.amanah";
pub(crate) const REVOCATION: &str = ".revocation.amanah";
/// Largest document read into memory: an agreement with its schemas.
pub(crate) const PAPER_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Documents are public within the node; they hold no secret.
const MODE: u32 = 0o644;

/// `PARTY.card.amanah`
pub(crate) fn card_name(party: &PartyId) -> String {
    format!("{party}{CARD}")
}

/// `ID-vN.agreement.amanah`
pub(crate) fn agreement_name(id: &AgreementId, version: u32) -> String {
    format!("{id}-v{version}{AGREEMENT}")
}

/// `ID-vN.PARTY.revocation.amanah`
pub(crate) fn revocation_name(id: &AgreementId, version: u32, by: &PartyId) -> String {
    format!("{id}-v{version}.{by}{REVOCATION}")
}

/// A whole document, of at most [`PAPER_BYTES_MAX`].
pub(crate) fn read(path: &Path) -> Outcome<Vec<u8>> {
    let file = std::fs::File::open(path).map_err(|error| Failure::io(path, &error))?;
    let mut bytes = Vec::new();
    file.take(PAPER_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::io(path, &error))?;
    if u64::try_from(bytes.len()).is_ok_and(|found| found <= PAPER_BYTES_MAX) {
        Ok(bytes)
    } else {
        Err(malformed(
            path,
            format_args!("more than {PAPER_BYTES_MAX} bytes"),
        ))
    }
}

/// A document that is not what it should be.
pub(crate) fn malformed(path: &Path, reason: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Document, format_args!("{}: {reason}", path.display()))
}

/// A card, verified by its own signature.
pub(crate) fn read_card(path: &Path) -> Outcome<VerifiedCard> {
    VerifiedCard::verify(&read(path)?).map_err(|error| malformed(path, error))
}

/// An agreement with its text; its signatures are not judged here.
pub(crate) fn read_agreement(path: &Path) -> Outcome<(AgreementFile, Agreement)> {
    let file = AgreementFile::parse(&read(path)?).map_err(|error| malformed(path, error))?;
    let text = file.agreement().map_err(|error| malformed(path, error))?;
    Ok((file, text))
}

/// Files in `folder` whose name ends so, by name, hidden ones left out; none where the folder is missing.
pub(crate) fn in_folder(folder: &Path, end: &str) -> Outcome<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::io(folder, &error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Failure::io(folder, &error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(end) && !name.starts_with('.') {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Writes a document durably, over an older one of the same name.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Outcome<()> {
    write_mode(path, bytes, MODE)
}

/// The same with a mode of its own.
pub(crate) fn write_mode(path: &Path, bytes: &[u8], mode: u32) -> Outcome<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let name = path.file_name().and_then(std::ffi::OsStr::to_str);
    let name = name.ok_or_else(|| Failure::new(Exit::Usage, path.display()))?;
    Ok(durable::write(folder, name, bytes, mode)?)
}

/// Writes a document that must not be there yet.
pub(crate) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Outcome<()> {
    if path.symlink_metadata().is_ok() {
        return Err(Failure::exists(path));
    }
    write_mode(path, bytes, mode)
}

/// The moment of this run.
pub(crate) fn now() -> UtcTime {
    amanahd::clock::Clock::default().now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_folder_s_layout() {
        let (id, party) = ("pks-manifes".parse().unwrap(), "imigrasi".parse().unwrap());
        assert_eq!(card_name(&party), "imigrasi.card.amanah");
        assert_eq!(agreement_name(&id, 2), "pks-manifes-v2.agreement.amanah");
        assert_eq!(
            revocation_name(&id, 2, &party),
            "pks-manifes-v2.imigrasi.revocation.amanah"
        );
    }

    #[test]
    fn a_document_beyond_the_bound_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        std::fs::File::create(&path)
            .unwrap()
            .set_len(PAPER_BYTES_MAX + 1)
            .unwrap();
        assert_eq!(read(&path).unwrap_err().exit, Exit::Document);
        assert_eq!(
            read(&folder.path().join("none")).unwrap_err().exit,
            Exit::Missing
        );
    }
}

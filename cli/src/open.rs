//! `amanah open`: verifies a bundle, decrypts it, and writes its entries into a new folder: all of them, or nothing.
//! A bundle that does not verify is not decrypted into place. FORMAT.md §7.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use amanah_format::{
    digest::HashingReader,
    entry_path::EntryPath,
    limits::BUNDLE_HEAD_BYTES,
    manifest::VerifiedHead,
    open::{EntrySink, OpenError, open_payload},
    recipient::Identity,
    refusal::Refusal,
};
use amanahd::{
    catalogue::{faces::proof as face, refusals},
    durable,
};

use crate::{
    exit::{Exit, Failure, Outcome},
    papers,
    place::Place,
    screen::Screen,
    verify,
};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amanah open 3f2a….amanah --into manifes/
  amanah open 3f2a….amanah --into manifes/ --key decryption.txt --card kemenhaj.card.amanah")]
pub(crate) struct Wanted {
    /// The bundle
    bundle: PathBuf,
    /// Folder to make; it must not exist
    #[arg(long, value_name = "DIR")]
    into: PathBuf,
    /// Decryption key as age-keygen writes it [default: that of the configuration]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    cards: verify::Cards,
}

/// Nothing appears under the final name before everything was checked.
pub(crate) fn run(wanted: &Wanted, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    if wanted.into.symlink_metadata().is_ok() {
        return Err(screen.failure(Exit::Usage, face::INTO_EXISTS, &[&wanted.into.display()]));
    }
    let identities = identities(wanted, place, screen)?;
    let keyring = wanted.cards.keyring(place)?;
    let (file, head) = verify::open_bundle(&wanted.bundle)?;
    let (head, proof) = verify::verify_head(&head, &keyring, papers::now())
        .map_err(|refusal| refused(refusal, screen))?;
    let target =
        std::path::absolute(&wanted.into).map_err(|error| Failure::io(&wanted.into, &error))?;
    let parent = target.parent().unwrap_or(Path::new("/"));
    let staging = tempfile::Builder::new()
        .prefix(".amanah-open-")
        .tempdir_in(parent)
        .map_err(|error| Failure::io(parent, &error))?;
    let root = staging.path().join("entries");
    std::fs::create_dir(&root).map_err(|error| Failure::io(&root, &error))?;
    let mut sink = Folder { root: root.clone() };
    let entries = unseal(
        file,
        (&head, &identities),
        &mut sink,
        (&wanted.bundle, screen),
    )?;
    durable::rename(&root, &target)?;
    if screen.json {
        screen.facts(&serde_json::json!({
            "format": "amanah-open/1", "bundle": head.digest(), "into": target,
            "proof": proof.code(), "entries": entries,
        }))?;
    } else {
        screen.say(face::OPENED, &[&entries, &wanted.into.display()])?;
        let proven = screen.text(proof.text(), &[]);
        screen.say(face::OPENED_FROM, &[&head.manifest().from, &proven])?;
    }
    Ok(Exit::Ok)
}

/// A refusal in words.
fn refused(refusal: Refusal, screen: &Screen<'_>) -> Failure {
    let meaning = refusals::explain(refusal.code()).map(|found| found.meaning);
    let meaning = meaning.map_or("", |text| text.in_language(screen.language));
    screen.failure(Exit::Negative, face::NOT_OPENED, &[&refusal, &meaning])
}

fn identities(wanted: &Wanted, place: &Place, screen: &Screen<'_>) -> Outcome<Vec<Identity>> {
    let Some(path) = &wanted.key else {
        return Ok(place.config()?.keys.decryption()?);
    };
    let metadata = std::fs::metadata(path).map_err(|error| Failure::io(path, &error))?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        let shown = format!("{mode:04o}");
        return Err(screen.failure(
            Exit::Permission,
            face::LOOSE_KEY,
            &[&path.display(), &shown],
        ));
    }
    let text =
        String::from_utf8(papers::read(path)?).map_err(|error| papers::malformed(path, error))?;
    Identity::read_all(&text).map_err(|error| papers::malformed(path, error))
}

/// Decrypts into the sink and hashes the ciphertext in passing; returns how many entries there are.
fn unseal(
    mut file: File,
    (head, identities): (&VerifiedHead, &[Identity]),
    sink: &mut Folder,
    (path, screen): (&Path, &Screen<'_>),
) -> Outcome<u64> {
    let io = |error: &io::Error| Failure::io(path, error);
    let manifest = head.manifest();
    file.seek(SeekFrom::Start(BUNDLE_HEAD_BYTES))
        .map_err(|error| io(&error))?;
    let bar = verify::bar(manifest.payload.bytes, screen);
    let ciphertext = bar.wrap_read(file).take(manifest.payload.bytes);
    let mut reader = HashingReader::new(ciphertext);
    let opened = open_payload(&mut reader, identities, manifest, sink);
    let drained = io::copy(&mut reader, &mut io::sink());
    bar.finish_and_clear();
    drained.map_err(|error| io(&error))?;
    let (_, digest, _) = reader.finish();
    if digest != manifest.payload.digest {
        let reason = screen.text(face::PAYLOAD_DIFFERS, &[]);
        return Err(screen.failure(
            Exit::Negative,
            face::NOT_OPENED,
            &[&path.display(), &reason],
        ));
    }
    match opened {
        Ok(_) => Ok(manifest.contents.entries),
        Err(OpenError::Refused(Refusal::DecryptionFailed)) => {
            Err(screen.failure(Exit::Negative, face::NO_KEY_FITS, &[&manifest.to]))
        }
        Err(OpenError::Refused(refusal)) => Err(refused(refusal, screen)),
        Err(OpenError::Io(error)) => Err(io(&error)),
    }
}

/// Writes entries beneath a folder.
struct Folder {
    root: PathBuf,
}

impl EntrySink for Folder {
    fn entry(&mut self, path: &EntryPath, _bytes: u64, content: &mut dyn Read) -> io::Result<()> {
        let mut file = durable::create_beneath(&self.root, Path::new(path.as_str()), 0o600)?;
        io::copy(content, &mut file)?;
        file.sync_all()
    }
}

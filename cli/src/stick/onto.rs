//! Copies a file onto a stick so that after success it is there whole: under `NAME.part`, synced, read back from the stick and
//! compared, then renamed. A part that an interrupted copy left is gone on with as far as its bytes are the same.
//! Nothing is asked of the stick but files and renames, so FAT will do: no modes, no links.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;

use amanah_format::digest::{Digest, HashingReader};
use amanah_format::home::PART_SUFFIX;
use amanahd::durable;
use rustix::fs::{Advice, Mode, OFlags};

use super::about;
use crate::{exit::Outcome, screen::Screen};

const CHUNK: usize = 256 * 1024;

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Put {
    /// Copied now, or the rest of it.
    Copied,
    /// The very same bytes lay there.
    There,
    /// The stick has no room for it.
    NoRoom,
    /// The stick's file system takes no file of that length.
    TooLong,
}

/// Copies `source` to `folder/name`; `passed` hears of bytes. What concerns this file alone is an answer, the rest an error.
pub(crate) fn put(
    source: &Path,
    (folder, name): (&Path, &str),
    screen: &Screen<'_>,
    passed: &mut dyn FnMut(u64),
) -> Outcome<Put> {
    let (target, part) = (
        folder.join(name),
        folder.join(format!("{name}{PART_SUFFIX}")),
    );
    if is_same(source, (folder, name)) {
        passed(source.metadata().map_or(0, |metadata| metadata.len()));
        return Ok(Put::There);
    }
    if !has_room(source, folder, &part) {
        let _ = std::fs::remove_file(&part);
        return Ok(Put::NoRoom);
    }
    let (file, digest) = match write(source, (folder, &part), passed) {
        Ok(written) => written,
        Err(error) => {
            let put = about_this_file(error.kind()).ok_or_else(|| about(&part, &error, screen))?;
            // The room is another file's; what was begun in vain helps nobody.
            let _ = std::fs::remove_file(&part);
            return Ok(put);
        }
    };
    durable::sync(&file, &part)?;
    if read_back(&file).ok() != Some(digest) {
        let _ = std::fs::remove_file(&part);
        let text = amanahd::catalogue::faces::stick::OTHER_BYTES;
        return Err(screen.failure(crate::exit::Exit::Io, text, &[&target.display()]));
    }
    durable::replace(&part, &target)?;
    Ok(Put::Copied)
}

/// Whether the stick has room for the rest of it; asked first, so that a stick is not filled in vain, and because not every
/// driver says later that it is full. A file system that does not know counts as empty.
fn has_room(source: &Path, folder: &Path, part: &Path) -> bool {
    let length = |path: &Path| path.symlink_metadata().map_or(0, |metadata| metadata.len());
    let rest = length(source).saturating_sub(length(part));
    rustix::fs::statvfs(folder).map_or(true, |stat| {
        stat.f_blocks == 0 || stat.f_bavail.saturating_mul(stat.f_frsize) >= rest
    })
}

/// Where another file may still fit.
fn about_this_file(kind: io::ErrorKind) -> Option<Put> {
    if matches!(
        kind,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    ) {
        Some(Put::NoRoom)
    } else {
        (kind == io::ErrorKind::FileTooLarge).then_some(Put::TooLong)
    }
}

/// Whether the very same bytes lie there already, in a regular file.
fn is_same(source: &Path, (folder, name): (&Path, &str)) -> bool {
    let Ok(there) = durable::open_beneath(folder, Path::new(name)) else {
        return false;
    };
    let Ok(source) = File::open(source) else {
        return false;
    };
    let length = |file: &File| file.metadata().map(|metadata| metadata.len()).ok();
    length(&there) == length(&source) && digest_of(&there).ok() == digest_of(&source).ok()
}

/// Goes on with the part, or begins it; the digest of what the source holds.
fn write(
    source: &Path,
    (folder, part): (&Path, &Path),
    passed: &mut dyn FnMut(u64),
) -> io::Result<(File, Digest)> {
    let name = part.file_name().unwrap_or_default();
    if part.symlink_metadata().is_ok() && durable::open_beneath(folder, Path::new(name)).is_err() {
        // A link or something stranger: never written through.
        std::fs::remove_file(part)?;
    }
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file: File = rustix::fs::open(part, flags, Mode::from_raw_mode(0o644))?.into();
    let mut source = HashingReader::new(File::open(source)?);
    let (mut chunk, mut there) = (vec![0; CHUNK], vec![0; CHUNK]);
    let (mut at, mut resumes) = (0_u64, true);
    loop {
        let length = source.read(&mut chunk)?;
        let (Some(bytes), Some(old)) = (chunk.get(..length), there.get_mut(..length)) else {
            break;
        };
        if bytes.is_empty() {
            break;
        }
        resumes = resumes && file.read_exact_at(old, at).is_ok() && bytes == old;
        if !resumes {
            file.write_all_at(bytes, at)?;
        }
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        at = at.saturating_add(length);
        passed(length);
    }
    // Some FAT drivers refuse to set the length that there is already.
    if file.metadata()?.len() != at {
        file.set_len(at)?;
    }
    let (_, digest, _) = source.finish();
    Ok((file, digest))
}

/// The digest of what the stick itself holds: what memory remembers of it is dropped first.
fn read_back(file: &File) -> io::Result<Digest> {
    rustix::fs::fadvise(file, 0, None, Advice::DontNeed)?;
    digest_of(file)
}

fn digest_of(mut file: &File) -> io::Result<Digest> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = HashingReader::new(io::BufReader::with_capacity(CHUNK, file));
    io::copy(&mut reader, &mut io::sink())?;
    let (_, digest, _) = reader.finish();
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Streams;
    use amanahd::catalogue::Language;

    /// Copies a source of these bytes to `folder/x`.
    fn copy(bytes: &[u8], folder: &Path) -> Put {
        let ground = tempfile::tempdir().unwrap();
        let source = ground.path().join("x");
        std::fs::write(&source, bytes).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let streams = Streams {
            out: &mut out,
            err: &mut err,
            is_terminal: false,
        };
        let screen = Screen::new(streams, Language::English, false);
        let mut passed = 0;
        let put = put(&source, (folder, "x"), &screen, &mut |bytes| {
            passed += bytes;
        });
        assert_eq!(passed, u64::try_from(bytes.len()).unwrap());
        put.unwrap()
    }

    #[test]
    fn a_part_that_was_begun_is_gone_on_with_and_one_of_other_bytes_is_written_anew() {
        let bytes: Vec<u8> = (0_u32..400_000).flat_map(u32::to_le_bytes).collect();
        let other = vec![7; bytes.len() + 5];
        for begun in [&bytes[..900_000], &bytes[..0], &bytes, &other, &other[..3]] {
            let stick = tempfile::tempdir().unwrap();
            std::fs::write(stick.path().join("x.part"), begun).unwrap();
            assert_eq!(copy(&bytes, stick.path()), Put::Copied);
            assert_eq!(std::fs::read(stick.path().join("x")).unwrap(), bytes);
            assert!(!stick.path().join("x.part").exists());
            assert_eq!(copy(&bytes, stick.path()), Put::There);
            assert_eq!(copy(b"new", stick.path()), Put::Copied);
        }
    }

    #[test]
    fn a_link_on_the_stick_is_replaced_and_never_written_through() {
        let (stick, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let victim = home.path().join("victim");
        std::fs::write(&victim, "before").unwrap();
        for name in ["x", "x.part"] {
            std::os::unix::fs::symlink(&victim, stick.path().join(name)).unwrap();
        }
        assert_eq!(copy(b"bytes", stick.path()), Put::Copied);
        assert_eq!(std::fs::read(&victim).unwrap(), b"before");
        let target = stick.path().join("x");
        assert!(target.symlink_metadata().unwrap().is_file());
        assert_eq!(std::fs::read(target).unwrap(), b"bytes");
    }

    #[test]
    fn a_full_stick_and_a_file_that_is_too_long_concern_that_file_alone() {
        let of = about_this_file;
        assert_eq!(of(io::ErrorKind::StorageFull), Some(Put::NoRoom));
        assert_eq!(of(io::ErrorKind::FileTooLarge), Some(Put::TooLong));
        assert_eq!(of(io::ErrorKind::ReadOnlyFilesystem), None);
        assert_eq!(of(io::ErrorKind::PermissionDenied), None);
    }
}

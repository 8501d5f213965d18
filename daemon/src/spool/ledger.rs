//! The published copy of the ledger: `ledger/records.jsonl` and `ledger/checkpoint`, for operators and auditors. The journal
//! holds the ledger; this copy can always be written on from it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use amanah_format::home;
use amanah_format::ledger::Checkpoint;

use super::{MODE_SHOWN, MODE_TEXT, Spool, SpoolError, failed};
use crate::durable;

/// How long the published records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Length {
    lines: u64,
    bytes: u64,
}

impl Spool {
    /// Appends lines to `ledger/records.jsonl` from `index` on (cutting off what a crash left beyond), then replaces
    /// `ledger/checkpoint` where one is given: no reader of both sees a checkpoint beyond the records.
    ///
    /// # Errors
    /// [`SpoolError`]; `index` beyond what is published.
    pub fn publish_ledger(
        &self,
        index: u64,
        lines: &[Vec<u8>],
        checkpoint: Option<&str>,
    ) -> Result<(), SpoolError> {
        let mut known = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.take();
        let path = self.records();
        let io = |source| failed("publishing the ledger in", &path, source);
        let mut file = self.open_records()?;
        let from = match before {
            Some(length) if length.lines == index => length,
            _ => measure(&mut file, index).map_err(io)?,
        };
        if from.lines < index {
            let text = "lines before the ones to append are missing";
            return Err(io(io::Error::new(io::ErrorKind::InvalidInput, text)));
        }
        let length = append(&mut file, from, lines).map_err(io)?;
        if !lines.is_empty() {
            durable::sync_bytes(&file, &path)?;
        }
        if let Some(note) = checkpoint {
            let folder = self.home.join(home::LEDGER);
            durable::write(&folder, "checkpoint", note.as_bytes(), MODE_TEXT)?;
        }
        *known = Some(length);
        Ok(())
    }

    /// The size of the published checkpoint, 0 where there is none: as its second line says, which nobody has verified.
    #[must_use]
    pub fn published_size(&self) -> u64 {
        let path = self.home.join(home::LEDGER_CHECKPOINT);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let size = text.lines().nth(1).and_then(|line| line.parse().ok());
        size.unwrap_or(0)
    }

    /// Puts a published ledger aside that is longer than the journal's: it tells of what the journal has lost, and the next
    /// one is written anew. Kept under names with its size.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn set_ledger_aside(&self, size: u64) -> Result<(), SpoolError> {
        for name in [home::LEDGER_CHECKPOINT, home::LEDGER_RECORDS] {
            let path = self.home.join(name);
            if path.exists() {
                durable::replace(&path, &self.home.join(format!("{name}.{size}")))?;
            }
        }
        // What peers cosigned is of the ledger that is put aside.
        let cosigned = self.home.join(home::LEDGER_COSIGNED);
        let aside = format!("{}.{size}", home::LEDGER_COSIGNED);
        if !self.home.join(&aside).exists() {
            durable::replace(&cosigned, &self.home.join(aside))?;
        }
        let folder = Path::new(home::LEDGER_COSIGNED);
        Ok(durable::ensure_folder_beneath(
            &self.home, folder, MODE_SHOWN,
        )?)
    }

    /// How many whole lines `ledger/records.jsonl` has.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn published_ledger(&self) -> Result<u64, SpoolError> {
        let mut known = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(length) = *known {
            return Ok(length.lines);
        }
        let mut file = self.open_records()?;
        let length = measure(&mut file, u64::MAX)
            .map_err(|source| failed("reading", &self.records(), source))?;
        *known = Some(length);
        Ok(length.lines)
    }

    /// Whether the published checkpoint is of this ledger and size. The root follows from them: a ledger only grows.
    #[must_use]
    pub fn has_checkpoint(&self, checkpoint: &Checkpoint) -> bool {
        let path = self.home.join(home::LEDGER_CHECKPOINT);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.starts_with(&format!("{}\n{}\n", checkpoint.origin, checkpoint.size))
    }

    fn records(&self) -> PathBuf {
        self.home.join(home::LEDGER_RECORDS)
    }

    fn open_records(&self) -> Result<File, SpoolError> {
        let path = self.records();
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(MODE_TEXT);
        options
            .open(&path)
            .map_err(|source| failed("opening", &path, source))
    }
}

/// Counts whole lines, at most `lines_max` of them.
fn measure(file: &mut File, lines_max: u64) -> io::Result<Length> {
    let mut length = Length { lines: 0, bytes: 0 };
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    reader.seek(SeekFrom::Start(0))?;
    while length.lines < lines_max {
        let read = pass_line(&mut reader)?;
        if read == 0 {
            break;
        }
        length.lines += 1;
        length.bytes += read;
    }
    Ok(length)
}

/// Reads over one line. Its length with its line feed; 0 when no whole line is left.
fn pass_line(reader: &mut impl BufRead) -> io::Result<u64> {
    let mut passed = 0_u64;
    loop {
        let bytes = reader.fill_buf()?;
        let at = bytes.iter().position(|byte| *byte == b'\n');
        let used = at.map_or(bytes.len(), |at| at + 1);
        if used == 0 {
            return Ok(0);
        }
        reader.consume(used);
        passed += u64::try_from(used).unwrap_or(u64::MAX);
        if at.is_some() {
            return Ok(passed);
        }
    }
}

/// Cuts the file at `from` and writes the lines behind.
fn append(file: &mut File, from: Length, lines: &[Vec<u8>]) -> io::Result<Length> {
    file.set_len(from.bytes)?;
    file.seek(SeekFrom::Start(from.bytes))?;
    let mut text = Vec::new();
    for line in lines {
        text.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line));
        text.push(b'\n');
    }
    file.write_all(&text)?;
    let count = |length: usize| u64::try_from(length).map_err(io::Error::other);
    Ok(Length {
        lines: from.lines + count(lines.len())?,
        bytes: from.bytes + count(text.len())?,
    })
}

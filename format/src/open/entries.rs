//! The tar layer: each entry checked, hashed in passing, handed to the sink; then `contents.json` against all of them.
//! FORMAT.md §7 and §8.

use std::io::{self, Read};

use super::{
    EntrySink, OpenError,
    layer::{Faults, Layer, Watched},
};
use crate::{
    container::{ContainerError, RawEntry, Walker},
    contents::{self, Contents, Entry, Paths},
    digest::{Digest, HashingReader},
    document::{self, DocumentError},
    entry_path::EntryPath,
    limits::{CONTENTS_BYTES_MAX, ENTRIES_MAX},
    manifest::Manifest,
    refusal::Refusal,
};

/// A payload's tar under way.
pub(super) struct Entries<'a, R> {
    walker: Walker<R>,
    manifest: &'a Manifest,
    faults: &'a Faults,
    found: Vec<Entry>,
    paths: Paths,
    bytes: u64,
}

impl<'a, R: Read> Entries<'a, R> {
    /// Nothing is read yet.
    pub(super) fn new(tar: R, manifest: &'a Manifest, faults: &'a Faults) -> Self {
        Self {
            walker: Walker::new(tar),
            manifest,
            faults,
            found: Vec::new(),
            paths: Paths::default(),
            bytes: 0,
        }
    }

    /// Hands every entry to `sink`, in order, and reads the tar to its end.
    pub(super) fn read(mut self, sink: &mut dyn EntrySink) -> Result<Contents, OpenError> {
        while let Some(entry) = self.walker.next_entry().map_err(refuse)? {
            if entry.path == contents::NAME.as_bytes() {
                return self.contents(entry.bytes);
            }
            self.entry(&entry, sink)?;
        }
        Err(OpenError::Refused(Refusal::ContentsMismatch))
    }

    fn entry(&mut self, entry: &RawEntry, sink: &mut dyn EntrySink) -> Result<(), OpenError> {
        let bytes = entry.bytes;
        let path = EntryPath::parse(&entry.path)
            .ok()
            .filter(|path| self.paths.take(path))
            .ok_or(OpenError::Refused(Refusal::EntryPath))?;
        // Judged at the header: nothing beyond what was signed reaches the sink.
        self.bytes = self.bytes.saturating_add(bytes);
        let signed = self.manifest.contents;
        if count(&self.found) >= signed.entries.min(ENTRIES_MAX) || self.bytes > signed.bytes {
            return Err(OpenError::Refused(Refusal::PayloadExceeds));
        }
        let content = Watched::new(self.walker.content(), self.faults, Layer::Frame);
        let mut content = HashingReader::new(content);
        sink.entry(&path, bytes, &mut content)?;
        let (_, digest, read) = content.finish();
        if read != bytes {
            let error = io::Error::other("the sink did not read an entry to its end");
            return Err(OpenError::Io(error));
        }
        self.found.push(Entry {
            path: path.as_str().to_owned(),
            bytes,
            digest,
            records: None,
            totals: None,
        });
        Ok(())
    }

    fn contents(mut self, bytes: u64) -> Result<Contents, OpenError> {
        let mismatch = || OpenError::Refused(Refusal::ContentsMismatch);
        if bytes > CONTENTS_BYTES_MAX {
            return Err(OpenError::Refused(Refusal::PayloadExceeds));
        }
        let text = self.walker.content_whole().map_err(refuse)?;
        if self.walker.next_entry().map_err(refuse)?.is_some() {
            return Err(mismatch());
        }
        let signed = self.manifest.contents;
        if Digest::of(&text) != signed.digest {
            return Err(mismatch());
        }
        let contents = document::parse::<Contents>(&text).map_err(|error| refuse_text(&error))?;
        let agrees = contents.binding() == self.manifest.binding()
            && contents.is_salted()
            && count(&self.found) == signed.entries
            && self.bytes == signed.bytes
            && is_same(&contents.entries, &self.found);
        if agrees {
            Ok(contents)
        } else {
            Err(mismatch())
        }
    }
}

/// Whether the list names the entries as they were found, in their order.
fn is_same(listed: &[Entry], found: &[Entry]) -> bool {
    let same = |(listed, found): (&Entry, &Entry)| {
        listed.path == found.path && listed.bytes == found.bytes && listed.digest == found.digest
    };
    listed.len() == found.len() && listed.iter().zip(found).all(same)
}

fn count(entries: &[Entry]) -> u64 {
    u64::try_from(entries.len()).unwrap_or(u64::MAX)
}

/// A fault of the layers beneath was noted where it was read, and outweighs this.
fn refuse(error: ContainerError) -> OpenError {
    OpenError::Refused(match error {
        ContainerError::Kind(_) => Refusal::EntryKind,
        ContainerError::Rule(_) | ContainerError::Truncated | ContainerError::Io(_) => {
            Refusal::PayloadMalformed
        }
    })
}

fn refuse_text(error: &DocumentError) -> OpenError {
    OpenError::Refused(match error {
        DocumentError::Format { .. } | DocumentError::Critical(_) => Refusal::FormatUnsupported,
        DocumentError::TooLong { .. } | DocumentError::Json(_) | DocumentError::Shape { .. } => {
            Refusal::ContentsMismatch
        }
    })
}

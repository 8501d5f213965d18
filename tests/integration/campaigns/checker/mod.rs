//! What must hold after whatever happened, judged without a line of the daemon's code, the format crate's or the program's:
//! from what was dropped, what the folders hold, the receipts, the ledgers and SPOOL.md's tables. SAFETY's rule for a checker.
//!
//! `instant` holds at every instant at which one side is dead; `rest` once everything came to its end.

mod inbox;
mod journal;
mod ledger;
mod rest;
mod tape;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

use inbox::Inbox;
pub(super) use rest::Counted;

/// The files of an item by their path in it (empty: the item is a file): SHA-256 and length.
pub(super) type Files = BTreeMap<PathBuf, ([u8; 32], u64)>;

/// Something that an operator dropped. Names are not used twice.
#[derive(Debug, Clone)]
pub(super) struct Dropped {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) flow: String,
    pub(super) name: String,
    pub(super) files: Files,
}

/// One of the two.
#[derive(Debug, Clone)]
pub(super) struct Side {
    pub(super) party: String,
    pub(super) home: PathBuf,
}

/// Who saw what was dropped, and where both live.
pub(super) struct Witness {
    pub(super) sides: [Side; 2],
    pub(super) dropped: Vec<Dropped>,
    /// Whether a bundle may deserve a refusal: not unless the campaign makes it so.
    pub(super) may_refuse: bool,
}

impl Witness {
    /// What holds while `dead` (an index) is not running, whatever the other does.
    pub(super) fn instant(&self, dead: usize) -> Result<()> {
        let (me, other) = (&self.sides[dead], &self.sides[1 - dead]);
        let mine = Inbox::read(me)?;
        mine.holds_only_whole_items_once(&self.dropped)?;
        for receipt in receipts(&me.home.join("receipts/sent").join(&other.party))? {
            self.is_true(&receipt, me, other, &mine)?;
        }
        // The other side only ever adds to its inbox: read after the receipts, it must hold what they say.
        let received = receipts(&me.home.join("receipts/received").join(&other.party))?;
        let theirs = Inbox::read(other)?;
        self.nothing_is_lost(me, &theirs)?;
        for receipt in received {
            self.is_true(&receipt, other, me, &theirs)?;
            let name = receipt.file_name().context("a receipt without a name")?;
            let theirs = other.home.join("receipts/sent").join(&me.party).join(name);
            ensure!(
                fs::read(&receipt)? == fs::read(&theirs)?,
                "{name:?}: two receipts for one bundle"
            );
        }
        Ok(())
    }

    /// Each item that this side sends lies, whole, in the outbox, in `sent/`, or in `returned/`; and in `sent/` only when the
    /// other side has imported it.
    fn nothing_is_lost(&self, me: &Side, theirs: &Inbox) -> Result<()> {
        let mut folders: BTreeMap<PathBuf, Vec<Files>> = BTreeMap::new();
        for item in self.dropped.iter().filter(|item| item.from == me.party) {
            let below = |top: &str| me.home.join(top).join(&item.to).join(&item.flow);
            let sent = below("sent").join(&item.name);
            if files_of(&sent)?.as_ref() == Some(&item.files) {
                let times = theirs.count(item);
                ensure!(
                    times == 1,
                    "{}: in sent/, but imported {times} times",
                    item.name
                );
                continue;
            }
            let outbox = below("outbox");
            let waiting = match folders.entry(outbox.clone()) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(new) => new.insert(items_in(&outbox)?),
            };
            let returned = || files_of(&below("returned").join(&item.name));
            if !waiting.contains(&item.files) && returned()?.as_ref() != Some(&item.files) {
                bail!(
                    "{}: lost: neither in the outbox nor in sent/ nor returned",
                    item.name
                );
            }
        }
        Ok(())
    }

    /// A receipt that says imported is true: `signer`, who signed it, has the whole bundle in its inbox.
    fn is_true(&self, receipt: &Path, signer: &Side, sender: &Side, inbox: &Inbox) -> Result<()> {
        let text = tape::document(receipt, "receipt.json")?;
        let hex = hex_of(receipt)?;
        ensure!(
            text["manifest"] == format!("sha256:{hex}"),
            "{hex}: names another bundle"
        );
        ensure!(text["from"] == signer.party.as_str(), "{hex}: from another");
        ensure!(text["to"] == sender.party.as_str(), "{hex}: to another");
        let manifest = self.manifest(&hex, signer, sender)?;
        let bundle = manifest["bundle"]
            .as_str()
            .context("a manifest has no bundle id")?;
        if text["outcome"] == "refused" && self.may_refuse {
            ensure!(
                !inbox.bundles.contains_key(bundle),
                "{hex}: refused and imported"
            );
            return Ok(());
        }
        if text["outcome"] != "imported" {
            bail!(
                "{hex}: refused with {}, and nothing here deserves it",
                text["refusal"]
            );
        }
        let Some(files) = inbox.bundles.get(bundle) else {
            bail!(
                "{hex}: its receipt says imported, and {} does not have {bundle}",
                signer.party
            );
        };
        let entries = text["store"]["entries"].as_u64();
        ensure!(
            entries == Some(files.len().try_into()?),
            "{hex}: {entries:?} entries, {files:?}"
        );
        ensure!(
            text["sequence"] == manifest["sequence"],
            "{hex}: another place"
        );
        Ok(())
    }

    /// The manifest that has this digest, wherever the bundle lies now: it may be moving while we look.
    fn manifest(&self, hex: &str, signer: &Side, sender: &Side) -> Result<serde_json::Value> {
        let name = format!("{hex}.amanah");
        let places = [
            signer
                .home
                .join("spool/archive/received")
                .join(&sender.party),
            signer.home.join("spool/incoming").join(&sender.party),
            sender.home.join("spool/queue").join(&signer.party),
            sender.home.join("spool/archive/sent").join(&signer.party),
        ];
        for _ in 0..3 {
            for place in &places {
                let Ok(text) = tape::member(&place.join(&name), "manifest.json") else {
                    continue;
                };
                ensure!(
                    to_hex(&Sha256::digest(&text)) == hex,
                    "{hex}: another digest"
                );
                return Ok(serde_json::from_slice(&text)?);
            }
        }
        bail!("{hex}: its bundle is nowhere")
    }
}

/// The exact text of a bundle's manifest.
pub(super) fn bundle_manifest(bundle: &Path) -> Result<Vec<u8>> {
    tape::member(bundle, "manifest.json")
}

/// The receipts in a folder, which need not be there yet.
fn receipts(folder: &Path) -> Result<Vec<PathBuf>> {
    let names = names_in(folder)?.into_iter();
    Ok(names
        .filter(|name| !name.starts_with('.'))
        .map(|name| folder.join(name))
        .collect())
}

/// The digest in a receipt's or bundle's name.
fn hex_of(path: &Path) -> Result<String> {
    let name = path.file_name().context("no name")?.to_string_lossy();
    Ok(name.split('.').next().unwrap_or_default().to_owned())
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Names in a folder, sorted; none where there is no folder.
fn names_in(folder: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| folder.display().to_string())?,
    };
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<std::io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// Everything that lies in an outbox, claimed or not, by content.
fn items_in(folder: &Path) -> Result<Vec<Files>> {
    let items = names_in(folder)?
        .into_iter()
        .map(|name| files_of(&folder.join(name)));
    Ok(items
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect())
}

/// The files of a file or folder; none where nothing of this name is.
pub(super) fn files_of(path: &Path) -> Result<Option<Files>> {
    let mut files = Files::new();
    if path.symlink_metadata().is_err() {
        return Ok(None);
    }
    add(path, PathBuf::new(), &mut files)?;
    Ok(Some(files))
}

fn add(path: &Path, below: PathBuf, files: &mut Files) -> Result<()> {
    if path.is_dir() {
        for name in names_in(path)? {
            add(&path.join(&name), below.join(&name), files)?;
        }
        return Ok(());
    }
    let mut hasher = Sha256::new();
    let mut file = File::open(path).with_context(|| path.display().to_string())?;
    let (mut bytes, mut buffer) = (0, vec![0; 64 * 1024]);
    loop {
        let read = std::io::Read::read(&mut file, &mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        bytes += u64::try_from(read)?;
    }
    files.insert(below, (hasher.finalize().into(), bytes));
    Ok(())
}

//! A founded pair with what tests do to it again and again: drop a text, wait for the end of everything, and check what must
//! hold after whatever happened in between.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use amanah::demo::evidence::{verify_ledger, verify_receipts};
pub use amanah::demo::exchange::{Arrived, Dropped, drop_item, inbox_tree};
use amanah::demo::exchange::{compare, exactly_once, until_settled};
use amanah::demo::items::{Item, Way, tree_of};
use amanah::demo::launch::Launch;
use amanah::demo::ministry::Ministry;
use amanah::demo::pair::{Ground, Pair};
use amanah::demo::waiting::until;
use amanah_format::home;
use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// Longest wait for anything: many times what it takes, also where eight tests share two cores.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Longest time between the last published state and the end of the work that it tells of.
const SWEEP: Duration = Duration::from_secs(10);

/// States of an outgoing bundle in which nothing more happens.
const OUTBOUND_ENDS: [&str; 3] = ["settled", "returned", "put-back"];
/// The state of an incoming bundle in which nothing more happens: its receipt is at the sender.
const INBOUND_END: &str = "delivered";

/// A pair on ground of its own. The daemons end before the ground goes: fields are dropped in their order.
pub struct Exchange {
    /// The two.
    pub pair: Pair,
    /// What Penyelenggaraan Haji dan Umrah sends.
    pub out: Way,
    /// What Imigrasi sends.
    pub back: Way,
    ground: TempDir,
}

impl Exchange {
    /// Founded; no daemon runs.
    ///
    /// # Errors
    /// A command fails.
    pub fn found(program: &Path) -> Result<Self> {
        let ground = tempfile::Builder::new().prefix("amanah-test-").tempdir()?;
        let launch = Launch::of(program);
        let pair = Ground {
            folder: ground.path(),
            phu: launch.clone(),
            imigrasi: launch,
        };
        let pair = pair.found(&mut |_, _| Ok(()))?;
        let [out, back] = pair.ways()?;
        Ok(Self {
            pair,
            out,
            back,
            ground,
        })
    }

    /// Founded, started and connected.
    ///
    /// # Errors
    /// A command fails, or they do not connect.
    pub fn connected(program: &Path) -> Result<Self> {
        let mut exchange = Self::found(program)?;
        exchange.pair.start()?;
        Ok(exchange)
    }

    /// A place for material beside the homes.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.ground.path()
    }

    /// A file or folder as an item of a direction. `files` are paths below the item and texts; one with an empty path is the
    /// item itself.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn item(&self, way: &Way, name: &str, files: &[(&str, &str)]) -> Result<Item> {
        let material = self
            .folder()
            .join("bahan")
            .join(way.from.as_str())
            .join(name);
        for (path, text) in files {
            let place = if path.is_empty() {
                material.clone()
            } else {
                material.join(path)
            };
            fs::create_dir_all(place.parent().unwrap_or(&material))?;
            fs::write(place, text)?;
        }
        Ok(Item {
            from: way.from.clone(),
            to: way.to.clone(),
            flow: way.flow.clone(),
            name: OsString::from(name),
            tree: tree_of(&material)?,
            material,
        })
    }

    /// Drops a text as a file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn drop_text(&mut self, way: &Way, name: &str, text: &str) -> Result<Dropped> {
        let item = self.item(way, name, &[("", text)])?;
        let (sender, _) = self.pair.sender_and_receiver(&way.from);
        drop_item(sender, item)
    }

    /// Waits until all of them, of one direction, are settled.
    ///
    /// # Errors
    /// One is returned, or it takes too long.
    pub fn settled(&mut self, dropped: &[Dropped]) -> Result<Vec<Arrived>> {
        let Some(first) = dropped.first() else {
            return Ok(Vec::new());
        };
        let (sender, _) = self.pair.sender_and_receiver(&first.item.from);
        until_settled(sender, dropped, PATIENCE, &mut |_| {})
    }

    /// What must hold after whatever happened: what was dropped in this direction, and nothing else, was imported exactly
    /// once, originals lie in `sent/`, every receipt and both ledgers verify, nothing is under way.
    ///
    /// # Errors
    /// It does not hold.
    pub fn holds(&mut self, arrived: &[Arrived]) -> Result<()> {
        let Some(first) = arrived.first() else {
            return Ok(());
        };
        self.at_rest()?;
        let from = first.item.from.clone();
        let (sender, receiver) = self.pair.sender_and_receiver(&from);
        for one in arrived {
            compare(sender, receiver, one)?;
        }
        exactly_once(receiver, arrived)?;
        verify_receipts(sender, receiver)?;
        verify_ledger(sender)?;
        verify_ledger(receiver)?;
        for ministry in [sender, receiver] {
            nothing_left(ministry)?;
        }
        Ok(())
    }

    /// Waits until every bundle on both sides is in a state in which nothing more happens.
    ///
    /// # Errors
    /// It takes too long.
    pub fn at_rest(&mut self) -> Result<()> {
        for ministry in [&mut self.pair.phu, &mut self.pair.imigrasi] {
            ministry.wait_for("rest", PATIENCE, |status| {
                let out = status
                    .outgoing
                    .iter()
                    .all(|bundle| OUTBOUND_ENDS.contains(&bundle.state.as_str()));
                let back = status
                    .incoming
                    .iter()
                    .all(|bundle| bundle.state == INBOUND_END);
                (out && back).then_some(())
            })?;
        }
        Ok(())
    }
}

/// Nothing lies where things lie only while they are under way: work, queue, incoming parts, claimed items.
///
/// # Errors
/// Something does.
pub fn nothing_left(ministry: &Ministry) -> Result<()> {
    let places = [
        home::WORK,
        home::QUEUE,
        home::INCOMING,
        home::OUTBOX,
        home::INBOX_STAGING,
    ];
    let mut left = Vec::new();
    // The last state is published a moment before the last file is swept, and a slip may just be coming in.
    let empty = until("nothing left behind", SWEEP, || {
        left.clear();
        for place in places {
            left.extend(files_below(&ministry.path(place))?);
        }
        Ok(left.is_empty().then_some(()))
    });
    empty.with_context(|| format!("{}: left behind: {left:?}", ministry.party()))
}

/// All files below a folder, in the order of their paths; none where there is no folder. What goes away meanwhile (a daemon renames
/// its temporary files, and removes what it is done with) is not there.
///
/// # Errors
/// Something is neither file nor folder, or cannot be read.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    add_files(folder, &mut found).with_context(|| folder.display().to_string())?;
    found.sort();
    Ok(found)
}

fn add_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let Some(entries) = unless_gone(fs::read_dir(folder))? else {
        return Ok(());
    };
    for entry in entries {
        let path = entry?.path();
        let Some(metadata) = unless_gone(path.symlink_metadata())? else {
            continue;
        };
        if metadata.is_dir() {
            add_files(&path, found)?;
        } else if metadata.is_file() {
            found.push(path);
        } else {
            bail!("{}: neither file nor folder", path.display());
        }
    }
    Ok(())
}

fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

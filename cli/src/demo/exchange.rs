//! The exchange itself: what was dropped is waited for until its receipt is verified and its original settled, then compared:
//! the imported bytes with the dropped ones, by the SHA-256 of every file, and the original in `sent/` as well.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_format::id::BundleId;
use amanahd::clock::Clock;
use amanahd::snapshot::{OutgoingStatus, Snapshot};
use anyhow::{Context, Result, bail};

use super::items::{Item, Tree, tree_of};
use super::ministry::Ministry;

/// The state in which nothing more happens to a bundle that was imported: its receipt is verified, its originals are settled.
pub const SETTLED: &str = "settled";
/// The state in which nothing more happens to a bundle that came back.
pub const RETURNED: &str = "returned";

/// An item that was dropped, and when.
#[derive(Debug, Clone)]
pub struct Dropped {
    /// What.
    pub item: Item,
    /// Milliseconds since 1970 when it appeared in the outbox.
    pub at_millis: u64,
}

/// An item that arrived: which bundle carried it, and how long it took.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// What.
    pub item: Item,
    /// The bundle that carried it.
    pub bundle: BundleId,
    /// Its manifest.
    pub manifest: Digest,
    /// From the drop to the settlement, for which the receipt must have been verified.
    pub millis: u64,
}

/// Drops an item into its sender's outbox.
///
/// # Errors
/// It cannot be copied there.
pub fn drop_item(sender: &Ministry, item: Item) -> Result<Dropped> {
    item.drop_into(&sender.outbox(&item.to, &item.flow))?;
    Ok(Dropped {
        at_millis: Clock::default().unix_millis(),
        item,
    })
}

/// Waits until all of them are settled; `told` hears at each look how many are, and how many bytes the peer has.
///
/// # Errors
/// One is returned or does not settle within `within`.
pub fn until_settled(
    sender: &mut Ministry,
    dropped: &[Dropped],
    within: Duration,
    told: &mut dyn FnMut(Progress),
) -> Result<Vec<Arrived>> {
    sender.wait_for("every receipt", within, |status| {
        told(Progress::of(status, dropped));
        let looks = dropped
            .iter()
            .map(|dropped| arrived(status, dropped).transpose());
        match looks.collect::<Result<Vec<_>>>() {
            Ok(looks) => looks.into_iter().collect::<Option<Vec<_>>>().map(Ok),
            Err(error) => Some(Err(error)),
        }
    })?
}

/// How far a sender is with what was dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Items settled.
    pub items: u64,
    /// Bytes that the peer has acknowledged, of the bundles that carry them.
    pub sent_bytes: u64,
    /// Bytes of these bundles, as far as they are sealed.
    pub bytes: u64,
}

impl Progress {
    fn of(status: &Snapshot, dropped: &[Dropped]) -> Self {
        let mut progress = Self::default();
        let mut bundles = BTreeMap::new();
        for dropped in dropped {
            if let Some(bundle) = bundle_of(status, dropped) {
                progress.items += u64::from(bundle.state == SETTLED);
                bundles.insert(bundle.bundle.as_str(), (bundle.sent_bytes, bundle.bytes));
            }
        }
        progress.sent_bytes = bundles.values().map(|(sent, _)| sent).sum();
        progress.bytes = bundles.values().map(|(_, bytes)| bytes).sum();
        progress
    }
}

/// The newest bundle that carries this item.
fn bundle_of<'a>(status: &'a Snapshot, dropped: &Dropped) -> Option<&'a OutgoingStatus> {
    let item = &dropped.item;
    let name = item.name.to_string_lossy();
    let carries = |bundle: &&OutgoingStatus| {
        bundle.peer == item.to.as_str()
            && bundle.flow == item.flow.as_str()
            && bundle.items.iter().any(|carried| carried.name == name)
    };
    status
        .outgoing
        .iter()
        .filter(carries)
        .max_by_key(|bundle| bundle.seen_millis)
}

/// Nothing yet, arrived, or come back.
fn arrived(status: &Snapshot, dropped: &Dropped) -> Option<Result<Arrived>> {
    let bundle = bundle_of(status, dropped)?;
    match bundle.state.as_str() {
        SETTLED => Some(carried_by(bundle, dropped)),
        RETURNED => {
            let reason = bundle
                .refusal
                .as_deref()
                .or(bundle.return_reason.as_deref())
                .unwrap_or("?");
            Some(Err(anyhow::anyhow!(
                "{} was returned: {reason}",
                dropped.item.name.to_string_lossy()
            )))
        }
        _ => None,
    }
}

fn carried_by(bundle: &OutgoingStatus, dropped: &Dropped) -> Result<Arrived> {
    Ok(Arrived {
        item: dropped.item.clone(),
        bundle: bundle.bundle.parse()?,
        manifest: bundle
            .manifest
            .as_deref()
            .context("a settled bundle without a manifest")?
            .parse()?,
        millis: bundle.changed_millis.saturating_sub(dropped.at_millis),
    })
}

/// Compares an item with what was imported of it, and with the original that must now lie in `sent/`.
///
/// # Errors
/// They differ, or one is not there.
pub fn compare(sender: &Ministry, receiver: &Ministry, arrived: &Arrived) -> Result<()> {
    let item = &arrived.item;
    let imported = receiver
        .path(&home::inbox_bundle(&item.from, &item.flow, &arrived.bundle))
        .join(&item.name);
    same(&imported, item, "imported")?;
    kept_as_sent(sender, arrived)
}

/// Compares an item with its original, which must now lie in `sent/`.
///
/// # Errors
/// They differ, or it is not there.
pub fn kept_as_sent(sender: &Ministry, arrived: &Arrived) -> Result<()> {
    let item = &arrived.item;
    let sent = sender
        .path(&home::sent(&item.to, &item.flow))
        .join(&item.name);
    same(&sent, item, "sent")
}

fn same(path: &std::path::Path, item: &Item, what: &str) -> Result<()> {
    let found = tree_of(path)?;
    if found != item.tree {
        bail!(
            "{}: {what}, but not the bytes that were dropped",
            path.display()
        );
    }
    Ok(())
}

/// Everything in a ministry's inbox that a reader sees: what is under way is left out.
///
/// # Errors
/// It cannot be read.
pub fn inbox_tree(ministry: &Ministry) -> Result<Tree> {
    let inbox = ministry.path(home::INBOX);
    if !inbox.exists() {
        return Ok(Tree::new());
    }
    let mut tree = tree_of(&inbox)?;
    tree.retain(|path, _| !path.to_string_lossy().starts_with('.'));
    Ok(tree)
}

/// Checks that the inbox holds exactly what arrived, once each.
///
/// # Errors
/// Something is missing, too much, or there twice.
pub fn exactly_once(receiver: &Ministry, arrived: &[Arrived]) -> Result<()> {
    let mut expected = Tree::new();
    for Arrived { item, bundle, .. } in arrived {
        let folder: OsString = format!("{}/{}/{bundle}", item.from, item.flow).into();
        for (path, file) in &item.tree {
            let place = std::path::Path::new(&folder).join(&item.name);
            let place = if path.as_os_str().is_empty() {
                place
            } else {
                place.join(path)
            };
            expected.insert(place, *file);
        }
    }
    let found = inbox_tree(receiver)?;
    if found == expected {
        return Ok(());
    }
    let missing: Vec<_> = expected
        .keys()
        .filter(|path| !found.contains_key(*path))
        .collect();
    let surplus: Vec<_> = found
        .keys()
        .filter(|path| !expected.contains_key(*path))
        .collect();
    bail!(
        "{}: the inbox lacks {missing:?} and has besides {surplus:?}",
        receiver.party()
    )
}

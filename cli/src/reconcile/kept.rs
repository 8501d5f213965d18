//! What is kept here of a bundle, read anew: its manifest's exact bytes, and its receipt, verified in this process. What both ways have
//! in common is compared here: a receipt that speaks of another bundle, of other contents, or is not the one that was recorded.

use amanah_format::digest::Digest;
use amanah_format::document;
use amanah_format::id::PartyId;
use amanah_format::manifest::Manifest;
use amanah_format::receipt::{self, Outcome as Answer, Receipt, VerifiedReceipt};
use amanah_format::refusal::Refusal;
use amanah_format::time::UtcTime;
use amanahd::journal::{KeptRow, Place};

use super::Ground;
use super::finding::{Finding, Way, What};
use crate::exit::{Exit, Outcome};
use crate::papers;

/// A bundle that has a manifest.
pub(super) struct Bundle<State> {
    pub(super) digest: Digest,
    pub(super) state: State,
    pub(super) place: Option<Place>,
    /// Out: when it was sealed. In: when it was taken over.
    pub(super) at: UtcTime,
    /// The row's last change.
    pub(super) at_last: UtcTime,
    /// None where its bytes are none.
    pub(super) manifest: Option<Manifest>,
    pub(super) refusal: Option<Refusal>,
    /// The digest of the receipt that the journal recorded.
    recorded: Option<Digest>,
    pub(super) is_destroyed: bool,
    /// What of the row its manifest does not say.
    changed: Option<&'static str>,
}

impl<State> Bundle<State> {
    /// None before it is sealed.
    pub(super) fn read(row: KeptRow<State>, ground: &Ground, way: Way) -> Option<Self> {
        let digest = row.digest?;
        let manifest: Option<Manifest> = document::parse(&row.manifest).ok();
        let place = match (row.agreement, row.epoch, row.sequence) {
            (Some(agreement), Some(epoch), Some(sequence)) => Some((agreement, epoch, sequence)),
            _ => None,
        };
        let changed = if Digest::of(&row.manifest) == digest {
            let says = |manifest: &Manifest| changed(manifest, place.as_ref(), ground, way);
            manifest.as_ref().and_then(says)
        } else {
            Some("digest")
        };
        let sealed = manifest.as_ref().map(|manifest| manifest.created);
        Some(Self {
            digest,
            state: row.state,
            place,
            at: match way {
                Way::Out => sealed.unwrap_or(row.at),
                Way::In => row.at,
            },
            at_last: row.changed,
            manifest,
            refusal: row.refusal,
            recorded: row.receipt,
            is_destroyed: row.is_destroyed,
            changed,
        })
    }

    pub(super) fn finding(&self, what: What) -> Finding {
        Finding::about(what, self.digest, self.place.as_ref())
    }

    /// What the row itself gives away.
    pub(super) fn of_itself(&self) -> Vec<Finding> {
        let changed = self
            .changed
            .map(|member| self.finding(What::RowChanged).with(&[&member]));
        let destroyed = self.is_destroyed.then(|| self.finding(What::Destroyed));
        changed.into_iter().chain(destroyed).collect()
    }

    /// What its receipt, which verifies, says otherwise than its manifest or the journal.
    pub(super) fn against(&self, verified: &VerifiedReceipt, signer: &PartyId) -> Vec<Finding> {
        let receipt = verified.receipt();
        let mut found = Vec::new();
        if self
            .recorded
            .is_some_and(|recorded| recorded != verified.digest())
        {
            found.push(self.finding(What::ReceiptChanged));
        }
        if let Some(member) = self.other(receipt, signer) {
            found.push(self.finding(What::ReceiptOther).with(&[&member]));
            return found;
        }
        let (Some(manifest), Answer::Imported) = (&self.manifest, receipt.outcome) else {
            return found;
        };
        if receipt
            .contents
            .is_some_and(|contents| contents != manifest.contents.digest)
        {
            found.push(self.finding(What::Contents));
        }
        let entries = receipt.store.as_ref().map(|store| store.entries);
        if let Some(entries) = entries.filter(|entries| *entries != manifest.contents.entries) {
            let values: [&dyn std::fmt::Display; 2] = [&entries, &manifest.contents.entries];
            found.push(self.finding(What::Entries).with(&values));
        }
        found
    }

    /// The first member in which the receipt means another bundle.
    fn other(&self, receipt: &Receipt, signer: &PartyId) -> Option<&'static str> {
        if receipt.manifest != self.digest {
            return Some("manifest");
        }
        if &receipt.from != signer {
            return Some("from");
        }
        let manifest = self.manifest.as_ref()?;
        let differs = [
            (
                "agreement",
                receipt
                    .agreement
                    .is_some_and(|digest| digest != manifest.agreement.digest),
            ),
            (
                "flow",
                receipt
                    .flow
                    .as_ref()
                    .is_some_and(|flow| *flow != manifest.flow),
            ),
            (
                "epoch",
                receipt.epoch.is_some_and(|epoch| epoch != manifest.epoch),
            ),
            (
                "sequence",
                receipt
                    .sequence
                    .is_some_and(|number| number != manifest.sequence),
            ),
        ];
        differs
            .into_iter()
            .find_map(|(member, differs)| differs.then_some(member))
    }
}

/// The first member in which the row is not what its manifest says.
fn changed(
    manifest: &Manifest,
    place: Option<&Place>,
    ground: &Ground,
    way: Way,
) -> Option<&'static str> {
    let peer = match way {
        Way::Out => ("to", &manifest.to),
        Way::In => ("from", &manifest.from),
    };
    let differs = [
        (peer.0, *peer.1 != ground.peer),
        ("flow", manifest.flow != ground.flow),
        (
            "agreement",
            place.is_some_and(|(agreement, ..)| *agreement != manifest.agreement.id),
        ),
        (
            "epoch",
            place.is_some_and(|(_, epoch, _)| *epoch != manifest.epoch),
        ),
        (
            "sequence",
            place.is_some_and(|(.., number)| *number != manifest.sequence),
        ),
    ];
    differs
        .into_iter()
        .find_map(|(member, differs)| differs.then_some(member))
}

/// A receipt's file.
pub(super) enum Kept {
    /// There is none.
    Gone,
    /// It does not count, and why.
    Bad(String),
    /// It verifies.
    Good(Box<VerifiedReceipt>),
}

/// The receipt for a bundle in a folder of the home.
pub(super) fn receipt(folder: &str, manifest: &Digest, ground: &Ground) -> Outcome<Kept> {
    let path = ground.home.join(folder).join(receipt::name(manifest));
    let bytes = match papers::read(&path) {
        Ok(bytes) => bytes,
        Err(failure) if failure.exit == Exit::Missing => return Ok(Kept::Gone),
        Err(failure) => return Err(failure),
    };
    Ok(
        match VerifiedReceipt::verify(&bytes, &ground.keyring, ground.now) {
            Ok(verified) => Kept::Good(Box::new(verified)),
            Err(error) => Kept::Bad(error.to_string()),
        },
    )
}

/// Whether a receipt came here after the journal was copied: what it means is not in the copy yet.
pub(super) fn is_newer(folder: &str, manifest: &Digest, ground: &Ground) -> bool {
    let path = ground.home.join(folder).join(receipt::name(manifest));
    let modified = path.metadata().and_then(|file| file.modified());
    modified.is_ok_and(|modified| modified >= ground.started)
}

/// Receipts of this flow and time in a folder of the home whose bundle `is_known` does not know.
pub(super) fn strays(
    folder: &str,
    ground: &Ground,
    is_known: impl Fn(&Digest) -> bool,
) -> Outcome<Vec<Finding>> {
    let mut found = Vec::new();
    for path in papers::in_folder(&ground.home.join(folder), receipt::SUFFIX)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(manifest) = receipt::parse_name(&name).filter(|name| !is_known(name)) else {
            continue;
        };
        let Kept::Good(verified) = self::receipt(folder, &manifest, ground)? else {
            continue;
        };
        let receipt = verified.receipt();
        let is_asked =
            receipt.flow.as_ref() == Some(&ground.flow) && ground.covers(receipt.finished);
        if !is_asked || is_newer(folder, &manifest, ground) {
            continue;
        }
        found.push(Finding {
            place: receipt
                .epoch
                .zip(receipt.sequence)
                .map(|(epoch, number)| (epoch.get(), number.get())),
            ..Finding::about(What::RowGone, manifest, None)
        });
    }
    Ok(found)
}

/// `imported` or `refused`, as receipts say it.
pub(super) const fn word(answer: Answer) -> &'static str {
    match answer {
        Answer::Imported => "imported",
        Answer::Refused => "refused",
    }
}

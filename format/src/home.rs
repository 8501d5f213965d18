//! Names of folders and files in a home, pure strings, all in one place. FORMAT.md §16, SPOOL.md.
//! Paths are relative to the home (or to the configuration folder, where said) and use `/`.
//!
//! ```text
//! outbox/PEER/FLOW/NAME            an operator's drop            .claimed-ID  while it is under way
//! sent/PEER/FLOW/NAME              originals after settlement, until destroyed
//! returned/PEER/FLOW/NAME(+.why.txt)
//! inbox/PEER/FLOW/BUNDLE-ID/       the `files` store             inbox/.imports/HEX markers, inbox/.staging/HEX
//! receipts/sent/PEER/HEX.receipt.amanah, receipts/received/PEER/…      evidence
//! destructions/PEER/HEX.destruction.amanah      what was destroyed after the agreed days
//! ledger/records.jsonl, ledger/checkpoint
//! peer-cards/PARTY.N.TIME.HEX.card.amanah, peer-cards/offered/…      peers' later cards, as they came by wire
//! requests/                        operators' verbs
//! status.json                      the status snapshot             retention.json  what is kept, and until when
//! stick/out/TICKET/, stick/in/TICKET/      what operators carry by hand, while they copy it
//! spool/                           the daemon's alone (0700): journal.sqlite, lock, work/, queue/PEER/, incoming/PEER/, quarantine/, archive/sent/PEER/, archive/received/PEER/
//! ```

use crate::digest::Digest;
use crate::id::{AgreementId, BundleId, FlowName, PartyId};
use crate::time::UtcTime;

/// Config folder: the configuration.
pub const CONFIG: &str = "amanah.toml";
/// Config folder: private keys.
pub const KEYS: &str = "keys";
/// Config folder: peers' cards and our own: `PARTY.card.amanah` the first, `PARTY.NUMBER.card.amanah` the later ones.
pub const CARDS: &str = "cards";
/// What stands behind a party's id, or what follows it, in the name of a card.
pub const CARD_SUFFIX: &str = ".card.amanah";
/// Config folder: agreements and revocations.
pub const AGREEMENTS: &str = "agreements";
/// Config folder: the party's secret signing key (OpenSSH); its public half has [`PUBLIC_SUFFIX`] behind it.
pub const KEY_SIGNING: &str = "keys/signing";
/// Config folder: the secret key of SSH connections (OpenSSH); its public half has [`PUBLIC_SUFFIX`] behind it.
pub const KEY_TRANSPORT: &str = "keys/transport";
/// Config folder: the secret key of checkpoints (OpenSSH); its public half has [`PUBLIC_SUFFIX`] behind it.
pub const KEY_LEDGER: &str = "keys/ledger";
/// Config folder: the decryption identities (age), the newest last.
pub const KEY_DECRYPTION: &str = "keys/decryption.txt";
/// Behind the name of a secret OpenSSH key: its public half.
pub const PUBLIC_SUFFIX: &str = ".pub";

/// Successors of peers' cards that came by wire and count, as the chain and an agreement allow it.
pub const CARDS_TAKEN: &str = "peer-cards";
/// Cards that came by wire and wait for the sysadmin, and what contradicts those that count.
pub const CARDS_OFFERED: &str = "peer-cards/offered";
/// Name of a card that came by wire: `PARTY.NUMBER.SECONDS.HEX.card.amanah`, the second at which it came and the first 16 digits
/// of its digest.
#[must_use]
pub fn card_came(party: &PartyId, number: u32, received: UtcTime, digest: &Digest) -> String {
    let hex = digest.to_hex();
    let start = hex.get(..16).unwrap_or_default();
    format!("{party}.{number}.{}.{start}{CARD_SUFFIX}", received.unix())
}

/// Party and moment in such a name; none for any other name.
#[must_use]
pub fn parse_card_came(name: &str) -> Option<(PartyId, UtcTime)> {
    let mut parts = name.strip_suffix(CARD_SUFFIX)?.split('.');
    let party = parts.next()?.parse().ok()?;
    let _number = parts.next()?.parse::<u32>().ok()?;
    let received = UtcTime::from_unix(parts.next()?.parse().ok()?).ok()?;
    let _start = parts.next()?;
    parts.next().is_none().then_some((party, received))
}

/// Where operators drop.
pub const OUTBOX: &str = "outbox";
/// Originals after settlement.
pub const SENT: &str = "sent";
/// What went back to the operator.
pub const RETURNED: &str = "returned";
/// Where imports land.
pub const INBOX: &str = "inbox";
/// The `files` store's markers of what was imported.
pub const INBOX_IMPORTS: &str = "inbox/.imports";
/// Where the `files` store stages, before one rename.
pub const INBOX_STAGING: &str = "inbox/.staging";
/// The database of table flows, where no other is configured.
pub const TABLES: &str = "store/tables.sqlite";
/// Receipts, as evidence.
pub const RECEIPTS: &str = "receipts";
/// Destruction records, as evidence.
pub const DESTRUCTIONS: &str = "destructions";
/// The ledger's folder.
pub const LEDGER: &str = "ledger";
/// The ledger's records, one JSON line each.
pub const LEDGER_RECORDS: &str = "ledger/records.jsonl";
/// The ledger's newest checkpoint.
pub const LEDGER_CHECKPOINT: &str = "ledger/checkpoint";
/// Our checkpoints with the lines of peers: a note each, `PARTY.checkpoint`.
pub const LEDGER_COSIGNED: &str = "ledger/cosigned";
/// Peers' checkpoints as we saw them last, and what contradicts them.
pub const LEDGER_PEERS: &str = "ledger/peers";
/// What stands behind a party's id in the names of notes.
pub const NOTE_SUFFIX: &str = ".checkpoint";
/// Operators' requests.
pub const REQUESTS: &str = "requests";
/// What operators may copy to a stick; below it one folder for each time that somebody asked.
pub const STICK_OUT: &str = "stick/out";
/// What operators copied from a stick; the same.
pub const STICK_IN: &str = "stick/in";
/// In a folder of [`STICK_OUT`]: what the daemon says about it.
pub const STICK_ANSWER: &str = "answer.json";
/// The status snapshot.
pub const STATUS: &str = "status.json";
/// What is kept, until when and why.
pub const RETENTION: &str = "retention.json";
/// The daemon's own folder.
pub const SPOOL: &str = "spool";
/// The journal.
pub const JOURNAL: &str = "spool/journal.sqlite";
/// Held by the one daemon that runs on this home.
pub const LOCK: &str = "spool/lock";
/// Temporary files of bundles being sealed.
pub const WORK: &str = "spool/work";
/// Sealed bundles that wait for hand-over or receipt.
pub const QUEUE: &str = "spool/queue";
/// Parts that peers are handing over.
pub const INCOMING: &str = "spool/incoming";
/// Bundles that need a person.
pub const QUARANTINE: &str = "spool/quarantine";
/// Sealed bundles after their outcome, until retention ends.
pub const ARCHIVE: &str = "spool/archive";

/// Before the claim's id: an item of the outbox that is under way.
pub const CLAIM_PREFIX: &str = ".claimed-";
/// Behind a returned item's name: why it came back.
pub const WHY_SUFFIX: &str = ".why.txt";
/// Behind a name that is still being handed over.
pub const PART_SUFFIX: &str = ".part";
/// Behind a request's name.
pub const REQUEST_SUFFIX: &str = ".request.json";

/// Suffixes of names that other programs give to files that they still write.
const UNFINISHED_SUFFIXES: [&str; 6] =
    [".part", ".tmp", ".partial", ".filepart", ".crdownload", "~"];

/// Whether a name in the outbox is left alone: dotfiles (claimed items are among them) and unfinished files of other programs.
#[must_use]
pub fn is_ignored(name: &[u8]) -> bool {
    name.starts_with(b".")
        || UNFINISHED_SUFFIXES.iter().any(|suffix| {
            let start = name.len().checked_sub(suffix.len());
            let tail = start.and_then(|start| name.get(start..));
            tail.is_some_and(|tail| tail.eq_ignore_ascii_case(suffix.as_bytes()))
        })
}

/// The outbox of one flow.
#[must_use]
pub fn outbox(peer: &PartyId, flow: &FlowName) -> String {
    format!("{OUTBOX}/{peer}/{flow}")
}

/// Originals of one flow after settlement.
#[must_use]
pub fn sent(peer: &PartyId, flow: &FlowName) -> String {
    format!("{SENT}/{peer}/{flow}")
}

/// What went back to the operator of one flow.
#[must_use]
pub fn returned(peer: &PartyId, flow: &FlowName) -> String {
    format!("{RETURNED}/{peer}/{flow}")
}

/// Imports of one flow.
#[must_use]
pub fn inbox(peer: &PartyId, flow: &FlowName) -> String {
    format!("{INBOX}/{peer}/{flow}")
}

/// The folder of one imported bundle.
#[must_use]
pub fn inbox_bundle(peer: &PartyId, flow: &FlowName, bundle: &BundleId) -> String {
    format!("{INBOX}/{peer}/{flow}/{bundle}")
}

/// The marker of an imported bundle.
#[must_use]
pub fn import_marker(manifest: &Digest) -> String {
    format!("{INBOX_IMPORTS}/{}", manifest.to_hex())
}

/// Where a bundle is staged before it is imported.
#[must_use]
pub fn import_staging(manifest: &Digest) -> String {
    format!("{INBOX_STAGING}/{}", manifest.to_hex())
}

/// Receipts that we signed for a peer.
#[must_use]
pub fn receipts_sent(peer: &PartyId) -> String {
    format!("{RECEIPTS}/sent/{peer}")
}

/// Receipts that a peer signed for us.
#[must_use]
pub fn receipts_received(peer: &PartyId) -> String {
    format!("{RECEIPTS}/received/{peer}")
}

/// Destruction records of what was exchanged with a peer.
#[must_use]
pub fn destructions(peer: &PartyId) -> String {
    format!("{DESTRUCTIONS}/{peer}")
}

/// What waits for a peer.
#[must_use]
pub fn queue(peer: &PartyId) -> String {
    format!("{QUEUE}/{peer}")
}

/// What a peer is handing over.
#[must_use]
pub fn incoming(peer: &PartyId) -> String {
    format!("{INCOMING}/{peer}")
}

/// Our sealed bundles after their receipt.
#[must_use]
pub fn archive_sent(peer: &PartyId) -> String {
    format!("{ARCHIVE}/sent/{peer}")
}

/// A peer's sealed bundles after our receipt.
#[must_use]
pub fn archive_received(peer: &PartyId) -> String {
    format!("{ARCHIVE}/received/{peer}")
}

/// The name of a claimed item.
#[must_use]
pub fn claim_name(id: &str) -> String {
    format!("{CLAIM_PREFIX}{id}")
}

/// The name of the note beside a returned item.
#[must_use]
pub fn why_name(item: &str) -> String {
    format!("{item}{WHY_SUFFIX}")
}

/// The file name of a party's card.
#[must_use]
pub fn card_file(party: &PartyId) -> String {
    format!("{party}.card.amanah")
}

/// The file name of an agreement.
#[must_use]
pub fn agreement_file(id: &AgreementId, version: u32) -> String {
    format!("{id}-v{version}.agreement.amanah")
}

/// The file name of a party's revocation of an agreement.
#[must_use]
pub fn revocation_file(id: &AgreementId, version: u32, party: &PartyId) -> String {
    format!("{id}-v{version}.{party}.revocation.amanah")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotfiles_and_unfinished_names_are_ignored() {
        for name in [
            ".claimed-7",
            ".hidden",
            "a.part",
            "A.PART",
            "a.tmp",
            "a.partial",
            "a.FilePart",
            "a.crdownload",
            "a.csv~",
            "~",
        ] {
            assert!(is_ignored(name.as_bytes()), "{name}");
        }
        assert!(is_ignored(b"\xff.tmp"));
    }

    #[test]
    fn the_name_of_a_card_that_came_says_whose_it_is_and_when_it_came() {
        let at = UtcTime::from_unix(1_800_000_000).unwrap();
        let party: PartyId = "imigrasi".parse().unwrap();
        let name = card_came(&party, 2, at, &Digest::of(b"card"));
        assert_eq!(parse_card_came(&name), Some((party, at)));
        for wrong in [
            "imigrasi.card.amanah",
            "imigrasi.2.card.amanah",
            "imigrasi.2.x.0123456789abcdef.card.amanah",
            "imigrasi.2.1800000000.0123456789abcdef.more.card.amanah",
            "Imigrasi.2.1800000000.0123456789abcdef.card.amanah",
        ] {
            assert_eq!(parse_card_came(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn finished_names_are_not_ignored() {
        for name in [
            "a.csv",
            "part",
            "tmp",
            "a.part.csv",
            "~a",
            "a.parts",
            "daftar nama",
        ] {
            assert!(!is_ignored(name.as_bytes()), "{name}");
        }
        assert!(!is_ignored(b"\xff"));
    }

    #[test]
    fn names_are_as_the_format_says() {
        let peer: PartyId = "bpkh".parse().unwrap();
        let flow: FlowName = "setoran".parse().unwrap();
        let id: AgreementId = "pks-haji".parse().unwrap();
        assert_eq!(outbox(&peer, &flow), "outbox/bpkh/setoran");
        assert_eq!(archive_received(&peer), "spool/archive/received/bpkh");
        assert_eq!(card_file(&peer), "bpkh.card.amanah");
        assert_eq!(agreement_file(&id, 2), "pks-haji-v2.agreement.amanah");
        assert_eq!(
            revocation_file(&id, 2, &peer),
            "pks-haji-v2.bpkh.revocation.amanah"
        );
        assert!(is_ignored(claim_name("7").as_bytes()));
    }
}

//! Alarms about ledgers: that of a peer as we saw it, or ours as peers saw it. None of them says that somebody did wrong: a restored
//! backup looks the same, and only people can tell.

use super::{Words, because};

pub(super) fn explain(code: &str) -> Option<Words> {
    match code {
        "ledger-fork" => Some(fork()),
        "ledger-unseen" => Some(unseen()),
        _ => None,
    }
}

fn unseen() -> Words {
    because(
        (
            "Mitra tidak memperlihatkan jejak auditnya lagi sejak sehari, padahal sejak itu tanda terima dipertukarkan.",
            "The peer has not shown its ledger for a day, though receipts have been exchanged since.",
        ),
        (
            "Hubungi admin sistem mitra: apakah programnya yang resmi berjalan? Yang tidak diperlihatkan dapat diubah tanpa ketahuan. Tanda ini hilang begitu jejak auditnya terlihat lagi.",
            "Call the peer's system administrator: does the proper program run there? What is not shown can be changed unnoticed. This goes as soon as its ledger is seen again.",
        ),
    )
}

fn fork() -> Words {
    because(
        (
            "Jejak audit pihak ini bukan kelanjutan dari yang pernah terlihat: ada catatan yang diubah, dihapus, disisipkan, atau dipotong.",
            "This party's ledger is not the one that was seen before: records were changed, removed, inserted or cut off.",
        ),
        (
            "Jangan hapus apa pun; kedua titik yang bertentangan ada di `ledger/peers/`. Beri tahu admin sistem dan auditor kedua pihak. Bila sebabnya cadangan lama yang dipulihkan dan keduanya sepakat: `amanah ledger accept PIHAK`.",
            "Delete nothing; the two checkpoints that contradict each other lie in `ledger/peers/`. Tell the system administrators and auditors of both sides. If an old backup was restored there and both agree: `amanah ledger accept PARTY`.",
        ),
    )
}

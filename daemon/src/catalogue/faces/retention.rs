//! Sentences of `amanah retention`.
//! What is kept beyond its days says what keeps it.

use crate::catalogue::{Text, texts};
use crate::retained::Keeps;

texts! {
    NO_LIST = "Daftar retensi {0} belum ada: layanan Amanah belum pernah berjalan. Jalankan: systemctl start amanahd" /
        "There is no retention list {0}: the daemon has never run. Run: systemctl start amanahd";
    OLD_LIST = "Daftar ini ditulis {0}; layanan mungkin tidak berjalan." / "This list was written {0}; the daemon may not be running.";
    NOTHING_DUE = "Tidak ada yang jatuh tempo sampai dengan {0}." / "Nothing is due up to and including {0}.";
    NOTHING_NOW = "Tidak ada yang akan dimusnahkan sekarang." / "Nothing would be destroyed now.";
    WOULD_GO = "Akan dimusnahkan sekarang:" / "Would be destroyed now:";
    DUE = "Jatuh tempo" / "Due";
    WHOSE = "Mitra" / "Peer";
    FLOW = "Alur data" / "Flow";
    NUMBER = "Nomor" / "Number";
    BUNDLE = "Kiriman" / "Bundle";
    STATE = "Keadaan" / "State";
    IS_DUE = "dimusnahkan pada giliran berikutnya" / "destroyed at the next run";
    SCHEDULED = "terjadwal" / "scheduled";
    BY_HOLD = "TAHAN HUKUM (`amanah retention hold`)" / "LEGAL HOLD (`amanah retention hold`)";
    BY_AGREEMENT = "tahan hukum dalam perjanjian" / "legal hold of the agreement";
    BY_UNKNOWN = "perjanjiannya tidak ada lagi di sini; dipertahankan" / "its agreement is not here any more; kept";
    BY_PEER = "belum selesai: mitra belum mengambil tanda terima" / "not settled: the peer has not taken the receipt";
    UNSETTLED = "{0} {1}: {2} kiriman belum selesai; tidak dimusnahkan sebelum selesai." / "{0} {1}: {2} bundles are not settled; they are not destroyed before.";
    LEFT_OUT = "{0} {1}: {2} kiriman lain yang jatuh tempo kemudian tidak ditampilkan." / "{0} {1}: {2} more bundles, due later, are not listed.";
    HOLD = "Tahan hukum {0}: {1} {2} {3}, sejak {4}: {5}" / "Legal hold {0}: {1} {2} {3}, since {4}: {5}";
    WHOLE_FLOW = "(seluruh alur data)" / "(the whole flow)";
    NO_DIGEST = "{0} bukan nama kiriman: tuliskan sha256:… dari `amanah retention due --json` atau `amanah receipts --json`." /
        "{0} is no bundle: write the sha256:… of `amanah retention due --json` or `amanah receipts --json`.";
    NO_HOLD = "Daftar retensi tidak memuat tahan hukum itu atas {1} dengan {0}. Lihat `amanah retention due`." /
        "The retention list has no such hold on {1} with {0}. See `amanah retention due`.";
    BAD_REASON = "Alasan harus satu baris, 1 sampai 300 karakter." / "The reason must be one line of 1 to 300 characters.";
}

/// What keeps a bundle whose days are over.
#[must_use]
pub const fn keeps(why: Keeps) -> Text {
    match why {
        Keeps::Hold => BY_HOLD,
        Keeps::Agreement => BY_AGREEMENT,
        Keeps::AgreementUnknown => BY_UNKNOWN,
        Keeps::PeerUnsettled => BY_PEER,
    }
}

//! Sentences of `send`, `receipts`, `returned`, `quarantine`, `retry`, `pause`, `resume`.
//! Each failure says what to do next.

use crate::catalogue::texts;

texts! {
    UNKNOWN_PEER = "{0} bukan mitra yang terdaftar. Lihat `amanah peer list`." / "{0} is no peer here. See `amanah peer list`.";
    NO_REQUESTS = "Folder {0} belum ada: layanan Amanah belum pernah berjalan. Jalankan: systemctl start amanahd" /
        "There is no folder {0}: the daemon has never run. Run: systemctl start amanahd";
    REQUESTED = "Permintaan disampaikan kepada layanan; bila tidak sedang berjalan, dikerjakan setelah dijalankan. Lihat hasilnya dengan `amanah status`." /
        "The daemon was asked; one that does not run does it when it is started. See what comes of it with `amanah status`.";
    NO_OUTBOX = "Kotak keluar {0} belum ada: layanan Amanah belum pernah berjalan. Jalankan: systemctl start amanahd" /
        "There is no outbox {0}: the daemon has never run. Run: systemctl start amanahd";
    NO_FLOW = "Alur data {0} ke {1} tidak ada dalam perjanjian yang berlaku. Yang ada: {2}" /
        "No agreement in force has the flow {0} to {1}. There are: {2}";
    UNKNOWN_FLOW = "Alur data {0} dengan {1} tidak dikenal di sini. Yang dikenal: {2}" / "No flow {0} with {1} is known here. There are: {2}";
    UNKNOWN_BUNDLE = "Jejak audit di sini tidak memuat kiriman {0}. Namanya tertulis dalam `amanah retention due --json`." /
        "The ledger here has no bundle {0}. `amanah retention due --json` names them.";
    NO_NAME = "{0} tidak punya nama berkas yang dapat dipakai." / "{0} has no file name that can be used.";
    HIDDEN_NAME = "{0}: nama yang diawali titik diabaikan layanan; ganti namanya dahulu." / "{0}: names that begin with a dot are left alone by the daemon; rename it first.";
    NAME_TAKEN = "{0} sudah ada di kotak keluar; tunggu sampai diambil, atau ganti nama." / "{0} is in the outbox already; wait until it was taken, or rename.";
    NOT_A_FILE = "{0} bukan berkas biasa atau folder (tautan dan perangkat tidak dikirim)." / "{0} is no ordinary file or folder (links and devices are not sent).";
    ONE_TABLE = "{0} adalah folder; alur ini menerima tabel, satu berkas setiap kali. Tidak ada yang diletakkan." /
        "{0} is a folder; this flow takes tables, one file at a time. Nothing was dropped.";
    TABLE_WARNS = "{0}: {1}" / "{0}: {1}";
    TABLE_UNFIT = "Tidak ada yang diletakkan, karena akan dikembalikan. {0}: {1}" / "Nothing was dropped, for it would come back. {0}: {1}";
    DROPPED = "Diletakkan di kotak keluar: {0} ({1})" / "Dropped into the outbox: {0} ({1})";
    SEND_NEXT = "Ikuti dengan `amanah status`." / "Follow it with `amanah status`.";
    NOT_RUNNING = "Layanan Amanah tidak berjalan; berkas menunggu di kotak keluar. Jalankan: systemctl start amanahd" /
        "The daemon does not run; the files wait in the outbox. Run: systemctl start amanahd";
    SETTLED = "{0}: selesai. Tanda terima mitra sah." / "{0}: settled. The peer's receipt verifies.";
    RETURNED = "{0}: DIKEMBALIKAN ({1})." / "{0}: RETURNED ({1}).";
    STILL_WAITING = "{0}: belum selesai; menunggu diambil layanan." / "{0}: not finished; waits for the daemon to take it.";
    STILL_UNDER_WAY = "{0}: belum selesai; {1}, {2}." / "{0}: not finished; {1}, {2}.";
    DONE_OF = "{0} dari {1} selesai; " / "{0} of {1} done; ";
    NOT_TAKEN_YET = "menunggu diambil layanan" / "waits for the daemon to take it";
    NO_RECEIPTS = "Belum ada tanda terima." / "No receipt yet.";
    FINISHED = "Selesai" / "Finished";
    SIGNED_BY = "Oleh" / "By";
    FLOW = "Alur data" / "Flow";
    NUMBER = "Nomor" / "Number";
    OUTCOME = "Hasil" / "Outcome";
    PROOF = "Verifikasi" / "Verification";
    PROOF_BAD = "TIDAK SAH: {0}" / "NOT VALID: {0}";
    IMPORTED = "diimpor" / "imported";
    REFUSED = "ditolak ({0})" / "refused ({0})";
    NO_TABLE_FLOW = "{0} tidak memuat alur tabel {1}." / "{0} has no table flow {1}.";
    BAD_SCHEMA = "{0}: {1}" / "{0}: {1}";
    NOTHING_RETURNED = "Tidak ada yang dikembalikan." / "Nothing was returned.";
    RETURNED_LINE = "{2} · {0} · {1} · {3}" / "{2} · {0} · {1} · {3}";
    NO_DIGEST = "{0} bukan nama kiriman: tuliskan sha256:… dari `amanah quarantine list`." / "{0} is no bundle: write the sha256:… of `amanah quarantine list`.";
    NOTHING_QUARANTINED = "Karantina kosong, dan tidak ada kiriman yang ditahan." / "The quarantine is empty, and nothing is held.";
    NOT_QUARANTINED = "Tidak ada {0} dalam karantina." / "There is no {0} in the quarantine.";
    NOT_HELD = "Tidak ada kiriman tertahan {0}; hanya yang ditahan dapat dilepas (`amanah quarantine list`)." /
        "No bundle {0} is held; only a held one can be released (`amanah quarantine list`).";
    QUARANTINE_LINE = "{0} · {1} · {2} · {3} · {4} · {5}" / "{0} · {1} · {2} · {3} · {4} · {5}";
}

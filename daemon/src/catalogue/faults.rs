//! Whose fault a code is, and what the system administrators do about it: the half of an explanation that an operator
//! passes on. Every code that has a meaning has a line here; a test keeps it so.

use super::{Text, texts};

/// Who can mend it. `Sender` and `Receiver` are those of the bundle that the code is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Dropped in the wrong place, too large, badly named.
    SenderOperator,
    /// Keys, cards, clock, backup or program of the sending side.
    SenderSysadmin,
    /// Cards, agreements, disk or program of the receiving side.
    ReceiverSysadmin,
    /// One of the two sides; they compare to find out which.
    EitherSysadmin,
    /// The machine that shows the code.
    OwnSysadmin,
    /// Damage or delay on the way.
    Nobody,
}

impl Fault {
    /// In words.
    #[must_use]
    pub const fn text(self) -> Text {
        match self {
            Self::SenderOperator => SENDER_OPERATOR,
            Self::SenderSysadmin => SENDER_SYSADMIN,
            Self::ReceiverSysadmin => RECEIVER_SYSADMIN,
            Self::EitherSysadmin => EITHER_SYSADMIN,
            Self::OwnSysadmin => OWN_SYSADMIN,
            Self::Nobody => NOBODY,
        }
    }
}

texts! {
    SENDER_OPERATOR = "operator pengirim" / "the sender's operator";
    SENDER_SYSADMIN = "admin sistem pengirim" / "the sender's system administrator";
    RECEIVER_SYSADMIN = "admin sistem penerima" / "the recipient's system administrator";
    EITHER_SYSADMIN = "admin sistem salah satu pihak" / "the system administrator of one of the two sides";
    OWN_SYSADMIN = "admin sistem di sini" / "the system administrator here";
    NOBODY = "bukan siapa pun: rusak atau tertunda di perjalanan" / "nobody: damage or delay on the way";

    DROP_RIGHTS = "Bersama pengelola server titipan: periksa hak akun atas kedua folder `[peer.….drop]` dan ruang disknya. Amanah mencoba lagi sendiri." /
        "With whoever runs the drop server: check the account's rights on both folders of `[peer.….drop]`, and the disk's space. Amanah tries again by itself.";
    DROP_CLEANING = "Tanyakan kepada pengelola server titipan apa yang menghapus berkas di sana (pembersihan berkala, kuota)." /
        "Ask whoever runs the drop server what removes files there (a clean-up job, a quota).";
    STRANGER = "Lihat log kedua sisi: siapa yang tersambung, dan dari mana. Kunci dan kartu dicocokkan lewat telepon (`amanah card show`)." /
        "Read the logs of both sides: who was connected, and from where. Compare keys and cards by telephone (`amanah card show`).";
    NEW_CARD = "Penerima memasang kartu pengirim yang baru: `amanah peer renew PIHAK` bila kartu lama menjaminnya, selain itu `amanah peer add BERKAS --fingerprint …` setelah sidik jarinya dicocokkan lewat telepon. Lalu muat ulang." /
        "The recipient installs the sender's new card: `amanah peer renew PARTY` where the old card vouches for it, else `amanah peer add FILE --fingerprint …` after comparing its fingerprint by telephone. Then reload.";
    PROGRAM = "Program pembuat kiriman menyalahi FORMAT.md: periksa kiriman di karantina dengan `amanah inspect`, lalu perbarui atau perbaiki program itu." /
        "The program that made the bundle breaks FORMAT.md: look at the quarantined bundle with `amanah inspect`, then update or correct that program.";
    UPDATE = "Perbarui Amanah di sisi penerima, lalu jalankan ulang." / "Update Amanah at the recipient, then restart it.";
    KEY_DATES = "Bandingkan masa berlaku kunci pada kartu dengan jam komputer (`amanah card show`, `timedatectl`)." /
        "Compare the validity of the keys on the card with the clock (`amanah card show`, `timedatectl`).";
    THEIR_CARD = "Pasang kartu penerima yang baru di sisi pengirim (`amanah peer renew PIHAK`, atau `amanah peer add BERKAS --fingerprint …`), lalu muat ulang." /
        "Install the recipient's new card at the sender (`amanah peer renew PARTY`, or `amanah peer add FILE --fingerprint …`), then reload.";
    AGREEMENT = "Periksa perjanjian di kedua sisi (`amanah agreement show`); versi baru ditandatangani kedua pihak, dipasang, lalu muat ulang." /
        "Check the agreement on both sides (`amanah agreement show`); a new version is signed by both, installed, then reload.";
    ADVISE = "Tidak ada; bantu operator bila aturan alur data belum jelas (`amanah agreement show`)." /
        "Nothing; help the operator where the rules of the flow are not clear (`amanah agreement show`).";
    CONNECTION = "Cari tahu mengapa sambungan putus begitu lama (`amanah status`); `expires_days` dalam konfigurasi menentukan batas waktunya." /
        "Find out why the connection was away for so long (`amanah status`); `expires_days` in the configuration sets the deadline.";
    BACKUP = "Hentikan layanan pengirim. Bandingkan `amanah receipts` dan `amanah ledger verify` kedua sisi sebelum dijalankan lagi." /
        "Stop the sender's daemon. Compare `amanah receipts` and `amanah ledger verify` of both sides before it runs again.";
    KEYS_LOST = "Penerima memastikan semua kunci lama masih ada dalam decryption.txt; pengirim memastikan kartu penerima yang terbaru terpasang." /
        "The recipient makes sure that decryption.txt still holds all older keys; the sender, that the recipient's newest card is installed.";
    CLOCKS = "Periksa NTP di kedua sisi (`timedatectl`)." / "Check NTP on both sides (`timedatectl`).";
    INSTALL_AGREEMENT = "Pasang berkas perjanjian dengan `amanah agreement import`, lalu `systemctl reload amanahd`." /
        "Install the agreement's file with `amanah agreement import`, then `systemctl reload amanahd`.";
    INSTALL_CARD = "Pasang kartu dengan `amanah peer add`, lalu `systemctl restart amanahd`." /
        "Install the card with `amanah peer add`, then `systemctl restart amanahd`.";
    MOUNT = "Lihat peringatan dalam `amanah status`. Pasang (mount) diska kotak masuk (jangan membuat folder kosong sebagai gantinya), jalankan basis data, atau sisihkan tabel menurut log." /
        "See the alarms of `amanah status`. Mount the inbox's disk (do not make an empty folder in its place), start the database, or put the table aside as the log says.";
    HELD_CAUSES = "Pasang kartu atau perjanjian yang ditunggu, atau perbaiki jam; `amanah quarantine show` menyebut sebab setiap kiriman." /
        "Install the card or agreement that is waited for, or mend the clock; `amanah quarantine show` names each bundle's cause.";
    SPACE = "Kosongkan atau perbesar diska; batasnya `free_bytes_min` dalam konfigurasi." /
        "Free or enlarge the disk; the limit is `free_bytes_min` in the configuration.";
    QUOTA = "Lihat apa yang menunggu (`amanah status`, `amanah quarantine list`); batasnya `peer_bytes_max` dalam konfigurasi." /
        "See what waits (`amanah status`, `amanah quarantine list`); the limit is `peer_bytes_max` in the configuration.";
    WAIT = "Tidak ada; bila berlangsung lebih dari satu hari, bandingkan `amanah status` kedua sisi." /
        "Nothing; if it lasts for more than a day, compare `amanah status` of both sides.";
    LINE = "Tidak ada, kecuali terus terulang: maka periksa jaringan dan diska di kedua sisi." /
        "Nothing, unless it goes on: then check the network and the disks of both sides.";
    READ_LOG = "Baca log: `journalctl -u amanahd`." / "Read the log: `journalctl -u amanahd`.";
    CLIENT = "Program yang menyambung meminta sesuatu di luar /incoming dan /outgoing; bandingkan dengan FORMAT.md." /
        "The connecting program asks for something beyond /incoming and /outgoing; compare with FORMAT.md.";
    RECEIPT = "Simpan tanda terima itu, periksa dengan `amanah verify`, dan bandingkan kartu kedua pihak." /
        "Keep that receipt, check it with `amanah verify`, and compare the cards of both sides.";
    RIGHTS = "Jalankan `systemd-tmpfiles --create`; hak akses folder kembali seperti seharusnya." /
        "Run `systemd-tmpfiles --create`; it sets the folders' rights again.";
    DISK = "Periksa diska dan cadangan; baca log: `journalctl -u amanahd`." / "Check the disk and the backup; read the log: `journalctl -u amanahd`.";
    CHECK = "Jalankan `amanahd check`; ia menyebut berkas, baris, dan perbaikannya." /
        "Run `amanahd check`; it names the file, the line and the remedy.";
    OWN_KEYS = "Buat kunci sendiri dengan `amanah init` dan hapus `example_keys` dari konfigurasi." /
        "Make keys of your own with `amanah init`, and remove `example_keys` from the configuration.";
    MISSING = "Pengirim membaca lognya: nomor yang diminta lagi disebut di sana, dan apakah muatannya masih ada (`payload-lost`)." /
        "The sender reads its log: it names the numbers that were asked for again, and whether their payload is still there (`payload-lost`).";
    GIVEN_UP = "Cari tahu mengapa muatannya hilang, dan periksa diska serta cadangan; jejak audit menyebut siapa yang melepas nomor itu." /
        "Find out why the payload was lost, and check the disk and the backup; the ledger names who gave the number up.";
    NO_VOID = "Hanya nomor yang muatannya hilang, rusak, atau lewat batas waktu yang dapat dilepas; `amanah status` menyebut nomor yang belum dijawab." /
        "Only a number whose payload is lost, damaged or past its date can be given up; `amanah status` has the numbers without an answer.";
    FORKED = "Simpan kedua titik sebagai bukti, tanyakan kapan dan mengapa jejak audit berubah, dan bandingkan `amanah ledger verify` kedua sisi." /
        "Keep both checkpoints as evidence, ask when and why the ledger changed, and compare `amanah ledger verify` of both sides.";
    UNSEEN = "Tanyakan kepada admin sistem mitra program dan versi apa yang berjalan di sana, dan catat sejak kapan jejak auditnya tidak terlihat." /
        "Ask the peer's system administrator which program and version runs there, and note since when its ledger was not seen.";
    RIVALS = "Jangan memasang apa pun sebelum menelepon mitra pada nomor resmi; tanyakan apakah kuncinya dicuri, dan pasang kartu yang sidik jarinya dibacakan." /
        "Install nothing before you have called the peer at its official number; ask whether a key of it was stolen, and install the card whose fingerprint is read to you.";
    RESTORED = "Tidak ada; catat kapan cadangan dibuat, dan bandingkan jejak audit dengan mitra (`amanah ledger verify`)." /
        "Nothing; note when the backup was made, and compare the ledger with the peer's copy (`amanah ledger verify`).";
    CAME_BACK = "Beri tahu pengguna data itu dan pemegang cadangan: cadangan sebelum pemusnahan masih memuatnya. Pastikan dengan `amanah retention due`." /
        "Tell those who use it and whoever keeps the backups: one from before the destruction has it still. Make sure with `amanah retention due`.";
    ANOTHER_DATABASE = "Lihat `[store.tables]`: kembalikan basis data yang semula ke sana. Bila hilang untuk selamanya, letakkan yang kosong di sana (berkas kosong, atau skema tanpa tabel); isinya diimpor lagi dari arsip." /
        "Look at `[store.tables]`: put the former database back there. If it is gone for good, put an empty one there (a file of no bytes, or a schema without tables); what it had is imported again from the archive.";
    TABLE_ASIDE = "Baca log: kolom dan perintahnya disebut di sana. `ALTER TABLE x RENAME TO x_lama;` dengan sqlite3 atau psql, lalu `systemctl reload amanahd`, atau tunggu lima menit." /
        "Read the log: it names the column and the command. `ALTER TABLE x RENAME TO x_lama;` by sqlite3 or psql, then `systemctl reload amanahd`, or wait five minutes.";
    COPIED = "Pulihkan sambungan ke mitra. `amanah stream vouch MITRA` hanya bila tidak ada salinan yang lebih baru." /
        "Restore the connection to the peer. `amanah stream vouch PEER` only where there is no newer copy.";
    REOPEN = "Ikuti \"Memulihkan cadangan\" dalam panduan-sysadmin.md, lalu `amanah stream reopen MITRA ALUR`." /
        "Follow \"Memulihkan cadangan\" in panduan-sysadmin.md, then `amanah stream reopen PEER FLOW`.";
    RESTART = "Jalankan: `systemctl restart amanahd`." / "Run: `systemctl restart amanahd`.";
}

/// Of every code that has a meaning.
pub(super) fn of(code: &str) -> Option<(Fault, Text)> {
    let found = refused(code)
        .or_else(|| returned(code))
        .or_else(|| waiting(code))
        .or_else(|| alarmed(code))?;
    Some(found)
}

fn refused(code: &str) -> Option<(Fault, Text)> {
    use Fault::{EitherSysadmin, ReceiverSysadmin, SenderOperator, SenderSysadmin};
    Some(match code {
        "container-malformed"
        | "name-mismatch"
        | "manifest-malformed"
        | "sender-mismatch"
        | "payload-malformed"
        | "payload-exceeds"
        | "entry-kind"
        | "contents-mismatch"
        | "totals-mismatch"
        | "purpose-not-agreed" => (SenderSysadmin, PROGRAM),
        "signature-invalid" | "signer-not-peer" => (EitherSysadmin, STRANGER),
        "signer-unknown" => (EitherSysadmin, NEW_CARD),
        "format-unsupported" => (ReceiverSysadmin, UPDATE),
        "signer-not-valid" => (SenderSysadmin, KEY_DATES),
        "wrong-recipient" => (SenderSysadmin, THEIR_CARD),
        "agreement-not-in-force" => (SenderSysadmin, AGREEMENT),
        "flow-not-agreed"
        | "direction-not-agreed"
        | "too-large"
        | "entry-path"
        | "schema-mismatch"
        | "records-invalid" => (SenderOperator, ADVISE),
        "expired" => (SenderSysadmin, CONNECTION),
        "sequence-conflict" | "sequence-too-far" | "previous-mismatch" | "bundle-id-reused" => {
            (SenderSysadmin, BACKUP)
        }
        "decryption-failed" => (EitherSysadmin, KEYS_LOST),
        "voided" => (SenderOperator, GIVEN_UP),
        _ => return None,
    })
}

fn returned(code: &str) -> Option<(Fault, Text)> {
    Some(match code {
        "peer-unknown" => (Fault::SenderOperator, INSTALL_CARD),
        "no-recipient-key" => (Fault::ReceiverSysadmin, THEIR_CARD),
        "unreadable" => (Fault::SenderOperator, RIGHTS),
        "too-many-entries" | "not-a-file" | "name-not-portable" | "folder-empty" => {
            (Fault::SenderOperator, ADVISE)
        }
        _ => return None,
    })
}

/// Held, damaged, or told at the door to come again.
fn waiting(code: &str) -> Option<(Fault, Text)> {
    use Fault::{EitherSysadmin, Nobody, ReceiverSysadmin, SenderSysadmin};
    Some(match code {
        "clock" => (EitherSysadmin, CLOCKS),
        "agreement-unknown" => (ReceiverSysadmin, INSTALL_AGREEMENT),
        "card-unknown" => (ReceiverSysadmin, INSTALL_CARD),
        "store-missing" => (ReceiverSysadmin, MOUNT),
        "space-missing" | "no-space" => (ReceiverSysadmin, SPACE),
        "quota-exceeded" => (ReceiverSysadmin, QUOTA),
        "gap" | "stopping" | "no-such-file" => (Nobody, WAIT),
        "no-regular-file" => (Nobody, LINE),
        "damaged" => (Nobody, LINE),
        "failure" => (ReceiverSysadmin, READ_LOG),
        "not-allowed" => (SenderSysadmin, CLIENT),
        "slip-doubtful" => (SenderSysadmin, STRANGER),
        _ => return None,
    })
}

fn alarmed(code: &str) -> Option<(Fault, Text)> {
    use Fault::{EitherSysadmin, OwnSysadmin, ReceiverSysadmin, SenderSysadmin};
    Some(match code {
        "flow-doubled" | "agreement-conflict" => (EitherSysadmin, AGREEMENT),
        "receipt-without-bundle" => (SenderSysadmin, BACKUP),
        "receipt-doubtful" => (ReceiverSysadmin, RECEIPT),
        "not-movable" => (SenderSysadmin, RIGHTS),
        "payload-lost" => (SenderSysadmin, DISK),
        "void-denied" => (OwnSysadmin, NO_VOID),
        "ledger-fork" => (EitherSysadmin, FORKED),
        "ledger-unseen" => (EitherSysadmin, UNSEEN),
        "card-fork" => (EitherSysadmin, RIVALS),
        "card-offered" | "card-unproven" => (OwnSysadmin, NEW_CARD),
        "document-does-not-count" | "configuration-refused" => (OwnSysadmin, CHECK),
        "example-keys" => (OwnSysadmin, OWN_KEYS),
        "restart-needed" => (OwnSysadmin, RESTART),
        "too-many-held" => (OwnSysadmin, HELD_CAUSES),
        "too-much-junk" => (SenderSysadmin, STRANGER),
        "peer-denies" => (EitherSysadmin, READ_LOG),
        "drop-denies" => (EitherSysadmin, DROP_RIGHTS),
        "drop-lost" => (EitherSysadmin, DROP_CLEANING),
        "stage-failing" => (OwnSysadmin, READ_LOG),
        "numbers-missing" => (SenderSysadmin, MISSING),
        "rhythm-missed" => (Fault::SenderOperator, WAIT),
        "rhythm-unknown" => (EitherSysadmin, AGREEMENT),
        "home-behind" | "store-behind" => (OwnSysadmin, RESTORED),
        "destroyed-came-back" => (OwnSysadmin, CAME_BACK),
        "store-other" => (OwnSysadmin, ANOTHER_DATABASE),
        "store-schema" => (OwnSysadmin, TABLE_ASIDE),
        "home-copied" => (OwnSysadmin, COPIED),
        "sender-behind" => (OwnSysadmin, REOPEN),
        "bundle-missing" => (OwnSysadmin, DISK),
        _ => return None,
    })
}

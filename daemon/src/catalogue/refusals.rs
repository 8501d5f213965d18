//! What each refusal, hold, reason of return and alarm means, and what to do: for an operator at the end of a shift.
//! FORMAT.md §10 has the codes. A code that both a sender's own check and a recipient's receipt use has one text for both.

use super::{Text, alarms, door, faults, faults::Fault, returns};
use amanah_format::refusal::Refusal;

/// All that the catalogue says of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// What happened.
    pub meaning: Text,
    /// Whose fault it is.
    pub fault: Fault,
    /// What the operator does now.
    pub remedy: Text,
    /// What the system administrator does.
    pub sysadmin: Text,
}

/// An operator's half of it: meaning and remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) meaning: Text,
    pub(super) remedy: Text,
}

/// Pairs of (Indonesian, English).
type Pair = (&'static str, &'static str);

/// Puts a meaning and a remedy together.
pub(super) const fn because(meaning: Pair, remedy: Pair) -> Words {
    Words {
        meaning: Text {
            id: meaning.0,
            en: meaning.1,
        },
        remedy: Text {
            id: remedy.0,
            en: remedy.1,
        },
    }
}

/// By code (`Refusal::code`, `ReturnReason::code`, held reasons, `damaged`, the door's, alarms); none for an unknown one.
#[must_use]
pub fn explain(code: &str) -> Option<Explanation> {
    let words = code
        .parse::<Refusal>()
        .ok()
        .map(refusal)
        .or_else(|| returns::explain(code))
        .or_else(|| door::explain(code))
        .or_else(|| alarms::explain(code))?;
    let (fault, sysadmin) = faults::of(code)?;
    Some(Explanation {
        meaning: words.meaning,
        fault,
        remedy: words.remedy,
        sysadmin,
    })
}

/// The remedy for what an operator cannot mend: the two sysadmins must talk.
const TELL_BOTH: Pair = (
    "Jangan kirim ulang. Beri tahu admin sistem kedua pihak dan sebutkan kode ini.",
    "Do not send it again. Tell the system administrators of both sides, and give them this code.",
);
/// The remedy where only the sending side's program can be wrong.
const TELL_OURS: Pair = (
    "Beri tahu admin sistem pihak pengirim dan sebutkan kode ini. Berkas asli tetap tersimpan.",
    "Tell the sender's system administrator, and give this code. The original file is kept.",
);
/// The remedy for a table that does not keep its schema.
const MEND_TABLE: Pair = (
    "Perbaiki di sumbernya menurut laporan di samping berkas (atau `amanah check-table`), lalu letakkan lagi seluruh berkas. Untuk ralat yang lolos pemeriksaan itu: tanyakan kepada penerima, yang lognya menyebut baris dan sebabnya.",
    "Mend it at its source by the report beside the file (or `amanah check-table`), and drop the whole file again. Of a correction that passes this check: ask the recipient, whose log names the row and the cause.",
);
/// The remedy for junk at the door.
const WATCH: Pair = (
    "Tidak ada data yang diimpor. Bila terulang, beri tahu admin sistem: mungkin ada yang mencoba masuk.",
    "Nothing was imported. If it happens again, tell the system administrator: somebody may be trying the door.",
);

fn refusal(refusal: Refusal) -> Words {
    use Refusal as R;
    match refusal {
        R::ContainerMalformed
        | R::SignatureInvalid
        | R::SignerUnknown
        | R::SignerNotPeer
        | R::NameMismatch => at_the_door(refusal),
        R::ManifestMalformed
        | R::FormatUnsupported
        | R::SignerNotValid
        | R::SenderMismatch
        | R::WrongRecipient => identity(refusal),
        R::AgreementNotInForce
        | R::FlowNotAgreed
        | R::DirectionNotAgreed
        | R::PurposeNotAgreed
        | R::TooLarge
        | R::Expired => agreement(refusal),
        R::SequenceConflict | R::SequenceTooFar | R::PreviousMismatch | R::BundleIdReused => {
            stream(refusal)
        }
        R::Voided => given_up(),
        R::DecryptionFailed
        | R::PayloadMalformed
        | R::PayloadExceeds
        | R::EntryPath
        | R::EntryKind
        | R::ContentsMismatch
        | R::TotalsMismatch => payload(refusal),
        R::SchemaMismatch | R::RecordsInvalid => table(refusal),
    }
}

fn at_the_door(refusal: Refusal) -> Words {
    let meaning = match refusal.code() {
        "signature-invalid" => (
            "Tanda tangan kiriman tidak sah: isinya diubah, atau bukan pengirim yang menandatangani.",
            "The signature is not valid: the bundle was altered, or somebody else signed it.",
        ),
        "signer-unknown" => (
            "Kiriman ditandatangani kunci yang tidak ada pada kartu mitra mana pun.",
            "The bundle is signed by a key that no known card holds.",
        ),
        "signer-not-peer" => (
            "Kiriman ditandatangani pihak lain, bukan mitra yang sedang tersambung.",
            "The bundle is signed by another party than the peer that is connected.",
        ),
        "name-mismatch" => (
            "Nama kiriman tidak sesuai dengan nilai hash manifesnya.",
            "The bundle's name is not the digest of its manifest.",
        ),
        _ => (
            "Berkas yang datang bukan kiriman Amanah, atau terpotong.",
            "What came is no Amanah bundle, or it is cut short.",
        ),
    };
    because(meaning, WATCH)
}

fn identity(refusal: Refusal) -> Words {
    match refusal.code() {
        "format-unsupported" => because(
            (
                "Pengirim memakai versi format yang belum dikenal penerima.",
                "The sender uses a version of the format that the recipient does not know yet.",
            ),
            (
                "Admin sistem penerima perlu memperbarui Amanah; lalu kirim ulang.",
                "The recipient's system administrator must update Amanah; then send it again.",
            ),
        ),
        "signer-not-valid" => because(
            (
                "Kunci tanda tangan pengirim tidak berlaku pada saat kiriman dibuat atau diserahkan.",
                "The sender's signing key was not valid when the bundle was made or handed over.",
            ),
            (
                "Admin sistem pengirim memeriksa masa berlaku kartu (`amanah card show`) dan jam komputer; lalu kirim ulang.",
                "The sender's system administrator checks the card's validity (`amanah card show`) and the clock; then send it again.",
            ),
        ),
        "sender-mismatch" => because(
            (
                "Nama pengirim di manifes bukan pihak yang menandatangani.",
                "The sender named in the manifest is not the party that signed it.",
            ),
            TELL_BOTH,
        ),
        "wrong-recipient" => because(
            (
                "Kiriman ditujukan atau disandikan untuk pihak lain.",
                "The bundle is addressed, or encrypted, to somebody else.",
            ),
            (
                "Periksa apakah kartu penerima di sisi pengirim sudah yang terbaru (`amanah peer list`); lalu kirim ulang.",
                "Check that the sender has the recipient's newest card (`amanah peer list`); then send it again.",
            ),
        ),
        _ => because(
            (
                "Manifes kiriman tertandatangani, tetapi isinya tidak menurut format.",
                "The bundle's manifest is signed, but its text does not follow the format.",
            ),
            TELL_OURS,
        ),
    }
}

fn agreement(refusal: Refusal) -> Words {
    match refusal.code() {
        "flow-not-agreed" => because(
            (
                "Alur data ini tidak tercantum dalam perjanjian kerja sama dengan mitra ini.",
                "The agreement with this peer has no such flow.",
            ),
            (
                "Pindahkan berkas ke folder alur yang benar (`amanah agreement list` menampilkannya), atau mintakan adendum.",
                "Move the file to the folder of the right flow (`amanah agreement list` shows them), or ask for an amendment.",
            ),
        ),
        "direction-not-agreed" => because(
            (
                "Alur data ini berlaku untuk arah sebaliknya: pihak ini hanya menerima, tidak mengirim.",
                "This flow goes the other way: this side only receives it.",
            ),
            (
                "Periksa folder tujuan; bila memang harus dikirim, mintakan adendum perjanjian.",
                "Check the folder; if it really must be sent, ask for an amendment of the agreement.",
            ),
        ),
        "purpose-not-agreed" => because(
            (
                "Tujuan pemrosesan ini tidak diizinkan perjanjian untuk alur data ini.",
                "The agreement does not allow this purpose for this flow.",
            ),
            TELL_OURS,
        ),
        "too-large" => because(
            (
                "Ukuran atau jumlah isi melebihi batas alur data ini dalam perjanjian.",
                "It is larger, or holds more, than the agreement allows for this flow.",
            ),
            (
                "Bagi menjadi beberapa bagian yang lebih kecil, lalu kirim satu per satu.",
                "Split it into smaller parts and send them one by one.",
            ),
        ),
        "expired" => because(
            (
                "Kiriman tiba setelah batas waktunya lewat.",
                "The bundle arrived after its deadline.",
            ),
            (
                "Kirim ulang berkas aslinya. Periksa sambungan ke mitra dan jam komputer (`amanah status`).",
                "Send the original again. Check the connection to the peer and the clock (`amanah status`).",
            ),
        ),
        _ => because(
            (
                "Tidak ada perjanjian yang berlaku untuk alur data ini: belum mulai, sudah berakhir, digantikan, atau dicabut.",
                "No agreement is in force for this flow: not begun, ended, superseded, or revoked.",
            ),
            (
                "Lihat `amanah agreement list`. Perjanjian baru perlu ditandatangani kedua pihak sebelum dikirim ulang.",
                "See `amanah agreement list`. A new agreement must be signed by both parties before it is sent again.",
            ),
        ),
    }
}

fn stream(refusal: Refusal) -> Words {
    let meaning = match refusal.code() {
        "sequence-conflict" => (
            "Nomor urut kiriman ini sudah dipakai kiriman lain dari pengirim yang sama.",
            "Another bundle of this sender already has this sequence number.",
        ),
        "sequence-too-far" => (
            "Nomor urut kiriman ini terlalu jauh melompati kiriman yang belum tiba.",
            "The sequence number is too far beyond bundles that have not arrived.",
        ),
        "previous-mismatch" => (
            "Kiriman ini tidak menyambung pada kiriman sebelumnya dalam rantai yang sama.",
            "The bundle does not continue the chain of the one before it.",
        ),
        _ => (
            "Nomor pengenal kiriman ini sudah pernah dipakai pengirim.",
            "The sender has used this bundle id before.",
        ),
    };
    because(
        meaning,
        (
            "Mungkin data Amanah di sisi pengirim dipulihkan dari cadangan lama. Beri tahu admin sistem pengirim sebelum mengirim lagi.",
            "The sender's Amanah may have been restored from an old backup. Tell the sender's system administrator before sending more.",
        ),
    )
}

/// A table that does not keep the agreement's schema.
fn table(refusal: Refusal) -> Words {
    let meaning = match refusal.code() {
        "schema-mismatch" => (
            "Kolom tabel tidak sesuai dengan skema dalam perjanjian.",
            "The table's columns are not those of the agreement's schema.",
        ),
        _ => (
            "Ada baris tabel yang melanggar skema dalam perjanjian, atau sebuah ralat tidak dapat diterapkan di sisi penerima.",
            "Some rows break the agreement's schema, or a correction cannot be applied at the recipient.",
        ),
    };
    because(meaning, MEND_TABLE)
}

fn given_up() -> Words {
    because(
        (
            "Pengirim melepas nomor kiriman ini (`amanah stream void`) sebelum penerima menerimanya; tidak ada yang diimpor.",
            "The sender gave this number up (`amanah stream void`) before the recipient had the bundle; nothing was imported.",
        ),
        (
            "Letakkan lagi berkasnya di kotak keluar; ia dikirim dengan nomor baru.",
            "Drop the file into the outbox again; it is sent under a new number.",
        ),
    )
}

fn payload(refusal: Refusal) -> Words {
    let meaning = match refusal.code() {
        "decryption-failed" => {
            return because(
                (
                    "Penerima tidak dapat membuka sandi muatan dengan kunci yang dimilikinya.",
                    "The recipient cannot decrypt the payload with any of its keys.",
                ),
                (
                    "Periksa apakah kartu penerima di sisi pengirim sudah yang terbaru; lalu kirim ulang.",
                    "Check that the sender has the recipient's newest card; then send it again.",
                ),
            );
        }
        "entry-path" => {
            return because(
                (
                    "Ada nama berkas yang tidak dapat dipakai di semua komputer, atau dua nama yang hanya beda huruf besar.",
                    "A file name cannot be used on every computer, or two names differ only by upper case.",
                ),
                (
                    "Ganti nama berkas itu (tanpa karakter khusus, maksimal 255 bita), lalu kirim ulang.",
                    "Rename that file (no special characters, at most 255 bytes) and send it again.",
                ),
            );
        }
        "entry-kind" => (
            "Muatan memuat sesuatu yang bukan berkas biasa (tautan atau perangkat).",
            "The payload holds something that is no ordinary file (a link or a device).",
        ),
        "payload-exceeds" => (
            "Isi muatan lebih besar daripada yang dinyatakan dalam manifes, atau membukanya menuntut kerja komputer jauh di luar kewajaran.",
            "The payload holds more than its manifest declares, or takes far more computing to open than that can need.",
        ),
        "contents-mismatch" => (
            "Daftar isi muatan tidak sesuai dengan manifes atau dengan berkas di dalamnya.",
            "The list of contents does not agree with the manifest, or with the files.",
        ),
        "totals-mismatch" => (
            "Jumlah kendali yang dinyatakan pengirim tidak cocok dengan isi tabel yang dibaca penerima.",
            "The control totals that the sender declared do not match the table that the recipient read.",
        ),
        _ => (
            "Muatan tidak menurut format: bukan arsip terkompresi yang sah.",
            "The payload does not follow the format: no valid compressed archive.",
        ),
    };
    because(meaning, TELL_OURS)
}

#[cfg(test)]
mod tests;

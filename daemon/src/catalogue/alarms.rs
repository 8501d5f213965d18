//! Alarms of the status snapshot that are neither refusals nor holds: what a person must look at.

use super::refusals::{Explanation, because};

/// Every alarm code that the daemon may publish beside the codes of the other files.
#[cfg(test)]
const CODES: &[&str] = &[
    "agreement-conflict",
    "receipt-conflict",
    "receipt-invalid",
    "host-key",
    "not-accepted",
    "peer-silent",
    "sync-failed",
    "configuration",
    "document-ignored",
];

/// Of the alarm codes.
pub(super) fn explain(code: &str) -> Option<Explanation> {
    paper(code).or_else(|| machine(code))
}

fn paper(code: &str) -> Option<Explanation> {
    let found = match code {
        "agreement-conflict" => because(
            (
                "Ada dua naskah perjanjian yang berbeda dengan nomor dan versi yang sama; keduanya tidak diberlakukan.",
                "Two different texts of one agreement and version are installed; neither is in force.",
            ),
            (
                "Admin sistem menghapus naskah yang salah dari folder agreements setelah dicocokkan dengan mitra.",
                "The system administrator removes the wrong text from the agreements folder after comparing with the peer.",
            ),
        ),
        "receipt-conflict" => because(
            (
                "Mitra mengirim dua tanda terima yang berbeda untuk kiriman yang sama.",
                "The peer sent two different receipts for one bundle.",
            ),
            (
                "Simpan keduanya sebagai bukti dan hubungi mitra.",
                "Keep both as evidence and call the peer.",
            ),
        ),
        "receipt-invalid" => because(
            (
                "Tanda terima dari mitra tidak lolos verifikasi.",
                "A receipt from the peer does not verify.",
            ),
            (
                "Kiriman tetap dianggap belum dijawab. Beri tahu admin sistem kedua pihak.",
                "The bundle counts as unanswered. Tell the system administrators of both sides.",
            ),
        ),
        "document-ignored" => because(
            (
                "Ada dokumen dalam folder konfigurasi yang tidak berlaku.",
                "A document in the configuration folder does not count.",
            ),
            (
                "Lihat sebabnya dengan `amanah agreement list` atau `amanahd check`.",
                "See why with `amanah agreement list` or `amanahd check`.",
            ),
        ),
        _ => return None,
    };
    Some(found)
}

fn machine(code: &str) -> Option<Explanation> {
    let found = match code {
        "host-key" => because(
            (
                "Komputer di alamat mitra menunjukkan kunci yang bukan milik mitra. Tidak ada data yang dikirim.",
                "The computer at the peer's address showed a key that is not the peer's. Nothing was sent.",
            ),
            (
                "Periksa alamatnya. Bila mitra mengganti kunci, mintalah kartu barunya lewat jalur lain.",
                "Check the address. If the peer changed its key, ask for its new card by another way.",
            ),
        ),
        "not-accepted" => because(
            (
                "Mitra tidak menerima kunci sambungan kami.",
                "The peer does not accept our transport key.",
            ),
            (
                "Pastikan mitra sudah memasang kartu kita (`amanah card export`).",
                "Make sure that the peer has installed our card (`amanah card export`).",
            ),
        ),
        "peer-silent" => because(
            ("Mitra tidak merespons.", "The peer does not respond."),
            (
                "Kiriman menunggu dan dilanjutkan sendiri. Bila lama, hubungi narahubung mitra.",
                "Bundles wait and go on by themselves. If it lasts, call the peer's contact.",
            ),
        ),
        "sync-failed" => because(
            (
                "Diska gagal menyimpan data; Amanah berhenti agar tidak ada yang hilang.",
                "The disk failed to store data; Amanah stopped so that nothing is lost.",
            ),
            (
                "Admin sistem memeriksa diska, lalu menjalankan kembali layanannya.",
                "The system administrator checks the disk, then restarts the daemon.",
            ),
        ),
        "configuration" => because(
            (
                "Konfigurasi baru salah; Amanah tetap memakai yang lama.",
                "The new configuration is wrong; Amanah keeps the old one.",
            ),
            (
                "Jalankan `amanahd check`, perbaiki, lalu muat ulang.",
                "Run `amanahd check`, correct it, and reload.",
            ),
        ),
        _ => return None,
    };
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alarm_is_explained_and_no_other() {
        for code in CODES {
            let found = explain(code).unwrap();
            assert_ne!(found.meaning.id, found.meaning.en, "{code}");
        }
        assert_eq!(explain("no-alarm"), None);
    }
}

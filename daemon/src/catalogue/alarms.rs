//! Alarms of the status snapshot that are neither refusals nor holds: what a person must look at.
//! An alarm is for a person: each says what to do, or whom to call.

mod cards;
mod database;
mod ledger;

use super::refusals::{Words, because};

/// Every alarm code that the daemon may publish beside the codes of the other files.
pub(super) const CODES: &[&str] = &[
    "agreement-conflict",
    "flow-doubled",
    "not-movable",
    "payload-lost",
    "void-denied",
    "card-fork",
    "card-offered",
    "card-unproven",
    "ledger-fork",
    "ledger-unseen",
    "receipt-without-bundle",
    "receipt-doubtful",
    "configuration-refused",
    "restart-needed",
    "no-space",
    "quota-exceeded",
    "too-many-held",
    "too-much-junk",
    "peer-denies",
    "drop-denies",
    "drop-lost",
    "stage-failing",
    "document-does-not-count",
    "example-keys",
    "numbers-missing",
    "home-behind",
    "home-copied",
    "rhythm-missed",
    "rhythm-unknown",
    "sender-behind",
    "store-behind",
    "destroyed-came-back",
    "store-other",
    "store-schema",
    "bundle-missing",
];

/// Of the alarm codes.
pub(super) fn explain(code: &str) -> Option<Words> {
    paper(code)
        .or_else(|| disk(code))
        .or_else(|| too_much(code))
        .or_else(|| machine(code))
        .or_else(|| drop_server(code))
        .or_else(|| stream(code))
        .or_else(|| restored(code))
        .or_else(|| database::explain(code))
        .or_else(|| ledger::explain(code))
        .or_else(|| cards::explain(code))
}

fn stream(code: &str) -> Option<Words> {
    let found = match code {
        "numbers-missing" => because(
            (
                "Ada nomor yang belum datang dalam alur data ini, padahal nomor sesudahnya sudah.",
                "A number of this flow has not come, though a later one has.",
            ),
            (
                "Amanah sudah memintanya lagi kepada mitra. Bila tidak hilang dalam sehari, hubungi admin sistem mitra.",
                "Amanah has asked the peer for it again. If it does not go within a day, call the peer's system administrator.",
            ),
        ),
        "rhythm-missed" => because(
            (
                "Kiriman yang menurut perjanjian sudah jatuh tempo belum sampai.",
                "A bundle that is due by the agreement has not got there.",
            ),
            (
                "Pengirim meletakkan berkasnya, atau memberi tahu mitra mengapa tidak ada. Tanda ini hilang begitu kiriman sampai.",
                "The sender drops its file, or tells the peer why there is none. This goes as soon as a bundle arrives.",
            ),
        ),
        "rhythm-unknown" => because(
            (
                "Irama kiriman dalam perjanjian tidak dipahami program ini; keterlambatan tidak diawasi.",
                "The rhythm in the agreement is not understood by this program; lateness is not watched.",
            ),
            (
                "Tulis `every` sebagai day, weekday, monday … sunday, atau month, dan `by` sebagai JJ:MM, dalam versi perjanjian berikutnya.",
                "Write `every` as day, weekday, monday … sunday or month, and `by` as HH:MM, in the agreement's next version.",
            ),
        ),
        "void-denied" => because(
            (
                "Nomor yang diminta untuk dilepas tidak dilepas: kirimannya masih utuh di sini, sudah dijawab mitra, atau tidak ada.",
                "A number that was to be given up was not: its bundle is whole here, or answered already, or there is none.",
            ),
            (
                "Tidak perlu apa-apa; kiriman yang utuh dikirim terus. Bandingkan nomornya dengan `amanah status`.",
                "Nothing; what is whole goes on being sent. Compare the number with `amanah status`.",
            ),
        ),
        "sender-behind" => because(
            (
                "Mitra sudah melihat nomor yang tidak tercatat di sini: data Amanah di sisi ini dipulihkan dari cadangan lama. Alur data ini dihentikan.",
                "The peer has seen numbers that are not known here: Amanah was restored here from an old backup. This flow is stopped.",
            ),
            (
                "Keluarkan dari kotak keluar berkas yang sudah dikirim sesudah cadangan itu dibuat, lalu: `amanah stream reopen MITRA ALUR`.",
                "Take out of the outbox what was sent after that backup was made, then: `amanah stream reopen PEER FLOW`.",
            ),
        ),
        _ => return None,
    };
    Some(found)
}

fn restored(code: &str) -> Option<Words> {
    let found = match code {
        "home-behind" => because(
            (
                "Mitra memegang tanda terima kita untuk kiriman yang tidak tercatat di sini: data Amanah di sisi ini dipulihkan dari cadangan lama.",
                "The peer holds our receipts for bundles that are not known here: Amanah was restored here from an old backup.",
            ),
            (
                "Kiriman yang hilang diminta lagi dan dilengkapi sendiri, tanpa impor ganda. Beri tahu admin sistem kedua pihak.",
                "What is missing is asked for and completed by itself, and nothing is imported twice. Tell the system administrators of both sides.",
            ),
        ),
        "home-copied" => because(
            (
                "Data Amanah di sisi ini tampak seperti salinan (dipulihkan atau dipindahkan); tidak ada yang disegel untuk mitra ini sebelum mitra menjawab.",
                "Amanah's home looks like a copy (restored or moved); nothing is sealed for this peer until it has answered.",
            ),
            (
                "Tunggu sampai mitra tersambung. Bila mitra tidak dapat menjawab dan salinan ini pasti yang terbaru: `amanah stream vouch MITRA`.",
                "Wait until the peer is connected. If it cannot answer and this copy is surely the newest: `amanah stream vouch PEER`.",
            ),
        ),
        "store-behind" => because(
            (
                "Kotak masuk atau basis data kehilangan data yang sudah diimpor: dipulihkan dari cadangan lama.",
                "The inbox or the database has lost what was imported: it was restored from an old backup.",
            ),
            (
                "Yang hilang diimpor lagi dari arsip, dengan tanda terima yang sama. Beri tahu pengguna data itu.",
                "What is missing is imported again from the archive, under the same receipts. Tell those who use it.",
            ),
        ),
        "bundle-missing" => because(
            (
                "Kiriman yang harus diimpor tidak ada lagi di diska ini.",
                "A bundle that is to be imported is not on this disk any more.",
            ),
            (
                "Amanah memintanya lagi kepada mitra; diimpor begitu datang. Periksa diska.",
                "Amanah asks the peer for it again and imports it when it comes. Check the disk.",
            ),
        ),
        _ => return None,
    };
    Some(found)
}

fn paper(code: &str) -> Option<Words> {
    let found = match code {
        "flow-doubled" => because(
            (
                "Dua perjanjian dengan mitra yang sama memuat alur data bernama sama; alur itu tidak dipakai.",
                "Two agreements with one peer list a flow of the same name; that flow is not used.",
            ),
            (
                "Kedua pihak menyepakati naskah baru dengan nama alur data yang berbeda.",
                "Both parties agree on a new text with another name for one of the flows.",
            ),
        ),
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
        "receipt-without-bundle" => because(
            (
                "Mitra mengirim tanda terima untuk kiriman yang tidak tercatat di sini.",
                "The peer sent a receipt for a bundle that is not known here.",
            ),
            (
                "Mungkin data Amanah di sisi ini dipulihkan dari cadangan lama. Beri tahu admin sistem sebelum mengirim lagi.",
                "Amanah may have been restored here from an old backup. Tell the system administrator before sending more.",
            ),
        ),
        "receipt-doubtful" => because(
            (
                "Tanda terima dari mitra tidak lolos verifikasi.",
                "A receipt from the peer does not verify.",
            ),
            (
                "Kiriman tetap dianggap belum dijawab. Beri tahu admin sistem kedua pihak.",
                "The bundle counts as unanswered. Tell the system administrators of both sides.",
            ),
        ),
        "document-does-not-count" => because(
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

fn disk(code: &str) -> Option<Words> {
    let found = match code {
        "not-movable" => because(
            (
                "Amanah tidak boleh memindahkan berkas ini dari kotak keluar, jadi berkas belum dikirim.",
                "Amanah may not move this item out of the outbox, so it was not sent.",
            ),
            (
                "Admin sistem memeriksa hak akses folder kotak keluar (mode 2770, grup amanah-operators), lalu letakkan lagi.",
                "The system administrator checks the outbox folder's rights (mode 2770, group amanah-operators); then drop it again.",
            ),
        ),
        "payload-lost" => because(
            (
                "Isi kiriman yang sudah diberi nomor hilang dari diska.",
                "The payload of a bundle that has its number already is gone from the disk.",
            ),
            (
                "Jangan hapus apa pun; periksa diska dan beri tahu admin sistem. Berkas aslinya masih ada di kotak keluar. Bila cadangan pun tidak memilikinya: `amanah stream void MITRA ALUR NOMOR`.",
                "Delete nothing; check the disk and tell the system administrator. The original is still in the outbox. If no backup has it either: `amanah stream void PEER FLOW NUMBER`.",
            ),
        ),
        "no-space" => because(
            (
                "Ruang diska hampir habis; kiriman dari mitra tidak diterima.",
                "The disk is nearly full; bundles from peers are not taken.",
            ),
            (
                "Kosongkan ruang diska. Kiriman dilanjutkan sendiri.",
                "Make space on the disk. It goes on by itself.",
            ),
        ),
        _ => return None,
    };
    Some(found)
}

/// What a peer brings too much of.
fn too_much(code: &str) -> Option<Words> {
    let found = match code {
        "quota-exceeded" => because(
            (
                "Kiriman mitra ini yang menunggu di sini sudah mencapai kuotanya; yang baru belum diterima. Mitra lain tidak terganggu.",
                "As much of this peer as may wait here does already; nothing more of it is taken yet. Other peers are not affected.",
            ),
            (
                "Dilanjutkan sendiri setelah yang menunggu selesai. Bila berlangsung lama, beri tahu admin sistem penerima.",
                "It goes on by itself when what waits is done. If it lasts, tell the recipient's system administrator.",
            ),
        ),
        "too-many-held" => because(
            (
                "Terlalu banyak kiriman mitra ini menunggu perjanjian, kartu, atau jam yang benar; yang baru belum diterima.",
                "Too many bundles of this peer wait for an agreement, a card or a clock; new ones are not taken yet.",
            ),
            (
                "Lihat kiriman yang ditahan dengan `amanah quarantine list` dan hapus sebabnya. Setelah itu berlanjut sendiri.",
                "See what is held with `amanah quarantine list` and remove the cause. It goes on by itself.",
            ),
        ),
        "too-much-junk" => because(
            (
                "Mitra ini terus mengirim berkas rusak atau asing; tidak semuanya dicatat lagi.",
                "This peer keeps sending what is damaged or of no use; not all of it is recorded any more.",
            ),
            (
                "Hubungi admin sistem mitra. Tidak ada yang diimpor dari berkas itu.",
                "Call the peer's system administrator. Nothing of it was imported.",
            ),
        ),
        _ => return None,
    };
    Some(found)
}

fn machine(code: &str) -> Option<Words> {
    let found = match code {
        "configuration-refused" => because(
            (
                "Konfigurasi baru salah; Amanah tetap memakai yang lama.",
                "The new configuration is wrong; Amanah keeps the old one.",
            ),
            (
                "Jalankan `amanahd check`, perbaiki, lalu muat ulang.",
                "Run `amanahd check`, correct it, and reload.",
            ),
        ),
        "example-keys" => because(
            (
                "Layanan ini memakai kunci contoh yang dimiliki semua orang: tidak ada yang rahasia dan tidak ada yang terbukti.",
                "This daemon uses the example keys, which everybody has: nothing is secret, and nothing is proven.",
            ),
            (
                "Hanya untuk mencoba di satu komputer. Jangan letakkan data sungguhan.",
                "Only for a trial on one machine. Drop no real files.",
            ),
        ),
        "restart-needed" => because(
            (
                "Alamat, mitra, atau folder data berubah; sisanya sudah berlaku.",
                "Addresses, peers or the home changed; everything else is in force already.",
            ),
            (
                "Jalankan: systemctl restart amanahd.",
                "Run: systemctl restart amanahd.",
            ),
        ),
        "peer-denies" => because(
            (
                "Mitra tidak mau mengambil alih kiriman ini.",
                "The peer does not take this bundle over.",
            ),
            (
                "Kiriman tetap tersimpan dan dicoba lagi. Beri tahu admin sistem kedua pihak dan sebutkan kodenya.",
                "It is kept and tried again. Tell the system administrators of both sides, and give them the code.",
            ),
        ),
        "stage-failing" => because(
            (
                "Satu bagian layanan terus gagal dan dicoba lagi.",
                "A part of the daemon keeps failing and is tried again.",
            ),
            (
                "Admin sistem membaca log: journalctl -u amanahd.",
                "The system administrator reads the log: journalctl -u amanahd.",
            ),
        ),
        _ => return None,
    };
    Some(found)
}

fn drop_server(code: &str) -> Option<Words> {
    let found = match code {
        "drop-denies" => because(
            (
                "Server titipan menolak menulis atau menghapus di foldernya.",
                "The drop server refuses to write or remove in its folders.",
            ),
            (
                "Pengelola server titipan memeriksa hak akun kita atas kedua folder, dan ruang disknya.",
                "Whoever runs the drop server checks our account's rights on both folders, and the disk's space.",
            ),
        ),
        "drop-lost" => because(
            (
                "Kiriman hilang dari server titipan tanpa tanda terima; sudah dititipkan lagi.",
                "A bundle was gone from the drop server without a receipt; it was put there again.",
            ),
            (
                "Bila terulang: tanyakan kepada mitra apakah kiriman ditolaknya, lalu kepada pengelola server titipan.",
                "If it happens again: ask the peer whether it turned the bundle away, then whoever runs the drop server.",
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

//! Why an item is returned before it was sent, and why a bundle waits at its recipient: meaning and remedy of each.
//! None of them is final for a bundle: what is returned may be dropped again, what is held goes on by itself.

use super::refusals::{Words, because};

/// Reasons of return that are no refusal's code; the policy's own list is compared with it where both are seen.
pub(super) const RETURNED: &[&str] = &[
    "peer-unknown",
    "too-many-entries",
    "not-a-file",
    "unreadable",
    "name-not-portable",
    "folder-empty",
    "no-recipient-key",
];
/// Neither refused nor held: dropped, and asked for again.
pub(super) const DAMAGED: &str = "damaged";

/// Of the codes that are no refusal: reasons of return, of holding, and `damaged`.
pub(super) fn explain(code: &str) -> Option<Words> {
    misplaced(code)
        .or_else(|| unsendable(code))
        .or_else(|| held(code))
        .or_else(|| held_for_space(code))
}

/// What was dropped in the wrong place, or has no one to go to.
fn misplaced(code: &str) -> Option<Words> {
    let found = match code {
        "peer-unknown" => because(
            (
                "Tempatnya bukan folder alur data milik mitra yang terdaftar (outbox/MITRA/ALUR/).",
                "It was not dropped into the folder of a peer and a flow that are set up here (outbox/PEER/FLOW/).",
            ),
            (
                "Pindahkan ke folder alur data mitra itu, misalnya dengan `amanah send`. Bila mitra belum terdaftar (`amanah peer list`), hubungi admin sistem.",
                "Move it to the folder of one of the peer's flows, for instance with `amanah send`. If the peer is not set up (`amanah peer list`), ask the system administrator.",
            ),
        ),
        "no-recipient-key" => because(
            (
                "Kartu mitra tidak memuat kunci penyandian yang masih berlaku.",
                "The peer's card holds no encryption key that is still valid.",
            ),
            (
                "Admin sistem meminta kartu baru dari mitra dan memasangnya dengan `amanah peer add`.",
                "The system administrator asks the peer for a new card and installs it with `amanah peer add`.",
            ),
        ),
        _ => return None,
    };
    Some(found)
}

/// What cannot be sent as it is.
fn unsendable(code: &str) -> Option<Words> {
    let found = match code {
        "too-many-entries" => because(
            (
                "Folder ini memuat lebih banyak berkas daripada yang dapat dikirim sekaligus.",
                "The folder holds more files than one bundle can carry.",
            ),
            (
                "Bagi menjadi beberapa folder, atau jadikan satu arsip, lalu kirim ulang.",
                "Split it into several folders, or make one archive of it, and send it again.",
            ),
        ),
        "not-a-file" => because(
            (
                "Yang diletakkan bukan berkas biasa (tautan, perangkat, atau folder yang memuatnya), atau sebuah folder dalam alur tabel, yang menerima satu berkas tabel.",
                "What was dropped is no ordinary file (a link, a device, or a folder that holds one), or a folder in a flow of tables, which takes one file of a table.",
            ),
            (
                "Salin berkas aslinya (bukan tautannya) ke kotak keluar; setiap tabel sendiri-sendiri, tanpa folder.",
                "Copy the file itself (not the link) into the outbox; each table by itself, without a folder.",
            ),
        ),
        "unreadable" => because(
            (
                "Berkas tidak dapat dibaca oleh Amanah.",
                "Amanah is not allowed to read the file, or reading it failed.",
            ),
            (
                "Beri izin baca kepada grup operator, lalu letakkan lagi. Bila tetap gagal, beri tahu admin sistem.",
                "Let the operators' group read it, then drop it again. If it still fails, tell the system administrator.",
            ),
        ),
        "name-not-portable" => because(
            (
                "Nama berkas atau folder tidak dapat dipakai di semua komputer.",
                "The name of the file or folder cannot be used on every computer.",
            ),
            (
                "Ganti namanya: tanpa karakter tersembunyi, maksimal 255 bita, tanpa dua nama yang hanya beda huruf besar.",
                "Rename it: no hidden characters, at most 255 bytes, no two names that differ only by upper case.",
            ),
        ),
        "folder-empty" => because(
            (
                "Folder tidak memuat satu berkas pun.",
                "The folder holds no file.",
            ),
            (
                "Isi foldernya lalu letakkan lagi, atau hapus bila tidak diperlukan.",
                "Fill it and drop it again, or delete it.",
            ),
        ),
        _ => return None,
    };
    Some(found)
}

/// What waits for somebody's paper or clock.
fn held(code: &str) -> Option<Words> {
    let found = match code {
        "clock" => because(
            (
                "Kiriman ditahan: jam kedua pihak berbeda terlalu jauh.",
                "Held: the clocks of the two sides are too far apart.",
            ),
            (
                "Samakan jam komputer (NTP) di kedua pihak. Kiriman dilanjutkan sendiri.",
                "Set the clocks of both sides (NTP). It goes on by itself.",
            ),
        ),
        "agreement-unknown" => because(
            (
                "Kiriman ditahan: perjanjian yang disebut belum dipasang di sisi penerima.",
                "Held: the agreement that it names is not installed at the recipient.",
            ),
            (
                "Admin sistem penerima memasang perjanjian dengan `amanah agreement import`. Kiriman dilanjutkan sendiri.",
                "The recipient's system administrator installs it with `amanah agreement import`. It goes on by itself.",
            ),
        ),
        "card-unknown" => because(
            (
                "Kiriman ditahan: kartu yang diperlukan belum dipasang di sisi penerima.",
                "Held: a card that it needs is not installed at the recipient.",
            ),
            (
                "Admin sistem penerima memasang kartu dengan `amanah peer add`. Kiriman dilanjutkan sendiri.",
                "The recipient's system administrator installs it with `amanah peer add`. It goes on by itself.",
            ),
        ),
        _ => return None,
    };
    Some(found)
}

/// What waits for room, for another bundle, or comes again by itself.
fn held_for_space(code: &str) -> Option<Words> {
    let found = match code {
        "store-missing" => because(
            (
                "Kiriman ditahan: tempat penyimpanan hasil impor belum dapat menerimanya: diska atau basis datanya tidak ada, atau tabelnya belum sesuai dengan versi perjanjian yang baru.",
                "Held: the store cannot take it yet: its disk or database is not there, or its table does not fit the agreement's new version.",
            ),
            (
                "Admin sistem penerima membaca peringatan dalam `amanah status`: memasang diska, menjalankan basis data, atau menyisihkan tabelnya. Kiriman dilanjutkan sendiri.",
                "The recipient's system administrator reads the alarms of `amanah status`: mounts the disk, starts the database, or puts the table aside. It goes on by itself.",
            ),
        ),
        "space-missing" => because(
            (
                "Kiriman ditahan: ruang diska di sisi penerima tidak cukup.",
                "Held: the recipient's disk has not enough free space.",
            ),
            (
                "Kosongkan ruang diska di sisi penerima. Kiriman dilanjutkan sendiri.",
                "Make space on the recipient's disk. It goes on by itself.",
            ),
        ),
        "gap" => because(
            (
                "Kiriman ditahan: kiriman sebelumnya dalam urutan yang sama belum tiba.",
                "Held: a bundle before it in the same stream has not arrived yet.",
            ),
            (
                "Tunggu; kiriman yang kurang akan dikirim. Bila lebih dari satu hari, hubungi mitra.",
                "Wait; the missing one is on its way. After a day, call the peer.",
            ),
        ),
        "damaged" => because(
            (
                "Kiriman rusak di perjalanan dan dibuang. Tidak ada yang diimpor.",
                "The bundle was damaged on its way and was dropped. Nothing was imported.",
            ),
            (
                "Tidak perlu apa-apa: kiriman diminta ulang sendiri. Bila terus terulang, beri tahu admin sistem.",
                "Nothing: it is asked for again by itself. If it goes on, tell the system administrator.",
            ),
        ),
        _ => return None,
    };
    Some(found)
}

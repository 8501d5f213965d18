//! What the door answers to a request that it does not carry out: short codes of an SFTP status, never a receipt. The codes of
//! refusals, holds and alarms that the door uses too have their words there.

use super::refusals::{Words, because};

/// Every code of this file, in the order of the page.
pub(super) const CODES: &[&str] = &[
    "failure",
    "no-regular-file",
    "no-such-file",
    "not-allowed",
    "slip-doubtful",
    "stopping",
];

/// Of the door's own codes.
pub(super) fn explain(code: &str) -> Option<Words> {
    let nothing = (
        "Tidak perlu apa-apa: dicoba lagi sendiri.",
        "Nothing: it is tried again by itself.",
    );
    let found = match code {
        "failure" => because(
            (
                "Komputer penerima gagal mengambil alih; tidak ada yang dikatakan tentang isinya.",
                "The receiving machine failed to take it over; this says nothing about the bytes.",
            ),
            nothing,
        ),
        "no-regular-file" => because(
            (
                "Yang ada di stik dengan nama itu bukan berkas biasa (tautan, perangkat, folder), atau tidak dapat dibaca.",
                "What has this name on the stick is no ordinary file (a link, a device, a folder), or cannot be read.",
            ),
            (
                "Minta mitra menyalin ulang ke stik lain. Bila tetap gagal, beri tahu admin sistem.",
                "Ask the peer to export again, to another stick. If it still fails, tell the system administrator.",
            ),
        ),
        "no-such-file" => because(
            (
                "Nama yang diminta tidak ada di sana: sudah diambil, sudah selesai, atau belum pernah ada.",
                "What was asked for is not there: fetched already, settled, or never there.",
            ),
            nothing,
        ),
        "not-allowed" => because(
            (
                "Permintaan itu tidak dilayani: di luar kedua folder, arah yang salah, atau kartu mitra tidak berlaku lagi.",
                "That request is not served: beyond the two folders, the wrong way, or the peer's card is no longer valid.",
            ),
            (
                "Beri tahu admin sistem pengirim dan sebutkan kode ini.",
                "Tell the sender's system administrator, and give this code.",
            ),
        ),
        "slip-doubtful" => because(
            (
                "Catatan dari mitra tidak lolos verifikasi, atau bukan untuk pihak ini; tidak dipakai.",
                "A slip from the peer does not verify, or is not for this party; it is not heeded.",
            ),
            (
                "Beri tahu admin sistem kedua pihak dan sebutkan kode ini.",
                "Tell the system administrators of both sides, and give them this code.",
            ),
        ),
        "stopping" => because(
            (
                "Layanan penerima sedang berhenti.",
                "The receiving daemon is stopping.",
            ),
            nothing,
        ),
        _ => return None,
    };
    Some(found)
}

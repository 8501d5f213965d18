//! Alarms about cards of peers that came by wire. Each asks for a person: by the chain where it holds, by telephone where it does
//! not.

use super::{Words, because};

pub(super) fn explain(code: &str) -> Option<Words> {
    let found = match code {
        "card-fork" => because(
            (
                "Ada dua kartu mitra yang mengaku sebagai pengganti kartu yang sama; mungkin kunci lamanya dicuri. Tidak ada yang dipakai tanpa keputusan Anda.",
                "Two cards of the peer claim to follow the same card; an old key of it may be stolen. Neither is taken without your decision.",
            ),
            (
                "Hubungi mitra lewat nomor resmi dan minta sidik jari kartunya yang benar, lalu: `amanah peer add BERKAS --fingerprint SHA256:…`. Simpan isi `peer-cards/` dan `peer-cards/offered/` sebagai bukti.",
                "Call the peer at its official number and ask for the fingerprint of the right card, then: `amanah peer add FILE --fingerprint SHA256:…`. Keep what lies in `peer-cards/` and `peer-cards/offered/` as evidence.",
            ),
        ),
        "card-offered" => because(
            (
                "Mitra punya kartu baru yang ditandatangani kartu lamanya; kartu itu menunggu dipasang.",
                "The peer has a new card, signed by its old one; it waits to be installed.",
            ),
            (
                "Jalankan `amanah peer renew MITRA`, lalu muat ulang layanan. Telepon tidak perlu: kartu lama menjaminnya.",
                "Run `amanah peer renew PEER`, then reload the daemon. No telephone call is needed: the old card vouches for it.",
            ),
        ),
        "card-unproven" => because(
            (
                "Mitra mengirim kartu yang tidak dijamin kartu lamanya (kunci hilang, dicabut, atau habis masa berlaku).",
                "The peer sent a card that its old card does not vouch for (a key was lost, revoked or has ended).",
            ),
            (
                "Hubungi mitra lewat nomor resmi, cocokkan sidik jarinya, lalu: `amanah peer add BERKAS --fingerprint SHA256:…`. Bila mitra tidak tahu apa-apa, jangan dipasang.",
                "Call the peer at its official number, compare the fingerprint, then: `amanah peer add FILE --fingerprint SHA256:…`. If the peer knows nothing of it, do not install it.",
            ),
        ),
        _ => return None,
    };
    Some(found)
}

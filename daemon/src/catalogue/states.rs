//! What the states of a bundle are called, and what happens next: for the status table. SPOOL.md §2 and §3 have the states.
//! The engine knows the states and their order; here their text forms only have names.

use super::Text;

/// A state's name and what happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateText {
    /// A short name.
    pub name: Text,
    /// What the operator may expect.
    pub next: Text,
}

const fn state(
    name: (&'static str, &'static str),
    next: (&'static str, &'static str),
) -> StateText {
    StateText {
        name: Text {
            id: name.0,
            en: name.1,
        },
        next: Text {
            id: next.0,
            en: next.1,
        },
    }
}

/// Of a bundle on its way out, by the state's text form (`queued`, `handed-over` …); none for an unknown one.
#[must_use]
pub fn outbound(of: &str) -> Option<StateText> {
    let found = match of {
        "claiming" | "claimed" => {
            state(("diambil", "taken"), ("sedang disegel", "is being sealed"))
        }
        "sealed" | "signed" => state(
            ("disegel", "sealed"),
            ("segera masuk antrean", "enters the queue"),
        ),
        "queued" => state(
            ("dalam antrean", "queued"),
            ("menunggu dikirim", "waits to be shipped"),
        ),
        "handed-over" => state(
            ("diserahkan", "handed over"),
            (
                "menunggu tanda terima mitra",
                "waits for the peer's receipt",
            ),
        ),
        "imported" => state(
            ("diimpor mitra", "imported by the peer"),
            (
                "berkas asli dipindah ke sent/",
                "the original moves to sent/",
            ),
        ),
        "refused" => state(
            ("ditolak mitra", "refused by the peer"),
            ("berkas asli dikembalikan", "the original is returned"),
        ),
        "settled" => state(
            ("selesai", "settled"),
            ("tanda terima tersimpan", "the receipt is kept"),
        ),
        "returned" => state(
            ("dikembalikan", "returned"),
            (
                "baca NAMA.why.txt di returned/",
                "read NAME.why.txt in returned/",
            ),
        ),
        "put-back" => state(
            ("diletakkan kembali", "put back"),
            (
                "berkas berubah; diambil lagi bila sudah tetap",
                "the file changed; taken again once it is still",
            ),
        ),
        "destroyed" => state(
            ("dimusnahkan", "destroyed"),
            ("masa retensi berakhir", "its retention has ended"),
        ),
        _ => return None,
    };
    Some(found)
}

/// Of a bundle on its way in (`held`, `admitted` …).
#[must_use]
pub fn inbound(of: &str) -> Option<StateText> {
    let found = match of {
        "held" => state(
            ("ditahan", "held"),
            ("dinilai lagi sendiri", "is judged again by itself"),
        ),
        "admitted" => state(
            ("diterima", "admitted"),
            ("sedang diimpor", "is being imported"),
        ),
        "imported" => state(
            ("diimpor", "imported"),
            (
                "tanda terima sedang ditandatangani",
                "its receipt is being signed",
            ),
        ),
        "refused" => state(
            ("ditolak", "refused"),
            (
                "tanda terima sedang ditandatangani",
                "its receipt is being signed",
            ),
        ),
        "acknowledged" => state(
            ("dijawab", "answered"),
            (
                "tanda terima menunggu diambil mitra",
                "its receipt waits for the peer",
            ),
        ),
        "delivered" => state(
            ("selesai", "done"),
            ("tanda terima sudah di mitra", "the peer has the receipt"),
        ),
        _ => return None,
    };
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_has_words_in_both_languages_and_an_unknown_one_has_none() {
        let text = outbound("handed-over").unwrap();
        assert_eq!((text.name.id, text.name.en), ("diserahkan", "handed over"));
        assert_eq!(inbound("held").unwrap().name.en, "held");
        assert_eq!(outbound("Queued"), None);
        assert_eq!(inbound("queued"), None);
    }
}

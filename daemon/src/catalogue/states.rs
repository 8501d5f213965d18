//! What the states of a bundle are called, and what happens next: for the status table. SPOOL.md §2 and §3 have the states.

use super::Text;
use crate::engine::{inbound::Inbound, outbound::Outbound};

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

/// Of a bundle on its way out.
#[must_use]
pub const fn outbound(of: Outbound) -> StateText {
    match of {
        Outbound::Claiming | Outbound::Claimed => {
            state(("diambil", "taken"), ("sedang disegel", "is being sealed"))
        }
        Outbound::Sealed | Outbound::Signed => state(
            ("disegel", "sealed"),
            ("segera masuk antrean", "enters the queue"),
        ),
        Outbound::Queued => state(
            ("dalam antrean", "queued"),
            ("menunggu dikirim", "waits to be shipped"),
        ),
        Outbound::HandedOver => state(
            ("diserahkan", "handed over"),
            (
                "menunggu tanda terima mitra",
                "waits for the peer's receipt",
            ),
        ),
        Outbound::Imported => state(
            ("diimpor mitra", "imported by the peer"),
            (
                "berkas asli dipindah ke sent/",
                "the original moves to sent/",
            ),
        ),
        Outbound::Refused => state(
            ("ditolak mitra", "refused by the peer"),
            ("berkas asli dikembalikan", "the original is returned"),
        ),
        Outbound::Settled => state(
            ("selesai", "settled"),
            ("tanda terima tersimpan", "the receipt is kept"),
        ),
        Outbound::Returned => state(
            ("dikembalikan", "returned"),
            (
                "baca NAMA.why.txt di returned/",
                "read NAME.why.txt in returned/",
            ),
        ),
        Outbound::PutBack => state(
            ("diletakkan kembali", "put back"),
            (
                "berkas berubah; diambil lagi bila sudah tetap",
                "the file changed; taken again once it is still",
            ),
        ),
        Outbound::Destroyed => state(
            ("dimusnahkan", "destroyed"),
            ("masa retensi berakhir", "its retention has ended"),
        ),
    }
}

/// Of a bundle on its way in.
#[must_use]
pub const fn inbound(of: Inbound) -> StateText {
    match of {
        Inbound::Held => state(
            ("ditahan", "held"),
            ("dinilai lagi sendiri", "is judged again by itself"),
        ),
        Inbound::Admitted => state(
            ("diterima", "admitted"),
            ("sedang diimpor", "is being imported"),
        ),
        Inbound::Imported => state(
            ("diimpor", "imported"),
            (
                "tanda terima sedang ditandatangani",
                "its receipt is being signed",
            ),
        ),
        Inbound::Refused => state(
            ("ditolak", "refused"),
            (
                "tanda terima sedang ditandatangani",
                "its receipt is being signed",
            ),
        ),
        Inbound::Acknowledged => state(
            ("dijawab", "answered"),
            (
                "tanda terima menunggu diambil mitra",
                "its receipt waits for the peer",
            ),
        ),
        Inbound::Delivered => state(
            ("selesai", "done"),
            ("mitra memegang tanda terima", "the peer has the receipt"),
        ),
    }
}

/// Reads a state of the snapshot (`queued`, `handed-over` …).
#[must_use]
pub fn parse_outbound(text: &str) -> Option<Outbound> {
    serde_json::from_value(serde_json::Value::from(text)).ok()
}

/// Reads a state of the snapshot (`held`, `admitted` …).
#[must_use]
pub fn parse_inbound(text: &str) -> Option<Inbound> {
    serde_json::from_value(serde_json::Value::from(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_as_the_snapshot_writes_them() {
        assert_eq!(parse_outbound("handed-over"), Some(Outbound::HandedOver));
        assert_eq!(parse_inbound("held"), Some(Inbound::Held));
        assert_eq!(parse_outbound("Queued"), None);
        assert_eq!(parse_inbound("queued"), None);
    }

    #[test]
    fn every_state_has_words_in_both_languages() {
        for name in [
            "claiming",
            "claimed",
            "sealed",
            "signed",
            "queued",
            "handed-over",
            "imported",
            "refused",
            "settled",
            "returned",
            "put-back",
            "destroyed",
        ] {
            let text = outbound(parse_outbound(name).unwrap());
            assert!(
                !text.name.id.is_empty() && !text.next.en.is_empty(),
                "{name}"
            );
        }
        for name in [
            "held",
            "admitted",
            "imported",
            "refused",
            "acknowledged",
            "delivered",
        ] {
            let text = inbound(parse_inbound(name).unwrap());
            assert!(
                !text.name.en.is_empty() && !text.next.id.is_empty(),
                "{name}"
            );
        }
    }
}

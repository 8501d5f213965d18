//! The states of a bundle on its way out, and the one function that moves between them. SPOOL.md §2 is its table.
//! From `Sealed` on a bundle only goes forward: its items come back to the operator on a signed refusal alone.

use super::Illegal;

/// Where an outgoing bundle stands. Text form kebab-case in the journal and the status snapshot.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Outbound {
    /// Recorded; its items are being renamed to `.claimed-…`.
    Claiming,
    /// All items stand aside in the outbox. Sealed anew from them after a restart.
    Claimed,
    /// Sequence, previous, exact manifest bytes are recorded; the payload lies synced in `work/`. From here only forward.
    Sealed,
    /// The signature is recorded.
    Signed,
    /// The whole bundle lies in `queue/`.
    Queued,
    /// The peer's daemon answered that it has taken it over durably.
    HandedOver,
    /// A verified receipt says imported.
    Imported,
    /// A verified receipt says refused.
    Refused,
    /// Final: originals in `sent/`, bundle and receipt archived.
    Settled,
    /// Final: originals in `returned/` with the reason.
    Returned,
    /// Final: the items were put back into the outbox (they changed while they were claimed or read).
    PutBack,
    /// Final after settled: originals and copies destroyed on schedule.
    Destroyed,
}

/// What can happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboundEvent {
    /// All its items were renamed aside.
    StoodAside,
    /// Its items went back into the outbox.
    WentBack,
    /// The sealing transaction.
    SealCommitted,
    /// The manifest's signature was stored.
    SignatureStored,
    /// The whole bundle lies durably in `queue/`.
    BundleQueued,
    /// The peer's daemon answered the hand-over.
    PeerTookOver,
    /// A verified receipt says imported.
    ReceiptImported,
    /// A verified receipt says refused.
    ReceiptRefused,
    /// The originals lie in `sent/`, bundle and receipt in the archive.
    OriginalsSettled,
    /// The originals lie in `returned/`.
    OriginalsReturned,
    /// Originals and copies are destroyed.
    RetentionEnded,
}

/// The state after `event`. A receipt may come in `Queued` too: the answer to the hand-over can be lost, or the peer
/// pulled. For the same reason that answer may come late, or twice: then it changes nothing.
///
/// # Errors
/// [`Illegal`].
pub fn next(state: Outbound, event: OutboundEvent) -> Result<Outbound, Illegal> {
    use Outbound as S;
    use OutboundEvent as E;
    match (state, event) {
        (S::Claiming, E::StoodAside) => Ok(S::Claimed),
        (S::Claiming | S::Claimed, E::WentBack) => Ok(S::PutBack),
        // Policy says no before anything left, or the peer refused it by a signed receipt.
        (S::Claiming | S::Claimed | S::Refused, E::OriginalsReturned) => Ok(S::Returned),
        (S::Claimed, E::SealCommitted) => Ok(S::Sealed),
        (S::Sealed, E::SignatureStored) => Ok(S::Signed),
        (S::Signed, E::BundleQueued) => Ok(S::Queued),
        (S::Queued, E::PeerTookOver) => Ok(S::HandedOver),
        (
            S::HandedOver | S::Imported | S::Refused | S::Settled | S::Returned | S::Destroyed,
            E::PeerTookOver,
        ) => Ok(state),
        (S::Queued | S::HandedOver, E::ReceiptImported) => Ok(S::Imported),
        (S::Queued | S::HandedOver, E::ReceiptRefused) => Ok(S::Refused),
        (S::Imported, E::OriginalsSettled) => Ok(S::Settled),
        (S::Settled, E::RetentionEnded) => Ok(S::Destroyed),
        // The originals are the operator's again; only our sealed copy goes.
        (S::Returned, E::RetentionEnded) => Ok(S::Returned),
        _ => Err(Illegal {
            state: state.as_str(),
            event: event.as_str(),
        }),
    }
}

impl Outbound {
    /// All, in order.
    pub const ALL: &'static [Self] = &[
        Self::Claiming,
        Self::Claimed,
        Self::Sealed,
        Self::Signed,
        Self::Queued,
        Self::HandedOver,
        Self::Imported,
        Self::Refused,
        Self::Settled,
        Self::Returned,
        Self::PutBack,
        Self::Destroyed,
    ];

    /// Kebab-case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claiming => "claiming",
            Self::Claimed => "claimed",
            Self::Sealed => "sealed",
            Self::Signed => "signed",
            Self::Queued => "queued",
            Self::HandedOver => "handed-over",
            Self::Imported => "imported",
            Self::Refused => "refused",
            Self::Settled => "settled",
            Self::Returned => "returned",
            Self::PutBack => "put-back",
            Self::Destroyed => "destroyed",
        }
    }

    /// Whether nothing more happens to it but destruction.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Settled | Self::Returned | Self::PutBack | Self::Destroyed
        )
    }
}

impl OutboundEvent {
    /// All, in the order of the journey.
    pub const ALL: &'static [Self] = &[
        Self::StoodAside,
        Self::WentBack,
        Self::SealCommitted,
        Self::SignatureStored,
        Self::BundleQueued,
        Self::PeerTookOver,
        Self::ReceiptImported,
        Self::ReceiptRefused,
        Self::OriginalsSettled,
        Self::OriginalsReturned,
        Self::RetentionEnded,
    ];

    /// Kebab-case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StoodAside => "stood-aside",
            Self::WentBack => "went-back",
            Self::SealCommitted => "seal-committed",
            Self::SignatureStored => "signature-stored",
            Self::BundleQueued => "bundle-queued",
            Self::PeerTookOver => "peer-took-over",
            Self::ReceiptImported => "receipt-imported",
            Self::ReceiptRefused => "receipt-refused",
            Self::OriginalsSettled => "originals-settled",
            Self::OriginalsReturned => "originals-returned",
            Self::RetentionEnded => "retention-ended",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SPOOL.md §2: per event (a row) the state after it for each state of `Outbound::ALL` (a column); `-` is illegal.
    const TABLE: [(OutboundEvent, &str); 11] = {
        use OutboundEvent as E;
        [
            (E::StoodAside, "claimed - - - - - - - - - - -"),
            (E::WentBack, "put-back put-back - - - - - - - - - -"),
            (E::SealCommitted, "- sealed - - - - - - - - - -"),
            (E::SignatureStored, "- - signed - - - - - - - - -"),
            (E::BundleQueued, "- - - queued - - - - - - - -"),
            (
                E::PeerTookOver,
                "- - - - handed-over handed-over imported refused settled returned - destroyed",
            ),
            (E::ReceiptImported, "- - - - imported imported - - - - - -"),
            (E::ReceiptRefused, "- - - - refused refused - - - - - -"),
            (E::OriginalsSettled, "- - - - - - settled - - - - -"),
            (
                E::OriginalsReturned,
                "returned returned - - - - - returned - - - -",
            ),
            (E::RetentionEnded, "- - - - - - - - destroyed returned - -"),
        ]
    };

    #[test]
    fn every_state_and_event_does_what_the_table_says() {
        assert_eq!(TABLE.len(), OutboundEvent::ALL.len());
        for ((event, row), listed) in TABLE.iter().zip(OutboundEvent::ALL) {
            assert_eq!(event, listed);
            let cells: Vec<_> = row.split(' ').collect();
            assert_eq!(cells.len(), Outbound::ALL.len(), "{event:?}");
            for (state, cell) in Outbound::ALL.iter().zip(cells) {
                let found = next(*state, *event).map_or("-", Outbound::as_str);
                assert_eq!(found, cell, "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn once_sealed_only_a_signed_refusal_leads_back_to_the_operator() {
        for state in [
            Outbound::Sealed,
            Outbound::Signed,
            Outbound::Queued,
            Outbound::HandedOver,
            Outbound::Imported,
        ] {
            assert!(next(state, OutboundEvent::WentBack).is_err());
            assert!(next(state, OutboundEvent::OriginalsReturned).is_err());
        }
        assert!(next(Outbound::Refused, OutboundEvent::OriginalsReturned).is_ok());
    }

    #[test]
    fn the_text_form_is_that_of_serde() {
        for state in Outbound::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }

    #[test]
    fn what_is_final_stays_but_for_destruction() {
        for state in Outbound::ALL.iter().filter(|state| state.is_final()) {
            for event in OutboundEvent::ALL {
                let after = next(*state, *event).unwrap_or(*state);
                assert!(after == *state || after == Outbound::Destroyed);
            }
        }
    }
}

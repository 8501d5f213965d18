//! The states of a bundle on its way in, and the one function that moves between them. SPOOL.md §3 is its table.
//! Also here: which refused bundles consume their number in the stream.

use amanah_format::refusal::Refusal;

use super::Illegal;

/// Where an incoming bundle stands. Text form kebab-case.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Inbound {
    /// Verified and whole, but not yet: a reason is recorded, it is judged again.
    Held,
    /// To be imported.
    Admitted,
    /// Outcome `imported`: the store has committed; the receipt's exact bytes are recorded.
    Imported,
    /// Outcome `refused`: the receipt's exact bytes are recorded.
    Refused,
    /// The receipt is signed and offered to the peer.
    Acknowledged,
    /// The peer has the receipt durably.
    Delivered,
}

/// What can happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboundEvent {
    /// Judged again: now it may be imported.
    Admitted,
    /// Judged again, or found while opening.
    Refused,
    /// Judged again: still not, perhaps for another reason; or an import found its store or space missing.
    Held,
    /// The store's commit is durable.
    StoreCommitted,
    /// The receipt's signature was stored.
    ReceiptSigned,
    /// The peer has the receipt durably.
    ReceiptTaken,
    /// The same bundle came again: the same receipt is offered again.
    CameAgain,
    /// The store does not have any more what it had committed: it was restored from an old copy.
    StoreLost,
    /// Its agreed days are over: its bytes are destroyed, its answer stands.
    RetentionEnded,
}

/// The state after `event`.
///
/// # Errors
/// [`Illegal`].
pub fn next(state: Inbound, event: InboundEvent) -> Result<Inbound, Illegal> {
    use Inbound as S;
    use InboundEvent as E;
    match (state, event) {
        (S::Held, E::Admitted) => Ok(S::Admitted),
        (S::Held | S::Admitted, E::Refused) => Ok(S::Refused),
        (S::Held | S::Admitted, E::Held) => Ok(S::Held),
        (S::Admitted, E::StoreCommitted) => Ok(S::Imported),
        (S::Imported | S::Refused, E::ReceiptSigned) => Ok(S::Acknowledged),
        (S::Acknowledged | S::Delivered, E::ReceiptTaken) => Ok(S::Delivered),
        // The receipt stands: it is imported again, and answered by the same bytes.
        (S::Acknowledged | S::Delivered, E::StoreLost) => Ok(S::Admitted),
        (S::Acknowledged | S::Delivered, E::RetentionEnded) => Ok(state),
        (S::Delivered, E::CameAgain) => Ok(S::Acknowledged),
        (_, E::CameAgain) => Ok(state),
        _ => Err(Illegal {
            state: state.as_str(),
            event: event.as_str(),
        }),
    }
}

/// Whether a bundle refused for this reason consumes its number: a refused number counts as consumed.
///
/// The rule: a number is consumed where the signed manifest proves that the peer meant this place of a stream that is
/// ours. Not so where the signer or the recipient is another (it is somebody else's stream), where the place or the
/// bundle id belongs to another bundle, where the number is too far, where the text could not be read, and where the
/// agreement has no such flow in this direction (there is no such stream).
#[must_use]
pub const fn consumes_number(refusal: Refusal) -> bool {
    match refusal {
        Refusal::AgreementNotInForce
        | Refusal::PurposeNotAgreed
        | Refusal::TooLarge
        | Refusal::Expired
        | Refusal::PreviousMismatch
        | Refusal::Voided
        | Refusal::DecryptionFailed
        | Refusal::PayloadMalformed
        | Refusal::PayloadExceeds
        | Refusal::EntryPath
        | Refusal::EntryKind
        | Refusal::ContentsMismatch
        | Refusal::SchemaMismatch
        | Refusal::RecordsInvalid
        | Refusal::TotalsMismatch => true,
        Refusal::ContainerMalformed
        | Refusal::SignatureInvalid
        | Refusal::SignerUnknown
        | Refusal::SignerNotPeer
        | Refusal::NameMismatch
        | Refusal::ManifestMalformed
        | Refusal::FormatUnsupported
        | Refusal::SignerNotValid
        | Refusal::SenderMismatch
        | Refusal::WrongRecipient
        | Refusal::FlowNotAgreed
        | Refusal::DirectionNotAgreed
        | Refusal::SequenceConflict
        | Refusal::SequenceTooFar
        | Refusal::BundleIdReused => false,
    }
}

impl Inbound {
    /// All, in order.
    pub const ALL: &'static [Self] = &[
        Self::Held,
        Self::Admitted,
        Self::Imported,
        Self::Refused,
        Self::Acknowledged,
        Self::Delivered,
    ];

    /// Kebab-case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Admitted => "admitted",
            Self::Imported => "imported",
            Self::Refused => "refused",
            Self::Acknowledged => "acknowledged",
            Self::Delivered => "delivered",
        }
    }
}

impl InboundEvent {
    /// All, in the order of the journey.
    pub const ALL: &'static [Self] = &[
        Self::Admitted,
        Self::Refused,
        Self::Held,
        Self::StoreCommitted,
        Self::ReceiptSigned,
        Self::ReceiptTaken,
        Self::CameAgain,
        Self::StoreLost,
        Self::RetentionEnded,
    ];

    /// Kebab-case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Refused => "refused",
            Self::Held => "held",
            Self::StoreCommitted => "store-committed",
            Self::ReceiptSigned => "receipt-signed",
            Self::ReceiptTaken => "receipt-taken",
            Self::CameAgain => "came-again",
            Self::StoreLost => "store-lost",
            Self::RetentionEnded => "retention-ended",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SPOOL.md §3: per event (a row) the state after it for each state of `Inbound::ALL` (a column); `-` is illegal.
    const TABLE: [(InboundEvent, &str); 9] = [
        (InboundEvent::Admitted, "admitted - - - - -"),
        (InboundEvent::Refused, "refused refused - - - -"),
        (InboundEvent::Held, "held held - - - -"),
        (InboundEvent::StoreCommitted, "- imported - - - -"),
        (
            InboundEvent::ReceiptSigned,
            "- - acknowledged acknowledged - -",
        ),
        (InboundEvent::ReceiptTaken, "- - - - delivered delivered"),
        (
            InboundEvent::CameAgain,
            "held admitted imported refused acknowledged acknowledged",
        ),
        (InboundEvent::StoreLost, "- - - - admitted admitted"),
        (
            InboundEvent::RetentionEnded,
            "- - - - acknowledged delivered",
        ),
    ];

    #[test]
    fn every_state_and_event_does_what_the_table_says() {
        assert_eq!(TABLE.len(), InboundEvent::ALL.len());
        for ((event, row), listed) in TABLE.iter().zip(InboundEvent::ALL) {
            assert_eq!(event, listed);
            let cells: Vec<_> = row.split(' ').collect();
            assert_eq!(cells.len(), Inbound::ALL.len(), "{event:?}");
            for (state, cell) in Inbound::ALL.iter().zip(cells) {
                let found = next(*state, *event).map_or("-", Inbound::as_str);
                assert_eq!(found, cell, "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn the_text_form_is_that_of_serde() {
        for state in Inbound::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }

    #[test]
    fn what_never_gets_a_receipt_consumes_no_number() {
        for refusal in Refusal::ALL.iter().filter(|refusal| !refusal.is_signed()) {
            assert!(!consumes_number(*refusal), "{refusal}");
        }
        assert!(consumes_number(Refusal::DecryptionFailed));
        assert!(!consumes_number(Refusal::SequenceConflict));
    }
}

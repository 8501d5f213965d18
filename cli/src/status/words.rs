//! The states of the engine and their words in the catalogue, put together: the catalogue knows text forms only.
//! A test holds both to the same list, and the policy's reasons of return as well.

use amanahd::{
    catalogue::{
        Text,
        states::{self, StateText},
    },
    engine::{inbound::Inbound, outbound::Outbound},
};

/// What a state without words would show; the test below keeps it from being seen.
const WORDLESS: StateText = StateText {
    name: Text { id: "?", en: "?" },
    next: Text { id: "", en: "" },
};

/// Reads a state of the snapshot.
pub(crate) fn parse_outbound(text: &str) -> Option<Outbound> {
    let mut all = Outbound::ALL.iter().copied();
    all.find(|state| state.as_str() == text)
}

/// Reads a state of the snapshot.
pub(crate) fn parse_inbound(text: &str) -> Option<Inbound> {
    let mut all = Inbound::ALL.iter().copied();
    all.find(|state| state.as_str() == text)
}

pub(crate) fn outbound(state: Outbound) -> StateText {
    states::outbound(state.as_str()).unwrap_or(WORDLESS)
}

pub(crate) fn inbound(state: Inbound) -> StateText {
    states::inbound(state.as_str()).unwrap_or(WORDLESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use amanahd::catalogue::refusals::explain;
    use amanahd::engine::policy::ReturnReason;

    #[test]
    fn every_state_of_the_engine_has_words() {
        for state in Outbound::ALL {
            assert_ne!(outbound(*state), WORDLESS, "{}", state.as_str());
            assert_eq!(parse_outbound(state.as_str()), Some(*state));
        }
        for state in Inbound::ALL {
            assert_ne!(inbound(*state), WORDLESS, "{}", state.as_str());
            assert_eq!(parse_inbound(state.as_str()), Some(*state));
        }
        assert_eq!(parse_outbound("Queued"), None);
        assert_eq!(parse_inbound("queued"), None);
    }

    /// The next reason in the enum's order; the compiler demands a line here for each new one.
    fn after(reason: ReturnReason) -> Option<ReturnReason> {
        use ReturnReason as R;
        match reason {
            R::PeerUnknown => Some(R::FlowNotAgreed),
            R::FlowNotAgreed => Some(R::DirectionNotAgreed),
            R::DirectionNotAgreed => Some(R::AgreementNotInForce),
            R::AgreementNotInForce => Some(R::TooLarge),
            R::TooLarge => Some(R::TooManyEntries),
            R::TooManyEntries => Some(R::NotAFile),
            R::NotAFile => Some(R::Unreadable),
            R::Unreadable => Some(R::NameNotPortable),
            R::NameNotPortable => Some(R::FolderEmpty),
            R::FolderEmpty => Some(R::NoRecipientKey),
            R::NoRecipientKey | R::Refused(_) => None,
        }
    }

    #[test]
    fn every_reason_of_return_has_words() {
        let all = std::iter::successors(Some(ReturnReason::PeerUnknown), |reason| after(*reason));
        for reason in all {
            let listed = amanahd::catalogue::page::codes().any(|code| code == reason.code());
            assert!(
                listed && explain(reason.code()).is_some(),
                "{}",
                reason.code()
            );
        }
    }
}

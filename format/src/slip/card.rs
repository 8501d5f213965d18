//! The slip that proposes a card. FORMAT.md §14, §11.2.
//! What it carries is read and judged as any card is; that it came in a slip proves only who sent it.

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};

/// Longest text of a card's container: three files of a few KiB, and base64 on top.
const CARD_CHARS_MAX: usize = 57_344;

/// A card of the signer's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposed {
    /// Base64 of the container.
    card: String,
}

impl Proposed {
    /// Carries this container; none where it is too long for a slip.
    #[must_use]
    pub fn of(container: &[u8]) -> Option<Self> {
        let proposed = Self {
            card: Base64::encode_string(container),
        };
        proposed.holds().then_some(proposed)
    }

    /// The container's bytes; none where the text is no base64.
    #[must_use]
    pub fn container(&self) -> Option<Vec<u8>> {
        Base64::decode_vec(&self.card).ok()
    }

    pub(super) fn holds(&self) -> bool {
        (1..=CARD_CHARS_MAX).contains(&self.card.len()) && self.container().is_some()
    }
}

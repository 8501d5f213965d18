//! What can be found when both sides of an exchange are held against each other: a closed list, each with a stable code and its
//! sentence. Most are differences; a number that was given up and contents that were destroyed are only noted.

use amanah_format::digest::Digest;
use amanah_format::refusal::Refusal;
use amanahd::catalogue::{Language, Text, faces::reconcile as face, shown};
use amanahd::journal::Place;
use serde_json::{Value, json};

/// Digits of a digest that tell bundles apart on a screen.
const ABRIDGED: usize = 19;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// What we sent.
    Out,
    /// What came.
    In,
}

impl Way {
    /// As facts have it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::In => "in",
        }
    }
}

macro_rules! whats {
    ($($what:ident $code:literal $text:ident;)+) => {
        /// What was found.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum What {
            $(#[doc = $code] $what,)+
        }

        impl What {
            /// The stable code.
            pub(super) const fn code(self) -> &'static str {
                match self {
                    $(Self::$what => $code,)+
                }
            }

            const fn text(self) -> Text {
                match self {
                    $(Self::$what => face::$text,)+
                }
            }
        }
    };
}

whats! {
    Waiting "waiting" WAITING_OUT;
    NoReceipt "no-receipt" NO_RECEIPT;
    ReceiptGone "receipt-gone" RECEIPT_GONE;
    ReceiptBad "receipt-invalid" RECEIPT_BAD;
    ReceiptOther "receipt-of-another" RECEIPT_OTHER;
    ReceiptChanged "receipt-changed" RECEIPT_CHANGED;
    Refused "refused" REFUSED;
    Outcome "outcome-differs" OUTCOME;
    Contents "contents-differ" CONTENTS;
    Entries "entries-differ" ENTRIES;
    RowChanged "journal-row-changed" ROW_CHANGED;
    NoRecord "not-in-ledger" NO_RECORD;
    Gap "gap" GAP;
    RowGone "journal-row-gone" ROW_GONE;
    Undecided "undecided" UNDECIDED;
    Unsigned "receipt-unsigned" UNSIGNED;
    Untaken "receipt-not-taken" UNTAKEN;
    NotStored "not-in-store" NOT_STORED;
    RowsRecorded "rows-recorded-differ" ROWS_RECORDED;
    RowsThere "rows-there-differ" ROWS_THERE;
    StoreOnly "store-only" STORE_ONLY;
    PeerLedger "not-in-peer-ledger" PEER_LEDGER;
    Voided "voided" VOIDED;
    Destroyed "destroyed" DESTROYED;
    Aside "table-put-aside" ASIDE;
    Elsewhere "store-not-read" ELSEWHERE;
}

impl What {
    /// Whether somebody must look at it.
    pub(super) const fn is_difference(self) -> bool {
        !matches!(
            self,
            Self::Voided | Self::Destroyed | Self::Aside | Self::Elsewhere
        )
    }

    /// Whether it says that rows were not counted.
    pub(super) const fn is_uncounted(self) -> bool {
        matches!(self, Self::Aside | Self::Elsewhere)
    }
}

/// A finding about a bundle, or about numbers of which there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) what: What,
    /// Epoch and number, where they are known.
    pub(super) place: Option<(u64, u64)>,
    /// Of several numbers the last.
    pub(super) last: Option<u64>,
    pub(super) manifest: Option<Digest>,
    pub(super) values: Vec<String>,
}

impl Finding {
    /// About a bundle of this manifest.
    pub(super) fn about(what: What, manifest: Digest, place: Option<&Place>) -> Self {
        Self {
            what,
            place: place.map(|(_, epoch, number)| (epoch.get(), number.get())),
            last: None,
            manifest: Some(manifest),
            values: Vec::new(),
        }
    }

    /// With what its sentence says.
    pub(super) fn with(mut self, values: &[&dyn std::fmt::Display]) -> Self {
        self.values = values.iter().map(ToString::to_string).collect();
        self
    }

    /// The refusal of a receipt: a number that was given up is no difference.
    pub(super) fn refused(
        refusal: Option<Refusal>,
        manifest: Digest,
        place: Option<&Place>,
    ) -> Self {
        let code = refusal.map_or_else(String::new, |code| code.to_string());
        if refusal == Some(Refusal::Voided) {
            return Self::about(What::Voided, manifest, place);
        }
        Self::about(What::Refused, manifest, place).with(&[&code])
    }

    pub(super) fn sentence(&self, language: Language) -> String {
        let values: Vec<String> = self.values.iter().map(|value| shown(value)).collect();
        let values: Vec<&dyn std::fmt::Display> = values.iter().map(displayed).collect();
        self.what.text().with(language, &values)
    }

    pub(super) fn row(&self, language: Language) -> [String; 3] {
        let place = self.place.map_or_else(String::new, |(epoch, number)| {
            let last = self.last.filter(|last| *last != number);
            let last = last.map_or_else(String::new, |last| format!("–{last}"));
            format!("{epoch}.{number}{last}")
        });
        let bundle = self.manifest.map_or_else(String::new, |manifest| {
            let text = manifest.to_string();
            text.get(..ABRIDGED)
                .map_or_else(String::new, |start| format!("{start}…"))
        });
        [place, bundle, self.sentence(language)]
    }

    pub(super) fn fact(&self) -> Value {
        json!({
            "code": self.what.code(), "epoch": self.place.map(|(epoch, _)| epoch),
            "sequence": self.place.map(|(_, number)| number), "last": self.last, "manifest": self.manifest,
            "details": self.values, "sentence": self.sentence(Language::English),
        })
    }
}

fn displayed(text: &String) -> &dyn std::fmt::Display {
    text
}

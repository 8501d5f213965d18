//! Bad input, one named case each: what a peer with valid keys, or somebody in between, may hand over that nobody meant well.
//! Each group holds a real receiving daemon against a table of cases: the answer, whether a receipt is signed, and that the
//! same bytes get the same answer again. `ground` says what must hold after each case and after each group.

mod archives;
mod ciphertexts;
mod documents;
mod endless;
mod ground;
mod heads;
mod journey;
mod kept;
mod limits;
mod lists;
mod manifests;
mod outbox;
mod receipts;
mod sizes;
mod streams;
mod swapped;
mod tables;
#[path = "../../../format/examples/make_vectors/cases/tape.rs"]
mod tape;
mod voids;
mod witnesses;
mod workshop;

use ground::{Case, Ground, case};
use workshop::{Bundle, Draft, Workshop};

/// What must come of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// Turned away with this code; no receipt.
    Door(&'static str),
    /// A signed refusal with this code.
    Refused(&'static str),
    /// Waits for this; no receipt.
    Held(&'static str),
    /// A positive receipt.
    Imported,
    /// A positive receipt, and nothing imported: it was before.
    Known,
}

/// Bytes that are not what the manifest says: dropped, asked for again, no receipt.
const DAMAGED: Expect = Expect::Door("damaged");

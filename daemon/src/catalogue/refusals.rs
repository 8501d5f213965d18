//! What each refusal, hold and reason of return means, whose fault it is, what to do.
use super::Text;
/// Meaning and remedy of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation { pub meaning: Text, pub remedy: Text }
/// By code (`Refusal::code`, `ReturnReason::code`, held reasons, `damaged`); none for an unknown one.
#[must_use] pub fn explain(code: &str) -> Option<Explanation> { todo!() }
/// The text of `NAME.why.txt`, both languages.
#[must_use] pub fn why(name: &str, code: &str, time: amanah_format::time::UtcTime) -> String { todo!() }

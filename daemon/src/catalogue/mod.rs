//! One catalogue of what people read, in Indonesian and English: refusals, reasons of return, states, and the faces' sentences.
//! Words follow DOMAIN's glossary; codes stay ASCII and untranslated.

pub mod refusals;

/// The two languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
pub enum Language { #[default] #[serde(rename = "id")] Indonesian, #[serde(rename = "en")] English }
/// A sentence in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text { pub id: &'static str, pub en: &'static str }
impl Text { /// In one language.
    #[must_use] pub const fn in_language(self, language: Language) -> &'static str { match language { Language::Indonesian => self.id, Language::English => self.en } } }

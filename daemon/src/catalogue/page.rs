//! `docs/refusals.md`: every code that an operator, a sysadmin or a stranger's program can meet, as the catalogue explains it.
//! The page is printed from here and from nowhere else; a test compares it with the file.

use amanah_format::refusal::Refusal;
use amanah_format::slip::HeldReason;

use super::refusals::explain;
use super::{Language, Text, alarms, door, returns, texts};

texts! {
    TITLE = "Setiap jawaban, dan apa yang perlu dilakukan" / "Every answer, and what to do";
    ABOUT = "Setiap kiriman dan setiap berkas mendapat jawaban. Jawaban yang bukan \"diimpor\" punya kode dari daftar ini; teks yang sama tampil di `NAMA.why.txt`, `amanah returned`, `amanah quarantine show`, dan `amanah status`." /
        "Every bundle and every file gets an answer. One that is not \"imported\" has a code of this list; the same words stand in `NAME.why.txt`, `amanah returned`, `amanah quarantine show` and `amanah status`.";
    AT_THE_DOOR = "Ditolak di pintu, tanpa tanda terima" / "Refused at the door, without a receipt";
    SIGNED = "Ditolak dengan tanda terima: final" / "Refused with a receipt: final";
    RETURNED = "Dikembalikan sebelum dikirim" / "Returned before it was sent";
    HELD = "Ditahan: dilanjutkan sendiri" / "Held: it goes on by itself";
    DAMAGED = "Rusak di perjalanan: diminta ulang sendiri" / "Damaged on the way: asked for again by itself";
    DOOR = "Jawaban SFTP lainnya" / "Other SFTP answers";
    ALARMS = "Alarm dalam `amanah status`" / "Alarms in `amanah status`";
    MEANING = "Arti" / "Meaning";
    FAULT = "Letak kesalahan" / "Whose fault";
    OPERATOR = "Operator" / "Operator";
    SYSADMIN = "Admin sistem" / "System administrator";
    RECEIPTED = "Kode di bagian ini ditandatangani penerima: tanda terimanya adalah bukti. Sebagian juga dipakai untuk mengembalikan berkas sebelum dikirim." /
        "The recipient signs the codes of this part: the receipt is evidence. Some also return a file before it is sent.";
}

/// A part of the page: its heading, what is said below it, its codes.
type Part = (Text, Option<Text>, Vec<&'static str>);

fn parts() -> Vec<Part> {
    let refused = |signed: bool| {
        let all = Refusal::ALL.iter();
        let some = all.filter(move |refusal| refusal.is_signed() == signed);
        some.map(|refusal| refusal.code()).collect()
    };
    let held = HeldReason::ALL.iter().map(|reason| reason.code());
    vec![
        (SIGNED, Some(RECEIPTED), refused(true)),
        (RETURNED, None, returns::RETURNED.to_vec()),
        (HELD, None, held.collect()),
        (DAMAGED, None, vec![returns::DAMAGED]),
        (AT_THE_DOOR, None, refused(false)),
        (DOOR, None, door::CODES.to_vec()),
        (ALARMS, None, alarms::CODES.to_vec()),
    ]
}

/// Every code, in the order of the page.
pub fn codes() -> impl Iterator<Item = &'static str> {
    parts().into_iter().flat_map(|(_, _, codes)| codes)
}

/// The page, as Markdown.
#[must_use]
pub fn print() -> String {
    let mut page = format!(
        "# {} · {}\n\n{}\n\n*{}*\n",
        TITLE.id, TITLE.en, ABOUT.id, ABOUT.en
    );
    for (heading, below, codes) in parts() {
        page.push_str(&format!("\n## {} · {}\n", heading.id, heading.en));
        if let Some(text) = below {
            page.push_str(&format!("\n{}\n\n*{}*\n", text.id, text.en));
        }
        for code in codes {
            page.push_str(&format!("\n### `{code}`\n\n"));
            page.push_str(&answer(code, Language::Indonesian));
            page.push('\n');
            page.push_str(&answer(code, Language::English));
        }
    }
    page
}

/// One code in one language.
fn answer(code: &str, language: Language) -> String {
    let Some(found) = explain(code) else {
        return String::new();
    };
    let lines = [
        (MEANING, found.meaning),
        (FAULT, found.fault.text()),
        (OPERATOR, found.remedy),
        (SYSADMIN, found.sysadmin),
    ];
    let lines = lines.map(|(title, text)| {
        let (title, text) = (title.in_language(language), text.in_language(language));
        format!("- {title}: {text}\n")
    });
    lines.concat()
}

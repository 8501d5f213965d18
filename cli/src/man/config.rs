//! amanahd.toml(5), from the commented sample in `docs/amanah.toml`, which a test holds to name every key there is.
//! A comment belongs to the table or key beneath it; one with nothing beneath is said to the whole file.

use std::io;

use clap_mangen::roff::{Roff, bold, italic, roman};

/// The sample.
const SAMPLE: &str = include_str!("../../../docs/amanah.toml");

/// The page's text.
pub(super) fn page() -> io::Result<Vec<u8>> {
    let mut page = Roff::new();
    page.control(
        "TH",
        ["amanahd.toml", "5", "", super::SOURCE, super::MANUAL],
    );
    page.control("SH", ["NAME"]);
    page.text([roman(
        "amanahd.toml - the configuration of amanahd(8) and amanah(1)",
    )]);
    page.control("SH", ["DESCRIPTION"]);
    let mut said = String::new();
    for line in SAMPLE.lines() {
        if let Some(comment) = line.strip_prefix('#') {
            said.push_str(comment);
            continue;
        }
        if line.trim().is_empty() {
            paragraph(&mut page, &mut said);
        } else if line.starts_with('[') {
            page.control("SS", [line]);
            paragraph(&mut page, &mut said);
        } else if let Some((key, value)) = line.split_once(" = ") {
            page.control("TP", []);
            page.text([bold(key), roman(" = "), italic(value)]);
            paragraph_within(&mut page, &mut said);
        }
    }
    page.control("SH", ["FILES"]);
    page.text([roman("/etc/amanah/amanah.toml")]);
    page.control("SH", ["SEE ALSO"]);
    page.text([
        bold("amanah"),
        roman("(1), "),
        bold("amanahd"),
        roman("(8)"),
    ]);
    let mut text = Vec::new();
    page.to_writer(&mut text)?;
    Ok(text)
}

fn paragraph(page: &mut Roff, said: &mut String) {
    if !said.is_empty() {
        page.control("PP", []);
        paragraph_within(page, said);
    }
}

fn paragraph_within(page: &mut Roff, said: &mut String) {
    if !said.is_empty() {
        page.text([roman(said.trim())]);
        said.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stands_with_its_value_and_the_comment_above_it() {
        let text = String::from_utf8(page().unwrap()).unwrap();
        let (_, from) = text.split_once("free_bytes_min").unwrap();
        let (about, _) = from.split_once(".TP").unwrap();
        assert!(
            about.contains("268435456") && about.contains("told to come later"),
            "{about}"
        );
        assert!(!text.contains("\n# "), "a comment's mark is left");
    }
}

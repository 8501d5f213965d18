//! What a file is that is no table at all, told from its first bytes: the workbook that was renamed, the export in another encoding.
//! Each has a message of its own, because each has its own remedy.

use super::report::Fault;

/// UTF-8's byte order mark.
pub(super) const MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// First bytes of what is sent instead of a table.
const SIGNS: [(&[u8], Fault); 12] = [
    (b"PK\x03\x04", Fault::Workbook),
    (b"PK\x05\x06", Fault::Workbook),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Fault::OldWorkbook),
    (b"\xff\xfe", Fault::Utf16),
    (b"\xfe\xff", Fault::Utf16),
    (MARK, Fault::ByteOrderMark),
    (b"%PDF", Fault::NotText),
    (b"\x1f\x8b", Fault::NotText),
    (b"7z\xbc\xaf", Fault::NotText),
    (b"Rar!", Fault::NotText),
    (b"{\\rtf", Fault::NotText),
    (b"<", Fault::NotText),
];

/// Bytes in which a NUL gives away a text of two bytes a character, or no text.
const SAMPLE_BYTES: usize = 4096;

/// What is wrong with the file as a whole; a byte order mark is the only one after which it can be read on.
pub(super) fn first_look(bytes: &[u8]) -> Option<Fault> {
    if bytes.is_empty() {
        return Some(Fault::Empty);
    }
    if let Some((_, fault)) = SIGNS.iter().find(|(sign, _)| bytes.starts_with(sign)) {
        return Some(*fault);
    }
    let sample = bytes.get(..SAMPLE_BYTES).unwrap_or(bytes);
    if is_of_old_lines(bytes) {
        return Some(Fault::LineEnds);
    }
    let zeros = sample.iter().filter(|byte| **byte == 0).count();
    match zeros {
        0 => None,
        // Latin letters in UTF-16: every other byte is zero.
        some if some * 3 > sample.len() => Some(Fault::Utf16),
        _ => Some(Fault::NotText),
    }
}

/// Carriage returns and no line feed: told here, because the whole file would be one row.
fn is_of_old_lines(bytes: &[u8]) -> bool {
    let first = memchr::memchr(b'\r', bytes);
    first.is_some_and(|place| place + 1 < bytes.len()) && memchr::memchr(b'\n', bytes).is_none()
}

/// Whether it begins as JSON does, and no header of a table.
pub(super) fn is_json(bytes: &[u8]) -> bool {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(first, Some(b'{' | b'['))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_told_from_a_header() {
        for (bytes, json) in [
            (&b"{\"a\":1}"[..], true),
            (b" [\n", true),
            (b"a,b\n{", false),
        ] {
            assert_eq!(is_json(bytes), json, "{bytes:?}");
        }
    }

    #[test]
    fn each_kind_of_file_is_called_by_its_name() {
        for (bytes, fault) in [
            (&b""[..], Some(Fault::Empty)),
            (b"PK\x03\x04\x14\0\x06\0", Some(Fault::Workbook)),
            (
                b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0",
                Some(Fault::OldWorkbook),
            ),
            (b"\xff\xfea\0,\0", Some(Fault::Utf16)),
            (b"a\0,\0b\0\n\0", Some(Fault::Utf16)),
            (b"\xef\xbb\xbfa,b\n", Some(Fault::ByteOrderMark)),
            (b"<html>", Some(Fault::NotText)),
            (b"<?xml version", Some(Fault::NotText)),
            (b"abc,def,ghi,\0,jkl", Some(Fault::NotText)),
            (b"a,b\n1,2\n", None),
            (b"a,b\r\n1,2\r\n", None),
            (b"a,b\r1,2\r", Some(Fault::LineEnds)),
            (b"a,b\r", None),
            (b"{\"a\":1}\n", None),
        ] {
            assert_eq!(first_look(bytes), fault, "{bytes:?}");
        }
    }
}

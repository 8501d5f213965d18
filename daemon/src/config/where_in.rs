//! Where in a configuration's text a table or key stands, so that a complaint about its meaning can name the line.
//! The TOML library has read the text before; this only finds lines, it decides nothing.

/// The table that a header line opens: `[peer.imigrasi]` → `peer.imigrasi`.
pub(super) fn header(line: &str) -> Option<&str> {
    let inner = line.trim_start().strip_prefix('[')?;
    let (name, _) = inner.split_once(']')?;
    Some(name.trim())
}

/// The line number (from 1) of `key` in `table` (`""`: before the first table), or of the table's header.
pub(super) fn line_of(text: &str, table: &str, key: &str) -> Option<usize> {
    let mut current = "";
    let mut at_header = None;
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(name) = header(line) {
            current = name;
            if name == table {
                at_header = Some(number);
            }
        } else if current == table
            && line
                .split_once('=')
                .is_some_and(|(name, _)| name.trim() == key)
        {
            return Some(number);
        }
    }
    at_header
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# party = \"x\"\nparty = \"a\"\n\n[listen] # here\naddress = \"1\"\n[peer.b]\ndial = \"2\"\n";

    #[test]
    fn a_key_is_found_in_its_table_and_no_other() {
        assert_eq!(line_of(TEXT, "", "party"), Some(2));
        assert_eq!(line_of(TEXT, "listen", "address"), Some(5));
        assert_eq!(line_of(TEXT, "peer.b", "dial"), Some(7));
        assert_eq!(line_of(TEXT, "listen", "networks"), Some(4));
        assert_eq!(line_of(TEXT, "seal", "level"), None);
    }
}

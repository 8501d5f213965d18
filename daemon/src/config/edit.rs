//! Changes to `amanah.toml` that `amanah peer` makes: text in, text out, comments and order kept. The result is read again
//! before it is given back, so a change can never leave a file that does not load.

use amanah_format::id::PartyId;

use super::{raw::Raw, where_in};

/// The text with a table for `peer` at its end; unchanged where there is one already with this `dial`.
///
/// # Errors
/// Says why not: the text is no configuration, or has this peer already with other words.
pub fn with_peer(text: &str, peer: &PartyId, dial: Option<&str>) -> Result<String, String> {
    let raw = read(text)?;
    if let Some(present) = raw.peer.get(peer.as_str()) {
        return if dial.is_none() || present.dial.as_deref() == dial {
            Ok(text.to_owned())
        } else {
            Err(format!(
                "[peer.{peer}] is there already with another `dial`; change it there by hand"
            ))
        };
    }
    let mut changed = text.to_owned();
    if !changed.is_empty() && !changed.ends_with('\n') {
        changed.push('\n');
    }
    changed.push_str(&format!("\n[peer.{peer}]\n"));
    if let Some(dial) = dial {
        // `Value` prints TOML's escapes, so a strange address cannot break out of its quotes.
        changed.push_str(&format!("dial = {}\n", toml::Value::from(dial)));
    }
    read(&changed)?;
    Ok(changed)
}

/// The text without the tables of `peer`: each header to the line before the next header.
///
/// # Errors
/// Says why not: no such table, or it is written in another way than `[peer.ID]`.
pub fn without_peer(text: &str, peer: &PartyId) -> Result<String, String> {
    if !read(text)?.peer.contains_key(peer.as_str()) {
        return Err(format!("there is no [peer.{peer}]"));
    }
    let table = format!("peer.{peer}");
    let mut inside = false;
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        if let Some(name) = where_in::header(line) {
            let below = name.strip_prefix(&table);
            inside = below.is_some_and(|below| below.is_empty() || below.starts_with('.'));
        }
        if !inside {
            kept.push_str(line);
        }
    }
    if read(&kept)?.peer.contains_key(peer.as_str()) {
        return Err(format!(
            "the table of {peer} is not written as [peer.{peer}]; remove it by hand"
        ));
    }
    Ok(kept)
}

fn read(text: &str) -> Result<Raw, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# ours\nparty = \"kemenhaj\"\n\n[outbox] # quick\nscan_secs = 5";

    fn peer() -> PartyId {
        "imigrasi".parse().unwrap()
    }

    #[test]
    fn a_peer_is_added_at_the_end_and_comments_stay() {
        let added = with_peer(TEXT, &peer(), Some("10.0.0.2:2222")).unwrap();
        assert!(added.starts_with(TEXT));
        assert!(added.ends_with("\n[peer.imigrasi]\ndial = \"10.0.0.2:2222\"\n"));
        assert_eq!(with_peer(&added, &peer(), None).unwrap(), added);
        let strange = with_peer(TEXT, &peer(), Some("a\"\n[x]")).unwrap();
        assert_eq!(
            read(&strange).unwrap().peer["imigrasi"].dial.as_deref(),
            Some("a\"\n[x]")
        );
    }

    #[test]
    fn another_address_for_a_known_peer_is_refused() {
        let added = with_peer(TEXT, &peer(), Some("10.0.0.2:2222")).unwrap();
        assert!(with_peer(&added, &peer(), Some("10.0.0.3:2222")).is_err());
        assert!(with_peer("party = 1", &peer(), None).is_err());
    }

    #[test]
    fn a_peer_is_removed_and_nothing_else() {
        let added = with_peer(TEXT, &peer(), None).unwrap();
        let more = format!("{added}\n[seal]\nlevel = 3\n");
        let removed = without_peer(&more, &peer()).unwrap();
        assert!(removed.starts_with(TEXT) && removed.ends_with("[seal]\nlevel = 3\n"));
        assert!(without_peer(&removed, &peer()).is_err());
        let inline = "party = \"kemenhaj\"\npeer = { imigrasi = {} }\n";
        assert!(without_peer(inline, &peer()).is_err());
    }

    #[test]
    fn a_peer_is_removed_with_its_drop() {
        let peer: PartyId = "imigrasi".parse().unwrap();
        let kept = "party = \"kemenhaj\"\n[peer.imigrasi2]\ndial = \"a:1\"\n";
        let drop = "[peer.imigrasi]\n[peer.imigrasi.drop]\naddress = \"a:1\"\nuser = \"x\"\n\
            host_key = \"k\"\nput = \"/a\"\nget = \"/b\"\n";
        assert_eq!(without_peer(&format!("{kept}{drop}"), &peer).unwrap(), kept);
    }
}

//! `amanah inspect`: what a document's public face says, without any key, and therefore without proof.
//! It never says that anything is true, and everything foreign is escaped.

use std::path::PathBuf;

use amanah_format::{
    container::{read_head, unpack_small},
    digest::Digest,
    limits::AGREEMENT_BYTES_MAX,
};
use amanahd::catalogue::{faces::proof as face, moment, shown};
use serde_json::Value;

use crate::{
    exit::{Exit, Outcome},
    papers,
    screen::Screen,
    verify::{self, kind::Kind},
};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  amanah inspect 3f2a….amanah")]
pub(crate) struct Wanted {
    /// Bundle, receipt, card, agreement, slip or checkpoint
    file: PathBuf,
}

pub(crate) fn run(wanted: &Wanted, screen: &mut Screen<'_>) -> Outcome {
    let path = &wanted.file;
    let kind = Kind::of(path)?;
    let bad = |error: &dyn std::fmt::Display| papers::malformed(path, error);
    let (text, payload_bytes) = match kind {
        Kind::Unknown => return Err(verify::not_that(path, screen)),
        Kind::Bundle => {
            let (_, head) = verify::open_bundle(path)?;
            let parts = read_head(&head).map_err(|error| bad(&error))?;
            (parts.manifest, Some(parts.payload_bytes))
        }
        Kind::Checkpoint => (papers::read(path)?, None),
        Kind::Receipt | Kind::Card | Kind::Agreement | Kind::Slip | Kind::Destruction => {
            let files = unpack_small(&papers::read(path)?, AGREEMENT_BYTES_MAX)
                .map_err(|error| bad(&error))?;
            (
                files
                    .into_iter()
                    .next()
                    .map(|(_, text)| text)
                    .unwrap_or_default(),
                None,
            )
        }
    };
    let digest = Digest::of(&text);
    let value = serde_json::from_slice::<Value>(&text)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&text)));
    if screen.json {
        screen.facts(&serde_json::json!({
            "format": "amanah-inspect/1", "kind": kind.code(), "verified": false, "digest": digest,
            "payload_bytes": payload_bytes, "says": value,
        }))?;
        return Ok(Exit::Ok);
    }
    let name = screen.text(kind.name(), &[]);
    screen.say(face::UNVERIFIED, &[&name])?;
    screen.say(face::DIGEST, &[&digest])?;
    if let Some(bytes) = payload_bytes {
        screen.say(
            face::PAYLOAD_BYTES,
            &[&moment::bytes(bytes, screen.language)],
        )?;
    }
    for line in lines(&value) {
        screen.line(&line)?;
    }
    Ok(Exit::Ok)
}

/// The text as it may be shown: hidden characters escaped, line by line.
fn lines(value: &Value) -> Vec<String> {
    let text = value.as_str().map_or_else(
        || serde_json::to_string_pretty(value).unwrap_or_default(),
        str::to_owned,
    );
    text.lines().map(shown).collect()
}

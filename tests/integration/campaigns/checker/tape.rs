//! Reads the plain tar containers of FORMAT.md in the simplest way: header, bytes, header. No code of the project.
//! Nothing is checked that the walker of the formats checks: this only finds a member by its name.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Of a bundle, the head is enough.
const HEAD_BYTES: u64 = 64 * 1024;
const BLOCK: usize = 512;

/// The document of this name in the container.
pub(super) fn document(container: &Path, name: &str) -> Result<Value> {
    let bytes = member(container, name)?;
    serde_json::from_slice(&bytes).with_context(|| format!("{}: {name}", container.display()))
}

/// A member's bytes, if it lies within the head.
pub(super) fn member(container: &Path, name: &str) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    let file = File::open(container).with_context(|| container.display().to_string())?;
    BufReader::new(file.take(HEAD_BYTES)).read_to_end(&mut head)?;
    let mut at = 0;
    while let Some(header) = head.get(at..at + BLOCK) {
        if header.iter().all(|&byte| byte == 0) {
            break;
        }
        let bytes = octal(&header[124..136])?;
        let found = text(&header[..100]);
        at += BLOCK;
        if found == name {
            let content = head.get(at..at + bytes);
            return Ok(content.context("a member is cut off")?.to_vec());
        }
        at += bytes.div_ceil(BLOCK) * BLOCK;
    }
    anyhow::bail!("{}: no {name}", container.display())
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|&byte| byte == 0);
    String::from_utf8_lossy(&field[..end.unwrap_or(field.len())]).into_owned()
}

fn octal(field: &[u8]) -> Result<usize> {
    let digits = text(field);
    let digits = digits.trim();
    ensure!(!digits.is_empty(), "a size is missing");
    Ok(usize::from_str_radix(digits, 8)?)
}

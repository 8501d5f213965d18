//! Writes the test vectors of FORMAT.md into `format/vectors/`: `cargo run -p amanah-format --example make_vectors`.
//!
//! Keys and times are fixed, so that every run writes the same bytes. age is not deterministic: payload vectors are
//! written once, where they are missing, and then stay. A released vector is never edited.

mod cases;

use std::{error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    for case in cases::deterministic()? {
        let path = folder.join(&case.name);
        fs::create_dir_all(path.parent().unwrap_or(&folder))?;
        fs::write(path, case.to_bytes())?;
    }
    for (name, make) in cases::payloads::all() {
        let path = folder.join(name);
        if !path.exists() {
            fs::create_dir_all(path.parent().unwrap_or(&folder))?;
            fs::write(path, make(name)?.to_bytes())?;
        }
    }
    Ok(())
}

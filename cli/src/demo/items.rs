//! What is dropped: made-up items of every shape that an operator meets, or the files of a user's own folder. Each is laid
//! out as material first, so that what arrives can be compared with it, byte for byte.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use amanah_format::digest::{Digest, HashingWriter};
use amanah_format::home::is_ignored;
use amanah_format::id::{FlowName, PartyId};
use anyhow::{Context, Result, bail};

use super::pilgrims;

/// Bytes of the large manifest.
const LARGE: usize = 5_000_000;
/// How many small ones there are.
const SMALL: u64 = 20;

/// One item: from whom, to whom, in which flow, and where its material lies.
#[derive(Debug, Clone)]
pub struct Item {
    /// Who drops it.
    pub from: PartyId,
    /// Who imports it.
    pub to: PartyId,
    /// The folder that it is dropped into.
    pub flow: FlowName,
    /// Its name, the same at both ends.
    pub name: OsString,
    /// The file or folder that it is a copy of.
    pub material: PathBuf,
    /// What must arrive.
    pub tree: Tree,
}

/// Every file of an item: its path below the item (empty for a file by itself), digest and length.
pub type Tree = BTreeMap<PathBuf, (Digest, u64)>;

impl Item {
    /// Sum of the files' lengths.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.tree.values().map(|(_, bytes)| bytes).sum()
    }

    /// Puts a copy into the outbox as operators are told to: under a name that is ignored, then renamed.
    ///
    /// # Errors
    /// It cannot be copied.
    pub fn drop_into(&self, outbox: &Path) -> Result<()> {
        drop_copy(&self.material, outbox, &self.name)
    }
}

/// Copies a file or folder into an outbox under a name that is ignored, then renames it.
///
/// # Errors
/// It cannot be copied.
pub fn drop_copy(material: &Path, outbox: &Path, name: &OsStr) -> Result<()> {
    fs::create_dir_all(outbox).with_context(|| outbox.display().to_string())?;
    let mut unfinished = OsString::from(".");
    unfinished.push(name);
    let unfinished = outbox.join(unfinished);
    copy(material, &unfinished).with_context(|| material.display().to_string())?;
    fs::rename(&unfinished, outbox.join(name)).with_context(|| outbox.display().to_string())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(|_| ());
    }
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// The digests of a file, or of all files below a folder.
///
/// # Errors
/// Something is neither file nor folder, or cannot be read.
pub fn tree_of(path: &Path) -> Result<Tree> {
    let mut tree = Tree::new();
    add(path, PathBuf::new(), &mut tree).with_context(|| path.display().to_string())?;
    Ok(tree)
}

fn add(path: &Path, below: PathBuf, tree: &mut Tree) -> Result<()> {
    let kind = fs::symlink_metadata(path)?.file_type();
    if kind.is_dir() {
        for entry in fs::read_dir(path)? {
            let name = entry?.file_name();
            add(&path.join(&name), below.join(&name), tree)?;
        }
        return Ok(());
    }
    if !kind.is_file() {
        bail!("{}: neither file nor folder", path.display());
    }
    let mut hashed = HashingWriter::new(io::sink());
    io::copy(&mut fs::File::open(path)?, &mut hashed)?;
    let (_, digest, bytes) = hashed.finish();
    tree.insert(below, (digest, bytes));
    Ok(())
}

/// A direction of the exchange.
#[derive(Debug, Clone)]
pub struct Way {
    /// Who sends.
    pub from: PartyId,
    /// Who receives.
    pub to: PartyId,
    /// In which flow.
    pub flow: FlowName,
}

/// Lays out the made-up items of one direction in `folder`.
///
/// # Errors
/// They cannot be written.
pub fn made_up(way: &Way, seed: u64, folder: &Path) -> Result<Vec<Item>> {
    fs::create_dir_all(folder)?;
    let write = |name: &str, text: &str| fs::write(folder.join(name), text);
    write(
        "manifes-umrah-2030-01-05.csv",
        &pilgrims::manifest_of(seed, LARGE),
    )?;
    for number in 1..=SMALL {
        write(
            &format!("rombongan-{number:02}.csv"),
            &pilgrims::manifest(seed + number, 10),
        )?;
    }
    write("tanpa-keberangkatan.csv", "")?;
    write(
        "Daftar jemaah & pembimbing – gelombang ke-2 (contoh).csv",
        &pilgrims::manifest(seed + 31, 40),
    )?;
    write(
        "Perjalanan Jum'at, “uji coba” ñandú.txt",
        "Hanya contoh. Bukan orang sungguhan.\n",
    )?;
    for (place, text) in [
        (
            "kloter JKG 01/rombongan 1/manifes.csv",
            pilgrims::manifest(seed + 41, 40),
        ),
        (
            "kloter JKG 01/rombongan 2/manifes.csv",
            pilgrims::manifest(seed + 42, 40),
        ),
        (
            "kloter JKG 01/rombongan 2/regu 4/catatan pembimbing.txt",
            "Data rekaan untuk peragaan.\n".to_owned(),
        ),
        ("kloter JKG 01/baca dulu.txt", String::new()),
    ] {
        let path = folder.join(place);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, text)?;
    }
    items_in(way, folder)
}

/// Every file and folder directly in `folder` as an item of one direction; what an outbox ignores is left out.
///
/// # Errors
/// Something in it could not be sent as it is (a link, a device, a folder without files), or there is nothing.
pub fn items_in(way: &Way, folder: &Path) -> Result<Vec<Item>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut names = entries
        .map(|entry| Ok(entry?.file_name()))
        .collect::<io::Result<Vec<_>>>()?;
    names.retain(|name| !is_ignored(name.as_encoded_bytes()));
    names.sort();
    let item = |name: OsString| {
        let material = folder.join(&name);
        let tree = tree_of(&material)?;
        if tree.is_empty() {
            bail!(
                "{}: a folder without files cannot be sent",
                material.display()
            );
        }
        Ok(Item {
            from: way.from.clone(),
            to: way.to.clone(),
            flow: way.flow.clone(),
            name,
            material,
            tree,
        })
    };
    let items = names.into_iter().map(item).collect::<Result<Vec<_>>>()?;
    if items.is_empty() {
        bail!("{}: nothing to send", folder.display());
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way() -> Way {
        Way {
            from: "phu".parse().unwrap(),
            to: "imigrasi".parse().unwrap(),
            flow: "manifes-umrah".parse().unwrap(),
        }
    }

    #[test]
    fn the_made_up_items_have_every_shape() {
        let folder = tempfile::tempdir().unwrap();
        let items = made_up(&way(), 1, folder.path()).unwrap();
        assert_eq!(items.len(), 25);
        assert!(items.iter().any(|item| item.bytes() >= 5_000_000));
        assert!(items.iter().any(|item| item.bytes() == 0));
        assert!(items.iter().any(|item| item.tree.len() == 4));
    }

    #[test]
    fn a_dropped_copy_is_whole_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = folder.path().join("outbox");
        for item in made_up(&way(), 2, &folder.path().join("bahan")).unwrap() {
            item.drop_into(&outbox).unwrap();
            assert_eq!(tree_of(&outbox.join(&item.name)).unwrap(), item.tree);
        }
        assert_eq!(fs::read_dir(&outbox).unwrap().count(), 25);
    }

    #[test]
    fn links_empty_folders_and_nothing_at_all_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(items_in(&way(), folder.path()).is_err());
        let sub = folder.path().join("kosong");
        fs::create_dir(&sub).unwrap();
        assert!(items_in(&way(), folder.path()).is_err());
        std::os::unix::fs::symlink("/etc/passwd", sub.join("tautan")).unwrap();
        assert!(items_in(&way(), folder.path()).is_err());
    }
}

//! Where the demo takes place: a temporary folder that goes with it, however it ends, or one that the user wants to keep.
//! A folder that holds anything already is refused: the demo never writes over what is there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::telling::Telling;
use super::texts;

/// The folder of both homes.
pub(crate) enum Place {
    /// Removed at the end.
    Temporary(TempDir),
    /// Left as it is.
    Kept(PathBuf),
}

impl Place {
    /// Makes it. A folder to keep must be new or empty: nothing in it is ever overwritten.
    pub(crate) fn make(keep: Option<&Path>, telling: &Telling<'_, '_>) -> Result<Self> {
        let Some(keep) = keep else {
            return Ok(Self::Temporary(
                tempfile::Builder::new().prefix("amanah-demo-").tempdir()?,
            ));
        };
        let folder = std::path::absolute(keep)?;
        let shown = folder.display().to_string();
        fs::create_dir_all(&folder).with_context(|| shown.clone())?;
        if fs::read_dir(&folder)
            .with_context(|| shown.clone())?
            .next()
            .is_some()
        {
            bail!(telling.text(texts::KEEP_NOT_EMPTY, &[&shown]));
        }
        Ok(Self::Kept(folder))
    }

    /// Its path.
    pub(crate) fn folder(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(folder) => folder,
        }
    }

    /// Whether it stays.
    pub(crate) const fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }
}

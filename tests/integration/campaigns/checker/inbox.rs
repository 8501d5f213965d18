//! What a side has imported: every folder in its inbox, and which dropped items they are.
//! What has a dot before its name is the store's own and no import.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use super::{Dropped, Files, Side, files_of, names_in};

/// An inbox as its consumers see it.
pub(super) struct Inbox {
    /// Files by bundle id.
    pub(super) bundles: BTreeMap<String, Files>,
    /// How often an item (peer, flow, name) is there.
    items: BTreeMap<[String; 3], Vec<Files>>,
    party: String,
}

impl Inbox {
    /// Reads all of it. What has a dot before its name is the store's own.
    pub(super) fn read(side: &Side) -> Result<Self> {
        let mut inbox = Self {
            bundles: BTreeMap::new(),
            items: BTreeMap::new(),
            party: side.party.clone(),
        };
        let top = side.home.join("inbox");
        let seen = |names: Vec<String>| names.into_iter().filter(|name| !name.starts_with('.'));
        for peer in seen(names_in(&top)?) {
            for flow in names_in(&top.join(&peer))? {
                let folder = top.join(&peer).join(&flow);
                for bundle in names_in(&folder)? {
                    let place = folder.join(&bundle);
                    for name in names_in(&place)? {
                        let files = files_of(&place.join(&name))?.context("an item has gone")?;
                        let key = [peer.clone(), flow.clone(), name];
                        inbox.items.entry(key).or_default().push(files);
                    }
                    let files = files_of(&place)?.context("a bundle has gone")?;
                    ensure!(
                        inbox.bundles.insert(bundle.clone(), files).is_none(),
                        "{bundle}: twice"
                    );
                }
            }
        }
        Ok(inbox)
    }

    /// How often this very item was imported.
    pub(super) fn count(&self, item: &Dropped) -> usize {
        let found = self.items.get(&key_of(item));
        found.map_or(0, |found| {
            found.iter().filter(|files| **files == item.files).count()
        })
    }

    /// Nothing is there that was not dropped, nothing in part, nothing twice: true at every instant.
    pub(super) fn holds_only_whole_items_once(&self, dropped: &[Dropped]) -> Result<()> {
        let by_key: BTreeMap<_, _> = dropped.iter().map(|item| (key_of(item), item)).collect();
        for (key, found) in &self.items {
            let item = by_key
                .get(key)
                .with_context(|| format!("{key:?} was never dropped"))?;
            ensure!(item.to == self.party, "{key:?} is for another");
            ensure!(found.len() == 1, "{key:?}: imported {} times", found.len());
            ensure!(
                found[0] == item.files,
                "{key:?}: not the bytes that were dropped"
            );
        }
        Ok(())
    }
}

fn key_of(item: &Dropped) -> [String; 3] {
    [item.from.clone(), item.flow.clone(), item.name.clone()]
}

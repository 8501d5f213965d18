//! `amanah returned`: what came back to the operator, and why.
//! The reason is read from the note beside the item; a note that says none is shown as it is.

use std::path::{Path, PathBuf};

use amanah_format::home::{self, WHY_SUFFIX as NOTE};
use amanahd::catalogue::{faces::traffic, note, refusals, shown};

use crate::{
    exit::{Exit, Outcome},
    papers,
    place::Place,
    screen::Screen,
};

/// A returned item: where it lies, and the code of its note. What was dropped outside of a flow's folder has no flow.
#[derive(Debug, serde::Serialize)]
struct Item {
    peer: Option<String>,
    flow: Option<String>,
    name: String,
    path: PathBuf,
    code: Option<String>,
}

pub(crate) fn run(place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let root = place.config()?.home.join(home::RETURNED);
    let mut items = Vec::new();
    collect(&root, &mut Vec::new(), &mut items)?;
    if screen.json {
        screen.facts(&serde_json::json!({"format": "amanah-returned/1", "items": items}))?;
        return Ok(Exit::Ok);
    }
    if items.is_empty() {
        screen.say(traffic::NOTHING_RETURNED, &[])?;
    }
    for item in &items {
        print(item, screen)?;
    }
    Ok(Exit::Ok)
}

/// Notes of one folder, and of the folders in it down to `PEER/FLOW/`; a folder with a note beside it is an item itself.
fn collect(folder: &Path, above: &mut Vec<String>, items: &mut Vec<Item>) -> Outcome<()> {
    for note in papers::in_folder(folder, NOTE)? {
        items.push(item(&note, above));
    }
    if above.len() == 2 {
        return Ok(());
    }
    for path in papers::in_folder(folder, "")? {
        let name = name_of(&path);
        let is_item = folder.join(format!("{name}{NOTE}")).exists();
        if !is_item && path.symlink_metadata().is_ok_and(|entry| entry.is_dir()) {
            above.push(name);
            collect(&path, above, items)?;
            above.pop();
        }
    }
    Ok(())
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn item(note: &Path, above: &[String]) -> Item {
    let note_name = name_of(note);
    let name = note_name
        .strip_suffix(NOTE)
        .unwrap_or(&note_name)
        .to_owned();
    let text = papers::read(note).ok();
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
    Item {
        peer: above.first().cloned(),
        flow: above.get(1).cloned(),
        path: note.with_file_name(&name),
        name,
        code: text.as_deref().and_then(note::code_in).map(str::to_owned),
    }
}

fn print(item: &Item, screen: &mut Screen<'_>) -> Outcome<()> {
    let code = item.code.as_deref().unwrap_or("?");
    let [peer, flow] = [&item.peer, &item.flow].map(|part| part.as_deref().unwrap_or("-"));
    let [peer, flow, name, code] = [peer, flow, &item.name, code].map(shown);
    screen.say(traffic::RETURNED_LINE, &[&peer, &flow, &name, &code])?;
    if let Some(explanation) = item.code.as_deref().and_then(refusals::explain) {
        for text in [explanation.meaning, explanation.remedy] {
            let words = screen.text(text, &[]);
            screen.line(&format!("    {words}"))?;
        }
    }
    screen.line(&format!("    {}", shown(&item.path.to_string_lossy())))
}

//! Every relative link in every document leads to a file of the tree, and to a heading of it where one is named.
//! Links to the outside are not followed: the tests need no network.

use crate::tree;

/// One link of a document: the line it stands in, and where it leads.
#[derive(Debug, PartialEq, Eq)]
struct Link {
    line: usize,
    target: String,
}

/// The links of a document, inline and by reference, outside code.
fn links(text: &str) -> Vec<Link> {
    prose(text)
        .into_iter()
        .flat_map(|(line, words)| {
            let inline = words.split("](").skip(1).filter_map(|rest| {
                let target = rest.split(')').next()?;
                target.split_whitespace().next().map(str::to_owned)
            });
            inline
                .chain(reference(&words))
                .map(move |target| Link { line, target })
                .collect::<Vec<_>>()
        })
        .filter(|link| !outside(&link.target))
        .collect()
}

/// `[name]: target`
fn reference(words: &str) -> Option<String> {
    let rest = words.trim_start().strip_prefix('[')?;
    let (_, target) = rest.split_once("]: ")?;
    target.split_whitespace().next().map(str::to_owned)
}

fn outside(target: &str) -> bool {
    ["http://", "https://", "mailto:", "file://"]
        .iter()
        .any(|scheme| target.starts_with(scheme))
}

/// The lines outside fenced code, numbered from 1, without their `code spans`.
fn prose(text: &str) -> Vec<(usize, String)> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let words: String = line.split('`').step_by(2).collect();
            lines.push((index.saturating_add(1), words));
        }
    }
    lines
}

/// The anchors that a document offers, made from its headings as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let title = line.trim_start_matches('#');
        if fenced || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let slug: String = title
            .trim()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let seen = anchors
            .iter()
            .filter(|known| {
                let rest = known.strip_prefix(slug.as_str());
                rest.is_some_and(|rest| {
                    rest.trim_start_matches('-').parse::<u32>().is_ok() || rest.is_empty()
                })
            })
            .count();
        anchors.push(match seen {
            0 => slug,
            n => format!("{slug}-{n}"),
        });
    }
    anchors
}

/// Where `target` leads from the document at `path`: a path from the root of the tree and an anchor.
fn resolve(path: &str, target: &str) -> (String, String) {
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    if file.is_empty() {
        return (path.to_owned(), anchor.to_owned());
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                // A link above the root of the tree keeps its dots, and is then found missing.
                if parts.pop().is_none() {
                    parts.push("..");
                }
            }
            name => parts.push(name),
        }
    }
    (parts.join("/"), anchor.to_owned())
}

/// What is wrong with the links of the document at `path`; `read` gives the text of a file, or none.
fn dead_links(path: &str, text: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    links(text)
        .into_iter()
        .filter_map(|link| {
            let (file, anchor) = resolve(path, &link.target);
            let fault = match read(&file) {
                None => "no such file",
                Some(_) if anchor.is_empty() => return None,
                Some(other) if anchors(&other).contains(&anchor) => return None,
                Some(_) => "no such heading",
            };
            Some(format!("{path}:{}: {}: {fault}", link.line, link.target))
        })
        .collect()
}

#[test]
fn every_relative_link_in_the_documents_leads_somewhere() {
    let read = |file: &str| {
        let place = tree::root().join(file);
        if place.is_dir() {
            return Some(String::new());
        }
        std::fs::read(place)
            .ok()
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    let dead: Vec<String> = tree::texts_ending(".md")
        .iter()
        .flat_map(|document| dead_links(&document.path, &document.text, read))
        .collect();
    assert!(dead.is_empty(), "dead links:\n  {}", dead.join("\n  "));
}

#[test]
fn a_dead_link_and_a_dead_anchor_are_caught() {
    let read = |file: &str| match file {
        "docs/a.md" => Some("# A title, with `code`\n## Again\n## Again\n".to_owned()),
        "b.md" => Some(String::new()),
        _ => None,
    };
    let dead = |text: &str| dead_links("docs/a.md", text, read);
    assert_eq!(
        dead("[b](../b.md) and [self](#a-title-with-code)\n"),
        [""; 0]
    );
    assert_eq!(dead("[second](a.md#again-1)\n"), [""; 0]);
    assert_eq!(dead("[out](https://example.org/x) `[code](x)`\n"), [""; 0]);
    assert_eq!(dead("```\n[fenced](x)\n```\n"), [""; 0]);
    assert_eq!(dead("\n[b](b.md)\n"), ["docs/a.md:2: b.md: no such file"]);
    assert_eq!(
        dead("[x]: ../b.md#gone\n"),
        ["docs/a.md:1: ../b.md#gone: no such heading"]
    );
    assert_eq!(dead("[up](../../b.md)\n").len(), 1);
}

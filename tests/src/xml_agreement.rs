//! A second reader of XML, over the events of `quick-xml`, that must see in a document what ours sees.

use oss_proto::ReadError;
use oss_proto::xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// An element as the second reader saw it: its local name, its own text, and what is in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    name: String,
    text: String,
    children: Vec<Self>,
}

/// Reads a document with both; whether ours took it.
///
/// # Panics
/// When ours takes a document that the other refuses, or sees something else in it.
pub fn agree(document: &[u8], root: &'static str) -> bool {
    if Reader::open(document, root).and_then(Reader::finish).is_err() {
        return false;
    }
    let seen = tree(document);
    let read = Reader::open(document, root).and_then(|mut reader| {
        let tree = seen.as_ref().expect("the other takes what ours takes");
        assert_eq!(tree.name, root);
        same(tree, &mut reader)?;
        reader.finish()
    });
    assert!(read.is_ok(), "ours does not find {seen:?}: {read:?}");
    true
}

/// Whether the element that the reader has entered is this one; leaves it.
fn same(tree: &Tree, reader: &mut Reader<'_>) -> Result<(), ReadError> {
    if tree.children.is_empty() {
        assert_eq!(reader.text()?, tree.text, "the text of {}", tree.name);
        return Ok(());
    }
    for child in &tree.children {
        assert_eq!(reader.child()?, Some(child.name.as_str()), "in {}", tree.name);
        same(child, reader)?;
    }
    assert_eq!(reader.child()?, None, "at the end of {}", tree.name);
    Ok(())
}

/// The document by the events of `quick-xml`, as it is set up by default.
fn tree(document: &[u8]) -> Result<Tree, String> {
    let text = core::str::from_utf8(document).map_err(|error| error.to_string())?;
    let mut reader = quick_xml::Reader::from_str(text.trim_start_matches('\u{feff}').trim_ascii_start());
    // The document itself is the element at the bottom.
    let mut open = vec![Tree::default()];
    loop {
        let closed = match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(tag) => {
                open.push(named(&tag));
                None
            }
            Event::Empty(tag) => Some(named(&tag)),
            Event::End(_) => open.pop(),
            Event::Text(piece) => said(&mut open, &piece),
            Event::CData(piece) => said(&mut open, &piece),
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|error| error.to_string())?;
                let entity = quick_xml::escape::resolve_xml_entity(&reference);
                match (character, entity) {
                    (Some(character), _) => said(&mut open, character.encode_utf8(&mut [0; 4])),
                    (None, Some(entity)) => said(&mut open, entity),
                    (None, None) => return Err(format!("an unknown entity {:?}", &*reference)),
                }
            }
            Event::Eof => break,
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => None,
            Event::DocType(_) => return Err("a DOCTYPE".to_owned()),
        };
        if let Some(element) = closed {
            open.last_mut().ok_or("more ends than starts")?.children.push(element);
        }
    }
    match open.pop().map(|document| document.children) {
        Some(mut roots) if open.is_empty() && roots.len() == 1 => roots.pop().ok_or_else(String::new),
        _ => Err("no single root that ends".to_owned()),
    }
}

fn named(tag: &BytesStart<'_>) -> Tree {
    let name = tag.name();
    let name = name.as_ref();
    // As ours: what is behind the first colon.
    let local = name.split_once(':').map_or(name, |(_, local)| local);
    Tree { name: local.to_owned(), ..Tree::default() }
}

fn said(open: &mut [Tree], text: &str) -> Option<Tree> {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
    None
}

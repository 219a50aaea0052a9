//! XML out (a writer that escapes everything a key may hold) and in (a small tree with caps).

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::Event;

/// A document that is being written: elements without a namespace, in call order.
pub(crate) struct Document {
    text: String,
    open: Vec<&'static str>,
}

impl Document {
    pub(crate) fn new(root: &'static str) -> Self {
        let mut document = Self { text: DECLARATION.to_owned(), open: Vec::new() };
        document.open(root);
        document
    }

    pub(crate) fn open(&mut self, name: &'static str) {
        self.text.push('<');
        self.text.push_str(name);
        self.text.push('>');
        self.open.push(name);
    }

    pub(crate) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.text.push_str("</");
            self.text.push_str(name);
            self.text.push('>');
        }
    }

    pub(crate) fn text(&mut self, name: &'static str, value: &str) {
        self.open(name);
        self.content(value);
        self.close();
    }

    pub(crate) fn value(&mut self, name: &'static str, value: impl ToString) {
        self.text(name, &value.to_string());
    }

    /// Text directly inside the open element.
    pub(crate) fn content(&mut self, value: &str) {
        for character in value.chars() {
            match character {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                // Legal in keys, illegal in XML 1.0: a reference is the least bad form without
                // encoding-type=url.
                control if control.is_ascii_control() && !matches!(control, '\n' | '\t') => {
                    self.text.push_str(&alloc::format!("&#x{:X};", u32::from(control)));
                }
                other => self.text.push(other),
            }
        }
    }

    /// An element that was read, without what stood between its children.
    pub(crate) fn element(&mut self, element: &Element) {
        self.text.push('<');
        self.text.push_str(&element.name);
        self.text.push('>');
        if element.children.is_empty() {
            self.content(&element.text);
        }
        for child in &element.children {
            self.element(child);
        }
        self.text.push_str("</");
        self.text.push_str(&element.name);
        self.text.push('>');
    }

    /// A whole document of one element that was read.
    pub(crate) fn of_element(root: &Element) -> String {
        let mut document = Self { text: DECLARATION.to_owned(), open: Vec::new() };
        document.element(root);
        document.text
    }

    pub(crate) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.text
    }
}

/// How names are written in a listing: as they are, or percent-encoded (`encoding-type=url`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Url,
}

impl Encoding {
    pub(crate) fn of(self, name: &str) -> String {
        match self {
            Self::Plain => name.to_owned(),
            Self::Url => utf8_percent_encode(name, UNRESERVED).to_string(),
        }
    }
}

/// RFC 3986 unreserved characters stay, everything else is encoded.
pub(crate) const UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An element that was read: local name, own text, children.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Self>,
}

impl Element {
    pub(crate) fn leaf(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), children: Vec::new() }
    }

    pub(crate) fn parent(name: &str, children: impl IntoIterator<Item = Self>) -> Self {
        Self { name: name.to_owned(), text: String::new(), children: children.into_iter().collect() }
    }

    /// The children of this name.
    pub(crate) fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Sets the text of a child, which is added where it is missing.
    pub(crate) fn set(&mut self, name: &str, text: &str) {
        match self.children.iter_mut().find(|child| child.name == name) {
            Some(child) => text.clone_into(&mut child.text),
            None => self.children.push(Self::leaf(name, text)),
        }
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(crate) fn child_text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }
}

/// Reads a document whose root is `root`; the error says what is wrong with it.
pub(crate) fn parse(bytes: &[u8], root: &str) -> Result<Element, String> {
    let text = core::str::from_utf8(bytes).map_err(|_| "the document is not UTF-8".to_owned())?;
    let mut reader = Reader::from_str(text);
    let mut stack: Vec<Element> = Vec::new();
    let mut elements = 0_u32;
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        let closed = match event {
            Event::Start(start) => {
                elements += 1;
                if stack.len() >= DEPTH_MAX || elements > ELEMENTS_MAX {
                    return Err("the document has too many elements".to_owned());
                }
                stack.push(named(start.local_name().as_ref()));
                None
            }
            Event::Empty(empty) => Some(named(empty.local_name().as_ref())),
            Event::End(_) => stack.pop(),
            Event::Text(part) => {
                append(&mut stack, &part.xml_content(XmlVersion::Implicit1_0))?;
                None
            }
            Event::CData(part) => {
                append(&mut stack, &part.xml_content(XmlVersion::Implicit1_0))?;
                None
            }
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|error| error.to_string())?;
                match character {
                    Some(character) => append(&mut stack, character.encode_utf8(&mut [0; 4]))?,
                    None => append(&mut stack, predefined(&reference)?)?,
                }
                None
            }
            Event::DocType(_) => return Err("a document type is not allowed".to_owned()),
            Event::Eof => return Err("the document ends early".to_owned()),
            _ => None,
        };
        if let Some(element) = closed {
            let Some(parent) = stack.last_mut() else {
                return expect_root(element, root);
            };
            parent.children.push(element);
        }
    }
}

fn expect_root(element: Element, root: &str) -> Result<Element, String> {
    if element.name == root { Ok(element) } else { Err(alloc::format!("the root is not {root}")) }
}

fn named(name: &str) -> Element {
    Element { name: name.to_owned(), ..Element::default() }
}

fn append(stack: &mut [Element], text: &str) -> Result<(), String> {
    match stack.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim_matches([' ', '\t', '\r', '\n', '\u{feff}']).is_empty() => {}
        None => return Err("there is text outside the root".to_owned()),
    }
    Ok(())
}

fn predefined(name: &str) -> Result<&'static str, String> {
    match name {
        "amp" => Ok("&"),
        "lt" => Ok("<"),
        "gt" => Ok(">"),
        "quot" => Ok("\""),
        "apos" => Ok("'"),
        other => Err(alloc::format!("the entity {other} is not known")),
    }
}

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const DEPTH_MAX: usize = 16;
/// A full CompleteMultipartUpload has 10,000 parts of three elements each.
const ELEMENTS_MAX: u32 = 40_000;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_is_no_document() {
        for (text, why) in [
            ("", "the document ends early"),
            ("<A>", "the document ends early"),
            ("x<A/>", "there is text outside the root"),
            ("<B/>", "the root is not A"),
            ("<!DOCTYPE a><A/>", "a document type is not allowed"),
            ("<A>&unknown;</A>", "the entity unknown is not known"),
        ] {
            assert_eq!(parse(text.as_bytes(), "A"), Err(why.to_owned()), "{text}");
        }
        assert!(parse("<A></B>".as_bytes(), "A").is_err());
        assert!(parse("<A>".repeat(20).as_bytes(), "A").is_err());
        assert!(parse(b"<A>\xff</A>", "A").is_err());
    }

    #[test]
    fn reads_references_and_prefixes() {
        let text = "<?xml version='1.0'?><n:A xmlns:n='urn:x'>a&#x1;&#13;&amp;&lt;<![CDATA[<b>]]></n:A>";
        assert_eq!(parse(text.as_bytes(), "A").unwrap().text, "a\u{1}\r&<<b>");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in "[^\\x00]*") {
            let mut document = Document::new("A");
            document.text("B", &value);
            let text = document.finish();
            let root = parse(text.as_bytes(), "A").unwrap();
            prop_assert_eq!(root.child_text("B"), Some(value.as_str()));
        }

        #[test]
        fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes, "A");
        }
    }
}

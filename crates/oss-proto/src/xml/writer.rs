//! XML for request bodies.

use alloc::vec::Vec;

/// Writes one XML document: no declaration, no white space, every text escaped.
///
/// The caller opens and closes elements in pairs; names are its own and are written as they are.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    document: Vec<u8>,
}

impl Writer {
    /// An empty document.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens an element.
    pub fn open(&mut self, name: &str) {
        self.put(&["<", name, ">"]);
    }

    /// Writes an element that holds only this text.
    pub fn leaf(&mut self, name: &str, text: &str) {
        self.open(name);
        self.text(text);
        self.close(name);
    }

    /// Closes an element.
    pub fn close(&mut self, name: &str) {
        self.put(&["</", name, ">"]);
    }

    /// The document.
    pub fn finish(self) -> Vec<u8> {
        self.document
    }

    fn put(&mut self, parts: &[&str]) {
        for part in parts {
            self.document.extend_from_slice(part.as_bytes());
        }
    }

    fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut written = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            let Some(escaped) = ESCAPES[usize::from(byte)] else {
                continue;
            };
            self.document.extend_from_slice(&bytes[written..at]);
            self.document.extend_from_slice(escaped.as_bytes());
            written = at + 1;
        }
        self.document.extend_from_slice(&bytes[written..]);
    }
}

/// What replaces a byte in a text. Control characters become references, which XML 1.0 forbids and OSS wants:
/// an object whose key holds one could not be named in a list of objects to delete otherwise. Tab, CR and LF
/// too, because a reader may normalise them when they stand alone (XML 1.0 section 2.11).
const ESCAPES: [Option<&str>; 256] = {
    let mut escapes = [None; 256];
    let mut code = 0;
    while code < CONTROLS.len() {
        escapes[code] = Some(CONTROLS[code]);
        code += 1;
    }
    escapes[0x7f] = Some("&#127;");
    escapes[b'&' as usize] = Some("&amp;");
    escapes[b'<' as usize] = Some("&lt;");
    escapes[b'>' as usize] = Some("&gt;");
    escapes[b'"' as usize] = Some("&quot;");
    escapes[b'\'' as usize] = Some("&apos;");
    escapes
};

const CONTROLS: [&str; 32] = [
    "&#0;", "&#1;", "&#2;", "&#3;", "&#4;", "&#5;", "&#6;", "&#7;", "&#8;", "&#9;", "&#10;", "&#11;",
    "&#12;", "&#13;", "&#14;", "&#15;", "&#16;", "&#17;", "&#18;", "&#19;", "&#20;", "&#21;", "&#22;",
    "&#23;", "&#24;", "&#25;", "&#26;", "&#27;", "&#28;", "&#29;", "&#30;", "&#31;",
];

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    #[test]
    fn a_document_has_no_declaration_and_no_white_space() {
        let mut writer = Writer::new();
        writer.open("Delete");
        writer.leaf("Quiet", "true");
        writer.open("Object");
        writer.leaf("Key", "目录/a b");
        writer.close("Object");
        writer.close("Delete");
        let document = String::from_utf8(writer.finish()).unwrap();
        assert_eq!(document, "<Delete><Quiet>true</Quiet><Object><Key>目录/a b</Key></Object></Delete>");
    }

    #[test]
    fn markup_and_control_characters_are_escaped() {
        let mut writer = Writer::new();
        writer.leaf("K", "<a href=\"x\">&'\u{0}\t\r\n\u{1f}\u{7f}\u{85}\u{fffe}");
        let document = String::from_utf8(writer.finish()).unwrap();
        assert_eq!(
            document,
            "<K>&lt;a href=&quot;x&quot;&gt;&amp;&apos;&#0;&#9;&#13;&#10;&#31;&#127;\u{85}\u{fffe}</K>"
        );
    }
}

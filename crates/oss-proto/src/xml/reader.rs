//! A bounded pull reader over one document.

use alloc::borrow::Cow;
use alloc::string::String;
use core::{fmt, str};

use super::tokens::{Token, Tokens};
use crate::ReadError;

/// Reads one XML document, element by element.
///
/// [`open`](Self::open) enters the root. [`child`](Self::child) enters the next child of the element entered
/// last, which is then consumed by [`text`](Self::text), by `child` until it answers `None`, or by
/// [`skip`](Self::skip). [`finish`](Self::finish) proves that the document was whole.
///
/// Names are local names; prefixes and namespaces play no part. Comments and processing instructions are
/// passed over, and so is text between elements. Line ends are kept as they came. Any DOCTYPE, any entity but
/// the five of XML and references to characters, more than 32 levels and more than 32 attributes on a tag are
/// errors. Time is linear in the length of the document, memory does not depend on it; the caller bounds the
/// length.
pub struct Reader<'x> {
    tokens: Tokens<'x>,
    /// Bytes before the tokens, for the positions in messages.
    skipped: usize,
    /// The name of the element entered last.
    entered: &'x str,
    /// Whether the element entered last was `<Name/>`, so that its end is due without a token.
    ended: bool,
    /// Whether the element entered last is the one that says how texts are encoded.
    at_encoding_type: bool,
    url_encoded: bool,
}

impl<'x> Reader<'x> {
    /// Enters the root element, which has to have this local name.
    ///
    /// # Errors
    /// When the document is empty, is not XML, is not UTF-8, has a DOCTYPE or another root.
    pub fn open(document: &'x [u8], root: &'static str) -> Result<Self, ReadError> {
        let body = document.strip_prefix(BOM).unwrap_or(document).trim_ascii_start();
        if body.is_empty() {
            return Err(ReadError::empty(root));
        }
        if !body.starts_with(b"<") || is_html(body) {
            return Err(ReadError::unexpected_body(root, document));
        }
        let skipped = document.len() - body.len();
        let text = str::from_utf8(body)
            .map_err(|e| ReadError::document("text that is not UTF-8", (skipped + e.valid_up_to()) as u64))?;
        let mut reader = Self {
            tokens: Tokens::new(text),
            skipped,
            entered: "",
            ended: false,
            at_encoding_type: false,
            url_encoded: false,
        };
        let found = reader.prolog()?;
        if found == root {
            return Ok(reader);
        }
        if found.eq_ignore_ascii_case("html") {
            return Err(ReadError::unexpected_body(root, document));
        }
        Err(ReadError::root(root, found))
    }

    /// Enters the next child of the element entered last and gives its local name; `None` at the end of that
    /// element, which is then left.
    ///
    /// # Errors
    /// When the document breaks off, is not well-formed or passes a limit.
    #[inline]
    pub fn child(&mut self) -> Result<Option<&'x str>, ReadError> {
        if self.depth() == 0 || self.leave_if_ended() {
            return Ok(None);
        }
        loop {
            match self.token()? {
                Token::Start { name, ended } => return Ok(Some(self.enter(name, ended))),
                Token::End => {
                    self.at_encoding_type = false;
                    return Ok(None);
                }
                other => self.pass(other)?,
            }
        }
    }

    /// Reads the text of the element entered last, up to its end; borrowed unless it was in pieces.
    ///
    /// # Errors
    /// As [`child`](Self::child), and when the element has elements inside.
    pub fn text(&mut self) -> Result<Cow<'x, str>, ReadError> {
        self.text_or_enter()?.ok_or_else(|| self.problem("an element where text is due"))
    }

    /// Passes over the rest of the element entered last.
    ///
    /// # Errors
    /// As [`child`](Self::child).
    pub fn skip(&mut self) -> Result<(), ReadError> {
        if self.at_encoding_type {
            return self.text().map(drop);
        }
        let outside = self.depth().saturating_sub(1);
        // Each round enters or leaves an element, and the document has finitely many.
        while self.depth() > outside {
            self.child()?;
        }
        Ok(())
    }

    /// Reads what is left and ends the document; whether it said `<EncodingType>url</EncodingType>` below its
    /// root.
    ///
    /// # Errors
    /// As [`child`](Self::child), and when anything but comments follows the root.
    pub fn finish(mut self) -> Result<bool, ReadError> {
        while self.depth() > 1 {
            self.skip()?;
        }
        while self.child()?.is_some() {
            self.skip()?;
        }
        loop {
            match self.token()? {
                Token::Eof => return Ok(self.url_encoded),
                Token::Aside => {}
                Token::Text(text) if text.trim_ascii().is_empty() => {}
                _ => return Err(self.problem("more after the root element")),
            }
        }
    }

    /// Reads the text of the element entered last; `None` when it has elements inside, of which the first is
    /// then entered.
    #[inline]
    pub(crate) fn text_or_enter(&mut self) -> Result<Option<Cow<'x, str>>, ReadError> {
        let mut text = Cow::Borrowed("");
        if self.depth() == 0 || self.leave_if_ended() {
            return Ok(Some(text));
        }
        loop {
            match self.token()? {
                Token::Text(piece) | Token::Section(piece) => append(&mut text, piece),
                Token::Character(character) => {
                    append_copied(&mut text, character.encode_utf8(&mut [0; 4]));
                }
                Token::End => {
                    self.url_encoded |= self.at_encoding_type && text == "url";
                    self.at_encoding_type = false;
                    return Ok(Some(text));
                }
                Token::Start { name, ended } => {
                    self.enter(name, ended);
                    return Ok(None);
                }
                other => self.pass(other)?,
            }
        }
    }

    /// The local name of the element entered last.
    pub(crate) fn entered(&self) -> &'x str {
        self.entered
    }

    /// Reads up to the root element, enters it and gives its local name.
    fn prolog(&mut self) -> Result<&'x str, ReadError> {
        loop {
            match self.token()? {
                Token::Start { name, ended } => return Ok(self.enter(name, ended)),
                Token::Declaration { encoding: None } | Token::Aside => {}
                Token::Declaration { encoding: Some(encoding) } => self.check_encoding(encoding)?,
                Token::Text(text) if text.trim_ascii().is_empty() => {}
                Token::Eof => return Err(self.problem(super::tokens::CUT_OFF)),
                _ => return Err(self.problem("text before the root element")),
            }
        }
    }

    fn check_encoding(&self, encoding: &str) -> Result<(), ReadError> {
        if encoding.eq_ignore_ascii_case("utf-8") || encoding.eq_ignore_ascii_case("utf8") {
            return Ok(());
        }
        Err(self.problem("an encoding other than UTF-8"))
    }

    #[inline]
    fn token(&mut self) -> Result<Token<'x>, ReadError> {
        self.tokens.next().map_err(|fault| self.problem(fault))
    }

    /// Checks a token inside the root that is neither wanted nor a tag.
    fn pass(&self, token: Token<'x>) -> Result<(), ReadError> {
        match token {
            Token::Declaration { .. } => Err(self.problem("a declaration inside the document")),
            _ => Ok(()),
        }
    }

    #[inline]
    fn enter(&mut self, name: &'x str, ended: bool) -> &'x str {
        self.entered = name;
        self.ended = ended;
        self.at_encoding_type = self.depth() == 2 && name == ENCODING_TYPE;
        name
    }

    /// Elements that are entered and not left.
    #[inline]
    fn depth(&self) -> usize {
        self.tokens.depth() + usize::from(self.ended)
    }

    #[inline]
    fn leave_if_ended(&mut self) -> bool {
        let ended = self.ended;
        if ended {
            self.ended = false;
            self.at_encoding_type = false;
        }
        ended
    }

    #[cold]
    fn problem(&self, problem: &'static str) -> ReadError {
        ReadError::document(problem, (self.skipped + self.tokens.position()) as u64)
    }
}

/// Without the document: an error document repeats what was signed.
impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("entered", &self.entered)
            .field("depth", &self.depth())
            .finish_non_exhaustive()
    }
}

#[inline]
fn append<'x>(text: &mut Cow<'x, str>, piece: &'x str) {
    if text.is_empty() {
        *text = Cow::Borrowed(piece);
    } else {
        append_copied(text, piece);
    }
}

/// Room grows by half, not to the double: a text of many pieces is no reason to take three times its length.
fn append_copied(text: &mut Cow<'_, str>, piece: &str) {
    let text = match text {
        Cow::Borrowed(start) => {
            let mut copy = String::with_capacity(start.len() + piece.len());
            copy.push_str(start);
            *text = Cow::Owned(copy);
            text.to_mut()
        }
        Cow::Owned(text) => text,
    };
    if text.capacity() - text.len() < piece.len() {
        text.reserve_exact(piece.len().max(text.len() / 2).max(TEXT_BYTES_MIN));
    }
    text.push_str(piece);
}

fn is_html(body: &[u8]) -> bool {
    HTML_STARTS
        .iter()
        .any(|start| body.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start)))
}

const TEXT_BYTES_MIN: usize = 32;
const BOM: &[u8] = b"\xef\xbb\xbf";
const HTML_STARTS: [&[u8]; 2] = [b"<!doctype html", b"<html"];
const ENCODING_TYPE: &str = "EncodingType";

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    fn open(document: &str) -> Result<Reader<'_>, ReadError> {
        Reader::open(document.as_bytes(), "R")
    }

    /// Every leaf below the root, after which the document has to be whole.
    fn leaves(document: &[u8]) -> Result<Vec<(&str, Cow<'_, str>)>, ReadError> {
        let mut reader = Reader::open(document, "R")?;
        let mut leaves = Vec::new();
        while let Some(name) = reader.child()? {
            leaves.push((name, reader.text()?));
        }
        reader.finish().map(|_url| leaves)
    }

    fn text(inside: &str) -> Result<String, ReadError> {
        let document = format!("<R><K>{inside}</K></R>");
        leaves(document.as_bytes()).map(|leaves| leaves[0].1.to_string())
    }

    #[track_caller]
    fn refuses(document: &[u8], problem: &str) {
        let message = leaves(document).unwrap_err().to_string();
        assert!(message.contains(problem), "{message}");
    }

    #[test]
    fn a_list_is_read_element_by_element() {
        let document = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- c --><?pi?>\n\
            <o:R xmlns:o='u' a=\">\">\n <Name>b</Name><C><Key>a</Key><o:Size>1</o:Size>\
            <Deep><D><E/></D></Deep></C><C/><None/>\n</o:R>\n<!-- -->\n";
        let mut reader = open(document).unwrap();
        assert_eq!(reader.child(), Ok(Some("Name")));
        assert!(matches!(reader.text(), Ok(Cow::Borrowed("b"))), "a text in one piece is borrowed");
        assert_eq!(reader.child(), Ok(Some("C")));
        assert_eq!(reader.child(), Ok(Some("Key")));
        assert_eq!(reader.skip(), Ok(()));
        assert_eq!(reader.child(), Ok(Some("Size")));
        assert_eq!(reader.text().unwrap(), "1");
        assert_eq!(reader.child(), Ok(Some("Deep")));
        assert_eq!(reader.skip(), Ok(()));
        assert_eq!(reader.child(), Ok(None));
        assert_eq!(reader.child(), Ok(Some("C")));
        assert_eq!(reader.child(), Ok(None));
        assert_eq!(reader.child(), Ok(Some("None")));
        assert_eq!(reader.text().unwrap(), "");
        assert_eq!(reader.child(), Ok(None));
        assert_eq!(reader.child(), Ok(None));
        assert_eq!(reader.finish(), Ok(false));
    }

    #[test]
    fn finish_passes_over_what_is_left() {
        let document = "<R><A><B><C>x</C></B></A><EncodingType>url</EncodingType></R>";
        for children in 0..4 {
            let mut reader = open(document).unwrap();
            for _ in 0..children {
                assert!(reader.child().unwrap().is_some());
            }
            assert_eq!(reader.finish(), Ok(true), "{children}");
        }
    }

    #[test]
    fn encoding_type_counts_directly_below_the_root() {
        for (document, url) in [
            ("<R><EncodingType>url</EncodingType></R>", true),
            ("<R><x:EncodingType>u<!-- -->rl</x:EncodingType><K>a</K></R>", true),
            ("<R><EncodingType/></R>", false),
            ("<R><EncodingType>URL</EncodingType></R>", false),
            ("<R><A><EncodingType>url</EncodingType></A></R>", false),
            ("<R/>", false),
        ] {
            assert_eq!(open(document).unwrap().finish(), Ok(url), "{document}");
            let mut reader = open(document).unwrap();
            while reader.child().unwrap().is_some() {
                reader.skip().unwrap();
            }
            assert_eq!(reader.finish(), Ok(url), "{document}");
        }
    }

    #[test]
    fn b44_a_doctype_is_refused() {
        refuses(b"<!DOCTYPE R><R/>", "DOCTYPE");
        refuses(
            b"<!DOCTYPE R [<!ENTITY e 'x'><!ENTITY % p SYSTEM 'file:///x'>]><R><K>&e;</K></R>",
            "DOCTYPE",
        );
        refuses(b"<?xml version='1.0'?><!-- --><!DOCTYPE R SYSTEM 'http://x/'><R/>", "DOCTYPE");
        refuses(b"<R><!DOCTYPE R><K/></R>", "DOCTYPE");
        refuses(b"<R><!ENTITY e 'x'></R>", "`!`");
        assert!(leaves(b"<!DOCTYPE R [<!ENTITY a '").is_err());
    }

    #[test]
    fn b45_five_entities_and_references_to_characters() {
        for (inside, expected) in [
            ("&lt;a&gt;&amp;&quot;&apos;", "<a>&\"'"),
            ("a&#10;b&#13;&#x0D;&#x1f;&#1;", "a\nb\r\r\u{1f}\u{1}"),
            ("&#x10FFFF;&#x4e2D;&#0000065;&#xFFFE;", "\u{10ffff}中A\u{fffe}"),
            ("&amp;amp;", "&amp;"),
        ] {
            assert_eq!(text(inside).as_deref(), Ok(expected));
        }
        let bad = "&nbsp;|&AMP;|&;|&#;|&#x;|&#0;|&#x0;|&#x110000;|&#xD800;|&#xDFFF;|&#-1;|&#+1;|&#1a;|\
            &#X41;|&# 65;|&#99999999999999999999;|a & b|&|&amp|&lt&gt;";
        for bad in bad.split('|') {
            assert!(text(bad).is_err(), "{bad}");
            assert!(open(&format!("<R><K>{bad}</K></R>")).unwrap().finish().is_err(), "passed over: {bad}");
            assert!(leaves(format!("<R>{bad}<K/></R>").as_bytes()).is_err(), "between elements: {bad}");
        }
    }

    #[test]
    fn b49_every_truncation_is_an_error() {
        let document =
            "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- a --><R x='1'>\n<K>a&amp;b&#x4e2d;</K>\
             <K><![CDATA[<c>]]></K><E/><K>目</K><?pi x?></R>"
                .as_bytes();
        assert!(leaves(document).is_ok());
        for end in 0..document.len() {
            let part = &document[..end];
            assert!(leaves(part).is_err(), "read");
            let skipped = Reader::open(part, "R").and_then(Reader::finish);
            assert!(skipped.is_err(), "passed over: {end}");
        }
    }

    #[test]
    fn b50_only_utf_8() {
        assert!(leaves(b"\xef\xbb\xbf<R/>").is_ok());
        assert!(leaves(b"\xef\xbb\xbf\xef\xbb\xbf<R/>").is_err());
        for encoding in ["utf-8", "UTF-8", "utf8"] {
            assert!(leaves(format!("<?xml version='1.0' encoding='{encoding}'?><R/>").as_bytes()).is_ok());
        }
        for encoding in ["ISO-8859-1", "UTF-16", "gb2312", ""] {
            let document = format!("<?xml version='1.0' encoding='{encoding}'?><R/>");
            refuses(document.as_bytes(), "other than UTF-8");
        }
        refuses(b"<R><K>\xff</K></R>", "not UTF-8 at byte 6");
        refuses(b"<R><\xc3\x28/></R>", "not UTF-8");
        assert!(leaves(b"\xff\xfe<\0R\0/\0>\0").is_err());
        assert!(leaves(b"\xfe\xff\0<\0R\0/\0>").is_err());
    }

    #[test]
    fn b51_comments_and_sections_inside_a_text_do_not_cut_it() {
        for (inside, expected) in [
            ("a<!--x-->b", "ab"),
            ("a<?x y?>b", "ab"),
            ("a<![CDATA[<b>&amp;]]>c", "a<b>&amp;c"),
            ("<![CDATA[]]>", ""),
            ("<![CDATA[a]]]]><![CDATA[>b]]>", "a]]>b"),
            (" a\n", " a\n"),
            ("a\r\nb", "a\r\nb"),
            ("a > b ]] 'c' \"d\"", "a > b ]] 'c' \"d\""),
        ] {
            assert_eq!(text(inside).as_deref(), Ok(expected));
        }
        assert!(text("a<b/>c").is_err());
        assert!(text("a<b>c</b>").is_err());
        let mixed = leaves(b"<R>x<K>a</K>y<![CDATA[<K>b</K>]]><!-- <K>c</K> --></R>").unwrap();
        assert_eq!(mixed, [("K", Cow::Borrowed("a"))]);
    }

    #[test]
    fn b51_the_root_is_checked_and_stands_alone() {
        for good in ["<R/>", "<R></R>", "<x:R xmlns:x='u'/>", " \r\n\t<R/> <!-- --> <?pi?>\n"] {
            assert_eq!(leaves(good.as_bytes()), Ok(Vec::new()), "{good}");
        }
        refuses(b"<Error><Code>x</Code></Error>", "a `Error` where a `R` is due");
        let bad = "<r/>|<R/><R/>|<R/>x|<R/><![CDATA[]]>|<R/>&amp;|<R/></R>|x<R/>|&amp;<R/>|</R>|<>|<R|\
            <R>|</|<|<R></Q>|<R><K></R></K>|<R><a></b></R>|<R/><!DOCTYPE R>|<!-- -->|\
            <R><?xml version='1.0'?></R>|<R/><?xml version='1.0'?>|<R><=/></R>|<R></R x='1'>|\
            <R><:/></Q></R>|<R><?></R>|<R><?>?></R>|<R><??></R>|<R><? p?></R>|<R><K a='1'b='2'/></R>|\
            <R><K/L></R>|<R><K / ></R>|<R></ R>|<R><K a='<'/></R>|<R><![cdata[]]></R>|<R><!--></R>";
        for bad in bad.split('|') {
            assert!(leaves(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn b53_other_bodies_are_shown() {
        for empty in ["", " \r\n", "\u{feff}"] {
            refuses(empty.as_bytes(), "empty where a `R`");
        }
        for other in [
            "{\"a\":1}",
            "\u{1f}\u{8b}",
            "<html><body>",
            "<!DOCTYPE html>",
            "<HTML>",
            " <!doctype HTML\n>",
            "no",
        ] {
            refuses(other.as_bytes(), "is not XML where a `R` document is due; it begins");
        }
        refuses(b"<html>\xff", "it begins");
        refuses(b"\x1f\x8b\x08\x00\xff", "it begins");
    }

    #[test]
    fn reading_on_after_an_error_ends() {
        for document in
            ["<R><K a=b>x</K></R>", "<R></Q></R>", "<R>&x;&y;</R>", "<R><K>", "<R><K>&x;</K><L/></R>"]
        {
            let mut reader = open(document).unwrap();
            for _ in 0..64 {
                let _ = reader.child();
                let _ = reader.text();
                let _ = reader.skip();
            }
            let _ = reader.finish();
        }
    }
}

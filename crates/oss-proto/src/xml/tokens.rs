//! The pieces that a document is made of, found without copying one.

/// A piece of a document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'x> {
    /// `<Name …>`, by its local name. `<Name …/>` is `ended`: no [`End`](Self::End) follows.
    Start { name: &'x str, ended: bool },
    /// The end tag of the element that was started last and is not ended.
    End,
    /// Text up to the next markup, never empty.
    Text(&'x str),
    /// What stands in a CDATA section.
    Section(&'x str),
    /// What a reference stands for.
    Character(char),
    /// `<?xml …?>`, with the encoding that it names.
    Declaration { encoding: Option<&'x str> },
    /// A comment or a processing instruction.
    Aside,
    /// The document is over, and so is every element in it.
    Eof,
}

/// Splits a document into [`Token`]s, and sees to it that tags come in pairs.
///
/// A fault is one phrase and leaves the position at the token in question, so that reading on repeats it.
/// Every search ends at the first byte that can decide it, and nothing is searched twice: time is linear.
pub(super) struct Tokens<'x> {
    document: &'x str,
    at: usize,
    /// The elements that are started and not ended, by the names that their end tags have to have.
    open: [&'x str; DEPTH_MAX],
    depth: usize,
}

impl<'x> Tokens<'x> {
    pub(super) fn new(document: &'x str) -> Self {
        Self { document, at: 0, open: [""; DEPTH_MAX], depth: 0 }
    }

    /// The offset of the next token.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Elements that are started and not ended.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// The next token.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Token<'x>, &'static str> {
        match self.byte(self.at) {
            Some(b'<') => match self.byte(self.at + 1) {
                Some(b'/') => self.end(),
                Some(b'!') => self.bang(),
                Some(b'?') => self.instruction(),
                _ => self.start(),
            },
            Some(b'&') => self.reference(),
            Some(_) => Ok(Token::Text(self.text())),
            None if self.depth == 0 => Ok(Token::Eof),
            None => Err(CUT_OFF),
        }
    }

    #[inline]
    fn text(&mut self) -> &'x str {
        let start = self.at;
        self.at = text_end(self.document.as_bytes(), start);
        self.slice(start, self.at)
    }

    #[inline]
    fn start(&mut self) -> Result<Token<'x>, &'static str> {
        if self.depth == DEPTH_MAX {
            return Err("elements more than 32 levels deep");
        }
        let start = self.at + 1;
        let (name_end, local) = self.name(start);
        if name_end == start {
            return Err(self.or_cut_off(start, "a tag without a proper name"));
        }
        let (after, ended) = match self.byte(name_end) {
            Some(b'>') => (name_end + 1, false),
            _ => self.attributes(name_end)?,
        };
        if !ended {
            if let Some(open) = self.open.get_mut(self.depth) {
                *open = self.document.get(start..name_end).unwrap_or_default();
            }
            self.depth += 1;
        }
        self.at = after;
        Ok(Token::Start { name: self.slice(local, name_end), ended })
    }

    #[inline]
    fn end(&mut self) -> Result<Token<'x>, &'static str> {
        let start = self.at + 2;
        let Some(depth) = self.depth.checked_sub(1) else {
            return Err(UNPAIRED);
        };
        let name = self.open.get(depth).copied().unwrap_or_default().as_bytes();
        let mut after = start + name.len();
        if self.document.as_bytes().get(start..after) != Some(name) {
            let (name_end, _) = self.name(start);
            return Err(self.or_cut_off(name_end, UNPAIRED));
        }
        if self.byte(after) != Some(b'>') {
            after = self.behind_white_space(after);
            if self.byte(after) != Some(b'>') {
                return Err(self.or_cut_off(after, UNPAIRED));
            }
        }
        self.depth = depth;
        self.at = after + 1;
        Ok(Token::End)
    }

    /// Where the name that starts here ends, and where its part without a prefix starts.
    ///
    /// The finer rules of XML for names play no part here.
    #[inline]
    fn name(&self, start: usize) -> (usize, usize) {
        let (mut at, mut local) = (start, start);
        while let Some(byte) = self.byte(at) {
            match NAMES[usize::from(byte)] {
                Class::Part => {}
                Class::Colon if local == start => local = at + 1,
                Class::Colon => {}
                Class::Outside => break,
            }
            at += 1;
        }
        (at, local)
    }

    /// The rest of a tag behind its name: its end, and whether it is that of an empty element.
    #[cold]
    fn attributes(&self, name_end: usize) -> Result<(usize, bool), &'static str> {
        let mut at = name_end;
        let mut seen = 0;
        while let Some(attribute) = self.attribute(at)? {
            if seen == ATTRIBUTES_MAX {
                return Err("a tag with more than 32 attributes");
            }
            seen += 1;
            at = attribute.end;
        }
        at = self.behind_white_space(at);
        match (self.byte(at), self.byte(at + 1)) {
            (Some(b'>'), _) => Ok((at + 1, false)),
            (Some(b'/'), Some(b'>')) => Ok((at + 2, true)),
            (Some(b'/'), None) => Err(CUT_OFF),
            _ => Err(self.or_cut_off(at, "a tag without a proper name")),
        }
    }

    /// The attribute behind the white space that starts here; `None` where no name starts.
    fn attribute(&self, at: usize) -> Result<Option<Attribute<'x>>, &'static str> {
        let start = self.behind_white_space(at);
        let (name_end, _) = self.name(start);
        // The names of a declaration end at its `?>`, those of a tag at `>` or `/>`.
        if name_end == start || self.byte(start) == Some(b'?') {
            return match self.byte(start) {
                None => Err(CUT_OFF),
                Some(b'>' | b'/' | b'?') => Ok(None),
                Some(_) => Err(BROKEN_ATTRIBUTE),
            };
        }
        if start == at {
            return Err(BROKEN_ATTRIBUTE);
        }
        let equals = self.behind_white_space(name_end);
        if self.byte(equals) != Some(b'=') {
            return Err(self.or_cut_off(equals, BROKEN_ATTRIBUTE));
        }
        let open = self.behind_white_space(equals + 1);
        let Some(quote @ (b'"' | b'\'')) = self.byte(open) else {
            return Err(self.or_cut_off(open, BROKEN_ATTRIBUTE));
        };
        let rest = self.document.as_bytes().get(open + 1..).unwrap_or_default();
        match rest.iter().position(|&byte| byte == quote || byte == b'<') {
            None => Err(CUT_OFF),
            Some(len) if rest.get(len) == Some(&b'<') => Err(BROKEN_ATTRIBUTE),
            Some(len) => Ok(Some(Attribute {
                name: self.slice(start, name_end),
                value: self.slice(open + 1, open + 1 + len),
                end: open + 1 + len + 1,
            })),
        }
    }

    /// XML 1.0 sections 4.1 and 4.6. OSS refers to control characters too, which XML 1.0 leaves out.
    #[cold]
    fn reference(&mut self) -> Result<Token<'x>, &'static str> {
        let start = self.at + 1;
        let rest = self.document.as_bytes().get(start..).unwrap_or_default();
        let len = rest.iter().position(|byte| matches!(byte, b';' | b'&' | b'<'));
        let Some(len) = len.filter(|&len| rest.get(len) == Some(&b';')) else {
            return Err("an `&` without its `;`");
        };
        let character = resolve(self.slice(start, start + len));
        let character = character.ok_or("a reference to no character that XML knows")?;
        self.at = start + len + 1;
        Ok(Token::Character(character))
    }

    #[cold]
    fn bang(&mut self) -> Result<Token<'x>, &'static str> {
        let rest = self.document.get(self.at..).unwrap_or_default();
        if rest.starts_with(COMMENT) {
            self.until(COMMENT, "-->").map(|_comment| Token::Aside)
        } else if rest.starts_with(SECTION) {
            self.until(SECTION, "]]>").map(Token::Section)
        } else if rest.get(..DOCTYPE.len()).is_some_and(|start| start.eq_ignore_ascii_case(DOCTYPE)) {
            Err("a DOCTYPE, which OSS never sends,")
        } else if [COMMENT, SECTION, DOCTYPE].iter().any(|whole| whole.starts_with(rest)) {
            Err(CUT_OFF)
        } else {
            Err("a tag with `!` that is none")
        }
    }

    #[cold]
    fn instruction(&mut self) -> Result<Token<'x>, &'static str> {
        let rest = self.document.get(self.at..).unwrap_or_default();
        let behind = rest.strip_prefix(DECLARATION).and_then(|behind| behind.bytes().next());
        if behind.is_some_and(|byte| byte == b'?' || is_white_space(byte)) {
            return self.declaration();
        }
        let start = self.at + "<?".len();
        if self.name(start).0 == start || self.byte(start) == Some(b'?') {
            return Err(self.or_cut_off(start + 1, "a processing instruction without a name"));
        }
        self.until("<?", "?>").map(|_instruction| Token::Aside)
    }

    fn declaration(&mut self) -> Result<Token<'x>, &'static str> {
        let mut at = self.at + DECLARATION.len();
        let mut encoding = None;
        while let Some(attribute) = self.attribute(at)? {
            if attribute.name == "encoding" {
                encoding = Some(attribute.value);
            }
            at = attribute.end;
        }
        at = self.behind_white_space(at);
        if (self.byte(at), self.byte(at + 1)) != (Some(b'?'), Some(b'>')) {
            return Err(self.or_cut_off(at + 1, "a broken declaration"));
        }
        self.at = at + 2;
        Ok(Token::Declaration { encoding })
    }

    /// What stands between the start of a token, here, and its end, behind which the next one is.
    fn until(&mut self, start: &str, end: &str) -> Result<&'x str, &'static str> {
        let start = self.at + start.len();
        let rest = self.document.as_bytes().get(start..).unwrap_or_default();
        let len = end_of(rest, end.as_bytes()).ok_or(CUT_OFF)?;
        self.at = start + len + end.len();
        Ok(self.slice(start, start + len))
    }

    #[inline]
    fn byte(&self, at: usize) -> Option<u8> {
        self.document.as_bytes().get(at).copied()
    }

    /// A part between two ASCII bytes, and so between characters.
    #[inline]
    fn slice(&self, start: usize, end: usize) -> &'x str {
        self.document.get(start..end).unwrap_or_default()
    }

    fn behind_white_space(&self, mut at: usize) -> usize {
        while self.byte(at).is_some_and(is_white_space) {
            at += 1;
        }
        at
    }

    /// The fault of a token that goes wrong here; at the end of the document, that it is cut off.
    fn or_cut_off(&self, at: usize, fault: &'static str) -> &'static str {
        if at < self.document.len() { fault } else { CUT_OFF }
    }
}

struct Attribute<'x> {
    name: &'x str,
    value: &'x str,
    /// Where it ends, behind its quote.
    end: usize,
}

/// The place of the first `<` or `&` from `at` on, or the end.
///
/// Eight bytes at a time; texts are short, so that finding the end without a call is what counts.
#[inline]
fn text_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let found = zero_bytes(word ^ (ONES * b'<' as u64)) | zero_bytes(word ^ (ONES * b'&' as u64));
        if found != 0 {
            return at + (found.trailing_zeros() / u8::BITS) as usize;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|&byte| byte != b'<' && byte != b'&') {
        at += 1;
    }
    at
}

/// What stands before the first `end`, which is `>` and something before it.
///
/// A searcher for any text costs more to set up than most of what is searched is long.
fn end_of(bytes: &[u8], end: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        from += bytes.get(from..)?.iter().position(|&byte| byte == b'>')? + 1;
        if bytes.get(..from)?.ends_with(end) {
            return from.checked_sub(end.len());
        }
    }
}

/// The high bit of each byte that is zero. Bytes above the lowest such one may be marked too: the borrow
/// runs upwards.
#[inline]
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & (ONES << 7)
}

/// The character that a reference stands for, by what is between `&` and `;`.
fn resolve(reference: &str) -> Option<char> {
    let Some(number) = reference.strip_prefix('#') else {
        return match reference {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => None,
        };
    };
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    // `from_str_radix` takes a leading `+`; XML has none.
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let code = u32::from_str_radix(digits, radix).ok().filter(|&code| code != 0);
    code.and_then(char::from_u32)
}

#[inline]
fn is_white_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// What a byte is in the name of a tag or an attribute.
#[derive(Clone, Copy)]
enum Class {
    Part,
    Colon,
    /// It ends the name, or shows that the tag is broken.
    Outside,
}

const NAMES: [Class; 256] = {
    let mut classes = [Class::Part; 256];
    let outside = b" \t\r\n/><&=\"'";
    let mut at = 0;
    while at < outside.len() {
        classes[outside[at] as usize] = Class::Outside;
        at += 1;
    }
    classes[b':' as usize] = Class::Colon;
    classes
};

const ONES: u64 = 0x0101_0101_0101_0101;
const DEPTH_MAX: usize = 32;
const ATTRIBUTES_MAX: usize = 32;
const COMMENT: &str = "<!--";
const SECTION: &str = "<![CDATA[";
const DOCTYPE: &str = "<!DOCTYPE";
const DECLARATION: &str = "<?xml";
const BROKEN_ATTRIBUTE: &str = "a broken attribute";
const UNPAIRED: &str = "an end tag without its start tag";
pub(super) const CUT_OFF: &str = "the end in the middle of something";

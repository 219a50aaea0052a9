//! Rust text with comments and literals blanked out, so that a rule can look for words and braces.

use core::ops::Range;

/// A Rust file, read once for all rules.
#[derive(Debug)]
pub(crate) struct Source {
    /// The text, byte for byte in place: what is inside comments and literals is spaces.
    code: Vec<u8>,
    /// Where test code is: the items under `#[cfg(test)]`, or all of it.
    tests: Vec<Range<usize>>,
}

impl Source {
    pub(crate) fn read(path: &str, text: &str) -> Self {
        let code = blank(text.as_bytes());
        let whole = 0..code.len();
        let tests = if is_test_file(path) { vec![whole] } else { test_items(&code) };
        Self { code, tests }
    }

    pub(crate) fn code(&self) -> &[u8] {
        &self.code
    }

    pub(crate) fn is_test(&self, at: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&at))
    }

    /// The number of the line, from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        1 + self.code.iter().take(at).filter(|byte| **byte == b'\n').count()
    }

    /// Where `word` stands as a word of its own.
    pub(crate) fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.find(word).filter(move |at| {
            let before = at.checked_sub(1).and_then(|at| self.code.get(at));
            let after = self.code.get(at + word.len());
            !before.is_some_and(|byte| is_word(*byte)) && !after.is_some_and(|byte| is_word(*byte))
        })
    }

    /// Where `text` stands.
    pub(crate) fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        let windows = self.code.windows(text.len()).enumerate();
        windows.filter(move |(_, window)| *window == text.as_bytes()).map(|(at, _)| at)
    }
}

/// The first of `{` and `;` outside of parentheses, and the end of what it opens.
pub(crate) fn body(code: &[u8], from: usize) -> Option<Range<usize>> {
    let mut depth = 0_i32;
    for (at, byte) in code.iter().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b';' if depth == 0 => return Some(at..at + 1),
            b'{' if depth == 0 => return Some(at..closing(code, at)),
            _ => {}
        }
        if depth < 0 {
            return None;
        }
    }
    None
}

/// One past the brace that closes the one at `open`.
fn closing(code: &[u8], open: usize) -> usize {
    let mut depth = 0_i32;
    for (at, byte) in code.iter().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

fn is_test_file(path: &str) -> bool {
    let mut parts = path.split('/');
    parts.any(|part| matches!(part, "tests" | "tests.rs" | "benches" | "examples" | "fuzz"))
}

fn test_items(code: &[u8]) -> Vec<Range<usize>> {
    let mut items = Vec::new();
    for marker in ["#[cfg(test)]", "#[cfg(all(test"] {
        for (at, window) in code.windows(marker.len()).enumerate() {
            if window != marker.as_bytes() {
                continue;
            }
            let attribute_end = code.iter().skip(at).position(|byte| *byte == b']');
            let start = at + attribute_end.unwrap_or(0) + 1;
            items.push(at..body(code, start).map_or(code.len(), |range| range.end));
        }
    }
    items
}

/// Replaces the inside of comments, strings and characters by spaces.
fn blank(text: &[u8]) -> Vec<u8> {
    let mut code = text.to_vec();
    let mut at = 0;
    while at < text.len() {
        let end = literal_end(text, at);
        let Some((inside, end)) = end else {
            at += 1;
            continue;
        };
        for byte in code.get_mut(inside).into_iter().flatten() {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    code
}

/// The inside and the end of the comment or literal that starts at `at`, if one does.
fn literal_end(text: &[u8], at: usize) -> Option<(Range<usize>, usize)> {
    let rest = text.get(at..)?;
    match rest {
        [b'/', b'/', ..] => {
            let end = at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            Some((at..end, end))
        }
        [b'/', b'*', ..] => {
            let end = at + block_comment(rest);
            Some((at..end, end))
        }
        [b'"', tail @ ..] => {
            let inside = quoted(tail, b'"');
            Some((at + 1..at + 1 + inside, (at + inside + 2).min(text.len())))
        }
        [b'\'', tail @ ..] => {
            let inside = character(tail)?;
            Some((at + 1..at + 1 + inside, (at + inside + 2).min(text.len())))
        }
        [b'r', tail @ ..] if starts_raw(text, at) => {
            let hashes = tail.iter().take_while(|byte| **byte == b'#').count();
            let start = at + 1 + hashes + 1;
            let close: Vec<u8> = core::iter::once(b'"').chain(core::iter::repeat_n(b'#', hashes)).collect();
            let inside = text.get(start..)?.windows(close.len()).position(|window| window == close);
            let end = inside.map_or(text.len(), |inside| start + inside);
            Some((start..end, (end + close.len()).min(text.len())))
        }
        _ => None,
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_u32, 0);
    while let Some(pair) = rest.get(at..at + 2) {
        match pair {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// How many bytes stand before the quote that ends the literal.
fn quoted(tail: &[u8], quote: u8) -> usize {
    let mut at = 0;
    while let Some(byte) = tail.get(at) {
        match *byte {
            b'\\' => at += 2,
            byte if byte == quote => return at,
            _ => at += 1,
        }
    }
    tail.len()
}

/// The length of a character literal; `None` for a lifetime.
fn character(tail: &[u8]) -> Option<usize> {
    if tail.first() == Some(&b'\\') {
        return Some(quoted(tail, b'\''));
    }
    let continued = tail.iter().skip(1).take_while(|byte| **byte & 0xC0 == 0x80).count();
    (tail.get(1 + continued) == Some(&b'\'')).then_some(1 + continued)
}

/// Whether the `r` at `at` starts a raw string: `r"`, `r#"`, `br"`, `cr##"`.
fn starts_raw(text: &[u8], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|at| text.get(at)).copied();
    let prefix_start = if matches!(before(1), Some(b'b' | b'c')) { 2 } else { 1 };
    if before(prefix_start).is_some_and(is_word) {
        return false;
    }
    let after = text.get(at + 1..).unwrap_or_default().iter().find(|byte| **byte != b'#');
    after == Some(&b'"')
}

pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blanked(text: &str) -> String {
        String::from_utf8(blank(text.as_bytes())).unwrap()
    }

    #[test]
    fn comments_and_literals_are_blanked() {
        for (text, code) in [
            ("a // { b\nc", "a       \nc"),
            ("a /*{/*}*/x*/ b", "a             b"),
            (r#"f("{\"}", x)"#, r#"f("    ", x)"#),
            ("'{' 'a '\\'' b'}'", "' ' 'a '  ' b' '"),
            ("&'a str {", "&'a str {"),
            ("r\"{\\\" }", "r\"  \" }"),
            ("br#\"{\"}\"# }", "br#\"   \"# }"),
            ("r#fn {", "r#fn {"),
            ("for\"{\"", "for\" \""),
            ("'é' {", "'  ' {"),
            ("\"{", "\" "),
            ("/* {", "    "),
            ("\"\\", "\" "),
        ] {
            assert_eq!(blanked(text), code, "{text}");
        }
    }

    #[test]
    fn test_items_are_known() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
        let source = Source::read("crates/x/src/lib.rs", text);
        let tests: Vec<bool> = source.words("fn").map(|at| source.is_test(at)).collect();
        assert_eq!(tests, [false, true, false]);
        assert!(Source::read("crates/x/tests/y.rs", text).is_test(0));
        assert!(Source::read("tests/src/lib.rs", text).is_test(0));
        let source = Source::read("crates/x/src/lib.rs", "#[cfg(test)]\nmod tests;\nfn c() {}\n");
        assert!(!source.is_test(24));
    }

    #[test]
    fn words_are_whole_and_lines_count_from_one() {
        let source = Source::read("a.rs", "xfn fn_ fn\nfn");
        let lines: Vec<usize> = source.words("fn").map(|at| source.line(at)).collect();
        assert_eq!(lines, [1, 2]);
    }
}

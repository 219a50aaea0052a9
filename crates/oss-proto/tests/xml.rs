//! The XML reader and writer: limits that need large documents, and laws over arbitrary ones.

use oss_proto::ReadError;
use oss_proto::xml::{Reader, Writer};
use proptest::prelude::*;

/// Reads everything there is: the texts of leaves, in order.
fn walk(document: &[u8]) -> Result<Vec<String>, ReadError> {
    let mut reader = Reader::open(document, "R")?;
    let mut texts = Vec::new();
    while let Some(name) = reader.child()? {
        if name == "Deep" {
            while reader.child()?.is_some() {
                texts.push(reader.text()?.into_owned());
            }
        } else {
            texts.push(reader.text()?.into_owned());
        }
    }
    reader.finish().map(|_url| texts)
}

fn pass_over(document: &[u8]) -> Result<bool, ReadError> {
    Reader::open(document, "R").and_then(Reader::finish)
}

#[test]
fn b46_the_33rd_level_is_refused() {
    let nested = |levels: usize| format!("<R>{}{}</R>", "<a>".repeat(levels), "</a>".repeat(levels));
    assert_eq!(pass_over(nested(31).as_bytes()), Ok(false));
    for levels in [32, 1000, 1_000_000] {
        let document = nested(levels);
        assert!(pass_over(document.as_bytes()).unwrap_err().to_string().contains("32 levels"), "{levels}");
        let mut reader = Reader::open(document.as_bytes(), "R").unwrap();
        let entered = (0..).take_while(|_| reader.child().is_ok_and(|name| name.is_some())).count();
        assert_eq!(entered, 31);
    }
    assert!(pass_over("<R>".repeat(1_000_000).as_bytes()).is_err());
    assert!(pass_over(format!("<R>{}<a/></R>", "<a>".repeat(31)).as_bytes()).is_err());
}

#[test]
fn b47_the_33rd_attribute_is_refused() {
    let document = |count: usize, name: &str| {
        let attributes: String = (0..count).map(|i| format!(" {name}{i}='v'")).collect();
        format!("<R><K{attributes}>x</K></R>")
    };
    assert_eq!(walk(document(32, "a").as_bytes()), Ok(vec!["x".to_owned()]));
    for (count, name) in [(33, "a"), (100_000, "a"), (100_000, "xmlns:a")] {
        let message = walk(document(count, name).as_bytes()).unwrap_err().to_string();
        assert!(message.contains("32 attributes"), "{message}");
    }
    for broken in ["<K a>x</K>", "<K a=>x</K>", "<K a=b>x</K>", "<K <L>x</K>"] {
        assert!(walk(format!("<R>{broken}</R>").as_bytes()).is_err(), "{broken}");
    }
}

/// Quadratic work would take minutes here, with optimisation hours.
#[test]
fn b48_large_documents_take_linear_time() {
    const BYTES: usize = if cfg!(debug_assertions) { 1 << 20 } else { 16 << 20 };
    let of = |part: &str| format!("<R>{}</R>", part.repeat(BYTES / part.len()));
    for document in
        [of("<K/>"), of("<K>a</K>"), of("<K>&amp;&#65;</K>"), of("<!-- - -->"), of("x"), of("<?p ?>")]
    {
        walk(document.as_bytes()).unwrap();
    }
    for (start, part, end) in [
        ("", "a", ""),
        ("", "&lt;", ""),
        ("", "<![CDATA[<![CDATA[]]]]>", ""),
        ("<![CDATA[", "]]]", "]]>"),
        ("<!--", "- - ", "-->"),
    ] {
        let inside = format!("{start}{}{end}", part.repeat(BYTES / part.len()));
        walk(format!("<R><K>{inside}</K></R>").as_bytes()).unwrap();
    }
    // Never closed, so that each search runs to the end.
    for part in ["<!--", "<![CDATA[", "<?", "&", "<a b='", "</", "<R x=\""] {
        assert!(walk(format!("<R>{}", part.repeat(BYTES / part.len())).as_bytes()).is_err(), "{part}");
    }
}

/// Any text but NUL, with a liking for what XML treats specially.
fn texts() -> impl Strategy<Value = String> {
    let special = "&<>\"'\t\r\n;#]- \u{1}\u{1f}\u{7f}\u{85}\u{2028}\u{fffe}\u{ffff}é目\u{10ffff}";
    let special = prop::sample::select(special.chars().collect::<Vec<_>>());
    let character = prop_oneof![special, any::<char>().prop_filter("NUL", |&c| c != '\0')];
    prop::collection::vec(character, 0..40).prop_map(String::from_iter)
}

proptest! {
    #[test]
    fn what_the_writer_wrote_the_reader_reads(
        flat in prop::collection::vec(texts(), 0..5),
        deep in prop::collection::vec(texts(), 0..3),
    ) {
        let mut writer = Writer::new();
        writer.open("R");
        for text in &flat {
            writer.leaf("K", text);
        }
        writer.open("Deep");
        for text in &deep {
            writer.leaf("K", text);
        }
        writer.close("Deep");
        writer.close("R");
        let document = writer.finish();
        let expected: Vec<String> = flat.into_iter().chain(deep).collect();
        prop_assert_eq!(walk(&document), Ok(expected));
        // B49: cut anywhere, it is an error.
        for end in 0..document.len() {
            prop_assert!(walk(&document[..end]).is_err());
            prop_assert!(pass_over(&document[..end]).is_err());
        }
    }

    /// Whatever comes, both ways of reading end, and reading finds an error where passing over does.
    #[test]
    fn no_document_breaks_the_reader(
        parts in prop::collection::vec(prop::sample::select(PARTS), 0..20),
        tail in any::<Vec<u8>>(),
    ) {
        let mut document = b"<R>".to_vec();
        document.extend(parts.concat().bytes());
        let broken = pass_over(&document).is_err();
        prop_assert!(!broken || walk(&document).is_err());
        document.extend(tail);
        let _ = (walk(&document), pass_over(&document));
    }
}

#[rustfmt::skip]
const PARTS: &[&str] = &[
    "<R>", "</R>", "<K>", "</K>", "<K/>", "<Deep>", "</Deep>", "<x:K a='1'>", "</x:K>", "a", " ", "&amp;",
    "&#65;", "&#0;", "&x;", "&", ";", "<![CDATA[", "]]>", "<!--", "-->", "<?p", "?>", "<!DOCTYPE R>", "<",
    ">", "/", "'", "\"", "=", "目", "<EncodingType>url</EncodingType>", "<?xml version='1.0'?>",
];

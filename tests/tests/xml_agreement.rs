//! Our XML reader and one over the events of `quick-xml` see the same documents.

use oss_sim::xml_agreement::agree;
use proptest::prelude::*;

/// Sound documents, with everything in them that ours takes.
fn elements() -> impl Strategy<Value = String> {
    let name = prop::sample::select(&["K", "x:K", "Key", "目", "a-b.c_1"][..]);
    let attributes = prop::sample::select(
        &["", " ", " a='1'", "\n\tb = \"<!--'>\"", " a=''  c='/>'", " xmlns:x=\"u\" "][..],
    );
    let attributes = attributes.prop_map(|attributes| attributes.replace('<', "&lt;"));
    let pieces = prop::sample::select(
        &[
            "a",
            " ",
            "\r\n",
            "目录",
            "&amp;",
            "&lt;",
            "&#10;",
            "&#x4e2D;",
            "&#1;",
            "]]",
            ">",
            "'",
            "\"",
            "/",
            "<![CDATA[<K>&x;]] >]]>",
            "<![CDATA[]]>",
            "<!-- <K> - -->",
            "<?pi <K>?>",
            "<!---->",
            "0123456",
            "01234567",
            "012345678901234",
        ][..],
    );
    let content = prop::collection::vec(pieces, 0..5).prop_map(|pieces| pieces.concat());
    let leaf = (name.clone(), attributes.clone(), content.clone(), any::<bool>());
    let leaf = leaf.prop_map(|(name, attributes, content, empty)| match empty {
        true => format!("<{name}{attributes}/>"),
        false => format!("<{name}{attributes}>{content}</{name} >"),
    });
    leaf.prop_recursive(8, 64, 5, move |inner| {
        let inner = prop::collection::vec((content.clone(), inner), 0..5);
        (name.clone(), attributes.clone(), inner, content.clone()).prop_map(
            |(name, attributes, inner, last)| {
                let inner: String = inner.into_iter().flat_map(|(text, element)| [text, element]).collect();
                format!("<{name}{attributes}>{inner}{last}</{name}>")
            },
        )
    })
}

proptest! {
    #[test]
    fn b51_sound_documents_are_taken_by_both_and_the_same(
        start in prop::sample::select(STARTS),
        inside in elements(),
        end in prop::sample::select(&["", "\n", "<!-- -->", "<?x?>"][..]),
    ) {
        let document = format!("{start}<R>{inside}</R>{end}");
        prop_assert!(agree(document.as_bytes(), "R"), "ours refuses {}", document);
        // B49: with a byte left out or cut off, ours may refuse it, but never sees something else.
        for at in (0..document.len()).filter(|&at| document.is_char_boundary(at)) {
            prop_assert!(!agree(&document.as_bytes()[..at], "R") || at >= document.len() - end.len());
            let mut without = document.clone();
            without.remove(at);
            agree(without.as_bytes(), "R");
        }
    }

    #[test]
    fn whatever_ours_takes_the_other_takes_too(
        parts in prop::collection::vec(prop::sample::select(PARTS), 0..24),
    ) {
        agree(format!("<R>{}", parts.concat()).as_bytes(), "R");
        agree(format!("<R>{}</R>", parts.concat()).as_bytes(), "R");
    }
}

const STARTS: &[&str] = &["", "\u{feff}", " ", "<?xml version=\"1.0\" encoding='UTF-8'?>\n", "<!-- -->"];

#[rustfmt::skip]
const PARTS: &[&str] = &[
    "<R>", "</R>", "<K>", "</K>", "<K/>", "<K />", "</K\n>", "<x:K a='1'>", "</x:K>", "<x:y:K>", "</x:y:K>",
    "<K a='1'b=\"2\">", "<K a>", "<K/ >", "< K>", "</ K>", "<:>", "</:>", "a", " ", "&amp;", "&#65;", "&#0;",
    "&x;", "&", ";", "<![CDATA[", "]]>", "<![cdata[", "<!--", "-->", "<!-->", "--", "<?p", "?>", "<?>", "<!",
    "<!DOCTYPE R>", "<", ">", "/", "'", "\"", "=", "目", "\0", "<?xml version='1.0'?>", "<?xmlx ?>",
];

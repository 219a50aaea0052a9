//! Percent-encoding as OSS canonicalises it, and the order of names once they are encoded.

use core::cmp::Ordering;

/// What is left as it is: the unreserved characters of RFC 3986, and `/` where a path is encoded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    Unreserved = 1,
    Slash = 2,
}

/// Writes text into room that is known to suffice, which is much faster than appending to a buffer that may
/// have to grow: a canonical request is made of a hundred small pieces.
pub(crate) struct Pen<'a> {
    room: &'a mut [u8],
    at: usize,
}

impl<'a> Pen<'a> {
    /// Writes into the room, from there on.
    #[inline]
    pub(crate) fn new(room: &'a mut [u8], at: usize) -> Self {
        Self { room, at }
    }

    /// How many bytes are written.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    #[inline(always)]
    pub(crate) fn byte(&mut self, byte: u8) {
        self.room[self.at] = byte;
        self.at += 1;
    }

    /// Takes the last byte back.
    pub(crate) fn back(&mut self) {
        self.at -= 1;
    }

    #[inline(always)]
    pub(crate) fn array<const N: usize>(&mut self, bytes: [u8; N]) {
        self.room[self.at..self.at + N].copy_from_slice(&bytes);
        self.at += N;
    }

    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.pieces::<false>(bytes);
    }

    /// Writes it in lower case.
    #[inline]
    pub(crate) fn lower(&mut self, name: &str) {
        self.pieces::<true>(name.as_bytes());
    }

    /// Writes again what stands there.
    pub(crate) fn again(&mut self, start: usize, end: usize) {
        self.room.copy_within(start..end, self.at);
        self.at += end - start;
    }

    /// Writes all but the bytes to keep as `%XX`, in one piece where nothing is to be encoded.
    pub(crate) fn encoded(&mut self, mut bytes: &[u8], keep: Keep) {
        if all_kept(bytes, keep) {
            return self.push(bytes);
        }
        while !bytes.is_empty() {
            let kept = bytes.iter().take_while(|byte| is_kept(**byte, keep)).count();
            let (run, rest) = bytes.split_at(kept);
            self.push(run);
            bytes = rest;
            while let Some((byte, rest)) = bytes.split_first().filter(|(byte, _)| !is_kept(**byte, keep)) {
                self.array(ESCAPES[usize::from(*byte)]);
                bytes = rest;
            }
        }
    }

    /// In pieces of a fixed size, the last of which overlaps the one before it.
    #[inline(always)]
    fn pieces<const LOWER: bool>(&mut self, bytes: &[u8]) {
        match bytes.len() {
            16.. => {
                let (blocks, rest) = bytes.as_chunks::<16>();
                for block in blocks {
                    self.array(cased::<16, LOWER>(block));
                }
                self.at -= if rest.is_empty() { 0 } else { 16 - rest.len() };
                if let (false, Some(last)) = (rest.is_empty(), bytes.last_chunk::<16>()) {
                    self.array(cased::<16, LOWER>(last));
                }
            }
            8.. => self.both::<8, LOWER>(bytes),
            4.. => self.both::<4, LOWER>(bytes),
            _ => {
                bytes.iter().for_each(|byte| self.byte(if LOWER { byte.to_ascii_lowercase() } else { *byte }))
            }
        }
    }

    /// Writes between `N` and `2 * N` bytes as their first and their last `N`.
    #[inline(always)]
    fn both<const N: usize, const LOWER: bool>(&mut self, bytes: &[u8]) {
        if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            self.array(cased::<N, LOWER>(first));
            self.at -= 2 * N - bytes.len();
            self.array(cased::<N, LOWER>(last));
        }
    }
}

#[inline(always)]
fn cased<const N: usize, const LOWER: bool>(bytes: &[u8; N]) -> [u8; N] {
    let mut bytes = *bytes;
    if LOWER {
        for byte in &mut bytes {
            *byte |= u8::from(byte.wrapping_sub(b'A') < 26) << 5;
        }
    }
    bytes
}

/// `name=value` of each pair, encoded, sorted and joined by `&`, as Alibaba Cloud's interfaces other than OSS
/// sign a query.
#[cfg(feature = "sts")]
pub(crate) fn sorted_query(pairs: &[(&str, &str)]) -> zeroize::Zeroizing<alloc::vec::Vec<u8>> {
    let mut sorted = pairs.to_vec();
    let bytes = |(name, value): (&'_ str, &'_ str)| name.len() + value.len() + 2;
    sorted.sort_unstable_by(|a, b| {
        let by_value = || cmp_encoded(a.1.as_bytes(), b.1.as_bytes());
        cmp_encoded(a.0.as_bytes(), b.0.as_bytes()).then_with(by_value)
    });
    let length = sorted.iter().map(|pair| bytes(*pair)).sum::<usize>();
    let mut room = zeroize::Zeroizing::new(alloc::vec![0; 3 * length]);
    let mut pen = Pen::new(&mut room, 0);
    for (index, (name, value)) in sorted.iter().enumerate() {
        if index > 0 {
            pen.byte(b'&');
        }
        pen.encoded(name.as_bytes(), Keep::Unreserved);
        pen.byte(b'=');
        pen.encoded(value.as_bytes(), Keep::Unreserved);
    }
    let end = pen.at();
    room.truncate(end);
    room
}

/// Compares two texts as their encoded forms compare: `%` sorts before whatever is kept, and the digits after
/// it as the bytes that they stand for.
pub(crate) fn cmp_encoded(a: &[u8], b: &[u8]) -> Ordering {
    let common = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let rank = |byte: &u8| (is_kept(*byte, Keep::Unreserved), *byte);
    a.get(common).map(rank).cmp(&b.get(common).map(rank))
}

/// The first bytes of a text as a number that sorts as the encoded text does, unless it is equal for both,
/// and whether the text is its own encoded form.
pub(crate) fn key_encoded(text: &str) -> (u64, bool) {
    let bytes = text.as_bytes();
    if all_kept(bytes, Keep::Unreserved) {
        return (first_bytes(bytes), true);
    }
    let first = &bytes[..bytes.len().min(8)];
    let kept = first.iter().take_while(|byte| is_kept(**byte, Keep::Unreserved)).count();
    if kept == first.len() {
        return (first_bytes(bytes), false);
    }
    // The first byte that is encoded sorts before all that is kept and after the end of a text; what follows
    // it does not count.
    (first_bytes(&bytes[..kept]) | 1 << (56 - 8 * kept), false)
}

/// The first bytes of a header name in lower case, as a number that sorts as the names do, unless it is equal
/// for both. What most names start with does not take part.
#[inline]
pub(crate) const fn key_lower(name: &str) -> u64 {
    const OSS: u64 = first_bytes(b"x-oss-");
    const OSS_BITS: u64 = !(u64::MAX >> 48);
    const CONTENT: u64 = first_bytes(b"content-");
    let first = lower(first_bytes(name.as_bytes()));
    if first & OSS_BITS == OSS {
        let (_, rest) = name.as_bytes().split_at(6);
        return 3 << 61 | lower(first_bytes(rest)) >> 3;
    }
    if first == CONTENT {
        let (_, rest) = name.as_bytes().split_at(8);
        return 1 << 61 | lower(first_bytes(rest)) >> 3;
    }
    let class = if first < CONTENT {
        0
    } else if first < OSS {
        2
    } else {
        4
    };
    class << 61 | first >> 3
}

/// Whether this is the key of a name that starts with `x-oss-`.
pub(crate) const fn is_oss(key: u64) -> bool {
    key >> 61 == 3
}

/// The first eight bytes as a number, the first in the highest place, zeros where there are fewer.
pub(crate) const fn first_bytes(bytes: &[u8]) -> u64 {
    if let Some(first) = bytes.first_chunk() {
        return u64::from_be_bytes(*first);
    }
    let missing = 64 - 8 * bytes.len() as u32;
    // Two pieces that overlap, so that no byte is touched alone.
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u32::from_be_bytes(*first) as u64) << 32 | (u32::from_be_bytes(*last) as u64) << missing;
    }
    match *bytes {
        [a, b, c] => (a as u64) << 56 | (b as u64) << 48 | (c as u64) << 40,
        [a, b] => (a as u64) << 56 | (b as u64) << 48,
        [a] => (a as u64) << 56,
        _ => 0,
    }
}

/// Each byte of a number that is an upper-case ASCII letter made a lower-case one.
const fn lower(bytes: u64) -> u64 {
    const EACH: u64 = u64::MAX / 0xff;
    let seven = bytes & (0x7f * EACH);
    // Bit 7 of a byte in these says that it is at least `A`, and that it is above `Z`.
    let from_a = seven + (0x80 - b'A' as u64) * EACH;
    let above_z = seven + (0x7f - b'Z' as u64) * EACH;
    let upper = (from_a ^ above_z) & !bytes & (0x80 * EACH);
    bytes | upper >> 2
}

fn all_kept(bytes: &[u8], keep: Keep) -> bool {
    // The last block overlaps the one before it.
    if let Some(last) = bytes.last_chunk::<16>() {
        let mut blocks = bytes.as_chunks::<16>().0.iter();
        return blocks.all(|block| is_kept_block(block, keep)) && is_kept_block(last, keep);
    }
    match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => is_kept_block(first, keep) && is_kept_block(last, keep),
        _ => bytes.iter().all(|byte| is_kept(*byte, keep)),
    }
}

/// Without a branch for each byte, so that all are looked at in a few instructions.
#[inline(always)]
fn is_kept_block<const N: usize>(block: &[u8; N], keep: Keep) -> bool {
    let slash = if keep == Keep::Slash { b'-' } else { b'/' };
    let mut other = 0_u8;
    for byte in block {
        let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        // `-`, `.`, `/` and the digits stand in a row.
        let digit = byte.wrapping_sub(b'-') <= b'9' - b'-' && *byte != slash;
        other |= u8::from(!(letter | digit | (*byte == b'-') | (*byte == b'_') | (*byte == b'~')));
    }
    other == 0
}

fn is_kept(byte: u8, keep: Keep) -> bool {
    KEPT[usize::from(byte)] & keep as u8 != 0
}

/// For each byte the sum of the [`Keep`]s that keep it.
const KEPT: [u8; 256] = {
    let mut kept = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            kept[at] = Keep::Unreserved as u8 | Keep::Slash as u8;
        }
        at += 1;
    }
    kept[b'/' as usize] = Keep::Slash as u8;
    kept
};
/// `%00` to `%FF`.
const ESCAPES: [[u8; 3]; 256] = {
    let mut escapes = [*b"%00"; 256];
    let mut at = 0;
    while at < 256 {
        escapes[at][1] = b"0123456789ABCDEF"[at >> 4];
        escapes[at][2] = b"0123456789ABCDEF"[at & 15];
        at += 1;
    }
    escapes
};

#[cfg(test)]
mod tests {
    use alloc::{format, string::String, vec};
    use proptest::prelude::*;

    use super::*;

    const NAME: &str =
        "[a-cA-C]{0,9}|([cC]ontent-?)?[a-dB-C-]{0,3}|[xX]-?([oO][sS]{0,2})?[a!-]?[a-zA-Z|~-]{0,10}";

    /// One byte after the other.
    fn slowly(text: &str, keep: Keep) -> String {
        let slash = if keep == Keep::Slash { "/" } else { "" };
        let mut encoded = String::new();
        for byte in text.bytes() {
            let c = char::from(byte);
            if c.is_ascii_alphanumeric() || "-._~".contains(c) || slash.contains(c) {
                encoded.push(c);
            } else {
                encoded += &format!("%{byte:02X}");
            }
        }
        encoded
    }

    fn encoded(text: &str, keep: Keep) -> String {
        let mut room = vec![0; 3 * text.len()];
        let mut pen = Pen::new(&mut room, 0);
        pen.encoded(text.as_bytes(), keep);
        let end = pen.at();
        room.truncate(end);
        String::from_utf8(room).expect("an encoded text is ASCII")
    }

    #[test]
    fn each_byte_is_kept_or_encoded_at_each_place() {
        for code in 0..=255 {
            let c = char::from(code);
            for before in [0, 1, 14, 15, 16, 17, 31, 32] {
                let text = format!("{}{c}{}", "a".repeat(before), "b".repeat(33 - before));
                for keep in [Keep::Unreserved, Keep::Slash] {
                    assert_eq!(encoded(&text, keep), slowly(&text, keep), "{text:?}");
                }
            }
        }
        assert_eq!(encoded("", Keep::Slash), "");
    }

    #[test]
    fn a_key_is_in_lower_case_and_starts_after_the_prefix_of_oss() {
        assert_eq!(key_lower("X-Oss-Meta-A"), key_lower("x-oss-meta-a"));
        assert!(key_lower("x-oss-meta-a") < key_lower("x-oss-meta-B"));
        assert_eq!(key_lower("01234567a"), key_lower("01234567B"));
    }

    #[test]
    fn a_text_is_its_own_encoded_form_when_each_byte_is_kept() {
        for byte in 0..128_u8 {
            let is_kept = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            for (before, after) in [(0, 0), (0, 7), (7, 0), (8, 0), (0, 15), (15, 0), (15, 15)] {
                let text = format!("{}{}{}", "a".repeat(before), char::from(byte), "z".repeat(after));
                assert_eq!(key_encoded(&text).1, is_kept, "{text:?}");
            }
        }
    }

    #[test]
    fn pieces_of_any_length_are_written_whole() {
        let text = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        for length in 0..=text.len() {
            let name = core::str::from_utf8(&text[..length]).expect("ASCII is UTF-8");
            // There is no byte of room more than it takes.
            let mut room = vec![0; 1 + 2 * length];
            let mut pen = Pen::new(&mut room, 0);
            pen.byte(b'|');
            pen.push(name.as_bytes());
            pen.lower(name);
            assert_eq!(pen.at(), 1 + 2 * length);
            assert_eq!(room, format!("|{name}{}", name.to_ascii_lowercase()).into_bytes());
        }
    }

    #[cfg(feature = "sts")]
    #[test]
    fn a_query_is_sorted_and_fits() {
        let table: [(&[(&str, &str)], &str); 4] = [
            (&[], ""),
            (&[("", "")], "="),
            (&[("", "中")], "=%E4%B8%AD"),
            (&[("中", ""), ("b", "2"), ("b", "1"), ("a", "*")], "%E4%B8%AD=&a=%2A&b=1&b=2"),
        ];
        for (pairs, text) in table {
            assert_eq!(*sorted_query(pairs), text.as_bytes());
        }
    }

    #[test]
    fn an_encoded_byte_sorts_between_the_end_and_what_is_kept() {
        for place in 0..8 {
            let start = "a".repeat(place);
            let key = |end: &str| key_encoded(&format!("{start}{end}")).0;
            assert!(key("") < key("|") && key("|") < key("-") && key("|z") == key("|"), "{place}");
            assert!(place == 7 || key("-|") < key("--") && key("-|") > key("-"), "{place}");
        }
    }

    #[test]
    fn pieces_of_any_size_are_made_lower_case_alike() {
        for byte in 0..128_u8 {
            for length in [1, 4, 8, 16, 20] {
                let name = String::from(char::from(byte)).repeat(length);
                let mut room = vec![0; length];
                Pen::new(&mut room, 0).lower(&name);
                assert_eq!(room, name.to_ascii_lowercase().as_bytes());
            }
        }
    }

    #[test]
    fn the_first_bytes_are_those_in_their_places() {
        for length in 0..=9 {
            let text = b"\xa1\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9".get(..length).unwrap_or_default();
            let slowly = (0..8).fold(0, |all, at| all << 8 | u64::from(*text.get(at).unwrap_or(&0)));
            assert_eq!(first_bytes(text), slowly);
        }
    }

    #[test]
    fn only_ascii_letters_change_their_case() {
        for byte in 0..=255_u8 {
            let bytes = [byte; 8];
            assert_eq!(lower(u64::from_be_bytes(bytes)).to_be_bytes(), bytes.map(|b| b.to_ascii_lowercase()));
        }
    }

    proptest! {
        #[test]
        fn texts_compare_as_their_encoded_forms(a in "[ab/%~|中\\x00]{0,20}", b in "[ab/%~|中\\x00]{0,20}") {
            let order = slowly(&a, Keep::Unreserved).cmp(&slowly(&b, Keep::Unreserved));
            prop_assert_eq!(cmp_encoded(a.as_bytes(), b.as_bytes()), order);
            let keys = key_encoded(&a).0.cmp(&key_encoded(&b).0);
            prop_assert!(keys == order || keys == Ordering::Equal);
            prop_assert_eq!(key_encoded(&a).1, slowly(&a, Keep::Unreserved) == a);
        }

        #[test]
        fn keys_of_header_names_sort_as_the_names(a in NAME, b in NAME) {
            let keys = key_lower(&a).cmp(&key_lower(&b));
            prop_assert!(keys == a.to_lowercase().cmp(&b.to_lowercase()) || keys == Ordering::Equal);
        }

        #[test]
        fn any_text_is_encoded_as_by_hand(text in "\\PC{0,60}|[a-z/ ]{0,80}") {
            for keep in [Keep::Unreserved, Keep::Slash] {
                prop_assert_eq!(encoded(&text, keep), slowly(&text, keep));
            }
        }
    }
}

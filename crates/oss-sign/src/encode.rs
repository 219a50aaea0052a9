//! Percent-encoding as OSS canonicalises it, and the order of names once they are encoded.

use core::cmp::Ordering;

use crate::scratch::Span;

/// Writes text into room that is known to suffice, which is much faster than appending to a buffer that may
/// have to grow: a canonical request is made of a hundred small pieces.
///
/// The room is [`SLACK`](Self::SLACK) bytes longer than what is encoded: whole blocks are written, of which
/// only the beginning counts.
pub(crate) struct Pen<'a> {
    room: &'a mut [u8],
    at: usize,
}

impl<'a> Pen<'a> {
    /// Bytes of room behind the last one that is encoded.
    pub(crate) const SLACK: usize = 3;

    /// Writes into the room, from there on.
    #[inline]
    pub(crate) fn new(room: &'a mut [u8], at: usize) -> Self {
        Self { room, at }
    }

    /// A pen of the same room at the same place, which knows nothing of this one: a loop keeps its place in a
    /// register.
    #[inline(always)]
    pub(crate) fn lend(&mut self) -> Pen<'_> {
        Pen { room: self.room, at: self.at }
    }

    /// Goes on after what another pen has written.
    pub(crate) fn go(&mut self, at: usize) {
        self.at = at;
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

    #[inline(always)]
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let end = self.at + bytes.len();
        copy(&mut self.room[self.at..end], bytes);
        self.at = end;
    }

    /// Writes it in lower case.
    #[inline(always)]
    pub(crate) fn lower(&mut self, name: &str) {
        let (name, end) = (name.as_bytes(), self.at + name.len());
        copy_lower(&mut self.room[self.at..end], name);
        self.at = end;
    }

    /// Writes again what stands there.
    pub(crate) fn again(&mut self, span: Span) {
        self.room.copy_within(span.start..span.end, self.at);
        self.at += span.end - span.start;
    }

    /// Writes all but the unreserved characters of RFC 3986 as `%XX`.
    #[inline]
    pub(crate) fn component(&mut self, bytes: &[u8]) {
        if all_kept::<false>(bytes) {
            return self.push(bytes);
        }
        self.at = escape(self.room, self.at, bytes, &COMPONENT);
    }

    /// The same, but leaves `/` as it is.
    pub(crate) fn path(&mut self, bytes: &[u8]) {
        if all_kept::<true>(bytes) {
            return self.push(bytes);
        }
        self.at = escape(self.room, self.at, bytes, &PATH);
    }
}

/// Writes what the table has for each byte from there on, and says where that ends.
fn escape(room: &mut [u8], mut at: usize, bytes: &[u8], table: &[[u8; 4]; 256]) -> usize {
    for byte in bytes {
        // No branch, as nobody could foretell it.
        let escape = &table[usize::from(*byte)];
        room[at..at + 4].copy_from_slice(escape);
        at += usize::from(escape[LENGTH]);
    }
    at
}

/// Copies to room of the same length; a short text in two pieces of a fixed size, which may overlap.
#[inline(always)]
fn copy(room: &mut [u8], bytes: &[u8]) {
    match bytes.len() {
        33.. => room.copy_from_slice(bytes),
        16.. => copy_both::<16>(room, bytes, |piece| piece),
        8.. => copy_both::<8>(room, bytes, |piece| piece),
        4.. => copy_both::<4>(room, bytes, |piece| piece),
        ..4 => room.iter_mut().zip(bytes).for_each(|(room, byte)| *room = *byte),
    }
}

/// The same in lower case. Nothing is read from the room: what has just been written there in other pieces
/// takes long to arrive.
fn copy_lower(room: &mut [u8], name: &[u8]) {
    match name.len() {
        16..33 => copy_both::<16>(room, name, |piece| piece.map(|byte| byte.to_ascii_lowercase())),
        8..16 => copy_both::<8>(room, name, |piece| lower(u64::from_be_bytes(piece)).to_be_bytes()),
        _ => room.iter_mut().zip(name).for_each(|(room, byte)| *room = byte.to_ascii_lowercase()),
    }
}

#[inline(always)]
fn copy_both<const N: usize>(room: &mut [u8], bytes: &[u8], changed: impl Fn([u8; N]) -> [u8; N]) {
    let Some((first, last)) = both(bytes) else { return };
    if let Some(room) = room.first_chunk_mut() {
        *room = changed(*first);
    }
    if let Some(room) = room.last_chunk_mut() {
        *room = changed(*last);
    }
}

/// Between `N` and `2 * N` bytes as their first and their last `N`.
#[inline(always)]
fn both<const N: usize>(bytes: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
    Some((bytes.first_chunk()?, bytes.last_chunk()?))
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
    let mut room = zeroize::Zeroizing::new(alloc::vec![0; 3 * length + Pen::SLACK]);
    let mut pen = Pen::new(&mut room, 0);
    for (index, (name, value)) in sorted.iter().enumerate() {
        if index > 0 {
            pen.byte(b'&');
        }
        pen.component(name.as_bytes());
        pen.byte(b'=');
        pen.component(value.as_bytes());
    }
    let end = pen.at();
    room.truncate(end);
    room
}

/// Compares two texts as their encoded forms compare: `%` sorts before whatever is kept, and the digits after
/// it as the bytes that they stand for.
pub(crate) fn cmp_encoded(a: &[u8], b: &[u8]) -> Ordering {
    let common = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let rank = |byte: &u8| (is_kept(*byte, false), *byte);
    a.get(common).map(rank).cmp(&b.get(common).map(rank))
}

/// The first bytes of a text as a number that sorts as the encoded text does, unless it is equal for both,
/// and whether the text is its own encoded form.
#[inline]
pub(crate) fn key_encoded(text: &str) -> (u64, bool) {
    let (bytes, first) = (text.as_bytes(), first_bytes(text.as_bytes()));
    if all_kept::<false>(bytes) {
        return (first, true);
    }
    let kept = bytes.iter().take_while(|byte| is_kept(**byte, false)).count();
    if kept >= 8 {
        return (first, false);
    }
    // The first byte that is encoded sorts before all that is kept and after the end of a text; what follows
    // it does not count.
    let place = 56 - 8 * kept;
    (first >> place >> 8 << 8 << place | 1 << place, false)
}

/// The first bytes of a header name in lower case, as a number that sorts as the names do, unless it is equal
/// for both. What most names start with does not take part.
#[inline]
pub(crate) const fn key_lower(name: &str) -> u64 {
    const OSS: u64 = first_bytes(b"x-oss-");
    const OSS_BITS: u64 = !(u64::MAX >> 48);
    const CONTENT: u64 = first_bytes(b"content-");
    let first = first_bytes(name.as_bytes());
    // No byte but the capital becomes the same letter.
    if (first | first_bytes(b" \0   \0")) & OSS_BITS == OSS {
        let (_, rest) = name.as_bytes().split_at(6);
        return 3 << 61 | lower(first_bytes(rest)) >> 3;
    }
    if first | first_bytes(b"       \0") == CONTENT {
        let (_, rest) = name.as_bytes().split_at(8);
        return 1 << 61 | lower(first_bytes(rest)) >> 3;
    }
    let first = lower(first);
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
    let seven = bytes & (0x7f * EACH);
    // Bit 7 of a byte in these says that it is at least `A`, and that it is above `Z`.
    let from_a = seven + (0x80 - b'A' as u64) * EACH;
    let above_z = seven + (0x7f - b'Z' as u64) * EACH;
    let upper = (from_a ^ above_z) & !bytes & (0x80 * EACH);
    bytes | upper >> 2
}

fn all_kept<const SLASH: bool>(bytes: &[u8]) -> bool {
    match bytes.len() {
        16.. => {
            let (pairs, rest) = bytes.as_chunks::<32>();
            pairs.iter().all(|pair| both_kept::<16, SLASH>(pair))
                && both_kept::<16, SLASH>(if matches!(rest.len(), 16..) { rest } else { bytes })
        }
        8.. => both_kept::<8, SLASH>(bytes),
        4.. => both_kept::<4, SLASH>(bytes),
        ..4 => bytes.iter().all(|byte| is_kept(*byte, SLASH)),
    }
}

/// Looks at between `N` and `2 * N` bytes as their first and their last `N`.
#[inline(never)]
fn both_kept<const N: usize, const SLASH: bool>(bytes: &[u8]) -> bool {
    both::<N>(bytes).is_some_and(|(a, b)| are_kept::<SLASH>(a.iter().zip(b).flat_map(|(a, b)| [a, b])))
}

/// Without a branch for each byte, so that all are looked at in a few instructions.
#[inline(always)]
fn are_kept<'a, const SLASH: bool>(bytes: impl IntoIterator<Item = &'a u8>) -> bool {
    bytes.into_iter().fold(true, |are, byte| {
        let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        // `-`, `.`, `/` and the digits stand in a row.
        let row = byte.wrapping_sub(b'-') <= b'9' - b'-' && (SLASH || *byte != b'/');
        are & (letter | row | (*byte == b'_') | (*byte == b'~'))
    })
}

#[inline(always)]
fn is_kept(byte: u8, slash: bool) -> bool {
    let table = if slash { &PATH } else { &COMPONENT };
    table[usize::from(byte)][LENGTH] == 1
}

static PATH: [[u8; 4]; 256] = table(b"-._~/");
static COMPONENT: [[u8; 4]; 256] = table(b"-._~");
const LENGTH: usize = 3;

/// For each byte what is written for it, and at [`LENGTH`] how much of that counts; letters, digits and these
/// marks are kept.
const fn table(mut marks: &[u8]) -> [[u8; 4]; 256] {
    let mut table = [*b"%00\x03"; 256];
    let mut at = 0;
    while at < 256 {
        table[at][1] = b"0123456789ABCDEF"[at >> 4];
        table[at][2] = b"0123456789ABCDEF"[at & 15];
        if (at as u8).is_ascii_alphanumeric() {
            table[at] = [at as u8, 0, 0, 1];
        }
        at += 1;
    }
    while let [mark, rest @ ..] = marks {
        table[*mark as usize] = [*mark, 0, 0, 1];
        marks = rest;
    }
    table
}

/// A one in each byte.
const EACH: u64 = u64::MAX / 0xff;

#[cfg(test)]
mod tests {
    use alloc::{format, string::String, vec};
    use proptest::prelude::*;

    use super::*;

    const NAME: &str =
        "[a-cA-C]{0,9}|([cC]ontent-?)?[a-dB-C-]{0,3}|[xX]-?([oO][sS]{0,2})?[a!-]?[a-zA-Z|~-]{0,10}";

    /// How many bytes stand before the one in question, and after it.
    const PLACES: [(usize, usize); 12] = [
        (0, 0),
        (0, 3),
        (3, 0),
        (0, 7),
        (7, 0),
        (8, 0),
        (0, 15),
        (15, 0),
        (0, 30),
        (0, 40),
        (20, 20),
        (40, 0),
    ];

    /// One byte after the other.
    fn slowly(text: &str, slash: bool) -> String {
        let slash = if slash { "/" } else { "" };
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

    fn encoded(text: &str, slash: bool) -> String {
        let mut room = vec![0; 3 * text.len() + Pen::SLACK];
        let mut pen = Pen::new(&mut room, 0);
        if slash {
            pen.path(text.as_bytes())
        } else {
            pen.component(text.as_bytes())
        }
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
                for slash in [false, true] {
                    assert_eq!(encoded(&text, slash), slowly(&text, slash), "{text:?}");
                }
            }
        }
        assert_eq!(encoded("", true), "");
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
            for (before, after) in PLACES {
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
        assert_eq!(sorted_query(&[("", ""); 100]).len(), 199);
    }

    #[test]
    fn an_encoded_byte_sorts_between_the_end_and_what_is_kept() {
        for place in 0..8 {
            let start = "a".repeat(place);
            let key = |end: &str| key_encoded(&format!("{start}{end}"));
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

    /// Pieces overlap; none may leave a byte out.
    #[test]
    fn one_byte_alone_is_seen_at_each_place_of_each_length() {
        for length in 1..=70 {
            for place in 0..length {
                let text = |c: char| format!("{}{c}{}", "a".repeat(place), "z".repeat(length - place - 1));
                let mut room = vec![0; length];
                Pen::new(&mut room, 0).lower(&text('Q'));
                assert_eq!(room, text('q').as_bytes());
                assert_eq!(encoded(&text('|'), true), slowly(&text('|'), true));
                assert!(!key_encoded(&text('/')).1 && key_encoded(&text('Q')).1, "{place} of {length}");
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
            let order = slowly(&a, false).cmp(&slowly(&b, false));
            prop_assert_eq!(cmp_encoded(a.as_bytes(), b.as_bytes()), order);
            let keys = key_encoded(&a).cmp(&key_encoded(&b));
            prop_assert!(keys == order || keys == Ordering::Equal);
        }

        #[test]
        fn keys_of_header_names_sort_as_the_names(a in NAME, b in NAME) {
            let keys = key_lower(&a).cmp(&key_lower(&b));
            prop_assert!(keys == a.to_lowercase().cmp(&b.to_lowercase()) || keys == Ordering::Equal);
        }

        #[test]
        fn any_text_is_encoded_as_by_hand(text in "\\PC{0,60}|[a-z/ ]{0,80}") {
            for slash in [false, true] {
                prop_assert_eq!(encoded(&text, slash), slowly(&text, slash));
            }
        }
    }
}

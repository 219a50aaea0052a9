//! The text form of a checkpoint.
//!
//! What is read is written again and compared, so there is exactly one text for each checkpoint, and nothing
//! but that text is taken.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;

use super::{Checkpoint, CheckpointError, Identity, Kind};

pub(super) fn write(checkpoint: &Checkpoint) -> String {
    let Checkpoint { call, size, etag, crc64, upload_id, parts } = checkpoint;
    let mut text = String::from(HEAD);
    text.push('\n');
    let mut line = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            text.push_str(name);
            text.push(' ');
            text.push_str(&oss_endpoint::encode_component(value));
            text.push('\n');
        }
    };
    line("kind", Some(call.kind.word()));
    line("endpoint", Some(&call.endpoint));
    line("bucket", Some(&call.bucket));
    line("key", Some(&call.key));
    line("version", call.version_id.as_deref());
    line("range", call.range.as_deref());
    line("request", call.request.as_deref());
    line("local", Some(&call.local));
    line("etag", etag.as_deref());
    line("upload", upload_id.as_deref());
    // Writing to a text cannot fail.
    let _ = writeln!(text, "part-size {}\nsize {size}", call.part_size);
    if let Some(crc) = crc64 {
        let _ = writeln!(text, "crc64 {crc:016x}");
    }
    // Of a part whose checksum is 0 nothing is claimed: that is what a file of nothing has too.
    for (number, crc) in parts.iter().filter(|(_, crc)| **crc != 0) {
        let _ = writeln!(text, "part {number} {crc:016x}");
    }
    let sum = oss_crc::checksum(text.as_bytes());
    let _ = writeln!(text, "sum {sum:016x}");
    text
}

pub(super) fn parse(bytes: &[u8]) -> Result<Checkpoint, CheckpointError> {
    if bytes.len() > Checkpoint::BYTES_MAX {
        return Err(CheckpointError::TooLong);
    }
    let text = core::str::from_utf8(bytes).map_err(|_| CheckpointError::Damaged)?;
    if text.lines().next() != Some(HEAD) {
        return Err(CheckpointError::Version);
    }
    // "sum ", 16 digits and the end of the line.
    let body = text.len().checked_sub(SUM_BYTES).ok_or(CheckpointError::Damaged)?;
    let (body, sum) = text.split_at_checked(body).ok_or(CheckpointError::Damaged)?;
    let due = format!("sum {:016x}\n", oss_crc::checksum(body.as_bytes()));
    if sum != due {
        return Err(CheckpointError::Damaged);
    }
    let mut lines = Lines { lines: body.lines().enumerate().skip(1).peekable() };
    let kind = match lines.text("kind")?.as_str() {
        "upload" => Kind::Upload,
        "download" => Kind::Download,
        _ => return Err(CheckpointError::Value { what: "kind" }),
    };
    let mut call = Identity {
        kind,
        endpoint: lines.text("endpoint")?,
        bucket: lines.text("bucket")?,
        key: lines.text("key")?,
        version_id: lines.optional("version")?,
        range: lines.optional("range")?,
        request: lines.optional("request")?,
        local: lines.text("local")?,
        part_size: 0,
    };
    let (etag, upload_id) = (lines.optional("etag")?, lines.optional("upload")?);
    call.part_size = lines.number("part-size")?;
    let size = lines.number("size")?;
    let crc64 = lines.hex("crc64")?;
    let parts = lines.parts()?;
    let checkpoint = Checkpoint { call, size, etag, crc64, upload_id, parts };
    checkpoint.check()?;
    // Whatever else the text has is not from us: an escape too many, a number with a sign, a part twice.
    if write(&checkpoint) == text { Ok(checkpoint) } else { Err(CheckpointError::Value { what: "form" }) }
}

struct Lines<'a, I: Iterator<Item = (usize, &'a str)>> {
    lines: core::iter::Peekable<I>,
}

impl<'a, I: Iterator<Item = (usize, &'a str)>> Lines<'a, I> {
    /// The value of the next line, if it has this name.
    fn value(&mut self, name: &str) -> Option<&'a str> {
        let (_, line) = self.lines.peek()?;
        let value = line.strip_prefix(name)?.strip_prefix(' ')?;
        self.lines.next();
        Some(value)
    }

    fn wrong(&mut self) -> CheckpointError {
        CheckpointError::Line { number: self.lines.peek().map_or(0, |(at, _)| at.saturating_add(1)) }
    }

    fn optional(&mut self, name: &str) -> Result<Option<String>, CheckpointError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let decoded = percent_encoding::percent_decode_str(value).decode_utf8();
        decoded.map(|text| Some(text.into_owned())).map_err(|_| self.wrong())
    }

    fn text(&mut self, name: &str) -> Result<String, CheckpointError> {
        self.optional(name)?.ok_or_else(|| self.wrong())
    }

    fn number(&mut self, name: &str) -> Result<u64, CheckpointError> {
        self.value(name).and_then(|value| value.parse().ok()).ok_or_else(|| self.wrong())
    }

    fn hex(&mut self, name: &str) -> Result<Option<u64>, CheckpointError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        u64::from_str_radix(value, 16).map(Some).map_err(|_| self.wrong())
    }

    fn parts(&mut self) -> Result<BTreeMap<u32, u64>, CheckpointError> {
        let mut parts = BTreeMap::new();
        while let Some(value) = self.value("part") {
            let part = value
                .split_once(' ')
                .and_then(|(number, crc)| Some((number.parse().ok()?, u64::from_str_radix(crc, 16).ok()?)));
            let (number, crc) = part.ok_or_else(|| self.wrong())?;
            if crc == 0 {
                return Err(CheckpointError::Value { what: "part" });
            }
            parts.insert(number, crc);
        }
        if self.lines.peek().is_some() { Err(self.wrong()) } else { Ok(parts) }
    }
}

const HEAD: &str = "oss checkpoint 1";
const SUM_BYTES: usize = "sum 0123456789abcdef\n".len();

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn sample() -> Checkpoint {
        let call = Identity {
            kind: Kind::Download,
            endpoint: "https://oss-cn-hangzhou.aliyuncs.com".to_owned(),
            bucket: "examplebucket".to_owned(),
            key: "目录/a b\n%.bin".to_owned(),
            version_id: None,
            range: Some("bytes=0-".to_owned()),
            request: None,
            part_size: 10,
            local: "part-7f".to_owned(),
        };
        let parts = BTreeMap::from([(1, 7), (3, u64::MAX)]);
        Checkpoint {
            call,
            size: 95,
            etag: Some("\"5B3C\"".to_owned()),
            crc64: Some(0),
            upload_id: None,
            parts,
        }
    }

    fn sealed(text: &str) -> String {
        let body = text.split_at(text.len() - SUM_BYTES).0;
        format!("{body}sum {:016x}\n", oss_crc::checksum(body.as_bytes()))
    }

    #[test]
    fn the_text_form_is_this() {
        assert_eq!(
            sample().to_text(),
            "oss checkpoint 1\nkind download\nendpoint https%3A%2F%2Foss-cn-hangzhou.aliyuncs.com\n\
             bucket examplebucket\nkey %E7%9B%AE%E5%BD%95%2Fa%20b%0A%25.bin\nrange bytes%3D0-\n\
             local part-7f\netag %225B3C%22\npart-size 10\nsize 95\ncrc64 0000000000000000\n\
             part 1 0000000000000007\npart 3 ffffffffffffffff\nsum 6ec5d13884fb500c\n"
        );
    }

    #[test]
    fn b57_every_flipped_bit_and_every_cut_is_told() {
        let text = sample().to_text();
        for at in 0..text.len() * 8 {
            let mut bytes = text.clone().into_bytes();
            bytes[at / 8] ^= 1 << (at % 8);
            let error = Checkpoint::parse(&bytes).unwrap_err();
            let head = at < (HEAD.len() + 1) * 8;
            assert!(error == CheckpointError::Damaged || head, "bit {at}: {error}");
        }
        for len in 0..text.len() {
            assert!(Checkpoint::parse(&text.as_bytes()[..len]).is_err(), "{len} bytes");
        }
        let other = sealed(&text.replace("oss checkpoint 1", "oss checkpoint 2"));
        assert_eq!(Checkpoint::parse(other.as_bytes()), Err(CheckpointError::Version));
        let long = alloc::vec![b'a'; Checkpoint::BYTES_MAX + 1];
        assert_eq!(Checkpoint::parse(&long), Err(CheckpointError::TooLong));
    }

    #[test]
    fn b58_b60_numbers_that_cannot_be_are_refused_whatever_the_checksum_says() {
        let text = sample().to_text();
        assert_eq!(Checkpoint::parse(sealed(&text).as_bytes()), Ok(sample()));
        for (from, to) in [
            ("part 3 ", "part 0 "),
            ("part 3 ", "part 11 "),
            ("part 3 ", "part 1 "),
            ("part 3 ", "part 03 "),
            ("part 3 ", "part +3 "),
            ("part 3 ", "part 4294967296 "),
            ("part 3 ffffffffffffffff", "part 3 0000000000000000"),
            ("part 3 ffffffffffffffff", "part 3 FFFFFFFFFFFFFFFF"),
            ("part 1 0000000000000007\npart 3 f", "part 3 7\npart 1 f"),
            ("size 95", "size -1"),
            ("size 95", "size 18446744073709551615"),
            ("part-size 10", "part-size 0"),
            ("part-size 10", "part-size 18446744073709551616"),
            ("kind download", "kind sideways"),
            ("bucket examplebucket\n", ""),
            ("bucket examplebucket", "bucket %65xamplebucket"),
            ("key ", "key %FF"),
            ("local part-7f\n", "local part-7f\nlocal part-7f\n"),
            ("\n", "\r\n"),
        ] {
            let forged = sealed(&text.replacen(from, to, 1));
            assert!(Checkpoint::parse(forged.as_bytes()).is_err(), "{to:?}");
        }
    }

    #[test]
    fn a_checkpoint_of_the_most_parts_is_within_its_limit() {
        let mut checkpoint = sample();
        checkpoint.size = 100_000;
        checkpoint.parts = (1..=10_000).map(|number| (number, u64::MAX)).collect();
        let text = checkpoint.to_text();
        assert!(text.len() < Checkpoint::BYTES_MAX / 8, "{} bytes", text.len());
        assert_eq!(Checkpoint::parse(text.as_bytes()), Ok(checkpoint));
    }

    proptest! {
        #[test]
        fn b57_any_bytes_are_a_checkpoint_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut text = HEAD.as_bytes().to_vec();
            text.extend_from_slice(&bytes);
            let sum = oss_crc::checksum(&text);
            text.extend_from_slice(format!("sum {sum:016x}\n").as_bytes());
            let parsed: Vec<_> = [&bytes, &text].into_iter().map(|text| Checkpoint::parse(text)).collect();
            prop_assert!(parsed.iter().all(Result::is_err));
        }

        #[test]
        fn what_is_written_is_read(
            texts in prop::array::uniform5(any::<String>()),
            upload_id in any::<Option<String>>(),
            size in any::<u64>(),
            crc64 in any::<Option<u64>>(),
            crcs in prop::collection::btree_map(1_u32..=10_000, 1_u64.., 0..20),
        ) {
            let mut checkpoint = sample();
            let [endpoint, bucket, key, local, etag] = texts;
            checkpoint.call = Identity {
                endpoint, bucket, key, local, range: upload_id.clone(), request: upload_id.clone(),
                part_size: size.div_ceil(10_000).max(1),
                version_id: upload_id.clone(), kind: Kind::Upload,
            };
            let parts = size.div_ceil(checkpoint.call.part_size);
            let crcs = crcs.into_iter().filter(|(number, _)| u64::from(*number) <= parts);
            checkpoint = Checkpoint {
                size, crc64, upload_id, etag: Some(etag), parts: crcs.collect(), ..checkpoint
            };
            prop_assert_eq!(Checkpoint::parse(checkpoint.to_text().as_bytes()), Ok(checkpoint));
        }
    }
}

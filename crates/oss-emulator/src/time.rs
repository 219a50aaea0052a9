//! Civil time: the five forms in which OSS and its neighbours write and read an instant.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

/// `20231216T162057Z`, the form of `x-oss-date` (SPEC: signature V4).
pub(crate) fn iso_basic(time: Duration) -> String {
    let civil = Civil::of(time);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second
    )
}

/// `2023-12-16T16:20:57.000Z`, the form of XML documents.
pub(crate) fn iso_extended(time: Duration) -> String {
    let civil = Civil::of(time);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.000Z",
        civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second
    )
}

/// `2023-12-16T16:20:57Z`, the form of STS and of the metadata service.
pub(crate) fn iso_seconds(time: Duration) -> String {
    iso_extended(time).replace(".000Z", "Z")
}

/// `Sat, 16 Dec 2023 16:20:57 GMT`, the form of HTTP headers (RFC 9110, section 5.6.7).
pub(crate) fn http_date(time: Duration) -> String {
    let civil = Civil::of(time);
    let weekday = WEEKDAYS[(time.as_secs() / DAY_SECS % 7) as usize];
    let month = MONTHS[civil.month as usize - 1];
    format!(
        "{weekday}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT",
        civil.day, civil.year, civil.hour, civil.minute, civil.second
    )
}

/// Reads `20231216T162057Z`; anything else is `None`.
pub(crate) fn parse_iso_basic(text: &str) -> Option<Duration> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    Civil {
        year: digits(bytes.get(0..4)?)?,
        month: digits(bytes.get(4..6)?)?,
        day: digits(bytes.get(6..8)?)?,
        hour: digits(bytes.get(9..11)?)?,
        minute: digits(bytes.get(11..13)?)?,
        second: digits(bytes.get(13..15)?)?,
    }
    .since_epoch()
}

/// Reads `2023-12-16T16:20:57.000Z`, with or without the milliseconds; anything else is `None`.
pub(crate) fn parse_iso_extended(text: &str) -> Option<Duration> {
    let bytes = text.as_bytes();
    let is_fraction = |rest: &[u8]| match rest {
        b"Z" => true,
        [b'.', digits @ .., b'Z'] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if marks.iter().any(|(at, mark)| bytes.get(*at) != Some(mark)) || !is_fraction(bytes.get(19..)?) {
        return None;
    }
    Civil {
        year: digits(bytes.get(0..4)?)?,
        month: digits(bytes.get(5..7)?)?,
        day: digits(bytes.get(8..10)?)?,
        hour: digits(bytes.get(11..13)?)?,
        minute: digits(bytes.get(14..16)?)?,
        second: digits(bytes.get(17..19)?)?,
    }
    .since_epoch()
}

/// Reads `Sat, 16 Dec 2023 16:20:57 GMT`; anything else is `None`. The weekday is not checked.
pub(crate) fn parse_http_date(text: &str) -> Option<Duration> {
    let bytes = text.as_bytes();
    if bytes.len() != 29 || !text.ends_with(" GMT") || &bytes[3..5] != b", " {
        return None;
    }
    if bytes[7] != b' ' || bytes[11] != b' ' || bytes[16] != b' ' || bytes[19] != b':' || bytes[22] != b':' {
        return None;
    }
    let month = MONTHS.iter().position(|name| name.as_bytes() == &bytes[8..11])?;
    Civil {
        year: digits(&bytes[12..16])?,
        month: u32::try_from(month).ok()? + 1,
        day: digits(&bytes[5..7])?,
        hour: digits(&bytes[17..19])?,
        minute: digits(&bytes[20..22])?,
        second: digits(&bytes[23..25])?,
    }
    .since_epoch()
}

struct Civil {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
}

impl Civil {
    /// Years after 9999 do not exist in these formats; such a time is written as its remainder.
    fn of(time: Duration) -> Self {
        let seconds = time.as_secs() % YEARS_10K_SECS;
        let (mut days, rest) = (seconds / DAY_SECS, seconds % DAY_SECS);
        let mut year = 1970;
        while days >= days_of_year(year) {
            days -= days_of_year(year);
            year += 1;
        }
        let mut month = 1;
        while days >= days_of_month(year, month) {
            days -= days_of_month(year, month);
            month += 1;
        }
        Self {
            year,
            month,
            day: days as u32 + 1,
            hour: (rest / 3600) as u32,
            minute: (rest / 60 % 60) as u32,
            second: (rest % 60) as u32,
        }
    }

    fn since_epoch(&self) -> Option<Duration> {
        let fits = (1970..=9999).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=days_of_month(self.year, self.month)).contains(&u64::from(self.day))
            && self.hour < 24
            && self.minute < 60
            && self.second < 61;
        if !fits {
            return None;
        }
        let days: u64 = (1970..self.year).map(days_of_year).sum::<u64>()
            + (1..self.month).map(|month| days_of_month(self.year, month)).sum::<u64>()
            + u64::from(self.day - 1);
        let seconds = u64::from(self.hour * 3600 + self.minute * 60 + self.second);
        Some(Duration::from_secs(days * DAY_SECS + seconds))
    }
}

fn days_of_year(year: u32) -> u64 {
    if leaps(year) { 366 } else { 365 }
}

fn days_of_month(year: u32, month: u32) -> u64 {
    match month {
        2 if leaps(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn leaps(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes
        .iter()
        .try_fold(0_u32, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))
}

const DAY_SECS: u64 = 86_400;
const YEARS_10K_SECS: u64 = 253_402_300_800;
/// The epoch was a Thursday.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_reads_known_instants() {
        for (seconds, basic, http) in [
            (0, "19700101T000000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1_702_743_657, "20231216T162057Z", "Sat, 16 Dec 2023 16:20:57 GMT"),
            (951_782_400, "20000229T000000Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
            (253_402_300_799, "99991231T235959Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            let time = Duration::from_secs(seconds);
            assert_eq!(iso_basic(time), basic);
            assert_eq!(http_date(time), http);
            assert_eq!(parse_iso_basic(basic), Some(time));
            assert_eq!(parse_http_date(http), Some(time));
        }
        let time = Duration::from_secs(1_702_743_657);
        assert_eq!(iso_extended(time), "2023-12-16T16:20:57.000Z");
        assert_eq!(iso_seconds(time), "2023-12-16T16:20:57Z");
    }

    #[test]
    fn refuses_what_is_not_a_date() {
        for text in
            ["", "20231216", "20231316T162057Z", "20230229T000000Z", "2023-12-16T16:20Z", "é0231216T1620Z"]
        {
            assert_eq!(parse_iso_basic(text), None, "{text}");
        }
        for text in ["", "Sat, 16 Dez 2023 16:20:57 GMT", "Saturday, 16-Dec-23 16:20:57 GMT", "16 Dec 2023"] {
            assert_eq!(parse_http_date(text), None, "{text}");
        }
    }
}

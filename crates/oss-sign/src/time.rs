//! [`UnixTime`] and the three date formats that OSS uses, in both directions.

use core::{fmt, ops};

/// A moment in whole seconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// It lies between [`UnixTime::MIN`] and [`UnixTime::MAX`], the years 1 to 9999, so that every value has a
/// text in each of the formats below. Arithmetic and [`from_secs`](Self::from_secs) stop at those ends.
///
/// ```
/// use oss_sign::UnixTime;
///
/// let time = UnixTime::from_secs(1_702_743_657);
/// assert_eq!(time.iso_basic().as_str(), "20231216T162057Z");
/// assert_eq!(time.http_date().as_str(), "Sat, 16 Dec 2023 16:20:57 GMT");
/// assert_eq!(UnixTime::parse_iso_extended("2023-12-16T16:20:57.000Z"), Some(time));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(i64);

impl UnixTime {
    /// The first second of the year 1.
    pub const MIN: Self = Self(SECS_MIN);
    /// The last second of the year 9999.
    pub const MAX: Self = Self(SECS_MAX);

    /// The moment `secs` seconds after 1970-01-01T00:00:00Z, or the nearer of [`MIN`](Self::MIN) and
    /// [`MAX`](Self::MAX) when it lies outside them.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        match secs {
            ..SECS_MIN => Self::MIN,
            SECS_MIN..=SECS_MAX => Self(secs),
            _ => Self::MAX,
        }
    }

    /// Seconds since 1970-01-01T00:00:00Z; negative before it.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0
    }

    /// This moment plus `secs` seconds (minus, when negative), stopping at the ends of the range.
    #[must_use]
    pub const fn saturating_add(self, secs: i64) -> Self {
        Self::from_secs(self.0.saturating_add(secs))
    }

    /// This moment minus `secs` seconds (plus, when negative), stopping at the ends of the range.
    #[must_use]
    pub const fn saturating_sub(self, secs: i64) -> Self {
        Self::from_secs(self.0.saturating_sub(secs))
    }

    /// Seconds from `earlier` to this moment; negative when `earlier` is the later one.
    #[must_use]
    pub const fn secs_since(self, earlier: Self) -> i64 {
        // Both lie within 4e11 seconds of zero: the difference fits.
        self.0 - earlier.0
    }

    /// UTC days since 1970-01-01; negative before it.
    pub(crate) const fn days(self) -> i64 {
        self.0.div_euclid(DAY_SECS)
    }

    /// The UTC day as `20231216`, as a V4 scope has it.
    #[must_use]
    pub fn day(self) -> TimeText {
        let civil = Civil::of(self);
        let mut text = TimeText::EMPTY;
        text.date(&civil, b"");
        text
    }

    /// ISO 8601 basic format, `20231216T162057Z`: the value of `x-oss-date` in V4.
    #[must_use]
    pub fn iso_basic(self) -> TimeText {
        let mut text = TimeText::EMPTY;
        let [day, clock] = self.iso_basic_halves();
        text.push(&day);
        text.push(&clock);
        text
    }

    /// The same as plain bytes: the day, and what follows it. Each is computed in a register, as bytes that
    /// are written one at a time take long to be read as one piece.
    #[inline]
    pub(crate) fn iso_basic_halves(self) -> [[u8; 8]; 2] {
        let civil = Civil::of(self);
        let day = eight_digits([civil.year / 100, civil.year % 100, civil.month, civil.day]);
        let clock = eight_digits([civil.hour, civil.minute, civil.second, 0]);
        let clock = u64::from_le_bytes(clock) << 16 >> 8 | u64::from_le_bytes(*b"T\0\0\0\0\0\0Z");
        [day, clock.to_le_bytes()]
    }

    /// ISO 8601 extended format, `2023-12-16T16:20:57Z`: dates in XML bodies and in STS answers.
    #[must_use]
    pub fn iso_extended(self) -> TimeText {
        let civil = Civil::of(self);
        let mut text = TimeText::EMPTY;
        text.date(&civil, b"-");
        text.push(b"T");
        text.clock(&civil, b":");
        text.push(b"Z");
        text
    }

    /// HTTP date, `Sat, 16 Dec 2023 16:20:57 GMT` (IMF-fixdate of RFC 9110 section 5.6.7).
    #[must_use]
    pub fn http_date(self) -> TimeText {
        let civil = Civil::of(self);
        let mut text = TimeText::EMPTY;
        text.push(WEEKDAYS[civil.weekday]);
        text.push(b", ");
        text.two_digits(civil.day);
        text.push(b" ");
        text.push(MONTHS[civil.month as usize - 1]);
        text.push(b" ");
        text.year(civil.year);
        text.push(b" ");
        text.clock(&civil, b":");
        text.push(b" GMT");
        text
    }

    /// Reads exactly `YYYYMMDDThhmmssZ`; `None` for anything else or a date that does not exist.
    #[must_use]
    pub fn parse_iso_basic(text: &str) -> Option<Self> {
        let mut rest = text.as_bytes();
        let (year, month, day) = (number(&mut rest, 4)?, number(&mut rest, 2)?, number(&mut rest, 2)?);
        literal(&mut rest, b"T")?;
        let clock = (number(&mut rest, 2)?, number(&mut rest, 2)?, number(&mut rest, 2)?);
        literal(&mut rest, b"Z")?;
        finish(rest, (year, month, day), clock)
    }

    /// Reads exactly `YYYY-MM-DDThh:mm:ssZ`, with or without a fraction of one to nine digits, which is
    /// dropped; `None` for anything else or a date that does not exist.
    #[must_use]
    pub fn parse_iso_extended(text: &str) -> Option<Self> {
        let mut rest = text.as_bytes();
        let year = number(&mut rest, 4)?;
        literal(&mut rest, b"-")?;
        let month = number(&mut rest, 2)?;
        literal(&mut rest, b"-")?;
        let day = number(&mut rest, 2)?;
        literal(&mut rest, b"T")?;
        let clock = clock(&mut rest)?;
        if literal(&mut rest, b".").is_some() {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=FRACTION_DIGITS_MAX).contains(&digits) {
                return None;
            }
            rest = &rest[digits..];
        }
        literal(&mut rest, b"Z")?;
        finish(rest, (year, month, day), clock)
    }

    /// Reads exactly an IMF-fixdate, `Sat, 16 Dec 2023 16:20:57 GMT`; `None` for the obsolete forms of RFC
    /// 9110, a weekday that is not that day's, or a date that does not exist.
    #[must_use]
    pub fn parse_http_date(text: &str) -> Option<Self> {
        let mut rest = text.as_bytes();
        let weekday = WEEKDAYS.iter().position(|name| literal(&mut rest, name).is_some())?;
        literal(&mut rest, b", ")?;
        let day = number(&mut rest, 2)?;
        literal(&mut rest, b" ")?;
        let month = MONTHS.iter().position(|name| literal(&mut rest, name).is_some())?;
        literal(&mut rest, b" ")?;
        let year = number(&mut rest, 4)?;
        literal(&mut rest, b" ")?;
        let clock = clock(&mut rest)?;
        literal(&mut rest, b" GMT")?;
        let month = u32::try_from(month + 1).ok()?;
        let time = finish(rest, (year, month, day), clock)?;
        (Civil::of(time).weekday == weekday).then_some(time)
    }
}

/// The text of a date, at most 29 ASCII characters, kept without an allocation; it is a `str` by `Deref`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TimeText {
    bytes: [u8; TEXT_BYTES_MAX],
    len: u8,
}

impl TimeText {
    const EMPTY: Self = Self { bytes: [0; TEXT_BYTES_MAX], len: 0 };

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("only ASCII is written")
    }

    // Inlined, so that every place and length is known when it is compiled.
    #[inline(always)]
    fn push(&mut self, piece: &[u8]) {
        let start = usize::from(self.len);
        self.bytes[start..start + piece.len()].copy_from_slice(piece);
        self.len += piece.len() as u8;
    }

    #[inline(always)]
    fn two_digits(&mut self, value: u32) {
        self.push(&[b'0' + (value / 10) as u8, b'0' + (value % 10) as u8]);
    }

    #[inline(always)]
    fn year(&mut self, value: u32) {
        self.two_digits(value / 100);
        self.two_digits(value % 100);
    }

    #[inline(always)]
    fn date(&mut self, civil: &Civil, separator: &[u8]) {
        self.year(civil.year);
        self.push(separator);
        self.two_digits(civil.month);
        self.push(separator);
        self.two_digits(civil.day);
    }

    #[inline(always)]
    fn clock(&mut self, civil: &Civil, separator: &[u8]) {
        self.two_digits(civil.hour);
        self.push(separator);
        self.two_digits(civil.minute);
        self.push(separator);
        self.two_digits(civil.second);
    }
}

impl ops::Deref for TimeText {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for TimeText {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for TimeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for TimeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Four numbers below 100, in two digits each; as one number, which is faster than a digit at a time.
#[inline(always)]
fn eight_digits(pairs: [u32; 4]) -> [u8; 8] {
    let digits = |pair: u32| u64::from((pair / 10) | ((pair % 10) << 8));
    let [a, b, c, d] = pairs.map(digits);
    ((a | b << 16 | c << 32 | d << 48) | u64::from_le_bytes([b'0'; 8])).to_le_bytes()
}

/// A moment in the proleptic Gregorian calendar.
struct Civil {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    weekday: usize,
}

impl Civil {
    #[inline(always)]
    fn of(time: UnixTime) -> Self {
        // Not negative, as the year is at least 1, and small enough for the arithmetic below.
        let since_march = (time.0 + DAYS_0000_03_01 * DAY_SECS) as u64;
        let days = (since_march / DAY_SECS as u64) as u32;
        let of_day = (since_march % DAY_SECS as u64) as u32;
        // Counted from 0000-03-01, so that the leap day is the last of its year: each century of 36,524 or
        // 36,525 days, each year in it and each month then follow from one multiplication (Neri, Schneider,
        // "Euclidean affine functions and their application to calendar algorithms", 2022).
        let quarters = 4 * days + 3;
        let century = quarters / ERA_DAYS;
        let of_century = u64::from(quarters % ERA_DAYS / 4 * 4 + 3) * 2_939_745;
        let of_year = of_century as u32 / 2_939_745 / 4;
        let year = 100 * century + (of_century >> 32) as u32;
        let month = 2_141 * of_year + 197_913;
        let day = month as u16 / 2_141 + 1;
        let after_year_end = of_year >= 306;
        Self {
            year: year + u32::from(after_year_end),
            month: (month >> 16) - if after_year_end { 12 } else { 0 },
            day: u32::from(day),
            hour: of_day / 3_600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            // 0000-03-01 was a Wednesday, two days after a Monday.
            weekday: ((days + 2) % 7) as usize,
        }
    }
}

/// Days from 1970-01-01 to a date that exists.
fn days_of(year: u32, month: u32, day: u32) -> i64 {
    let (year, month, day) = (i64::from(year), i64::from(month), i64::from(day));
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let of_year = (153 * month_from_march + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + of_year - DAYS_0000_03_01
}

fn finish(rest: &[u8], date: (u32, u32, u32), clock: (u32, u32, u32)) -> Option<UnixTime> {
    let (year, month, day) = date;
    let (hour, minute, second) = clock;
    let exists = year >= 1 && (1..=12).contains(&month) && (1..=month_days(year, month)).contains(&day);
    if !rest.is_empty() || !exists || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let of_day = i64::from(hour * 3_600 + minute * 60 + second);
    Some(UnixTime(days_of(year, month, day) * DAY_SECS + of_day))
}

fn month_days(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn clock(rest: &mut &[u8]) -> Option<(u32, u32, u32)> {
    let hour = number(rest, 2)?;
    literal(rest, b":")?;
    let minute = number(rest, 2)?;
    literal(rest, b":")?;
    Some((hour, minute, number(rest, 2)?))
}

fn literal(rest: &mut &[u8], expected: &[u8]) -> Option<()> {
    *rest = rest.strip_prefix(expected)?;
    Some(())
}

fn number(rest: &mut &[u8], width: usize) -> Option<u32> {
    let (digits, after) = rest.split_at_checked(width)?;
    let value = digits
        .iter()
        .try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))?;
    *rest = after;
    Some(value)
}

const DAY_SECS: i64 = 86_400;
const ERA_DAYS: u32 = 146_097;
const DAYS_0000_03_01: i64 = 719_468;
const SECS_MIN: i64 = -62_135_596_800;
const SECS_MAX: i64 = 253_402_300_799;
const TEXT_BYTES_MAX: usize = 29;
const FRACTION_DIGITS_MAX: usize = 9;
const WEEKDAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString};
    use proptest::prelude::*;

    use super::*;

    /// Seconds, basic, extended, HTTP date; the seconds are those of `date -u -d … +%s`.
    const KNOWN: [(i64, &str, &str, &str); 10] = [
        (0, "19700101T000000Z", "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
        (-1, "19691231T235959Z", "1969-12-31T23:59:59Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
        (784_111_777, "19941106T084937Z", "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_400, "20000229T000000Z", "2000-02-29T00:00:00Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_702_743_657, "20231216T162057Z", "2023-12-16T16:20:57Z", "Sat, 16 Dec 2023 16:20:57 GMT"),
        (1_709_251_199, "20240229T235959Z", "2024-02-29T23:59:59Z", "Thu, 29 Feb 2024 23:59:59 GMT"),
        (4_107_542_400, "21000301T000000Z", "2100-03-01T00:00:00Z", "Mon, 01 Mar 2100 00:00:00 GMT"),
        (2_147_483_648, "20380119T031408Z", "2038-01-19T03:14:08Z", "Tue, 19 Jan 2038 03:14:08 GMT"),
        (SECS_MIN, "00010101T000000Z", "0001-01-01T00:00:00Z", "Mon, 01 Jan 0001 00:00:00 GMT"),
        (SECS_MAX, "99991231T235959Z", "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
    ];

    #[test]
    fn known_moments_have_their_text_in_each_format_and_back() {
        for (secs, basic, extended, http) in KNOWN {
            let time = UnixTime::from_secs(secs);
            assert_eq!(time.as_secs(), secs);
            assert_eq!(&*time.iso_basic(), basic);
            assert_eq!(&*time.day(), &basic[..8]);
            assert_eq!(&*time.iso_extended(), extended);
            assert_eq!(&*time.http_date(), http);
            assert_eq!(UnixTime::parse_iso_basic(basic), Some(time));
            assert_eq!(UnixTime::parse_iso_extended(extended), Some(time));
            assert_eq!(UnixTime::parse_http_date(http), Some(time));
        }
    }

    #[test]
    fn fractions_are_dropped() {
        let time = UnixTime::parse_iso_extended("2023-12-16T16:20:57Z");
        for text in ["2023-12-16T16:20:57.0Z", "2023-12-16T16:20:57.999Z", "2023-12-16T16:20:57.123456789Z"] {
            assert_eq!(UnixTime::parse_iso_extended(text), time, "{text}");
        }
    }

    #[test]
    fn what_is_not_the_format_is_refused() {
        let basic = [
            "",
            "Z",
            "20231216T162057",
            "20231216T162057z",
            "20231216t162057Z",
            "2023-12-16T16:20:57Z",
            " 20231216T162057Z",
            "20231216T162057Z ",
            "20231316T162057Z",
            "20230016T162057Z",
            "20231200T162057Z",
            "20231232T162057Z",
            "20230229T162057Z",
            "19000229T162057Z",
            "20230431T162057Z",
            "00001216T162057Z",
            "20231216T242057Z",
            "20231216T166057Z",
            "20231216T162060Z",
            "+0231216T162057Z",
            "2023 216T162057Z",
            "２0231216T162057Z",
        ];
        for text in basic {
            assert_eq!(UnixTime::parse_iso_basic(text), None, "{text}");
        }
        let extended = [
            "",
            "20231216T162057Z",
            "2023-12-16 16:20:57Z",
            "2023-12-16T16:20:57",
            "2023-12-16T16:20:57+00:00",
            "2023-12-16T16:20:57.Z",
            "2023-12-16T16:20:57.1234567890Z",
            "2023-12-16T16:20:57,0Z",
            "2023-12-16T16:20:57.0",
            "2023-12-16T16-20-57Z",
            "2023/12/16T16:20:57Z",
            "23-12-16T16:20:57Z",
            "2023-12-16T16:20:57ZZ",
            "2023-02-30T16:20:57Z",
            "0000-02-01T16:20:57Z",
        ];
        for text in extended {
            assert_eq!(UnixTime::parse_iso_extended(text), None, "{text}");
        }
    }

    #[test]
    fn b39_a_date_is_one_of_http_or_none() {
        let http = [
            "",
            "Sun, 16 Dec 2023 16:20:57 GMT",
            "sat, 16 Dec 2023 16:20:57 GMT",
            "Sat, 16 dec 2023 16:20:57 GMT",
            "Sat, 16 Dec 2023 16:20:57 UTC",
            "Sat, 16 Dec 2023 16:20:57",
            "Sat, 16 Dec 2023 16:20:57 GMT ",
            "Saturday, 16-Dec-23 16:20:57 GMT",
            "Sat Dec 16 16:20:57 2023",
            "Sat, 6 Dec 2023 16:20:57 GMT",
            "Sat 16 Dec 2023 16:20:57 GMT",
            "Fri, 31 Nov 2023 16:20:57 GMT",
            "Sat, 16 Dec 2023 16:20:60 GMT",
            "Sat, 16 Dec 2023 00:60:60 GMT",
            "Sat, 16 Dec 2023 24:00:00 GMT",
            "Sat, 16 Dec 2023 16:20:57 +0800",
            "Sat, 16 Dec 2023 16:20:57 CST",
            "Sat, 01 Jan 0000 00:00:00 GMT",
            "Fri, 31 Dec 10000 23:59:59 GMT",
            "Sat, 16 Dec -023 16:20:57 GMT",
        ];
        for text in http {
            assert_eq!(UnixTime::parse_http_date(text), None, "{text}");
        }
        assert_eq!(UnixTime::parse_http_date("Fri, 31 Dec 9999 23:59:59 GMT"), Some(UnixTime::MAX));
    }

    #[test]
    fn the_ends_of_the_range_hold() {
        assert_eq!(UnixTime::from_secs(i64::MIN), UnixTime::MIN);
        assert_eq!(UnixTime::from_secs(i64::MAX), UnixTime::MAX);
        assert_eq!(UnixTime::from_secs(SECS_MIN - 1), UnixTime::MIN);
        assert_eq!(UnixTime::from_secs(SECS_MAX + 1), UnixTime::MAX);
        assert_eq!(UnixTime::MAX.saturating_add(i64::MAX), UnixTime::MAX);
        assert_eq!(UnixTime::MIN.saturating_sub(i64::MAX), UnixTime::MIN);
        assert_eq!(UnixTime::MIN.saturating_sub(i64::MIN), UnixTime::MAX);
        assert_eq!(UnixTime::from_secs(10).saturating_add(-3).as_secs(), 7);
        assert_eq!(UnixTime::from_secs(10).saturating_sub(3).as_secs(), 7);
        assert_eq!(UnixTime::MAX.secs_since(UnixTime::MIN), SECS_MAX - SECS_MIN);
        assert_eq!(UnixTime::from_secs(3).secs_since(UnixTime::from_secs(10)), -7);
    }

    #[test]
    fn text_prints_padded_and_quoted() {
        let day = UnixTime::from_secs(0).day();
        assert_eq!(format!("[{day:>10}] {day:?}"), "[  19700101] \"19700101\"");
        assert_eq!(AsRef::<str>::as_ref(&day), day.to_string());
    }

    #[test]
    fn every_day_of_two_eras_follows_the_one_before() {
        let (mut year, mut month, mut day) = (1_u32, 1_u32, 1_u32);
        for days in (SECS_MIN / DAY_SECS)..(SECS_MIN / DAY_SECS + 2 * ERA_DAYS as i64) {
            let civil = Civil::of(UnixTime(days * DAY_SECS));
            assert_eq!((civil.year, civil.month, civil.day), (year, month, day));
            assert_eq!(days_of(year, month, day), days);
            day += 1;
            if day > month_days(year, month) {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }

    proptest! {
        #[test]
        fn every_moment_comes_back_from_each_format(secs in SECS_MIN..=SECS_MAX) {
            let time = UnixTime::from_secs(secs);
            prop_assert_eq!(UnixTime::parse_iso_basic(&time.iso_basic()), Some(time));
            prop_assert_eq!(UnixTime::parse_iso_extended(&time.iso_extended()), Some(time));
            prop_assert_eq!(UnixTime::parse_http_date(&time.http_date()), Some(time));
        }

        #[test]
        fn text_sorts_as_time_does(a in SECS_MIN..=SECS_MAX, b in SECS_MIN..=SECS_MAX) {
            let (a, b) = (UnixTime::from_secs(a), UnixTime::from_secs(b));
            prop_assert_eq!(a.cmp(&b), a.iso_basic().cmp(&b.iso_basic()));
        }

        #[test]
        fn no_text_panics_and_what_parses_prints_the_same(text in "\\PC{0,32}|[0-9TZ:.-]{14,31}") {
            if let Some(time) = UnixTime::parse_iso_basic(&text) {
                prop_assert_eq!(&*time.iso_basic(), text.as_str());
            }
            let _ = UnixTime::parse_iso_extended(&text);
            let _ = UnixTime::parse_http_date(&text);
        }
    }
}
